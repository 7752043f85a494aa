"""The process that runs a submission: NumPy, the file, and numbers in and out. Nothing here knows an answer.

    python -I -u sandbox.py

It is run by its path, so that gradcheck is not even loaded. What it refuses it refuses through an audit
hook, which no Python code can take off again. That keeps honest people honest; it is no wall.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

HERE = os.path.realpath(__file__)
CHANNEL = os.path.join(os.path.dirname(HERE), os.pardir, "isolation", "channel.py")
FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.kill",
    "os.killpg",
    "socket.connect",
)
MEMORY = 4 * 2**30  # bytes of address space
WRITTEN = 2**24  # bytes of any file
LARGEST = 10**6  # entries of a gradient: no exercise has a thousand
PLAIN = "fiub"  # kinds of numbers that a gradient may be given in
# Kept from before the submission runs, which may put others in their place.
asarray, frombuffer, tobytes = np.asarray, np.frombuffer, np.ndarray.tobytes


def main() -> None:
    """Load the file of the first request; answer every other with what its backward returns."""
    channel = runpy.run_path(CHANNEL)["Channel"]()
    channel.send({"ready": True})
    request = channel.receive()
    refused: list[str] = []
    limit_resources()
    sys.addaudithook(refusal(request["modules"], tuple(request["folders"]), refused))
    backward: Callable[..., Any] = unloaded
    said: dict[str, Any] = {}
    try:
        backward = loaded(request["file"])
    except BaseException as error:  # whatever it is, exits as well, it is told
        said = {"error": told(error)}
    channel.send(said | {"refused": refused})
    while (request := channel.receive()) is not None:
        channel.send(answered(backward, request["inputs"]) | {"refused": refused})


def answered(backward: Callable[..., Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """{"arrays": by name, "unusable": why, by name}, or {"error": its traceback}."""
    try:
        result = backward(decoded(inputs["params"]), decoded(inputs["X"]), decoded(inputs["Y"]))
        if not isinstance(result, dict):
            kind = type(result).__name__
            return {"error": f"backward returned {kind}: return a dictionary, as the skeleton does"}
        arrays, unusable = {}, {}
        for name, value in result.items():
            if value is not ...:
                encode(str(name), value, arrays, unusable)
        return {"arrays": arrays, "unusable": unusable}
    except BaseException as error:
        return {"error": told(error)}


def encode(name: str, value: Any, arrays: dict[str, Any], unusable: dict[str, str]) -> None:
    """One gradient as its bytes, or why there are none."""
    try:
        array = asarray(value)
    except Exception as error:
        unusable[name] = f"is no array: {error}"
        return
    if array.size > LARGEST:
        unusable[name] = f"is too large: its shape is {array.shape}"
        return
    if array.dtype.kind not in PLAIN:
        unusable[name] = f"is {type(value).__name__} of {array.dtype}, not numbers"
        return
    kept = array.dtype.itemsize if array.dtype.kind == "f" and array.dtype.itemsize < 8 else 8
    data = base64.b64encode(tobytes(array.astype(f"<f{kept}"))).decode()
    arrays[name] = {"shape": list(array.shape), "bytes": kept, "data": data}


def decoded(tree: dict[str, Any]) -> Any:
    """What `encode` makes, or a dictionary of such, as arrays that the submission may write to."""
    if "data" not in tree:
        return {name: decoded(part) for name, part in tree.items()}
    return frombuffer(base64.b64decode(tree["data"]), f"<f{tree['bytes']}").reshape(tree["shape"]).copy()


def loaded(path: str) -> Callable[..., Any]:
    """The function `backward` of a file."""
    spec = importlib.util.spec_from_file_location("submission", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["submission"] = module
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    spec.loader.exec_module(module)
    if not callable(getattr(module, "backward", None)):
        raise AttributeError("the file has no function backward(params, X, Y)")
    return module.backward


def unloaded(*_: Any) -> None:
    """The backward of a file that has none."""


def refusal(
    modules: list[str], folders: tuple[str, ...], refused: list[str]
) -> Callable[[str, tuple[Any, ...]], None]:
    """A hook that refuses to import what holds the answer, to read it, and to leave the process."""

    def refuse(what: str) -> None:
        refused.append(what)
        raise PermissionError(f"refused in an exercise: {what}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "import" and arguments[0].partition(".")[0] in modules:
            refuse(f"import {arguments[0]}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path.startswith(folders) and path != HERE:
                refuse(f"open {path}")
        elif event in FORBIDDEN:
            refuse(event)

    return hook


def told(error: BaseException) -> str:
    """The traceback from the submission's own frames on."""
    frames = error.__traceback__
    while frames is not None and os.path.realpath(frames.tb_frame.f_code.co_filename) == HERE:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def limit_resources() -> None:
    """Memory, files and cores, where the system has such limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
