"""Which lines of a network each erratum prints otherwise.

`manual.errata` tells what is wrong and where; here is the formula itself, as a line that runs. Where a
misprint does not touch a formula it has no lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradcheck.demo.page.lines import COLUMNS, INDICES, ROWS, Line, Program, general, line
from manual.activations import SIGMOID


@dataclass(frozen=True, kw_only=True)
class Misprint:
    """Lines of a program as printed, and as corrected where that departs from the program."""

    program: Program
    printed: tuple[Line, ...] = ()
    corrected: tuple[Line, ...] = ()

    @property
    def right(self) -> Program:
        return self.program.replaced(self.corrected) if self.corrected else self.program

    @property
    def wrong(self) -> Program:
        return self.program.replaced(self.printed)

    @property
    def shown(self) -> tuple[Line, ...]:
        """The corrected lines that stand beside the printed ones."""
        names = {changed.name for changed in (*self.printed, *self.corrected)}
        return tuple(found for found in self.right.backwards if found.name in names)

    @property
    def shown_printed(self) -> tuple[Line, ...]:
        names = {found.name for found in self.shown}
        return tuple(found for found in self.wrong.backwards if found.name in names)


MISPRINTS = {
    "E1": Misprint(
        program=COLUMNS,
        printed=(
            line("dW2", "n1 m", "(1 / m) * (A2 - Y) * A1"),
            line("dW1", "n1 n0", "X * A1 * (1 - A1) * W2 * ((1 / m) * (A2 - Y))"),
        ),
    ),
    "E2": Misprint(
        program=COLUMNS,
        printed=(
            line("db2", "n2 m", "(1 / m) * (A2 - Y)"),
            line("db1", "n1 m", "A1 * (1 - A1) * (W2.T @ ((1 / m) * (A2 - Y)))"),
        ),
    ),
    "E3": Misprint(program=COLUMNS, printed=(line("dZ2", "n2 m", "A2 - Y"),)),
    "E4": Misprint(program=COLUMNS),
    "E5": Misprint(
        program=general(SIGMOID),
        printed=(
            line("dZ2", "n2 n", "A2 - Y"),
            line("dW2", "n2 n1", "dZ2 @ A1.T / n"),
            line("db2", "n2 1", "dZ2.sum(axis=1, keepdims=True) / n"),
            line("dA1", "n1 n", "W2.T @ dZ2"),
            line("dZ1", "n1 n", "dA1 * g1_derivative(Z1)"),
            line("dW1", "n1 n0", "dZ1 @ X.T / n"),
            line("db1", "n1 1", "dZ1.sum(axis=1, keepdims=True) / n"),
        ),
    ),
    "E6": Misprint(program=COLUMNS),
    "E7": Misprint(program=ROWS, printed=(line("db1", "n1 1", "dZ1.sum(axis=0, keepdims=True).T"),)),
    "E8": Misprint(
        program=ROWS,
        printed=(
            line("dZ2", "m n2", "A2 - Y"),
            line("dW2", "n1 n2", "A1.T @ dZ2 / m"),
            line("db2", "1 n2", "dZ2.sum(axis=0, keepdims=True) / m"),
            line("dA1", "m n1", "dZ2 @ W2.T"),
            line("dZ1", "m n1", "dA1 * sigmoid_derivative(Z1)"),
            line("dW1", "n0 n1", "X.T @ dZ1 / m"),
            line("db1", "1 n1", "dZ1.sum(axis=0, keepdims=True) / m"),
        ),
    ),
    "E9": Misprint(program=ROWS, printed=(line("dZ2", "m n2", "(A2 - Y) / n1"),)),
    "E10": Misprint(
        program=INDICES,
        printed=(
            line(
                "db1",
                "n1",
                'np.full(n1, 2 * np.einsum("ek,ek,k,e->", yhat - y, s2, W2[:, m], s1[:, m]))',
                indices="n",
            ),
        ),
        corrected=(line("db1", "n1", '2 * np.einsum("ek,ek,kn,en->n", yhat - y, s2, W2, s1)'),),
    ),
    "E11": Misprint(
        program=replace(
            INDICES, forwards=(*INDICES.forwards[:-1], line("L", "", "np.sum((y - yhat) ** 2) / n2"))
        ),
        corrected=(
            line("dW2", "n2 n1", '2 / n2 * np.einsum("em,em,en->mn", yhat - y, s2, x1)'),
            line("db2", "n2", '2 / n2 * np.einsum("em,em->m", yhat - y, s2)'),
            line("dW1", "n1 n0", '2 / n2 * np.einsum("ek,ek,km,em,en->mn", yhat - y, s2, W2, s1, x0)'),
            line("db1", "n1", '2 / n2 * np.einsum("ek,ek,km,em->m", yhat - y, s2, W2, s1)'),
        ),
    ),
    "E12": Misprint(
        program=INDICES,
        printed=(
            line(
                "dW1",
                "n1 n0",
                '2 * np.einsum("e,e,m,em,en->mn", (yhat - y)[:, k], s2[:, k], W2[k], s1, x0)',
            ),
        ),
    ),
    "E13": Misprint(program=INDICES),
    "E14": Misprint(
        program=ROWS,
        printed=(
            line(
                "dW2",
                "1 n1",
                "((A2 - Y) @ W2.T * sigmoid_derivative(Z1)).sum(axis=0, keepdims=True) / m",
            ),
        ),
    ),
}
