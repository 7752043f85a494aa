"""A student's file as a function: it runs in the sandbox, and only its numbers come back."""

from __future__ import annotations

import ast
import base64
import math
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from gradcheck.claim import Array
from gradcheck.grading.exercise import Arrays
from gradcheck.isolation.process import Child, Ended

SANDBOX = pathlib.Path(__file__).parent / "sandbox.py"
STARTING = 60.0  # seconds for Python and NumPy to load, which are not the submission's own
# Of the environment nothing else is handed on: a grader's may hold secrets.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT")
ANSWERS = ("gradcheck", "manual")
AUTOMATIC = ("jax", "jaxlib", "torch", "tensorflow", "autograd", "sympy")  # what derives by itself
REFUSED = (*ANSWERS, *AUTOMATIC)


class Raised(Exception):
    """The submission raised, or returned what is no answer; the message is its traceback."""


class Submission:
    """backward(params, X, Y) -> {"dW1": array, ...} of a file, within `seconds` for all calls together.

    unusable: of the last call, why a value that it returned is none, by name. refused: what it tried.
    """

    def __init__(self, path: pathlib.Path, seconds: float) -> None:
        self._limit = self._left = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="gradcheck-", ignore_cleanup_errors=True)
        self.unusable: dict[str, str] = {}
        self.ended: Ended | None = None
        self.refused: tuple[str, ...] = imported(path)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._child = Child(
            (sys.executable, "-I", "-u", "-X", "faulthandler", str(SANDBOX)),
            folder=pathlib.Path(self._folder.name),
            environment=environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._path = path.resolve()

    def __enter__(self) -> Submission:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._child.close()
        self._folder.cleanup()

    @property
    def output(self) -> str:
        """What it printed."""
        return self._child.output

    def load(self) -> None:
        """Run the file. Raises Raised or Ended where that does not give a function `backward`."""
        self._child.receive(STARTING)
        self._ask({"file": str(self._path), "modules": REFUSED, "folders": _folders_of_answers()})

    def __call__(self, params: Mapping[str, Array], X: Array, Y: Array) -> Arrays:
        """The arrays that backward returns at a point. Raises Raised or Ended."""
        inputs = {"params": {name: _encoded(value) for name, value in params.items()}}
        said = self._ask({"inputs": inputs | {"X": _encoded(X), "Y": _encoded(Y)}})
        try:
            self.unusable = {str(name): str(why) for name, why in said["unusable"].items()}
            return {str(name): _decoded(value) for name, value in said["arrays"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Ended("wrote into the channel that its answers take") from None

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self.ended is not None:
            raise self.ended
        start = time.monotonic()
        try:
            self._child.send(request)
            said = self._child.receive(max(self._left, 0))
        except Ended as ended:
            late = time.monotonic() - start >= self._left
            self.ended = Ended(f"ran for more than {self._limit:g} s and was ended") if late else ended
            raise self.ended from None
        self._left -= time.monotonic() - start
        self.refused = tuple(dict.fromkeys((*self.refused, *map(str, said.get("refused", ())))))
        if "error" in said:
            raise Raised(str(said["error"]))
        return said


def imported(path: pathlib.Path) -> tuple[str, ...]:
    """The refused modules that a file imports, by its text: it need not run for that."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ()  # running it will say so
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return tuple(dict.fromkeys(f"import {name}" for name in names if name.partition(".")[0] in REFUSED))


def _folders_of_answers() -> list[str]:
    """Where the answers are written down: they are not to be read."""
    package = pathlib.Path(__file__).resolve().parents[1]
    return [str(package) + os.sep, str(package.parent / "manual") + os.sep]


def _encoded(array: Array) -> dict[str, Any]:
    data = base64.b64encode(np.asarray(array, "<f8").tobytes()).decode()
    return {"shape": list(np.shape(array)), "bytes": 8, "data": data}


def _decoded(said: Mapping[str, Any]) -> Array:
    """An array out of untrusted words. Raises ValueError, KeyError or TypeError where they make none."""
    shape, size = (
        tuple(int(length) for length in said["shape"]),
        {2: "<f2", 4: "<f4", 8: "<f8"}[said["bytes"]],
    )
    flat = np.frombuffer(base64.b64decode(said["data"], validate=True), size)
    if any(length < 0 for length in shape) or math.prod(shape) != flat.size:
        raise ValueError(shape)
    return flat.reshape(shape).astype(flat.dtype.newbyteorder("="))
