"""A line through the user's point: which leaves move along it, and by how much a step."""

from __future__ import annotations

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.passes import blocks, most

STEPS = tuple(2.0 ** -(2 + 4 * k) for k in range(11))
GRAINS = 256  # units of round-off of an entry that a step must be at least, to be a step of that size

Line = dict[int, Array]  # the direction of every leaf that moves, by the leaf's position


def same_line(left: Line, right: Line) -> bool:
    """Whether the same leaves move in the same directions; of what lies over devices, nothing is fetched."""
    return left.keys() == right.keys() and all(_same(left[i], right[i]) for i in left)


def _same(left: Array, right: Array) -> bool:
    plain = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
    return left is right or (plain and np.array_equal(left, right))


def moved(evaluator: Evaluator, line: Line, t: float) -> Arrays:
    """The point after t steps along the line."""
    point = list(evaluator.point)
    for position, direction in line.items():
        step = np.multiply(direction, t, out=np.empty_like(point[position]))
        point[position] = np.add(point[position], step, out=step)
    return tuple(point)


def usable_steps(evaluator: Evaluator, line: Line) -> tuple[float, ...]:
    """The steps of the ladder, coarsest first, less those of so few units of round-off that they are not
    the direction any more."""
    finest = max((_grain(evaluator.point[position], d) for position, d in line.items()), default=0.0)
    return tuple(t for t in STEPS if t >= finest)


def _grain(at: Array, direction: Array) -> float:
    moving = direction != 0
    steps = np.divide(at, direction, out=np.zeros_like(at), where=moving)
    return GRAINS * float(np.finfo(at.dtype).eps * np.max(np.abs(steps), initial=0))


def realised(evaluator: Evaluator, line: Line, steps: list[float], sided: bool = False) -> Array:
    """The steps that were taken, which are not t - back for back = -t, or 0 where sided: both points were
    rounded.

    Half of each where it goes to both sides, so that f(t) - f(-t) is divided by twice the result.
    """
    longest = max(most(np.abs, direction) for direction in line.values())
    along, squared = np.zeros(len(steps)), 0.0
    for position, whole in line.items():
        for at, direction in blocks(evaluator.point[position], whole):
            unit = direction / longest  # squares neither overflow nor vanish
            squared += float(np.vdot(unit, unit))
            taken, behind = np.empty_like(at), np.empty_like(at)
            for i, t in enumerate(steps):
                np.add(at, np.multiply(direction, t, out=taken), out=taken)
                np.add(at, np.multiply(direction, 0.0 if sided else -t, out=behind), out=behind)
                np.subtract(taken, behind, out=taken)
                along[i] += float(np.vdot(unit, np.divide(taken, longest, out=taken)))
    return along / squared / (1 if sided else 2)
