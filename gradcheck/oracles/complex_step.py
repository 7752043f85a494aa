"""The complex-step oracle: an analytic forward, evaluated a tiny imaginary step beside the point.

Im f(x + i h d) / h is the derivative along d. Nothing is subtracted, so that no digits cancel, and what is
left out of it, (h r)^2 / 6 for a function that varies over 1 / r, is less than rounding x to float64 does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.analytic import obstacle
from gradcheck.oracles.base import TOGETHER, Answer, Estimate
from gradcheck.oracles.line import Line
from gradcheck.oracles.nudges import NUDGED_COPIES, bar, nudged
from gradcheck.oracles.recorded import NotRecorded, recorded
from gradcheck.probes import NUDGES, Probe, directions_of, generator, signed, typical
from gradcheck.rounding import allowance, from_single

NAME = "complex-step"
# Of an entry's size. Rounding x to float64 moves a function that varies over 1 / r by 2^-53 r, and
# (2^-50 r)^2 / 6 is less than that as long as r leaves any digits at all. A smaller step gains nothing
# and underflows sooner. A power of two: multiplying by it and dividing by it rounds nothing.
STEP = 2.0**-50
SINGLE_STEP = 2.0**-22  # the same in single precision
COARSER = 16  # the other step, which must give the same: what is left out of it is 256 times as much
ANOTHER = 1e-3  # of its size: a complex function on another branch is not off by a little
BESIDE = 4  # units of round-off within which no `if` of the forward may turn out otherwise


def complex_step(evaluator: Evaluator, probe: Probe) -> Answer:
    """The derivative of an analytic forward to the last digits, and a refusal of any other.

    Computed in extended precision where the machine has one. The bar is how the derivative moves when
    every input moves by one unit of round-off, one of those times with another step, and what double
    precision makes of it; without extended precision what single makes of it instead.
    """
    if evaluator.is_jax:
        return Answer(oracle=NAME, why_not="it takes complex steps through a recorded NumPy forward only")
    from gradcheck.tracing.evaluate import UnsupportedPrimitive

    try:
        trace = recorded(evaluator, probe.seed)
        why_not = _unfit(evaluator, trace, probe.seed)
        if why_not:
            return Answer(oracle=NAME, why_not=why_not)
        stepper = Stepper(evaluator, trace, probe)
        estimates, together = _estimates(evaluator, stepper, probe)
    except (NotRecorded, UnsupportedPrimitive) as reason:
        return Answer(oracle=NAME, why_not=str(reason))
    return Answer(oracle=NAME, estimates=estimates, together=together, evaluations=stepper.evaluations)


def _unfit(evaluator: Evaluator, trace: Any, seed: int) -> str:
    """Why no imaginary step can be taken from this point; empty where it can."""
    found = obstacle(trace)
    if found:
        return f"the forward is not analytic: {found}"
    if _between_branches(evaluator, trace, seed):
        return "the forward is not analytic here: the point lies where two of its branches meet"
    return _complex_gap(evaluator, trace)


def _between_branches(evaluator: Evaluator, trace: Any, seed: int) -> bool:
    """Whether an `if` of the forward turns out otherwise within rounding of the point.

    Inside a branch its formula is the function, and as analytic as it looks.
    """
    from gradcheck.tracing.derive import value_and_guards

    run, rng = value_and_guards(trace), generator(seed, NUDGES)
    _, here = run(evaluator.point)
    units = [
        BESIDE * np.finfo(v.dtype).eps * np.maximum(np.abs(v), typical(v)) * signed(rng, v.shape)
        for v in evaluator.point
    ]
    for side in (1, -1):
        _, there = run(tuple(v + side * unit for v, unit in zip(evaluator.point, units, strict=True)))
        if not all(np.array_equal(a, b) for a, b in zip(here, there, strict=True)):
            return True
    return False


def _complex_gap(evaluator: Evaluator, trace: Any) -> str:
    """How the forward in complex arithmetic differs from the user's at the point; empty where it does not."""
    from gradcheck.tracing.evaluate import compiled

    found = compiled(trace.jaxpr, dtype=np.complex128)(*evaluator.point)[: trace.outputs]
    for own, other in zip(evaluator.outputs, found, strict=True):
        if np.imag(other).any():
            return "the forward is not real in complex arithmetic, as a high power of a negative number"
        off = np.abs(np.real(other) - own).max(initial=0)
        if not off <= ANOTHER * np.abs(own).max(initial=0):
            return f"in complex arithmetic the forward gives something else, off by {off:.3g}"
    return ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One evaluation in a complex arithmetic: at `point`, with a step of this part of the line."""

    plan: Any
    point: Arrays
    limits: Any  # finfo of the arithmetic
    step: float


class Stepper:
    """Derivatives of <cotangent, output> along lines, each by several runs of a trace."""

    def __init__(self, evaluator: Evaluator, trace: Any, probe: Probe) -> None:
        from gradcheck.tracing.evaluate import compiled

        rng = generator(probe.seed, NUDGES)
        double, at = np.finfo(np.float64), evaluator.point
        plan = compiled(trace.jaxpr, dtype=np.complex128)
        points = [at] + [nudged(at, rng) for _ in range(NUDGED_COPIES)]
        self.runs = [Run(plan=plan, point=point, limits=double, step=STEP) for point in points[:-1]]
        self.runs.append(Run(plan=plan, point=points[-1], limits=double, step=COARSER * STEP))
        wide, single = _wide(trace, at), []
        if wide is not None:
            self.runs.insert(0, Run(plan=wide, point=at, limits=np.finfo(np.longdouble), step=STEP))
        else:
            small, narrow = np.finfo(np.float32), compiled(trace.jaxpr, dtype=np.complex64)
            rounded = tuple(value.astype(np.float32) for value in at)
            single = [nudged(rounded, rng) for _ in range(NUDGED_COPIES)]
            single = [Run(plan=narrow, point=p, limits=small, step=SINGLE_STEP) for p in single]
        self.singles: list[Run] = single
        self.cotangents = probe.cotangents
        self.outputs = trace.outputs
        self.evaluations = 0

    def along(self, run: Run, line: Line, length: float = 1.0) -> tuple[float, float]:
        """The derivative by a step of this length, and what rounding and underflow may have done to it."""
        self.evaluations += 1
        kind = run.limits.dtype
        step = _step(line, run)
        moved = [v + 1j * (step * line[i].astype(kind)) if i in line else v for i, v in enumerate(run.point)]
        outputs = run.plan(*moved)[: self.outputs]
        unit = step * length  # before the result leaves the wider arithmetic, where it underflows later
        terms = [u * (out.imag / unit) for u, out in zip(self.cotangents, outputs, strict=True)]
        size = sum(float(np.abs(t).sum()) for t in terms)
        lost = sum(float(np.abs(u).sum()) for u in self.cotangents) * run.limits.smallest_subnormal / unit
        return sum(float(t.sum()) for t in terms), allowance(np.dtype(float), size) + float(lost)


def _wide(trace: Any, at: Arrays) -> Any:
    """The trace in extended complex arithmetic; None on machines and for operations that have none."""
    from gradcheck.tracing.evaluate import UnsupportedPrimitive, compiled

    if np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant:
        return None
    try:
        plan = compiled(trace.jaxpr, dtype=np.clongdouble)
        plan(*at)
    except UnsupportedPrimitive:
        return None
    return plan


def _step(line: Line, run: Run) -> Any:
    """A power of two by which the line's largest entry neither underflows nor is seen in the real part."""
    number = run.limits.dtype.type
    largest = number(max(float(np.abs(direction).max(initial=0)) for direction in line.values()))
    if largest == 0:
        return number(run.step)
    return max(number(run.step), number(2) ** np.ceil(np.log2(run.limits.smallest_normal / largest)))


