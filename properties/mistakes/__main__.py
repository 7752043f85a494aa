"""What the checker makes of every mistake in every layout.

python -m properties.mistakes                    minutes; the table: verdict, cause, first wrong line
python -m properties.mistakes --problems 1000    the same counted over random problems
                              --closed-over      X and Y are no inputs, so that m is not known
"""

from __future__ import annotations

import argparse
from collections import Counter
from statistics import median

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from properties.mistakes import LAYOUTS, MUTANTS, RIGHTS, Case, Mutant, case, drawn
from properties.mistakes.judged import Judged, judged

SHAPE = (5, 2, 4, 3)  # m, n0, n1, n_out: 2, m, n_out and their inverses are pairwise different
ONE_IN_TEN = 0.1
BINARY = ("cross-entropy", "squared")


def losses(mutant: Mutant) -> tuple[str, ...]:
    """Those of the table: softmax is for the mistake that nothing else can have."""
    return tuple(loss for loss in mutant.losses if loss in BINARY) or mutant.losses


def table(closed_over: bool, console: Console) -> list[Judged]:
    """Print one row a mutant and loss, one column a layout."""
    rows = Table(box=box.SIMPLE_HEAD)
    for heading in ("mistake", "loss", *(layout.name for layout in LAYOUTS)):
        rows.add_column(heading, overflow="fold")
    found: list[Judged] = []
    for mutant in track((*RIGHTS, *MUTANTS), console=console, transient=True):
        for loss in losses(mutant):
            cells = [judged(mutant, case(mutant, at, SHAPE, 0, loss), closed_over) for at in LAYOUTS]
            rows.add_row(Text(mutant.name), Text(loss), *(Text(str(cell)) for cell in cells))
            found += cells
    console.print(rows)
    return found


def many(problems: int, closed_over: bool, console: Console) -> list[Judged]:
    """Check mutants drawn at random on problems drawn at random, one in ten of them right."""
    return [
        judged(*problem(seed), closed_over)
        for seed in track(range(problems), console=console, transient=True)
    ]


def problem(seed: int) -> tuple[Mutant, Case]:
    """A mutant and a problem, both drawn at random."""
    rng = np.random.default_rng([seed, 1])
    kind = RIGHTS if rng.random() < ONE_IN_TEN else MUTANTS
    mutant, layout = kind[rng.integers(len(kind))], LAYOUTS[rng.integers(len(LAYOUTS))]
    return mutant, drawn(mutant, layout, seed)


def totals(found: list[Judged], console: Console) -> None:
    """Print the counts, and every mutant about which something wrong was stated as confirmed."""
    rights = [cell for cell in found if cell.mutant in RIGHTS]
    wrong = [cell for cell in found if cell.mutant not in RIGHTS]
    seen = [cell for cell in wrong if cell.visible]
    seconds = [cell.seconds for cell in found[1:]]  # the first check of a process loads JAX
    misled = Counter(f"{cell.mutant.name}: {cell.code}" for cell in wrong if cell.misled)
    counts = Table(box=None, show_header=False)
    for name, count in (
        ("mistakes", len(MUTANTS)),
        ("wrong gradients", len(wrong)),
        ("visible", len(seen)),
        ("FAIL", f"{sum(cell.failed for cell in seen)} / {len(seen)}"),
        ("hidden and yet FAIL", sum(cell.failed for cell in wrong if not cell.visible)),
        ("cause named right", f"{sum(cell.named for cell in seen)} / {len(seen)}"),
        ("no cause where there is one", sum(cell.code is None and not cell.named for cell in seen)),
        ("wrong cause stated as confirmed", sum(misled.values())),
        ("first wrong line right", f"{sum(cell.first_is_right for cell in seen)} / {len(seen)}"),
        ("right gradients", len(rights)),
        ("of which not PASS", sum(not cell.report for cell in rights)),
        ("of which with a finding", sum(bool(cell.report.findings) for cell in rights)),
        ("of which with a first wrong line", sum(cell.first is not None for cell in rights)),
        ("processor seconds a call", f"median {median(seconds):.3f}, slowest {max(seconds):.3f}"),
    ):
        counts.add_row(name, str(count))
    console.print(counts)
    for name, count in sorted(misled.items()):
        console.print(f"wrong cause stated as confirmed: {name} ({count} times)", markup=False)


def main(arguments: list[str] | None = None) -> None:
    """Print the table, or with --problems the counts alone."""
    parser = argparse.ArgumentParser(prog="python -m properties.mistakes")
    parser.add_argument("--problems", type=int, default=0, metavar="N", help="count over N random problems")
    parser.add_argument("--closed-over", action="store_true", help="X and Y are no inputs of the cost")
    asked = parser.parse_args(arguments)
    console = Console(width=190)
    if asked.problems:
        totals(many(asked.problems, asked.closed_over, console), console)
    else:
        totals(table(asked.closed_over, console), console)


if __name__ == "__main__":
    main()
