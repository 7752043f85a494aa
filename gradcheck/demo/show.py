"""The demo's results on a terminal. Computes nothing."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from gradcheck.compare import Agreement
from gradcheck.demo.training import XorRun
from gradcheck.render.terminal import COLOURS, renderable
from gradcheck.report import Report

PAIRS = (("claim", "autodiff"), ("claim", "finite-difference"), ("autodiff", "finite-difference"))


def show_agreement(console: Console, reports: dict[str, Report]) -> None:
    """Layout and parameter against hand/JAX, hand/differences, JAX/differences: error and bar."""
    console.print("\n[bold]1  Three ways to one gradient[/]")
    console.print("   largest relative error, with its error bar in brackets\n")
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("layout", "", "hand, JAX", "hand, differences", "JAX, differences", ""):
        table.add_column(heading, no_wrap=True)
    for layout, report in reports.items():
        for leaf in report.leaves:
            cells = [_cell(_row(report, leaf.name, *pair)) for pair in PAIRS]
            verdict = f"[{COLOURS[leaf.verdict]}]{leaf.verdict.value}[/]"
            first = layout if leaf is report.leaves[0] else ""
            table.add_row(first, leaf.name.removeprefix("params['").removesuffix("']"), *cells, verdict)
    console.print(Padding(table, (0, 0, 0, 3), expand=False))


def show_erratum(console: Console, report: Report) -> None:
    """The printed formula's report."""
    console.print("\n[bold]2  A formula as printed[/]")
    console.print("   `xor` ends with dL/dW2 = (A2 - Y) * A1: its 1/m is lost (erratum E3)\n")
    console.print(Padding(renderable(report), (0, 0, 0, 3), expand=False))


def show_training(console: Console, runs: tuple[XorRun, ...]) -> None:
    """What became of each start, and why zero weights learn nothing."""
    console.print("\n[bold]3  XOR by gradient descent[/]")
    console.print(f"   with the hand-derived gradients, two hidden units, {runs[0].epochs} epochs\n")
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("weights at first", "loss", "right", "hidden units differ by"):
        table.add_column(heading, no_wrap=True)
    for run in runs:
        loss = f"{run.first_loss:.3f} -> {run.last_loss:.3f}"
        table.add_row(run.start, loss, f"{run.correct} of 4", f"{run.unit_difference:.3g}")
    console.print(Padding(table, (0, 0, 1, 3), expand=False))
    console.print(
        "   From zero weights both hidden units get the same gradient in every epoch:\n"
        "   they stay equal, and a single unit cannot learn XOR. Random weights break\n"
        "   the tie."
    )
    if runs[0].correct < 4:
        console.print(
            "   This seed ended in a local minimum all the same. Its gradients are right:\n"
            "   try another one with --seed."
        )


def show_summary(console: Console, reports: dict[str, Report], seed: int) -> None:
    """What was checked, and with which seed."""
    entries = sum(leaf.compared for report in reports.values() for leaf in report.leaves)
    console.print(
        f"\nChecked W1, b1, W2, b2 in {len(reports)} layouts: {entries} entries, each by JAX and by\n"
        f"finite differences, seed {seed}.\n"
    )


def _row(report: Report, leaf: str, left: str, right: str) -> Agreement:
    return next(r for r in report.agreements if (r.leaf, r.left, r.right) == (leaf, left, right))


def _cell(row: Agreement) -> str:
    colour = "green" if row.agrees else "red"
    return f"[{colour}]{row.error:.1e}[/] ({row.bar:.0e})"
