"""Values of the forward along one direction, on a ladder of steps around the point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import flat
from gradcheck.oracles.line import Line, moved, realised
from gradcheck.rounding import arithmetic, arithmetic_afar

ROUNDING_UNITS = 4  # units of round-off that one evaluation of an output is granted unmeasured
BESIDE = np.pi * 1e-3  # of an entry's size: no number that makes another one round
# The same, and of 1, where an output stands still so near; one number in eight shows no narrow type.
FAR = tuple(np.pi * share for share in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1.0))
EDGE = 5  # steps on one side alone that make a derivative at the edge of a domain
BREAK_SIGNAL = 50  # times the rounding: a distance from f(x) that is believed
BREAK_SPREAD = 0.02  # by which the distance may change over the three finest steps; a slope changes 16-fold
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
    broken: whether <u, f> keeps a distance from f(x) on some side, however near one comes.
    """

    step: Array
    central: Array
    second: Array
    gaps: Array
    rounding: Array
    unseen: float
    jump: float
    broken: bool = False

    def finest(self, count: int) -> Differences:
        """The same without the coarser steps; what never moves on any step stays what it was."""
        names = ("step", "central", "second", "gaps", "rounding")
        return replace(self, **{name: getattr(self, name)[-count:] for name in names})


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The unmoved outputs as one vector, what contracts them, and how far each is off by itself."""

    cotangent: Array
    output: Array
    unit: Array  # round-off granted to an output of size 1, by its dtype
    least: Array  # the same of one that is next to 0, where a narrow type has steps of one size
    repeat: Array  # largest change of each output when the same point is evaluated again

    def off(self, sizes: Array) -> Array:
        """How far outputs of these sizes are off by themselves."""
        return self.unit * sizes + self.least + self.repeat


def baseline(evaluator: Evaluator, cotangents: Arrays, repeats: int = REPEATS) -> Baseline:
    """Evaluates the user's point again, to see whether it always gives the same output."""
    output = flat(evaluator.outputs)
    kinds = arithmetics(evaluator)
    sizes = [out.size for out in evaluator.outputs]
    repeated = [flat(evaluator.again.found)]
    repeated += [flat(evaluator.forward(evaluator.point)) for _ in range(repeats - 1)]
    return Baseline(
        cotangent=flat(cotangents),
        output=output,
        unit=ROUNDING_UNITS * np.repeat([float(np.finfo(kind).eps) for kind in kinds], sizes),
        least=ROUNDING_UNITS * np.repeat([_least(kind) for kind in kinds], sizes),
        repeat=np.max([np.abs(again - output) for again in repeated], axis=0),
    )


def _least(kind: type) -> float:
    """The smallest number of a narrow type. What vanishes in double vanishes in the claim as well."""
    return float(np.finfo(kind).smallest_subnormal) if np.finfo(kind).bits < 64 else 0.0


def arithmetics(evaluator: Evaluator) -> list[type]:
    """The type that each output was computed in, maybe of fewer digits than the one it is returned in."""
    here = evaluator.outputs
    beside = _beside(evaluator, BESIDE, sides=(1, -1))
    if any((a != b).any() for a, b in zip(here, beside, strict=True)):
        return [arithmetic(a, b) for a, b in zip(here, beside, strict=True)]
    # What stands still on its way out, as tanh does, moves on its way to 0.
    far = [
        _beside(evaluator, share, (side,), least) for least in (0.0, 1.0) for share in FAR for side in (1, -1)
    ]
    return [arithmetic_afar(out, *others) for out, *others in zip(here, *far, strict=True)]


def _beside(evaluator: Evaluator, share: float, sides: tuple[int, ...], least: float = 0.0) -> Arrays:
    """The outputs where every entry is off by a share of its size, of one that is at least so much, to the
    first side on which they are finite."""
    moves = [share * np.copysign(np.maximum(np.abs(v), least), v) for v in evaluator.point]
    for side in sides:
        found = evaluator.probe(
            tuple(v + side * move for v, move in zip(evaluator.point, moves, strict=True))
        )
        if found is not None and all(np.isfinite(out).all() for out in found):
            return found
    return evaluator.outputs


