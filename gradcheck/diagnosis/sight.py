"""One look at a claim: what is known of every leaf, and the structure of the forward, if recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck.claim import Array
from gradcheck.diagnosis.evidence import Evidence
from gradcheck.tracing.flat import Flat


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The claim at one point.

    evidence: by position, of the leaves whose truth is known sharply. record: None where there is none.
    """

    record: Flat | None
    inputs: tuple[Array, ...]
    cotangents: tuple[Array, ...]
    evidence: Mapping[int, Evidence]
    batch_size: int | None
