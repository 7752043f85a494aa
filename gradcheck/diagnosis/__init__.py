"""Why a gradient is wrong: rules make suspicions, fresh evidence confirms or drops them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array, Claim
from gradcheck.diagnosis.case import Case, Sight, findings
from gradcheck.diagnosis.evidence import Evidence, Finding
from gradcheck.examine import Examination, examine
from gradcheck.first_wrong import FirstWrong
from gradcheck.lines import Line
from gradcheck.oracles import Asked, Oracle
from gradcheck.oracles.autodiff import NAME as AUTODIFF
from gradcheck.oracles.autodiff import autodiff
from gradcheck.oracles.base import Estimate
from gradcheck.probes import FRESH_POINTS, generator, signed, typical
from gradcheck.tracing.flat import Flat
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


def look_again(
    claim: Claim,
    asked: Asked,
    seed: int,
    seen: Examination,
    leaves: tuple[LeafResult, ...],
    wrong: FirstWrong | None,
) -> tuple[Look, ...]:
    """The claim at another point, and on one example fewer where the batch axis is known.

    With cotangents of their own, so that a number that comes of the cotangent is not taken for
    one that comes of the claim. None for gradients given as values: they hold at one point only; and none
    where no cause is sought: neither is a failing leaf known entry by entry, nor a line wrong.
    """
    exact = {p for p in _failing(leaves) if _exact(seen, p)}
    if not claim.repeatable or not (exact or (wrong and isinstance(wrong.at, Line))):
        return ()
    rng = generator(seed, FRESH_POINTS)
    rest = frozenset(range(len(leaves))) - exact
    asked = replace(asked, oracles=_enough(asked, seen), places=False, known=rest)
    m = claim.batch_size
    others = [(claim.at(tuple(_moved(value, rng) for value in seen.evaluator.point)), m)]
    if m is not None and m > 1:
        others.append((claim.with_examples(m - 1), m - 1))
    looks: list[Look] = []
    for other, batch_size in others:
        try:
            again = examine(other, asked, seed + 1, seen.sensitivity)
            looks.append(Look(seen=again, batch_size=batch_size))
        except Exception as error:  # noqa: BLE001 - the user's code may refuse our data; it is reported
            failure = f"{type(error).__name__}: {error}"
            looks.append(Look(seen=None, batch_size=batch_size, failure=failure))
    return tuple(looks)


def _enough(asked: Asked, seen: Examination) -> tuple[Oracle, ...]:
    """Autodiff alone where it has answered, since a cause needs one oracle that knows every entry."""
    answered = any(answer.oracle == AUTODIFF and answer.estimates for answer in seen.answers)
    return (autodiff,) if answered else asked.oracles


def _moved(values: Array, rng: np.random.Generator) -> Array:
    """Every entry moved by part of its own size, zeros by part of the leaf's."""
    size = np.where(values == 0, typical(values), values)
    return values + FRESH_MOVE * signed(rng, values.shape) * size


def explain(
    claim: Claim, seen: Examination, leaves: tuple[LeafResult, ...], looks: tuple[Look, ...]
) -> tuple[Finding, ...]:
    """The cause of every leaf that fails, where one is known that no other look speaks against."""
    failing = _failing(leaves)
    if not failing:
        return ()
    first = _sight(seen, claim.batch_size)
    others = tuple(_sight(look.seen, look.batch_size) for look in looks if look.seen)
    case = Case(
        claim=claim,
        leaves=leaves,
        wrong=frozenset(failing & first.evidence.keys()),
        first=first,
        others=others,
    )
    with np.errstate(all="ignore"):  # factors between numbers of any size are tried
        return findings(case)


def _failing(leaves: tuple[LeafResult, ...]) -> set[int]:
    return {p for p, leaf in enumerate(leaves) if leaf.verdict is Verdict.FAIL}


def _exact(seen: Examination, position: int) -> list[Estimate]:
    """What is known of every entry of a leaf, by each oracle that knows it."""
    found = [answer.estimates[position] for answer in seen.answers if answer.estimates]
    return [estimate for estimate in found if estimate.directions is None]


def _sight(seen: Examination, batch_size: int | None) -> Sight:
    """What one look shows of every leaf whose truth it knows sharply."""
    with np.errstate(all="ignore"):
        record = _record(seen)
        arrays = _arrays(seen, record)
        found = {p: _evidence(seen, p, batch_size, arrays) for p in range(len(seen.evaluator.leaves))}
    return Sight(
        record=record,
        inputs=seen.evaluator.point,
        cotangents=seen.claimed.probe.cotangents,
        evidence={p: evidence for p, evidence in found.items() if evidence is not None},
        batch_size=batch_size,
    )


def _record(seen: Examination) -> Flat | None:
    """The structure of the forward, where it was recorded and the record is believed."""
    from gradcheck.tracing.flat import flat
    from gradcheck.tracing.lift import Trace

    trace = seen.evaluator.shared.get("trace")
    record = flat(trace) if isinstance(trace, Trace) else None
    return None if record is None or record.is_complex else record  # edits of a derivative are of real ones


def _arrays(seen: Examination, record: Flat | None) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of the leaves and of the user's own local variables."""
    leaves = [(leaf.name, leaf.value.shape) for leaf in seen.evaluator.leaves]
    names = record.names if record else {}
    return (*leaves, *((name, record.shapes[n]) for n, name in names.items() if record))


def _evidence(
    seen: Examination, position: int, batch_size: int | None, arrays: tuple[tuple[str, tuple[int, ...]], ...]
) -> Evidence | None:
    """One leaf's evidence, by the first oracle that knows every entry sharply; None where none does."""
    for estimate in _exact(seen, position):
        evidence = Evidence(
            leaf=estimate.leaf,
            claimed=seen.claimed.gradients[position],
            expected=estimate.value,
            error=estimate.error,
            at=seen.evaluator.leaves[position].value,
            batch_size=batch_size,
            arrays=arrays,
        )
        if evidence.sharp:
            return evidence
    return None
