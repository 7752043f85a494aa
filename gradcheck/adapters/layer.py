"""A layer object: forward(*inputs) -> out, backward(dout) -> gradients, and dW beside W."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.binding import backward_of
from gradcheck.adapters.naming import input_names, positional_of, signature_of
from gradcheck.adapters.objects import Manner, Pull, claim_of
from gradcheck.adapters.places import attributes
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree

OUTPUTS = ("output", "outputs", "out")  # what a forward that returns None has set


def is_layer(target: Any) -> bool:
    """Whether a target is an object with a forward method. Raises ClaimError where backward is missing."""
    if not callable(getattr(target, "forward", None)):
        return False
    if not callable(getattr(target, "backward", None)):
        raise ClaimError(
            f"{type(target).__name__} has forward but no backward: there is no gradient to check. "
            "Give it backward(dout) -> dx"
        )
    return True


def from_layer(
    layer: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """Gradients of the inputs and of every parameter that the layer holds beside a gradient of its name.

    A forward or backward that returns None has set attributes: output, dinputs. A backward that takes no
    cotangent is that of a number. reference takes the parameters by name: reference(x, W=W, b=b).
    """
    most = positional_of(layer.forward)
    any_number = any(p.kind is p.VAR_POSITIONAL for p in signature_of(layer.forward))
    if not inputs or (len(inputs) > len(most) and not any_number):
        raise ClaimError(
            f"{len(inputs)} inputs were given for {type(layer).__name__}, whose forward takes "
            f"{', '.join(p.name for p in most) or 'none'}: pass one a name"
        )
    found = input_names(layer.forward, len(inputs), names)
    own = input_names(layer.forward, len(inputs), None)
    called = f"{type(layer).__name__}.backward"

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        result = run.forward(*at)
        back = backward_of(run.backward, called, own)
        output = result[0] if back.has_cache(result) else result
        return (_output(run) if output is None else output), lambda cotangent: back(cotangent, result, at)

    takes = backward_of(layer.backward, called, own).takes_cotangent
    return claim_of(
        layer, inputs, Manner(called=called, start=start, names=found, takes_cotangent=takes), reference
    )


def _output(run: Any) -> Any:
    """What a forward that returned None has left as its output."""
    held = attributes(run)
    found = next((held[name] for name in OUTPUTS if held.get(name) is not None), None)
    if found is None:
        raise ClaimError(
            f"{type(run).__name__}.forward returned None and set no {' or '.join(OUTPUTS)}: return the array "
            "it computes"
        )
    return found
