"""How far a result is off by rounding, from how it moves when the inputs move by one unit of it."""

from __future__ import annotations

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays
from gradcheck.rounding import allowance, allowances

NUDGED_COPIES = 3  # copies of the inputs moved by one unit of round-off
NUDGE_MARGIN = 16  # the bar is that many times the largest change a nudge makes, and rounding


def nudged(point: Arrays, rng: np.random.Generator) -> Arrays:
    """Every entry moved up or down by one unit of round-off."""
    return tuple(
        value * (1 + np.finfo(value.dtype).eps * rng.choice([-1, 1], value.shape)).astype(value.dtype)
        for value in point
    )


def bar(moves: list[Array]) -> Array:
    """How far the first of several results can be off, from how the others, nudged, differ from it.

    Every entry is granted the rounding of the largest.
    """
    first = moves[0]
    rounding = allowance(first.dtype, np.abs(first).max(initial=0, where=np.isfinite(first)))
    return _moved(moves) + rounding


def own_bar(moves: list[Array]) -> Array:
    """The same with every entry's own rounding, where they have nothing to do with each other."""
    return _moved(moves) + allowances(moves[0].dtype, moves[0])


def _moved(moves: list[Array]) -> Array:
    first = moves[0]
    largest = np.max([np.abs(move - first) for move in moves], axis=0)
    return np.where(np.isfinite(first) & np.isfinite(largest), NUDGE_MARGIN * largest, np.inf)
