"""The file of a sweep: lines are added as cases finish, kept when it is run again, and ordered in the end."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable

from gradcheck.errors import ClaimError
from gradcheck.outcome import Outcome
from gradcheck.report import Report

BEGINNING = b'{"name": '


def kept(path: pathlib.Path) -> dict[str, str]:
    """The lines that are there, by the names of their cases; a last one that is not whole is cut off.

    Raises ClaimError for a file of anything else, which stays as it is.
    """
    written = path.read_bytes() if path.exists() else b""
    whole = written[: written.rfind(b"\n") + 1]
    found = {_name(path, line): line for line in whole.decode(errors="replace").splitlines()}
    rest = written[len(whole) :]
    if rest[: len(BEGINNING)] != BEGINNING[: len(rest)]:
        raise _no_line(path, rest.decode(errors="replace"))
    if rest:
        os.truncate(path, len(whole))
    return found


def ordered(path: pathlib.Path, names: Iterable[str]) -> None:
    """Put the lines of these names first, in their order; the file is whole at any time."""
    there = kept(path)
    lines = {name: there[name] for name in names} | there
    if list(lines) != list(there):
        part = path.with_name(f"{path.name}.part")
        part.write_text("".join(f"{line}\n" for line in lines.values()), encoding="ascii")
        part.replace(path)


def read(line: str) -> Outcome:
    """What a line says, equal to the last bit."""
    said = json.loads(line)
    report = None if said["report"] is None else Report.from_json(json.dumps(said["report"]))
    return Outcome(name=said["name"], report=report, error=said["error"])


def _name(path: pathlib.Path, line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.keys() != {"name", "verdict", "error", "report"}:
        raise _no_line(path, line)
    return said["name"]


def _no_line(path: pathlib.Path, text: str) -> ClaimError:
    return ClaimError(f"to={str(path)!r} holds {text!r:.60}, which is no line of a sweep: pass another path")
