"""What a trace cannot carry: the operation, and the line of the user's that asked for it."""

from __future__ import annotations

import math
import pathlib
import sys
import threading
import time
import traceback
import types

# Frames of these packages are not the user's: the line that called them is.
OURS = {"numpy", "jax", "jaxlib", "scipy"} | sys.stdlib_module_names


TRACE_SECONDS = 20  # a forward of a hundred thousand operations is left to the other oracles
# Leaks of this thread's trace: NumPy turns some into errors of its own, and user code may catch them.
seen = threading.local()


class Leak(Exception):
    """A derivative would be lost in silence here, or an operation cannot be recorded.

    what: the operation; where: file and line of the code that asked for it.
    """

    def __init__(self, what: str, where: str | None = None) -> None:
        self.what = what
        self.where = where or users_line()
        super().__init__(f"{what} ({self.where})")
        getattr(seen, "leaks", []).append(self)


def watch_the_clock() -> None:
    """Leak where this thread's trace has taken longer than it may."""
    if time.monotonic() > getattr(seen, "deadline", math.inf):
        raise Leak(f"recording the forward takes longer than {TRACE_SECONDS} s")


def users_line() -> str:
    """File and line of the innermost frame that is neither ours nor a library's."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if not _is_ours(frame.f_globals.get("__name__", "")):
            return f"{pathlib.Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back
    return "unknown line"


def raised_at(error: BaseException) -> str:
    """File and line of the user's innermost frame in an exception's traceback."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if not _is_ours(frame.f_globals.get("__name__", "")):
            return f"{pathlib.Path(frame.f_code.co_filename).name}:{line}"
    return "unknown line"


def _is_ours(module: str) -> bool:
    return module.startswith("gradcheck.tracing") or module.split(".")[0] in OURS
