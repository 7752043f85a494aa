"""Wrong derivatives of activations: left out, of another function, at the wrong place, taken twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Gradients, Hypothesis, Scene, changing
from gradcheck.diagnosis.sites import KINDS, SLOPES, Unit, inside, roots, slope_of, softmax
from gradcheck.tracing.edited import Bypass, Changes, Gain
from gradcheck.tracing.flat import Flat

Slope = Callable[[Scene], Array]
ELSEWHERE = 0.375  # minus a value is another point, and of the other sign where the value is large
USUAL = {"sigmoid": ("sigmoid", "a (1 - a)"), "tanh": ("tanh", "1 - a^2"), "relu": ("ReLU", "1 where z > 0")}


def slopes(scene: Scene, units: tuple[Unit, ...]) -> Iterator[Hypothesis]:
    """Every usual mistake in the derivative of every activation."""
    known = {unit.value for unit in units if unit.kind}
    for unit in units:
        if unit.kind.startswith("softmax"):
            yield from _softmax(scene, unit)
        elif unit.kind or not (_linear(scene, unit) or _contains(scene, unit, known)):
            named = unit.kind or not unit.closes  # what closes without a name is a loss, not an activation
            others = (*_misplaced(scene, unit), *_of_another(scene, unit)) if named else ()
            for cause, slope in (*_missing(scene, unit), *others):
                yield _with_slope(unit, cause, slope)
            yield from _twice(scene, unit)
        if unit.kind == "relu":
            yield _mask_of_gradient(scene, unit)
    yield from _before_activation(scene, units)
    for value in dict.fromkeys(unit.source for unit in units if unit.closes):
        yield from _of_the_output(scene, value)


def _with_slope(unit: Unit, cause: Cause, slope: Slope) -> Hypothesis:
    """A hypothesis that puts another derivative in the place of a unit's own."""
    gain, bypass = Gain(unit.value), Bypass(unit.source, unit.value)

    def changes(scene: Scene) -> Changes:
        with np.errstate(all="ignore"):
            return {gain: 0.0, bypass: slope(scene)}

    return changing(cause, (gain, bypass), changes)


def _name(scene: Scene, unit: Unit) -> str:
    """How the function is called, and of what, as far as that is known."""
    kind = USUAL[unit.kind][0] if unit.kind else "the activation"
    argument = scene.names.get(unit.source)
    return f"{kind} of {argument}" if argument else kind


def _linear(scene: Scene, unit: Unit) -> bool:
    """Whether a unit only scales, or masks with a mask that does not depend on what enters."""
    slope, at = slope_of(scene.record, unit), scene.values[unit.source]
    return np.array_equal(slope(at, scene.values), slope(ELSEWHERE - at, scene.values))


def _contains(scene: Scene, unit: Unit, known: set[int]) -> bool:
    """Whether part of a unit is one that has a name, which then is what people differentiate."""
    return any(known.intersection(e.results) for e in inside(scene.record, unit))


def _own(unit: Unit) -> Slope:
    return lambda s: slope_of(s.record, unit)(s.values[unit.source], s.values)


def _missing(scene: Scene, unit: Unit) -> Iterator[tuple[Cause, Slope]]:
    """The derivative left out, or taken for 1 where it is 0."""
    name, own = _name(scene, unit), _own(unit)
    shut = own(scene) == 0
    other: tuple[str, ...] = ("mask-not-applied",) if shut.any() else ()
    code, others = ("output-delta", ("missing-activation",)) if unit.closes else ("missing-activation", other)
    yield (
        Cause(
            code=code,
            alternatives=others,
            message=f"the derivative of {name} is left out",
            remedy="multiply by it where the gradient goes back through the activation",
        ),
        lambda s: np.ones(s.values[unit.value].shape),
    )
    if shut.any() and not shut.all():
        yield (
            Cause(
                code="mask-not-applied",
                message=f"the gradient passes where {name} is flat",
                remedy="set it to zero there, e.g. multiply by the same mask as the forward",
            ),
            lambda s: np.where(own(s) == 0, 1.0, own(s)),
        )


