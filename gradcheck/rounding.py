"""What rounding alone may do to a right result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

UNITS = 16  # units of round-off of the largest number involved: two right codes differ by no more
LAST_PLACES = 3  # of a narrower type: seven of eight values that were rounded to it have a digit there
SAMPLE_MARGIN = 16  # the rounding seen in one run is a sample, not a bound


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """How far rounding may have moved a claimed gradient.

    leaf: any entry of it. own: each entry by itself, of the leaf's shape; None where that is not known.
    genuine: the entries that are known to be no residue of terms that cancel; None where none is.
    """

    leaf: float
    own: Array | None = None
    genuine: Array | None = None

    def known_genuine(self, entries: Array) -> Rounding:
        """The same where these entries too are known to be no residue."""
        return replace(self, genuine=entries if self.genuine is None else self.genuine | entries)

    def and_own(self, more: Array) -> Rounding:
        """The same with something more for each entry by itself, where that is known."""
        return self if self.own is None else replace(self, own=self.own + more)

    def widened(self, more: Array) -> Rounding:
        """The same with something more for each entry."""
        own = None if self.own is None or self.own.shape != more.shape else self.own + more
        return replace(self, leaf=self.leaf + float(np.max(more, initial=0)), own=own)


def allowance(dtype: np.dtype[Any], size: float) -> float:
    """How far a right result of this dtype may be off that is summed from terms of this size."""
    return UNITS * float(np.finfo(dtype).eps) * float(size)


def allowances(dtype: np.dtype[Any], sizes: Array) -> Array:
    """The same for each of several results."""
    return UNITS * np.finfo(dtype).eps * np.abs(sizes.astype(np.float64, copy=False))


def from_single(single: Array, double: Array) -> Array:
    """How far each entry of a double precision result may be off, from what single precision makes of it.

    The same code run on the same inputs in single precision is off by its own conditioning times
    2^29 as much: digits that cancel inside it show here, and in no change of its inputs. 0 where
    the code does not run, overflows, or computes in double precision whatever it is given.
    """
    if single.shape != double.shape:
        return np.zeros_like(double, dtype=np.float64)
    gap = np.subtract(single, double, out=np.empty_like(double, dtype=np.float64))
    np.abs(gap, out=gap)
    gap[~np.isfinite(gap)] = 0
    gap *= SAMPLE_MARGIN * np.finfo(np.float64).eps / np.finfo(np.float32).eps
    return gap


def arithmetic(here: Array, there: Array) -> type:
    """The type that two results of one computation were computed in: what moves, and has in both places no
    digits beyond those of a narrower type, has been rounded to it."""
    moved = np.isfinite(there) & (here != there)
    with np.errstate(all="ignore"):  # numbers beyond the narrower type do not survive it
        for kind in (np.float16, np.float32):
            if moved.any() and all(((out == out.astype(kind)) | ~moved).all() for out in (here, there)):
                return kind
    return here.dtype.type


def arithmetic_afar(here: Array, *there: Array) -> type:
    """The same where nothing moves near the point: what a step function gives has few digits too, and is told
    from what was rounded to a type by leaving its last places empty."""
    values, before = np.concatenate([out.ravel() for out in there]), np.tile(here.ravel(), len(there))
    kind = arithmetic(before, values)
    return kind if _fills(values[values != before], kind) else here.dtype.type


def rounded_to_single(values: Array) -> bool:
    """Whether single precision holds all of these numbers to the last digit and some of them fill it.

    Half precision is not looked for: whole numbers like 1001 fill that, and errors of a hundredth hide in it.
    """
    with np.errstate(all="ignore"):
        return bool((values == values.astype(np.float32)).all()) and _fills(values, np.float32)


def _fills(values: Array, kind: type) -> bool:
    """Whether some number has a digit in the last places of a type."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    last = 2.0**LAST_PLACES * np.finfo(kind).eps * 2.0 ** np.floor(np.log2(sizes))
    return bool((sizes % last != 0).any())
