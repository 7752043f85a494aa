"""Why a gradient is wrong: rules make suspicions, fresh evidence confirms or drops them."""

from __future__ import annotations

from gradcheck.claim import Claim
from gradcheck.diagnosis.evidence import Evidence, Finding, Suspicion
from gradcheck.diagnosis.rules import RULES
from gradcheck.examine import Examination, examine
from gradcheck.oracles import Oracle
from gradcheck.probes import generator, signed
from gradcheck.verdict import LeafResult, Verdict

FRESH_STREAM = 2  # purpose of the random numbers that make a fresh point
FRESH_MOVE = 0.2  # entries move by a tenth to three tenths of themselves, and keep their sign


def explain(
    claim: Claim, oracles: tuple[Oracle, ...], seed: int, seen: Examination, leaves: tuple[LeafResult, ...]
) -> tuple[Finding, ...]:
    """The cause of every leaf that fails, where a rule knows one and fresh evidence confirms it.

    Gradients that were given as values cannot be asked again: their causes are marked as not confirmed.
    """
    wrong = [position for position, leaf in enumerate(leaves) if leaf.verdict is Verdict.FAIL]
    if not wrong:
        return ()
    fresh = _fresh_looks(claim, oracles, seed, seen) if claim.repeatable else []
    findings = []
    for position in wrong:
        evidence = _evidence(seen, position, claim.batch_size)
        again = [_evidence(look, position, batch) for look, batch in fresh]
        if evidence is not None:
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


def _fresh_looks(
    claim: Claim, oracles: tuple[Oracle, ...], seed: int, seen: Examination
) -> list[tuple[Examination, int | None]]:
    """The claim examined at another point, and on one example fewer where the batch axis is known."""
    rng = generator(seed, FRESH_STREAM)
    m = claim.batch_size
    moved = claim.at(
        tuple(value * (1 + FRESH_MOVE * signed(rng, value.shape)) for value in seen.evaluator.point)
    )
    others = [(moved, m)] + ([(claim.with_examples(m - 1), m - 1)] if m is not None and m > 1 else [])
    looks: list[tuple[Examination, int | None]] = []
    for other, batch in others:
        try:
            looks.append((examine(other, oracles, seed), batch))
        except Exception:  # noqa: BLE001
            # The user's code need not work where we chose to look; there is then less evidence,
            # and what it would have confirmed stays unsaid.
            continue
    return looks


def _evidence(seen: Examination, position: int, batch_size: int | None) -> Evidence | None:
    """One leaf's evidence, by the first oracle that knows every entry sharply; None where none does."""
    for answer in seen.answers:
        if answer.estimates and answer.estimates[position].directions is None:
            estimate = answer.estimates[position]
            evidence = Evidence(
                leaf=estimate.leaf,
                claimed=seen.claimed[position],
                expected=estimate.value,
                error=estimate.error,
                batch_size=batch_size,
            )
            if evidence.sharp:
                return evidence
    return None
