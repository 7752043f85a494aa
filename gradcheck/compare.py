"""Claimed against estimated, and estimate against estimate, leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.rounding import UNITS, allowance


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
        """The smallest error, relative to `scale`, that this comparison would have convicted.

        A kink's interval is not a blunt bar: entry by entry it is left out. Along a direction it
        hides the errors of all entries, and counts; and there one entry of n, as large as the
        others, is a part of 1/sqrt(n) of what is compared.
        """
        if self.entrywise:
            return relative(float(np.max(self.allowance[~self.estimate.kink], initial=0)), self.scale)
        entries = self.estimate.directions[0].size  # type: ignore[index]
        return relative(float(np.max(self.allowance)), self.scale) * float(np.sqrt(entries))


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
    if size == 0:
        return 0.0
    return float(size / scale) if scale and np.isfinite(size) else float("inf") if size > 0 else float("nan")


def compare(
    claimed: Array, rounding: float, answer: Answer, position: int, function_scale: float, at: Array
) -> Comparison:
    """A claimed gradient of the leaf's own shape against one oracle's estimate of it.

    rounding: how far rounding may have moved any entry of the claim. function_scale: <|cotangent|,
    |output|>; at: the leaf's own values. Their quotient is what a gradient of this function could
    have been, and serves as the scale of one that is zero.
    """
    estimate = answer.estimates[position]
    own, size = _largest(claimed), _largest(at)
    plain = estimate.error + estimate.project_error(np.full(claimed.shape, rounding))
    # Where a gradient cancels to nothing, what is left is the rounding of terms as large as the function.
    residue = allowance(claimed.dtype, function_scale / max(1.0, size))
    bar = np.maximum(plain, estimate.error + estimate.project_error(np.full(claimed.shape, residue)))
    projected = estimate.project(claimed.astype(np.float64))
    known = np.where(np.isfinite(estimate.error), np.abs(estimate.value), 0)
    if (np.abs(estimate.value) <= plain).all():
        # No gradient is seen. Where none is claimed either, beyond the claim's own rounding, errors are
        # measured on the function's scale; where one is claimed it has to be resolved itself.
        one = function_scale if estimate.directions is not None else function_scale / (size or 1)
        sharp = float(np.max(estimate.error, initial=0)) <= residue / UNITS
        scale = one if own <= rounding or (sharp and own <= residue) else _largest(projected)
    else:
        scale = _largest(known)
    return Comparison(
        oracle=answer.oracle, estimate=estimate, claimed=projected, allowance=bar, scale=float(scale)
    )


def _largest(values: Array) -> float:
    """The largest finite size among some numbers."""
    return float(np.abs(values).max(initial=0, where=np.isfinite(values)))


def contradicted(judge: Comparison, other: Comparison) -> Array:
    """Where another oracle is further from the judge's estimate than both bars together.

    Two oracles that were asked in different forms are compared as a whole.
    """
    gap, bar = _apart(judge.estimate, other.estimate)
    apart = gap > bar
    return apart if apart.shape == judge.wrong.shape else np.full(judge.wrong.shape, apart.any())


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
