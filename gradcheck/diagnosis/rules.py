"""From fingerprint to suspicion. Each rule looks at one leaf and knows nothing of the network."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.diagnosis.evidence import Evidence, Suspicion
from gradcheck.diagnosis.offsets import regulariser
from gradcheck.diagnosis.ratios import batch_factor, factor, sign
from gradcheck.diagnosis.shapes import keepdims, missing_batch_sum, nonfinite, reshaped, transposed, zero

Rule = Callable[[Evidence], Suspicion | None]

# More specific first: the first rule that reproduces the claim on every piece of evidence is reported.
RULES: tuple[Rule, ...] = (
    nonfinite,
    zero,
    keepdims,
    missing_batch_sum,
    transposed,
    sign,
    batch_factor,
    factor,
    reshaped,
    regulariser,
)
