"""A program put before the checker, with the numbers that the verdict rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.adapters import as_claim
from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.demo.page.lines import Program
from gradcheck.diagnosis.evidence import Finding
from gradcheck.examine import Examination, examine
from gradcheck.oracles import chosen
from gradcheck.oracles.finite_difference import differencing
from gradcheck.oracles.line import Line as Direction
from gradcheck.probes import typical
from gradcheck.surroundings import preserved
from gradcheck.teeth import bared
from gradcheck.verdict import LeafResult, Verdict, judge, overall
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
    seen: Examination
    numbers: tuple[Numbers, ...]

    @property
    def verdict(self) -> Verdict:
        """That of all gradients together."""
        return overall(tuple(n.result for n in self.numbers), self.seen.answers)[0]

    @property
    def first_wrong(self) -> str | None:
        """The first line backward whose gradient is wrong."""
        return next((n.name for n in self.numbers if n.verdict is Verdict.FAIL), None)

    def verdict_of(self, name: str) -> Verdict | None:
        """That of a line backward; None for one that is no gradient."""
        return next((n.verdict for n in self.numbers if n.name == name), None)

    def steps(self, name: str, index: tuple[int, ...]) -> Steps:
        """What central differences say of one entry of one gradient, step by step."""
        position = _positions(self.seen)[name]
        at = self.seen.evaluator.leaves[position].value
        size = max(abs(float(at[index])), typical(at))
        along = np.zeros(at.shape)
        along[index] = size
        direction: Direction = {position: along}
        with preserved(), np.errstate(all="ignore"):
            look = differencing(self.seen.evaluator, self.seen.claimed.probe)
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
    return _look(program, seen)


def look_beside(right: Look, program: Program, params: Arrays, X: Array, Y: Array) -> Look:
    """The same for other lines backward at the point of another look, whose oracles are not asked again."""
    found = program.gradients(program.with_shifts(params, X), X, Y)
    claimed = replace(right.seen.claimed, gradients=tuple(found[name] for name in _positions(right.seen)))
    comparisons = claimed.all_beside(right.seen.answers)
    return _look(program, replace(right.seen, claimed=claimed, comparisons=comparisons))


def findings(program: Program, params: Arrays, X: Array, Y: Array, seed: int) -> tuple[Finding, ...]:
    """What a user who checks these lines is told of their mistake."""
    given = (params, constant(X), constant(Y))
    return check_gradients(program.loss, *given, gradients=program.gradients, seed=seed).findings


def _look(program: Program, seen: Examination) -> Look:
    """The verdicts on what was seen, by the rule of every check."""
    results = bared(seen, judge(seen))
    jax, differences = (
        next(answer for answer in seen.answers if answer.oracle == name).estimates for name in ORACLES
    )
    positions = _positions(seen)
    numbers = tuple(
        Numbers(
            name=line.name,
            result=results[i],
            claimed=np.asarray(seen.claimed.gradients[i], dtype=float),
            jax=jax[i].value,
            differences=differences[i].value,
            bars=differences[i].error,
            wrong=next((c.wrong for c in seen.comparisons[i]), np.zeros(jax[i].value.shape, dtype=bool)),
        )
        for line in program.backwards
        if (i := positions.get(line.name)) is not None
    )
    return Look(program=program, seen=seen, numbers=numbers)


def _positions(seen: Examination) -> dict[str, int]:
    """The leaves by the lecture names of their gradients: dW1 of params['W1']."""
    names = (leaf.name.removeprefix("params['").removesuffix("']") for leaf in seen.evaluator.leaves)
    return {f"d{name}": position for position, name in enumerate(names)}
