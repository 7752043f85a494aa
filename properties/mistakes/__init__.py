"""Mistakes as data: those of the list that a two-layer network can have, each written once for four layouts.

    layouts.py     Z = X W, W X, X W^T, W^T X, and the few operations in which they differ
    network.py     the cost as a user writes it, and the right backward line by line
    mutant.py      a mistake: some of those lines written wrongly
    scale.py, shapes.py, formulas.py      the mistakes; rights.py: right code in other words
    cases.py       a mutant's network with data: whether the mistake shows there, and where first

What needs an object that lasts (gradients that accumulate, stale caches) or a cotangent is in `tests/zoo`
and `tests/test_protocol.py`: a function of parameters has neither.
"""

from properties.mistakes.cases import Case, case, cases, drawn
from properties.mistakes.formulas import FORMULAS
from properties.mistakes.layouts import LAYOUTS, Layout
from properties.mistakes.mutant import Mutant, gradients
from properties.mistakes.rights import RIGHT, RIGHTS
from properties.mistakes.scale import SCALE
from properties.mistakes.shapes import SHAPES

__all__ = [
    "Case",
    "LAYOUTS",
    "Layout",
    "MUTANTS",
    "Mutant",
    "RIGHT",
    "RIGHTS",
    "case",
    "cases",
    "drawn",
    "gradients",
    "named",
]

MUTANTS: tuple[Mutant, ...] = SCALE + SHAPES + FORMULAS


def named(name: str) -> Mutant:
    """The mutant of this name."""
    return {mutant.name: mutant for mutant in (RIGHT, *MUTANTS)}[name]
