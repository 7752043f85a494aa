"""The networks, forward and backward, and the differences of gradients, as drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gradcheck.demo.page.lines import Line, Program
from gradcheck.demo.page.look import Look, Numbers
from gradcheck.render.drawing import Box, Drawing, Label, Point, Shape, arrow
from gradcheck.render.drawing import Line as Stroke
from gradcheck.verdict import Verdict

WIDTH, ROW = 340.0, 62.0
NODE, TALL = 58.0, 26.0  # a node's box
SPINE, SIDE = 124.0, 276.0  # where the middle of a box is
CELL, CELL_TALL, NAME = 52.0, 26.0, 22.0  # of a heat map, and what its name takes
MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.UNDECIDED: "?"}


def shape_in_letters(letters: tuple[str, ...]) -> str:
    """(n1, m), or "number"."""
    return f"({', '.join(letters)}{',' if len(letters) == 1 else ''})" if letters else "number"


def network(program: Program) -> Drawing:
    """The lines forward from top to bottom, what they are given beside them, a shape on every arrow."""
    shapes = dict(program.given) | {line.name: line.shape for line in program.forwards}
    first = next(iter(program.given))
    rows = [(first, [])] + [
        (line.name, [name for name in line.names if name in program.given and name != first])
        for line in program.forwards
    ]
    rows = _each_once(rows)
    places, height = _places(rows)
    drawn: list[Shape] = []
    for line in program.forwards:
        for name in line.names:
            if name in places:
                drawn += _joined(places[name], places[line.name], shape_in_letters(shapes[name]))
    drawn += [node for name in places for node in _node(name, places[name], "plain")]
    alt = "The network: " + "; ".join(
        f"{line.name} {shape_in_letters(line.shape)} from {', '.join(n for n in line.names if n in shapes)}"
        for line in program.forwards
    )
    return Drawing(width=WIDTH, height=height, alt=alt + ".", shapes=tuple(drawn))


def backward_pass(look: Look, right: Program) -> Drawing:
    """The lines backward from top to bottom, each with its verdict, the first wrong one marked.

    right: the program whose order the nodes have, so that two drawings can be laid side by side.
    """
    lines = {line.name: line for line in look.program.backwards}
    places, height = _places(_backward_rows(right.backwards))
    drawn: list[Shape] = []
    for name, line in lines.items():
        for used in line.names:
            if used in places:
                drawn += _joined(places[used], places[name], shape_in_letters(lines[used].shape))
    for name, place in places.items():
        verdict = look.verdict_of(name)
        kind = verdict.value if verdict else "plain"
        drawn += _node(f"{name} {MARKS[verdict]}" if verdict else name, place, kind)
        if name == look.first_wrong:
            drawn.append(_first(place))
    return Drawing(width=WIDTH, height=height, alt=_told(look, list(places)), shapes=tuple(drawn))


def heat_map(numbers: Numbers) -> Drawing | None:
    """Claimed minus true, a cell an entry, 0 within the error bar; None where the claim has another shape."""
    if not numbers.fits:
        return None
    excess = np.atleast_2d(np.where(numbers.wrong, numbers.claimed - numbers.jax, 0.0))
    largest, worst = float(np.abs(numbers.jax).max()), float(np.abs(excess).max())
    shapes: list[Shape] = [Label(x=0, y=14, text=f"{numbers.name} − true", anchor="start")]
    for (i, j), value in np.ndenumerate(excess):
        x, y = j * CELL, NAME + i * CELL_TALL
        share = abs(value) / max(largest, worst)
        kind = "none" if value == 0 else "more" if value > 0 else "less"
        shapes.append(
            Box(x=x, y=y, width=CELL - 2, height=CELL_TALL - 2, kind=f"cell {kind}", opacity=0.6 * share)
        )
        text = f"{value:+.2g}" if value else "0"
        shapes.append(Label(x=x + CELL / 2 - 1, y=y + 17, text=text, kind="tick ink"))
    rows, columns = excess.shape
    alt = f"Claimed minus true {numbers.name}, entry by entry: " + (
        f"up to {worst:.2g} apart, where the largest true entry is {largest:.2g}."
        if worst
        else "no difference."
    )
    width = max(columns * CELL, 90.0)
    return Drawing(width=width, height=NAME + rows * CELL_TALL, alt=alt, shapes=tuple(shapes))


def _backward_rows(lines: tuple[Line, ...]) -> list[tuple[str, list[str]]]:
    """Lines that others need one below the other, each with those that end at it beside it."""
    needed = {name for line in lines for name in line.names}
    rows: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.name in needed:
            rows.append((line.name, []))
        else:
            rows[-1][1].append(line.name)
    return rows


def _each_once(rows: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """What is given beside the first line that needs it only."""
    seen: set[str] = set()
    kept = []
    for name, sides in rows:
        kept.append((name, [side for side in sides if side not in seen]))
        seen |= set(sides)
    return kept


def _places(rows: list[tuple[str, list[str]]]) -> tuple[Mapping[str, Point], float]:
    """The middle of every node, and the height of all."""
    places: dict[str, Point] = {}
    top = 8.0
    for name, sides in rows:
        count = max(1, len(sides))
        tall = ROW if count == 1 else ROW + (count - 1) * (TALL + 20)
        places[name] = (SPINE, top + TALL / 2)
        for i, side in enumerate(sides):
            places[side] = (SIDE, top + TALL / 2 + i * (TALL + 20))
        top += tall
    return places, top - ROW + TALL + 16


def _joined(start: Point, end: Point, label: str) -> Iterator[Shape]:
    """An arrow from box to box with a label: down the spine, or round a corner between spine and side."""
    (x0, y0), (x1, y1) = start, end
    if x0 == x1:
        yield from arrow((x0, y0 + TALL / 2), (x1, y1 - TALL / 2))
        yield Label(x=x0 - 8, y=(y0 + y1) / 2 + 4, text=label, anchor="end", kind="tick")
        return
    far = abs(y1 - y0) > ROW  # from another row: it comes in below what comes from its own
    y1 += 8 if far else 0
    side = 1 if x1 > x0 else -1
    out, into = x0 + side * NODE / 2, x1 - side * NODE / 2
    corner = SPINE + NODE / 2 + (14 if far else 22)
    if y0 != y1:
        yield Stroke(points=((out, y0), (corner, y0), (corner, y1)), kind="arrow")
        out = corner
    yield from arrow((out, y1), (into, y1))
    if far and side < 0:
        return  # it leaves along the arrow to its own row, where the shape stands
    height = y1 if side > 0 else y0
    yield Label(x=(corner + SIDE - NODE / 2) / 2, y=height + (14 if far else -5), text=label, kind="tick")


def _node(name: str, place: Point, kind: str) -> Iterator[Shape]:
    x, y = place
    yield Box(x=x - NODE / 2, y=y - TALL / 2, width=NODE, height=TALL, kind=f"node {kind}", rounded=5)
    yield Label(x=x, y=y + 4, text=name, kind=f"name {kind}")


def _first(place: Point) -> Label:
    x, y = place
    if x == SPINE:
        return Label(x=x - NODE / 2 - 6, y=y + 4, text="first wrong", anchor="end", kind="name FAIL")
    return Label(x=x, y=y + TALL / 2 + 13, text="first wrong", kind="name FAIL")


def _told(look: Look, names: list[str]) -> str:
    wrong = [name for name in names if look.verdict_of(name) is Verdict.FAIL]
    if not wrong:
        return f"The backward pass {', '.join(names)}: every gradient is right."
    right = [name for name in names if look.verdict_of(name) is Verdict.PASS]
    return (
        f"The backward pass: first wrong is {look.first_wrong}; wrong are {', '.join(wrong)}; "
        f"right are {', '.join(right) or 'none'}."
    )
