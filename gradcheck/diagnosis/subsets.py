"""Only some of the examples, and sums over the wrong axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.scene import Cause, Gradients, Hypothesis, Scene, changing
from gradcheck.diagnosis.sites import roots
from gradcheck.tracing.edited import Gain
from gradcheck.tracing.flat import Flat

PARTS = {
    "only the last one": slice(-1, None),
    "only the first one": slice(0, 1),
    "all but the last one": slice(0, -1),
    "all but the first one": slice(1, None),
}
MANY = 60  # values with examples, beyond which the last ones only are looked at


def subsets(scene: Scene) -> Iterator[Hypothesis]:
    """Every value that the forward works on as a whole, with only some of its entries along an axis."""
    record, root = scene.record, roots(scene.record)
    heads = [n for n in dict.fromkeys(root.values()) if n in record.active and record.shapes[n]]
    for value in heads[-MANY:]:
        for axis, length in enumerate(record.shapes[value]):
            if length > 1 and (scene.batch_size in (None, length)):
                yield from _parts(record, value, axis, length)


def _parts(record: Flat, value: int, axis: int, length: int) -> Iterator[Hypothesis]:
    gain, name = Gain(value), record.names.get(value, "a value of the forward")
    for what, part in PARTS.items():
        cause = Cause(
            code="one-sample",
            message=f"of the {length} along axis {axis} of {name} {what} is in the gradient",
            remedy="sum over all of them",
        )
        yield changing(cause, (gain,), lambda s, part=part: {gain: _mask(s, value, axis, part)})


def _mask(scene: Scene, value: int, axis: int, part: slice) -> Array:
    found = np.zeros(scene.record.shapes[value])
    found[(slice(None),) * axis + (part,)] = 1
    return found


def sums(scene: Scene) -> Iterator[Hypothesis]:
    """Of an array that was broadcast, what else one may make of the gradient of all its copies."""
    for leaf in range(scene.record.inputs):
        spread = _spread(scene.record, leaf)
        if leaf in scene.evidence and spread is not None:
            yield from _summed(scene, leaf, spread)


def _spread(record: Flat, leaf: int) -> int | None:
    """What a leaf becomes that is used once, to be broadcast."""
    value = leaf
    while len(uses := record.uses.get(value, [])) == 1:
        equation = record.equations[uses[0][0]]
        if equation.name not in ("broadcast_in_dim", "reshape", "convert_element_type", "copy"):
            return None
        (value,) = equation.results
        if np.prod(record.shapes[value]) > np.prod(record.shapes[leaf]):
            return value
    return None


def is_spread(record: Flat, leaf: int) -> bool:
    """Whether a leaf is used once, to be broadcast, as a bias is."""
    return _spread(record, leaf) is not None


def _summed(scene: Scene, leaf: int, spread: int) -> Iterator[Hypothesis]:
    shape, due = scene.record.shapes[spread], scene.record.shapes[leaf]
    name = scene.evidence[leaf].leaf
    whole = int(np.prod(due))
    for axis, length in enumerate(shape):
        kept = int(np.prod(shape)) // length
        wrong = Cause(
            code="wrong-axis",
            message=f"{name} was broadcast, and its gradient is summed over axis {axis}, the wrong one",
            remedy=f"sum over the axes along which {name} was repeated",
        )
        yield _leaf_only(leaf, spread, wrong, lambda u, axis=axis: u.sum(axis=axis))
        if kept == whole:
            for index, which in ((-1, "last"), (0, "first")):
                one = Cause(
                    code="one-sample",
                    message=f"only the {which} of {length} along axis {axis} is in the gradient of {name}",
                    remedy=f"sum over axis {axis}",
                )
                yield _leaf_only(leaf, spread, one, lambda u, i=index, axis=axis: u.take(i, axis=axis))


def _leaf_only(leaf: int, spread: int, cause: Cause, make: Callable[[Array], Array]) -> Hypothesis:
    """A prediction of one leaf's gradient, in the shape that was claimed where it has as many entries."""

    def predict(scene: Scene) -> Gradients:
        if leaf not in scene.evidence:
            return {}
        found, evidence = make(scene.cotangents[spread]), scene.evidence[leaf]
        if found.size != evidence.claimed.size or evidence.is_right(found):
            return {}
        return {leaf: found.reshape(evidence.claimed.shape)}

    return Hypothesis(cause=lambda *_: cause, predict=predict, watched=(spread,))
