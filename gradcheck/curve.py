"""The gap between a claim and a difference quotient, step by step, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Scaling(enum.Enum):
    """What the gap does as the step shrinks.

    One that falls with the square of the step is the quotient's own truncation; one that grows with its
    inverse is noise; one that stays is no matter of steps: the formula is another one.
    """

    STAYS = "stays"
    FALLS = "falls"
    GROWS = "grows"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Steps, coarsest first, and the size of the gap at each.

    In units of the entry, or of the direction where none is named. scaling: None where the gap does nothing
    in particular.
    """

    steps: tuple[float, ...]
    gaps: tuple[float, ...]
    scaling: Scaling | None
