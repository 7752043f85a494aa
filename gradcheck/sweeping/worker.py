"""What an executor runs: a few cases in a child, and in a new one after a case that ended it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from gradcheck.isolation.process import Child, Ended
from gradcheck.outcome import outcome
from gradcheck.sweeping.cases import Case

COMMAND = (sys.executable, "-m", "gradcheck.sweeping.child")
INSIDE = "GRADCHECK_INSIDE_SWEEP"
# The same sums in the same order wherever the child runs; and workers share the cores, children need not.
ENVIRONMENT = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "PYTHONHASHSEED": "0",
    INSIDE: "1",
}
STARTING = 60.0  # seconds for Python and gradcheck to load, which are not the case's own


def judged(cases: Sequence[Case], seconds: float) -> list[str]:
    """The line of every case, in their order; each may take `seconds`."""
    said: list[dict[str, Any]] = []
    while len(said) < len(cases):
        with Child(COMMAND, environment=os.environ | ENVIRONMENT) as child:
            _start(child)
            said += _until_one_ends(child, cases[len(said) :], seconds)
    return [line(case.name, answer) for case, answer in zip(cases, said, strict=True)]


def line(name: str, said: dict[str, Any]) -> str:
    """One case in JSON: nothing of when, where and in what time it ran."""
    return json.dumps(outcome(name, said).as_dict(), allow_nan=False)


def _start(child: Child) -> None:
    try:
        child.receive(STARTING)
    except Ended as ended:
        raise RuntimeError(f"the process for a case {ended}\n{child.output}") from ended


def _until_one_ends(child: Child, cases: Sequence[Case], seconds: float) -> Iterator[dict[str, Any]]:
    for case in cases:
        child.send({**case.request, "seconds": seconds})
        try:
            yield child.receive(seconds)
        except Ended as ended:
            # Without what it printed: how far that came depends on the machine.
            yield {"error": f"{case.name} {ended}"}
            return
