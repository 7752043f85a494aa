"""The VJP of a recorded forward with changes made to its derivative, as a mistake makes them.

The values stay as they are; what changes is the linear map that the derivative is. Derivatives go forward
through the equations one by one, each change is made to them on their way, and JAX transposes the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate import Plan, compiled
from gradcheck.tracing.flat import Alike, Flat
from gradcheck.tracing.programs import PROGRAMS

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Gain:
    """The derivative of a value, multiplied by an array of its shape (1 changes nothing)."""

    value: int


@dataclass(frozen=True)
class Edge:
    """The same for one use of a value, the operand at `place` of an equation."""

    equation: int
    place: int


@dataclass(frozen=True)
class Bypass:
    """A value depends on another of its shape, entry by entry, by this much more (0 changes nothing)."""

    source: int
    value: int


@dataclass(frozen=True)
class Operand:
    """What an equation that is linear in each of two operands multiplies by, at `place`, is off by this
    much in the derivative by the other operand (0 changes nothing)."""

    equation: int
    place: int


Slot = Gain | Edge | Bypass | Operand
Changes = Mapping[Slot, Any]


def shape_of(record: Flat, slot: Slot) -> tuple[int, ...]:
    """The shape of a change."""
    if isinstance(slot, Gain | Bypass):
        return record.shapes[slot.value]
    return record.shapes[record.equations[slot.equation].operands[slot.place]]


def neutral(record: Flat, slot: Slot) -> Array:
    """What changes nothing."""
    return np.full(shape_of(record, slot), float(isinstance(slot, Gain | Edge)))


def edited_vjp(
    record: Flat, slots: tuple[Slot, ...], watched: tuple[int, ...]
) -> Callable[[tuple[Array, ...], tuple[Array, ...], Changes], tuple[tuple[Array, ...], dict[int, Array]]]:
    """(arrays, cotangents, changes) -> (one gradient an input, the cotangents of the watched values)."""
    plan = _plan(Alike.to(record), slots, watched)
    nothing = [neutral(record, slot) for slot in slots]

    def run(
        arrays: tuple[Array, ...], cotangents: tuple[Array, ...], changed: Changes
    ) -> tuple[tuple[Array, ...], dict[int, Array]]:
        given = [
            np.broadcast_to(changed[slot], still.shape) if slot in changed else still
            for slot, still in zip(slots, nothing, strict=True)
        ]
        found = plan(*record.constants, *arrays, *cotangents, *given)
        return tuple(found[: record.inputs]), dict(zip(watched, found[record.inputs :], strict=True))

    return run


@functools.lru_cache(maxsize=PROGRAMS)
def _plan(alike: Alike, slots: tuple[Slot, ...], watched: tuple[int, ...]) -> Plan:
    """(*constants, *arrays, *cotangents, *changes) -> (*gradients, *cotangents of the watched values)."""
    import jax

    record = alike.record

    def floats(shapes: Iterable[tuple[int, ...]]) -> list[Any]:
        return [jax.ShapeDtypeStruct(shape, np.float64) for shape in shapes]

    inputs, seen, outputs = (
        floats(record.shapes[i] for i in numbers)
        for numbers in (range(record.inputs), watched, record.outputs)
    )
    changes = floats(shape_of(record, slot) for slot in slots)

    def pulled(constants: Any, at: Any, cotangents: Any, given: Any) -> Any:
        values, edits = record.run(at, constants), dict(zip(slots, given, strict=True))

        def along(*tangents: Any) -> Any:
            ins, shifts = (
                tangents[: record.inputs],
                dict(zip(watched, tangents[record.inputs :], strict=True)),
            )
            return tuple(_Line(record, values, edits, shifts).through(ins))

        return jax.linear_transpose(along, *inputs, *seen)(tuple(cotangents))

    with jax.enable_x64(True):
        return compiled(jax.make_jaxpr(pulled)(alike.avals(record.held), inputs, outputs, changes))


@dataclass
class _Line:
    """Derivatives along one line on their way through the equations."""

    record: Flat
    values: dict[int, Any]
    edits: dict[Slot, Any]
    shifts: dict[int, Any]

    def through(self, inputs: Any) -> list[Any]:
        """The derivatives of the outputs."""
        import jax.numpy as jnp

        tangents: dict[int, Any] = {}
        for number, tangent in enumerate(inputs):
            self.put(tangents, number, tangent)
        for position, equation in enumerate(self.record.equations):
            moving = [
                place
                for place, n in enumerate(equation.operands)
                if n in tangents and n in self.record.active
            ]
            if moving and any(result in self.record.active for result in equation.results):
                for number, tangent in zip(
                    equation.results, self.across(position, moving, tangents), strict=True
                ):
                    if number in self.record.active:
                        self.put(tangents, number, tangent)
        zeros = {n: jnp.zeros(self.record.shapes[n]) for n in self.record.outputs if n not in tangents}
        return [(zeros | tangents)[n] for n in self.record.outputs]

    def put(self, tangents: dict[int, Any], number: int, tangent: Any) -> None:
        """A value's derivative, changed."""
        if Gain(number) in self.edits:
            tangent = tangent * self.edits[Gain(number)]
        for slot, change in self.edits.items():
            if isinstance(slot, Bypass) and slot.value == number and slot.source in tangents:
                source = tangents[slot.source]
                # On fewer examples two shapes may differ that were the same by chance.
                tangent = tangent + change * source if source.shape == tangent.shape else tangent
        tangents[number] = tangent + self.shifts[number] if number in self.shifts else tangent

    def across(self, position: int, moving: list[int], tangents: dict[int, Any]) -> Any:
        """The derivatives of one equation's results."""
        import jax

        equation = self.record.equations[position]
        at = [self.values[number] for number in equation.operands]

        def of(*moved: Any) -> list[Any]:
            operands = list(at)
            for place, value in zip(moving, moved, strict=True):
                operands[place] = value
            return equation.bind(operands)

        lines = [
            tangents[equation.operands[place]] * self.edits.get(Edge(position, place), 1.0)
            for place in moving
        ]
        _, results = jax.jvp(of, [at[place] for place in moving], lines)
        for place in (0, 1):
            change, other = self.edits.get(Operand(position, place)), 1 - place
            if change is not None and other in moving:
                line = lines[moving.index(other)]
                pair = (change, line) if place == 0 else (line, change)
                results = [results[0] + equation.bind(pair)[0]]
        return results
