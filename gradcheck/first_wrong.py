"""The first wrong line of a backward: everything before it, in backward order, is right.

Every line is compared with the derivative by the very intermediate that it is named after. A line is right

- where it equals that derivative;
- where it is a multiple of it and gradients that come from it are right: a backward may put the 1/m of
  a mean at the end, and then has m times the derivatives before;
- where it equals the derivative by something that its intermediate is computed from: it has then
  been carried on under the same name, as through a mask.

It is wrong where it is none of these, and of the gradients that come from it some fail and not all that come
from nothing else are right.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.claim import Array
from gradcheck.compare import compare
from gradcheck.evaluator import Arrays
from gradcheck.examine import Examination
from gradcheck.jitter import enough, jitter, points_beside
from gradcheck.lines import Line, Unfolded, unfolded
from gradcheck.oracles.autodiff import NAME
from gradcheck.oracles.base import Estimate
from gradcheck.rounding import Rounding, allowance, from_single
from gradcheck.verdict import LeafResult, Verdict
from gradcheck.watch import Noted, watched_at_probe, watched_in_single

SHORT = re.compile(r"([A-Za-z_]\w*)(?:'\])?$")  # the last name in a leaf's path


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstWrong:
    """The first wrong quantity by the user's name for it, and those before it that are right, in order.

    at: the line, or the leaf. backward: what it is a line of; None where the forward was not recorded.
    """

    name: str
    at: Line | LeafResult
    right: tuple[str, ...] = ()
    backward: Unfolded | None = None


def first_wrong(seen: Examination, leaves: tuple[LeafResult, ...]) -> FirstWrong | None:
    """The first wrong line or leaf of a claim of which some leaf is wrong; None where it is not known.

    Without a record of the forward that is the only wrong leaf.
    """
    names = _names(leaves)
    backward = unfolded(seen)
    if backward is None:
        wrong = [
            (name, leaf) for name, leaf in zip(names, leaves, strict=True) if leaf.verdict is Verdict.FAIL
        ]
        return FirstWrong(name=wrong[0][0], at=wrong[0][1]) if len(wrong) == 1 else None
    judge = Judge(backward, leaves)
    right: list[str] = []
    for at in _in_order(backward, leaves):
        name = at.name if isinstance(at, Line) else names[leaves.index(at)]
        verdict = judge.of_line(at) if isinstance(at, Line) else at.verdict
        if verdict is Verdict.FAIL:
            return FirstWrong(name=name, at=at, right=tuple(right), backward=backward)
        if verdict is Verdict.PASS:
            right.append(name)
    return None


class Judge:
    """Lines beside derivatives, in backward order.

    factors: what earlier right lines were multiplied by. singles: the claim's own lines in float32, which
    show how they round.
    """

    def __init__(self, backward: Unfolded, leaves: tuple[LeafResult, ...]) -> None:
        self.backward, self.lineage, self.leaves = backward, backward.lineage, leaves
        self.evaluator, self.probe = backward.seen.evaluator, backward.seen.claimed.probe
        self.singles = watched_in_single(self.evaluator, self.probe.cotangents)
        self.variables = [line.variable for line in backward.lines]
        self.estimates = dict(zip(backward.lines, backward.derivatives(self.variables), strict=True))
        self.factors = [1.0]

    def of_line(self, line: Line) -> Verdict:
        """PASS for right, FAIL for wrong, UNDECIDED for a line that is neither in the sense of its name."""
        if self._right(line, self.estimates[line]):
            return Verdict.PASS
        alone = [leaf.verdict for leaf in self._leaves(line, alone=True)]
        failing = any(leaf.verdict is Verdict.FAIL for leaf in self._leaves(line))
        all_right = alone and all(verdict is Verdict.PASS for verdict in alone)
        if not failing or all_right or self._carried_on(line):
            return Verdict.UNDECIDED
        return Verdict.PASS if self._right(line, self._blurred(line)) else Verdict.FAIL

    def _right(self, line: Line, estimate: Estimate) -> bool:
        if any(self._equal(line, estimate, factor) for factor in self.factors):
            return True
        factor = _ratio(line.written, estimate.value)
        borne_out = any(self._shows(leaf) for leaf in self._leaves(line, alone=True))
        if not borne_out or not factor or not self._equal(line, estimate, factor):
            return False
        self.factors.append(factor)
        return True

    def _shows(self, leaf: LeafResult) -> bool:
        """Whether a leaf is right and not zero, which is right at any scale."""
        gradient = self.backward.seen.claimed.gradients[self.leaves.index(leaf)]
        return leaf.verdict is Verdict.PASS and bool(gradient.any())

    def _blurred(self, line: Line) -> Estimate:
        """The derivative by a line's intermediate with what rounding is seen to do to the gap beside."""
        estimate = self.estimates[line]
        beside = [
            (names[line.name].value, derivatives[self.variables.index(line.variable)])
            for names, derivatives in self._beside
            if line.name in names and names[line.name].value.shape == line.written.shape
        ]
        if not enough(beside):
            return estimate
        written, expected = zip((line.written, estimate.value), *beside, strict=True)
        with np.errstate(all="ignore"):
            return replace(estimate, error=estimate.error + jitter(list(written), list(expected)))

    @cached_property
    def _beside(self) -> list[tuple[dict[str, Noted], Arrays]]:
        """The names of the backward, and the derivatives, at points beside."""
        points = points_beside(self.evaluator.point, self.probe.seed)
        derivatives = self.backward.derivatives_at(points, self.variables)
        names = [watched_at_probe(self.evaluator, point, self.probe.cotangents) for point in points]
        return list(zip(names, derivatives, strict=True))

    def _equal(self, line: Line, estimate: Estimate, factor: float = 1.0) -> bool:
        """Whether a line is a multiple of a derivative, but for rounding."""
        if not np.isfinite(line.written).all():
            return False
        bar = allowance(line.written.dtype, np.abs(line.written).max(initial=0))
        if line.name in self.singles:
            bar += float(from_single(self.singles[line.name].value, line.written).max(initial=0))
        claimed = self.backward.seen.claimed
        rounding = Rounding(leaf=bar / abs(factor))
        written = line.written.astype(np.float64) / factor
        return not compare(written, rounding, NAME, estimate, claimed.scale, line.value).wrong.any()

    def _leaves(self, line: Line, *, alone: bool = False) -> list[LeafResult]:
        """The leaves whose gradients come from a line; alone: and from nothing else."""
        if alone:
            return [
                leaf
                for leaf, variable in zip(self.leaves, self.lineage.inputs, strict=True)
                if self.lineage.passes_through(variable, line.variable)
            ]
        above = set(self.lineage.ancestors(line.variable))
        return [leaf for leaf, v in zip(self.leaves, self.lineage.inputs, strict=True) if v in above]

    def _carried_on(self, line: Line) -> bool:
        """Whether a line is the derivative by something of its shape that its intermediate comes from."""
        above = [
            v
            for v in self.lineage.ancestors(line.variable)
            if (v.aval.shape, v.aval.dtype) == (line.variable.aval.shape, line.variable.aval.dtype)
            and v in self.lineage.used_first
        ]
        if not above or not line.written.any():  # zeros are not carried on: they are left out
            return False
        return any(self._equal(line, estimate) for estimate in self.backward.derivatives(above))


