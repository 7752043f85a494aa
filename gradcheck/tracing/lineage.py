"""Which values of a recorded forward come of which, and in what order their cotangents are complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gradcheck.tracing.lift import Trace

Variable = Any  # of a jaxpr


@dataclass(frozen=True, kw_only=True, eq=False)
class Lineage:
    """used_first: of every variable from which an output comes, the number of the first equation that uses
    it; in backward order its cotangent is complete after that one."""

    trace: Trace
    used_first: dict[Variable, int]

    @classmethod
    def of(cls, trace: Trace) -> Lineage:
        jaxpr = trace.jaxpr.jaxpr
        used: dict[Variable, int] = {
            v: len(jaxpr.eqns) for v in jaxpr.outvars[: trace.outputs] if not hasattr(v, "val")
        }
        for number, equation in reversed(list(enumerate(jaxpr.eqns))):
            if any(variable in used for variable in equation.outvars):
                used |= {v: number for v in equation.invars if not hasattr(v, "val")}
        return cls(trace=trace, used_first=used)

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """One an input of the trace."""
        return tuple(self.trace.jaxpr.jaxpr.invars)

    def joins(self, variable: Variable) -> int:
        """The number of the first equation in which a variable meets another one; -1 where no output comes
        of it. What is done to it alone before, such as a transposition, comes later in backward order."""
        while variable in self.used_first:
            number = self.used_first[variable]
            if number == len(self.trace.jaxpr.jaxpr.eqns):
                return number
            equation = self.trace.jaxpr.jaxpr.eqns[number]
            if len(_variables(equation.invars)) > 1 or len(equation.outvars) > 1:
                return number
            variable = equation.outvars[0]
        return -1

    def named(self) -> list[tuple[str, Variable, float]]:
        """(name, variable, how often it was given) for every intermediate from which an output comes."""
        jaxpr = self.trace.jaxpr.jaxpr
        found = jaxpr.outvars[len(jaxpr.outvars) - len(self.trace.intermediates) :]
        rows = zip(self.trace.intermediates, found, self.trace.times, strict=True)
        return [row for row in rows if not hasattr(row[1], "val") and row[1] in self.used_first]

    def ancestors(self, variable: Variable) -> list[Variable]:
        """What a variable is computed from, constants and itself left out, later ones first."""
        found: dict[Variable, None] = {variable: None}
        for equation in reversed(self.trace.jaxpr.jaxpr.eqns):
            if any(out in found for out in equation.outvars):
                found |= {v: None for v in equation.invars if not hasattr(v, "val")}
        left_out = {variable, *self.trace.jaxpr.jaxpr.constvars}
        return [v for v in found if v not in left_out]

    def passes_through(self, start: Variable, variable: Variable) -> bool:
        """Whether there are ways from one variable to the outputs, and all lead through another."""
        reached = {start} - {variable}
        for equation in self.trace.jaxpr.jaxpr.eqns:
            if any(not hasattr(v, "val") and v in reached for v in equation.invars):
                reached |= set(equation.outvars) - {variable}
        outputs = _variables(self.trace.jaxpr.jaxpr.outvars[: self.trace.outputs])
        return start in self.used_first and not reached & outputs


def _variables(found: Iterable[Any]) -> set[Variable]:
    return {v for v in found if not hasattr(v, "val")}
