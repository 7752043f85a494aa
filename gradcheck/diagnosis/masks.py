"""Masks that the forward applies and the backward does not, or not with their scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Hypothesis, Scene, changing
from gradcheck.tracing.edited import Bypass
from gradcheck.tracing.flat import Equation

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
            (mask,) = (o for o in equation.operands if o not in record.active)
            yield from _product(scene, Bypass(same[0], value), mask)
        if equation.name in ("select_n", "max", "min"):
            for source in same:
                yield from _choice(scene, Bypass(source, value), equation.operands.index(source), equation)


def _product(scene: Scene, bypass: Bypass, mask: int) -> Iterator[Hypothesis]:
    """A mask of zeros and one other number, which in dropout is 1/(1-p)."""
    array = scene.values[mask]
    kept = np.unique(array[array != 0]) if array.shape == scene.record.shapes[bypass.value] else []
    if (array == 0).all() or len(kept) != 1 or (array != 0).all():
        return
    scale = float(kept[0])
    yield _added(LEAVE_OUT, bypass, lambda s: 1 - s.values[mask])
    if scale != 1:
        yield _added(LEAVE_OUT, bypass, lambda s: np.where(s.values[mask] == 0, scale, 0.0))
        unscaled = Cause(
            code="random-forward",
            alternatives=("factor",),
            message=f"the mask is applied without its scale 1/(1-p) = {scale:.6g}",
            remedy="keep the scaled mask in the cache, and multiply by that",
        )
        yield _added(unscaled, bypass, lambda s: (s.values[mask] != 0) - s.values[mask])
        rate = Cause(
            code="random-forward",
            alternatives=("factor",),
            message=f"the mask is multiplied by 1-p = {1 / scale:.6g} where the forward divides by it",
            remedy="keep the scaled mask in the cache, and multiply by that",
        )
        yield _added(rate, bypass, lambda s: (s.values[mask] != 0) / scale - s.values[mask])


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
