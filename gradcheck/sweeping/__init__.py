"""Many checks over any executor: each in a process of its own, one line of JSON a case, resumable."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from gradcheck.claim import Claim
from gradcheck.report import Report

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from gradcheck.outcome import Outcome


def sweep(
    claims: Mapping[str, Claim | Callable[[], Report | Claim]],
    executor: Executor | None = None,
    *,
    to: str | os.PathLike[str] | TextIO | None = None,
    time_limit: float = 60.0,
    chunksize: int = 1,
    progress: Callable[[str], object] | None = None,
) -> tuple[Outcome, ...]:
    """The outcomes of many checks in the order of `claims`, the same for any executor and number of workers.

    claims: by name, a Claim or what returns a Report or a Claim when it is called, such as
    `functools.partial(check_gradients, layer, x)`; anything that can be pickled. executor: of
    `concurrent.futures` or like it; None takes a thread for each core. to: a path or file that gets one
    line of JSON a case as they finish. Cases whose line a path has already are not run again, and in the
    end its lines stand in the order of `claims`. time_limit: seconds a case. chunksize: how many
    cases share a process, which takes about a second to start. progress: called with one line of text a
    case.

    A case that raises, leaves its process, crashes or takes too long has the verdict ERROR. Raises
    ClaimError for what cannot be run at all, before anything is.
    """
    from gradcheck.sweeping.run import run

    return run(claims, executor, to, time_limit, chunksize, progress)
