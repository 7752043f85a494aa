"""Right gradients by the hundred thousand, none of which may be accused, and wrong ones, all to be seen.

make soak        N=100000 takes hours, N=2000 minutes; the exit status is 1 where anything was misjudged

A seed that was misjudged: `print(properties.soak.right(SEED).report())`, or `wrong`, or `beyond`.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import multiprocessing
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gradcheck import Verdict
from properties import soak
from properties.soak import Outcome

WORKERS = 2
CHUNK = 20  # seeds a task: a second of work
ROUND = 200  # tasks, then fresh processes
EVERY_WRONG = 50  # right gradients to one wrong gradient of up to 100 000 entries
EVERY_BEYOND = 10  # and to one with an error just above the detection limit
MOST_UNDECIDED = 0.01  # of the smooth float64 problems
MEDIAN_LIMIT = 1e-8  # of differences alone on smooth float64 functions
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
SOLVERS = "solver"  # what the names of their families begin with
SHOWN = 40  # seeds of one kind


class Task(NamedTuple):
    """Consecutive seeds of one kind: right, wrong or beyond."""

    kind: str
    seeds: range


def run(task: Task) -> list[Outcome]:
    """Judge every seed of a task; a seed that poses no problem has no outcome."""
    cases = (getattr(soak, task.kind)(seed) for seed in task.seeds)
    return [soak.judged(case) for case in cases if case is not None]


def tasks(kind: str, first: int, count: int) -> list[Task]:
    """All seeds of one kind, cut into chunks."""
    return [
        Task(kind, range(start, min(start + CHUNK, first + count)))
        for start in range(first, first + count, CHUNK)
    ]


def gathered(work: list[Task], console: Console) -> dict[str, list[Outcome]]:
    """The outcomes by kind, from two processes, with a bar that shows how far they are; Ctrl-C ends it.

    A line after every round, whose processes give back what JAX has kept of thousands of functions.
    """
    found: dict[str, list[Outcome]] = collections.defaultdict(list)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    total = sum(len(task.seeds) for task in work)
    with bar, contextlib.suppress(KeyboardInterrupt):  # what was judged by then is shown all the same
        shown = bar.add_task("judging", total=total)
        for start in range(0, len(work), ROUND):
            for task, outcomes in _round(work[start : start + ROUND]):
                found[task.kind] += outcomes
                bar.update(shown, advance=len(task.seeds), description=_description(found["right"]))
            judged = sum(map(len, found.values()))
            bar.console.print(f"{judged} of {total} judged, {_description(found['right'])}")
    return found


def _round(work: list[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
    """The outcomes of some tasks as they come, from processes of their own."""
    pool = concurrent.futures.ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn"))
    running = {pool.submit(run, task): task for task in work}
    try:
        for done in concurrent.futures.as_completed(running):
            yield running[done], done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _description(outcomes: list[Outcome]) -> str:
    alarms = [str(outcome.seed) for outcome in accused(outcomes)[0]]
    return " ".join((f"{len(alarms)} false alarms", *alarms[-SHOWN:]))


def accused(outcomes: list[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Right gradients that were neither passed nor left undecided, those of solvers apart: what a solver's
    steps compute between two jumps has a derivative of its own, not the solution's."""
    allowed = {Verdict.PASS.value, Verdict.UNDECIDED.value}
    found = [outcome for outcome in outcomes if outcome.verdict not in allowed]
    return [o for o in found if not o.family.startswith(SOLVERS)], [
        o for o in found if o.family.startswith(SOLVERS)
    ]


def _of(outcomes: Iterable[Outcome], *verdicts: Verdict) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.verdict in {v.value for v in verdicts}]


