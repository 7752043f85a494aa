"""Pages of docs/ that are rendered from data; `python -m gradcheck.demo.pages` writes them anew."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from gradcheck.demo.notebook import notebook
from manual.errata import ERRATA, lengths
from manual.symbols import SYMBOLS

DOCS = pathlib.Path(__file__).parents[2] / "docs"
SYMBOLS_PAGE, ERRATA_PAGE = DOCS / "symbols.md", DOCS / "errata.md"
WALKTHROUGH, NOTEBOOK = DOCS / "walkthrough.md", DOCS / "walkthrough.ipynb"
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
ERRATA_PREFACE = """\
# Errata

What the documents print wrong, or so that it can be read wrongly, and what the checker says of it. The page
is written by `python -m gradcheck.demo.pages` from `manual/errata.py`; the printed formulas are code in
`manual/as_printed.py`, and tests hold every verdict. `gradcheck demo` shows them all at work.
"""
ERRATA_BLOCK = """\
One of them, taken at its word:

```python
from gradcheck.demo.errata import judged
from manual.errata import ERRATA

print(judged(ERRATA[9], seed=0).printed)
```

```text
FAIL  bias_of_another_unit: the gradient of params['b1'] is wrong
```
"""
SILENCE = """\
## Shapes at which a mistake is silent

Operands that do not fit, and that NumPy combines all the same. `refused` names lengths at which it does not.
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


def errata_page() -> str:
    """docs/errata.md: each misprint beside its correction, with the verdict, and the silent shapes."""
    errata = _table(
        (
            "",
            "document",
            "as printed",
            "read as",
            "corrected",
            "what is wrong",
            "what it does",
            "verdict",
            "at",
            "hides",
        ),
        (
            (
                e.id,
                ", ".join(e.documents),
                _code(e.printed),
                e.read_as,
                _code(e.corrected),
                e.wrong,
                e.shows,
                f"FAIL: {', '.join(e.convicted)}" if e.convicted else "PASS",
                lengths(e.shown_at),
                f"{e.hides}: PASS at {lengths(e.hidden_at)}" if e.hidden_at else e.hides,
            )
            for e in ERRATA
        ),
    )
    silent = _table(
        ("", "operation", "operands", "silent at", "result", "refused at"),
        (
            (
                e.id,
                _code(b.expression),
                " and ".join(f"{_code(name)} {_shape(letters)}" for name, letters in b.operands.items()),
                lengths(b.silent_at),
                str(b.result(b.silent_at)),
                lengths(b.refused_at) if b.refused_at else "nowhere",
            )
            for e in ERRATA
            for b in e.broadcasts
        ),
    )
    return "\n".join((ERRATA_PREFACE, errata, SILENCE, silent, ERRATA_BLOCK))


def main() -> None:
    """Write docs/symbols.md, docs/errata.md and docs/walkthrough.ipynb of this checkout."""
    SYMBOLS_PAGE.write_text(symbols_page())
    ERRATA_PAGE.write_text(errata_page())
    NOTEBOOK.write_text(notebook(WALKTHROUGH.read_text()))


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (heading, ("---",) * len(heading), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _shape(lengths: tuple[str, ...]) -> str:
    return f"({', '.join(lengths)})" if lengths else "number"


if __name__ == "__main__":
    main()
