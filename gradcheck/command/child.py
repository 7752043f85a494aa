"""The process that runs a user's file: one message with what is found, then one for each check.

python -u -m gradcheck.command.child
"""

from __future__ import annotations

import pathlib
import time
from typing import Any

from gradcheck.command.discover import Check, discover
from gradcheck.isolation.channel import Channel
from gradcheck.isolation.loading import loaded
from gradcheck.outcome import answered, told


def main() -> None:
    """Serve one request: {"file", "only", "done", "seed"}."""
    channel = Channel()
    request = channel.receive()
    assert request is not None
    try:
        file = pathlib.Path(request["file"])
        found = discover(loaded(file, f"checked_{file.stem}"))  # a name that hides no other module
    except Exception as error:  # noqa: BLE001 - whatever the file raises is handed to its author
        channel.send({"error": told(error)})
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
    said = answered(lambda: check(seed))
    return said | {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    main()
