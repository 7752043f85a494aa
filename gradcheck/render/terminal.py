"""A report for a terminal: the verdict, what is wrong in five lines a cause, then a table.

Worst first, one cause once. Names are shown as the user gave them; nothing in them is markup, or moves the
cursor.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.curve import Scaling
from gradcheck.diagnosis.evidence import Finding
from gradcheck.render.visible import visible
from gradcheck.report import Report
from gradcheck.verdict import LeafResult, Reason, Verdict

COLOURS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "bold yellow"}
WIDTH = 100  # of plain text; what is longer wraps

TO_DO = {
    Reason.KINK: "the forward has a kink or a jump at this point, which leaves the gradient open: check at "
    "another point, or fewer than 1000 entries at a time",
    Reason.NOISE: "the forward's noise hides errors of the size asked for: compute in float64, "
    "pass reference=, or allow more with sensitivity=",
    Reason.NONDETERMINISTIC: "the forward gives two outputs for the same inputs: fix its random state, "
    "e.g. draw the mask once and pass it as constant(mask)",
    Reason.FORWARD_DISAGREES: "the reference is another function than the forward: compare the two first",
    Reason.ORACLES_DISAGREE: "the oracles contradict each other here, so that neither is evidence: "
    "check at another point, or in higher precision",
    Reason.NO_POWER: "no error could have been seen: ask for more oracles, pass reference=, or check at "
    "another point",
    Reason.OUT_OF_DOMAIN: "no finite value around this point: check at a point inside the function's domain",
    Reason.NONFINITE: "neither the claim nor the truth is finite here: check at another point",
}

SCALINGS = {
    Scaling.STAYS: "stays as their step shrinks: the formula is off",
    Scaling.FALLS: "falls with the square of their step: it is truncation",
    Scaling.GROWS: "grows as their step shrinks: it is noise of the forward",
}


class Paragraph(NamedTuple):
    """One thing to say of a report: a verdict, a sentence, and facts as (label, value)."""

    verdict: Verdict
    head: str
    facts: list[tuple[str, str]]


def plain_text(report: Report) -> str:
    """The report as it stands in a terminal, without colour."""
    return plain(renderable(report))


def plain(shown: RenderableType) -> str:
    """Anything that a console shows, as text: without colour, and without blanks at the ends of lines."""
    buffer = io.StringIO()
    Console(file=buffer, width=WIDTH, no_color=True, highlight=False).print(shown)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()).strip("\n")


def renderable(report: Report) -> RenderableType:
    """The report for a rich console."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    for paragraph in paragraphs(report):
        yield _line(paragraph.head, paragraph.verdict)
        if paragraph.facts:
            yield _facts(paragraph.facts)
    if line := first_wrong(report):
        yield Padding(Text(visible(line), overflow="fold"), (1, 0, 0, 2), expand=False)
    yield Padding(_leaf_table(report), (1, 0, 1, 2), expand=False)
    for line in footer(report):
        yield Padding(Text(visible(line), overflow="fold"), (0, 0, 0, 2), expand=False)


def paragraphs(report: Report) -> Iterator[Paragraph]:
    """What is right, wrong or open, worst first, each with what supports it."""
    if report.verdict is Verdict.PASS:
        yield Paragraph(report.verdict, f"{report.name}: {_subject(_names(report.leaves))} right", [])
    elif report.reason is Reason.FORWARD_DISAGREES:
        facts = [("reason", f"{report.reason.value}: {TO_DO[report.reason]}")]
        yield Paragraph(report.verdict, f"{report.name}: the reference computes another function", facts)
    for finding in (finding for finding in report.findings if not finding.leaf):
        facts = [("rule", finding.code), ("remedy", finding.remedy)]
        yield Paragraph(report.verdict, f"{report.name}: {finding.message}", facts)
    for leaves, finding in _causes(report):
        head = f"{report.name}: {_subject(_names(leaves))} wrong"
        yield Paragraph(Verdict.FAIL, head, _wrong_facts(leaves[0], finding, report))
    for leaf in report.leaves:
        told = leaf.reason is report.reason is Reason.FORWARD_DISAGREES
        if leaf.verdict is Verdict.UNDECIDED and leaf.reason is not None and not told:
            facts = [("reason", f"{leaf.reason.value}: {TO_DO[leaf.reason]}")]
            yield Paragraph(
                leaf.verdict, f"{report.name}: the gradient of {leaf.name} could not be judged", facts
            )


def _causes(report: Report) -> list[tuple[list[LeafResult], Finding | None]]:
    """Wrong leaves grouped by what is wrong with them, the worst group and leaf first."""
    findings = {name: finding for finding in report.findings for name in finding.leaves}
    groups: dict[object, tuple[list[LeafResult], Finding | None]] = {}
    wrong = [leaf for leaf in report.leaves if leaf.verdict is Verdict.FAIL]
    for leaf in sorted(wrong, key=lambda leaf: -leaf.error if math.isfinite(leaf.error) else -math.inf):
        finding = findings.get(leaf.name)
        cause = (finding.code, finding.message) if finding else leaf.name
        groups.setdefault(cause, ([], finding))[0].append(leaf)
    return list(groups.values())


