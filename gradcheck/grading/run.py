"""`gradcheck grade`: the exercises, their skeletons, and a student's file put before one."""

from __future__ import annotations

import pathlib

from rich.console import Console
from rich.text import Text

from gradcheck.errors import UsageError
from gradcheck.grading import EXERCISES, Exercise, exercise_named, grade
from gradcheck.grading.gradescope import results
from gradcheck.grading.show import renderable
from gradcheck.verdict import Verdict

STATUS = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNDECIDED: 3}


def show_exercises(console: Console) -> int:
    """One line an exercise."""
    for exercise in EXERCISES:
        console.print(Text(f"{exercise.id:9} {exercise.title}"))
    return 0


def show_skeleton(console: Console, name: str) -> int:
    """The file as it is, so that it can be sent into another one."""
    console.print(Text(_named(name).skeleton), soft_wrap=True, end="")
    return 0


def grade_file(
    console: Console,
    name: str,
    file: pathlib.Path,
    *,
    points: float,
    seed: int | None,
    seconds: float,
    spoilers: bool,
    gradescope: pathlib.Path | None,
) -> int:
    """Grade, print and write down: 0 for full marks, 1 for less, 3 where a person has to look."""
    exercise = _named(name)
    if not file.is_file():
        raise UsageError(f"{str(file)!r} is no file: pass the submission, e.g. submission.py")
    if gradescope is not None and not gradescope.parent.is_dir():
        raise UsageError(f"--gradescope {gradescope}: there is no folder {gradescope.parent}")
    with console.status(f"grading {file.name}"):
        found = grade(exercise.id, file, points=points, seed=seed, seconds=seconds)
    console.print(renderable(found, spoilers=spoilers))
    if gradescope is not None:
        gradescope.write_text(results(found, spoilers=spoilers), encoding="utf-8")
    return STATUS[found.verdict]


def _named(name: str) -> Exercise:
    try:
        return exercise_named(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
