"""What a verdict costs, in units of one forward of the user's own function.

python -m benchmarks              some minutes; prints tables, asserts nothing but that every claim passes
python -m benchmarks --largest    also 24 million parameters, in some ten gigabytes
python -m benchmarks parts        one table: verdicts, parts, locating, processes or peers

Processor time, medians of calls that take turns. pip install --editable '.[peers]' brings the other checkers.
What those make of right and wrong gradients: python -m benchmarks.peers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks import beside, fresh, steady

TITLES = {
    "verdicts": "steady: costs in forwards; memory above the forward's own, in bytes of the parameters",
    "parts": "parts of a verdict, in forwards, by the number of parameters",
    "locating": f"one wrong entry of {steady.LOCATED} parameters",
    "processes": "whole processes",
    "peers": "a verdict by each checker, in forwards, by the number of parameters",
}


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TITLES))
    parser.add_argument("--largest", action="store_true", help="24 million parameters as well")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(TITLES):
        parser.error(f"no table is called {', '.join(sorted(unknown))}: choose from {', '.join(TITLES)}")
    made: dict[str, Callable[[], Table]] = {
        "verdicts": lambda: steady.verdicts(given.largest),
        "parts": steady.parts,
        "locating": steady.locating,
        "processes": fresh.processes,
        "peers": beside.peers,
    }
    console = Console()
    for name in given.tables or TITLES:
        table = made[name]()
        table.title = TITLES[name]
        console.print(table)


if __name__ == "__main__":
    main()
