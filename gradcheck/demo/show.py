"""The demo's results on a terminal. Computes nothing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

import numpy as np
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.compare import Agreement
from gradcheck.demo.agreement import Reports
from gradcheck.demo.documents import Chapter
from gradcheck.demo.errata import Judged
from gradcheck.demo.training import Lesson
from gradcheck.render.terminal import COLOURS
from gradcheck.report import Report
from gradcheck.verdict import Verdict
from manual.errata import lengths

Lines = list[str | Text]
PAIRS = (("claim", "autodiff"), ("claim", "finite-difference"), ("autodiff", "finite-difference"))
HEADINGS = ("hand, JAX", "hand, FD", "JAX, FD")
BY_PARAMETER = 3  # so many networks are shown parameter by parameter, more of them in one row each
CURVE_WIDTH, CURVE_HEIGHT = 60, 8
MARKS = ("+", "x", "o", "~", "#", "%", "a", "b")  # of the curves where there is no colour
INDENT, HEADING = 7, 11  # of the facts about an erratum, and the width of what heads them
HUES = ("blue", "magenta", "green", "yellow", "red", "cyan")


def show_title(console: Console, chapter: Chapter) -> None:
    """The document and what is in it."""
    console.print()
    console.rule(f"[bold]{chapter.id}[/]  {chapter.title}", align="left")


def show_agreement(console: Console, reports: Reports) -> None:
    """Network and parameter against hand/JAX, hand/differences, JAX/differences: error and bar."""
    console.print("\n[bold]Three ways to one gradient[/]")
    console.print("   largest relative error (and its error bar); FD is finite differences\n")
    table = plain_table("network", "", *HEADINGS, "")
    for name, report in reports.items():
        if len(reports) <= BY_PARAMETER:
            for i, leaf in enumerate(report.leaves):
                rows = [r for r in report.agreements if r.leaf == leaf.name]
                table.add_row(
                    "" if i else name, _short(leaf.name), *cells(rows), coloured_verdict(leaf.verdict)
                )
        else:
            table.add_row(name, "all", *cells(report.agreements), coloured_verdict(report.verdict))
    indented(console, table)


def show_errata(console: Console, errata: tuple[Judged, ...]) -> None:
    """Each misprint beside its correction, with the verdicts."""
    if errata:
        console.print("\n[bold]Formulas as printed[/]")
    for judged in errata:
        erratum = judged.erratum
        indented(console, f"[bold]{erratum.id}[/]  {erratum.wrong}", above=1)
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column()
        for heading, lines in _facts(judged):
            table.add_row(heading, _unbroken(lines, console.width - INDENT - HEADING))
        indented(console, table, by=INDENT)


def _facts(judged: Judged) -> Iterator[tuple[str, Lines]]:
    """What stands beside each heading, line by line; a verdict with the lengths at which it was reached."""
    erratum = judged.erratum
    shown = lengths(erratum.shown_at)
    yield "printed", _formulas(erratum.printed)
    if erratum.read_as:
        yield "read as", [erratum.read_as]
    yield "verdict", [_at(judged.printed.verdict, shown), *_what_is_wrong(judged)]
    yield "corrected", _formulas(erratum.corrected)
    yield "verdict", [_at(judged.corrected.verdict, shown)]
    yield "shows", [erratum.shows]
    if judged.hidden and erratum.hidden_at:
        yield "hides", [erratum.hides, _at(judged.hidden.verdict, lengths(erratum.hidden_at))]
    for broadcast in erratum.broadcasts:
        shapes = broadcast.shapes(broadcast.silent_at)
        of = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        lines: Lines = [
            broadcast.expression,
            f"makes {broadcast.result(broadcast.silent_at)} of {of}",
            f"at {lengths(broadcast.silent_at)}",
        ]
        if broadcast.refused_at:
            lines.append(f"NumPy refuses it at {lengths(broadcast.refused_at)}")
        yield "silently", lines


def show_lesson(console: Console, lesson: Lesson) -> None:
    """What became of each start, and the losses on the way."""
    epochs = len(lesson.runs[0].losses) - 1
    console.print(f"\n[bold]What it learns[/]\n   {lesson.title}, {epochs} epochs\n")
    table = plain_table("weights at first", "loss", "right", "units differ by")
    for run in lesson.runs:
        loss = f"{run.losses[0]:.3f} -> {run.losses[-1]:.3f}"
        table.add_row(run.start, loss, f"{run.right} of {run.of}", f"{run.unit_difference:.3g}")
    indented(console, table)
    losses = {run.start: run.losses for run in lesson.runs}
    indented(console, curves(console, losses, "loss by epoch"), above=1)
    indented(console, Text(lesson.remark), above=1)
    if lesson.stuck:
        indented(console, in_one_line(lesson.stuck))


def show_summary(console: Console, reports: list[Report], seed: int) -> None:
    """What was checked, and with which seed."""
    entries = sum(leaf.compared for report in reports for leaf in report.leaves)
    console.print(
        f"\nChecked {len(reports)} networks: {entries} gradient entries, each by JAX and by\n"
        f"finite differences, seed {seed}.\n"
    )


def curves(console: Console, lines: dict[str, list[float]], title: str, first: int = 0) -> Text:
    """Some lines by name over first, first + 1, ...; told apart by colour, or by characters without it."""
    from uniplot import plot_to_string  # only the demo draws

    coloured = console.color_system is not None
    plot = plot_to_string(
        list(lines.values()),
        xs=[first + np.arange(len(line)) for line in lines.values()],
        lines=True,
        width=CURVE_WIDTH,
        height=CURVE_HEIGHT,
        y_min=0,
        title=title,
        legend_labels=list(lines),
        legend_placement="vertical",
        color=list(HUES[: len(lines)]) if coloured else False,
        character_set="block" if coloured else "ascii",
        force_ascii_characters=list(MARKS),
    )
    return Text.from_ansi(plot)


def _what_is_wrong(judged: Judged) -> list[str]:
    """Which gradients of the printed formula are wrong, and why, where the checker knows."""
    wrong = [leaf for leaf in judged.printed.leaves if leaf.verdict is Verdict.FAIL]
    if not wrong:
        return ["no harm done"]
    causes = {name: f.message for f in judged.printed.findings for name in f.leaves}
    names: dict[str, list[str]] = {}
    for leaf in wrong:
        cause = causes.get(leaf.name) or leaf.remark.replace(leaf.name, _short(leaf.name)) or "wrong numbers"
        names.setdefault(cause, []).append(_short(leaf.name))
    return [f"{', '.join(leaves)}: {cause}" for cause, leaves in names.items()]


def _formulas(text: str) -> Lines:
    """One formula a line."""
    return [formula.strip() for formula in text.split(";")]


def _at(verdict: Verdict, where: str) -> Text:
    return Text.assemble((verdict.value, COLOURS[verdict]), f"  at {where}")


def _unbroken(lines: Lines, width: int) -> Text:
    """The lines, wrapped between words but not within parentheses: a shape stays in one piece."""

    def wrapped(line: str) -> Text:
        kept = re.sub(r"\([^()]*\)", lambda found: found[0].replace(" ", "\0"), line)
        return Text(textwrap.fill(kept, max(width, 1), break_on_hyphens=False).replace("\0", " "))

    return Text("\n").join(wrapped(line) if isinstance(line, str) else line for line in lines)


def in_one_line(report: Report) -> str:
    """The verdict, and the worst agreement of each pair of witnesses."""
    pairs = zip(HEADINGS, cells(report.agreements), strict=True)
    return f"{coloured_verdict(report.verdict)}  " + "; ".join(f"{pair} {cell}" for pair, cell in pairs)


def cells(rows: Iterable[Agreement]) -> list[str]:
    """The worst agreement of each pair of witnesses."""
    worst = [max((r for r in rows if (r.left, r.right) == pair), key=lambda r: r.error) for pair in PAIRS]
    return [f"[{'green' if row.agrees else 'red'}]{row.error:.1e}[/] ({row.bar:.0e})" for row in worst]


def plain_table(*headings: str, right: bool = False) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    return table


def indented(console: Console, what: RenderableType, by: int = 3, above: int = 0) -> None:
    """Print it a few columns to the right, and some lines further down."""
    console.print(Padding(what, (above, 0, 0, by), expand=False))


def coloured_verdict(verdict: Verdict) -> str:
    """The verdict in its colour, as rich writes it."""
    return f"[{COLOURS[verdict]}]{verdict.value}[/]"


def _short(name: str) -> str:
    return name.removeprefix("params['").removesuffix("']")
