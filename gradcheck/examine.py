"""One look at a claim at one point: run it, ask the oracles, lay their answers beside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.claim import Array, Claim
from gradcheck.compare import Comparison, compare, compare_together
from gradcheck.evaluator import Evaluator
from gradcheck.jitter import alike, beside, jitter, references, resolved, resolved_alone, steady
from gradcheck.locate import PLACES, Search, unit
from gradcheck.oracles import Asked
from gradcheck.oracles.autodiff import NAME as AUTODIFF
from gradcheck.oracles.autodiff import autodiff, lost_digits
from gradcheck.oracles.base import Answer, Estimate, along, flat
from gradcheck.oracles.extrapolate import Slope
from gradcheck.oracles.finite_difference import Differencing, at_a_glance, finite_difference, in_form
from gradcheck.oracles.pieces import at_kink
from gradcheck.probes import CORNERS, DIRECTIONS, Probe, along_one_line, draw_probe, generator, typical
from gradcheck.rounding import Rounding, allowance, allowances, from_single

# The relative error that a PASS must have been able to see, by the bytes of a number.
SENSITIVITY = {2: 3e-2, 4: 1e-3, 8: 1e-6}
SEVERAL = 2  # kinks in one leaf that may have to do with each other


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What a claim says at one point, ready to be laid beside what oracles say.

    gradients: one a leaf in whatever shape it was given, zeros for None. roundings: how far rounding may
    have moved each. corners: of a leaf in which several entries have kinks, the slopes along directions that
    move those together. tied: a claim that an oracle accuses stands at a kink of the recorded forward, where
    automatic differentiation has one derivative of several.
    """

    evaluator: Evaluator
    probe: Probe
    gradients: tuple[Array, ...]
    roundings: tuple[Rounding, ...]
    corners: dict[int, Estimate] = field(default_factory=dict)
    tied: bool = False
    _compared: dict[tuple[int, int], tuple[Answer, tuple[Comparison, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def scale(self) -> float:
        """The function's size; one that is zero has no scale of its own and counts as one of size 1."""
        sizes = np.abs(flat(self.probe.cotangents))
        return float(sizes @ np.abs(flat(self.evaluator.outputs)) or sizes.sum())

    def beside(self, position: int, gradient: Array, answers: tuple[Answer, ...]) -> tuple[Comparison, ...]:
        """One leaf's gradient, claimed or planted, against every estimate of it; none for a wrong shape."""
        at = self.evaluator.leaves[position].value
        if gradient.shape != at.shape:
            return ()
        rounding = self.roundings[position]
        with np.errstate(all="ignore"):
            return tuple(
                compare(gradient, rounding, answer.oracle, answer.estimates[position], self.scale, at)
                for answer in answers
                if answer.estimates
            )

    def with_roundings(self, others: dict[int, Rounding]) -> Claimed:
        """The same with the roundings of some leaves replaced."""
        return replace(self, roundings=tuple(others.get(i, own) for i, own in enumerate(self.roundings)))

    def at_corner(self, position: int) -> bool | None:
        """Whether the claim lies between the slopes of several kinks together; None where none were asked."""
        estimate = self.corners.get(position)
        if estimate is None:
            return None
        gap = np.abs(estimate.project(self.gradients[position]) - estimate.value)
        bar = estimate.project_error(np.full(self.gradients[position].shape, self.roundings[position].leaf))
        return bool((gap <= estimate.error + bar).all())

    def together(self, answers: tuple[Answer, ...]) -> tuple[Comparison, ...]:
        """The whole claim along one line against all that know that; none where nobody was asked for it."""
        if not any(answer.together for answer in answers):
            return ()
        line = along_one_line(self.probe, self.evaluator).together
        assert line is not None
        known = [(answer.oracle, along(answer, line)) for answer in answers]
        return tuple(
            compare_together(self.gradients, self.roundings, oracle, estimate, line)
            for oracle, estimate in known
            if estimate is not None
        )

    def all_beside(self, answers: tuple[Answer, ...]) -> tuple[tuple[Comparison, ...], ...]:
        """Every leaf's claimed gradient against every estimate of it."""
        return tuple(
            tuple(found for answer in answers for found in self._once(position, answer))
            for position in range(len(self.gradients))
        )

    def _once(self, position: int, answer: Answer) -> tuple[Comparison, ...]:
        """`beside` for one answer, compared once; the answer is kept, so that no identity is used twice."""
        key = (position, id(answer))
        if key not in self._compared:
            found = self.beside(position, self.gradients[position], (answer,))
            self._compared[key] = (answer, found)
        return self._compared[key][1]


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


def examine(claim: Claim, asked: Asked, seed: int, sensitivity: float | None = None) -> Examination:
    """Judge nothing yet: gather the claimed gradients and each oracle's estimates of them.

    sensitivity: None leaves it to the arithmetic.
    """
    evaluator = Evaluator(claim)
    # Probes go where numbers overflow, and are then left out; nobody need hear of it.
    with np.errstate(all="ignore"):
        probe = draw_probe(evaluator, seed)
    claimed = _claimed(evaluator, probe)
    sensitivity = sensitivity or _attainable(claimed)
    finite = all(np.isfinite(out).all() for out in evaluator.outputs)
    with np.errstate(all="ignore"):
        claimed, answers = _ask(claimed, asked, sensitivity) if finite else (claimed, ())
        return Examination(
            claimed=claimed,
            answers=answers,
            comparisons=claimed.all_beside(answers),
            together=claimed.together(answers),
            sensitivity=sensitivity,
        )


def _claimed(evaluator: Evaluator, probe: Probe) -> Claimed:
    raw = evaluator.backward(evaluator.point, probe.cotangents)
    gradients = tuple(
        np.zeros_like(leaf.value, dtype=np.float64) if gradient is None else gradient
        for leaf, gradient in zip(evaluator.leaves, raw, strict=True)
    )
    with np.errstate(all="ignore"):
        roundings = _roundings(evaluator, probe, gradients)
    return Claimed(evaluator=evaluator, probe=probe, gradients=gradients, roundings=roundings)


def _attainable(claimed: Claimed) -> float:
    """What the narrowest arithmetic in sight allows a PASS to see."""
    widths = [array.dtype.itemsize for array in (*claimed.evaluator.outputs, *claimed.gradients)]
    return SENSITIVITY[min(8, *widths)]


def _ask(claimed: Claimed, asked: Asked, sensitivity: float) -> tuple[Claimed, tuple[Answer, ...]]:
    """Every oracle's answer, and the claim with its rounding measured where that was in doubt.

    Where one that knows every entry agrees with the claim, finite differences only have to bear the two
    out, along one line; otherwise they look at each leaf.
    """
    answers: tuple[Answer, ...] = ()
    for oracle in asked.oracles:
        if oracle is finite_difference and not asked.by_name and _settled(claimed, answers, sensitivity):
            for look in (at_a_glance, finite_difference):
                brief = look(claimed.evaluator, along_one_line(claimed.probe, claimed.evaluator))
                if _borne_out(claimed.together((brief,))):
                    return claimed, (*answers, brief)
        if oracle is autodiff:
            answer = _by_autodiff(claimed, sensitivity)
        else:
            answer = oracle(claimed.evaluator, claimed.probe)
        if asked.places and oracle is finite_difference and answer.estimates:
            answer = _located(claimed, answers, answer)
        if oracle is autodiff and answer.estimates:
            claimed = _looked_at_beside(claimed, (*answers, answer), sensitivity)
        if oracle is finite_difference and answer.estimates:
            claimed = _with_corners(_with_ripple(claimed, answer), answer)
            claimed = _looked_at_beside(claimed, (*answers, answer), sensitivity)
        answers = (*answers, answer)
    return claimed, answers


def _by_autodiff(claimed: Claimed, sensitivity: float) -> Answer:
    """Autodiff's answer, with a bar from one nudge where nobody doubts the claim, and from several otherwise.

    More of them can only widen it.
    """
    brief = autodiff(claimed.evaluator, claimed.probe, copies=1)
    if not brief.estimates or not (
        _accused_leaves(claimed, brief) or _blunt_leaves(claimed, brief, sensitivity)
    ):
        return brief
    answer = autodiff(claimed.evaluator, claimed.probe)
    return _in_more_digits(claimed, replace(answer, evaluations=brief.evaluations + answer.evaluations))


def _with_corners(claimed: Claimed, answer: Answer) -> Claimed:
    """The claim with slopes along several kinks at once, where all of them bend one way.

    Each entry of a claim may lie between the slopes of its own kink, and all of them together not: of two
    tied maxima both may have the whole gradient or none, but not both of them.
    """
    look, found = None, {}
    for position, estimate in enumerate(answer.estimates):
        corners = estimate.kink & np.isfinite(estimate.error)
        if estimate.directions is not None or estimate.bend is None or corners.sum() < SEVERAL:
            continue
        if abs(np.sign(estimate.bend[corners]).sum()) < corners.sum():
            continue  # neither convex nor concave: its subgradients are bounded by no slopes
        look = look or Differencing(claimed.evaluator, claimed.probe)
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


def _with_ripple(claimed: Claimed, answer: Answer) -> Claimed:
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


def _in_more_digits(claimed: Claimed, answer: Answer) -> Answer:
    """An accusation by a formula is weighed by what its own rounding is seen to do in more digits.

    log(1 - a) with a next to 1 has lost most digits of 1 - a, and no change of the inputs by one unit of
    round-off shows that, since they move a by less than one.
    """
    if not _accused_leaves(claimed, answer):
        return answer
    lost = lost_digits(claimed.evaluator, claimed.probe, answer)
    estimates = tuple(e.widened(more) for e, more in zip(answer.estimates, lost, strict=True))
    return replace(answer, estimates=estimates)


def _looked_at_beside(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> Claimed:
    """The claim with what shows beside the point, where the last oracle accuses it or hardly sees it: which
    entries are derivatives, be they less than the rounding of the function, and what is rounding in them."""
    answer = answers[-1]
    formula = answer.oracle == AUTODIFF
    accused = _accused_leaves(claimed, answer) if formula else set()
    if accused:
        claimed = replace(claimed, tied=at_kink(claimed.evaluator, claimed.probe.seed))
    doubted = accused | _blunt_leaves(claimed, answer, sensitivity)
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
        guilty = {i for one in answers for i in _accused_leaves(claimed.with_roundings(known), one)}
        known = {i: rounding for i, rounding in known.items() if i not in guilty}
    claimed = claimed.with_roundings(known)
    accused = _accused_leaves(claimed, answer) if formula and seen else set()
    if not accused:
        return claimed
    wider = {i: claimed.roundings[i].and_own(jitter(ours[i], expected[i])) for i in accused}
    still = _accused_leaves(claimed.with_roundings(wider), answer)
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


def _blunt_leaves(claimed: Claimed, answer: Answer, sensitivity: float) -> set[int]:
    """The leaves of which an oracle, and the claim's own rounding, would hide what a PASS must have seen."""
    comparisons = claimed.all_beside((answer,))
    return {i for i, found in enumerate(comparisons) if found and not found[0].detection_limit <= sensitivity}


def _accused_leaves(claimed: Claimed, answer: Answer) -> set[int]:
    """The leaves of which an oracle finds entries wrong."""
    comparisons = claimed.all_beside((answer,))
    return {i for i, found in enumerate(comparisons) if found and found[0].wrong.any()}


def _settled(claimed: Claimed, answers: tuple[Answer, ...], sensitivity: float) -> bool:
    """Whether every leaf was found right by an oracle that would have seen an error in any entry."""
    return all(
        np.isfinite(gradient).all()
        and any(not c.wrong.any() and c.detection_limit <= sensitivity for c in comparisons)
        and not any(c.wrong.any() for c in comparisons)
        for gradient, comparisons in zip(claimed.gradients, claimed.all_beside(answers), strict=True)
    )


def _borne_out(together: tuple[Comparison, ...]) -> bool:
    return all(
        np.isfinite(c.allowance).all()
        and not c.estimate.kink.any()
        and not c.wrong.any()
        and (c.estimate.ripple is None or not c.estimate.ripple.any())
        for c in together
    )


def _located(claimed: Claimed, others: tuple[Answer, ...], answer: Answer) -> Answer:
    """Finite differences that have also looked at single entries of large leaves that seem wrong.

    Where another oracle accuses entries, at the worst of those; otherwise at those that bisection finds.
    """
    estimates = list(answer.estimates)
    before = claimed.evaluator.forwards
    look = None
    for position, gradient in enumerate(claimed.gradients):
        found = claimed.beside(position, gradient, (answer,))  # none for a wrong shape
        if estimates[position].directions is None or not found or not np.isfinite(gradient).all():
            continue
        (directional,) = found
        entrywise = [c for c in claimed.beside(position, gradient, others) if c.entrywise]
        if not any(c.wrong.any() for c in (*entrywise, directional)):
            continue
        look = look or Differencing(claimed.evaluator, claimed.probe)
        entries = _accused(entrywise) or _found(claimed, look, position, directional)
        if not entries:
            continue
        at = claimed.evaluator.leaves[position].value
        lines = np.stack([unit(at, entry) for entry in entries])
        slopes = [_along_entry(look, position, at, line) for line in lines]
        more = in_form(estimates[position].leaf, lines, slopes, (len(slopes),))
        estimates[position] = estimates[position].with_lines(more)
    spent = claimed.evaluator.forwards - before
    return replace(answer, estimates=tuple(estimates), evaluations=answer.evaluations + spent)


def _accused(comparisons: list[Comparison]) -> list[int]:
    """The entries that lie furthest outside the bar of an oracle that knows each."""
    for c in comparisons:
        if c.wrong.any():
            return _largest_of(np.where(c.wrong, c.gap - c.allowance, -np.inf), int(c.wrong.sum()))
    return []


def _largest_of(values: Array, count: int) -> list[int]:
    """Where the largest of some numbers are in the flattened array, at most PLACES of them."""
    found: list[int] = []
    for _ in range(min(PLACES, count)):
        found.append(int(np.argmax(values)))
        values[np.unravel_index(found[-1], values.shape)] = -np.inf
    return found


def _along_entry(look: Differencing, position: int, at: Array, line: Array) -> Slope:
    """The derivative by one entry, in steps of its size."""
    size = max(float(np.abs(np.vdot(line, at))), typical(at))
    return look.slope({position: line * size}).per(size)


def _found(claimed: Claimed, look: Differencing, position: int, seen: Comparison) -> list[int]:
    """Wrong entries found by bisection; none in a leaf that lies over several devices."""
    gradient = claimed.gradients[position]
    if not isinstance(gradient, np.ndarray):
        return []
    search = Search(look, position, gradient, claimed.roundings[position].leaf)
    worst = int(np.argmax(np.where(seen.wrong, seen.gap - seen.allowance, -np.inf)))
    whole = Slope(value=float(seen.estimate.value[worst]), error=float(seen.allowance[worst]))
    return search.wrong_entries(seen.estimate.lines[worst], whole)


def _roundings(evaluator: Evaluator, probe: Probe, claimed: tuple[Array, ...]) -> tuple[Rounding, ...]:
    """How far rounding may have moved each claimed gradient."""
    repeatable = evaluator.claim.repeatable
    single = evaluator.single_backward(probe.cotangents) if repeatable else ()
    singles = single if len(single) == len(claimed) else (None,) * len(claimed)
    return tuple(
        _rounding(gradient, single, repeatable) for gradient, single in zip(claimed, singles, strict=True)
    )


def _rounding(gradient: Array, single: Array | None, repeatable: bool) -> Rounding:
    """Entry by entry only for double precision that can be run again: what is in doubt is then measured."""
    largest = float(np.abs(gradient).max(initial=0, where=np.isfinite(gradient)))
    seen = np.zeros_like(gradient, dtype=np.float64) if single is None else from_single(single, gradient)
    leaf = max(allowance(gradient.dtype, largest), float(seen.max(initial=0)))
    if not repeatable or gradient.dtype != np.float64:
        return Rounding(leaf=leaf)
    return Rounding(leaf=leaf, own=allowances(gradient.dtype, gradient) + seen)