def _wrong_facts(leaf: LeafResult, finding: Finding | None, report: Report) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if leaf.reason is Reason.SHAPE:
        facts.append(("shape", leaf.remark))
    else:
        place = f"{leaf.name}{list(leaf.worst_index)}" if leaf.worst_index else leaf.name
        where = (
            ("worst entry", place)
            if leaf.worst_index is not None
            else ("along", f"a direction in {leaf.name}")
        )
        # Enough digits to see the difference, and one more.
        digits = 6 if not 0 < leaf.error < 1 else min(17, max(6, 2 - math.floor(math.log10(leaf.error))))
        bar = abs(leaf.bar * (leaf.claimed - leaf.expected) / leaf.error) if leaf.error else 0.0
        margin = f" +- {bar:.1g}" if math.isfinite(bar) else ""
        facts += [
            where,
            ("claimed", f"{leaf.claimed:.{digits}g}"),
            ("expected", f"{leaf.expected:.{digits}g}{margin}   ({_witnesses(leaf, report)})"),
        ]
    if finding is None:
        known = leaf.worst_index is not None or leaf.reason is Reason.SHAPE
        nothing = (
            "no cause that is known here reproduces it"
            if known
            else "not asked: only directions were compared"
        )
        facts.append(("likely", nothing))
    else:
        doubt = "" if finding.confirmed else " (not confirmed on other data)"
        # That a cause shows as a factor is no other cause.
        codes = " and ".join(code for code in finding.alternatives if code != "factor")
        others = f"; {codes} would fit as well" if codes else ""
        facts.append(("likely", f"{finding.message}: {finding.remedy}{doubt}{others}"))
        facts += [("line", finding.line)] if finding.line else []
    return facts


def _witnesses(leaf: LeafResult, report: Report) -> str:
    """Who says so: the oracles that contradict the claim on this leaf."""
    against = [
        row.right
        for row in report.agreements
        if row.leaf == leaf.name and row.left == "claim" and not row.agrees
    ]
    return f"{' and '.join(against)} agree" if len(against) > 1 else f"by {' '.join(against)}"


def _is_all(report: Report) -> bool:
    """Whether the first wrong quantity is the gradient of the only leaf."""
    return [report.first_wrong] == [f"d{leaf.name}" for leaf in report.leaves]


def first_wrong(report: Report) -> str:
    """The first wrong quantity, and what is right before it; empty where there is nothing to single out."""
    if report.first_wrong is None or _is_all(report):
        return ""
    *others, last = report.right_before or ("",)
    before = f" ({', '.join(report.right_before)} {'are' if others else 'is'} right)" if last else ""
    return f"first wrong: {report.first_wrong}{before}"


def _leaf_table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="")
    for heading in ("leaf", "shape", "verdict", "error", "bar", "would have seen", ""):
        table.add_column(
            heading, justify="right" if heading in ("error", "bar", "would have seen") else "left"
        )
    for leaf in report.leaves:
        table.add_row(
            Text(visible(leaf.name)),
            Text(str(leaf.shape)),
            Text(leaf.verdict.value, style=COLOURS[leaf.verdict]),
            size(leaf.error),
            size(leaf.bar),
            size(leaf.detection_limit),
            Text(visible(leaf.remark)),
        )
    return table


def footer(report: Report) -> Iterator[str]:
    """What was asked, what was not, and at what cost."""
    for leaf in report.leaves:
        if leaf.curve is not None and leaf.curve.scaling is not None:
            yield f"{leaf.name}: the gap to finite differences {SCALINGS[leaf.curve.scaling]}"
    for oracle in report.oracles:
        if oracle.available:
            raised = f"; at a probe the forward raised {oracle.why_not}" if oracle.why_not else ""
            yield f"asked {oracle.name}: {oracle.evaluations} evaluations{raised}"
        else:
            yield f"not asked {oracle.name}: {oracle.why_not}"
    for item in report.not_checked:
        yield f"NOT CHECKED {item}"
    yield from report.notes
    calls = report.evaluations
    yield f"errors are relative to the leaf's largest entry; a PASS had to see {report.sensitivity:g}"
    yield f"calls: {calls.forward} of forward, {calls.backward} of backward; seed {report.seed}"


def _names(leaves: tuple[LeafResult, ...] | list[LeafResult]) -> list[str]:
    return [leaf.name for leaf in leaves]


def _subject(names: list[str]) -> str:
    if len(names) == 1:
        return f"the gradient of {names[0]} is"
    return f"the gradients of {', '.join(names[:-1])} and {names[-1]} are"


def _facts(rows: list[tuple[str, str]]) -> Table:
    """Label and value side by side; a long value wraps under itself."""
    facts = Table.grid(padding=(0, 1))
    facts.add_column(no_wrap=True, min_width=13)
    facts.add_column(overflow="fold")
    for label, value in rows:
        facts.add_row(Text(f"  {label}"), Text(visible(value)))
    return facts


def _line(message: str, verdict: Verdict) -> Text:
    return Text.assemble((verdict.value, COLOURS[verdict]), "  ", visible(message), overflow="fold")


def size(value: float) -> str:
    """A relative error in two digits; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.1e}"