def _in_order(backward: Unfolded, leaves: tuple[LeafResult, ...]) -> list[Line | LeafResult]:
    """Lines in backward order, leaves right after the intermediate that their gradients are made from.

    Those of one intermediate stay in the order that the user has them in, such as W1, b1.
    """
    inputs, used_first = backward.lineage.inputs, backward.lineage.used_first
    named = [variable for _, variable, _ in backward.lineage.named() if variable not in inputs]
    named += [line.variable for line in backward.lines]
    marks = sorted({-used_first[variable] for variable in named})

    def place(used: int) -> int:
        return bisect_left(marks, -used) if marks else -used

    due = [(place(backward.lineage.joins(v)), 0, leaf) for leaf, v in zip(leaves, inputs, strict=True)]
    due += [(place(used_first[line.variable]), 1, line) for line in backward.lines]
    return [at for _, _, at in sorted(due, key=lambda item: item[:2])]


def _ratio(written: Array, expected: Array) -> float:
    """The factor between two arrays, were there but one; 0 where there is none."""
    largest = np.abs(expected).max(initial=0)
    if not largest or not np.isfinite(written).all():
        return 0.0
    unit = expected / largest
    return float(np.vdot(written, unit) / np.vdot(expected, unit))


def _names(leaves: tuple[LeafResult, ...]) -> list[str]:
    """What the gradients of leaves are called: dW1 for params['W1'], where there is but one W1."""
    short = [SHORT.search(leaf.name) for leaf in leaves]
    found = [f"d{match[1]}" if match else leaf.name for match, leaf in zip(short, leaves, strict=True)]
    times = Counter(found)
    return [name if times[name] == 1 else leaf.name for name, leaf in zip(found, leaves, strict=True)]
