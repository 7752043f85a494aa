"""A time limit for code of the user's that we run in a way that it was not written for."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any


class TooLong(Exception):
    """The code ran longer than it may."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TooLong in this thread's Python code that runs for longer; a debugger's tracing waits meanwhile.

    A single call into compiled code is not interrupted.
    """
    end = time.monotonic() + seconds

    def watch(frame: FrameType, _: str, __: Any) -> Any:
        if time.monotonic() > end:
            raise TooLong(f"{frame.f_code.co_name} runs for more than {seconds:.3g} s")
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)
