"""Passes over large arrays that make none of their size on the way: what is in between stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK = 1 << 14  # entries; several arrays of that many fit in a second-level cache
LARGE = 1 << 17  # entries, from which on a pass by blocks is quicker than several whole ones


def blockwise(function: Callable[..., tuple[Array, ...]], *arrays: Array) -> tuple[Array, ...]:
    """function(*arrays) to the last bit, of a function that takes arrays of one shape entry by entry.

    Arrays of several shapes, in another order than C's, or over several devices are taken whole.
    """
    if not _divisible(arrays):
        return function(*arrays)
    shape, size = arrays[0].shape, arrays[0].size
    made: tuple[Array, ...] = ()
    for start, block in zip(range(0, size, BLOCK), blocks(*arrays), strict=True):
        found = function(*block)
        made = made or tuple(np.empty(size, dtype=part.dtype) for part in found)
        for whole, part in zip(made, found, strict=True):
            whole[start : start + BLOCK] = part
    return tuple(whole.reshape(shape) for whole in made)


def everywhere(condition: Callable[..., Array], *arrays: Array) -> bool:
    """Whether a condition holds for all entries of some arrays; the rest is left out where it does not."""
    if not _divisible(arrays):
        return bool(condition(*arrays).all())
    return all(bool(condition(*block).all()) for block in blocks(*arrays))


def most(function: Callable[..., Array], *arrays: Array) -> float:
    """The largest of what a function, entry by entry and nowhere negative, makes of arrays of one shape."""
    if not _divisible(arrays):
        return float(function(*arrays).max(initial=0))
    return float(np.max([function(*block).max(initial=0) for block in blocks(*arrays)]))


def where_most(function: Callable[..., Array], *arrays: Array) -> int:
    """The first place, in the flattened arrays, of the largest that a function makes of their entries."""
    ends: list[tuple[float, int]] = []
    for number, block in enumerate(blocks(*arrays)):
        made = function(*block)
        place = int(np.argmax(made))
        ends.append((float(made[np.unravel_index(place, made.shape)]), number * BLOCK + place))
    return max(ends, key=lambda end: end[0])[1]


def product(left: Array, right: Array) -> float:
    """The sum of |left| * |right| over all entries of arrays of one shape."""
    return sum(float(np.vdot(np.abs(a), np.abs(b))) for a, b in blocks(left, right))


def largest(values: Array) -> float:
    """The largest finite size among some numbers, 0 where there is none."""
    found = most(np.abs, values)
    return found if np.isfinite(found) else largest(np.where(np.isfinite(values), values, 0))


def _divisible(arrays: tuple[Array, ...]) -> bool:
    shape = arrays[0].shape
    return arrays[0].size >= LARGE and all(
        type(array) is np.ndarray and array.shape == shape and array.flags.c_contiguous for array in arrays
    )


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Arrays of one shape piece by piece, or whole where `blockwise` takes them so."""
    if not _divisible(arrays):
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, arrays[0].size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in flat)
