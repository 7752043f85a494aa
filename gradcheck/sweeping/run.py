"""A sweep: cases in chunks to an executor, lines as they come back, outcomes in the order of the claims."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import pathlib
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, as_completed
from typing import Any, TextIO

from gradcheck.errors import ClaimError
from gradcheck.outcome import Outcome
from gradcheck.sweeping.cases import Case, cases
from gradcheck.sweeping.lines import kept, ordered, read
from gradcheck.sweeping.worker import INSIDE, judged

Chunk = tuple[Case, ...]


def run(
    claims: Mapping[str, Any],
    executor: Executor | None,
    to: str | os.PathLike[str] | TextIO | None,
    seconds: float,
    chunksize: int,
    progress: Callable[[str], object] | None,
) -> tuple[Outcome, ...]:
    """What `gradcheck.sweep` does."""
    _validate(executor, seconds, chunksize)
    asked = cases(claims)
    path = pathlib.Path(to) if isinstance(to, str | os.PathLike) else None
    lines = kept(path) if path else {}
    left = _chunks(asked, chunksize, lines)
    done = itertools.count(len(asked) - sum(map(len, left)) + 1)
    with _opened(to) as file, contextlib.closing(_lines(left, executor, seconds)) as found:
        for line in found:
            said = json.loads(line)
            lines[said["name"]] = line
            if file is not None:
                file.write(f"{line}\n")
                file.flush()
            if progress is not None:
                progress(f"{next(done)} of {len(asked)}: {said['name']} {said['verdict']}")
    if path:
        ordered(path, claims)
    return tuple(read(lines[case.name]) for case in asked)


@contextlib.contextmanager
def _opened(to: str | os.PathLike[str] | TextIO | None) -> Iterator[TextIO | None]:
    if isinstance(to, str | os.PathLike):
        with open(to, "a", encoding="ascii") as file:
            yield file
    else:
        yield to


def _validate(executor: Executor | None, seconds: float, chunksize: int) -> None:
    if INSIDE in os.environ:
        raise ClaimError(
            "sweep is called by one of its own cases, or by the script as a case loads it: put the call "
            'below `if __name__ == "__main__":`'
        )
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ClaimError(f"executor={executor!r:.60} has no submit: pass an executor of concurrent.futures")
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise ClaimError(f"time_limit={seconds!r} is no time for a case: pass seconds above 0, e.g. 60")
    if not isinstance(chunksize, int) or chunksize < 1:
        raise ClaimError(f"chunksize={chunksize!r} is no number of cases: pass a whole number from 1 on")


def _chunks(asked: Sequence[Case], size: int, there: Mapping[str, str]) -> list[Chunk]:
    """The cases that have no line yet; which of them share a process does not depend on the others."""
    chunks = (asked[start : start + size] for start in range(0, len(asked), size))
    left = (tuple(case for case in chunk if case.name not in there) for chunk in chunks)
    return [chunk for chunk in left if chunk]


def _lines(chunks: Sequence[Chunk], executor: Executor | None, seconds: float) -> Generator[str, None, None]:
    """The lines as they come; what the executor loses is run here, where nothing is lost."""
    if executor is None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for future, _ in _as_done(chunks, threads, seconds):
                yield from future.result()
        return
    lost: list[Chunk] = []
    for future, chunk in _as_done(chunks, executor, seconds):
        try:
            found = future.result()
        except Exception as error:  # noqa: BLE001 - the executor's own: of the case's none leaves its child
            if not lost:
                _warn_of(error)
            lost.append(chunk)
        else:
            yield from found
    if lost:
        yield from _lines(lost, None, seconds)


def _as_done(
    chunks: Sequence[Chunk], executor: Executor, seconds: float
) -> Iterator[tuple[Future[list[str]], Chunk]]:
    futures = {_submitted(executor, chunk, seconds): chunk for chunk in chunks}
    try:
        for future in as_completed(futures):
            yield future, futures.pop(future)  # their lines are not kept twice
    finally:
        for future in futures:
            future.cancel()


def _submitted(executor: Executor, chunk: Chunk, seconds: float) -> Future[list[str]]:
    """A future in any case: an executor that broke over an earlier chunk refuses this one."""
    try:
        return executor.submit(judged, chunk, seconds)
    except BrokenExecutor as error:
        refused: Future[list[str]] = Future()
        refused.set_exception(error)
        return refused


def _warn_of(error: Exception) -> None:
    what = f"{type(error).__name__}: {error}"
    warnings.warn(
        f"the executor lost cases ({what}): they are run in this machine's own processes",
        RuntimeWarning,
        stacklevel=5,  # where sweep is called
    )
