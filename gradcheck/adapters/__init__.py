"""From what the user has to a Claim. One file a convention; nothing is rewritten or wrapped by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.callback import from_callback, is_callback
from gradcheck.adapters.convention import read_as
from gradcheck.adapters.frameworks import from_framework
from gradcheck.adapters.functions import from_gradients, from_value_and_gradients, from_vjp
from gradcheck.adapters.layer import from_layer, is_layer
from gradcheck.adapters.losses import from_loss, is_loss
from gradcheck.adapters.naming import input_names
from gradcheck.adapters.network import from_network, is_network
from gradcheck.adapters.op import from_op, is_op, static_methods
from gradcheck.adapters.pair import from_pair, is_pair
from gradcheck.adapters.propagation import from_propagation
from gradcheck.claim import Claim
from gradcheck.complex_parts import has_complex_inputs, in_real_parts
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree

__all__ = [
    "as_claim",
    "from_callback",
    "from_framework",
    "from_gradients",
    "from_layer",
    "from_loss",
    "from_network",
    "from_op",
    "from_pair",
    "from_propagation",
    "from_value_and_gradients",
    "from_vjp",
]


def as_claim(
    target: Any,
    inputs: tuple[Tree, ...],
    *,
    vjp: Callable[..., Tree] | None = None,
    gradients: Any = None,
    reference: Callable[..., Tree] | None = None,
    names: tuple[str, ...] | list[str] | None = None,
    convention: str = "vjp",
    order: int = 1,
) -> Claim:
    """The claim that a call of `check_gradients` makes. Raises ClaimError for a call that makes none."""
    given = _as_given(
        target, inputs, vjp=vjp, gradients=gradients, reference=reference, names=names, order=order
    )
    claim = dataclasses.replace(read_as(given, convention), target=target)
    return in_real_parts(claim) if has_complex_inputs(claim) else claim


def _as_given(
    target: Any,
    inputs: tuple[Tree, ...],
    *,
    vjp: Callable[..., Tree] | None,
    gradients: Any,
    reference: Callable[..., Tree] | None,
    names: tuple[str, ...] | list[str] | None,
    order: int,
) -> Claim:
    """The claim with its inputs as they are, complex or not."""
    if isinstance(target, Claim):
        if inputs or any(given is not None for given in (vjp, gradients, reference, names)):
            raise ClaimError("a Claim carries its own inputs and options: pass it alone")
        return target
    if isinstance(target, type) and not static_methods(target):
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
    if vjp is None and gradients is None:
        of_framework = from_framework(target, *inputs, names=names, reference=reference, order=order)
        return of_framework or _carried(target, inputs, reference, names)
    if order != 1:
        raise ClaimError(f"order={order!r} is for what JAX differentiates: leave vjp= and gradients= out")
    return _told(target, inputs, vjp, gradients, reference, names)


def _carried(
    target: Any,
    inputs: tuple[Tree, ...],
    reference: Callable[..., Tree] | None,
    names: tuple[str, ...] | list[str] | None,
) -> Claim:
    """The claim that a target carries itself. What is more special is looked for first."""
    if static_methods(target):
        if is_op(target):
            return from_op(target, *inputs, names=names, reference=reference)
        return from_pair(target.forward, target.backward, *inputs, names=names, reference=reference)
    if is_pair(target):
        return from_pair(*target, *inputs, names=names, reference=reference)
    if is_network(target, inputs):
        return from_network(target, *inputs, names=names, reference=reference)
    if is_loss(target):
        return from_loss(target, *inputs, names=names, reference=reference)
    if not callable(getattr(target, "begin_update", None)) and is_layer(target):
        return from_layer(target, *inputs, names=names, reference=reference)
    if is_callback(target, inputs):
        return from_callback(target, *inputs, names=names, reference=reference)
    if not callable(target):
        raise ClaimError(_no_target(target))
    raise ClaimError(
        f"{getattr(target, '__name__', 'the function')} comes without a gradient to check: pass vjp=, "
        "gradients= (a function, values, or True where f returns them), or a layer with backward"
    )


def _told(
    function: Any,
    inputs: tuple[Tree, ...],
    vjp: Callable[..., Tree] | None,
    gradients: Any,
    reference: Callable[..., Tree] | None,
    names: tuple[str, ...] | list[str] | None,
) -> Claim:
    """The claim of a function and what was passed beside it."""
    if not callable(function) and (is_pair(function) or is_layer(function)):
        what = "a pair" if is_pair(function) else f"{type(function).__name__} is a layer and"
        raise ClaimError(f"{what} carries its own backward: leave vjp= and gradients= out")
    if not callable(function):
        raise ClaimError(_no_target(function))
    found = input_names(function, len(inputs), names)
    if vjp is not None:
        return from_vjp(function, *inputs, vjp=vjp, names=found, reference=reference)
    if gradients is True:
        return from_value_and_gradients(function, *inputs, names=found, reference=reference)
    return from_gradients(function, *inputs, gradients=gradients, names=found, reference=reference)


def _no_target(target: Any) -> str:
    return (
        f"{target!r:.60} is neither a function nor a layer with forward and backward: pass "
        "f with vjp= or gradients=, or an object with both methods"
    )
