"""The autodiff oracle: JAX differentiates a forward written in jax.numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.probes import Probe, generator
from gradcheck.tree import iter_leaves

NAME = "autodiff"
NUDGE_STREAM = 1
NUDGES = 3  # copies of the inputs moved by one unit of round-off
NUDGE_MARGIN = 16  # the bar is that many times the largest change a nudge makes,
ROUNDING_UNITS = 32  # and that many units of round-off of the leaf's largest entry


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
    rng = generator(0, purpose=NUDGE_STREAM)
    points = [evaluator.point] + [_nudged(evaluator.point, rng) for _ in range(NUDGES)]
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

    def at(run: Callable[..., Any], point: Arrays) -> tuple[Arrays, Arrays]:
        outputs, gradients = run(tuple(jnp.asarray(value, float) for value in point))
        return tuple(map(np.asarray, outputs)), tuple(map(np.asarray, gradients))

    with jax.enable_x64(True):
        try:
            compiled = jax.jit(vjp)
            return [at(compiled, point) for point in points]
        except jax.errors.ConcretizationTypeError:  # it branches on values, which only eager JAX knows
            return [at(vjp, point) for point in points]


def _bar(moves: list[Array]) -> Array:
    """How far the first of several results can be off, from how the others, nudged, differ from it."""
    first = moves[0]
    nudged = np.max([np.abs(move - first) for move in moves[1:]], axis=0)
    largest = np.abs(first).max(initial=0)
    return NUDGE_MARGIN * nudged + ROUNDING_UNITS * np.finfo(first.dtype).eps * largest


def _forward_gap(outputs: Arrays, found: list[Arrays]) -> str:
    """How the reference's output differs from the user's beyond rounding; empty where it does not."""
    shapes, theirs = [out.shape for out in outputs], [out.shape for out in found[0]]
    if shapes != theirs:
        return f"the reference returns shapes {theirs}, the forward {shapes}"
    for position, output in enumerate(outputs):
        bar = _bar([out[position] for out in found])
        bar = bar + ROUNDING_UNITS * np.finfo(output.dtype).eps * np.abs(output).max(initial=0)
        gap = np.abs(found[0][position] - output)
        if (gap > bar).any():
            worst = np.unravel_index(np.argmax(gap - bar), gap.shape)
            return (
                f"the reference computes {found[0][position][worst]:.6g} where the forward computes "
                f"{output[worst]:.6g}: they are two functions"
            )
    return ""


def _estimate(name: str, moves: list[Array]) -> Estimate:
    gradient = moves[0].astype(np.float64)
    bar = np.where(np.isfinite(gradient), _bar(moves), np.inf)
    return Estimate(
        leaf=name, directions=None, value=gradient, error=bar, kink=np.zeros(gradient.shape, bool)
    )