def _misplaced(scene: Scene, unit: Unit) -> Iterator[tuple[Cause, Slope]]:
    """The unit's own derivative at its value, or half of its formula."""
    name = _name(scene, unit)

    def at_value(s: Scene) -> Array:
        return slope_of(s.record, unit)(s.values[unit.value], s.values)

    def cause(what: str, *alternatives: str) -> Cause:
        return Cause(
            code="derivative-at-activation",
            alternatives=alternatives,
            message=f"the derivative of {name} is taken as {what}",
            remedy=f"use {USUAL[unit.kind][1]}, with a = f(z)"
            if unit.kind
            else "take f'(z), at what goes into f",
        )

    def z(s: Scene) -> Array:
        return s.values[unit.source]

    def a(s: Scene) -> Array:
        return s.values[unit.value]

    yield cause("f'(a), where a is already f(z)"), at_value
    if unit.kind == "sigmoid":
        yield cause("z (1 - z)"), lambda s: z(s) * (1 - z(s))
        yield cause("a"), a
        yield cause("1 - a"), lambda s: 1 - a(s)
    if unit.kind == "tanh":
        yield cause("1 - z^2"), lambda s: 1 - z(s) ** 2
        yield cause("1 - a", "wrong-activation"), lambda s: 1 - a(s)
        yield cause("a"), a
        yield cause("a^2"), lambda s: a(s) ** 2
    if unit.kind == "relu":
        yield cause("z"), z
        yield cause("a"), a
    for other in _later(scene, unit) if unit.kind in ("sigmoid", "tanh") else ():
        name_of = scene.names.get(other, "what the forward makes of a")
        wrong = cause(f"its formula with {name_of} in the place of a", "wrong-operand")
        yield wrong, lambda s, other=other: _by_output(unit.kind, s.values[other])


def _by_output(kind: str, a: Array) -> Array:
    return a * (1 - a) if kind == "sigmoid" else 1 - a**2


def _later(scene: Scene, unit: Unit) -> list[int]:
    """What the forward makes of a unit's value, entry by entry."""
    record, root = scene.record, roots(scene.record)
    return [
        n
        for n, source in root.items()
        if n > unit.value
        and source == unit.source
        and n in record.active
        and unit.value in _parents(record, n)
    ]


def _parents(record: Flat, value: int) -> tuple[int, ...]:
    maker = record.makers.get(value)
    return maker.operands if maker else ()


def _of_another(scene: Scene, unit: Unit) -> Iterator[tuple[Cause, Slope]]:
    """The derivative of another activation, at z or at a, or its formula in terms of a."""
    name = _name(scene, unit)

    def cause(what: str) -> Cause:
        return Cause(
            code="wrong-activation",
            message=f"the derivative of {name} is taken as {what}",
            remedy=f"use {USUAL[unit.kind][1]}, with a = f(z)" if unit.kind else "use that of the forward",
        )

    def at(kind: str, number: int) -> Slope:
        return lambda s: SLOPES[kind](s.values[number])

    for kind in SLOPES:
        if kind != unit.kind:
            if not (SLOPES[kind](scene.values[unit.source]) == 1).all():
                yield cause(f"that of {USUAL[kind][0]}"), at(kind, unit.source)
            if not (SLOPES[kind](scene.values[unit.value]) == 1).all():
                yield cause(f"that of {USUAL[kind][0]}, at a"), at(kind, unit.value)
    if unit.kind != "sigmoid":
        yield cause("a (1 - a), that of sigmoid"), lambda s: s.values[unit.value] * (1 - s.values[unit.value])
    if unit.kind != "tanh":
        yield cause("1 - a^2, that of tanh"), lambda s: 1 - s.values[unit.value] ** 2
    if unit.kind == "relu":
        yield cause("1 where z < 0"), lambda s: (s.values[unit.source] < 0).astype(float)
        shape = scene.record.shapes[unit.value]
        for other in sorted(scene.names.keys() | set(range(scene.record.inputs))):
            known = scene.record.shapes[other] == shape and other not in (unit.source, unit.value)
            if known and other in scene.values:
                what = f"1 where {scene.names.get(other, 'another array')} > 0"
                yield cause(what), at("relu", other)


def _mask_of_gradient(scene: Scene, unit: Unit) -> Hypothesis:
    """The mask of ReLU taken from the sign of the gradient that comes in."""
    cause = Cause(
        code="wrong-activation",
        message=f"the derivative of {_name(scene, unit)} is 1 where the incoming gradient is positive",
        remedy="take the mask from z, what goes into the ReLU",
    )
    found = _with_slope(unit, cause, lambda s: (s.cotangents[unit.value] > 0).astype(float))
    return replace(found, watched=(unit.value,))


