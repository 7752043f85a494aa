"""The one rule that turns comparisons into PASS, FAIL or UNDECIDED.

FAIL       the claim has a wrong shape, is not finite where the truth is, or lies outside the bar
           of an oracle that no other oracle contradicts.
PASS       some oracle would have seen an error of `sensitivity` in every entry, and none was seen; or
           finite differences would have, and outvote one that says otherwise.
UNDECIDED  everything else, with the reason.

At a kink (one-sided slopes differ) the bar of finite differences is the interval between the
slopes, and a claim inside it is a subgradient, as is one that another oracle agrees with. Along a
direction a kink blurs all entries at once: that is UNDECIDED.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array, Leaf
from gradcheck.compare import Comparison, contradicted, first, relative
from gradcheck.curve import Curve
from gradcheck.examine import Examination
from gradcheck.oracles import finite_difference
from gradcheck.oracles.base import Answer
from gradcheck.passes import where_most

CLEARLY = 2  # times what oracles differ among themselves, by which all of them must refute a claim


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
    PROTOCOL = "PROTOCOL"
    OUT_OF_DOMAIN = "OUT_OF_DOMAIN"


@dataclass(frozen=True, kw_only=True)
class LeafResult:
    """The verdict on one input or parameter.

    worst_index: the entry furthest outside its bar, or None where it is not known which one is wrong;
    claimed and expected: the numbers there; error and bar: |claimed - expected| and the oracle's
    own error there, relative to the leaf's largest entry (to the directional derivative where
    directions were compared, to the function's own scale where the gradient is zero).
    detection_limit: the smallest error in a single entry, relative to the leaf's largest, that would have
    been seen in whatever entry it had been. compared: how many entries, or directions, were compared.
    curve: how the gap changes with the step of finite differences, where a claim is wrong or noise hides it.
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
    curve: Curve | None = None


def judge(seen: Examination) -> tuple[LeafResult, ...]:
    """The verdict on every leaf of an examined claim."""
    return tuple(
        _cornered(
            judge_leaf(
                leaf,
                seen.claimed.gradients[position],
                seen.comparisons[position],
                seen.sensitivity,
                unresolved_reason(seen.answers, seen.comparisons[position]),
                seen.claimed.tied,
            ),
            seen.claimed.at_corner(position),
            seen.comparisons[position],
            seen.sensitivity,
        )
        for position, leaf in enumerate(seen.evaluator.leaves)
    )


def _cornered(
    result: LeafResult, inside: bool | None, comparisons: tuple[Comparison, ...], sensitivity: float
) -> LeafResult:
    """A PASS whose entries lie each between the slopes of its own kink, and together outside those of all.

    That is open: what the chain rule makes of several kinks may lie outside their slopes. It is wrong where
    another oracle sharply has something else, and right where one has the same.
    """
    others = [c for c in comparisons if c.oracle != finite_difference.NAME and c.entrywise]
    sharp = [c for c in others if c.detection_limit <= sensitivity]
    agreed = any(not c.wrong.any() for c in sharp)
    if result.verdict is not Verdict.PASS or inside is not False or agreed:
        return result
    verdict, reason = (Verdict.FAIL, Reason.MISMATCH) if sharp else (Verdict.UNDECIDED, Reason.KINK)
    remark = "each entry lies between the slopes of its kink, all of them together do not"
    return replace(result, verdict=verdict, reason=reason, remark=remark)


def verdicts(leaves: tuple[LeafResult, ...]) -> set[Verdict]:
    """The verdicts that occur."""
    return {leaf.verdict for leaf in leaves}


