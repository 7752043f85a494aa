"""Exercises of the five documents, and what a student's backward is worth.

assert_grade("shallow", backward)                    # a cell of Otter or nbgrader
grade("shallow", pathlib.Path("submission.py"))      # a file, in a process of its own
"""

from __future__ import annotations

import copy
import pathlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from gradcheck.claim import Array
from gradcheck.grading.credit import Grade, Judged, coarse, credited
from gradcheck.grading.exercise import EXERCISES, Arrays, Exercise
from gradcheck.grading.judge import judge
from gradcheck.grading.submission import Raised, Submission
from gradcheck.isolation.process import Ended

__all__ = ["EXERCISES", "Exercise", "Grade", "assert_grade", "exercise_named", "grade"]

SECONDS = 10.0  # of a submission's own, over all calls: it is a few matrix products
SEEDS = 2**31
SHOWN = 10_000  # characters of an error: a traceback can be made as long as one likes


def exercise_named(name: str) -> Exercise:
    """The exercise of that id. Raises ValueError with all ids for any other."""
    found = next((exercise for exercise in EXERCISES if exercise.id == name), None)
    if found is None:
        raise ValueError(f"no exercise is called {name!r}: pass one of {', '.join(e.id for e in EXERCISES)}")
    return found


def grade(
    exercise: str,
    submission: pathlib.Path | Callable[..., Mapping[str, Any]],
    *,
    points: float = 1.0,
    seed: int | None = None,
    seconds: float = SECONDS,
) -> Grade:
    """What a submission is worth of `points`, at a point that the seed draws; None: at one nobody foresees.

    submission: a file, which runs in a process of its own for `seconds` at most, or a function
    backward(params, X, Y), which runs here: whatever it raises passes through. Raises ValueError for an
    unknown exercise.
    """
    task = exercise_named(exercise)
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    if not isinstance(submission, pathlib.Path):
        judged, broken = judge(task, task.draw(seed), _direct(submission), seed)
        return _grade(task, seed, points, judged, error="; ".join(broken))
    return _of_file(task, submission, points, seed, seconds)


def assert_grade(
    exercise: str,
    backward: Callable[..., Mapping[str, Any]],
    *,
    points: float = 1.0,
    partial: bool = False,
    seed: int | None = None,
) -> float:
    """The score of a function: `points`, or an AssertionError that names line, place and cause, no number.

    partial: a part of the points is returned. None at all raises in any case: nbgrader takes 0 for no score.
    """
    from gradcheck.grading.show import plain_text

    found = grade(exercise, backward, points=points, seed=seed)
    if not found and not (partial and found.score > 0):
        raise AssertionError(plain_text(found, spoilers=False))
    return found.score


def _of_file(task: Exercise, path: pathlib.Path, points: float, seed: int, seconds: float) -> Grade:
    judged: Judged = {}
    broken: tuple[str, ...] = ()
    error = ""
    with Submission(path, seconds) as submission:
        try:
            submission.load()
            judged, broken = judge(task, task.draw(seed), submission, seed)
        except (Raised, Ended) as failure:
            error = str(failure)
    if submission.ended is not None:  # at a probe the checker goes on without it
        error = f"it {submission.ended}"
    error = error or "; ".join(broken)  # which of its answers would be the one to grade?
    refused = tuple(f"it tried what is refused in an exercise: {what}" for what in submission.refused)
    return _grade(
        task,
        seed,
        points,
        judged,
        unusable=submission.unusable,
        remarks=refused,
        error=_harmless(error[-SHOWN:]),
        output=_harmless(submission.output),
    )


def _grade(
    task: Exercise,
    seed: int,
    points: float,
    judged: Judged,
    *,
    unusable: Mapping[str, str] | None = None,
    remarks: tuple[str, ...] = (),
    error: str = "",
    output: str = "",
) -> Grade:
    return Grade(
        exercise=task.id,
        title=task.title,
        seed=seed,
        points=points,
        lines=() if error else credited(task, judged, dict(unusable or {}), points),
        remarks=(*remarks, *coarse(judged)),
        error=error,
        output=output,
    )


def _harmless(text: str) -> str:
    """Without the escapes that would have a terminal do things."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def _direct(backward: Callable[..., Mapping[str, Any]]) -> Callable[..., Arrays]:
    """A function of this process; lines that are still `...` are not returned."""

    def answer(params: Mapping[str, Array], X: Array, Y: Array) -> Arrays:
        found = backward(copy.deepcopy(dict(params)), X.copy(), Y.copy())
        return {name: value for name, value in found.items() if value is not ...}

    return answer
