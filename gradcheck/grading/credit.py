"""Points for what is right: every parameter an equal share, half of it where only its last step is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradcheck.diagnosis.evidence import Finding
from gradcheck.grading.exercise import Exercise, is_parameter
from gradcheck.verdict import LeafResult, Reason, Verdict

# Relative. The formulas are a few products of numbers of order 1, which round to some 1e-15; no step of
# central differences gets below 1e-11.
AS_A_FORMULA = 1e-12
HALF = 0.5  # of a parameter that is wrong, where what it is computed from was returned and is right


@dataclass(frozen=True, kw_only=True)
class Line:
    """The verdict on one line of a backward, with its points.

    where: the worst entry, None where there is none; cause and remedy are empty where none is known;
    claimed and expected: the numbers there, nan where there are none. of: the points to be had.
    """

    name: str
    verdict: Verdict
    where: tuple[int, ...] | None = None
    cause: str = ""
    remedy: str = ""
    claimed: float = math.nan
    expected: float = math.nan
    points: float = 0.0
    of: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What a submission is worth; True only for full marks.

    lines: in the order of the backward; empty where the submission gave no answer, of which `error` tells.
    remarks: what else is to be known of it. output: what it printed. seed: draws the same point again.
    """

    exercise: str
    title: str
    seed: int
    points: float
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    error: str
    output: str

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    @property
    def score(self) -> float:
        """Of `points`, and exactly these for full marks."""
        lost = any(line.points < line.of for line in self.lines) or not self.lines
        return math.fsum(line.points for line in self.lines) if lost else self.points

    @property
    def verdict(self) -> Verdict:
        """That of the worst parameter; FAIL where there was no answer."""
        verdicts = {line.verdict for line in self.lines if line.of}
        worst = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS)
        return next((v for v in worst if v in verdicts), Verdict.FAIL) if not self.error else Verdict.FAIL

    @property
    def first_wrong(self) -> str | None:
        """The first wrong line of those returned, in the order of the backward."""
        return next((line.name for line in self.lines if line.verdict is Verdict.FAIL), None)


Judged = dict[str, tuple[LeafResult, Finding | None]]  # by line, of those that were returned


def credited(exercise: Exercise, judged: Judged, unusable: dict[str, str], points: float) -> tuple[Line, ...]:
    """A line for every parameter, and for every intermediate that was returned."""
    share = points / len(exercise.parameters)
    return tuple(
        _line(exercise, name, judged, unusable, share if is_parameter(name) else 0.0)
        for name in exercise.lines
        if is_parameter(name) or name in judged
    )


def coarse(judged: Judged) -> tuple[str, ...]:
    """A remark where right numbers have fewer digits than a formula would give."""
    errors = [leaf.error for leaf, _ in judged.values() if leaf.verdict is Verdict.PASS]
    worst = max(errors, default=0.0)
    if not worst > AS_A_FORMULA:
        return ()
    return (f"right to {worst:.0e} only, as numbers from finite differences are, or in single precision",)


def _line(exercise: Exercise, name: str, judged: Judged, unusable: dict[str, str], share: float) -> Line:
    if name not in judged:
        cause = unusable.get(f"d{name}", "was not returned")
        return Line(name=f"d{name}", verdict=Verdict.FAIL, cause=cause, of=share)
    leaf, finding = judged[name]
    return Line(
        name=f"d{name}",
        verdict=leaf.verdict,
        where=leaf.worst_index if leaf.verdict is Verdict.FAIL else None,
        cause=_cause(exercise, name, judged),
        remedy=finding.remedy if finding and leaf.verdict is Verdict.FAIL else "",
        claimed=leaf.claimed,
        expected=leaf.expected,
        points=_earned(exercise, name, judged, share),
        of=share,
    )


def _cause(exercise: Exercise, name: str, judged: Judged) -> str:
    leaf, finding = judged[name]
    if leaf.verdict is Verdict.PASS:
        return ""
    if leaf.reason is Reason.SHAPE or leaf.remark:
        return leaf.remark
    if finding is not None:
        return finding.message
    wrong = is_parameter(name) and _verdict(exercise.source(name), judged) is Verdict.FAIL
    return f"d{exercise.source(name)}, from which it comes, is wrong" if wrong else ""


def _earned(exercise: Exercise, name: str, judged: Judged, share: float) -> float:
    if judged[name][0].verdict is Verdict.PASS or not share:
        return share
    return HALF * share if _verdict(exercise.source(name), judged) is Verdict.PASS else 0.0


def _verdict(name: str, judged: Judged) -> Verdict | None:
    return judged[name][0].verdict if name in judged else None
