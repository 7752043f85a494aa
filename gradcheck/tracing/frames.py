"""The frames of the user's functions that a trace goes through, and what they end with by name."""

from __future__ import annotations

import contextlib
import inspect
import sys
import threading
import types
from collections.abc import Iterator

from gradcheck.tracing.locals import Named, named_in
from gradcheck.tracing.reach import is_users
from gradcheck.tracing.stand_in import is_stand_in

# Python 3.13.0 crashes on the variables of a generator's frame that outlives the generator.
SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
Frames = dict[types.FrameType, int]  # how deep each frame lies below the recorder

current = threading.local()


@contextlib.contextmanager
def visited() -> Iterator[Frames]:
    """The user's frames that `visit` is called from, from now on in this thread.

    A frame that somebody holds keeps its variables when its function returns.
    """
    outer = getattr(current, "frames", None)
    frames: Frames = {}
    here: types.FrameType | None = sys._getframe()
    while here is not None:  # the callers of the recorder are no part of what it records
        frames[here], here = 0, here.f_back
    current.frames = frames
    try:
        yield frames
    finally:
        current.frames = outer
        frames.clear()


def visit() -> None:
    """Take note of the functions that are running."""
    frames: Frames | None = getattr(current, "frames", None)
    if frames is None:
        return
    new: list[types.FrameType] = []
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame not in frames:
        if is_users(frame.f_globals.get("__name__")) and not frame.f_code.co_flags & SUSPENDED:
            new.append(frame)
        frame = frame.f_back
    depth = frames[frame] if frame is not None else 0
    for below, found in enumerate(reversed(new), start=1):
        frames[found] = depth + below


def stand_ins_of(frames: Frames) -> Iterator[Named]:
    """The traced stand-ins that the functions have names for, outermost and last functions first."""
    inner_last = sorted((frame for frame in frames if frames[frame]), key=lambda f: frames[f])
    for frame in inner_last:
        for named in named_in(frame):
            if is_stand_in(named.thing) and named.thing.traced:
                yield named