def families(outcomes: list[Outcome]) -> Table:
    """Verdicts by family, with the reasons of what was left undecided."""
    table = Table(
        "family", "problems", "PASS", "UNDECIDED", "FAIL", "reasons, by how often", title="right gradients"
    )
    for family in sorted({outcome.family for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.family == family]
        undecided = _of(own, Verdict.UNDECIDED)
        reasons = collections.Counter(_reason(outcome) for outcome in undecided).most_common()
        table.add_row(
            family,
            str(len(own)),
            str(len(_of(own, Verdict.PASS))),
            str(len(undecided)),
            str(len(own) - len(_of(own, Verdict.PASS, Verdict.UNDECIDED))),
            ", ".join(f"{reason} {count}" for reason, count in reasons),
        )
    return table


def _reason(outcome: Outcome) -> str:
    return outcome.reason if outcome.recorded else f"{outcome.reason} (differences alone)"


def misjudged(title: str, kind: str, outcomes: list[Outcome], console: Console) -> None:
    """The seeds of what was judged wrongly, by family."""
    console.print(f"{title}: {len(outcomes)}", style="bold red" if outcomes else "green")
    for family in sorted({outcome.family for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.family == family]
        console.print(f"  {family}: {len(own)}, properties.soak.{kind}(seed).report()")
        for outcome in own[:SHOWN]:
            error = f", error {outcome.error:.1e} of {outcome.parameters} entries" if outcome.error else ""
            console.print(f"    seed {outcome.seed}  {outcome.verdict} {_reason(outcome)}{error}")
        if len(own) > SHOWN:
            console.print(f"    and {len(own) - SHOWN} more")


def decided(outcomes: list[Outcome], console: Console) -> None:
    """Which part of the smooth float64 problems was left undecided, with and without autodiff."""
    beneath = [outcome for outcome in outcomes if outcome.smooth and outcome.beneath]
    smooth = [outcome for outcome in outcomes if outcome.smooth and not outcome.beneath]
    parts = {
        "smooth float64": smooth,
        "autodiff heard": [outcome for outcome in smooth if outcome.recorded],
        "differences alone": [outcome for outcome in smooth if not outcome.recorded],
    }
    for name, part in parts.items():
        share = len(_of(part, Verdict.UNDECIDED)) / max(1, len(part))
        style = "red" if share > MOST_UNDECIDED else "green"
        console.print(
            f"undecided, {name}: {share:.2%} of {len(part)} (asked {MOST_UNDECIDED:.0%})", style=style
        )
    console.print(
        f"  not among them {len(beneath)} whose derivative is beneath the round-off of the values, where "
        f"those were all that was to be had: {len(_of(beneath, Verdict.UNDECIDED))} undecided"
    )
    seeds = [str(outcome.seed) for outcome in _of(smooth, Verdict.UNDECIDED)[:SHOWN]]
    console.print(f"  seeds {', '.join(seeds)}")


def limits(outcomes: list[Outcome], console: Console) -> None:
    """How the detection limits of leaves are distributed, of smooth functions by differences alone."""
    alone = [o for o in outcomes if o.smooth and not o.recorded and not o.beneath]
    found = [limit for outcome in alone for limit in outcome.limits]
    if found:
        parts = ", ".join(f"{q:.0%} {np.quantile(found, q, method='lower'):.1e}" for q in QUANTILES)
        console.print(f"detection limits of {len(found)} leaves, differences alone: {parts}")
        median = float(np.quantile(found, 0.5, method="lower"))
        console.print(
            f"  median {median:.1e} (asked {MEDIAN_LIMIT:g})",
            style="red" if median > MEDIAN_LIMIT else "green",
        )


def main() -> int:
    """Judge, print, and return 1 where anything was judged wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="right gradients to draw")
    parser.add_argument("--first", type=int, default=0, help="their first seed")
    asked = parser.parse_args()
    console = Console()
    found = gathered(
        tasks("right", asked.first, asked.count)
        + tasks("wrong", asked.first // EVERY_WRONG, asked.count // EVERY_WRONG)
        + tasks("beyond", asked.first // EVERY_BEYOND, asked.count // EVERY_BEYOND),
        console,
    )
    alarms, solved = accused(found["right"])
    console.print(families(found["right"]))
    right = sum(not o.family.startswith(SOLVERS) for o in found["right"])
    misjudged(f"false alarms in {right} right gradients", "right", alarms, console)
    misjudged("the solution's derivative, accused for the solver's own", "right", solved, console)
    decided(found["right"], console)
    limits(found["right"], console)
    missed = {
        kind: [o for o in found[kind] if o.verdict != Verdict.FAIL.value] for kind in ("wrong", "beyond")
    }
    names = {"wrong": "errors of 1e-6 and more", "beyond": "errors above the limit of differences alone"}
    for kind, outcomes in missed.items():
        misjudged(f"{names[kind]}, missed of {len(found[kind])}", kind, outcomes, console)
    return int(bool(alarms or missed["wrong"] or missed["beyond"]))


if __name__ == "__main__":
    raise SystemExit(main())
