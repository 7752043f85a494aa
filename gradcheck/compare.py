"""Claimed against estimated, and estimate against estimate, leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.oracles.base import Answer, Estimate

ROUNDING_UNITS = 32  # units of round-off of a leaf's largest entry that a right claim may be off by
# Where a gradient is a sum that cancels, rounding is that of its terms, which are as large as the
# function over its input; a sum that cancels by more than this is judged all the same.
CANCELLATION = 2.0**20


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One leaf's claimed gradient beside one oracle's estimate, in the form of that estimate.

    gap: |claimed - estimated|. allowance: how large a gap proves nothing, the oracle's error bar and
    the rounding of the claim itself. scale: the size that makes both relative; the gradient's own,
    or the function's where the gradient is zero.
    """

    oracle: str
    estimate: Estimate
    claimed: Array
    allowance: Array
    scale: float

    @property
    def gap(self) -> Array:
        return np.abs(self.claimed - self.estimate.value)

    @property
    def wrong(self) -> Array:
        """Where the claim is outside the oracle's bar."""
        return self.gap > self.allowance

    @property
    def entrywise(self) -> bool:
        return self.estimate.directions is None

    @property
    def zero(self) -> bool:
        """Whether the oracle sees no gradient at all in this leaf."""
        return bool((np.abs(self.estimate.value) <= self.allowance).all())

    @property
    def detection_limit(self) -> float:
        """The smallest error, relative to `scale`, that this comparison would have convicted."""
        bars = self.allowance[~self.estimate.kink]
        return relative(float(np.max(bars, initial=0)), self.scale)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two witnesses of one leaf are apart: the largest error and bar, relative to the leaf."""

    leaf: str
    left: str
    right: str
    error: float
    bar: float
    agrees: bool


def relative(size: float, scale: float) -> float:
    """size / scale, and 0 / 0 = 0: where nothing is large, nothing is wrong."""
    return 0.0 if size == 0 else float(np.divide(size, scale)) if scale else float("inf")


def compare(claimed: Array, answer: Answer, position: int, function_scale: float, at: Array) -> Comparison:
    """A claimed gradient of the leaf's own shape against one oracle's estimate of it.

    function_scale: <|cotangent|, |output|>; at: the leaf's own values. Their quotient is what a
    gradient of this function could have been, and serves as the scale of one that is zero.
    """
    estimate = answer.estimates[position]
    own = np.abs(claimed).max(initial=0)
    terms = min(function_scale / max(1.0, np.abs(at).max(initial=0)), CANCELLATION * own)
    rounding = ROUNDING_UNITS * np.finfo(claimed.dtype).eps * max(own, terms)
    allowance = estimate.error + estimate.project_error(np.full(claimed.shape, rounding))
    largest = np.abs(estimate.value).max(initial=0, where=np.isfinite(estimate.value))
    if (np.abs(estimate.value) <= allowance).all():
        largest = function_scale  # of a directional derivative: directions are as large as the leaf
        if estimate.directions is None:
            largest /= np.abs(at).max(initial=0) or 1
    return Comparison(
        oracle=answer.oracle,
        estimate=estimate,
        claimed=estimate.project(claimed.astype(np.float64)),
        allowance=allowance,
        scale=float(largest),
    )


def contradict(first: Estimate, second: Estimate) -> bool:
    """Whether two estimates of one leaf lie further apart than their bars together."""
    gap, bar = _apart(first, second)
    return bool((gap > bar).any())


def agreements(comparisons: tuple[Comparison, ...]) -> tuple[Agreement, ...]:
    """Claim against each oracle, then the oracles against each other, for one leaf."""
    rows = [_agreement(c, "claim", c.oracle, c.gap, c.allowance) for c in comparisons]
    for i, left in enumerate(comparisons):
        for right in comparisons[i + 1 :]:
            gap, bar = _apart(left.estimate, right.estimate)
            coarser = left if left.estimate.directions is not None else right
            rows.append(_agreement(coarser, left.oracle, right.oracle, gap, bar))
    return tuple(rows)


def _agreement(comparison: Comparison, left: str, right: str, gap: Array, bar: Array) -> Agreement:
    smooth = ~comparison.estimate.kink
    return Agreement(
        leaf=comparison.estimate.leaf,
        left=left,
        right=right,
        error=relative(float(np.max(gap[smooth], initial=0)), comparison.scale),
        bar=relative(float(np.max(bar[smooth], initial=0)), comparison.scale),
        agrees=bool((gap <= bar).all()),
    )


def _apart(first: Estimate, second: Estimate) -> tuple[Array, Array]:
    """Gap and joint bar of two estimates, in the form of the one that has directions."""
    if first.directions is None and second.directions is not None:
        first, second = second, first
    if second.directions is None:
        value, error = first.project(second.value), first.project_error(second.error)
    else:
        value, error = second.value, second.error  # both oracles were asked along the same directions
    return np.abs(first.value - value), first.error + error
