"""A claim's backward watched while it runs: what it has names for."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.tracing.frames import SUSPENDED
from gradcheck.tracing.locals import Named, entries, named_in
from gradcheck.tracing.reach import is_users
from gradcheck.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Noted:
    """An array or a number that the user's code has a name for; times: how often it assigned that."""

    value: Array
    times: float


class Notes:
    """Names and what they stood for, each of one holder: what was there last, copied."""

    def __init__(self) -> None:
        self.holders: dict[int, object] = {}  # kept, so that no identity is used twice
        self.found: dict[str, dict[int, Noted]] = {}

    def take(self, named: Named) -> None:
        thing = named.thing
        if isinstance(thing, bool) or not isinstance(thing, np.ndarray | int | float | np.number):
            return
        value = np.array(thing)
        if value.dtype.kind in "iuf":
            self.holders[id(named.holder)] = named.holder
            self.found.setdefault(named.name, {})[id(named.holder)] = Noted(value=value, times=named.times)

    def settled(self) -> dict[str, Noted]:
        """What has one meaning: names under which all holders have equal arrays."""
        settled = {}
        for name, by_holder in self.found.items():
            first, *others = by_holder.values()
            if all(np.array_equal(first.value, other.value, equal_nan=True) for other in others):
                times = max(noted.times for noted in by_holder.values())
                settled[name] = Noted(value=first.value, times=times)
        return settled


def watched(evaluator: Evaluator, point: Arrays, cotangents: Arrays) -> dict[str, Noted]:
    """What the backward gives names to at a point, the entries of what it returns among them."""
    with np.errstate(all="ignore"):
        return _noted(lambda: evaluator.answer(point, cotangents))


def watched_at_probe(evaluator: Evaluator, point: Arrays, cotangents: Arrays) -> dict[str, Noted]:
    """The same at a point that we chose and not the user: nothing where his code refuses it."""
    try:
        return watched(evaluator, point, cotangents)
    except Exception:  # noqa: BLE001 - the user's code may refuse our point, which is then no evidence
        return {}


def watched_forward(evaluator: Evaluator) -> dict[str, Noted]:
    """What the forward gives names to at the evaluator's point."""
    notes = Notes()
    with np.errstate(all="ignore"), _returns(notes):
        evaluator.forward(evaluator.point)
    return notes.settled()


def watched_in_single(evaluator: Evaluator, cotangents: Arrays) -> dict[str, Noted]:
    """The same in float32, which shows how it rounds; nothing where the user's code refuses that."""
    try:
        with np.errstate(all="ignore"):
            return _noted(lambda: evaluator.single_answer(cotangents))
    except Exception:  # noqa: BLE001 - single precision was our idea, and the user's code may refuse it
        return {}


def _noted(run: Callable[[], Tree]) -> dict[str, Noted]:
    """What was noted; of what is returned under a name, that is what the claim says."""
    notes, told = Notes(), Notes()
    with _returns(notes):
        raw = run()
    for tree in raw if isinstance(raw, tuple | list) else (raw,):
        for named in entries(tree, "") if isinstance(tree, Mapping) else ():
            told.take(named)
    return notes.settled() | told.settled()


@contextlib.contextmanager
def _returns(notes: Notes) -> Iterator[None]:
    """Take note of each of the user's functions as it returns; not where somebody measures this thread."""

    def on_event(frame: types.FrameType, event: str, _: object) -> None:
        suspended = frame.f_code.co_flags & SUSPENDED
        if event == "return" and not suspended and is_users(frame.f_globals.get("__name__")):
            for named in named_in(frame):
                notes.take(named)

    if sys.getprofile() is not None:
        yield
        return
    sys.setprofile(on_event)
    try:
        yield
    finally:
        sys.setprofile(None)