def _twice(scene: Scene, unit: Unit) -> Iterator[Hypothesis]:
    """The derivative multiplied in once more."""
    own, gain = _own(unit), Gain(unit.value)
    cause = Cause(
        code="output-delta" if unit.closes else "wrong-activation",
        alternatives=("wrong-activation",) if unit.closes else (),
        message=f"the derivative of {_name(scene, unit)} is multiplied in twice",
        remedy="multiply by it once",
    )
    yield changing(cause, (gain,), lambda s: {gain: own(s)})


def _of_the_output(scene: Scene, value: int) -> Iterator[Hypothesis]:
    """A factor a (1 - a) too many, or too few, where the loss already took care of it."""
    gain, name = Gain(value), scene.names.get(value, "what enters the output activation")
    for kind in ("sigmoid", "tanh"):
        formula = USUAL[kind][1]
        extra = Cause(
            code="output-delta",
            alternatives=("wrong-activation",),
            message=f"the gradient by {name} has the factor {formula} too often",
            remedy="leave it out: for this loss and activation together it is a difference, e.g. a - y",
        )
        lost = Cause(
            code="output-delta",
            alternatives=("missing-activation",),
            message=f"the gradient by {name} lacks the factor {formula} of the output activation",
            remedy=f"multiply by {formula}",
        )
        yield changing(extra, (gain,), lambda s, kind=kind: {gain: SLOPES[kind](s.values[value])})
        yield changing(lost, (gain,), lambda s, kind=kind: {gain: _inverse(SLOPES[kind](s.values[value]))})

    difference = Cause(
        code="wrong-operand",
        message=f"the difference of output and label is taken with {name}, before the activation",
        remedy="use a - y, where a is the output of the activation",
    )

    def without(s: Scene) -> Gradients:
        part = s.values[value] - KINDS["sigmoid"](s.values[value])
        return s.run({gain: 1 - part / s.cotangents[value]})[0]

    yield Hypothesis(
        cause=lambda *_: difference, predict=without, slots=(gain,), watched=(value,), fitted=True, free=True
    )


def _before_activation(scene: Scene, units: tuple[Unit, ...]) -> Iterator[Hypothesis]:
    """The derivative of the loss at what enters the output's activation, where its value belongs."""
    losses = [unit for unit in units if unit.closes and not unit.kind]
    for output, loss in ((o, u) for o in units for u in losses if o.kind in KINDS and o.source == u.source):
        rest = Unit(source=output.value, value=loss.value, kind="", closes=True)
        if output.value < loss.value and inside(scene.record, rest):
            z, a = (scene.names.get(n, name) for n, name in ((output.source, "z"), (output.value, "a")))
            cause = Cause(
                code="wrong-operand",
                message=f"the derivative of the loss is taken at {z} where {a} belongs",
                remedy=f"use {a}, the output of the activation",
            )
            yield _with_slope(
                rest,
                cause,
                lambda s, rest=rest, z=output.source: slope_of(s.record, rest)(s.values[z], s.values),
            )


def _inverse(slope: Array) -> Array:
    with np.errstate(all="ignore"):
        return 1 / slope


def _softmax(scene: Scene, unit: Unit) -> Iterator[Hypothesis]:
    """The softmax as if each of its entries depended on one."""
    axis = int(unit.kind.split()[1])
    of = f" of {scene.names[unit.source]}" if unit.source in scene.names else ""
    diagonal = Cause(
        code="softmax-diagonal",
        message=f"of the derivative of the softmax{of} only the diagonal s (1 - s) is used",
        remedy="use s * (d - (d * s).sum(axis, keepdims=True)), where d is the gradient by s",
    )
    missing = Cause(
        code="missing-activation",
        message=f"the derivative of the softmax{of} is left out",
        remedy=diagonal.remedy,
    )
    yield _with_slope(unit, diagonal, lambda s: (p := softmax(s.values[unit.source], axis)) * (1 - p))
    yield _with_slope(unit, missing, lambda s: np.ones(s.values[unit.value].shape))
