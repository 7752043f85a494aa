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
    return bars(moves)[0]


def bars(moves: list[Array]) -> tuple[Array, Array]:
    """The same, and beside it each entry with its own rounding, where they have nothing in common."""
    first, moved = moves[0], _moved(moves)
    rounding = allowance(first.dtype, np.abs(first).max(initial=0, where=np.isfinite(first)))
    own = np.where(np.isfinite(moved), moved + allowances(first.dtype, first), np.inf)  # NaN is no bar
    return moved + rounding, own


def _moved(moves: list[Array]) -> Array:
    first, *others = moves
    largest = np.zeros_like(first)
    for other in others:
        np.maximum(largest, np.abs(other - first), out=largest)
    largest *= NUDGE_MARGIN
    largest[~(np.isfinite(first) & np.isfinite(largest))] = np.inf
    return largest
