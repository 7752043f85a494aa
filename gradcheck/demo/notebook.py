"""A page of docs/ as a notebook: its Python blocks are cells, the text beside them is their output."""

from __future__ import annotations

import json
import re
from typing import Any

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(page: str) -> str:
    """The page in the notebook format 4.5, the same text for the same page."""
    cells: list[dict[str, Any]] = []
    # Splitting by a pattern with two groups gives prose, language, content, prose, ...
    prose, *rest = BLOCK.split(page)
    _add_prose(cells, prose)
    for language, content, prose in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if language == "python":
            cells.append(_cell(cells, "code", content, execution_count=None, outputs=[]))
        else:
            cells[-1]["outputs"] = [{"name": "stdout", "output_type": "stream", "text": _lines(content)}]
        _add_prose(cells, prose)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1) + "\n"


def _add_prose(cells: list[dict[str, Any]], text: str) -> None:
    if text.strip():
        cells.append(_cell(cells, "markdown", text))


def _cell(before: list[dict[str, Any]], kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "id": f"cell-{len(before)}", "metadata": {}, "source": _lines(text)} | more


def _lines(text: str) -> list[str]:
    return text.strip("\n").splitlines(keepends=True)
