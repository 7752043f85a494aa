"""What a trace makes of each idiom: lifted with its errors, or flagged with its reason and line.

python -m benchmarks.idioms        under a minute; prints a table, asserts nothing
"""

from __future__ import annotations

import math
from collections import Counter

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradcheck.tracing.lift import Leak
from tests.idioms import IDIOMS, Idiom
from tests.test_idioms import GRADIENT_TOLERANCE, VALUE_TOLERANCE, measured

WIDTH = 110
STYLES = {
    "lifted": "green",
    "flagged": "yellow",
    "undefined": "yellow",
    "wrong": "bold red",
    "failed": "bold red",
}


def row(idiom: Idiom) -> tuple[str, str, str, str]:
    """(outcome, value error, gradient error, why not and where)."""
    try:
        value, gradient = measured(idiom)
    except Leak as leak:
        return "flagged", "", "", f"{leak.where}  {leak.what}"
    except Exception as error:  # noqa: BLE001 - whatever a trace makes of users' code belongs in the table
        return "failed", "", "", f"{type(error).__name__}: {error}"
    if math.isnan(gradient):
        return "undefined", f"{value:.0e}", "NaN", "left to differences"
    right = value <= VALUE_TOLERANCE and gradient <= GRADIENT_TOLERANCE
    return "lifted" if right else "wrong", f"{value:.0e}", f"{gradient:.0e}", ""


def main() -> None:
    """Print one row an idiom, then the counts and what is not as the table of idioms expects."""
    console = Console(width=WIDTH)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("idiom", "trace", "value", "gradient"):
        table.add_column(heading, no_wrap=True)
    table.add_column("where and why not", overflow="fold")
    outcomes: Counter[str] = Counter()
    surprises = []
    for idiom in IDIOMS:
        outcome, value, gradient, why = row(idiom)
        outcomes[outcome] += 1
        if outcome != idiom.expected:
            surprises.append(idiom.name)
        table.add_row(
            idiom.name, f"[{STYLES[outcome]}]{outcome}[/]", value, gradient, escape(" ".join(why.split()))
        )
    console.print(table)
    console.print(f"{len(IDIOMS)} idioms: " + ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()))
    console.print("not as expected: " + (", ".join(surprises) or "none"))


if __name__ == "__main__":
    main()
