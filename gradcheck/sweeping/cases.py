"""Claims on their way to another process, pickled before anything runs."""

from __future__ import annotations

import base64
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.claim import Claim
from gradcheck.errors import ClaimError

HOW = (
    "pass a function from the top level of a module, as functools.partial(function, shape, seed) where it "
    "takes arguments"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One check by its name. request: what the child is asked, in JSON."""

    name: str
    request: Mapping[str, Any]


def cases(claims: Mapping[str, Any]) -> tuple[Case, ...]:
    """Every claim pickled. Raises ClaimError for the first that is none, or cannot be."""
    if not isinstance(claims, Mapping) or not claims:
        raise ClaimError(f"claims={claims!r:.60} names no check: pass a dictionary {{name: claim, ...}}")
    return tuple(Case(name=name, request=_request(name, value)) for name, value in claims.items())


def _request(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(name, str):
        raise ClaimError(f"{name!r} is no name of a case: pass text, e.g. {str(name)!r}")
    if not isinstance(value, Claim) and not callable(value):
        raise ClaimError(f"claims[{name!r}] is {value!r:.60}: pass a Claim, or what returns one or a Report")
    try:
        pickled = pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ClaimError(f"claims[{name!r}] cannot go to another process ({error}): {HOW}") from error
    return {
        "pickled": base64.b64encode(pickled).decode(),
        "path": list(map(str, sys.path)),
        "main": _main(name) if b"__main__" in pickled else None,
    }


def _main(name: str) -> dict[str, str]:
    """Where the script is that the case is defined in, which the child reads under another name."""
    main = sys.modules["__main__"]
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if file is None:
        raise ClaimError(f"claims[{name!r}] is defined at a prompt or in a notebook, not in a file: {HOW}")
    return {"file": file, "name": spec.name if spec else "__mp_main__"}
