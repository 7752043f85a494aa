"""From fingerprint to suspicion. Each rule looks at one leaf and knows nothing of the network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, Suspicion

Rule = Callable[[Evidence], Suspicion | None]


def zero(evidence: Evidence) -> Suspicion | None:
    """Nothing was claimed where there is a gradient."""
    if evidence.claimed.size == 0 or evidence.claimed.any():
        return None
    return Suspicion(
        code="zero",
        message="the claimed gradient is zero and the true one is not",
        remedy="return the gradient, not the zeros or None that it was initialised with",
        value=0.0,
        holds=lambda e: not e.claimed.any(),
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
        holds=lambda e: e.explains(e.claimed.reshape(e.expected.shape), e.expected, e.error),
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
    """The transpose of the gradient."""
    if evidence.claimed.ndim != 2:
        return None
    return Suspicion(
        code="transposed",
        message="the claimed gradient is the transpose of the true one",
        remedy="transpose it, or swap the operands of the product that makes it",
        holds=lambda e: e.explains(e.claimed.T, e.expected, e.error),
    )


def sign(_: Evidence) -> Suspicion | None:
    """The negative of the gradient."""
    return Suspicion(
        code="sign",
        message="the sign is flipped",
        remedy="negate it; somewhere a difference, such as y - a for a - y, is the wrong way round",
        value=-1.0,
        holds=lambda e: e.explains(-e.claimed, e.expected, e.error),
    )


def batch_factor(evidence: Evidence) -> Suspicion | None:
    """A power of the number of examples, told from other factors by a shorter batch."""
    m = evidence.batch_size
    if m is None or m == 1:
        return None
    for power in (1, -1, 2, -2):
        times, number = ("m", f"{m}") if abs(power) == 1 else ("m^2", f"{m**2} = {m}^2")
        large, undo = ("large", "divide") if power > 0 else ("small", "multiply")
        suspicion = Suspicion(
            code="factor",
            message=f"{m ** abs(power)} times too {large}, {m} is the number of examples",
            remedy=f"{undo} by {times} = {number}",
            value=float(m) ** power,
            by_batch=True,
            holds=lambda e, power=power: _scaled(e, float(e.batch_size or 1) ** power),
        )
        if suspicion.holds(evidence):
            return suspicion
    return None


def factor(evidence: Evidence) -> Suspicion | None:
    """One constant factor in every entry."""
    expected = evidence.expected
    if evidence.claimed.shape != expected.shape or not expected.any():
        return None
    unit = expected / np.abs(expected).max()  # its square neither overflows nor vanishes
    ratio = float(np.vdot(evidence.claimed, unit) / np.vdot(expected, unit))
    if ratio == 0 or f"{ratio:.6g}" == "1":
        return None  # a factor that does not show in six digits explains nothing
    size = f"{ratio:.6g} times too large" if ratio > 1 else f"{1 / ratio:.6g} times too small"
    return Suspicion(
        code="factor",
        message=size if ratio > 0 else f"multiplied by {ratio:.6g}",
        remedy=f"divide by {ratio:.6g}" if abs(ratio) > 1 else f"multiply by {1 / ratio:.6g}",
        value=ratio,
        fitted=True,
        holds=lambda e: _scaled(e, ratio),
    )


def _scaled(evidence: Evidence, ratio: float) -> bool:
    error = abs(ratio) * evidence.error
    return evidence.explains(evidence.claimed, ratio * evidence.expected, error)


# More specific first: the first rule that reproduces the claim on every piece of evidence is reported.
RULES: tuple[Rule, ...] = (zero, keepdims, missing_batch_sum, transposed, sign, batch_factor, factor)
