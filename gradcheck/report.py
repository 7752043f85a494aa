"""What a check found, as frozen data. How it looks is the business of `render/`."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.compare import Agreement
from gradcheck.diagnosis.evidence import Finding
from gradcheck.verdict import LeafResult, Reason, Verdict


@dataclass(frozen=True, kw_only=True)
class OracleResult:
    """One oracle asked: whether it could answer, what it cost, and whom it agrees with.

    why_not: why it has no answer; where it has one, what the forward raised at some of its probes.
    """

    name: str
    available: bool
    why_not: str
    evaluations: int
    agrees_with_claim: bool | None
    agrees_with: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """Calls of the user's own functions."""

    forward: int
    backward: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """The verdict on a claim, and everything that it rests on. True only for PASS.

    agreements: claim against oracle and oracle against oracle for every leaf, or for all leaves together.
    first_wrong: the first wrong quantity in backward order, an intermediate or a leaf, by the user's name for
    its gradient; None where it is not known. right_before: those before it that are right, in that order.
    sensitivity: the relative error that a PASS had to be able to see. not_checked: what was seen in the
    target and left out. notes: what carries no gradient by its kind,
    and which mistakes these very shapes and numbers hide.
    """

    name: str
    verdict: Verdict
    reason: Reason | None
    leaves: tuple[LeafResult, ...]
    oracles: tuple[OracleResult, ...]
    agreements: tuple[Agreement, ...]
    findings: tuple[Finding, ...]
    first_wrong: str | None
    right_before: tuple[str, ...]
    not_checked: tuple[str, ...]
    notes: tuple[str, ...]
    evaluations: Evaluations
    sensitivity: float
    seed: int
    versions: dict[str, str]

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        from gradcheck.render.terminal import plain_text

        return plain_text(self)

    def to_json(self) -> str:
        """The whole report as JSON, which `Report.from_json` reads back to the last bit."""
        from gradcheck.render.json import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote."""
        from gradcheck.render.json import from_json

        return from_json(text)
