"""Functions in JAX: what JAX says of their derivative, by the user's rules or by its own, is the claim.

A custom rule is laid beside JAX's derivative of the function without it, and beside differences. Reverse
mode is what is claimed; where forward mode or a vectorised reverse mode says something else, each is
judged by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.jax_modes import STREAM, JaxFunction, in_a_line, tried
from gradcheck.adapters.jax_rules import rule_of
from gradcheck.adapters.naming import function_name, input_names
from gradcheck.adapters.paths import AMPLIFIED, apart, judged_apart, scale_of
from gradcheck.adapters.slots import Slots
from gradcheck.claim import Array, Claim, carries_gradient, constant
from gradcheck.complex_parts import RealParts, has_complex_inputs, in_real_parts
from gradcheck.errors import ClaimError
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.rounding import allowance
from gradcheck.tree import Tree, map_leaves

LINES = 3  # tangents along which forward mode is compared with reverse mode
MODES = "forward mode and vmap: they are compared where everything is real and on one device"


def from_jax(
    target: Callable[..., Any],
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Any] | None = None,
    order: int = 1,
) -> Claim:
    """JAX's gradient of a function; with order=2 JAX's gradient of its gradient along a random cotangent.

    Raises ClaimError for another order. What the function itself raises passes.
    """
    if isinstance(order, bool) or order not in (1, 2):
        raise ClaimError(f"order={order!r} is neither 1, the gradient, nor 2, the gradient of the gradient")
    rule = rule_of(target)
    static = rule.static if rule else ()
    pattern = tuple(map_leaves(_marked, constant(t) if i in static else t) for i, t in enumerate(inputs))
    carrying = [i for i, tree in enumerate(pattern) if carries_gradient(tree)]
    name = function_name(target.func if isinstance(target, functools.partial) else target, "f")
    claim = Claim(
        name=f"{name}'s VJP" if order == 1 else f"the VJP of {name}'s gradient",
        forward=target,
        vjp=target,
        inputs=pattern,
        names=input_names(target, len(inputs), names),
        reference=reference,
        data=tuple(i for i in range(len(pattern)) if i not in carrying),
    )
    if not carrying:
        return claim  # which says in its own words that there is nothing to judge
    function = JaxFunction(target, Slots(pattern), rule=rule).at_home()
    function = function if order == 1 else function.gradient()
    own = function.reference if function.without_rules else None
    claim = replace(
        claim,
        forward=function.forward,
        vjp=function.vjp,
        reference=reference or own,
        unrecorded=f"{function.unrecorded}, at {name}",
    )
    return _in_all_modes(claim, function)


def _in_all_modes(claim: Claim, function: JaxFunction) -> Claim:
    """The claim, and beside it each way of JAX's that leads elsewhere than reverse mode."""
    evaluator = Evaluator(in_real_parts(claim) if has_complex_inputs(claim) else claim)
    if isinstance(evaluator.claim, RealParts) or evaluator.is_spread:
        return replace(claim, not_checked=(MODES,))
    rng = np.random.default_rng(STREAM)
    u = tuple(rng.standard_normal(out.shape).astype(out.dtype) for out in evaluator.outputs)
    own, refusal = tried(lambda: evaluator.backward(evaluator.point, u))
    if refusal is not None:
        return _by_forward_mode(claim, function, u, refusal)
    ways: list[tuple[str, Callable[..., Tree]]] = []
    differs, _ = tried(lambda: _modes_differ(function, evaluator, u, own, rng))
    if differs:
        ways.append(("forward-mode", function.forward_mode))
    vectorised = Evaluator(replace(claim, vjp=function.vmapped))
    found, why_not = tried(lambda: vectorised.backward(vectorised.point, u))
    if why_not is not None:
        claim = replace(claim, not_checked=(f"vmap of the gradient: {in_a_line(why_not)}",))
    elif apart(own, found, scale_of(evaluator, u)):
        ways.append(("vmapped", function.vmapped))
    return judged_apart(claim, ways) if ways else claim


def _by_forward_mode(claim: Claim, function: JaxFunction, u: Arrays, refusal: Exception) -> Claim:
    """The claim of forward mode, where JAX has no reverse mode but has that."""
    forward = replace(
        claim,
        name=claim.name.replace("VJP", "JVP"),
        vjp=function.forward_mode,
        not_checked=(f"reverse mode: {in_a_line(refusal)}",),
    )
    evaluator = Evaluator(forward)
    _, why_not = tried(lambda: evaluator.backward(evaluator.point, u))
    return forward if why_not is None else claim


def _modes_differ(
    function: JaxFunction,
    evaluator: Evaluator,
    cotangents: Arrays,
    gradients: tuple[Array | None, ...],
    rng: np.random.Generator,
) -> bool:
    """Whether <u, JVP v> is not <VJP u, v> for some random v, beyond rounding.

    A gradient of the wrong shape is left out: it is wrong whatever forward mode says.
    """
    shapes = [value.shape for value in evaluator.point]
    if [None if g is None else g.shape for g in gradients] != shapes:
        return False
    inputs = evaluator.claim.inputs_at(evaluator.point)
    for _ in range(LINES):
        v = [rng.standard_normal(shape) for shape in shapes]
        moves = function.pushed(v, *inputs)
        forward = [np.ravel(u * d) for u, d in zip(cotangents, moves, strict=True)]
        reverse = [np.ravel(d * g) for d, g in zip(v, gradients, strict=True)]
        size = float(sum(np.abs(term).sum() for term in (*forward, *reverse)))
        size += scale_of(evaluator, cotangents) * float(sum(np.abs(d).sum() for d in v))
        gap = float(sum(term.sum() for term in forward) - sum(term.sum() for term in reverse))
        if abs(gap) > AMPLIFIED * allowance(np.result_type(*cotangents, *moves), size):
            return True
    return False


def _marked(_: str, leaf: Any) -> Any:
    """Random keys as data, which they are; bfloat16 and its like, which NumPy does not know, as float32."""
    import jax
    import jax.numpy as jnp

    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.extended):
        return constant(leaf)
    if isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.floating):
        return np.asarray(leaf, np.float32) if leaf.dtype.kind == "V" else leaf
    return leaf
