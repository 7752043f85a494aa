"""What other checkers charge for the same right claim, in units of its forward."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.gradients.case import Case
from benchmarks.peers import CHECKERS, quietly
from benchmarks.problems import SIZES, Problem, two_layers
from benchmarks.timing import interleaved, processor_seconds

LONG = 2.0  # seconds for one verdict, beside which what a first call imports and compiles is little
PATIENCE = 20.0  # after which a checker is not asked about larger networks
# Two readings of one run, of which one is timed.
READ_TWICE = ("SciPy check_grad, error <= 1e-6", "course recipe, relative error < 1e-7")


def peers() -> Table:
    """Forwards a verdict by each checker, for the two-layer network. Ours, slow torch, SciPy and the course's
    recipe look at every entry, the others at one direction or a few."""
    table = Table("checker", *(f"{size:,}".replace(",", " ") for size in SIZES))
    for name, package, check in CHECKERS:
        if name in READ_TWICE:
            continue
        costs = _costs(check) if find_spec(package) else ["not installed"]
        table.add_row(name, *costs)
    return table


def _costs(check: Callable[[Case], str]) -> list[str]:
    """A checker's costs, and what it says where that is not right; dots once it has taken too long."""
    costs: list[str] = []
    for form in SIZES.values():
        case, said = _case(two_layers(*form)), []
        spent = processor_seconds(lambda case=case, said=said: said.append(quietly(check, case)))
        calls = [lambda case=case: case.forward(*case.inputs), lambda case=case: quietly(check, case)]
        forward, cost = interleaved(*calls) if spent < LONG else (*interleaved(calls[0]), spent)
        accused = "" if said == ["right"] else f", {said[0].partition(':')[0]}"
        costs.append(f"{cost / forward:.0f}{accused}")
        if spent > PATIENCE:
            break
    return costs + ["..."] * (len(SIZES) - len(costs))


def _case(problem: Problem) -> Case:
    """The network as a function of one array a parameter."""
    names = tuple(problem.params)

    def given(arrays: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(names, arrays, strict=True))

    def vjp(cotangent: Any, *arrays: Any) -> tuple[Any, ...]:
        gradients = problem.backward(given(arrays))
        return tuple(cotangent * gradients["d" + name] for name in names)

    return Case(
        name="two layers",
        forward=lambda *arrays: np.asarray(problem.forward(given(arrays))),
        inputs=tuple(problem.params.values()),
        vjp=vjp,
        right=True,
    )
