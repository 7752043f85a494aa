"""From what the user has to a Claim. One file a convention; nothing is rewritten or wrapped by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.functions import from_gradients, from_value_and_gradients, from_vjp
from gradcheck.adapters.layer import from_layer, is_layer
from gradcheck.adapters.naming import input_names
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree

__all__ = ["as_claim", "from_gradients", "from_layer", "from_value_and_gradients", "from_vjp"]


def as_claim(
    target: Any,
    inputs: tuple[Tree, ...],
    *,
    vjp: Callable[..., Tree] | None,
    gradients: Any,
    reference: Callable[..., Tree] | None,
    names: tuple[str, ...] | list[str] | None,
) -> Claim:
    """The claim that a call of `check_gradients` makes. Raises ClaimError for a call that makes none."""
    if isinstance(target, Claim):
        if inputs or any(given is not None for given in (vjp, gradients, reference, names)):
            raise ClaimError("a Claim carries its own inputs and options: pass it alone")
        return target
    if isinstance(target, type):
        raise ClaimError(f"{target.__name__} is a class: pass an object of it, e.g. {target.__name__}(...)")
    if not inputs:
        raise ClaimError(
            "no inputs were given: pass the point to check at, e.g. check_gradients(f, x, vjp=vjp)"
        )
    for name, given in (("vjp", vjp), ("reference", reference)):
        if given is not None and not callable(given):
            raise ClaimError(f"{name}={given!r:.60} is no function: pass a callable")
    if vjp is not None and gradients is not None:
        raise ClaimError("vjp= and gradients= are two claims at once: pass the one to be judged")
    if vjp is None and gradients is None and is_layer(target):
        return from_layer(target, *inputs, names=names, reference=reference)
    if is_layer(target) and not callable(target):
        raise ClaimError(
            f"{type(target).__name__} is a layer and carries its own backward: leave vjp= and gradients= out"
        )
    if not callable(target):
        raise ClaimError(
            f"{target!r:.60} is neither a function nor a layer with forward and backward: pass "
            "f with vjp= or gradients=, or an object with both methods"
        )
    found = input_names(target, len(inputs), names)
    if vjp is not None:
        return from_vjp(target, *inputs, vjp=vjp, names=found, reference=reference)
    if gradients is True:
        return from_value_and_gradients(target, *inputs, names=found, reference=reference)
    if gradients is not None and gradients is not False:
        return from_gradients(target, *inputs, gradients=gradients, names=found, reference=reference)
    raise ClaimError(
        f"{getattr(target, '__name__', 'the function')} comes without a gradient to check: pass vjp=, "
        "gradients= (a function, values, or True where f returns them), or a layer with backward"
    )
