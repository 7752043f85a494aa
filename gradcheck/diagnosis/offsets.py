"""The gradient and something more: a multiple of the parameter itself."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis.evidence import Evidence, Suspicion


def regulariser(evidence: Evidence) -> Suspicion | None:
    """A penalty on the parameter that the forward lacks, or one too few, doubled or halved."""
    if evidence.claimed.shape != evidence.expected.shape or not evidence.at.any():
        return None
    unit = evidence.at / np.abs(evidence.at).max()
    times = float(np.vdot(evidence.claimed - evidence.expected, unit) / np.vdot(evidence.at, unit))
    if not np.isfinite(times) or times == 0:
        return None
    sign, undo = ("more", "take it out") if times > 0 else ("less", "add it")
    return Suspicion(
        code="regulariser",
        message=f"{abs(times):.6g} times the parameter itself {sign} than the forward has",
        remedy=f"{undo}, or let the forward have the penalty that the gradient has",
        value=times,
        fitted=True,
        holds=lambda e: (
            e.claimed.shape == e.expected.shape
            and e.explains(e.claimed, e.expected + times * e.at, e.error)
            and not e.explains(e.claimed, e.expected, e.error)
        ),
    )
