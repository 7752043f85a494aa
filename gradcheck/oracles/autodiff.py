"""The autodiff oracle: JAX differentiates a forward in jax.numpy, or a recorded one in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.oracles.nudges import NUDGED_COPIES, bar, bars, nudged
from gradcheck.oracles.recorded import NotRecorded, Place, in_extended, vjps_by_trace
from gradcheck.oracles.xla import vjps_by_xla
from gradcheck.probes import NUDGES, Probe, generator
from gradcheck.rounding import SAMPLE_MARGIN, allowance

NAME = "autodiff"
MANY = 1_000_000  # entries, of which some are hardly moved by one nudge: nobody need ask after that
LOUDER = 2.0**100  # a power of two, by which a gradient scales to the last bit where nothing underflows
CANCELLATION = 2.0**16  # times its rounding that a right forward may be off by, where terms cancel in it


def autodiff(evaluator: Evaluator, probe: Probe) -> Answer:
    """The gradient entry by entry by JAX's VJP, in float64 whatever the caller's configuration."""
    *_, answer = with_nudges(evaluator, probe)
    return answer


def with_nudges(evaluator: Evaluator, probe: Probe) -> Iterator[Answer]:
    """The oracle's answer by one nudged copy of the inputs, then by more, which can only widen its bars.

    JAX differentiates the reference, or a forward that is written in jax.numpy; a forward in NumPy is
    recorded first. Two right implementations differ by rounding. The bar is taken from how the gradient
    moves when every input moves by one unit of round-off, and from what the same derivative gives in
    single precision: digits that cancel inside it, as in 1 - tanh^2, show in no change of the inputs.
    """
    rng = generator(probe.seed, NUDGES)
    answers, singles = [], []
    of_another = _written_in_jax(evaluator) is not None
    many = sum(value.size for value in evaluator.point) > MANY
    for copies in range(1, 1 + NUDGED_COPIES):
        try:
            found, single = _beside(evaluator, probe, rng, and_here=copies == 1)
        except NotRecorded as reason:
            yield Answer(oracle=NAME, why_not=str(reason))
            return
        answers, singles = answers + found, singles + single
        if copies > 1 or not many:
            yield _answer(evaluator, answers, singles, of_another)


def _beside(
    evaluator: Evaluator, probe: Probe, rng: np.random.Generator, and_here: bool
) -> tuple[list[tuple[Arrays, Arrays]], list[Arrays]]:
    """Outputs and gradients at a nudged copy of the inputs, after those at the point itself where asked for;
    and the gradients in single precision at one more copy."""
    points = [evaluator.point] if and_here else []
    points.append(nudged(evaluator.point, rng))
    coarse = [nudged(tuple(v.astype(np.float32) for v in evaluator.point), rng)]
    places = [(point, probe.cotangents) for point in points]
    function = _written_in_jax(evaluator)
    if function is not None:
        return vjps_by_xla(evaluator, function, places, coarse)
    return vjps_by_trace(evaluator, places, coarse, probe.seed)


def _answer(
    evaluator: Evaluator, answers: list[tuple[Arrays, Arrays]], singles: list[Arrays], of_another: bool
) -> Answer:
    """What outputs and gradients at the point and beside it come to. of_another: they are a reference's."""
    gap = _forward_gap(evaluator.outputs, [outputs for outputs, _ in answers])
    if gap and not of_another:
        return Answer(oracle=NAME, why_not=f"the recorded forward is not the one that runs: {gap}")
    if gap:
        return Answer(oracle=NAME, why_not=gap, evaluations=len(answers), forward_disagrees=True)
    estimates = tuple(
        estimated(
            leaf.name,
            [gradients[position] for _, gradients in answers],
            [gradients[position] for gradients in singles],
        )
        for position, leaf in enumerate(evaluator.leaves)
    )
    return Answer(oracle=NAME, estimates=estimates, evaluations=len(answers))


def gradients_at(evaluator: Evaluator, seed: int, places: list[Place]) -> list[Arrays]:
    """The oracle's gradients at other places, for an evaluator at whose own point it has answered."""
    function = _written_in_jax(evaluator)
    if function is not None:
        answers, _ = vjps_by_xla(evaluator, function, places, [])
    else:
        answers, _ = vjps_by_trace(evaluator, places, [], seed)
    return [gradients for _, gradients in answers]


def lost_digits(evaluator: Evaluator, probe: Probe, answer: Answer) -> list[Array]:
    """By how much the oracle's own rounding is seen to move its gradients: what more digits change in them,
    or, where those are not to be had, what a larger cotangent does, with which less underflows on the way.

    Where terms cancel in a derivative that is 0 to all digits, what is left may move as smoothly as one.
    A claim by another right formula has a rounding of its own, no more than a few times this one's.
    """
    values = [estimate.value for estimate in answer.estimates]
    place = (evaluator.point, probe.cotangents)
    wide = () if _written_in_jax(evaluator) else in_extended(evaluator, place, probe.seed)
    wide = wide or _louder(evaluator, probe)
    gaps = [SAMPLE_MARGIN * np.abs(w - v).astype(np.float64) for w, v in zip(wide, values, strict=True)]
    return [np.where(np.isfinite(gap), gap, 0) for gap in gaps]  # where one is none, the bar is without end


def _louder(evaluator: Evaluator, probe: Probe) -> Arrays:
    """The gradients by a larger cotangent, scaled back: a VJP is linear in it."""
    place = (evaluator.point, tuple(LOUDER * u for u in probe.cotangents))
    (gradients,) = gradients_at(evaluator, probe.seed, [place])
    return tuple(gradient / LOUDER for gradient in gradients)


def _written_in_jax(evaluator: Evaluator) -> Callable[..., Any] | None:
    claim = evaluator.claim
    return claim.reference or (claim.forward if evaluator.is_jax else None)


def _forward_gap(own: Arrays, found: list[Arrays]) -> str:
    """How the reference's output differs from the user's beyond rounding; empty where it does not."""
    shapes, theirs = [out.shape for out in own], [out.shape for out in found[0]]
    if shapes != theirs:
        return f"the reference returns shapes {theirs}, the forward {shapes}"
    for position, output in enumerate(own):
        other = found[0][position]
        known = bar([out[position] for out in found])
        excess = np.abs(other - output) - known - CANCELLATION * allowance(output.dtype, np.abs(output).max())
        if (excess > 0).any():
            worst = np.unravel_index(np.argmax(excess), excess.shape)
            return (
                f"the reference computes {other[worst]:.9g} where the forward computes "
                f"{output[worst]:.9g}: they are two functions"
            )
    return ""


def estimated(name: str, moves: list[Array], singles: list[Array]) -> Estimate:
    """A derivative with its bar, from its values at the point and at nudged ones, and in single precision."""
    gradient = moves[0].astype(np.float64, copy=False)
    error, own_error = bars(moves, singles)
    return Estimate(
        leaf=name,
        directions=None,
        value=gradient,
        error=error,
        kink=np.zeros_like(gradient, dtype=bool),
        own_error=own_error,
    )
