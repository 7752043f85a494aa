"""What a check costs once everything is imported and derived, in units of the forward that it checks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.problems import FORMS, LARGEST, SIZES, Problem, affine, layers, two_layers
from benchmarks.timing import interleaved, processor_seconds
from gradcheck import Report, Verdict
from gradcheck.adapters import from_gradients
from gradcheck.evaluator import Evaluator
from gradcheck.oracles.line import moved
from gradcheck.probes import along_one_line, draw_probe
from gradcheck.tracing.branches import turning
from gradcheck.tracing.derive import vjp, vjp_in
from gradcheck.tracing.lift import lift

AUTODIFF, DIFFERENCES = ("autodiff",), ("finite-difference",)
LOCATED = 238_510  # parameters of the network in which one wrong entry is looked for
OFF_BY = 1e-3  # of the largest entry of its leaf


def verdicts(largest: bool) -> Table:
    """Every entry by autodiff alone, and the whole verdict, for networks of all sizes and forms."""
    table = Table("parameters", "forward, ms", "autodiff alone", "full verdict", "full, ms", "memory")
    for size, form in (SIZES | (LARGEST if largest else {})).items():
        table.add_row(*_verdict(f"{size:,}".replace(",", " "), two_layers(*form)))
    for name, form in FORMS.items():
        table.add_row(*_verdict(name, layers(*form)))
    table.add_row(*_verdict("a layer with 10 000 outputs", affine()))
    return table


def _verdict(name: str, problem: Problem) -> tuple[str, ...]:
    assert problem.check().verdict is Verdict.PASS, name
    forward, alone, full = interleaved(
        lambda: problem.forward(problem.params),
        lambda: problem.check(oracles=AUTODIFF),
        problem.check,
    )
    held = sum(value.nbytes for value in problem.params.values())
    memory = (_peak(problem.check) - _peak(lambda: problem.forward(problem.params))) / held
    return (
        name,
        f"{1e3 * forward:.3g}",
        f"{alone / forward:.1f}",
        f"{full / forward:.1f}",
        f"{1e3 * full:.3g}",
        f"{memory:.1f}",
    )


def _peak(call: Callable[[], Any]) -> int:
    """The bytes that NumPy and Python hold at most during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def parts() -> Table:
    """What a verdict is made of, each part in forwards."""
    table = Table("part", *(f"{size:,}".replace(",", " ") for size in SIZES))
    columns = [_parts(two_layers(*form)) for form in SIZES.values()]
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:.1f}" for column in columns))
    return table


def _parts(problem: Problem) -> dict[str, float]:
    names, arrays = tuple(problem.params), tuple(problem.params.values())

    def forward(*values: Any) -> Any:
        return problem.forward(dict(zip(names, values, strict=True)))

    trace = lift(forward, *arrays)
    claim = from_gradients(problem.forward, problem.params, gradients=problem.backward, names=("params",))
    evaluator = Evaluator(claim)
    probe = along_one_line(draw_probe(evaluator, 0), evaluator)
    assert probe.together is not None
    line = dict(enumerate(probe.together))
    run, single, decide = vjp(trace), vjp_in(trace, np.float32), turning(trace)
    narrow = [array.astype(np.float32) for array in (*arrays, np.ones(()))]
    calls: dict[str, Callable[[], Any]] = {
        "the claimed backward": lambda: problem.backward(problem.params),
        "a forward at a perturbed copy": lambda: evaluator.probe(moved(evaluator, line, 1e-3)),
        "recording the forward": lambda: lift(forward, *arrays),
        "value and gradient of the record": lambda: run(arrays, (np.ones(()),)),
        "the same in single precision": lambda: single(*narrow),
        "decisions of the record at a perturbed copy": lambda: decide(moved(evaluator, line, 1e-3)),
    }
    plain, *costs = interleaved(lambda: problem.forward(problem.params), *calls.values())
    return {name: cost / plain for name, cost in zip(calls, costs, strict=True)}


def locating() -> Table:
    """What a wrong entry costs beyond a right check, diagnosis included, and where it was found.

    Each check once and no median: by differences alone it takes many seconds, and its calls are counted.
    """
    form = SIZES[LOCATED]
    right, wrong = two_layers(*form), two_layers(*form, off_by=OFF_BY)
    table = Table("oracles", "right, in forwards", "wrong, in forwards", "more calls of the forward", "found")
    (forward,) = interleaved(lambda: right.forward(right.params))
    right.check()  # loads and derives what all of them use
    for oracles in (AUTODIFF, DIFFERENCES, "auto"):
        checked = [_timed(problem, oracles) for problem in (right, wrong)]
        reports = [report for report, _ in checked]
        place = next(leaf.worst_index for leaf in reports[1].leaves if leaf.verdict is Verdict.FAIL)
        table.add_row(
            oracles if isinstance(oracles, str) else oracles[0],
            *(f"{cost / forward:.0f}" for _, cost in checked),
            str(reports[1].evaluations.forward - reports[0].evaluations.forward),
            f"W1{list(place)}" if place else "no place",
        )
    return table


def _timed(problem: Problem, oracles: str | tuple[str, ...]) -> tuple[Report, float]:
    """A report, and the processor seconds that it took."""
    reports: list[Report] = []
    cost = processor_seconds(lambda: reports.append(problem.check(oracles=oracles)))
    return reports[0], cost
