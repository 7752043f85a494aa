"""Values of the forward along one direction, on a ladder of steps around the point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.errors import ClaimError
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import flat

STEPS = tuple(2.0 ** -(2 + 4 * k) for k in range(11))
ROUNDING_UNITS = 4  # units of round-off that one evaluation of an output is granted unmeasured

BISECTIONS = 12  # steps towards where outputs begin to move; each halves the distance
JUMP_MARGIN = 64  # a movement that much larger than proportional is a jump


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What the ladder showed, coarsest step first; steps that could not be taken are left out.

    step: realised half-widths t, in units of the direction.
    central: <u, f(x + t d) - f(x - t d)> / 2t for the cotangent u.
    second: <u, f(x + t d) - 2 f(x) + f(x - t d)>, which is curvature (t^2), a kink (t) or noise (1).
    rounding: what <u, f> may be off by at each step, from the outputs that moved at any step.
    unseen: the derivative that outputs which never moved can hide below their round-off.
    jump: the smallest jump of <u, f> that was met on the way; 0 where the outputs move smoothly.
    """

    step: Array
    central: Array
    second: Array
    rounding: Array
    unseen: float
    jump: float


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The unmoved outputs as one vector, what contracts them, and how far each is off by itself."""

    cotangent: Array
    output: Array
    unit: Array  # round-off granted to an output of size 1, by its dtype
    repeat: Array  # change of each output when the same point is evaluated again


def baseline(evaluator: Evaluator, cotangents: Arrays) -> Baseline:
    """Evaluates the user's point once more, to see whether it gives the same output twice."""
    output = flat(evaluator.outputs)
    units = [np.full(out.size, ROUNDING_UNITS * np.finfo(out.dtype).eps) for out in evaluator.outputs]
    return Baseline(
        cotangent=flat(cotangents),
        output=output,
        unit=np.concatenate(units),
        repeat=np.abs(flat(evaluator.forward(evaluator.point)) - output),
    )


def climb(
    evaluator: Evaluator, base: Baseline, position: int, direction: Array, failures: list[str]
) -> Differences:
    """Take every step of the ladder along a direction of the leaf at `position`.

    A step at which the forward raises or is not finite is left out, since the probe chose that
    point and not the user; what was raised is added to `failures`.
    """

    def outputs(t: float) -> Array | None:
        return _outputs(evaluator, moved_point(evaluator, position, direction * t), failures)

    steps, above, below = [], [], []
    for t in STEPS:
        plus, minus = outputs(t), outputs(-t)
        step = _realised(evaluator.point[position], direction, t)
        if plus is not None and minus is not None and step > 0:
            steps.append(step)
            above.append(plus)
            below.append(minus)
    shape = (len(steps), base.output.size)
    above, below = np.reshape(above, shape), np.reshape(below, shape)
    jump = _jump(base, outputs, np.array(steps), above, below)
    return _differences(base, np.array(steps, float), above, below, jump)


def _realised(at: Array, direction: Array, t: float) -> float:
    """Half the step that was taken, which is not t: x + t d and x - t d were rounded."""
    taken = (at + direction * t) - (at - direction * t)
    return float(np.vdot(direction, taken) / np.vdot(direction, direction) / 2)


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


def moved_point(evaluator: Evaluator, position: int, change: Array) -> Arrays:
    """The point with one leaf moved."""
    point = list(evaluator.point)
    point[position] = point[position] + change
    return tuple(point)


def _outputs(evaluator: Evaluator, values: Arrays, failures: list[str]) -> Array | None:
    try:
        with np.errstate(all="ignore"):
            outputs = flat(evaluator.forward(values))
    except ClaimError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's own, at a point we chose: it is reported
        failures.append(f"{type(error).__name__}: {error}")
        return None
    return outputs if np.isfinite(outputs).all() else None


def _differences(base: Baseline, steps: Array, above: Array, below: Array, jump: float) -> Differences:
    u = base.cotangent
    change = (above != base.output) | (below != base.output)
    mobile = change.any(axis=0)
    # Every output is differenced before the cotangent adds them up: one that does not move
    # then adds no round-off, however large it is.
    largest = np.maximum(np.maximum(np.abs(above), np.abs(below)), np.abs(base.output))
    still = np.abs(u) * (base.unit * np.abs(base.output) + base.repeat) * ~mobile
    return Differences(
        step=steps,
        central=(above - below) @ u / (2 * steps),
        second=((above - base.output) - (base.output - below)) @ u,
        rounding=((base.unit * largest + base.repeat) * mobile) @ np.abs(u),
        unseen=float(still.sum() / steps[0]) if steps.size else float("inf"),
        jump=jump,
    )
