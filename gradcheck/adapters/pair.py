"""A pair of functions: forward(*inputs) -> out or (out, cache), backward(dout, cache) -> gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.binding import backward_of
from gradcheck.adapters.naming import function_name, input_names
from gradcheck.claim import Claim, carries_gradient, copied
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, map_leaves


def is_pair(target: Any) -> bool:
    """Whether a target is two functions."""
    return isinstance(target, tuple | list) and len(target) == 2 and all(map(callable, target))


def from_pair(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """Functions whose forward hands a cache to the backward, or whose backward takes the inputs again.

    backward takes the cotangent, then the cache, inputs by the names they have in the forward, or all of
    them in order. It returns one gradient an input, in a sequence or in a dictionary keyed dW or W.
    """
    if not inputs:
        raise ClaimError("no inputs were given: pass the point to check at, e.g. (forward, backward), x, w")
    found = input_names(forward, len(inputs), names)
    run_back = backward_of(backward, function_name(backward, "backward"), found)

    def output(*at: Tree) -> Tree:
        result = forward(*at)
        return result[0] if run_back.has_cache(result) else result

    def disturbed(cotangent: Tree, at: tuple[Tree, ...], others: tuple[Tree, ...]) -> tuple[Tree, Tree]:
        result = forward(*at)
        output = map_leaves(copied, result[0] if run_back.has_cache(result) else result)
        forward(*others)  # a cache that the functions share would now be another one's
        return output, run_back(cotangent, result, at)

    without = (
        i
        for i, (name, tree) in enumerate(zip(found, inputs, strict=True))
        if not carries_gradient(tree, name)
    )
    return Claim(
        name=run_back.called,
        forward=output,
        vjp=lambda cotangent, *at: run_back(cotangent, forward(*at), at),
        inputs=inputs,
        names=found,
        reference=reference,
        takes_cotangent=run_back.takes_cotangent,
        data=tuple(dict.fromkeys((0, *without))),
        disturbed=disturbed,
    )
