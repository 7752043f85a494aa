"""A program put before the checker, with the numbers that the verdict rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.adapters import as_claim
from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.demo.page.lines import Program
from gradcheck.examine import Examination, examine
from gradcheck.oracles import chosen
from gradcheck.oracles.finite_difference import Differencing
from gradcheck.oracles.line import Line as Direction
from gradcheck.probes import typical
from gradcheck.report import Report
from gradcheck.surroundings import preserved
from gradcheck.verdict import LeafResult, Verdict
from manual.types import Array, Arrays

ORACLES = ("autodiff", "finite-difference")  # by name: each says all it can, entry by entry


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """One gradient by its lecture name: claimed, by JAX, and by differences with their error bar.

    index: the entry that the verdict names, or the largest. wrong: where the claim is outside JAX's bar; none
    for a claim of another shape. The arrays have the parameter's shape, but for
    `claimed`, which has whatever shape the formula gave it.
    """

    name: str
    result: LeafResult
    claimed: Array
    jax: Array
    differences: Array
    bars: Array
    wrong: NDArray[np.bool_]

    @property
    def verdict(self) -> Verdict:
        return self.result.verdict

    @property
    def fits(self) -> bool:
        """Whether the claim has the parameter's shape."""
        return self.claimed.shape == self.jax.shape

    @property
    def index(self) -> tuple[int, ...]:
        largest = np.unravel_index(np.argmax(np.abs(self.jax)), self.jax.shape)
        return self.result.worst_index or tuple(int(i) for i in largest)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The gap of one entry to central differences at every step, the step chosen, and the error bar there."""

    points: tuple[tuple[float, float], ...]
    chosen: float
    bar: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """A program judged at one point. numbers: of every gradient that it claims, in its own order."""

    program: Program
    report: Report
    seen: Examination
    numbers: tuple[Numbers, ...]

    @property
    def first_wrong(self) -> str | None:
        """The first line backward whose gradient is wrong."""
        return next((n.name for n in self.numbers if n.verdict is Verdict.FAIL), None)

    def verdict(self, name: str) -> Verdict | None:
        """That of a line backward; None for one that is no gradient."""
        return next((n.verdict for n in self.numbers if n.name == name), None)

    def steps(self, name: str, index: tuple[int, ...]) -> Steps:
        """What central differences say of one entry of one gradient, step by step."""
        position = next(
            i for i, leaf in enumerate(self.report.leaves) if letter(leaf.name) == name.removeprefix("d")
        )
        at = self.seen.evaluator.leaves[position].value
        size = max(abs(float(at[index])), typical(at))
        along = np.zeros(at.shape)
        along[index] = size
        direction: Direction = {position: along}
        with preserved(), np.errstate(all="ignore"):
            look = Differencing(self.seen.evaluator, self.seen.claimed.probe)
            climbed, slope = look.differences(direction), look.slope(direction).per(size)
        claimed = float(self.seen.claimed.gradients[position][index])
        gaps = np.abs(climbed.central / size - claimed)
        points = zip((climbed.step * size).tolist(), gaps.tolist(), strict=True)
        return Steps(points=tuple(points), chosen=slope.step, bar=slope.error)


def look_at(program: Program, params: Arrays, X: Array, Y: Array, seed: int) -> Look:
    """Every gradient that the program claims, of intermediates as well, judged by both oracles."""
    shifted = program.with_shifts(params, X)
    with preserved():
        claim = as_claim(
            program.loss,
            (shifted, constant(X), constant(Y)),
            vjp=None,
            gradients=program.gradients,
            reference=None,
            names=None,
            convention="vjp",
            order=1,
        )
        seen = examine(claim, chosen(ORACLES), seed)
    report = _report(program, shifted, X, Y, seed)
    return Look(program=program, report=report, seen=seen, numbers=_numbers(program, report, seen))


def look_beside(right: Look, program: Program, params: Arrays, X: Array, Y: Array, seed: int) -> Look:
    """The same for other lines backward at the point of another look, whose oracles are not asked again."""
    shifted = program.with_shifts(params, X)
    report = _report(program, shifted, X, Y, seed)
    found = program.gradients(shifted, X, Y)
    gradients = tuple(found["d" + letter(leaf.name)] for leaf in report.leaves)
    claimed = replace(right.seen.claimed, gradients=gradients)
    seen = replace(right.seen, claimed=claimed, comparisons=claimed.all_beside(right.seen.answers))
    return Look(program=program, report=report, seen=seen, numbers=_numbers(program, report, seen))


def _report(program: Program, shifted: Arrays, X: Array, Y: Array, seed: int) -> Report:
    given = (shifted, constant(X), constant(Y))
    return check_gradients(program.loss, *given, gradients=program.gradients, oracles=ORACLES, seed=seed)


def letter(leaf: str) -> str:
    """The lecture name of a leaf: W1 of params['W1']."""
    return leaf.removeprefix("params['").removesuffix("']")


def _numbers(program: Program, report: Report, seen: Examination) -> tuple[Numbers, ...]:
    positions = {"d" + letter(leaf.name): i for i, leaf in enumerate(report.leaves)}
    jax, differences = (
        next(answer for answer in seen.answers if answer.oracle == name).estimates for name in ORACLES
    )
    return tuple(
        Numbers(
            name=line.name,
            result=report.leaves[i],
            claimed=np.asarray(seen.claimed.gradients[i], dtype=float),
            jax=jax[i].value,
            differences=differences[i].value,
            bars=differences[i].error,
            wrong=next((c.wrong for c in seen.comparisons[i]), np.zeros(jax[i].value.shape, dtype=bool)),
        )
        for line in program.backwards
        if (i := positions.get(line.name)) is not None
    )
