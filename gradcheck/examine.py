"""One look at a claim at one point: run it, ask the oracles, lay their answers beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array, Claim
from gradcheck.compare import Comparison, compare
from gradcheck.evaluator import Evaluator
from gradcheck.oracles import Oracle
from gradcheck.oracles.base import Answer, flat
from gradcheck.probes import Probe, draw_probe
from gradcheck.rounding import allowance, from_single


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that was seen at one point.

    claimed: one gradient a leaf in whatever shape it was given, zeros for None. comparisons: by
    leaf, then by oracle; none for a gradient of the wrong shape. answers is empty, and nothing
    compared, where the user's own point gives an output that is not finite.
    """

    evaluator: Evaluator
    claimed: tuple[Array, ...]
    answers: tuple[Answer, ...]
    comparisons: tuple[tuple[Comparison, ...], ...]


def examine(claim: Claim, oracles: tuple[Oracle, ...], seed: int) -> Examination:
    """Judge nothing yet: gather the claimed gradients and each oracle's estimates of them."""
    evaluator = Evaluator(claim)
    # Probes go where numbers overflow, and are then left out; nobody need hear of it.
    with np.errstate(all="ignore"):
        probe = draw_probe(evaluator, seed)
    raw = evaluator.backward(evaluator.point, probe.cotangents)
    claimed = tuple(
        np.zeros(leaf.value.shape) if gradient is None else gradient
        for leaf, gradient in zip(evaluator.leaves, raw, strict=True)
    )
    finite = all(np.isfinite(out).all() for out in evaluator.outputs)
    with np.errstate(all="ignore"):
        answers = tuple(oracle(evaluator, probe) for oracle in oracles) if finite else ()
        roundings = _roundings(evaluator, probe, claimed)
        comparisons = tuple(
            _comparisons(evaluator, probe, position, gradient, roundings[position], answers)
            for position, gradient in enumerate(claimed)
        )
    return Examination(evaluator=evaluator, claimed=claimed, answers=answers, comparisons=comparisons)


def _comparisons(
    evaluator: Evaluator,
    probe: Probe,
    position: int,
    gradient: Array,
    rounding: float,
    answers: tuple[Answer, ...],
) -> tuple[Comparison, ...]:
    at = evaluator.leaves[position].value
    if gradient.shape != at.shape:
        return ()
    sizes = np.abs(flat(probe.cotangents))
    # A function that is zero has no scale of its own: it counts as one of size 1.
    function_scale = float(sizes @ np.abs(flat(evaluator.outputs)) or sizes.sum())
    return tuple(
        compare(gradient, rounding, answer, position, function_scale, at)
        for answer in answers
        if answer.estimates
    )


def _roundings(evaluator: Evaluator, probe: Probe, claimed: tuple[Array, ...]) -> tuple[float, ...]:
    """How far rounding may have moved any entry of each claimed gradient."""
    largest = [np.abs(gradient).max(initial=0, where=np.isfinite(gradient)) for gradient in claimed]
    units = [allowance(gradient.dtype, size) for gradient, size in zip(claimed, largest, strict=True)]
    if not evaluator.claim.repeatable:
        return tuple(units)
    single = evaluator.single_backward(probe.cotangents)
    seen = [0.0 if s is None else from_single(s, c) for s, c in zip(single, claimed, strict=False)]
    return tuple(np.maximum(units, seen or 0.0).tolist())
