"""Functions that hand dictionaries on: forward_propagation, compute_cost, backward_propagation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.naming import function_name, required_of
from gradcheck.claim import Claim, carries_gradient
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree


def from_propagation(
    forward: Callable[..., Any], backward: Callable[..., Any], cost: Callable[..., Any], **inputs: Tree
) -> Claim:
    """forward(X, parameters) -> (A2, cache), cost(A2, Y), backward(parameters, cache, X, Y) -> gradients.

    Each is called with the inputs that its arguments are named after; a backward's `cache` is what forward
    returned second, a cost's other argument what it returned first. Wrap X and Y in `constant(...)`.
    """
    names = tuple(inputs)
    called = function_name(backward, "backward")

    def run(at: tuple[Tree, ...]) -> tuple[dict[str, Any], Any, Any]:
        known = dict(zip(names, at, strict=True))
        result = _call(forward, known, {})
        pair = isinstance(result, tuple | list) and len(result) == 2
        output, cache = result if pair else (result, None)
        return known, output, cache

    def value(*at: Tree) -> Any:
        known, output, cache = run(at)
        others = [name for name in required_of(cost) if name not in (*known, "cache")]
        return _call(cost, known, {"cache": cache} | dict.fromkeys(others[:1], output))

    def vjp(_: Tree, *at: Tree) -> Any:
        known, output, cache = run(at)
        others = [name for name in required_of(backward) if name not in (*known, "cache")]
        return _call(backward, known, {"cache": cache} | dict.fromkeys(others[:1], output))

    return Claim(
        name=called,
        forward=value,
        vjp=vjp,
        inputs=tuple(inputs.values()),
        names=names,
        takes_cotangent=False,
        data=tuple(i for i, (name, tree) in enumerate(inputs.items()) if not carries_gradient(tree, name)),
    )


def _call(function: Callable[..., Any], known: dict[str, Any], more: dict[str, Any]) -> Any:
    given = known | more
    wanted = required_of(function)
    missing = [name for name in wanted if name not in given]
    if missing:
        raise ClaimError(
            f"{function_name(function, 'the function')} takes {', '.join(wanted)}, and {missing[0]} was not "
            f"given: pass {missing[0]}=..., named as its argument is"
        )
    return function(*(given[name] for name in wanted))
