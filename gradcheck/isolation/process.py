"""The parent's end: a child with a time limit, whose output is kept in part and whose death is told."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Any

KEPT = 10_000  # bytes of output kept from its beginning, and as many from its end
LONGEST = 2**26  # bytes of a message: more memory than this a child cannot make us take
WAITING = 4  # messages read ahead
GRACE = 2.0  # seconds that a child has to leave, and its pipes to run dry


class Ended(Exception):
    """The child is gone; the message says how."""


class Child:
    """A process in a session of its own, to which `send` and `receive` speak in JSON.

    Leaving the context kills it and all that it started, save what has left its session.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: pathlib.Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._requests = self._process.stdin
        self._printed = Kept()
        self._answers: queue.Queue[bytes] = queue.Queue(WAITING)
        self._readers = (
            _started(_hand_on, self._process.stdout, self._answers),
            _started(self._printed.read, self._process.stderr),
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._kill()

    def close(self) -> str:
        """End it now; everything that it has printed."""
        self._kill()
        return self.output

    @property
    def output(self) -> str:
        """What it has printed, the middle left out where it is long; whole once it is closed or `Ended`."""
        return self._printed.text()

    def send(self, message: Mapping[str, Any]) -> None:
        """One message; a child that is gone does not get it, which `receive` will say."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(message).encode() + b"\n")
            self._requests.flush()

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next message. Raises Ended where none that can be read comes within the time."""
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self._kill()
            raise Ended(f"ran for more than {seconds:.3g} s and was ended") from None
        if not line:
            raise Ended(_death(self._kill(patient=True)))
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self._kill()
            raise Ended("wrote into the channel that its answers take, and was ended")
        return message

    def _kill(self, patient: bool = False) -> int:
        """End it with all that it started; the exit status, its own where it is given the time to leave."""
        if patient:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        status = self._process.wait()
        self._close()
        return status

    def _close(self) -> None:
        end = time.monotonic() + GRACE
        while any(reader.is_alive() for reader in self._readers) and time.monotonic() < end:
            with contextlib.suppress(queue.Empty):  # the reader may wait for room
                self._answers.get(timeout=0.01)
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()


class Kept:
    """The beginning and the end of what is read."""

    def __init__(self) -> None:
        self._head, self._tail, self._size = b"", deque[int](maxlen=KEPT), 0

    def read(self, pipe: IO[bytes]) -> None:
        """All of a pipe, so that nobody who writes to it has to wait."""
        with pipe:
            while block := os.read(pipe.fileno(), 2**16):
                self._size += len(block)
                room = KEPT - len(self._head)
                self._head += block[:room]
                self._tail.extend(block[room:])

    def text(self) -> str:
        """What is kept, with a line for what is not."""
        left_out = self._size - len(self._head) - len(self._tail)
        gap = f"\n... {left_out} bytes left out ...\n".encode() if left_out else b""
        return (self._head + gap + bytes(self._tail)).decode(errors="replace")


def _hand_on(pipe: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """Every line of a pipe, and an empty one for its end."""
    with pipe:
        while line := pipe.readline(LONGEST):
            lines.put(line)
    lines.put(b"")


def _started(work: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _death(status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        return f"was ended by {name}"
    return f"left the process with exit status {status} before it was done"
