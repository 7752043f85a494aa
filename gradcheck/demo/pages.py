"""Pages of docs/ that are rendered from data; `python -m gradcheck.demo.pages` writes them anew."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from manual.symbols import SYMBOLS

SYMBOLS_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "symbols.md"
DOCUMENTS = ("shallow", "xor", "slides", "rowmajor", "squared")
PREFACE = """\
# Symbols

Every array of the two-layer sigmoid network with mean binary cross-entropy, in the order of computation.
The page is written by `python -m gradcheck.demo.pages` from `manual/symbols.py`; a test evaluates it.

There are m examples, n0 inputs, n1 hidden units and n2 outputs. An example is a row where the layout is
row-major, a column where it is column-major.
"""
NAMES = """\
## What the documents write

An empty cell: the document has no symbol for it. `slides` and `rowmajor` print their dZ without the 1/n and
1/m, which is put back here (errata E5, E8). `squared` has another loss: its loss and gradients stand for the
same thing, with other values.
"""
EXPRESSIONS = """\
## What is computed from what

The last column names the equations of [derivations/](derivations/) that state one of the two.
"""
BLOCK = """\
Each expression can be evaluated as it stands:

```python
import numpy as np

from manual.symbols import SYMBOLS

arrays = {"A1": np.ones((5, 4)), "dZ2": np.ones((5, 2))}
for symbol in SYMBOLS:
    if symbol.name == "dW2":
        print(symbol.row_equation, "has shape", eval(symbol.row_equation, arrays).shape)
```

```text
A1.T @ dZ2 has shape (4, 2)
```
"""


def symbols_page() -> str:
    """docs/symbols.md: what the documents write, then shapes and equations in both layouts."""
    names = _table(
        ("here", "meaning", *DOCUMENTS),
        (
            (_code(s.name), s.meaning, *(_code(s.written.get(document)) for document in DOCUMENTS))
            for s in SYMBOLS
        ),
    )
    expressions = _table(
        ("", "row-major", "", "column-major", "", "stated in"),
        (
            (
                _code(s.name),
                _shape(s.rows),
                _code(s.row_equation),
                _shape(s.columns),
                _code(s.column_equation),
                ", ".join(s.equations),
            )
            for s in SYMBOLS
        ),
    )
    return "\n".join((PREFACE, NAMES, names, EXPRESSIONS, expressions, BLOCK))


def main() -> None:
    """Write docs/symbols.md of this checkout."""
    SYMBOLS_PAGE.write_text(symbols_page())


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (heading, ("---",) * len(heading), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _shape(lengths: tuple[str, ...]) -> str:
    return f"({', '.join(lengths)})" if lengths else "number"


if __name__ == "__main__":
    main()