def climb(evaluator: Evaluator, base: Baseline, line: Line, steps: tuple[float, ...]) -> Differences:
    """Take these steps, coarsest first, along a line.

    Left out are steps at which the forward raises or is not finite, since the probe chose that
    point and not the user. Where the point lies at the edge of the forward's domain, one side is left.
    """

    def outputs(t: float) -> Array | None:
        found = evaluator.probe(moved(evaluator, line, t))
        if found is None:
            return None
        vector = flat(found)
        return vector if np.isfinite(vector).all() else None

    above = {t: found for t in steps if (found := outputs(t)) is not None}
    below = {t: found for t in steps if (found := outputs(-t)) is not None}
    both = [t for t in steps if t in above and t in below]
    if not both:
        for side, found in ((1, above), (-1, below)):
            if len(found) >= EDGE:
                taken = realised(evaluator, line, [side * t for t in found], sided=True)
                return _one_sided(base, taken, np.stack(list(found.values())))
    shape = (len(both), base.output.size)
    plus, minus = (np.reshape([side[t] for t in both], shape) for side in (above, below))
    jump = max(_jump(base, outputs, 1, above), _jump(base, outputs, -1, below))
    taken = realised(evaluator, line, both)
    return _differences(base, taken, plus, minus, jump)


def _jump(
    base: Baseline, outputs: Callable[[float], Array | None], side: int, seen: dict[float, Array]
) -> float:
    """Where outputs stand still on fine steps to a side and move on coarse ones: how far they jump between.

    Bisection closes in on where they begin to move. A quantised output moves by one quantum
    however near one comes; a unit that wakes up moves less and less.
    """
    steps = list(seen)
    moving = [bool((values != base.output).any()) for values in seen.values()]
    if not any(moving) or moving[-1]:
        return 0.0
    first = max(i for i, moves in enumerate(moving) if moves)
    still, moves, change = steps[first + 1], steps[first], seen[steps[first]]
    for _ in range(BISECTIONS):
        middle = (still + moves) / 2
        found = outputs(side * middle)
        if found is not None and (found != base.output).any():
            moves, change = middle, found
        else:
            still = middle
    jump = np.abs(base.cotangent) @ np.abs(change - base.output)
    reach = np.abs(base.cotangent) @ np.abs(seen[steps[first]] - base.output)
    share = (moves - still) / (steps[first] - steps[first + 1])
    return float(jump) if jump > reach * share * JUMP_MARGIN else 0.0


def _one_sided(base: Baseline, steps: Array, values: Array) -> Differences:
    """Differences from f(x) itself. They are off by all powers of t and not by the even ones alone, and so
    are a series of even powers of the square root of t, in which they are given."""
    u, root = base.cotangent, np.sqrt(np.abs(steps))
    mobile = (values != base.output).any(axis=0)
    largest = np.maximum(np.abs(values), np.abs(base.output))
    nothing = np.zeros(steps.size)
    return Differences(
        step=root,
        central=(values - base.output) @ u / steps,
        second=nothing,
        gaps=nothing,
        rounding=(base.off(largest) * mobile) @ np.abs(u) / root,
        unseen=_hidden(base, mobile) / float(np.abs(steps[0])),
        jump=0.0,
        broken=_broken(base, values),
    )


def _broken(base: Baseline, values: Array) -> bool:
    """Whether values on one side stay as far from f(x) on the three finest steps."""
    distance = np.abs((values[-3:] - base.output) @ base.cotangent)
    rounding = np.abs(base.cotangent) @ base.off(np.abs(base.output))
    return bool(
        distance.size == 3
        and (distance > BREAK_SIGNAL * rounding).all()
        and np.ptp(distance) <= BREAK_SPREAD * distance[-1]
    )


def _hidden(base: Baseline, mobile: Array) -> float:
    """What outputs that never move may hide below their round-off."""
    # An output of exactly 0 has no size of its own: what it lost was rounded away beside 1.
    size = np.where(base.output == 0, 1, np.abs(base.output))
    return float((np.abs(base.cotangent) * base.off(size) * ~mobile).sum())


def _differences(base: Baseline, steps: Array, above: Array, below: Array, jump: float) -> Differences:
    u = base.cotangent
    change = (above != base.output) | (below != base.output)
    mobile = change.any(axis=0)
    # Every output is differenced before the cotangent adds them up: one that does not move
    # then adds no round-off, however large it is.
    largest = np.maximum(np.maximum(np.abs(above), np.abs(below)), np.abs(base.output))
    second = (above - base.output) - (base.output - below)
    return Differences(
        step=steps,
        central=(above - below) @ u / (2 * steps),
        second=second @ u,
        gaps=np.abs(second) @ np.abs(u),
        rounding=(base.off(largest) * mobile) @ np.abs(u),
        unseen=_hidden(base, mobile) / float(steps[0]) if steps.size else float("inf"),
        jump=jump,
        broken=_broken(base, above) or _broken(base, below),
    )
