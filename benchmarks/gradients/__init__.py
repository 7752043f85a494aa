"""A public set of right and wrong gradients of ordinary functions, as data: `CASES`.

Every case is NumPy: a forward, a point, and a VJP. The wrong gradients are the right ones with the
mistakes that people make. `python -m benchmarks.gradients` holds the set against differences in
extended precision, which belong to none of the checkers that are compared on it.
"""

from __future__ import annotations

from benchmarks.gradients import activations, algebra, kinks, layers, losses, scales, sizes
from benchmarks.gradients.case import Case
from benchmarks.gradients.spoil import spoilt

FORMULAS = (
    *activations.formulas(),
    *algebra.FORMULAS,
    *losses.FORMULAS,
    *layers.FORMULAS,
    *scales.FORMULAS,
    *sizes.FORMULAS,
    *kinks.FORMULAS,
)
CASES: tuple[Case, ...] = (
    *(case for formula in FORMULAS for case in formula.cases()),
    *spoilt(FORMULAS),
    *kinks.cases(),
)

__all__ = ["CASES", "Case"]