def _estimates(
    evaluator: Evaluator, stepper: Stepper, probe: Probe
) -> tuple[tuple[Estimate, ...], Estimate | None]:
    if probe.together is not None:
        return (), _estimate(stepper, TOGETHER, None, [dict(enumerate(probe.together))], (1,))
    found = []
    pairs = zip(evaluator.leaves, directions_of(probe, evaluator), strict=True)
    for position, (leaf, directions) in enumerate(pairs):
        if directions is None:
            lines, shape = _entries(leaf.value, position), leaf.value.shape
        else:
            lines, shape = [{position: direction} for direction in directions], (len(directions),)
        found.append(_estimate(stepper, leaf.name, directions, lines, shape))
    return tuple(found), None


def _entries(values: Array, position: int) -> list[Line]:
    """A line an entry, whose length is the power of two below the entry's size, or the leaf's for a zero."""
    sizes = np.where(values == 0, typical(values), np.abs(values)).astype(np.float64)
    lines = []
    for index, size in enumerate(sizes.flat):
        direction = np.zeros(values.shape)
        direction.flat[index] = 2.0 ** np.floor(np.log2(size))
        lines.append({position: direction})
    return lines


def _estimate(
    stepper: Stepper, leaf: str, directions: Array | None, lines: list[Line], shape: tuple[int, ...]
) -> Estimate:
    """Derivatives along lines with their bars; for lines of single entries by the unit step."""
    lengths = np.ones(len(lines))
    if directions is None and leaf != TOGETHER:
        lengths = np.array([max(float(d.max()) for d in line.values()) for line in lines])
    pairs = list(zip(lines, lengths, strict=True))
    found = [[stepper.along(run, *pair) for pair in pairs] for run in stepper.runs]
    moves = [np.reshape([value for value, _ in run], shape) for run in found]
    terms = np.reshape([rounding for _, rounding in found[0]], shape)
    singles = [np.reshape([stepper.along(run, *pair)[0] for pair in pairs], shape) for run in stepper.singles]
    rounding = max((float(from_single(single, moves[0]).max(initial=0)) for single in singles), default=0.0)
    return Estimate(
        leaf=leaf,
        directions=directions,
        value=moves[0],
        error=bar(moves) + terms + rounding,
        kink=np.zeros(shape, dtype=bool),
    )
