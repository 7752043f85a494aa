"""The wrong operand in a product: another array, the transpose, a gradient, weights that were updated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Gradients, Hypothesis, Scene
from gradcheck.tracing.edited import Operand
from gradcheck.tracing.flat import Flat

BILINEAR = frozenset({"dot_general", "mul", "conv_general_dilated"})
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
    yield from _updated(record, [s for s in places if _operand(record, s) < record.inputs])


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
            message=f"the backward multiplies by {_called(scene, other)} as it was before the forward masked it",
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
    if own < record.inputs and own in scene.evidence:
        yield cause(f"the gradient of {name}"), lambda s: _gradient(s, own)
    elif own in scene.cotangents:
        yield cause(f"the gradient of {name}"), lambda s: s.cotangents[own]


def _masked(scene: Scene, own: int, other: int) -> bool:
    """Whether one array is the other times a mask."""
    maker = scene.record.makers.get(own)
    if maker is None or maker.name not in ("mul", "select_n"):
        return False
    rest = [o for o in maker.operands if o != other]
    return other in maker.operands and any((scene.values[o] == 0).any() for o in rest)


def _gradient(scene: Scene, leaf: int) -> Array | None:
    """What was claimed of a leaf, where it has its shape."""
    claimed = scene.evidence[leaf].claimed if leaf in scene.evidence else None
    return claimed if claimed is not None and claimed.shape == scene.values[leaf].shape else None


def _called(scene: Scene, value: int) -> str:
    if value in scene.evidence:
        return scene.evidence[value].leaf
    return scene.record.names.get(value, "another array of the forward" if value in scene.record.depends else "data")


def _instead(slot: Operand, record: Flat, cause: Cause, instead: Instead) -> Hypothesis:
    own = _operand(record, slot)

    def predict(scene: Scene) -> Gradients:
        other = instead(scene)
        return {} if other is None else scene.run({slot: other - scene.values[own]})[0]

    return Hypothesis(cause=lambda *_: cause, predict=predict, slots=(slot,))


def _updated(record: Flat, slots: list[Operand]) -> Iterator[Hypothesis]:
    """Weights that have taken a step before the gradient went back through them: W - rate dW."""

    def cause(times: float, _: int | None) -> Cause | None:
        # `predict` takes a step of rate 1, which a claim with rate r has 1 - r times "not".
        rate = 1 - times
        return Cause(
            code="updated-weights",
            message=f"the weights were updated, with the rate {rate:.6g}, before the gradient went through them",
            remedy="compute all gradients first, then update",
            value=rate,
        )

    def predict(scene: Scene, chosen: list[Operand]) -> Gradients:
        steps = {}
        for slot in chosen:
            gradient = _gradient(scene, _operand(record, slot))
            if gradient is not None and np.isfinite(gradient).all():
                steps[slot] = -gradient
        return scene.run(steps)[0] if steps else {}

    for slot in slots:
        yield Hypothesis(
            cause=cause, predict=lambda s, slot=slot: predict(s, [slot]), slots=(slot,), fitted=True
        )
