"""The process that runs cases: one message when it is ready, then one for each case.

python -m gradcheck.sweeping.child
"""

from __future__ import annotations

import base64
import faulthandler
import pathlib
import pickle
import sys
from typing import Any

from gradcheck.check import check_gradients
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.isolation.channel import Channel
from gradcheck.isolation.loading import loaded
from gradcheck.outcome import answered
from gradcheck.report import Report

LATER = 2.0  # seconds after its time limit in which the parent, if it lives, has ended us


def main() -> None:
    """Serve requests until there are no more."""
    channel = Channel()
    channel.send({"ready": True})
    while (request := channel.receive()) is not None:
        # A case that hangs must not outlive a parent that was killed.
        faulthandler.dump_traceback_later(request["seconds"] + LATER, exit=True)
        said = answered(lambda case=request: _report(case))
        faulthandler.cancel_dump_traceback_later()
        channel.send(said)


def _report(request: dict[str, Any]) -> Report:
    sys.path[:] = dict.fromkeys([*request["path"], *sys.path])
    main = request["main"]
    if main and sys.modules["__main__"].__name__ != main["name"]:
        sys.modules["__main__"] = loaded(pathlib.Path(main["file"]), main["name"])
    case = pickle.loads(base64.b64decode(request["pickled"]))
    made = case if isinstance(case, Claim) else case()
    result = check_gradients(made) if isinstance(made, Claim) else made
    if not isinstance(result, Report):
        raise ClaimError(f"the case returned {result!r:.60}: return the report of check_gradients(...)")
    return result


if __name__ == "__main__":
    main()