def overall(
    leaves: tuple[LeafResult, ...], answers: tuple[Answer, ...], breaks_rules: bool = False
) -> tuple[Verdict, Reason | None]:
    """FAIL if any leaf fails or a rule is broken; PASS if all pass and no reference is another function."""
    for verdict in (Verdict.FAIL, Verdict.UNDECIDED):
        reasons = [leaf.reason for leaf in leaves if leaf.verdict is verdict]
        if reasons:
            return verdict, reasons[0]
        if breaks_rules:
            return Verdict.FAIL, Reason.PROTOCOL
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
    tied: bool = False,
) -> LeafResult:
    """The verdict on one leaf. `unresolved` is the reason to give where no oracle saw sharply enough.

    tied: the point is a kink of the recorded forward.
    """
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
    sound = sound or [c for c, wrong in convicting if (wrong & _refuted_by_all(c, comparisons)).any()]
    best = sharpest(comparisons, sensitivity)
    blind = tied and _itself(comparisons) and all(c.oracle != finite_difference.NAME for c in sound)
    if sound and (blind or _blurred(comparisons)):
        return _measured(leaf, best, Verdict.UNDECIDED, Reason.KINK)
    if sound and _itself(comparisons) and all(_vanished(c) for c in sound):
        return _measured(leaf, best, Verdict.UNDECIDED, Reason.NOISE)
    if sound:
        first = next((c for c in sound if c.entrywise), sound[0])
        return _measured(leaf, first, Verdict.FAIL, Reason.MISMATCH)
    itself = _itself(comparisons)
    if convicting and itself and not itself.wrong.any() and itself.detection_limit <= sensitivity:
        return _measured(leaf, itself, Verdict.PASS, None, remark=_outvoted(convicting))
    if convicting:
        return _measured(leaf, best, Verdict.UNDECIDED, Reason.ORACLES_DISAGREE)
    if any((c.estimate.kink & np.isinf(c.estimate.error)).any() for c in comparisons):
        return _measured(leaf, best, Verdict.UNDECIDED, Reason.KINK, remark="the function jumps here")
    if best.detection_limit <= sensitivity:
        return _measured(leaf, best, Verdict.PASS, None, remark=_remark(comparisons))
    return _measured(leaf, best, Verdict.UNDECIDED, unresolved)


def sharpest(comparisons: tuple[Comparison, ...], sensitivity: float) -> Comparison:
    """The first comparison that sees what a PASS has to, entry by entry where there is such a one."""
    return min(comparisons, key=lambda c: (not c.detection_limit <= sensitivity, not c.entrywise))


