"""The process that runs a user's file: one message with what is found, then one for each check.

python -u -m gradcheck.command.child
"""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import time
import traceback
from types import ModuleType
from typing import Any

from gradcheck.command.discover import Check, discover
from gradcheck.isolation.channel import Channel


def main() -> None:
    """Serve one request: {"file", "only", "done", "seed"}."""
    channel = Channel()
    request = channel.receive()
    assert request is not None
    try:
        found = discover(_loaded(pathlib.Path(request["file"])))
    except Exception:  # noqa: BLE001 - whatever the file raises is handed to its author
        channel.send({"error": traceback.format_exc()})
        return
    only, done = request["only"], request["done"]
    chosen = {
        name: check for name, check in found.checks.items() if only in (None, name) and name not in done
    }
    channel.send(
        {
            "names": list(chosen),
            "known": list(found.checks),
            "without_inputs": found.without_inputs,
            "classes": found.classes,
        }
    )
    for check in chosen.values():
        channel.send(_judged(check, request["seed"]))


def _judged(check: Check, seed: int) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        said = {"report": check(seed).to_json()}
    except Exception:  # noqa: BLE001 - as above
        said = {"error": traceback.format_exc()}
    return said | {"seconds": time.perf_counter() - start}


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
