"""`gradcheck check FILE.py[::NAME]`: the claims that a file makes, judged in a process of their own."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from rich.console import Console

from gradcheck.command.files import as_html, as_json, as_junit
from gradcheck.command.run import Judged, judge_file
from gradcheck.command.show import show
from gradcheck.errors import UsageError
from gradcheck.outcome import ERROR
from gradcheck.verdict import Verdict

# In what `gradcheck check` can be written down, by the name of its option.
FORMATS: dict[str, Callable[[Judged], str]] = {"json": as_json, "junit": as_junit, "html": as_html}


def run(
    console: Console,
    target: str,
    *,
    seed: int,
    seconds: float,
    only_wrong: bool,
    written: dict[str, pathlib.Path | None],
) -> int:
    """Judge, print and write down; the exit status. Raises UsageError where nothing can be checked."""
    file, _, name = target.partition("::")
    path = pathlib.Path(file)
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f"{file!r} is no Python file: pass FILE.py, or FILE.py::NAME for one of its checks")
    for kind, place in written.items():  # to learn it in a moment, and not after all the work
        if place is not None and not place.parent.is_dir():
            raise UsageError(f"--{kind} {place}: there is no folder {place.parent}")
    with console.status("starting") as status:
        judged = judge_file(path, name or None, seed, seconds, status.update)
    if not judged.outcomes:
        raise UsageError(_nothing_found(judged, name))
    show(console, judged, only_wrong)
    for kind, place in written.items():
        if place is not None:
            place.write_text(FORMATS[kind](judged), encoding="utf-8")
    return exit_status({outcome.verdict for outcome in judged.outcomes})


def exit_status(verdicts: set[str]) -> int:
    """0 where all pass, 1 where any fails or comes to no verdict, 3 where any is undecided."""
    if verdicts & {Verdict.FAIL.value, ERROR}:
        return 1
    return 3 if Verdict.UNDECIDED.value in verdicts else 0


def _nothing_found(judged: Judged, name: str) -> str:
    """What to type, for the name that was asked for, or for all that almost can be checked."""
    hints = judged.classes | judged.without_inputs
    if name:
        known = ", ".join(judged.names) or "nothing"
        return hints.get(name, f"{judged.file.name} has no {name!r} to check: it has {known}")
    what = "; ".join(hints.values())
    return f"nothing to check in {judged.file.name}: " + (
        what or "add a function check_mine() that returns check_gradients(...)"
    )
