"""Right backwards in other words, none of which may be accused."""

from __future__ import annotations

from properties.mistakes.mutant import Mutant
from properties.mistakes.scale import COURSE

RIGHT = Mutant("right", (), {})

RIGHTS: tuple[Mutant, ...] = (
    RIGHT,
    Mutant("1/m in the parameters and not in dZ2", (), COURSE),
    Mutant(
        "dA1 with the mask, dZ1 without",
        (),
        {"dA1": lambda v, g: g * v.mask, "dZ1": lambda v, g: v.dA1 * v.slope(v.Z1)},
        dropped=True,
    ),
    Mutant(
        "sigma' from a",
        (),
        {"dZ1": lambda v, g: v.dA1 * v.A1 * (1 - v.A1)},
        hidden=("sigmoid",),
    ),
    Mutant("right, with weight decay", (), {}, penalised=True),
    Mutant("right, with dropout", (), {}, dropped=True),
    Mutant("right, with dX", (), {}, of_inputs=True),
)
