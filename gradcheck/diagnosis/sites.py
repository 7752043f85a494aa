"""Places in a recorded forward where derivatives go wrong: entry-by-entry functions such as activations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.tracing.evaluate import Plan, compiled
from gradcheck.tracing.flat import Alike, Equation, Flat

# Primitives that work entry by entry, comparisons included: what they decide is part of the function.
ELEMENTWISE = (
    frozenset(
        {"abs", "add", "atan2", "cbrt", "ceil", "clamp", "cos", "cosh", "div", "erf", "erfc", "exp", "exp2"}
    )
    | {
        "expm1",
        "floor",
        "integer_pow",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "max",
        "min",
        "mul",
        "neg",
        "pow",
    }
    | {"rem", "round", "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "sub", "tan", "tanh"}
    | {"and", "eq", "ge", "gt", "is_finite", "le", "lt", "ne", "not", "or", "select_n"}
    | {"convert_element_type", "copy", "stop_gradient"}
)
PRODUCTS = frozenset({"dot_general", "conv_general_dilated"})
SAME = 1e-9  # relative: how well a value must fit a known function to be called by its name

KINDS: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: np.exp(-np.logaddexp(0, -z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
SLOPES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: np.exp(-np.logaddexp(0, -z) - np.logaddexp(0, z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0).astype(float),
}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """`value` is a function of `source`, entry by entry; kind: its name, empty where it has none here.

    closes: whether it is the last one before a loss.
    """

    source: int
    value: int
    kind: str
    closes: bool


def roots(record: Flat) -> dict[int, int]:
    """By value the earlier one of which it is a function entry by entry, itself where there is none."""
    found = {number: number for number in range(record.inputs)}
    for equation in record.equations:
        sources = {found[o] for o in equation.operands if o in record.depends}
        for result in equation.results:
            if result in record.depends:
                (source, *more) = sources
                follows = equation.name in ELEMENTWISE and not more
                same = record.shapes[result] == record.shapes[source] and source in record.floats
                found[result] = source if follows and same else result
    return found


def after(record: Flat, value: int) -> frozenset[int]:
    """The values that depend on this one."""
    found = {value}
    for equation in record.equations:
        if found.intersection(equation.operands):
            found.update(equation.results)
    return frozenset(found)


def closing(record: Flat, value: int) -> bool:
    """Whether the outputs are single numbers, as a loss is, and no product of matrices comes before."""
    later = after(record, value)
    return all(record.shapes[out] == () for out in record.outputs) and not any(
        equation.name in PRODUCTS and later.intersection(equation.operands) for equation in record.equations
    )


def units(record: Flat, values: Mapping[int, Array]) -> tuple[Unit, ...]:
    """The activations: functions that have a name here, and what entry-by-entry work ends in."""
    root, found = roots(record), []
    for value, source in root.items():
        if value == source or value not in record.active or not record.shapes[value]:
            continue
        kind = _kind(values[source], values[value])
        if kind or value in record.names or _ends(record, root, value):
            closes = closing(record, value)
            found.append(Unit(source=source, value=value, kind=kind, closes=closes))
    return (*found, *_softmaxes(record, values, root))


def _kind(source: Array, value: Array) -> str:
    with np.errstate(all="ignore"):
        return next((name for name, f in KINDS.items() if _fits(f(source), value)), "")


def _fits(known: Array, value: Array) -> bool:
    return known.shape == value.shape and np.allclose(known, value, rtol=SAME, atol=0)


def _ends(record: Flat, root: dict[int, int], value: int) -> bool:
    """Whether other work than entry by entry goes on from here."""
    users = [record.equations[i] for i, _ in record.uses.get(value, [])]
    return value in record.outputs or any(root.get(r) != root[value] for e in users for r in e.results)


def _softmaxes(record: Flat, values: Mapping[int, Array], root: dict[int, int]) -> list[Unit]:
    """Softmaxes along the last or first axis of what entered the exponential."""
    found = []
    heads = [n for n in dict.fromkeys(root.values()) if n in record.active and len(record.shapes[n]) > 0]
    for value in heads:
        shape, z = record.shapes[value], values[value]
        if record.makers.get(value) is None or record.makers[value].name not in ("div", "mul", "exp"):
            continue
        for source in heads:
            if source < value and record.shapes[source] == shape:
                for axis in dict.fromkeys((len(shape) - 1, 0)):
                    if shape[axis] > 1 and _fits(softmax(values[source], axis), z):
                        closes = closing(record, value)
                        kind = f"softmax {axis}"
                        found.append(Unit(source=source, value=value, kind=kind, closes=closes))
    return found


def softmax(z: Array, axis: int) -> Array:
    """Along one axis."""
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def inside(record: Flat, unit: Unit) -> tuple[Equation, ...]:
    """The equations that lead from a unit's source to its value."""
    later, wanted, kept = after(record, unit.source), {unit.value}, []
    for equation in reversed(record.equations):
        if wanted.intersection(equation.results) and later.intersection(equation.results):
            kept.append(equation)
            wanted.update(o for o in equation.operands if o in later and o != unit.source)
    return tuple(kept[::-1])


def slope_of(record: Flat, unit: Unit) -> Callable[[Array, Mapping[int, Array]], Array]:
    """(where, values) -> the derivative of an entry-by-entry unit at any array of its source's shape.

    values: of the record, for the constants in it.
    """
    fixed, plan = _slope_plan(Alike.to(record), unit)
    return lambda where, values: plan(where, *(values[number] for number in fixed))[0]


@functools.lru_cache(maxsize=256)
def _slope_plan(alike: Alike, unit: Unit) -> tuple[list[int], Plan]:
    """The values of a record that are constants in a unit, and (where, *those) -> (the derivative,)."""
    import jax

    record = alike.record
    equations = inside(record, unit)
    made = {r for e in equations for r in e.results} | {unit.source}
    fixed = sorted({o for e in equations for o in e.operands} - made)

    def derivative(at: Any, constants: tuple[Any, ...]) -> Any:
        def run(z: Any) -> Any:
            known = {unit.source: z, **dict(zip(fixed, constants, strict=True))}
            for e in equations:
                known.update(zip(e.results, e.bind([known[o] for o in e.operands]), strict=True))
            return known[unit.value]

        return jax.jvp(run, (at,), (jax.numpy.ones_like(at),))[1]

    shape = jax.ShapeDtypeStruct(record.shapes[unit.source], np.float64)
    with jax.enable_x64(True):
        return fixed, compiled(jax.make_jaxpr(derivative)(shape, alike.avals(fixed)))
