"""Masks that the forward applies and the backward does not, or not with their scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Hypothesis, Scene, changing
from gradcheck.diagnosis.sites import Unit, slope_of
from gradcheck.tracing.edited import Bypass
from gradcheck.tracing.flat import Equation, Flat

LEAVE_OUT = Cause(
    code="mask-not-applied",
    message="the gradient passes where the forward has masked its value out",
    remedy="multiply the gradient by the same mask",
)


def masks(scene: Scene) -> Iterator[Hypothesis]:
    """Every product with a mask, and every choice between two arrays."""
    record = scene.record
    for equation in record.equations:
        moving = [o for o in equation.operands if o in record.active]
        (value, *more) = equation.results
        if more or value not in record.active or not record.shapes[value]:
            continue
        same = [o for o in moving if record.shapes[o] == record.shapes[value]]
        if equation.name == "mul" and len(moving) == 1 and same:
            yield from _product(scene, Bypass(same[0], _with_scale(record, value)))
        if equation.name in ("select_n", "max", "min"):
            for source in same:
                yield from _choice(scene, Bypass(source, value), equation.operands.index(source), equation)


def _product(scene: Scene, bypass: Bypass) -> Iterator[Hypothesis]:
    """A mask of zeros and one other number, which in dropout is 1/(1-p)."""
    slope = _scaled(bypass)
    mask = slope(scene)
    kept = np.unique(mask[mask != 0])
    if len(kept) != 1 or (mask != 0).all():
        return
    scale = float(kept[0])
    for passed in dict.fromkeys((1.0, scale)):
        yield _added(LEAVE_OUT, bypass, lambda s, passed=passed: np.where(slope(s) == 0, passed, 0.0))
    if scale != 1:
        yield _added(LEAVE_OUT, bypass, lambda s: 1 - slope(s))
    rate = 1 - 1 / scale  # what dropout with this scale leaves out
    for factor, what in ((1.0, "1"), (1 / scale, "1-p"), (1 / rate if rate else 0.0, "1/p"), (rate, "p")):
        if scale > 1 and factor != scale:
            cause = Cause(
                code="random-forward",
                alternatives=("factor",),
                message=f"what the mask keeps is multiplied by {factor:.6g} ({what}), where the forward "
                f"multiplies by {scale:.6g} (1/(1-p))",
                remedy="keep the scaled mask in the cache, and multiply by that",
            )
            yield _added(cause, bypass, lambda s, factor=factor: factor * (slope(s) != 0) - slope(s))


def _scaled(bypass: Bypass) -> Callable[[Scene], Array]:
    """The mask with its scale, as an array."""
    unit = Unit(source=bypass.source, value=bypass.value, kind="", closes=False)
    return lambda s: slope_of(s.record, unit)(s.values[bypass.source], s.values)


def _with_scale(record: Flat, value: int) -> int:
    """The last of the values that follow by a number as factor alone."""
    while len(uses := record.uses.get(value, [])) == 1:
        equation = record.equations[uses[0][0]]
        others = [o for o in equation.operands if o != value]
        plain = equation.name in ("mul", "div") and equation.operands[0] == value
        if not plain or any(o in record.active for o in others):
            break
        if record.shapes[equation.results[0]] != record.shapes[value]:
            break
        (value,) = equation.results
    return value


def _choice(scene: Scene, bypass: Bypass, place: int, equation: Equation) -> Iterator[Hypothesis]:
    """Of several arrays one is taken, entry by entry: as if each were."""
    which = equation.operands[0]

    def others(s: Scene) -> Array:
        if equation.name == "select_n":
            return (s.values[which].astype(int) != place - 1).astype(float)
        return (s.values[bypass.source] != s.values[bypass.value]).astype(float)

    if scene.record.shapes[which] in ((), scene.record.shapes[bypass.value]):
        yield _added(LEAVE_OUT, bypass, others)


def _added(cause: Cause, bypass: Bypass, slope: Callable[[Scene], Array]) -> Hypothesis:
    return changing(cause, (bypass,), lambda s: {bypass: slope(s)})
