"""One look at a claim at one point: run it, ask the oracles, lay their answers beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Claim
from gradcheck.claimed import Claimed, claimed_at
from gradcheck.compare import Comparison
from gradcheck.doubt import in_more_digits, looked_at_beside, with_corners, with_ripple
from gradcheck.evaluator import Evaluator
from gradcheck.locate import located
from gradcheck.oracles import Asked
from gradcheck.oracles.autodiff import NAME as AUTODIFF
from gradcheck.oracles.autodiff import autodiff, with_nudges
from gradcheck.oracles.base import Answer
from gradcheck.oracles.finite_difference import NAME as DIFFERENCES
from gradcheck.oracles.finite_difference import at_a_glance, finite_difference
from gradcheck.oracles.recorded import forgotten, recorded_before
from gradcheck.passes import everywhere
from gradcheck.probes import along_one_line, draw_probe, in_brief

# The relative error that a PASS must have been able to see, by the bytes of a number.
SENSITIVITY = {2: 3e-2, 4: 1e-3, 8: 1e-6}


SINGLY = 64  # entries of a leaf that differences look at one by one though it is known which are wrong


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that was seen at one point.

    comparisons: by leaf, then by oracle; none for a gradient of the wrong shape. together: the whole
    claim against an oracle that was asked along one line through all leaves. answers is empty, and
    nothing compared, where the user's own point gives an output that is not finite. sensitivity: the
    relative error that a PASS must have been able to see.
    """

    claimed: Claimed
    answers: tuple[Answer, ...]
    comparisons: tuple[tuple[Comparison, ...], ...]
    together: tuple[Comparison, ...]
    sensitivity: float

    @property
    def evaluator(self) -> Evaluator:
        return self.claimed.evaluator


def examine(claim: Claim, asked: Asked, seed: int, asked_for: float | None = None) -> Examination:
    """Judge nothing yet: gather the claimed gradients and each oracle's estimates of them.

    asked_for: the sensitivity; None leaves it to the arithmetic.
    """
    evaluator = Evaluator(claim)
    # Probes go where numbers overflow, and are then left out; nobody need hear of it.
    with np.errstate(all="ignore"):
        probe = draw_probe(evaluator, seed)
    claimed = claimed_at(evaluator, probe)
    sensitivity = asked_for or _attainable(claimed)
    finite = all(np.isfinite(out).all() for out in evaluator.outputs)
    with np.errstate(all="ignore"):
        answers = _cleared(claimed, asked, sensitivity) if finite else ()
        if finite and not answers:
            claimed, answers = _ask(claimed, asked, sensitivity)
            narrow = claimed.in_fewer_digits({i for one in answers for i in claimed.accused(one)})
            if narrow is not claimed:
                claimed, sensitivity = narrow, asked_for or _attainable(narrow)
                claimed, answers = _ask(claimed, asked, sensitivity)
        return Examination(
            claimed=claimed,
            answers=answers,
            comparisons=claimed.all_beside(answers),
            together=claimed.together(answers),
            sensitivity=sensitivity,
        )


def _attainable(claimed: Claimed) -> float:
    """What the narrowest arithmetic in sight allows a PASS to see."""
    widths = [array.dtype.itemsize for array in (*claimed.evaluator.outputs, *claimed.gradients)]
    return SENSITIVITY[min(8, *widths)]


def _cleared(claimed: Claimed, asked: Asked, sensitivity: float) -> tuple[Answer, ...]:
    """Answers that clear the claim, by the recording of an earlier check; () where they do not.

    Such a recording accuses nobody: before anybody is accused, the forward is recorded anew.
    """
    evaluator = claimed.evaluator
    alone = asked.by_name and asked.oracles == (autodiff,)
    if (asked.by_name and not alone) or not recorded_before(evaluator, claimed.probe.seed):
        return ()
    answers = (_by_nudges(claimed, sensitivity),)
    if len(_settled(claimed, answers, sensitivity)) == len(claimed.gradients):
        if alone:
            return answers
        brief = _glance(claimed)
        if _borne_out(claimed.together((brief,))):
            return (*answers, brief)
    forgotten(evaluator)
    return ()


