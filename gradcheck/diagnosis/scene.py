"""One look at a claim beside the record of its forward: what hypotheses are tried on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.rounding import allowance
from gradcheck.tracing.edited import Changes, Slot
from gradcheck.tracing.flat import Flat

SLACK = (
    2.0**6
)  # times its rounding that the gradient of a wrong formula may be off by: terms may cancel in it
UNSEEN = (
    2.0**-27
)  # of its size: digits that cancel, as in 1 - a of a saturated unit, may escape a bar of samples
VISIBLE = 2.0**3  # times what it may be off by, above which a prediction is another one than the truth

Gradients = Mapping[int, Array]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """A claim at one point beside all values of its recorded forward there.

    evidence: by the position of its leaf; only of leaves whose truth is known sharply. values: by number.
    run(changes) -> (gradients by position, cotangents of the watched values).
    """

    record: Flat
    values: Mapping[int, Array]
    evidence: Mapping[int, Evidence]
    run: Callable[[Changes], tuple[Gradients, Gradients]]
    batch_size: int | None

    @functools.cached_property
    def names(self) -> Mapping[int, str]:
        """What the user calls the leaves and the local variables of the forward."""
        return {**self.record.names, **{p: evidence.leaf for p, evidence in self.evidence.items()}}

    @functools.cached_property
    def cotangents(self) -> Gradients:
        """The derivatives by the watched values, unchanged."""
        return self.run({})[1]

    def off_by(self, position: int, predicted: Array) -> float:
        """How far a prediction of one leaf's gradient may be off."""
        evidence = self.evidence[position]
        largest = max(_largest(predicted), _largest(evidence.expected), _largest(evidence.claimed))
        relative = _largest(evidence.error) / (_largest(evidence.expected) or 1.0)
        known = SLACK * (allowance(evidence.claimed.dtype, largest) + relative * largest)
        return max(known, UNSEEN * largest)

    def visible(self, position: int, predicted: Array) -> bool:
        """Whether a predicted gradient is another one than the truth."""
        expected = self.evidence[position].expected
        if predicted.shape != expected.shape:
            return True
        return _largest(predicted - expected) > VISIBLE * self.off_by(position, predicted)

    def claims(self, position: int, predicted: Array) -> bool:
        """Whether the claim is this prediction, entry by entry."""
        claimed = self.evidence[position].claimed
        if claimed.shape != predicted.shape or not np.isfinite(predicted).all():
            return False
        return bool((np.abs(claimed - predicted) <= self.off_by(position, predicted)).all())


def _largest(values: Array) -> float:
    return float(np.abs(values).max(initial=0))


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What a hypothesis says of the code. alternatives: codes of the same numbers in other words."""

    code: str
    message: str
    remedy: str
    alternatives: tuple[str, ...] = ()
    value: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Hypothesis:
    """A way in which the backward may be wrong, which predicts what it would then say.

    predict(scene) -> the gradients of some leaves, by position; {} where it makes no sense there.
    slots, watched: what the scenes must provide for that. fitted: `predict` gives the gradients without one
    part of the derivative, and how often the claim has that part is for the numbers to say; `cause`
    is then asked with that number. free: the number may be another one on other data.
    """

    cause: Callable[[float, int | None], Cause | None]
    predict: Callable[[Scene], Gradients]
    slots: tuple[Slot, ...] = ()
    watched: tuple[int, ...] = ()
    fitted: bool = False
    free: bool = False


def changing(cause: Cause, slots: tuple[Slot, ...], changes: Callable[[Scene], Changes]) -> Hypothesis:
    """A hypothesis that changes the derivative of the forward."""
    return Hypothesis(cause=lambda *_: cause, predict=lambda scene: scene.run(changes(scene))[0], slots=slots)
