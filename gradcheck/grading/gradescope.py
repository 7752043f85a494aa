"""A grade as Gradescope's autograder reads it: results.json."""

from __future__ import annotations

import json

from gradcheck.grading.credit import Grade, Line
from gradcheck.grading.show import explained, plain_text
from gradcheck.verdict import Verdict


def results(grade: Grade, *, spoilers: bool) -> str:
    """The score, the text that the student sees, and a test for each parameter."""
    tests = [_test(line, spoilers) for line in grade.lines if line.of]
    said = {"score": grade.score, "output": plain_text(grade, spoilers=spoilers), "tests": tests}
    return json.dumps(said, indent=2) + "\n"


def _test(line: Line, spoilers: bool) -> dict[str, object]:
    return {
        "name": line.name,
        "score": line.points,
        "max_score": line.of,
        "status": "passed" if line.verdict is Verdict.PASS else "failed",
        "output": explained(line, spoilers=spoilers),
    }
