"""Curves over axes, as drawings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gradcheck.render.drawing import Dot, Drawing, Label, Line, Point, Shape

WIDTH, HEIGHT = 340.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 20.0, 22.0, 38.0  # margins, in which the numbers of the axes stand
LEGEND = 16.0  # height of one line of it
TICKS = 5  # of an axis, about
POINTS = 160  # of a curve; more could not be seen


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A named sequence of points; those that the axes cannot show are left out."""

    name: str
    points: Sequence[Point]
    dots: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A straight line across the chart at one value of an axis, "x" or "y", and its name."""

    name: str
    axis: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How a number becomes a place between two ends of the paper."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        scale: Callable[[float], float] = math.log10 if self.log else float
        share = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.start + share * (self.end - self.start)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round values and how they are written."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            stride = max(1, math.ceil((last - first) / TICKS))
            yield from ((10.0**power, f"1e{power}") for power in range(first, last + 1, stride))
        else:
            stride = round_stride((self.high - self.low) / TICKS)
            for i in range(math.ceil(self.low / stride - 1e-9), math.floor(self.high / stride + 1e-9) + 1):
                yield i * stride, f"{i * stride:.6g}"


def round_stride(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9))


def chart(
    curves: Sequence[Curve],
    *,
    x: str,
    y: str,
    alt: str,
    log_x: bool = False,
    log_y: bool = False,
    marks: Sequence[Mark] = (),
) -> Drawing | None:
    """Curves over named axes with a legend; None where there is nothing to draw."""
    shown = [_thinned([p for p in curve.points if _drawable(p, log_x, log_y)]) for curve in curves]
    seen = [mark for mark in marks if _fits(mark.value, log_x if mark.axis == "x" else log_y)]
    everything = [point for points in shown for point in points]
    if not everything:
        return None
    foot = HEIGHT - BOTTOM
    across = _axis(
        [p[0] for p in everything] + [m.value for m in seen if m.axis == "x"], LEFT, WIDTH - RIGHT, log_x
    )
    up = _axis([p[1] for p in everything] + [m.value for m in seen if m.axis == "y"], foot, TOP, log_y)
    named = [curve.name for curve in curves] + [mark.name for mark in seen]
    shapes: list[Shape] = [*_frame(across, up, x, y)]
    for number, (curve, points) in enumerate(zip(curves, shown, strict=True)):
        places = tuple((across.at(px), up.at(py)) for px, py in points)
        shapes.append(Line(points=places, kind=f"curve c{number}"))
        if curve.dots:
            shapes += [Dot(x=px, y=py, kind=f"c{number}") for px, py in places]
    for number, mark in enumerate(seen, start=len(curves)):
        place = (across if mark.axis == "x" else up).at(mark.value)
        ends = ((place, TOP), (place, foot)) if mark.axis == "x" else ((LEFT, place), (WIDTH - RIGHT, place))
        shapes.append(Line(points=ends, kind=f"curve c{number}"))
    for number, name in enumerate(named):
        line = HEIGHT + LEGEND * (number + 0.5)
        shapes.append(Line(points=((LEFT, line - 4), (LEFT + 24, line - 4)), kind=f"curve c{number}"))
        shapes.append(Label(x=LEFT + 30, y=line, text=name, anchor="start"))
    return Drawing(width=WIDTH, height=HEIGHT + LEGEND * len(named), alt=alt, shapes=tuple(shapes))


def _frame(across: Axis, up: Axis, x: str, y: str) -> Iterator[Shape]:
    foot = HEIGHT - BOTTOM
    for value, written in across.ticks():
        yield Line(points=((across.at(value), TOP), (across.at(value), foot)), kind="grid")
        yield Label(x=across.at(value), y=foot + 14, text=written, kind="tick")
    for value, written in up.ticks():
        yield Line(points=((LEFT, up.at(value)), (WIDTH - RIGHT, up.at(value))), kind="grid")
        yield Label(x=LEFT - 5, y=up.at(value) + 4, text=written, anchor="end", kind="tick")
    yield Line(points=((LEFT, TOP), (LEFT, foot), (WIDTH - RIGHT, foot)), kind="axis")
    yield Label(x=WIDTH - RIGHT, y=foot + 30, text=x, anchor="end")
    yield Label(x=4, y=TOP - 9, text=y, anchor="start")


def _axis(values: list[float], start: float, end: float, log: bool) -> Axis:
    low, high = min(values), max(values)
    if log:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        high = high if high > low else 10 * low
    else:
        low = min(low, 0.0)
        high = high if high > low else low + 1
    return Axis(low=low, high=high, start=start, end=end, log=log)


def _drawable(point: Point, log_x: bool, log_y: bool) -> bool:
    return _fits(point[0], log_x) and _fits(point[1], log_y)


def _fits(value: float, log: bool) -> bool:
    """Whether a value has a place: numbers that are not finite or near the ends of the range have none."""
    return 1e-300 < value < 1e300 if log else abs(value) < 1e300


def _thinned(points: list[Point]) -> list[Point]:
    stride = max(1, math.ceil(len(points) / POINTS))
    return [*points[::stride], *points[-1:]] if stride > 1 else points
