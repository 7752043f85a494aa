"""A checked mutant: whether its cause was named, and the line in which it began."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gradcheck import Report, Verdict
from properties.mistakes.cases import Case
from properties.mistakes.mutant import Mutant

RIGHT_MARK, WRONG_MARK = "\N{CHECK MARK}", "\N{BALLOT X}"


@dataclass(frozen=True)
class Judged:
    """A report beside what is known of the mutant that it is about. seconds: of processor time."""

    mutant: Mutant
    case: Case
    report: Report
    seconds: float
    visible: bool

    @property
    def failed(self) -> bool:
        return self.report.verdict is Verdict.FAIL

    @property
    def code(self) -> str | None:
        """The code of the first finding."""
        return self.report.findings[0].code if self.report.findings else None

    @property
    def named(self) -> bool:
        """Whether the first cause is the right one; where there is none to name, whether none was."""
        return self.code in self.mutant.codes if self.mutant.codes else self.code is None

    @property
    def misled(self) -> bool:
        """Whether a wrong cause is stated as confirmed, be it the first or not, and not as one of several."""
        causes = set(self.mutant.codes)
        return any(f.confirmed and not causes & {f.code, *f.alternatives} for f in self.report.findings)

    @property
    def first(self) -> str | None:
        return getattr(self.report, "first_wrong", None)

    @property
    def first_is_right(self) -> bool:
        return self.first in self.case.first_wrong(self.mutant)

    def __str__(self) -> str:
        """Verdict, cause ("?" for one that is not confirmed) and first wrong line, with their marks."""
        doubt = "?" if self.report.findings and not self.report.findings[0].confirmed else ""
        cause = f"{self.code or '-'}{doubt} {RIGHT_MARK if self.named else WRONG_MARK}"
        line = f"{self.first or '-'} {RIGHT_MARK if self.first_is_right else WRONG_MARK}"
        return f"{self.report.verdict.value} {cause} {line}"


def judged(mutant: Mutant, case: Case, closed_over: bool = False) -> Judged:
    """Check a mutant with default options, and take the time of it."""
    start = time.process_time()
    report = case.check(mutant, closed_over)
    seconds = time.process_time() - start
    return Judged(mutant=mutant, case=case, report=report, seconds=seconds, visible=case.visible(mutant))
