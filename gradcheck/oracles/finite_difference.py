"""The finite-difference oracle: knows nothing but values of the user's own forward."""

from __future__ import annotations

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Evaluator
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.oracles.extrapolate import Slope, slope
from gradcheck.oracles.ladder import Baseline, baseline, climb
from gradcheck.probes import Probe, typical

NAME = "finite-difference"
SHARP = 1e-9  # bar, relative to the leaf, that no second ladder would improve in a way that matters


def finite_difference(evaluator: Evaluator, probe: Probe) -> Answer:
    """Central differences, extrapolated, each with an error bar of its own (`extrapolate.py`)."""
    before = evaluator.forwards
    base = baseline(evaluator, probe.cotangents)
    estimates = tuple(
        _estimate(evaluator, base, probe.directions[position], position)
        for position in range(len(evaluator.leaves))
    )
    return Answer(
        oracle=NAME,
        estimates=estimates,
        evaluations=evaluator.forwards - before,
        failure=evaluator.failures[0] if evaluator.failures else "",
        noisy=bool(base.repeat.any()),
    )


def _estimate(evaluator: Evaluator, base: Baseline, directions: Array | None, position: int) -> Estimate:
    leaf = evaluator.leaves[position]
    if directions is None:
        slopes, shape = _entries(evaluator, base, position), leaf.value.shape
    else:
        slopes = [slope(climb(evaluator, base, position, line)) for line in directions]
        shape = (len(directions),)
    return Estimate(
        leaf=leaf.name,
        directions=directions,
        value=np.reshape([s.value for s in slopes], shape),
        error=np.reshape([s.error for s in slopes], shape),
        kink=np.reshape([s.kink for s in slopes], shape).astype(bool),
    )


def _entries(evaluator: Evaluator, base: Baseline, position: int) -> list[Slope]:
    """One slope an entry, in steps of the entry's own size.

    Where those say too little, as for 1e-12 in a function that varies over 1, steps of the leaf's
    typical size and of 1 are tried as well.
    """
    values = evaluator.leaves[position].value
    leaf_size = typical(values)

    def along(index: int, size: float) -> Slope:
        direction = np.zeros(values.shape)
        direction.flat[index] = size
        found = slope(climb(evaluator, base, position, direction))
        return Slope(value=found.value / size, error=found.error / size, kink=found.kink)

    own_sizes = [abs(float(value)) or min(leaf_size, 1.0) for value in values.flat]
    slopes = [along(index, size) for index, size in enumerate(own_sizes)]
    largest = max((abs(s.value) for s in slopes if np.isfinite(s.value)), default=0.0)
    for index, own_size in enumerate(own_sizes):
        for size in (leaf_size, 1.0):
            found = slopes[index]
            unmoved = found.value == found.error == 0
            blunt = not found.kink and found.error > SHARP * largest
            if size != own_size and (blunt or unmoved):
                slopes[index] = _sharper(slopes[index], along(index, size))
    return slopes


def _sharper(first: Slope, second: Slope) -> Slope:
    """The slope with the smaller bar, widened by what the other contradicts it by."""
    best, other = sorted((first, second), key=lambda s: s.error)
    if second.kink or not np.isfinite(other.error):
        return best if not second.kink else first  # a kink that only larger steps reach is not here
    gap = abs(best.value - other.value) - best.error - other.error
    return Slope(value=best.value, error=best.error + max(0.0, gap), kink=best.kink)
