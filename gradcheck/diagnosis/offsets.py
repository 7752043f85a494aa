"""The gradient and something more: a multiple of the parameter itself."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, Suspicion

SEVERAL = 3  # entries, from which on a number may be fitted and the rest is still evidence


def regulariser(evidence: Evidence) -> Suspicion | None:
    """A penalty on the parameter that the forward lacks, or one too few, doubled or halved, or over m."""
    times = _times(evidence)
    if times is None:
        return None
    sign, undo = ("more", "take it out") if times > 0 else ("less", "add it")
    return Suspicion(
        code="regulariser",
        message=f"{abs(times):.6g} times the parameter itself {sign} than the forward has",
        remedy=f"{undo}, or let the forward have the penalty that the gradient has",
        value=times,
        fitted=True,
        # It may depend on the number of examples. With several entries the rest is still evidence.
        holds=lambda e: (
            _added(e, times)
            or (e.batch_size != evidence.batch_size and e.at.size >= SEVERAL and _added(e, _times(e)))
        ),
    )


def _times(evidence: Evidence) -> float | None:
    """How many times the parameter the claim is off."""
    if evidence.claimed.shape != evidence.expected.shape or not evidence.at.any():
        return None
    unit = evidence.at / np.abs(evidence.at).max()
    times = float(np.vdot(evidence.claimed - evidence.expected, unit) / np.vdot(evidence.at, unit))
    return times if np.isfinite(times) and times != 0 else None


def _added(e: Evidence, times: float | None) -> bool:
    return (
        times is not None
        and e.claimed.shape == e.expected.shape
        and e.explains(e.claimed, e.expected + times * e.at, e.error)
        and not e.explains(e.claimed, e.expected, e.error)
    )
