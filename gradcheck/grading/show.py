"""A grade for a terminal, or for a student: with the expected numbers or without."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck.grading.credit import Grade, Line
from gradcheck.render.terminal import COLOURS, plain
from gradcheck.verdict import Verdict


def plain_text(grade: Grade, *, spoilers: bool) -> str:
    """The grade as text. Without spoilers: verdicts, places, causes, and no number that was computed."""
    return plain(renderable(grade, spoilers=spoilers))


def renderable(grade: Grade, *, spoilers: bool) -> RenderableType:
    """The grade for a rich console."""
    return Group(*_parts(grade, spoilers))


def explained(line: Line, *, spoilers: bool) -> str:
    """What is wrong with a line: where, why, and with spoilers by how much and what to do."""
    where = f"at {list(line.where)}" if line.where else ""
    numbers = f"claimed {line.claimed:.6g}, expected {line.expected:.6g}"
    told = spoilers and line.where is not None and not math.isnan(line.expected)
    cause = f"{line.cause}: {line.remedy}" if spoilers and line.remedy else line.cause
    if line.verdict is Verdict.FAIL and not cause:
        cause = "no cause that is known here reproduces it"
    if line.verdict is Verdict.UNDECIDED:
        cause = f"could not be judged, which is for a person to do {line.cause}".rstrip()
    return "; ".join(part for part in (where, numbers if told else "", cause) if part)


def _parts(grade: Grade, spoilers: bool) -> Iterator[RenderableType]:
    yield Text(f"{grade.exercise}  {grade.title}", style="bold")
    if grade.error:
        yield Text.assemble(("FAIL", COLOURS[Verdict.FAIL]), "  no line could be judged")
        yield Text(grade.error, overflow="fold")
    else:
        yield _table(grade, spoilers)
    if grade.first_wrong:
        yield Text(f"  first wrong line: {grade.first_wrong}")
    for remark in grade.remarks:
        yield Text(f"  {remark}", overflow="fold")
    if grade.output:
        yield Text(f"  it printed:\n{grade.output}", overflow="fold")
    yield Text(f"  score {grade.score:g} of {grade.points:g}; seed {grade.seed}")


def _table(grade: Grade, spoilers: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="")
    for heading in ("  line", "verdict", "points", ""):
        table.add_column(heading, overflow="fold")
    for line in grade.lines:
        table.add_row(
            Text(f"  {line.name}"),
            Text(line.verdict.value, style=COLOURS[line.verdict]),
            Text(f"{line.points:g} of {line.of:g}" if line.of else ""),
            Text(explained(line, spoilers=spoilers)),
        )
    return table
