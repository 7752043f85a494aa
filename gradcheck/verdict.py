"""The one rule that turns comparisons into PASS, FAIL or UNDECIDED.

FAIL       the claim has a wrong shape, is not finite where the truth is, or lies outside the bar
           of an oracle that no other oracle contradicts.
PASS       some oracle would have seen an error of `sensitivity` in every entry, and none was seen.
UNDECIDED  everything else, with the reason.

At a kink (one-sided slopes differ) the bar of finite differences is the interval between the
slopes, a claim inside it is a subgradient, and other oracles, which know one side, are not heard.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array, Leaf
from gradcheck.compare import Comparison, contradict, relative
from gradcheck.examine import Examination
from gradcheck.oracles.base import Answer


class Verdict(enum.Enum):
    """What a check came to."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"


class Reason(enum.Enum):
    """Why a verdict is not PASS."""

    MISMATCH = "MISMATCH"
    SHAPE = "SHAPE"
    NONFINITE = "NONFINITE"
    NOISE = "NOISE"
    NONDETERMINISTIC = "NONDETERMINISTIC"
    FORWARD_DISAGREES = "FORWARD_DISAGREES"
    ORACLES_DISAGREE = "ORACLES_DISAGREE"
    NO_POWER = "NO_POWER"
    OUT_OF_DOMAIN = "OUT_OF_DOMAIN"


@dataclass(frozen=True, kw_only=True)
class LeafResult:
    """The verdict on one input or parameter.

    worst_index: the entry furthest outside its bar, or None where only directions were compared;
    claimed and expected: the numbers there. error and bar: relative to the leaf's largest entry
    (of the function's own scale where the gradient is zero). detection_limit: the smallest such
    error that would have been seen. compared: entries, or directions, that were compared.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    verdict: Verdict
    reason: Reason | None = None
    worst_index: tuple[int, ...] | None = None
    claimed: float = float("nan")
    expected: float = float("nan")
    error: float = float("nan")
    bar: float = float("nan")
    detection_limit: float = float("inf")
    compared: int = 0
    remark: str = ""


def judge(seen: Examination, sensitivity: float) -> tuple[LeafResult, ...]:
    """The verdict on every leaf of an examined claim."""
    return tuple(
        judge_leaf(leaf, claimed, comparisons, sensitivity, unresolved_reason(seen.answers, comparisons))
        for leaf, claimed, comparisons in zip(
            seen.evaluator.leaves, seen.claimed, seen.comparisons, strict=True
        )
    )


def overall(leaves: tuple[LeafResult, ...], answers: tuple[Answer, ...]) -> tuple[Verdict, Reason | None]:
    """FAIL if any leaf fails; PASS if all pass and no reference computes another function."""
    for verdict in (Verdict.FAIL, Verdict.UNDECIDED):
        reasons = [leaf.reason for leaf in leaves if leaf.verdict is verdict]
        if reasons:
            return verdict, reasons[0]
    if any(answer.forward_disagrees for answer in answers):
        return Verdict.UNDECIDED, Reason.FORWARD_DISAGREES
    return Verdict.PASS, None


def unresolved_reason(answers: tuple[Answer, ...], comparisons: tuple[Comparison, ...]) -> Reason:
    """What to say of a leaf that no oracle saw sharply enough."""
    if not answers:
        return Reason.OUT_OF_DOMAIN  # the output itself is not finite
    if any(answer.forward_disagrees for answer in answers):
        return Reason.FORWARD_DISAGREES
    if not comparisons:
        return Reason.NO_POWER  # no oracle that was asked could answer
    if all(np.isinf(c.allowance).any() for c in comparisons):
        return Reason.OUT_OF_DOMAIN  # no step could be taken
    return Reason.NONDETERMINISTIC if any(answer.noisy for answer in answers) else Reason.NOISE


def judge_leaf(
    leaf: Leaf,
    claimed: Array,
    comparisons: tuple[Comparison, ...],
    sensitivity: float,
    unresolved: Reason,
) -> LeafResult:
    """The verdict on one leaf. `unresolved` is the reason to give where no oracle saw sharply enough."""
    if claimed.shape != leaf.value.shape:
        remark = f"the gradient has shape {claimed.shape}, {leaf.name} has {leaf.value.shape}"
        return _result(leaf, Verdict.FAIL, Reason.SHAPE, remark=remark)
    if leaf.value.size == 0:
        return _result(leaf, Verdict.PASS, detection_limit=0.0, remark="empty: nothing to compare")
    if not comparisons:
        return _result(leaf, Verdict.UNDECIDED, unresolved)
    if not np.isfinite(claimed).all():
        return _nonfinite(leaf, claimed, comparisons)
    convicting = [c for c in comparisons if (c.wrong & ~_excused(c, comparisons)).any()]
    sound = [
        c
        for c in convicting
        if not any(contradict(c.estimate, o.estimate) for o in comparisons if o is not c)
    ]
    if sound:
        first = next((c for c in sound if c.entrywise), sound[0])
        return _measured(leaf, first, Verdict.FAIL, Reason.MISMATCH)
    sharpest = min(comparisons, key=lambda c: (c.detection_limit > sensitivity, not c.entrywise))
    if convicting:
        return _measured(leaf, sharpest, Verdict.UNDECIDED, Reason.ORACLES_DISAGREE)
    if sharpest.detection_limit <= sensitivity:
        return _measured(leaf, sharpest, Verdict.PASS, None, remark=_remark(comparisons))
    return _measured(leaf, sharpest, Verdict.UNDECIDED, unresolved)


def _excused(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """Where a claim outside the judge's bar is a subgradient that finite differences accept."""
    excused = np.zeros(judge.wrong.shape, dtype=bool)
    for other in comparisons:
        accepted = other.estimate.kink & ~other.wrong
        if other is not judge and accepted.any():
            excused |= accepted if accepted.shape == excused.shape else True
    return excused