def _excused(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """The entries at a kink at which a claim outside the judge's bar is one that another oracle accepts.

    Differences accept what lies between the one-sided slopes. Where several kinks meet, as for two
    examples that wake up in opposite directions, what automatic differentiation returns may lie
    outside them; a claim that agrees with it is as good a subgradient.
    """
    excused = np.zeros_like(judge.wrong)
    for other in comparisons:
        if other is not judge and other.entrywise and judge.entrywise:
            # At a kink another oracle may be blunt, and then accepts anything.
            sharp = judge.estimate.kink & (other.allowance < judge.estimate.error)
            excused |= (other.estimate.kink | sharp) & ~other.wrong
    return excused


def _contradicted(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """Where some other oracle disagrees with the judge."""
    masks = [contradicted(judge, other) for other in comparisons if other is not judge]
    return functools.reduce(np.logical_or, masks, np.zeros_like(judge.wrong))


def _vanished(judge: Comparison) -> bool:
    """Whether all that an oracle finds wrong is not zero where its own value is: a derivative may underflow
    or cancel on its way, and differences, which would not, do not bear the zeros out."""
    zeros = (judge.estimate.value == 0) | ~judge.wrong
    return judge.oracle != finite_difference.NAME and bool(zeros.all())


def _refuted_by_all(judge: Comparison, comparisons: tuple[Comparison, ...]) -> Array:
    """Where all oracles find the claim wrong, clearly more so than they differ among themselves."""
    others = [other for other in comparisons if other is not judge]
    if not others or any(other.entrywise is not judge.entrywise for other in others):
        return np.zeros_like(judge.wrong)
    gaps = [np.abs(judge.estimate.value - other.estimate.value) for other in others]
    apart = functools.reduce(np.maximum, gaps)
    return functools.reduce(np.logical_and, [c.wrong & (c.gap > CLEARLY * apart) for c in comparisons])


def _blurred(comparisons: tuple[Comparison, ...]) -> bool:
    """Whether directions that ran along a kink accept the claim: which entries have it is not known."""
    along = [c for c in comparisons if not c.entrywise and c.estimate.kink.any()]
    return bool(along) and not any(c.wrong.any() for c in along)


def _remark(comparisons: tuple[Comparison, ...]) -> str:
    if any(c.estimate.kink.any() for c in comparisons):
        return "at a kink: the claim is a subgradient"
    return "the gradient is zero here" if all(c.zero for c in comparisons) else ""


def _itself(comparisons: tuple[Comparison, ...]) -> Comparison | None:
    """The comparison with the oracle that sees values of the forward itself."""
    return next((c for c in comparisons if c.oracle == finite_difference.NAME), None)


def _outvoted(convicting: list[tuple[Comparison, Array]]) -> str:
    """Differences see the forward itself: with the claim they outvote a derivative of something else."""
    names = " and ".join(comparison.oracle for comparison, _ in convicting)
    return f"{names} says otherwise and is outvoted: values of the forward itself agree with the claim"


def _nonfinite(
    leaf: Leaf, claimed: Array, comparisons: tuple[Comparison, ...], sensitivity: float
) -> LeafResult:
    """FAIL where some oracle knows the derivative sharply, UNDECIDED where none does."""
    for by in comparisons:
        error = by.estimate.error if by.entrywise else np.max(by.estimate.error)
        wrong = ~np.isfinite(claimed) & (error <= sensitivity * by.scale)
        if wrong.any():
            index = first(wrong)
            return _result(
                leaf,
                Verdict.FAIL,
                Reason.NONFINITE,
                worst_index=index,
                claimed=float(claimed[index]),
                expected=float(by.estimate.value[index]) if by.entrywise else float("nan"),
                error=float("inf"),
                bar=relative(float(error[index] if by.entrywise else error), by.scale),
            )
    return _result(leaf, Verdict.UNDECIDED, Reason.NONFINITE)


def _measured(
    leaf: Leaf, by: Comparison, verdict: Verdict, reason: Reason | None, remark: str = ""
) -> LeafResult:
    """The numbers of the entry (or direction) that lies furthest outside its bar, or nearest to it."""
    places = by.places if not by.entrywise else []
    bar = by.allowance
    if any(place is not None and by.wrong[k] for k, place in enumerate(places)):
        bar = np.where([place is None for place in places], np.inf, bar)
    with np.errstate(invalid="ignore"):
        worst = np.unravel_index(where_most(_excess, by.gap, bar), bar.shape)
    place = tuple(int(i) for i in worst) if by.entrywise else places[int(worst[0])]
    scale = by.scale if by.entrywise or place is None else by.entry_scale
    return _result(
        leaf,
        verdict,
        reason,
        worst_index=place,
        claimed=float(by.claimed[worst]),
        expected=float(by.estimate.value[worst]),
        error=relative(float(by.gap[worst]), scale),
        bar=relative(float(_bar(by, verdict)[worst]), scale),
        detection_limit=by.detection_limit,
        compared=int(np.isfinite(by.allowance).sum()),
        remark=remark,
    )


def _excess(gap: Array, bar: Array) -> Array:
    excess = np.subtract(gap, bar, out=np.empty_like(bar))
    excess[np.isnan(excess)] = -np.inf
    return excess


def _bar(by: Comparison, verdict: Verdict) -> Array:
    """What a claim may be off by; beside a wrong one, what the oracle's own value may be off by."""
    if verdict is not Verdict.FAIL:
        return by.allowance
    return by.estimate.error if by.estimate.own_error is None else by.estimate.own_error


def _result(leaf: Leaf, verdict: Verdict, reason: Reason | None = None, **found: object) -> LeafResult:
    return LeafResult(
        name=leaf.name,
        shape=leaf.value.shape,
        dtype=leaf.dtype,
        verdict=verdict,
        reason=reason,
        **found,  # type: ignore[arg-type]
    )
