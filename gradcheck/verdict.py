"""The one rule that turns comparisons into PASS, FAIL or UNDECIDED.

FAIL       the claim has a wrong shape, is not finite where the truth is, or lies outside the bar
           of an oracle that no other oracle contradicts.
PASS       some oracle would have seen an error of `sensitivity` in every entry, and none was seen.
UNDECIDED  everything else, with the reason.

At a kink (one-sided slopes differ) the bar of finite differences is the interval between the
slopes, and a claim inside it is a subgradient, as is one that another oracle agrees with. Along a
direction a kink blurs all entries at once: that is UNDECIDED.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array, Leaf
from gradcheck.compare import Comparison, contradicted, relative
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
    KINK = "KINK"
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
    claimed and expected: the numbers there; error and bar: |claimed - expected| and the oracle's
    own error there, relative to the leaf's largest entry (to the directional derivative where
    directions were compared, to the function's own scale where the gradient is zero).
    detection_limit: the smallest such error that would have been seen everywhere. compared: how
    many entries, or directions, were compared.
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


def verdicts(leaves: tuple[LeafResult, ...]) -> set[Verdict]:
    """The verdicts that occur."""
    return {leaf.verdict for leaf in leaves}


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
    if _blurred(comparisons):
        return Reason.KINK
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
        return _nonfinite(leaf, claimed, comparisons, sensitivity)
    convicting = [(c, wrong) for c in comparisons if (wrong := c.wrong & ~_excused(c, comparisons)).any()]
    sound = [c for c, wrong in convicting if (wrong & ~_contradicted(c, comparisons)).any()]
    sharpest = min(comparisons, key=lambda c: (not c.detection_limit <= sensitivity, not c.entrywise))
    if sound and _blurred(comparisons):
        return _measured(leaf, sharpest, Verdict.UNDECIDED, Reason.KINK)
    if sound:
        first = next((c for c in sound if c.entrywise), sound[0])
        return _measured(leaf, first, Verdict.FAIL, Reason.MISMATCH)
    if convicting:
        return _measured(leaf, sharpest, Verdict.UNDECIDED, Reason.ORACLES_DISAGREE)
    if sharpest.detection_limit <= sensitivity:
        return _measured(leaf, sharpest, Verdict.PASS, None, remark=_remark(comparisons))
    return _measured(leaf, sharpest, Verdict.UNDECIDED, unresolved)


def _excused(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """The entries at a kink at which a claim outside the judge's bar is one that another oracle accepts.

    Differences accept what lies between the one-sided slopes. Where several kinks meet, as for two
    examples that wake up in opposite directions, what automatic differentiation returns may lie
    outside them; a claim that agrees with it is as good a subgradient.
    """
    excused = np.zeros(judge.wrong.shape, dtype=bool)
    for other in comparisons:
        if other is not judge and other.entrywise and judge.entrywise:
            # At a kink another oracle may be blunt, and then accepts anything.
            sharp = judge.estimate.kink & (other.allowance < judge.estimate.error)
            excused |= (other.estimate.kink | sharp) & ~other.wrong
    return excused


def _contradicted(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """Where some other oracle disagrees with the judge."""
    masks = [contradicted(judge, other) for other in comparisons if other is not judge]
    return np.any([np.zeros(judge.wrong.shape, dtype=bool), *masks], axis=0)


def _blurred(comparisons: tuple[Comparison, ...]) -> bool:
    """Whether directions that ran along a kink accept the claim: which entries have it is not known."""
    along = [c for c in comparisons if not c.entrywise and c.estimate.kink.any()]
    return bool(along) and not any(c.wrong.any() for c in along)


def _remark(comparisons: tuple[Comparison, ...]) -> str:
    if any(c.estimate.kink.any() for c in comparisons):
        return "at a kink: the claim is a subgradient"
    return "the gradient is zero here" if all(c.zero for c in comparisons) else ""


def _nonfinite(
    leaf: Leaf, claimed: Array, comparisons: tuple[Comparison, ...], sensitivity: float
) -> LeafResult:
    """FAIL where some oracle knows the derivative sharply, UNDECIDED where none does."""
    for index in map(tuple, np.argwhere(~np.isfinite(claimed)).tolist()):
        for by in comparisons:
            place = index if by.entrywise else int(np.argmax(by.estimate.error))
            bar = relative(float(by.estimate.error[place]), by.scale)
            if bar <= sensitivity:
                expected = float(by.estimate.value[place]) if by.entrywise else float("nan")
                return _result(
                    leaf,
                    Verdict.FAIL,
                    Reason.NONFINITE,
                    worst_index=index,
                    claimed=float(claimed[index]),
                    expected=expected,
                    error=float("inf"),
                    bar=bar,
                )
    return _result(leaf, Verdict.UNDECIDED, Reason.NONFINITE)


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
        error=relative(float(by.gap[worst]), by.scale),
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
