"""The autodiff oracle: JAX differentiates a forward written in jax.numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator, noted
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.probes import NUDGES, Probe, generator
from gradcheck.rounding import allowance
from gradcheck.tree import iter_leaves

NAME = "autodiff"
NUDGED_COPIES = 3  # copies of the inputs moved by one unit of round-off
CANCELLATION = 2.0**16  # times its rounding that a right forward may be off by, where terms cancel in it
NUDGE_MARGIN = 16  # the bar is that many times the largest change a nudge makes, and rounding


def autodiff(evaluator: Evaluator, probe: Probe) -> Answer:
    """The gradient entry by entry by jax.vjp, in float64 whatever the caller's configuration.

    Two right implementations differ by rounding, which the inputs' own round-off shows best: the
    bar is taken from how the gradient moves when every input moves by one unit of it.
    """
    function = evaluator.claim.reference or (evaluator.claim.forward if evaluator.is_jax else None)
    if function is None:
        return Answer(
            oracle=NAME, why_not="the forward is not written in jax.numpy: pass reference=, its twin that is"
        )
    rng = generator(probe.seed, NUDGES)
    points = [evaluator.point] + [_nudged(evaluator.point, rng) for _ in range(NUDGED_COPIES)]
    answers = _vjps(evaluator, function, points, probe.cotangents)
    gap = _forward_gap(evaluator.outputs, [outputs for outputs, _ in answers])
    if gap:
        return Answer(oracle=NAME, why_not=gap, evaluations=len(points), forward_disagrees=True)
    estimates = tuple(
        _estimate(leaf.name, [gradients[position] for _, gradients in answers])
        for position, leaf in enumerate(evaluator.leaves)
    )
    return Answer(oracle=NAME, estimates=estimates, evaluations=len(points))


def _nudged(point: Arrays, rng: np.random.Generator) -> Arrays:
    """Every entry moved up or down by one unit of round-off."""
    return tuple(
        value * (1 + np.finfo(value.dtype).eps * rng.choice([-1.0, 1.0], value.shape)) for value in point
    )


def _vjps(
    evaluator: Evaluator, function: Callable[..., Any], points: list[Arrays], cotangents: Arrays
) -> list[tuple[Arrays, Arrays]]:
    """JAX's outputs and gradients at each point; no gradients where the outputs have other shapes."""
    import jax
    import jax.numpy as jnp

    def forward(values: Any) -> list[Any]:
        outputs = function(*evaluator.claim.inputs_at(values))
        return [jnp.asarray(leaf) for _, leaf in iter_leaves(outputs)]

    def vjp(values: Any) -> tuple[list[Any], Any]:
        outputs, pull_back = jax.vjp(forward, values)
        if [out.shape for out in outputs] != [u.shape for u in cotangents]:
            return outputs, ()
        (gradients,) = pull_back(
            [jnp.asarray(u, out.dtype) for u, out in zip(cotangents, outputs, strict=True)]
        )
        return outputs, gradients

    def everywhere(run: Callable[..., Any]) -> list[tuple[Arrays, Arrays]]:
        with noted("gradcheck: raised where JAX differentiates; write that function in jax.numpy"):
            found = [run(tuple(jnp.asarray(value, float) for value in point)) for point in points]
        return [(tuple(map(np.asarray, out)), tuple(map(np.asarray, gradients))) for out, gradients in found]

    with jax.enable_x64(True):
        try:
            return everywhere(jax.jit(vjp))
        except jax.errors.ConcretizationTypeError:  # it branches on values, which only eager JAX knows
            return everywhere(vjp)


def _bar(moves: list[Array]) -> Array:
    """How far the first of several results can be off, from how the others, nudged, differ from it."""
    first = moves[0]
    known = np.isfinite(first)
    nudged = np.max([np.abs(move - first) for move in moves], axis=0)
    rounding = allowance(first.dtype, np.abs(first).max(initial=0, where=known))
    return np.where(known & np.isfinite(nudged), NUDGE_MARGIN * nudged + rounding, np.inf)


def _forward_gap(own: Arrays, found: list[Arrays]) -> str:
    """How the reference's output differs from the user's beyond rounding; empty where it does not."""
    shapes, theirs = [out.shape for out in own], [out.shape for out in found[0]]
    if shapes != theirs:
        return f"the reference returns shapes {theirs}, the forward {shapes}"
    for position, output in enumerate(own):
        other = found[0][position]
        bar = _bar([out[position] for out in found])
        excess = np.abs(other - output) - bar - CANCELLATION * allowance(output.dtype, np.abs(output).max())
        if (excess > 0).any():
            worst = np.unravel_index(np.argmax(excess), excess.shape)
            return (
                f"the reference computes {other[worst]:.9g} where the forward computes "
                f"{output[worst]:.9g}: they are two functions"
            )
    return ""


def _estimate(name: str, moves: list[Array]) -> Estimate:
    gradient = moves[0].astype(np.float64)
    return Estimate(
        leaf=name,
        directions=None,
        value=gradient,
        error=_bar(moves),
        kink=np.zeros(gradient.shape, dtype=bool),
    )
