"""One factor in every entry: -1, a power of the number of examples, any other number."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, Suspicion


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
    if not np.isfinite(ratio) or ratio == 0 or f"{ratio:.6g}" == "1":
        return None  # a factor that does not show in six digits explains nothing
    size = f"{ratio:.6g} times too large" if ratio > 1 else f"{1 / ratio:.6g} times too small"
    return Suspicion(
        code="factor",
        message=(size if ratio > 0 else f"multiplied by {ratio:.6g}") + _also(evidence, abs(ratio)),
        remedy=f"divide by {ratio:.6g}" if abs(ratio) > 1 else f"multiply by {1 / ratio:.6g}",
        value=ratio,
        fitted=True,
        holds=lambda e: _scaled(e, ratio),
    )


def _scaled(evidence: Evidence, ratio: float) -> bool:
    error = abs(ratio) * evidence.error
    return evidence.explains(evidence.claimed, ratio * evidence.expected, error)


def _also(evidence: Evidence, ratio: float) -> str:
    """What else a whole number may stand for here."""
    number = round(max(ratio, 1 / ratio))
    if number < 2 or f"{max(ratio, 1 / ratio):.6g}" != f"{number}":
        return ""
    for name, shape in evidence.arrays:
        # The number of examples was tried by another batch, and is not it.
        if number in shape and number != evidence.batch_size:
            return f"; {number} is also the length of axis {shape.index(number)} of {name}"
    return ""
