"""Right numbers in another form: zero, an axis more or less, a sum that is due, another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.evidence import Evidence, Suspicion

MATRIX = 2  # axes of one
MANY_AXES = 4  # beyond which there are too many orders of them


def zero(evidence: Evidence) -> Suspicion | None:
    """Nothing was claimed where there is a gradient."""
    if evidence.claimed.any() or not (np.abs(evidence.expected) > evidence.error).any():
        return None
    return Suspicion(
        code="zero",
        message="the claimed gradient is zero and the true one is not",
        remedy="return the gradient, not the zeros or None that it was initialised with",
        value=0.0,
        holds=lambda e: not e.claimed.any(),
    )


def nonfinite(evidence: Evidence) -> Suspicion | None:
    """Infinities or NaN where the gradient is a number."""
    count = int((~np.isfinite(evidence.claimed)).sum())
    if not count:
        return None
    return Suspicion(
        code="nonfinite",
        message=f"{count} of {evidence.claimed.size} entries are not finite, and the true ones are",
        remedy="look for 0/0, log(0) and overflow in the backward",
        holds=lambda e: not np.isfinite(e.claimed).all(),
    )


def keepdims(evidence: Evidence) -> Suspicion | None:
    """The right numbers with an axis of length 1 too many or too few."""
    given, due = evidence.claimed.shape, evidence.expected.shape
    if given == due or [n for n in given if n != 1] != [n for n in due if n != 1]:
        return None
    return Suspicion(
        code="keepdims",
        message=f"the numbers are right, the shape is {given} where {due} is due",
        remedy="sum with keepdims=True" if len(given) < len(due) else f"reshape to {due}",
        holds=lambda e: e.is_right(e.claimed),
    )


def missing_batch_sum(evidence: Evidence) -> Suspicion | None:
    """An axis that still has to be summed over."""
    for axis in range(evidence.claimed.ndim):
        for keep in (True, False):
            summed = evidence.claimed.sum(axis=axis, keepdims=keep)
            if evidence.claimed.shape != summed.shape == evidence.expected.shape:
                suspicion = Suspicion(
                    code="missing-batch-sum",
                    message=f"axis {axis}, of length {evidence.claimed.shape[axis]}, was not summed over",
                    remedy=f"sum over axis {axis}{' with keepdims=True' if keep else ''}",
                    holds=lambda e, axis=axis, keep=keep: e.explains(
                        e.claimed.sum(axis=axis, keepdims=keep), e.expected, e.error
                    ),
                )
                if suspicion.holds(evidence):
                    return suspicion
    return None


def transposed(evidence: Evidence) -> Suspicion | None:
    """The transpose of the gradient, or of each matrix in a stack."""
    if evidence.claimed.ndim < MATRIX:
        return None
    return Suspicion(
        code="transposed",
        message="the claimed gradient is the transpose of the true one",
        remedy="transpose it, or swap the operands of the product that makes it",
        holds=lambda e: e.explains(e.claimed.swapaxes(-1, -2), e.expected, e.error),
    )


def reshaped(evidence: Evidence) -> Suspicion | None:
    """The right numbers in another order of axes, or in another shape."""
    if evidence.claimed.size != evidence.expected.size or evidence.expected.ndim == 0:
        return None
    for what, undo in _orders(evidence.expected.ndim, evidence.claimed.shape != evidence.expected.shape):
        suspicion = Suspicion(
            code="reshaped",
            message=f"the numbers are right, their places are not: {what}",
            remedy="move the axes with transpose; a reshape keeps the order of the entries",
            holds=lambda e, undo=undo: (
                e.claimed.size == e.expected.size
                and e.explains(e.claimed.ravel(), undo(e.expected).ravel(), undo(e.error).ravel())
            ),
        )
        if suspicion.holds(evidence):
            return suspicion
    return None


def _orders(ndim: int, other_shape: bool) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    """Ways in which entries are put elsewhere."""
    if other_shape:
        yield "they have another shape", np.asarray
    for axes in permutations(range(ndim)):
        if ndim <= MANY_AXES and axes != tuple(range(ndim)):
            yield f"the axes have the order {axes}", lambda a, axes=axes: a.transpose(axes)
    for axis in range(ndim):
        yield f"axis {axis} runs backwards", lambda a, axis=axis: np.flip(a, axis)
    yield "all axes run backwards", np.flip
