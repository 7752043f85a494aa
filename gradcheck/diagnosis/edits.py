"""The lines of NumPy that a quantity of a backward may have been computed by."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.expressions import (
    FORMS,
    Expression,
    Minus,
    Name,
    Plus,
    Product,
    Scaled,
    Slope,
    Summed,
    Times,
    Transposed,
)
from gradcheck.diagnosis.ingredients import Ingredients
from gradcheck.rounding import allowance

AMPLIFIED = 2.0**16  # times its rounding that a right line may be off by, where terms cancel in it
MOST_OPERANDS = 24  # arrays that are tried; a line of a lecture's network has a dozen around it
PLAIN = ("2", "3", "4")  # numbers that stand in formulas by themselves


class Made(NamedTuple):
    """A line and what it comes to at one point."""

    line: Expression
    value: Array


def lines(scene: Ingredients, fixed: set[str]) -> Iterator[Made]:
    """Lines of the shapes of the quantity, due or written, without a number in front.

    fixed: operands that are the same on fresh data, such as labels: no activation was computed of them.
    """
    arrays = _different(scene)
    shapes = {scene.expected.shape, scene.written.shape}
    with np.errstate(all="ignore"):
        for line in _all(scene, arrays, fixed):
            value = _value(line, scene)
            if value is not None and value.shape in shapes:
                yield Made(line, value)


def _value(line: Expression, scene: Ingredients) -> Array | None:
    """What a line comes to; None where it does not run."""
    try:
        return line.value(scene.operands)
    except ValueError:  # shapes that do not fit
        return None


def _different(scene: Ingredients) -> list[str]:
    """The operands that are arrays, each value once: gradients first, then by how they were found."""
    order = (*scene.cotangents, *(name for name in scene.operands if name not in scene.cotangents))
    found: list[str] = []
    for name in order:
        value = scene.operands[name]
        if value.ndim and not any(np.array_equal(value, scene.operands[other]) for other in found):
            found.append(name)
    return found[:MOST_OPERANDS]


def _all(scene: Ingredients, arrays: list[str], fixed: set[str]) -> Iterator[Expression]:
    shape = scene.expected.shape
    alike = [Name(name) for name in arrays if scene.operands[name].shape == shape]
    incoming = [Name(name) for name in arrays if name in scene.cotangents]
    others = [name for name in alike if name.name not in scene.cotangents]
    slopes = [
        Slope(kind, form, of) for (kind, form), of in itertools.product(FORMS, others) if of.name not in fixed
    ]
    if scene.own is not None or incoming:
        products = list(_products([Name(name) for name in arrays], incoming))
        yield from (*incoming, *_summed(incoming), *products)
        inner = products if scene.own is None else ()
        through = [p for p in inner if (v := _value(p, scene)) is not None and v.shape == shape]
        for into, slope in itertools.product([i for i in incoming if i in alike] + through, slopes):
            yield Times(into, slope)
    if scene.own is None and not incoming:
        for one, other in itertools.permutations(others, 2):
            yield Minus(one, other)
            yield from (Times(Minus(one, other), slope) for slope in slopes)


def _summed(incoming: list[Name]) -> Iterator[Expression]:
    for name, axis, keepdims in itertools.product(incoming, (0, 1), (True, False)):
        yield Summed(name, axis, keepdims)


def _products(arrays: list[Name], incoming: list[Name]) -> Iterator[Expression]:
    """Of a right gradient and anything else, either side transposed or not."""
    for array, into in itertools.product(arrays, incoming):
        if array == into:
            continue
        for kind, one, other in itertools.product(
            (Product, Times), (array, Transposed(array)), (into, Transposed(into))
        ):
            yield kind(one, other)
            yield kind(other, one)


def fitted(made: Made, target: Array, scene: Ingredients) -> Iterator[Expression]:
    """The line with a number in front of it, or its transpose, or with a multiple of the own parameter, that
    makes the target."""
    line, value = made
    turned = [Made(Transposed(line), value.T)] if value.ndim == 2 and value.T.shape == target.shape else []
    for form in ([made] if value.shape == target.shape else []) + turned:
        found = _scaled(form, target, scene)
        if found is not None:
            yield found
        elif scene.own is not None and form is made:
            penalised = _penalised(form, target, scene)
            if penalised is not None:
                yield penalised


def _scaled(made: Made, target: Array, scene: Ingredients) -> Expression | None:
    line, value = made
    ratio = _ratio(value, target)
    if not ratio or not same(ratio * value, target):
        return None
    for by, number in _numbers(scene):
        for divided in (False, True):
            if np.isclose(abs(ratio), 1 / number if divided else number, rtol=1e-9, atol=0):
                negative = bool(ratio < 0)
                return line if by == "1" and not negative else Scaled(line, by, divided, negative)
    return None


def _numbers(scene: Ingredients) -> Iterator[tuple[str, float]]:
    """Numbers that a line may be multiplied by or divided by: 1, those that have names, small ones."""
    yield "1", 1.0
    named = [
        (name, float(v)) for name, v in scene.operands.items() if v.ndim == 0 and v > 1 and v == np.round(v)
    ]
    yield from named[:8]
    yield from ((text, float(text)) for text in PLAIN)


def _penalised(made: Made, target: Array, scene: Ingredients) -> Expression | None:
    """The line plus a multiple of the parameter that it is the gradient of."""
    assert scene.own is not None
    line, value = made
    own = scene.operands[scene.own]
    left = target - value
    coefficient = _ratio(own, left) if own.shape == left.shape else 0.0
    if not coefficient or own.size < 2 or not same(coefficient * own, left, size=np.abs(target).max()):
        return None
    return Plus(line, float(f"{coefficient:.9g}"), Name(scene.own))


def _ratio(value: Array, target: Array) -> float:
    largest = np.abs(value).max(initial=0)
    if not largest or not np.isfinite(largest) or not np.isfinite(target).all():
        return 0.0
    unit = value / largest
    return float(np.vdot(unit, target) / np.vdot(unit, value))


def same(one: Array, other: Array, size: float = 0.0) -> bool:
    """Whether two arrays are equal but for rounding."""
    if one.shape != other.shape or not np.isfinite(one).all():
        return False
    largest = max(size, np.abs(one).max(initial=0), np.abs(other).max(initial=0))
    bar = AMPLIFIED * allowance(other.dtype, largest)
    return bool((np.abs(one - other) <= bar).all())
