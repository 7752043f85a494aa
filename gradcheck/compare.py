"""Claimed against estimated, and estimate against estimate, leaf by leaf."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.oracles.base import Estimate
from gradcheck.passes import blockwise, everywhere, largest, most, product
from gradcheck.rounding import UNITS, Rounding, allowance

NOTHING = 64  # times the residue of a sum that cancels, below which an entry may be nothing but that


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One leaf's claimed gradient beside one oracle's estimate, in the form of that estimate.

    gap: |claimed - estimated|. allowance: how large a gap proves nothing, the oracle's error bar and
    the rounding of the claim itself. scale: the size that makes both relative; the gradient's own,
    or the function's where the gradient is zero. entry_scale: the same for one entry of the leaf, where
    the estimate is along directions.
    """

    oracle: str
    estimate: Estimate
    claimed: Array
    allowance: Array
    scale: float
    entry_scale: float

    @functools.cached_property
    def gap(self) -> Array:
        (gap,) = blockwise(lambda a, b: (np.abs(a - b),), self.claimed, self.estimate.value)
        return gap

    @functools.cached_property
    def wrong(self) -> Array:
        """Where the claim is outside the oracle's bar."""
        return self.gap > self.allowance

    @property
    def entrywise(self) -> bool:
        return self.estimate.directions is None

    @property
    def zero(self) -> bool:
        """Whether the oracle sees no gradient at all in this leaf."""
        return everywhere(lambda value, bar: np.abs(value) <= bar, self.estimate.value, self.allowance)

    @functools.cached_property
    def detection_limit(self) -> float:
        """The smallest error in a single entry, relative to the leaf's largest, that would have been seen
        in whatever entry it had been.

        A kink's interval is not a blunt bar: entry by entry it is left out. Along a direction it
        hides the errors of all entries, and counts.
        """
        if self.entrywise:
            return relative(most(_blind, self.gap, self.allowance, self.estimate.kink), self.scale)
        blind = _blind(self.gap, self.allowance, np.array(False))
        with np.errstate(divide="ignore"):
            each = [bar / np.abs(line) for bar, line in zip(blind, self.estimate.lines, strict=True)]
        return relative(float(np.max(functools.reduce(np.minimum, each))), self.entry_scale)

    @property
    def places(self) -> list[tuple[int, ...] | None]:
        """The entry that each direction moves, None where it moves several."""
        moving = [line != 0 for line in self.estimate.lines]
        return [first(moves) if moves.sum() == 1 else None for moves in moving]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two witnesses of one leaf are apart: the largest error and bar, relative to the leaf."""

    leaf: str
    left: str
    right: str
    error: float
    bar: float
    agrees: bool


def _blind(gap: Array, allowance: Array, barred: Array) -> Array:
    """How large an error no bar shows. The gap adds to it, but not where the claim is wrong or the oracle has
    no number; 0 for barred entries."""
    return np.where(barred, 0, allowance + np.where(gap <= allowance, gap, 0))


def first(entries: Array) -> tuple[int, ...]:
    """The index of the first of some entries."""
    return tuple(int(i) for i in np.unravel_index(np.argmax(entries), entries.shape))


def relative(size: float, scale: float) -> float:
    """size / scale, and 0 / 0 = 0: where nothing is large, nothing is wrong."""
    if size == 0:
        return 0.0
    return float(size / scale) if scale and np.isfinite(size) else float("inf") if size > 0 else float("nan")


def compare(
    claimed: Array, rounding: Rounding, oracle: str, estimate: Estimate, function_scale: float, at: Array
) -> Comparison:
    """A claimed gradient of the leaf's own shape against one oracle's estimate of it.

    rounding: how far rounding may have moved the claim. function_scale: <|cotangent|,
    |output|>; at: the leaf's own values. Their quotient is what a gradient of this function could
    have been, and serves as the scale of one that is zero.
    """
    own, size = largest(claimed), largest(at)
    plain = estimate.error + estimate.spread(rounding.leaf)
    # Where a gradient cancels to nothing, what is left is the rounding of terms as large as the function.
    residue = allowance(claimed.dtype, function_scale / max(1.0, size))
    projected = estimate.project(claimed.astype(np.float64, copy=False))
    bar = _allowance(rounding, estimate, projected, plain, residue)
    if everywhere(lambda value, plain: np.abs(value) <= plain, estimate.value, plain):
        # No gradient is seen. Where none is claimed either, beyond the claim's own rounding, errors are
        # measured on the function's scale; where one is claimed it has to be resolved itself.
        entry = function_scale / (size or 1)
        one = function_scale if estimate.directions is not None else entry
        sharp = float(np.max(estimate.error, initial=0)) <= residue / UNITS
        none = own <= rounding.leaf or (sharp and own <= residue)
        scale, entry_scale = (one, entry) if none else (largest(projected), own)
    else:
        unbounded = not everywhere(np.isfinite, estimate.error)
        value = np.where(np.isfinite(estimate.error), estimate.value, 0) if unbounded else estimate.value
        scale, entry_scale = largest(value), own
    return Comparison(
        oracle=oracle,
        estimate=estimate,
        claimed=projected,
        allowance=bar,
        scale=float(scale),
        entry_scale=float(entry_scale),
    )


def _allowance(
    rounding: Rounding, estimate: Estimate, projected: Array, plain: Array, residue: float
) -> Array:
    """How large a gap proves nothing. plain: what the bar and the leaf's rounding come to."""
    doubtful = np.array(True) if rounding.genuine is None else ~rounding.genuine
    if rounding.own is None or estimate.own_error is None:
        return np.maximum(plain, _with_residue(estimate, residue, doubtful))
    # Entries of all sizes, each judged by its own; but one that may be such a residue is no size.
    fine = estimate.own_error + rounding.own
    if everywhere(lambda value: ~(np.abs(value) <= NOTHING * residue), estimate.value):
        return fine
    nothing = np.abs(estimate.value) <= NOTHING * residue
    nothing &= (np.abs(projected) <= NOTHING * residue) & doubtful
    loose = np.maximum(plain, _with_residue(estimate, residue, doubtful))
    return np.where(nothing, np.maximum(loose, fine), fine)


