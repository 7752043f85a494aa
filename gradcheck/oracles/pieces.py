"""Where a smooth piece of the recorded forward ends: the kinks along a line, found exactly.

The signature of a trace says which way every comparison, maximum, sort and rounding went. Two points
on one side of the user's own that share a signature lie in one piece, and a step that ends there has
crossed no kink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import flat
from gradcheck.oracles.line import STEPS, Line, moved
from gradcheck.oracles.recorded import NotRecorded, recorded
from gradcheck.probes import NUDGES, generator, signed, typical
from gradcheck.rounding import allowance

ENOUGH = 4  # steps that must be left; with fewer, what lies beyond the kink is looked at all the same
HALVINGS = 40  # towards the end of a piece: a slope of order 1 moves the function by 1e-12 between the two
NEAR, NEARER = 2.0**-6, 2.0**-12  # of their distance, to either side of where a margin should vanish; nearer
# once it did, but not nearer than curvature and rounding let a straight line foretell
EXPLAINED = 64  # times the slope seen before: a change across the end of a piece that is no jump
UNEVEN = 2  # pieces are not all as wide as the one that is seen
LOOPS = ("while", "scan", "cond")  # decisions inside them are not in the signature
Turning = Callable[[Arrays], tuple[Arrays, Arrays]]  # a point -> its signature, and margins of its decisions


class End(NamedTuple):
    """One end of a stretch in which a decision changes, and all margins there as one vector."""

    step: float
    margins: Array


class Walk:
    """Along a line on both sides of the point: whether decisions are still those of the finest step."""

    def __init__(self, turning: Turning, evaluator: Evaluator, line: Line, finest: float) -> None:
        self.turning, self.evaluator, self.line, self.finest = turning, evaluator, line, finest
        self.known: dict[float, bool] = {}
        self.own: dict[int, Arrays] = {}

    def stays(self, side: int, t: float) -> bool:
        """Whether the decisions after t steps to a side are those after the finest."""
        if side not in self.own:
            self.look(side, self.finest)
        return self.known[side * t] if side * t in self.known else self.look(side, t)[0]

    def look(self, side: int, t: float) -> tuple[bool, Array]:
        """The same, and all margins there as one vector."""
        signature, margins = self._at(side * t)
        self.own.setdefault(side, signature)  # the finest step is looked at first
        self.known[side * t] = _same(signature, self.own[side])
        return self.known[side * t], flat(margins)

    def goes(self, line: Line, finest: float) -> bool:
        """Whether it is along this line, in these steps."""
        return (
            self.finest == finest
            and self.line.keys() == line.keys()
            and all(self.line[position] is direction for position, direction in line.items())
        )

    def _at(self, t: float) -> tuple[Arrays, Arrays]:
        return self.turning(moved(self.evaluator, self.line, t))


def steps_in_one_piece(
    evaluator: Evaluator, seed: int, line: Line, steps: tuple[float, ...]
) -> tuple[float, ...]:
    """The steps, coarsest first, less the coarse ones that reach across a kink.

    All of them where the forward cannot be recorded, or where hardly a step would be left. A kink at the
    point itself is no reason to leave a step out: each side is compared with its finest step.
    """
    if len(steps) <= ENOUGH:
        return steps
    with np.errstate(all="ignore"):
        walk = _walk(evaluator, seed, line, steps)
        if walk is None:
            return steps
        for first, t in enumerate(steps[: 1 - ENOUGH]):
            if walk.stays(1, t) and walk.stays(-1, t):
                return steps[first:]
    return steps


def at_kink(evaluator: Evaluator, seed: int) -> bool:
    """Whether a decision of the recorded forward is a tie at the point, or turns out otherwise hardly beside
    it; False where the forward cannot be recorded."""
    turning = _turning(evaluator, seed)
    if turning is None:
        return False
    rng = generator(seed, NUDGES)
    line = {
        position: signed(rng, value.shape) * np.maximum(np.abs(value), min(typical(value), 1.0))
        for position, value in enumerate(evaluator.point)
    }
    with np.errstate(all="ignore"):
        here, _ = turning(evaluator.point)
        return not all(_same(turning(moved(evaluator, line, side * STEPS[-1]))[0], here) for side in (1, -1))


def ripple(
    evaluator: Evaluator,
    seed: int,
    line: Line,
    steps: tuple[float, ...],
    value: Callable[[float], float | None],
) -> float:
    """By how much slopes within a piece may differ from the slope over many, where the function jumps
    between pieces: the jump over the width of the piece. 0 where it is continuous, or cannot be recorded.

    A solver that stops at a tolerance is such a function. value: <u, f> after t steps along the line.
    """
    with np.errstate(all="ignore"):
        walk = _walk(evaluator, seed, line, steps) if steps else None
        here = value(0.0) if walk is not None else None
        if walk is None or here is None:
            return 0.0
        ends = [_end_of_piece(walk, side, steps) for side in (1, -1)]
        jumps = [_jump(value, side, end, here) for side, end in zip((1, -1), ends, strict=True) if end]
    width = sum(end[1] if end else steps[0] for end in ends)
    return UNEVEN * max(jumps, default=0.0) / width


def _end_of_piece(walk: Walk, side: int, steps: tuple[float, ...]) -> tuple[float, float] | None:
    """Two steps on one side, hardly apart, between which the piece ends; None where it goes on."""
    inside = End(steps[-1], walk.look(side, steps[-1])[1])
    for t in reversed(steps[:-1]):
        stays, margins = walk.look(side, t)
        if not stays:
            return _narrowed(walk, side, inside, End(t, margins))
        inside = End(t, margins)
    return None


def _narrowed(walk: Walk, side: int, inside: End, outside: End) -> tuple[float, float]:
    """The two steps brought together, from both sides of where a margin should vanish, or by halves where
    none does: ten looks in place of forty."""
    ends = [inside, outside]
    enough, share = (outside.step - inside.step) * 2.0**-HALVINGS, NEAR

    def closer(t: float) -> float:
        if ends[0].step < t < ends[1].step:
            stays, margins = walk.look(side, t)
            ends[0 if stays else 1] = End(t, margins)
        return ends[1].step - ends[0].step

    while (apart := closer(inside.step)) > enough:
        start, crossing = ends[0].step, _crossing(ends[0].margins, ends[1].margins)
        left = min(closer(start + apart * (crossing + move)) for move in (-share, share))
        share = NEARER if left <= apart / 2 else NEAR
        if left > apart / 2:
            closer((ends[0].step + ends[1].step) / 2)
    return ends[0].step, ends[1].step


def _crossing(before: Array, after: Array) -> float:
    """The share of the way at which the first of some numbers vanishes, by a straight line; NaN for none."""
    turned = np.sign(before) != np.sign(after)
    shares = before[turned] / (before[turned] - after[turned])
    return float(np.min(shares[np.isfinite(shares)], initial=np.inf)) if turned.any() else float("nan")


def _jump(value: Callable[[float], float | None], side: int, end: tuple[float, float], here: float) -> float:
    """By how much the function jumps at the end of a piece; 0 for what its slope and rounding explain."""
    within, beyond = (value(side * t) for t in end)
    if within is None or beyond is None:
        return 0.0
    slope = abs(within - here) / end[0] * (end[1] - end[0])
    explained = EXPLAINED * slope + allowance(np.dtype(float), max(abs(within), abs(beyond)))
    jump = abs(beyond - within)
    return jump if jump > explained else 0.0


def _walk(evaluator: Evaluator, seed: int, line: Line, steps: tuple[float, ...]) -> Walk | None:
    """The walk along a line, the last one where it is the same; None where the forward has no decisions."""
    turning, last = _turning(evaluator, seed), evaluator.shared.get("walk")
    if turning is not None and (last is None or not last.goes(line, steps[-1])):
        evaluator.shared["walk"] = Walk(turning, evaluator, line, steps[-1])
    return None if turning is None else evaluator.shared["walk"]


def _turning(evaluator: Evaluator, seed: int) -> Turning | None:
    return evaluator.once("turning", lambda: _made(evaluator, seed))


def _made(evaluator: Evaluator, seed: int) -> Turning | None:
    if evaluator.is_jax:
        return None
    try:
        trace = recorded(evaluator, seed)
    except NotRecorded:
        return None
    from gradcheck.tracing.branches import STAIRCASES, turning

    # A quantised function is taken for the smooth one that it approximates: its treads are no pieces.
    found = None if _loops(trace.jaxpr.jaxpr) else turning(trace, leave_out=STAIRCASES)
    return found if found is not None and found(evaluator.point)[0] else None


def _loops(jaxpr: Any) -> bool:
    inner = [p for equation in jaxpr.eqns for p in equation.params.values()]
    return any(equation.primitive.name in LOOPS for equation in jaxpr.eqns) or any(
        _loops(getattr(p, "jaxpr", p)) for p in inner if hasattr(getattr(p, "jaxpr", p), "eqns")
    )


def _same(left: Arrays, right: Arrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
