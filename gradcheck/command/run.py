"""A file judged: its checks run in a child in turn, and one that ends it costs itself alone."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gradcheck.isolation.process import Child, Ended
from gradcheck.outcome import Outcome, outcome

COMMAND = (sys.executable, "-u", "-X", "faulthandler", "-m", "gradcheck.command.child")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The outcomes of a file, worst first; names of all that can be checked; what to type for the rest."""

    file: pathlib.Path
    outcomes: tuple[Outcome, ...]
    names: tuple[str, ...]
    without_inputs: dict[str, str]
    classes: dict[str, str]
    output: str


@dataclass
class _Gathered:
    """What is known so far, over all the children that it takes."""

    outcomes: list[Outcome] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)
    output: str = ""
    finished: bool = False


def judge_file(
    file: pathlib.Path, only: str | None, seed: int, seconds: float, tell: Callable[[str], object]
) -> Judged:
    """Every check of a file, or the one named; each may take `seconds`. tell: hears what is being run."""
    gathered = _Gathered()
    while not gathered.finished:
        with Child(COMMAND) as child:
            done = [outcome.name for outcome in gathered.outcomes]
            child.send({"file": str(file.resolve()), "only": only, "done": done, "seed": seed})
            gathered.finished = _gather(gathered, child, file, seconds, tell)
    return Judged(
        file=file,
        outcomes=tuple(sorted(gathered.outcomes, key=lambda outcome: outcome.badness)),
        names=tuple(gathered.known.get("known", ())),
        without_inputs=gathered.known.get("without_inputs", {}),
        classes=gathered.known.get("classes", {}),
        output=gathered.output,
    )


def _gather(
    gathered: _Gathered, child: Child, file: pathlib.Path, seconds: float, tell: Callable[[str], object]
) -> bool:
    """All that one child has to say; False where a check ended it, and others are left for a new one."""
    running = file.name
    try:
        tell(f"reading {file.name}")
        found = child.receive(seconds)
        if "error" in found:
            gathered.outcomes.append(Outcome(name=running, error=found["error"]))
            return True
        gathered.known = found
        for position, running in enumerate(found["names"], start=1):
            tell(f"checking {running} ({position} of {len(found['names'])})")
            gathered.outcomes.append(outcome(running, child.receive(seconds)))
        gathered.output += child.close()
    except Ended as ended:
        gathered.outcomes.append(
            Outcome(name=running, error=f"{running} {ended}\n{child.output}".rstrip("\n"))
        )
        return running == file.name
    return True
