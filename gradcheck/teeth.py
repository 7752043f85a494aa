"""What backs a PASS: an error as small as the report says would have been seen, planted in the claim, is."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.compare import Comparison
from gradcheck.examine import Examination
from gradcheck.probes import TEETH, generator
from gradcheck.verdict import LeafResult, Reason, Verdict, judge_leaf, unresolved_reason

JUST_ABOVE = 1.25  # times the limit: the sum is rounded to units of which 16 make the narrowest bar


def bared(seen: Examination, leaves: tuple[LeafResult, ...]) -> tuple[LeafResult, ...]:
    """The same results, but UNDECIDED with NO_POWER for every PASS under which a planted error passes too."""
    rng = generator(seen.claimed.probe.seed, TEETH)
    return tuple(
        leaf if leaf.verdict is not Verdict.PASS or _bites(seen, position, leaf, rng) else _toothless(leaf)
        for position, leaf in enumerate(leaves)
    )


def _bites(seen: Examination, position: int, result: LeafResult, rng: np.random.Generator) -> bool:
    """Whether a claim with an error of the detection limit in a random entry no longer passes.

    There is nothing to bite at in an empty leaf, nor where all entries lie at kinks.
    """
    comparisons = seen.comparisons[position]
    right = seen.claimed.gradients[position]
    entry = _drawn(_kinks(comparisons, right), rng)
    if entry is None:
        return True
    by = next(c for c in comparisons if c.detection_limit == result.detection_limit)
    unit = by.scale if by.entrywise else by.entry_scale
    error = (by.detection_limit or seen.sensitivity) * (unit or 1.0) * JUST_ABOVE
    planted = right.astype(np.float64)
    planted[entry] += error * rng.choice([-1, 1])
    wrong = planted.astype(right.dtype, copy=False)
    again = seen.claimed.beside(position, wrong, seen.answers)
    reason = unresolved_reason(seen.answers, again)
    leaf = seen.evaluator.leaves[position]
    return judge_leaf(leaf, wrong, again, seen.sensitivity, reason).verdict is not Verdict.PASS


def _kinks(comparisons: tuple[Comparison, ...], like: Array) -> Array:
    """The entries at which some oracle sees a kink, and accepts an interval."""
    masks = [c.estimate.kink for c in comparisons if c.entrywise]
    return functools.reduce(np.logical_or, masks, np.zeros_like(like, dtype=bool))


def _drawn(barred: Array, rng: np.random.Generator) -> tuple[np.intp, ...] | None:
    """The index of a random entry that is not barred; None where all are."""
    left = barred.size - int(barred.sum())
    if not left:
        return None
    place = rng.integers(left)
    entry = place if left == barred.size else np.flatnonzero(~barred)[place]
    return np.unravel_index(entry, barred.shape)


def _toothless(leaf: LeafResult) -> LeafResult:
    remark = "an error of the size that should have been seen was planted and passed as well"
    return replace(leaf, verdict=Verdict.UNDECIDED, reason=Reason.NO_POWER, remark=remark)
