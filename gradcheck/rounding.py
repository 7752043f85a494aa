"""What rounding alone may do to a right result."""

from __future__ import annotations

from typing import Any

import numpy as np

UNITS = 16  # units of round-off of the largest number involved: two right codes differ by no more
SINGLE_MARGIN = 16  # the rounding seen in one run in single precision is a sample, not a bound


def allowance(dtype: np.dtype[Any], size: float) -> float:
    """How far a right result of this dtype may be off that is summed from terms of this size."""
    return UNITS * float(np.finfo(dtype).eps) * float(size)


def from_single(single: np.ndarray[Any, Any], double: np.ndarray[Any, Any]) -> float:
    """How far the double precision result may be off, from what single precision makes of it.

    The same code run on the same inputs in single precision is off by its own conditioning times
    2^29 as much: digits that cancel inside it show here, and in no change of its inputs. 0 where
    the code does not run, overflows, or computes in double precision whatever it is given.
    """
    if single.shape != double.shape:
        return 0.0
    gap = np.abs(single.astype(np.float64) - double.astype(np.float64))
    ratio = np.finfo(np.float64).eps / np.finfo(np.float32).eps
    return float(SINGLE_MARGIN * ratio * np.max(gap, initial=0, where=np.isfinite(gap)))
