"""Values of the forward along one direction, on a ladder of steps around the point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import flat

STEPS = tuple(2.0 ** -(2 + 4 * k) for k in range(11))
ROUNDING_UNITS = 4  # units of round-off that one evaluation of an output is granted unmeasured

GRAINS = 256  # units of round-off of an entry that a step must be at least, to be a step of that size
REPEATS = 3  # evaluations at the user's own point, which must all give the same output
BISECTIONS = 12  # steps towards where outputs begin to move; each halves the distance
JUMP_MARGIN = 64  # a movement that much larger than proportional is a jump


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What the ladder showed, coarsest step first; steps that could not be taken are left out.

    step: realised half-widths t, in units of the direction.
    central: <u, f(x + t d) - f(x - t d)> / 2t for the cotangent u.
    second: <u, f(x + t d) - 2 f(x) + f(x - t d)>, which is curvature (t^2), a kink (t) or noise (1).
    gaps: the same with every output's share taken as a size: kinks of two outputs cannot cancel.
    rounding: what <u, f> may be off by at each step, from the outputs that moved at any step.
    unseen: the derivative that outputs which never moved can hide below their round-off.
    jump: the smallest jump of <u, f> that was met on the way; 0 where the outputs move smoothly.
    """

    step: Array
    central: Array
    second: Array
    gaps: Array
    rounding: Array
    unseen: float
    jump: float


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The unmoved outputs as one vector, what contracts them, and how far each is off by itself."""

    cotangent: Array
    output: Array
    unit: Array  # round-off granted to an output of size 1, by its dtype
    repeat: Array  # largest change of each output when the same point is evaluated again


def baseline(evaluator: Evaluator, cotangents: Arrays) -> Baseline:
    """Evaluates the user's point again, to see whether it always gives the same output."""
    output = flat(evaluator.outputs)
    units = [np.full(out.size, ROUNDING_UNITS * np.finfo(out.dtype).eps) for out in evaluator.outputs]
    repeats = [flat(evaluator.forward(evaluator.point)) for _ in range(REPEATS)]
    return Baseline(
        cotangent=flat(cotangents),
        output=output,
        unit=np.concatenate(units),
        repeat=np.max([np.abs(again - output) for again in repeats], axis=0),
    )


def climb(evaluator: Evaluator, base: Baseline, position: int, direction: Array) -> Differences:
    """Take every step of the ladder along a direction of the leaf at `position`.

    Left out are steps at which the forward raises or is not finite, since the probe chose that
    point and not the user, and steps of so few units of round-off that they are not the
    direction any more.
    """
    at, direction = evaluator.point[position], direction.astype(np.float64)
    moving = direction != 0
    grain = GRAINS * np.finfo(at.dtype).eps * np.max(np.abs(at[moving] / direction[moving]), initial=0)

    def outputs(t: float) -> Array | None:
        found = evaluator.probe(moved_point(evaluator, position, direction * t))
        if found is None:
            return None
        vector = flat(found)
        return vector if np.isfinite(vector).all() else None

    steps, above, below = [], [], []
    for t in STEPS:
        if t >= grain:
            plus, minus = outputs(t), outputs(-t)
            if plus is not None and minus is not None:
                steps.append(_realised(at, direction, t))
                above.append(plus)
                below.append(minus)
    shape = (len(steps), base.output.size)
    above, below = np.reshape(above, shape), np.reshape(below, shape)
    jump = _jump(base, outputs, np.array(steps), above, below)
    return _differences(base, np.array(steps, float), above, below, jump)


def moved_point(evaluator: Evaluator, position: int, change: Array) -> Arrays:
    """The point with one leaf moved."""
    point = list(evaluator.point)
    point[position] = point[position] + change
    return tuple(point)


def _realised(at: Array, direction: Array, t: float) -> float:
    """Half the step that was taken, which is not t: x + t d and x - t d were rounded."""
    unit = direction / np.abs(direction).max()  # its square neither overflows nor vanishes
    taken = ((at + direction * t) - (at - direction * t)) / np.abs(direction).max()
    return float(np.vdot(unit, taken) / np.vdot(unit, unit) / 2)


def _jump(
    base: Baseline, outputs: Callable[[float], Array | None], steps: Array, above: Array, below: Array
) -> float:
    """Where outputs stand still on fine steps and move on coarse ones: how far they jump between.

    Bisection closes in on where they begin to move. A quantised output moves by one quantum
    however near one comes; a unit that wakes up moves less and less.
    """
    for side, values in ((1, above), (-1, below)):
        moving = (values != base.output).any(axis=1)
        if not moving.any() or moving[-1]:
            continue
        first = int(np.flatnonzero(moving)[-1])
        still, moves, change = steps[first + 1], steps[first], values[first]
        for _ in range(BISECTIONS):
            middle = (still + moves) / 2
            found = outputs(side * middle)
            if found is not None and (found != base.output).any():
                moves, change = middle, found
            else:
                still = middle
        jump = np.abs(base.cotangent) @ np.abs(change - base.output)
        reach = np.abs(base.cotangent) @ np.abs(values[first] - base.output)
        if jump > reach * (moves - still) / (steps[first] - steps[first + 1]) * JUMP_MARGIN:
            return float(jump)
    return 0.0


def _differences(base: Baseline, steps: Array, above: Array, below: Array, jump: float) -> Differences:
    u = base.cotangent
    change = (above != base.output) | (below != base.output)
    mobile = change.any(axis=0)
    # Every output is differenced before the cotangent adds them up: one that does not move
    # then adds no round-off, however large it is.
    largest = np.maximum(np.maximum(np.abs(above), np.abs(below)), np.abs(base.output))
    second = (above - base.output) - (base.output - below)
    # An output of exactly 0 has no size of its own: what it lost was rounded away beside 1.
    size = np.where(base.output == 0, 1, np.abs(base.output))
    still = np.abs(u) * (base.unit * size + base.repeat) * ~mobile
    return Differences(
        step=steps,
        central=(above - below) @ u / (2 * steps),
        second=second @ u,
        gaps=np.abs(second) @ np.abs(u),
        rounding=((base.unit * largest + base.repeat) * mobile) @ np.abs(u),
        unseen=float(still.sum() / steps[0]) if steps.size else float("inf"),
        jump=jump,
    )
