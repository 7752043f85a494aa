"""Checks the whole zoo with default options: what is misjudged, what cannot be recorded, what it costs.

python -m tests.zoo        minutes; prints tables, asserts nothing
"""

from __future__ import annotations

import time
from collections import Counter
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from gradcheck import Report, Verdict, check_gradients
from tests.zoo import ZOO, Mistake, Specimen


def timed(specimen: Specimen, version: object) -> tuple[Report, float]:
    """A check and the milliseconds of processor time that it took."""
    call = specimen.call(version)
    start = time.process_time()
    report = check_gradients(call.target, *call.inputs, **call.options)
    return report, 1e3 * (time.process_time() - start)


def misjudged(report: Report, mistake: Mistake | None) -> bool:
    if mistake is None:
        return report.verdict is not Verdict.PASS
    failing = {leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL}
    return report.verdict is not Verdict.FAIL or failing != set(mistake.leaves)


def main() -> None:
    """Print one row a specimen, then what is misjudged, the times and the causes that were named."""
    console = Console(width=110)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("specimen", "convention", "autodiff", "right, ms", "wrong, ms"):
        table.add_column(heading, justify="right" if "ms" in heading else "left")
    right: list[float] = []
    wrong: list[float] = []
    misjudgements: list[str] = []
    codes: Counter[str] = Counter()
    timed(ZOO[0], ZOO[0].right)  # the first check of a process loads JAX
    for specimen in ZOO:
        report, cost = timed(specimen, specimen.right)
        right.append(cost)
        if misjudged(report, None):
            misjudgements.append(f"{specimen.name}: {report.verdict.name} {report.reason}")
        costs = []
        for mistake in specimen.wrong:
            found, cost = timed(specimen, mistake.version)
            costs.append(cost)
            if misjudged(found, mistake):
                misjudgements.append(f"{specimen.name}, {mistake.name}: {found.verdict.name} {found.reason}")
            named = {finding.code for finding in found.findings}
            codes["named" if mistake.code in named else "other cause" if named else "no cause"] += 1
        wrong += costs
        recorded = "recorded" if report.oracles[0].available else report.oracles[0].why_not
        times = f"{right[-1]:.0f}", ", ".join(f"{cost:.0f}" for cost in costs)
        table.add_row(specimen.name, specimen.convention, recorded, *times)
    console.print(table)
    console.print(f"{len(ZOO)} right, {len(wrong)} wrong; misjudged: {'; '.join(misjudgements) or 'none'}")
    for kind, costs in (("right", right), ("wrong", wrong)):
        console.print(
            f"{kind}: median {median(costs):.0f} ms, slowest {max(costs):.0f} ms, all {sum(costs):.0f} ms"
        )
    console.print(f"causes of the wrong ones: {dict(codes)}")


if __name__ == "__main__":
    main()
