"""Functions with a claim beside them: a VJP, a gradient, or values of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.naming import function_name
from gradcheck.claim import Claim, carries_gradient
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree


def from_vjp(
    function: Callable[..., Tree],
    *inputs: Tree,
    vjp: Callable[..., Tree],
    names: tuple[str, ...],
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """f and its VJP: vjp(cotangent, *inputs) -> one gradient an input, a single one or a tuple."""
    return _claim(function_name(vjp, "vjp"), function, vjp, inputs, names, reference)


def from_gradients(
    function: Callable[..., Any],
    *inputs: Tree,
    gradients: Any,
    names: tuple[str, ...],
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """A scalar f and its gradient: a function of the same inputs, or values that hold at `inputs`."""
    if callable(gradients):
        name, vjp = function_name(gradients, "gradients"), lambda _, *at: gradients(*at)
    else:
        name, vjp = "gradients", lambda *_: gradients
    claim = _claim(name, function, vjp, inputs, names, reference)
    return dataclasses.replace(claim, takes_cotangent=False, repeatable=callable(gradients))


def from_value_and_gradients(
    function: Callable[..., Any],
    *inputs: Tree,
    names: tuple[str, ...],
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """f that returns (value, gradients), as SciPy's jac=True."""

    name = function_name(function, "f")

    def pair(*at: Tree) -> tuple[Any, Any]:
        result = function(*at)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise ClaimError(
                f"{name} returned {type(result).__name__} where gradients=True promises "
                "(value, gradients): return both, or pass gradients= apart"
            )
        return result[0], result[1]

    claim = _claim(
        f"{name}'s gradients",
        lambda *at: pair(*at)[0],
        lambda _, *at: pair(*at)[1],
        inputs,
        names,
        reference,
    )
    return dataclasses.replace(claim, takes_cotangent=False)


def _claim(
    called: str,
    forward: Callable[..., Any],
    vjp: Callable[..., Any],
    inputs: tuple[Tree, ...],
    names: tuple[str, ...],
    reference: Callable[..., Any] | None,
) -> Claim:
    data = tuple(
        i
        for i, (name, tree) in enumerate(zip(names, inputs, strict=True))
        if not carries_gradient(tree, name)
    )
    return Claim(
        name=called, forward=forward, vjp=vjp, inputs=inputs, names=names, reference=reference, data=data
    )
