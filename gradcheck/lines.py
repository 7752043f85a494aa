"""The lines of a backward: what it calls the derivative by an intermediate of the forward, in backward order.

A name of the backward answers for a name of the forward as the gradient of a parameter does (dZ1, grad_z1,
Z1_grad for Z1), where both have one shape. Intermediates are found in the recorded forward by the names that
it gives them, or else by the values that the backward has under such a name.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.naming import gradient_names
from gradcheck.claim import Array
from gradcheck.complex_parts import RealParts
from gradcheck.evaluator import Arrays
from gradcheck.examine import Examination
from gradcheck.oracles.autodiff import estimated
from gradcheck.oracles.base import Estimate
from gradcheck.oracles.nudges import NUDGED_COPIES, nudged
from gradcheck.oracles.recorded import AMPLIFIED, NotRecorded, in_single, recorded
from gradcheck.probes import NUDGES, generator
from gradcheck.rounding import allowance
from gradcheck.tracing.lineage import Lineage, Variable
from gradcheck.watch import Noted, watched

LAYER = re.compile(r"[zZ]_?(\d+)")  # the pre-activations of a layer, whose cotangent is its delta


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """What the backward calls `name`, the derivative by what the forward calls `by`; value: of that."""

    name: str
    by: str
    variable: Variable
    written: Array
    value: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Unfolded:
    """A claim at one point with the names in its backward, and the recorded forward."""

    seen: Examination
    lineage: Lineage
    names: dict[str, Noted]
    lines: tuple[Line, ...]

    def derivatives(self, variables: list[Variable]) -> tuple[Estimate, ...]:
        """Of the function that the check is about, by variables of its recorded forward."""
        evaluator, probe = self.seen.evaluator, self.seen.claimed.probe
        rng = generator(probe.seed, NUDGES)
        points = [evaluator.point, *(nudged(evaluator.point, rng) for _ in range(NUDGED_COPIES))]
        moves = self.derivatives_at(points, variables)
        with np.errstate(all="ignore"):
            coarse = tuple(value.astype(np.float32) for value in evaluator.point)
            near = [nudged(coarse, rng) for _ in range(NUDGED_COPIES)]
            derivatives = functools.partial(self._derivatives, tuple(variables))
            single = in_single(derivatives, near, self._cotangents)
        return tuple(
            estimated("", [move[i] for move in moves], [one[i] for one in single])
            for i in range(len(variables))
        )

    def derivatives_at(self, points: list[Arrays], variables: list[Variable]) -> list[Arrays]:
        """The same at some points, without bars."""
        plan = self._derivatives(tuple(variables))
        with np.errstate(all="ignore"):
            return [tuple(plan(*at, *self._cotangents)[len(self._cotangents) :]) for at in points]

    @property
    def _cotangents(self) -> Arrays:
        pairs = zip(self.seen.claimed.probe.cotangents, self.lineage.trace.values, strict=True)
        return tuple(u.astype(out.dtype) for u, out in pairs)

    def _derivatives(self, variables: tuple[Variable, ...], dtype: Any = None) -> Callable[..., list[Any]]:
        from gradcheck.tracing.derive import by_variables

        return by_variables(self.lineage.trace, variables, dtype)


def unfolded(seen: Examination) -> Unfolded | None:
    """A claim with its lines in backward order; None where its forward was not recorded, or it is complex."""
    if isinstance(seen.evaluator.claim, RealParts):
        return None
    try:
        trace = recorded(seen.evaluator, seen.claimed.probe.seed)
    except NotRecorded:
        return None
    lineage = Lineage.of(trace)
    names = watched(seen.evaluator, seen.evaluator.point, seen.claimed.probe.cotangents)
    lines = list(_lines(Values(seen, lineage), names))[
        ::-1
    ]  # of what one value has two names for, A1 before Z1
    ordered = sorted(lines, key=lambda line: -lineage.used_first[line.variable])
    return Unfolded(seen=seen, lineage=lineage, names=names, lines=tuple(ordered))


class Values(dict[Variable, Array]):
    """The value of every variable of the recorded forward that its outputs come from."""

    def __init__(self, seen: Examination, lineage: Lineage) -> None:
        from gradcheck.tracing.derive import values_of

        self.lineage = lineage
        variables = tuple(lineage.used_first)
        with np.errstate(all="ignore"):
            found = values_of(lineage.trace, variables)(*seen.evaluator.point)
        super().__init__(zip(variables, found, strict=True))

    def only(self, value: Array) -> Variable | None:
        """The one variable of a value, but for rounding; of several, the one that the forward names."""
        near = AMPLIFIED * allowance(np.dtype(float), np.abs(value).max(initial=0))
        equal = {
            variable
            for variable, own in self.items()
            if own.shape == value.shape and np.abs(own - value).max(initial=0) <= near
        }
        named = equal & {variable for _, variable, _ in self.lineage.named()}
        found = named if len(equal) > 1 else equal
        return found.pop() if len(found) == 1 else None


def _lines(values: Values, names: dict[str, Noted]) -> Iterator[Line]:
    known = _known(values.lineage)
    taken: set[str] = set()
    for by in (*known, *(name for name in names if name not in known)):
        shape = known[by][0].aval.shape if by in known else names[by].value.shape
        name = _answer(by, shape, names)
        if name is None or name in taken:
            continue
        variable, times = known[by] if by in known else (values.only(names[by].value), names[by].times)
        given = sorted((times, names[name].times))
        # What both assign several times, or either in a loop, need not be the same thing.
        if (
            variable is not None
            and variable not in values.lineage.inputs
            and given[0] == 1
            and given[1] < math.inf
        ):
            taken.add(name)
            yield Line(
                name=name,
                by=by,
                variable=variable,
                written=names[name].value,
                value=values[variable],
            )


def _known(lineage: Lineage) -> dict[str, tuple[Variable, float]]:
    """The intermediates by name, where a name means one of them."""
    found: dict[str, tuple[Variable, float]] = {}
    several = set()
    for name, variable, times in lineage.named():
        if name in found and found[name][0] is not variable:
            several.add(name)
        found[name] = variable, max(times, found.get(name, (variable, 1))[1])
    return {name: what for name, what in found.items() if name not in several}


def _answer(by: str, shape: tuple[int, ...], names: dict[str, Noted]) -> str | None:
    """What the backward calls the derivative by something of this name and shape; None where nothing."""
    stem, bracket, index = by.partition("[")
    layer = LAYER.fullmatch(by)
    forms = [form + bracket + index for form in gradient_names(stem)]
    forms += [f"delta{layer[1]}", f"delta_{layer[1]}"] if layer else []
    other = by.swapcase()
    forms += gradient_names(other) if other not in names else ()
    return next((form for form in forms if form in names and names[form].value.shape == shape), None)
