"""What one forward does whatever the data it holds: what is derived of that need not be derived again.

Two recordings of one function, at two points or with two data sets, do the same with other constants.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.tracing.lift import Trace


@dataclass(frozen=True)
class Structure:
    """An open jaxpr; equal to another that computes the same of the same inputs and constants.

    outputs: how many of its outputs are the function's.
    """

    key: Any
    outputs: int
    jaxpr: Any = field(compare=False, repr=False)

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.key, self.outputs))

    @property
    def constants(self) -> tuple[Any, ...]:
        """The abstract values of the constants."""
        return tuple(variable.aval for variable in self.jaxpr.constvars)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """Those of the inputs."""
        return tuple(variable.aval for variable in self.jaxpr.invars)

    @property
    def results(self) -> tuple[Any, ...]:
        """Those of the function's outputs."""
        return tuple(variable.aval for variable in self.jaxpr.outvars[: self.outputs])

    @property
    def variables(self) -> tuple[Any, ...]:
        """All of its variables, in the same order in an equal one."""
        return variables_of(self.jaxpr)


def variables_of(jaxpr: Any) -> tuple[Any, ...]:
    """All variables of an open jaxpr, in the same order in one that does the same."""
    made = [variable for equation in jaxpr.eqns for variable in equation.outvars]
    return (*jaxpr.constvars, *jaxpr.invars, *made)


@functools.lru_cache(maxsize=8)
def structure(trace: Trace) -> Structure:
    """That of a trace, with the jaxpr of the first trace that has it.

    Where a parameter of an operation cannot be compared it equals no other.
    """
    try:
        key = key_of(trace.jaxpr.jaxpr)
        hash(key)
    except TypeError:
        key = object()
    return _first(Structure(key=key, outputs=trace.outputs, jaxpr=trace.jaxpr.jaxpr))


@functools.lru_cache(maxsize=64)
def _first(structure: Structure) -> Structure:
    """The first of equal structures, which is then equal at a glance."""
    return structure


def key_of(jaxpr: Any) -> tuple[Any, ...]:
    """What an open jaxpr does, with numbers for its variables."""
    numbers: dict[Any, int] = {}

    def made(variable: Any) -> Any:
        numbers[variable] = len(numbers)
        return variable.aval

    def read(atom: Any) -> Any:
        return (_frozen(atom.val), atom.aval) if hasattr(atom, "val") else numbers[atom]

    constants, inputs = [made(v) for v in jaxpr.constvars], [made(v) for v in jaxpr.invars]
    rows = [
        (
            equation.primitive,
            tuple((name, _frozen(equation.params[name])) for name in sorted(equation.params)),
            tuple(map(read, equation.invars)),
            tuple(map(made, equation.outvars)),
            frozenset(equation.effects),
        )
        for equation in jaxpr.eqns
    ]
    return tuple(constants), tuple(inputs), tuple(rows), tuple(map(read, jaxpr.outvars))


def _frozen(value: Any) -> Any:
    """A value as what is equal for equal ones only: numbers by type and digits, jaxprs by what they do."""
    if hasattr(value, "eqns"):
        return key_of(value)
    if hasattr(value, "consts") and hasattr(value, "jaxpr"):
        return key_of(value.jaxpr), tuple(map(_frozen, value.consts))
    if isinstance(value, list | tuple):
        return (type(value), *map(_frozen, value))
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    if isinstance(value, int | float | complex) or (
        hasattr(value, "__array__") and not isinstance(value, type)
    ):
        array = np.asarray(value)
        return type(value), array.dtype, array.shape, array.tobytes()
    return value
