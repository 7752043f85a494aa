"""How far a result is off by rounding, from how it moves when the inputs move by one unit of it."""

from __future__ import annotations

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays
from gradcheck.passes import blockwise, largest, most
from gradcheck.rounding import allowance, allowances, from_single

NUDGED_COPIES = 3  # copies of the inputs moved by one unit of round-off
NUDGE_MARGIN = 16  # the bar is that many times the largest change a nudge makes, and rounding


def nudged(point: Arrays, rng: np.random.Generator) -> Arrays:
    """Every entry moved up or down by one unit of round-off."""

    def moved(value: Array) -> tuple[Array]:
        signs = rng.choice([-1, 1], value.shape)
        return ((value * (1 + np.finfo(value.dtype).eps * signs)).astype(value.dtype),)

    return tuple(blockwise(moved, value)[0] for value in point)


def bar(moves: list[Array]) -> Array:
    """How far the first of several results can be off, from how the others, nudged, differ from it.

    Every entry is granted the rounding of the largest.
    """
    return bars(moves, [])[0]


def bars(moves: list[Array], singles: list[Array]) -> tuple[Array, Array]:
    """The same, and beside it each entry with its own rounding, where they have nothing in common.

    singles: the same result in single precision, which shows how much of its rounding comes from inside.
    """
    count, first = len(moves), moves[0].astype(np.float64, copy=False)
    rounding = allowance(moves[0].dtype, largest(moves[0]))
    inside = most(_inside, first, *singles)

    def of_each(*arrays: Array) -> tuple[Array, Array]:
        moved = _moved(*arrays[:count])
        own = moved + allowances(moved.dtype, arrays[0])
        own = np.where(np.isfinite(moved), own, np.inf)  # NaN is no bar
        return moved + rounding + inside, own + _inside(
            arrays[0].astype(np.float64, copy=False), *arrays[count:]
        )

    error, own_error = blockwise(of_each, *moves, *singles)
    return error, own_error


def _inside(first: Array, *singles: Array) -> Array:
    """The most that single precision shows of each entry's own rounding."""
    found = np.zeros_like(first)
    for single in singles:
        np.maximum(found, from_single(single, first), out=found)
    return found


def _moved(first: Array, *others: Array) -> Array:
    found = np.zeros_like(first)
    for other in others:
        np.maximum(found, np.abs(other - first), out=found)
    found *= NUDGE_MARGIN
    found[~(np.isfinite(first) & np.isfinite(found))] = np.inf
    return found
