"""Why a gradient is wrong: rules make suspicions, fresh evidence confirms or drops them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array, Claim
from gradcheck.diagnosis.evidence import Evidence, Finding, Suspicion
from gradcheck.diagnosis.rules import RULES
from gradcheck.examine import Examination, examine
from gradcheck.oracles import Asked
from gradcheck.probes import FRESH_POINTS, generator, signed, typical
from gradcheck.verdict import LeafResult, Verdict

FRESH_MOVE = 0.2  # entries move by a tenth to three tenths of themselves, and keep their sign


@dataclass(frozen=True, kw_only=True)
class Look:
    """The claim examined on other data, and the number of examples there, where it is known.

    seen is None where the user's code raised there, which `failure` names.
    """

    seen: Examination | None
    batch_size: int | None
    failure: str = ""


def look_again(claim: Claim, asked: Asked, seed: int, seen: Examination) -> tuple[Look, ...]:
    """The claim at another point, and on one example fewer where the batch axis is known.

    With cotangents of their own, so that a number that comes of the cotangent is not taken for
    one that comes of the claim. None for gradients given as values: they hold at one point only.
    """
    if not claim.repeatable:
        return ()
    rng = generator(seed, FRESH_POINTS)
    m = claim.batch_size
    others = [(claim.at(tuple(_moved(value, rng) for value in seen.evaluator.point)), m)]
    if m is not None and m > 1:
        others.append((claim.with_examples(m - 1), m - 1))
    looks: list[Look] = []
    for other, batch_size in others:
        try:
            again = examine(other, replace(asked, places=False), seed + 1, seen.sensitivity)
            looks.append(Look(seen=again, batch_size=batch_size))
        except Exception as error:  # noqa: BLE001 - the user's code may refuse our data; it is reported
            failure = f"{type(error).__name__}: {error}"
            looks.append(Look(seen=None, batch_size=batch_size, failure=failure))
    return tuple(looks)


def _moved(values: Array, rng: np.random.Generator) -> Array:
    """Every entry moved by part of its own size, zeros by part of the leaf's."""
    size = np.where(values == 0, typical(values), values)
    return values + FRESH_MOVE * signed(rng, values.shape) * size


def explain(
    claim: Claim, seen: Examination, leaves: tuple[LeafResult, ...], looks: tuple[Look, ...]
) -> tuple[Finding, ...]:
    """The cause of every leaf that fails, where a rule knows one and no other look speaks against it."""
    findings = []
    for position, leaf in enumerate(leaves):
        evidence = _evidence(seen, position, claim.batch_size)
        if leaf.verdict is Verdict.FAIL and evidence is not None:
            again = [_evidence(look.seen, position, look.batch_size) for look in looks if look.seen]
            findings.append(diagnose(evidence, tuple(e for e in again if e is not None)))
    return tuple(finding for finding in findings if finding is not None)


def diagnose(evidence: Evidence, fresh: tuple[Evidence, ...]) -> Finding | None:
    """The first rule whose cause explains this leaf and all fresh evidence on it."""
    for rule in RULES:
        suspicion = rule(evidence)
        if suspicion and _stands(suspicion, evidence, fresh):
            return Finding(
                code=suspicion.code,
                leaf=evidence.leaf,
                message=suspicion.message,
                remedy=suspicion.remedy,
                value=suspicion.value,
                confirmed=bool(fresh),
            )
    return None


def _stands(suspicion: Suspicion, evidence: Evidence, fresh: tuple[Evidence, ...]) -> bool:
    if suspicion.by_batch and all(e.batch_size == evidence.batch_size for e in fresh):
        return False
    if suspicion.fitted and not fresh and evidence.expected.size == 1:
        return False
    return all(suspicion.holds(e) for e in (evidence, *fresh))


def _evidence(seen: Examination, position: int, batch_size: int | None) -> Evidence | None:
    """One leaf's evidence, by the first oracle that knows every entry sharply; None where none does."""
    for answer in seen.answers:
        if answer.estimates and answer.estimates[position].directions is None:
            estimate = answer.estimates[position]
            evidence = Evidence(
                leaf=estimate.leaf,
                claimed=seen.claimed.gradients[position],
                expected=estimate.value,
                error=estimate.error,
                batch_size=batch_size,
            )
            if evidence.sharp:
                return evidence
    return None
