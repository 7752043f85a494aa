"""A trace as numbered values and a flat list of equations, for those who look at its structure."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.tracing.derive import opened
from gradcheck.tracing.evaluate import Plan, compiled
from gradcheck.tracing.lift import Trace
from gradcheck.tracing.programs import PROGRAMS, program
from gradcheck.tracing.structure import Structure, structure

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Equation:
    """One primitive applied: operands and results are numbers of values."""

    primitive: Any
    params: dict[str, Any]
    operands: tuple[int, ...]
    results: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.primitive.name

    def bind(self, operands: Any) -> list[Any]:
        """The results, by JAX."""
        given = self.primitive.get_bind_params(self.params)
        functions, params = given if isinstance(given, tuple) else ((), given)  # JAX before 0.9: a pair
        found = self.primitive.bind(*functions, *operands, **params)
        return list(found) if self.primitive.multiple_results else [found]


@dataclass(frozen=True, eq=False)
class Flat:
    """The values and equations of a forward, calls opened.

    Values 0, 1, ... are the inputs; then come constants, then results in order. known: the constants'
    values, of which those of `held` are no part of the structure. names: of values that were local variables
    of the user's code. depends: the values that depend on an input. Two traces of one function have the same
    numbers where they have the same `pattern`.
    """

    structure: Structure

    shapes: dict[int, tuple[int, ...]]
    types: dict[int, np.dtype[Any]]
    inputs: int
    known: dict[int, Array]
    held: tuple[int, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[int, ...]
    names: dict[int, str]
    depends: frozenset[int]

    @property
    def pattern(self) -> tuple[Any, ...]:
        return tuple((e.name, e.operands, e.results) for e in self.equations)

    @functools.cached_property
    def floats(self) -> frozenset[int]:
        return frozenset(number for number, kind in self.types.items() if kind.kind == "f")

    @functools.cached_property
    def is_complex(self) -> bool:
        """Whether any value on the way is a complex number."""
        return any(kind.kind == "c" for kind in self.types.values())

    @functools.cached_property
    def active(self) -> frozenset[int]:
        """The values through which a derivative passes."""
        return self.depends & self.floats

    @functools.cached_property
    def makers(self) -> dict[int, Equation]:
        return {result: equation for equation in self.equations for result in equation.results}

    @functools.cached_property
    def uses(self) -> dict[int, list[tuple[int, int]]]:
        """By value the equations, and the places among their operands, that read it."""
        found: dict[int, list[tuple[int, int]]] = {}
        for i, equation in enumerate(self.equations):
            for place, operand in enumerate(equation.operands):
                found.setdefault(operand, []).append((i, place))
        return found

    @property
    def constants(self) -> tuple[Array, ...]:
        """The values of those constants that are no part of the structure."""
        return tuple(self.known[number] for number in self.held)

    def run(self, inputs: Any, constants: Any) -> dict[int, Any]:
        """All values, by JAX."""
        values = {**self.known, **dict(zip(self.held, constants, strict=True)), **dict(enumerate(inputs))}
        for equation in self.equations:
            found = equation.bind([values[number] for number in equation.operands])
            values.update(zip(equation.results, found, strict=True))
        return values


@dataclass(frozen=True)
class Alike:
    """A record; equal to another of the same structure, from which the same is derived."""

    structure: Structure
    record: Flat = field(compare=False, repr=False)

    @classmethod
    def to(cls, record: Flat) -> Alike:
        return cls(record.structure, record)

    def avals(self, numbers: Iterable[int]) -> tuple[Any, ...]:
        """Some of its values, for JAX to trace."""
        import jax

        shapes, types = self.record.shapes, self.record.types
        return tuple(jax.ShapeDtypeStruct(shapes[number], types[number]) for number in numbers)


@functools.lru_cache(maxsize=4)
def flat(trace: Trace) -> Flat:
    """The part of a trace that its outputs need."""
    shared = structure(trace)
    closed = program(opened, shared, (shared.inputs,))
    jaxpr = closed.jaxpr
    numbers: dict[Any, int] = {}
    known: dict[int, Array] = {}
    avals: list[Any] = []

    def number(variable: Any) -> int:
        if hasattr(variable, "val"):
            avals.append(variable.aval)
            known[len(avals) - 1] = np.asarray(variable.val, variable.aval.dtype)
            return len(avals) - 1
        if variable not in numbers:
            numbers[variable] = len(avals)
            avals.append(variable.aval)
        return numbers[variable]

    held, inputs = jaxpr.invars[: len(shared.constants)], jaxpr.invars[len(shared.constants) :]
    for variable in inputs:
        number(variable)
    for variable, value in zip(held, trace.jaxpr.consts, strict=True):
        known[number(variable)] = np.asarray(value)
    for variable, value in zip(jaxpr.constvars, closed.consts, strict=True):
        known[number(variable)] = np.asarray(value)
    equations = tuple(
        Equation(e.primitive, e.params, tuple(map(number, e.invars)), tuple(map(number, e.outvars)))
        for e in _needed(jaxpr, trace.outputs)
    )
    first = len(jaxpr.outvars) - len(trace.intermediates)
    named: dict[int, str] = {}
    for name, variable in zip(trace.intermediates, jaxpr.outvars[first:], strict=True):
        if variable in numbers:
            named[numbers[variable]] = max(name, named.get(numbers[variable], ""), key=len)
    return Flat(
        structure=shared,
        shapes={i: tuple(aval.shape) for i, aval in enumerate(avals)},
        types={i: np.dtype(aval.dtype) for i, aval in enumerate(avals)},
        inputs=len(inputs),
        known=known,
        held=tuple(map(number, held)),
        equations=equations,
        outputs=tuple(map(number, jaxpr.outvars[: trace.outputs])),
        names=named,
        depends=_dependent(equations, len(inputs)),
    )


def _needed(jaxpr: Any, outputs: int) -> list[Any]:
    """The equations that the first outputs rest on."""
    wanted = {variable for variable in jaxpr.outvars[:outputs] if not hasattr(variable, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if wanted.intersection(equation.outvars):
            kept.append(equation)
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
    return kept[::-1]


def _dependent(equations: tuple[Equation, ...], inputs: int) -> frozenset[int]:
    found = set(range(inputs))
    for equation in equations:
        if found.intersection(equation.operands):
            found.update(equation.results)
    return frozenset(found)


def values(record: Flat, arrays: tuple[Array, ...]) -> dict[int, Array]:
    """Every value at these inputs."""
    wanted, plan = _values_plan(Alike.to(record))
    return {**record.known, **dict(zip(wanted, plan(*record.constants, *arrays), strict=True))}


@functools.lru_cache(maxsize=PROGRAMS)
def _values_plan(alike: Alike) -> tuple[list[int], Plan]:
    import jax

    record = alike.record
    wanted = sorted({number for e in record.equations for number in (*e.operands, *e.results)})
    wanted = sorted({*wanted, *range(record.inputs), *record.outputs})

    def run(constants: Any, at: Any) -> list[Any]:
        found = record.run(at, constants)
        return [found[number] for number in wanted]

    with jax.enable_x64(True):
        return wanted, compiled(
            jax.make_jaxpr(run)(alike.avals(record.held), alike.avals(range(record.inputs)))
        )
