"""What became of one check that ran in a process of its own: a report, or the error that it came to."""

from __future__ import annotations

import json
import math
import os
import pathlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradcheck.errors import ClaimError
from gradcheck.report import Report
from gradcheck.verdict import Verdict

ERROR = "ERROR"
OURS = (str(pathlib.Path(__file__).parent) + os.sep, "<frozen importlib")  # not the user's files
WORST_FIRST = (Verdict.FAIL.value, ERROR, Verdict.UNDECIDED.value, Verdict.PASS.value)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one check: a report, or the error that it came to, whole. seconds: nan where unknown."""

    name: str
    report: Report | None = None
    error: str = ""
    seconds: float = math.nan

    @property
    def verdict(self) -> str:
        """PASS, FAIL, UNDECIDED, or ERROR where there is no report."""
        return ERROR if self.report is None else self.report.verdict.value

    @property
    def badness(self) -> tuple[int, float]:
        """Sorts the worst first: by verdict, then by the largest error."""
        errors = [] if self.report is None else [leaf.error for leaf in self.report.leaves]
        known = [error for error in errors if not math.isnan(error)]
        return WORST_FIRST.index(self.verdict), -max(known, default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """{"name", "verdict", "error", "report"} for JSON; the time that it took is not its own."""
        report = None if self.report is None else json.loads(self.report.to_json())
        return {"name": self.name, "verdict": self.verdict, "error": self.error, "report": report}


def answered(check: Callable[[], Report]) -> dict[str, Any]:
    """In the child: {"report": as JSON}, or {"error": the traceback of whatever it raises}."""
    try:
        return {"report": check().to_json()}
    except Exception as error:  # noqa: BLE001 - whatever the check raises is handed to its author
        return {"error": told(error)}


def told(error: Exception) -> str:
    """The traceback from the user's own frames on; whole where it never got there by a mistake of ours."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    whole = frames is None and not isinstance(error, ClaimError | SyntaxError)
    return "".join(traceback.format_exception(type(error), error, error.__traceback__ if whole else frames))


def outcome(name: str, said: dict[str, Any]) -> Outcome:
    """In the parent: what `answered` says, and its seconds where they were taken."""
    report = Report.from_json(said["report"]) if "report" in said else None
    return Outcome(
        name=name, report=report, error=said.get("error", ""), seconds=said.get("seconds", math.nan)
    )
