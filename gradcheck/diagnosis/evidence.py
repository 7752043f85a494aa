"""What the rules of diagnosis look at, and what they may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.rounding import allowance

SHARP = 1e-3  # error bar, relative to the largest entry, above which any cause would seem to fit
SAMPLED = 8  # times the bar, a sample of roundings: that a claim is wrong is known, only the cause is not


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One leaf at one point: what was claimed, what is expected to within `error`, and the batch size.

    claimed has whatever shape it was given; expected, error and `at`, the leaf's own values, have the
    leaf's. arrays: names and shapes of what occurs around it, whose lengths a factor may be.
    """

    leaf: str
    claimed: Array
    expected: Array
    error: Array
    at: Array
    batch_size: int | None
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def sharp(self) -> bool:
        """Whether the expected gradient is known well enough to tell one cause from another."""
        largest = np.abs(self.expected).max(initial=0)
        return bool(np.max(self.error, initial=0) <= SHARP * largest)

    def is_right(self, numbers: Array) -> bool:
        """Whether these are the expected ones, in whatever shape."""
        flat = (numbers.ravel(), self.expected.ravel(), self.error.ravel())
        return numbers.size == self.expected.size and self.explains(*flat)

    def explains(self, claimed: Array, expected: Array, error: Array) -> bool:
        """Whether two arrays of one shape are equal to within an error bar and rounding."""
        if claimed.shape != expected.shape or not np.isfinite(claimed).all():
            return False
        largest = max(np.abs(claimed).max(initial=0), np.abs(expected).max(initial=0))
        rounding = allowance(self.claimed.dtype, largest)
        return bool((np.abs(claimed - expected) <= SAMPLED * error + rounding).all())


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A possible cause. `holds` tells whether it reproduces the claim on any evidence, fresh or not.

    fitted: `value` was computed from the evidence, so that a single number proves nothing.
    by_batch: it names the batch size, so that only a batch of another size can confirm it.
    """

    code: str
    message: str
    remedy: str
    holds: Callable[[Evidence], bool]
    value: float | None = None
    fitted: bool = False
    by_batch: bool = False
    alternatives: tuple[str, ...] = ()
    line: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A cause of a wrong gradient. Codes are those of the documentation's list of mistakes.

    leaf: the worst of the `leaves` that it explains. value: the number in it, such as the factor.
    confirmed: it also reproduced the claim at another point or on a smaller batch, and nowhere failed to.
    alternatives: codes that reproduce the same numbers, which the evidence cannot tell from this one.
    line: the line of NumPy that was written, as far as numbers tell, and the right one.
    """

    code: str
    leaf: str
    message: str
    remedy: str
    value: float | None
    confirmed: bool
    leaves: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    line: str = ""
