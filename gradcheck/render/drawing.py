"""Drawings as data: lines, boxes, dots and labels in the units of a view box. A template makes SVG of them.

One unit is about one pixel on a phone. What a shape looks like is told by its kind, a CSS class, so
that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

Point = tuple[float, float]
HEAD = 6.0  # length of an arrow's head


@dataclass(frozen=True, kw_only=True)
class Line:
    """Straight from point to point; a kind that is filled closes it."""

    tag: ClassVar[str] = "line"
    points: tuple[Point, ...]
    kind: str

    @property
    def path(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True, kw_only=True)
class Label:
    """Text whose start, middle or end is at a point of its baseline."""

    tag: ClassVar[str] = "label"
    x: float
    y: float
    text: str
    anchor: str = "middle"
    kind: str = "label"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle; opacity is that of its fill, from 0 to 1."""

    tag: ClassVar[str] = "box"
    x: float
    y: float
    width: float
    height: float
    kind: str
    opacity: float = 1.0
    rounded: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A mark at a point."""

    tag: ClassVar[str] = "dot"
    x: float
    y: float
    kind: str


Shape = Line | Label | Box | Dot


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Shapes in a view box, and in words what they show."""

    width: float
    height: float
    alt: str
    shapes: tuple[Shape, ...]


def arrow(start: Point, end: Point, kind: str = "arrow") -> tuple[Shape, ...]:
    """A line with a head at its end."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    along, across = ((x1 - x0) / length, (y1 - y0) / length), ((y0 - y1) / length, (x1 - x0) / length)
    foot = (x1 - HEAD * along[0], y1 - HEAD * along[1])
    sides = [(foot[0] + s * HEAD / 2 * across[0], foot[1] + s * HEAD / 2 * across[1]) for s in (1, -1)]
    return (
        Line(points=(start, foot), kind=kind),
        Line(points=((x1, y1), sides[0], sides[1]), kind=f"{kind} filled"),
    )
