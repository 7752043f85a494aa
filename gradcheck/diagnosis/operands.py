"""The wrong operand in a product: another array, the transpose, a gradient, weights that were updated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Gradients, Hypothesis, Scene, changing
from gradcheck.tracing.edited import Bypass, Changes, Operand
from gradcheck.tracing.flat import Flat

BILINEAR = frozenset({"dot_general", "mul", "conv_general_dilated"})
FORMS = frozenset({"transpose", "reshape", "squeeze", "convert_element_type", "copy"})
MANY = 400  # hypotheses of this kind, beyond which none is tried
Instead = Callable[[Scene], Array | None]


def operands(scene: Scene, prominent: tuple[int, ...]) -> Iterator[Hypothesis]:
    """Every operand of a product with every other array of its shape in its place."""
    record = scene.record
    places = [
        Operand(i, place)
        for i, equation in enumerate(record.equations)
        if equation.name in BILINEAR and record.active.intersection(equation.results)
        for place in (0, 1)
        if equation.operands[1 - place] in record.active and record.shapes[equation.operands[place]]
    ]
    found = [
        _instead(slot, record, cause, instead)
        for slot in places
        for cause, instead in _others(scene, slot, prominent)
    ]
    yield from found if len(found) <= MANY else ()
    for slot in places:
        yield from _elementwise(record, slot)
    yield from _updated([s for s in places if _leaf(record, _operand(record, s)) is not None])


def _operand(record: Flat, slot: Operand) -> int:
    return record.equations[slot.equation].operands[slot.place]


def _others(scene: Scene, slot: Operand, prominent: tuple[int, ...]) -> Iterator[tuple[Cause, Instead]]:
    record, own = scene.record, _operand(scene.record, slot)
    shape, name = record.shapes[own], _called(scene, own)
    dot = record.equations[slot.equation].name == "dot_general"

    def unmasked(other: int) -> Cause:
        return Cause(
            code="mask-not-applied",
            alternatives=("wrong-operand",),
            message=f"the backward multiplies by {_called(scene, other)} as it was before it was masked",
            remedy="multiply by what the forward multiplies by",
        )

    def cause(what: str) -> Cause:
        return Cause(
            code="wrong-operand",
            message=f"the backward multiplies by {what} where {name} belongs",
            remedy=f"multiply by {name}, as the forward does",
        )

    if dot and len(shape) == 2 and shape[0] == shape[1]:
        yield cause(f"the transpose of {name}"), lambda s: s.values[own].T
    for other in prominent:
        if other != own and record.shapes[other] == shape:
            said = unmasked(other) if _masked(scene, own, other) else cause(_called(scene, other))
            yield said, lambda s, other=other: s.values[other]
    leaf = _leaf(record, own)
    if leaf is not None:
        what = f"the gradient of {_called(scene, leaf)}"
        yield cause(what), lambda s: _gradient(s, own)
    elif own in scene.cotangents:
        yield cause(f"the gradient of {name}"), lambda s: s.cotangents[own]


def _masked(scene: Scene, own: int, other: int) -> bool:
    """Whether one array is the other times a mask."""
    maker = scene.record.makers.get(own)
    if maker is None or maker.name not in ("mul", "select_n"):
        return False
    rest = [o for o in maker.operands if o != other]
    return other in maker.operands and any((scene.values[o] == 0).any() for o in rest)


def _leaf(record: Flat, value: int) -> int | None:
    """The leaf that a value is, or is in another form."""
    while value >= record.inputs:
        maker = record.makers.get(value)
        if maker is None or maker.name not in FORMS:
            return None
        value = maker.operands[0]
    return value


def _gradient(scene: Scene, value: int) -> Array | None:
    """What was claimed of the leaf that a value is, in the form of the value."""
    record, forms = scene.record, []
    while value >= record.inputs:
        forms.append(record.makers[value])
        value = forms[-1].operands[0]
    if value not in scene.evidence or scene.evidence[value].claimed.shape != record.shapes[value]:
        return None
    found = scene.evidence[value].claimed
    for form in reversed(forms):
        turned = form.params["permutation"] if form.name == "transpose" else range(found.ndim)
        found = found.transpose(turned).reshape(record.shapes[form.results[0]])
    return found


def _called(scene: Scene, value: int) -> str:
    leaf = _leaf(scene.record, value)
    if leaf is not None and leaf in scene.evidence:
        return scene.evidence[leaf].leaf
    return scene.names.get(value, "another array of the forward" if value in scene.record.depends else "data")


def _instead(slot: Operand, record: Flat, cause: Cause, instead: Instead) -> Hypothesis:
    own = _operand(record, slot)

    def predict(scene: Scene) -> Gradients:
        other = instead(scene)
        return {} if other is None else scene.run({slot: other - scene.values[own]})[0]

    return Hypothesis(cause=lambda *_: cause, predict=predict, slots=(slot,))


def _updated(slots: list[Operand]) -> Iterator[Hypothesis]:
    """Weights that have taken a step before the gradient went back through them: W - rate dW."""

    def cause(times: float, _: int | None) -> Cause | None:
        # `predict` takes a step of rate 1, which a claim with rate r has 1 - r times "not".
        rate = 1 - times
        return Cause(
            code="updated-weights",
            message=f"the weights took a step of rate {rate:.6g} before the gradient went through them",
            remedy="compute all gradients first, then update",
            value=rate,
        )

    def predict(scene: Scene, chosen: list[Operand]) -> Gradients:
        steps = {}
        for slot in chosen:
            gradient = _gradient(scene, _operand(scene.record, slot))
            if gradient is not None and np.isfinite(gradient).all():
                steps[slot] = -gradient
        return scene.run(steps)[0] if steps else {}

    for slot in slots:
        yield Hypothesis(
            cause=cause, predict=lambda s, slot=slot: predict(s, [slot]), slots=(slot,), fitted=True
        )


def _elementwise(record: Flat, slot: Operand) -> Iterator[Hypothesis]:
    """`*` for `@`, which runs where all three matrices are square."""
    equation, own = record.equations[slot.equation], _operand(record, slot)
    other, result = equation.operands[1 - slot.place], equation.results[0]
    shape = record.shapes[own]
    square = (
        len(shape) == 2 and shape[0] == shape[1] and record.shapes[other] == record.shapes[result] == shape
    )
    if equation.name != "dot_general" or not square:
        return
    cause = Cause(
        code="elementwise-for-matrix",
        message="the backward multiplies entry by entry where it should multiply matrices",
        remedy="use @ in the place of *",
    )
    bypass = Bypass(other, result)
    for turned in (False, True):

        def changes(s: Scene, turned: bool = turned) -> Changes:
            factor = s.values[own]
            return {slot: -factor, bypass: factor.T if turned else factor}

        yield changing(cause, (slot, bypass), changes)
