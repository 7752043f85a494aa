"""Rounding told from mistakes: a wrong formula is as wrong beside the point, what rounding does is not.

The gap between a claim and its reference is measured at points beside the user's. A mistake changes with
the point as slowly as the formulas do, in absolute terms or relative to the gradient; the rounding of two
right formulas changes from point to point by as much as it is.
"""

from __future__ import annotations

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.autodiff import gradients_at
from gradcheck.oracles.base import Answer
from gradcheck.probes import JITTER, Probe, generator, signed

BESIDE = 6  # points, so that rounding seems constant at all of them once in a million entries
MOVE = 1e-2  # of an entry's size: rounding has nothing in common there, the formulas nearly all
MARGIN = 4  # times the change of the gap that a right formula may be off by
NO_MORE = 1e-3  # of the leaf's largest entry: beyond that rounding is no excuse


def jitter(
    evaluator: Evaluator, probe: Probe, claimed: tuple[Array, ...], answer: Answer
) -> tuple[Array | None, ...]:
    """How far rounding may have moved each entry of each gradient; None where that could not be measured."""
    points = points_beside(evaluator.point, probe.seed)
    beside = [evaluator.probe_backward(point, probe.cotangents) for point in points]
    kept = [(point, gradients) for point, gradients in zip(points, beside, strict=True) if gradients]
    if not kept:
        return (None,) * len(claimed)
    references = gradients_at(evaluator, probe, [point for point, _ in kept])
    return tuple(
        noise(
            gradient,
            answer.estimates[i].value,
            [(theirs[i], reference[i]) for (_, theirs), reference in zip(kept, references, strict=True)],
        )
        for i, gradient in enumerate(claimed)
    )


def points_beside(point: Arrays, seed: int) -> list[Arrays]:
    """Points where rounding has nothing in common with that at a point."""
    rng = generator(seed, JITTER)
    return [tuple(value * (1 + MOVE * signed(rng, value.shape)) for value in point) for _ in range(BESIDE)]


def noise(claimed: Array, expected: Array, beside: list[tuple[Array | None, Array]]) -> Array | None:
    """How far rounding may have moved each entry, from pairs (claimed, expected) at points beside; None where
    most of those are missing."""
    pairs = [(claimed, expected), *((c, e) for c, e in beside if c is not None and c.shape == e.shape)]
    if claimed.shape != expected.shape or len(pairs) <= BESIDE // 2:
        return None
    gaps = np.array([c.astype(np.float64) - e for c, e in pairs])
    shares = gaps / np.abs([e for _, e in pairs])
    changes = np.fmin(np.ptp(gaps, axis=0), np.ptp(shares, axis=0) * np.abs(expected))
    largest = np.abs(expected).max(initial=0, where=np.isfinite(expected))
    return np.where(np.isfinite(changes), np.minimum(MARGIN * changes, NO_MORE * largest), 0)
