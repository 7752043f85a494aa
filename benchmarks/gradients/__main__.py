"""Holds the set against differences in extended precision: how far off the wrong and the right claims are.

python -m benchmarks.gradients        a second; prints a table, asserts nothing

At a kink there is no one derivative to compare with; those cases are derived by hand in `kinks.py`.
"""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.gradients import CASES
from benchmarks.gradients.truth import off_right, off_truth


def main() -> None:
    """Print, by precision, how far the right claims are from the truth and the wrong ones from the right."""
    smooth = [case for case in CASES if case.smooth]
    table = Table("precision", "claims", "number", "smallest error", "largest error", "the case at the limit")
    for dtype in (np.float64, np.float32):
        ours = [case for case in smooth if case.inputs[0].dtype == dtype]
        right = {case.name: off_truth(case) for case in ours if case.right}
        wrong = {case.name: off_right(case, CASES) for case in ours if not case.right}
        for kind, errors, limit in (("right", right, max), ("wrong", wrong, min)):
            at_limit = limit(errors, key=lambda name, errors=errors: errors[name])
            sizes = f"{min(errors.values()):.1e}", f"{max(errors.values()):.1e}"
            table.add_row(np.dtype(dtype).name, kind, str(len(errors)), *sizes, at_limit)
    console = Console()
    console.print(table)
    hand = [case for case in CASES if not case.smooth]
    console.print(
        f"{len(CASES)} cases, {sum(case.right for case in CASES)} of them right; "
        "of these at kinks and derived by hand: "
        f"{sum(case.right for case in hand)} right, {sum(not case.right for case in hand)} wrong"
    )


if __name__ == "__main__":
    main()