def _remark(comparisons: tuple[Comparison, ...]) -> str:
    if any(c.estimate.kink.any() for c in comparisons):
        return "at a kink: the claim is a subgradient"
    return "the gradient is zero here" if all(c.zero for c in comparisons) else ""


def _nonfinite(leaf: Leaf, claimed: Array, comparisons: tuple[Comparison, ...]) -> LeafResult:
    """FAIL where some oracle found a finite derivative, UNDECIDED where none did."""
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(claimed))[0])
    known = [c for c in comparisons if c.entrywise and np.isfinite(c.estimate.error[index])]
    sighted = known or [c for c in comparisons if np.isfinite(c.estimate.error).all()]
    return _result(
        leaf,
        Verdict.FAIL if sighted else Verdict.UNDECIDED,
        Reason.NONFINITE,
        worst_index=index,
        claimed=float(claimed[index]),
        expected=float(known[0].estimate.value[index]) if known else float("nan"),
        error=float("inf"),
        bar=relative(float(known[0].estimate.error[index]), known[0].scale) if known else float("nan"),
    )


def _measured(
    leaf: Leaf, by: Comparison, verdict: Verdict, reason: Reason | None, remark: str = ""
) -> LeafResult:
    """The numbers of the entry (or direction) that lies furthest outside its bar, or nearest to it."""
    with np.errstate(invalid="ignore"):
        excess = by.gap - by.allowance
    excess = np.where(np.isnan(excess), -np.inf, excess)
    worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
    return _result(
        leaf,
        verdict,
        reason,
        worst_index=tuple(int(i) for i in worst) if by.entrywise else None,
        claimed=float(by.claimed[worst]),
        expected=float(by.estimate.value[worst]),
        error=relative(float(np.nanmax(by.gap)) if not np.isnan(by.gap).all() else float("nan"), by.scale),
        bar=relative(float(by.allowance[worst]), by.scale),
        detection_limit=by.detection_limit,
        compared=int(np.isfinite(by.allowance).sum()),
        remark=remark,
    )


def _result(leaf: Leaf, verdict: Verdict, reason: Reason | None = None, **found: object) -> LeafResult:
    return LeafResult(
        name=leaf.name,
        shape=leaf.value.shape,
        dtype=leaf.dtype,
        verdict=verdict,
        reason=reason,
        **found,  # type: ignore[arg-type]
    )
