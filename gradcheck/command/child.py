"""The process that runs a user's file: one message with what is found, then one for each check.

python -u -m gradcheck.command.child
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys
import time
import traceback
from types import ModuleType
from typing import Any

from gradcheck.command.discover import Check, discover
from gradcheck.errors import ClaimError
from gradcheck.isolation.channel import Channel

OURS = (str(pathlib.Path(__file__).parents[1]) + os.sep, "<frozen importlib")  # files whose frames lead there


def main() -> None:
    """Serve one request: {"file", "only", "done", "seed"}."""
    channel = Channel()
    request = channel.receive()
    assert request is not None
    try:
        found = discover(_loaded(pathlib.Path(request["file"])))
    except Exception as error:  # noqa: BLE001 - whatever the file raises is handed to its author
        channel.send({"error": _told(error)})
        return
    only, done = request["only"], request["done"]
    chosen = {
        name: check for name, check in found.checks.items() if only in (None, name) and name not in done
    }
    channel.send(
        {
            "names": list(chosen),
            "known": list(found.checks),
            "without_inputs": {
                name: hint for name, hint in found.without_inputs.items() if only in (None, name)
            },
            "classes": found.classes,
        }
    )
    for check in chosen.values():
        channel.send(_judged(check, request["seed"]))


def _judged(check: Check, seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        said = {"report": check(seed).to_json()}
    except Exception as error:  # noqa: BLE001 - as above
        said = {"error": _told(error)}
    return said | {"seconds": time.perf_counter() - start}


def _told(error: Exception) -> str:
    """The traceback from the user's own frames on; whole where it never got there by a mistake of ours."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    whole = frames is None and not isinstance(error, ClaimError | SyntaxError)
    return "".join(traceback.format_exception(type(error), error, error.__traceback__ if whole else frames))


def _loaded(path: pathlib.Path) -> ModuleType:
    """The file as a module, under a name that hides no other; its folder is on the path, as for a script."""
    name = f"checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
