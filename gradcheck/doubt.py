"""What is in doubt looked at once more: kinks together, jumps, and rounding told from mistakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.claimed import Claimed
from gradcheck.jitter import alike, beside, jitter, references, resolved, resolved_alone, steady
from gradcheck.oracles.autodiff import NAME as AUTODIFF
from gradcheck.oracles.autodiff import lost_digits
from gradcheck.oracles.base import Answer, Estimate
from gradcheck.oracles.finite_difference import differencing, in_form
from gradcheck.oracles.pieces import at_kink
from gradcheck.probes import CORNERS, DIRECTIONS, generator, typical

SEVERAL = 2  # kinks in one leaf that may have to do with each other


def in_more_digits(claimed: Claimed, answer: Answer) -> Answer:
    """An accusation by a formula is weighed by what its own rounding is seen to do in more digits.

    log(1 - a) with a next to 1 has lost most digits of 1 - a, and no change of the inputs by one unit of
    round-off shows that, since they move a by less than one.
    """
    if not claimed.accused(answer):
        return answer
    lost = lost_digits(claimed.evaluator, claimed.probe, answer)
    estimates = tuple(e.widened(more) for e, more in zip(answer.estimates, lost, strict=True))
    return replace(answer, estimates=estimates)


def with_corners(claimed: Claimed, answer: Answer) -> Claimed:
    """The claim with slopes along several kinks at once, where all of them bend one way.

    Each entry of a claim may lie between the slopes of its own kink, and all of them together not: of two
    tied maxima both may have the whole gradient or none, but not both of them.
    """
    found = {}
    for position, estimate in enumerate(answer.estimates):
        corners = estimate.kink & np.isfinite(estimate.error)
        if estimate.directions is not None or estimate.bend is None or corners.sum() < SEVERAL:
            continue
        if abs(np.sign(estimate.bend[corners]).sum()) < corners.sum():
            continue  # neither convex nor concave: its subgradients are bounded by no slopes
        look = differencing(claimed.evaluator, claimed.probe)
        lines = _along_corners(claimed, position, corners)
        slopes = [look.slope({position: line}) for line in lines]
        found[position] = in_form(estimate.leaf, lines, slopes, (len(lines),))
    return replace(claimed, corners=found)


def _along_corners(claimed: Claimed, position: int, corners: Array) -> Array:
    """One direction in which all of these entries grow, and others in which each goes its own way."""
    rng = generator(claimed.probe.seed, CORNERS)
    signs = rng.choice([-1.0, 1.0], (DIRECTIONS, *corners.shape))
    signs[0] = 1
    return signs * corners * typical(claimed.evaluator.leaves[position].value)


def with_ripple(claimed: Claimed, answer: Answer) -> Claimed:
    """The claim with what jumps of the function leave open, which no oracle can know better."""
    if not any(estimate.ripple is not None and estimate.ripple.any() for estimate in answer.estimates):
        return claimed
    return replace(
        claimed,
        roundings=tuple(
            rounding.widened(_ripples(estimate, gradient.shape))
            for rounding, estimate, gradient in zip(
                claimed.roundings, answer.estimates, claimed.gradients, strict=True
            )
        ),
    )


def _ripples(estimate: Estimate, shape: tuple[int, ...]) -> Array:
    """What jumps leave open of every entry."""
    if estimate.ripple is None or estimate.directions is None:
        return np.zeros(shape) if estimate.ripple is None else estimate.ripple
    return np.min([r / np.abs(line) for r, line in zip(estimate.ripple, estimate.lines, strict=True)], axis=0)


def looked_at_beside(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> Claimed:
    """The claim with what shows beside the point, where the last oracle accuses it or hardly sees it: which
    entries are derivatives, be they less than the rounding of the function, and what is rounding in them."""
    answer = answers[-1]
    formula = answer.oracle == AUTODIFF
    accused = claimed.accused(answer) if formula else set()
    if accused:
        claimed = replace(claimed, tied=at_kink(claimed.evaluator, claimed.probe.seed))
    doubted = accused | claimed.blunt(answer, sensitivity)
    if not doubted:
        return claimed
    repeatable = claimed.evaluator.claim.repeatable
    looks = beside(claimed.evaluator, claimed.probe) if repeatable or formula else ()
    theirs = references(claimed.evaluator, claimed.probe, looks) if formula and looks else ()
    seen = looks if repeatable else ()
    ours = {i: [claimed.gradients[i], *(look.gradients[i] for look in seen)] for i in doubted}
    expected = {i: [answer.estimates[i].value, *(gradients[i] for gradients in theirs)] for i in doubted}
    found = {i: _genuine(answer, answer.estimates[i], ours[i], expected[i]) for i in doubted}
    known = {i: claimed.roundings[i].known_genuine(real) for i, real in found.items()}
    if not repeatable:  # its own rounding was not measured: that may acquit it, and not convict it
        guilty = {i for one in answers for i in claimed.with_roundings(known).accused(one)}
        known = {i: rounding for i, rounding in known.items() if i not in guilty}
    claimed = claimed.with_roundings(known)
    accused = claimed.accused(answer) if formula and seen else set()
    if not accused:
        return claimed
    wider = {i: claimed.roundings[i].and_own(jitter(ours[i], expected[i])) for i in accused}
    still = claimed.with_roundings(wider).accused(answer)
    excused = {i: rounding for i, rounding in wider.items() if i not in still}
    return claimed.with_roundings(excused)


def _genuine(answer: Answer, estimate: Estimate, ours: list[Array], expected: list[Array]) -> Array:
    """Which entries of a leaf are derivatives, here and beside, and no residue of terms that cancel."""
    several = len(ours) > 1
    if answer.oracle != AUTODIFF:
        measured = alike(ours, expected) if estimate.directions is None else np.array(False)
        return resolved(estimate) & (measured | (steady(ours) if several else False))
    if len(expected) == 1:
        return np.zeros_like(estimate.value, dtype=bool)
    # What cancels inside both may be steady, and is not alike.
    real = steady(expected) & alike(ours, expected) & (steady(ours) if several else True)
    return real & (resolved(estimate) | (real & resolved_alone(estimate)).all())