def _ask(claimed: Claimed, asked: Asked, sensitivity: float) -> tuple[Claimed, tuple[Answer, ...]]:
    """Every oracle's answer, and the claim with its rounding measured where that was in doubt."""
    answers: tuple[Answer, ...] = ()
    for oracle in asked.oracles:
        if oracle is autodiff:
            answer = in_more_digits(claimed, _by_nudges(claimed, sensitivity))
        elif oracle is finite_difference:
            answer = _by_differences(claimed, asked, answers, sensitivity)
        else:
            answer = oracle(claimed.evaluator, claimed.probe)
        answers = (*answers, answer)
        claimed = _doubted(claimed, answers, sensitivity)
    return claimed, answers


def _by_differences(
    claimed: Claimed, asked: Asked, answers: tuple[Answer, ...], sensitivity: float
) -> Answer:
    """What finite differences say, which is as little as is needed unless they are asked by name.

    Where an oracle that knows every entry agrees with the claim, they only have to bear the two out, along
    one line; otherwise they look at each leaf, and closely at those in doubt.
    """
    known = set(asked.known)
    if not asked.by_name:
        settled = _settled(claimed, answers, sensitivity)
        if len(settled) == len(claimed.gradients):
            for look in (_glance, _along_one_line):
                brief = look(claimed)
                if _borne_out(claimed.together((brief,))):
                    return brief
        else:
            known |= settled | _accused_sharply(claimed, answers, sensitivity)
    probe = in_brief(claimed.probe, claimed.evaluator, known) if known else claimed.probe
    answer = finite_difference(claimed.evaluator, probe)
    return located(claimed, answers, answer) if asked.places and answer.estimates else answer


def _doubted(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> Claimed:
    """The claim with what the last answer shows of its own rounding, of kinks and of jumps."""
    answer = answers[-1]
    if answer.oracle not in (AUTODIFF, DIFFERENCES) or not answer.estimates:
        return claimed
    if answer.oracle == DIFFERENCES:
        claimed = with_corners(with_ripple(claimed, answer), answer)
    return looked_at_beside(claimed, answers, sensitivity)


def _glance(claimed: Claimed) -> Answer:
    """Differences at a glance, taken once."""
    line = along_one_line(claimed.probe, claimed.evaluator)
    return claimed.evaluator.once("glance", lambda: at_a_glance(claimed.evaluator, line))


def _along_one_line(claimed: Claimed) -> Answer:
    return finite_difference(claimed.evaluator, along_one_line(claimed.probe, claimed.evaluator))


def _by_nudges(claimed: Claimed, sensitivity: float) -> Answer:
    """Autodiff's answer, with a bar from as few nudges as leave nobody in doubt of the claim, or from all."""
    answers = with_nudges(claimed.evaluator, claimed.probe)
    answer = next(answers)
    while answer.estimates and (claimed.accused(answer) or claimed.blunt(answer, sensitivity)):
        further = next(answers, None)
        if further is None:
            break
        answer = further
    return answer


def _settled(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> set[int]:
    """The leaves that were found right by an oracle which would have seen an error in any entry."""
    beside = zip(claimed.gradients, claimed.all_beside(answers), strict=True)
    return {
        position
        for position, (gradient, comparisons) in enumerate(beside)
        if everywhere(np.isfinite, gradient)
        and any(not c.wrong.any() and c.detection_limit <= sensitivity for c in comparisons)
        and not any(c.wrong.any() for c in comparisons)
    }


def _accused_sharply(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> set[int]:
    """The leaves of many entries of which autodiff knows well which are wrong; none at a kink, where each
    entry has slopes of its own to be looked at."""
    known = [answer for answer in answers if answer.oracle == AUTODIFF and not claimed.tied]
    sharp = [claimed.accused(answer) - claimed.blunt(answer, sensitivity) for answer in known]
    return {i for leaves in sharp for i in leaves if claimed.gradients[i].size > SINGLY}


def _borne_out(together: tuple[Comparison, ...]) -> bool:
    return all(
        np.isfinite(c.allowance).all()
        and not c.estimate.kink.any()
        and not c.wrong.any()
        and (c.estimate.ripple is None or not c.estimate.ripple.any())
        for c in together
    )
