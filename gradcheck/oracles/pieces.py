"""Where a smooth piece of the recorded forward ends: the kinks along a line, found exactly.

The signature of a trace says which way every comparison, maximum, sort and rounding went. Two points
on one side of the user's own that share a signature lie in one piece, and a step that ends there has
crossed no kink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.line import STEPS, Line, moved
from gradcheck.oracles.recorded import NotRecorded, recorded
from gradcheck.probes import NUDGES, generator, signed, typical
from gradcheck.rounding import allowance

ENOUGH = 4  # steps that must be left; with fewer, what lies beyond the kink is looked at all the same
HALVINGS = 40  # towards the end of a piece: a slope of order 1 moves the function by 1e-12 between the two
EXPLAINED = 64  # times the slope seen before: a change across the end of a piece that is no jump
UNEVEN = 2  # pieces are not all as wide as the one that is seen
LOOPS = ("while", "scan", "cond")  # decisions inside them are not in the signature
Signature = Callable[[Arrays], Arrays]


def steps_in_one_piece(
    evaluator: Evaluator, seed: int, line: Line, steps: tuple[float, ...]
) -> tuple[float, ...]:
    """The steps, coarsest first, less the coarse ones that reach across a kink.

    All of them where the forward cannot be recorded, or where hardly a step would be left. A kink at the
    point itself is no reason to leave a step out: each side is compared with its finest step.
    """
    sign = _signature(evaluator, seed)
    if sign is None or len(steps) <= ENOUGH:
        return steps
    with np.errstate(all="ignore"):
        above, below = (sign(moved(evaluator, line, side * steps[-1])) for side in (1, -1))
        for first, t in enumerate(steps[: 1 - ENOUGH]):
            if _same(sign(moved(evaluator, line, t)), above) and _same(
                sign(moved(evaluator, line, -t)), below
            ):
                return steps[first:]
    return steps


def at_kink(evaluator: Evaluator, seed: int) -> bool:
    """Whether a decision of the recorded forward is a tie at the point, or turns out otherwise hardly beside
    it; False where the forward cannot be recorded."""
    sign = _signature(evaluator, seed)
    if sign is None:
        return False
    rng = generator(seed, NUDGES)
    line = {
        position: signed(rng, value.shape) * np.maximum(np.abs(value), min(typical(value), 1.0))
        for position, value in enumerate(evaluator.point)
    }
    with np.errstate(all="ignore"):
        here = sign(evaluator.point)
        return not all(_same(sign(moved(evaluator, line, side * STEPS[-1])), here) for side in (1, -1))


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
    sign = _signature(evaluator, seed)
    here = value(0.0)
    if sign is None or here is None or not steps:
        return 0.0
    with np.errstate(all="ignore"):
        ends = [_end_of_piece(sign, evaluator, line, side, steps) for side in (1, -1)]
        jumps = [_jump(value, side, end, here) for side, end in zip((1, -1), ends, strict=True) if end]
    width = sum(end[1] if end else steps[0] for end in ends)
    return UNEVEN * max(jumps, default=0.0) / width


def _end_of_piece(
    sign: Signature, evaluator: Evaluator, line: Line, side: int, steps: tuple[float, ...]
) -> tuple[float, float] | None:
    """Two steps on one side, hardly apart, between which the piece ends; None where it goes on."""
    own = sign(moved(evaluator, line, side * steps[-1]))
    within = steps[-1]
    for t in reversed(steps):
        if not _same(sign(moved(evaluator, line, side * t)), own):
            break
        within = t
    else:
        return None
    beyond = t
    for _ in range(HALVINGS):
        middle = (within + beyond) / 2
        if _same(sign(moved(evaluator, line, side * middle)), own):
            within = middle
        else:
            beyond = middle
    return within, beyond


def _jump(value: Callable[[float], float | None], side: int, end: tuple[float, float], here: float) -> float:
    """By how much the function jumps at the end of a piece; 0 for what its slope and rounding explain."""
    within, beyond = (value(side * t) for t in end)
    if within is None or beyond is None:
        return 0.0
    slope = abs(within - here) / end[0] * (end[1] - end[0])
    explained = EXPLAINED * slope + allowance(np.dtype(float), max(abs(within), abs(beyond)))
    jump = abs(beyond - within)
    return jump if jump > explained else 0.0


def _signature(evaluator: Evaluator, seed: int) -> Signature | None:
    if "signature" not in evaluator.shared:
        evaluator.shared["signature"] = _made(evaluator, seed)
    return evaluator.shared["signature"]


def _made(evaluator: Evaluator, seed: int) -> Signature | None:
    if evaluator.is_jax:
        return None
    try:
        trace = recorded(evaluator, seed)
    except NotRecorded:
        return None
    from gradcheck.tracing.branches import STAIRCASES, signature

    # A quantised function is taken for the smooth one that it approximates: its treads are no pieces.
    return None if _loops(trace.jaxpr.jaxpr) else signature(trace, leave_out=STAIRCASES)


def _loops(jaxpr: Any) -> bool:
    inner = [p for equation in jaxpr.eqns for p in equation.params.values()]
    return any(equation.primitive.name in LOOPS for equation in jaxpr.eqns) or any(
        _loops(getattr(p, "jaxpr", p)) for p in inner if hasattr(getattr(p, "jaxpr", p), "eqns")
    )


def _same(left: Arrays, right: Arrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