def _with_residue(estimate: Estimate, residue: float, doubtful: Array) -> Array:
    """The bar of an estimate where the doubtful entries of a claim may be nothing but a residue."""
    if doubtful.all():
        return estimate.error + estimate.spread(residue)
    return estimate.error + estimate.project_error(residue * doubtful)


def compare_together(
    gradients: tuple[Array, ...],
    roundings: tuple[Rounding, ...],
    oracle: str,
    estimate: Estimate,
    line: tuple[Array, ...],
) -> Comparison:
    """The whole claim against an oracle's derivative along one line through all leaves."""
    pairs = list(zip(gradients, roundings, line, strict=True))
    claimed = sum(float(np.vdot(direction, gradient)) for gradient, _, direction in pairs)
    rounding = sum(unit.leaf * float(np.abs(direction).sum()) for _, unit, direction in pairs)
    size = sum(product(direction, gradient) for gradient, _, direction in pairs)
    return Comparison(
        oracle=oracle,
        estimate=estimate,
        claimed=np.array([claimed]),
        allowance=estimate.error + rounding + allowance(np.dtype(float), size),
        scale=largest(estimate.value) or size,
        entry_scale=size,
    )


def _outside(entries: Array, values: Array) -> Array:
    """Values with zeros for some entries."""
    return np.where(entries, 0, values) if entries.any() else values


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
    kinks = comparison.estimate.kink
    return Agreement(
        leaf=comparison.estimate.leaf,
        left=left,
        right=right,
        error=relative(float(np.max(_outside(kinks, gap), initial=0)), comparison.scale),
        bar=relative(float(np.max(_outside(kinks, bar), initial=0)), comparison.scale),
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
