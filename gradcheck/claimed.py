"""What a claim says at one point, with its rounding, ready to be laid beside what oracles say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.compare import Comparison, compare, compare_together
from gradcheck.evaluator import Evaluator
from gradcheck.oracles.base import Answer, Estimate, along, flat
from gradcheck.passes import blockwise, largest
from gradcheck.probes import Probe, along_one_line
from gradcheck.rounding import Rounding, allowance, allowances, from_single, rounded_to_single


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

    def in_fewer_digits(self, positions: set[int]) -> Claimed:
        """The same with those of these gradients in single precision that were rounded to it, whatever
        the arrays that hold them; itself where there are none."""
        wide = {i for i in positions if isinstance(self.gradients[i], np.ndarray)}  # and not over devices
        wide = {i for i in wide if self.gradients[i].dtype == np.float64}
        single = {
            i: self.gradients[i].astype(np.float32) for i in wide if rounded_to_single(self.gradients[i])
        }
        if not single:
            return self
        gradients = tuple(single.get(i, own) for i, own in enumerate(self.gradients))
        narrow = {i: _rounding(gradient, None, repeatable=True) for i, gradient in single.items()}
        return replace(self, gradients=gradients).with_roundings(narrow)

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

    def accused(self, answer: Answer) -> set[int]:
        """The leaves of which an oracle finds entries wrong."""
        comparisons = self.all_beside((answer,))
        return {i for i, found in enumerate(comparisons) if found and found[0].wrong.any()}

    def blunt(self, answer: Answer, sensitivity: float) -> set[int]:
        """The leaves of which an oracle, and the claim's rounding, would hide what a PASS must have seen."""
        comparisons = self.all_beside((answer,))
        return {
            i for i, found in enumerate(comparisons) if found and not found[0].detection_limit <= sensitivity
        }


def claimed_at(evaluator: Evaluator, probe: Probe) -> Claimed:
    """Runs the backward at the evaluator's point, and measures how it rounds."""
    raw = evaluator.backward(evaluator.point, probe.cotangents)
    gradients = tuple(
        np.zeros_like(leaf.value, dtype=np.float64) if gradient is None else gradient
        for leaf, gradient in zip(evaluator.leaves, raw, strict=True)
    )
    with np.errstate(all="ignore"):
        roundings = _roundings(evaluator, probe, gradients)
    return Claimed(evaluator=evaluator, probe=probe, gradients=gradients, roundings=roundings)


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
    singles = () if single is None else (single,)

    def of_each(gradient: Array, *singles: Array) -> tuple[Array, Array]:
        nothing = np.zeros_like(gradient, dtype=np.float64)
        seen = from_single(singles[0], gradient) if singles else nothing
        return seen, allowances(gradient.dtype, gradient) + seen

    seen, own = blockwise(of_each, gradient, *singles)
    leaf = max(allowance(gradient.dtype, largest(gradient)), float(seen.max(initial=0)))
    fine = repeatable and gradient.dtype == np.float64
    return Rounding(leaf=leaf, own=own if fine else None)
