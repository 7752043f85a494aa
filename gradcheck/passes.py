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
    for start, blocks in zip(range(0, size, BLOCK), _blocks(arrays), strict=True):
        found = function(*blocks)
        made = made or tuple(np.empty(size, dtype=block.dtype) for block in found)
        for whole, block in zip(made, found, strict=True):
            whole[start : start + BLOCK] = block
    return tuple(whole.reshape(shape) for whole in made)


def everywhere(condition: Callable[..., Array], *arrays: Array) -> bool:
    """Whether a condition holds for all entries of some arrays; the rest is left out where it does not."""
    if not _divisible(arrays):
        return bool(condition(*arrays).all())
    return all(bool(condition(*blocks).all()) for blocks in _blocks(arrays))


def most(function: Callable[..., Array], *arrays: Array) -> float:
    """The largest of what a function, entry by entry and nowhere negative, makes of arrays of one shape."""
    if not _divisible(arrays):
        return float(function(*arrays).max(initial=0))
    return float(np.max([function(*blocks).max(initial=0) for blocks in _blocks(arrays)]))


def largest(values: Array) -> float:
    """The largest finite size among some numbers, 0 where there is none."""
    found = most(np.abs, values)
    return found if np.isfinite(found) else largest(np.where(np.isfinite(values), values, 0))


def _divisible(arrays: tuple[Array, ...]) -> bool:
    shape = arrays[0].shape
    return arrays[0].size >= LARGE and all(
        type(array) is np.ndarray and array.shape == shape and array.flags.c_contiguous for array in arrays
    )


def _blocks(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, arrays[0].size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in flat)
