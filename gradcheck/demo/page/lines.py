"""The documents' networks as lines of NumPy: what is shown as a formula, shown as code, run and judged.

One line is one array. The same data gives the formula on the page, the code beside it, and the numbers
that the verdict is about.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np

from manual.activations import SIGMOID, Activation, sigmoid, sigmoid_derivative
from manual.losses import softmax
from manual.symbols import SYMBOLS, Symbol
from manual.types import Array, Arrays, Scalar

DECAY = 0.1  # lambda of the penalty on the weights, where a formula has one


@dataclass(frozen=True, kw_only=True)
class Line:
    """An array by its name, its shape in letters, and the NumPy expression that makes it.

    indices: of the name in the formula, where the expression leaves them open.
    """

    name: str
    shape: tuple[str, ...]
    expression: str
    indices: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the expression uses, each once, as they come."""
        found = [node for node in ast.walk(ast.parse(self.expression)) if isinstance(node, ast.Name)]
        found.sort(key=lambda node: (node.lineno, node.col_offset))
        return tuple(dict.fromkeys(node.id for node in found))


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A network: the arrays that are given with their shapes, the lines forward, the lines backward.

    The last line forward is the loss. EXAMPLES: the axis that numbers the examples. above: indices are
    written, and layers above the letters. It trains as the networks of `manual` do.
    """

    given: Mapping[str, tuple[str, ...]]
    forwards: tuple[Line, ...]
    backwards: tuple[Line, ...]
    EXAMPLES: int
    activation: Activation = SIGMOID
    above: bool = False

    def replaced(self, lines: tuple[Line, ...]) -> Program:
        """The same with some lines backward written otherwise."""
        others = {line.name: line for line in lines}
        return replace(self, backwards=tuple(others.get(line.name, line) for line in self.backwards))

    def forward(self, params: Arrays, X: Array) -> Arrays:
        """Every intermediate by name.

        params may hold an array by the name of an intermediate: it is added to it, so that the
        gradient by it is the gradient by the intermediate.
        """
        return self._run(self.forwards[:-1], params, X, None, params)

    def loss(self, params: Arrays, X: Array, Y: Array) -> Scalar:
        """The last line forward."""
        return self._run(self.forwards, params, X, Y, params)[self.forwards[-1].name]

    def backward(self, params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
        """Every line backward by name."""
        return self._run(self.backwards, params | cache, X, Y, {})

    def gradients(self, params: Arrays, X: Array, Y: Array) -> Arrays:
        """`backward` after `forward`, without what is no gradient."""
        found = self.backward(params, self.forward(params, X), X, Y)
        return {name: value for name, value in found.items() if name.startswith("d")}

    def with_shifts(self, params: Arrays, X: Array) -> Arrays:
        """params and a zero for every intermediate whose gradient some line claims."""
        claimed = {line.name.removeprefix("d") for line in self.backwards if line.name.startswith("d")}
        cache = self.forward(params, X)
        return params | {name: np.zeros_like(value) for name, value in cache.items() if name in claimed}

    def _run(
        self, lines: tuple[Line, ...], known: Arrays, X: Array, Y: Array | None, shifts: Arrays
    ) -> dict[str, Any]:
        g = self.activation
        scope: dict[str, Any] = {
            "np": np,
            "sigmoid": sigmoid,
            "sigmoid_derivative": sigmoid_derivative,
            "softmax": functools.partial(softmax, examples=self.EXAMPLES),
            "decay": DECAY,
            "g1": g.function,
            "g1_derivative": g.derivative,
            **known,
            **dict.fromkeys(("X", "x0"), X),
            **dict.fromkeys(("Y", "y"), Y),
            **self._lengths(known, X),
        }
        made: dict[str, Any] = {}
        for line in lines:
            value = eval(_compiled(line.expression), scope)
            made[line.name] = scope[line.name] = value + shifts[line.name] if line.name in shifts else value
        return made

    def _lengths(self, params: Arrays, X: Array) -> dict[str, int]:
        """The numbers that formulas use: m or n of examples, n1 of hidden units, n2 of outputs."""
        units = {
            f"n{i}": params[f"W{i}"].shape[1 if self.EXAMPLES == 0 and not self.above else 0] for i in (1, 2)
        }
        examples = X.shape[self.EXAMPLES]
        free = {"m": units["n1"] - 1, "k": 0} if self.above else {"m": examples, "n": examples}
        return units | free


@functools.cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, "<line>", "eval")


def line(name: str, shape: str, expression: str, indices: str = "") -> Line:
    """A line with its shape written as "n1 m"."""
    return Line(name=name, shape=tuple(shape.split()), expression=expression, indices=indices)


CROSS_ENTROPY = "-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m"  # of the symbols' loss, as printed


def _from_symbols(layout: str) -> Program:
    """The program of `manual.symbols`, "row" or "column"."""

    def shape(symbol: Symbol) -> tuple[str, ...]:
        return symbol.rows if layout == "row" else symbol.columns

    made = [
        Line(name=s.name, shape=shape(s), expression=CROSS_ENTROPY if s.name == "L" else written)
        for s in SYMBOLS
        if (written := s.row_equation if layout == "row" else s.column_equation) is not None
    ]
    loss = next(i for i, found in enumerate(made, start=1) if found.name == "L")
    given = {s.name: shape(s) for s in SYMBOLS if s.row_equation is None}
    return Program(
        given=given,
        forwards=tuple(made[:loss]),
        backwards=tuple(made[loss:]),
        EXAMPLES=0 if layout == "row" else 1,
    )


ROWS, COLUMNS = _from_symbols("row"), _from_symbols("column")

WITH_DECAY = {
    "A2": "softmax(Z2)",
    "L": "-np.sum(Y * np.log(A2)) / m + decay / 2 * (np.sum(W1**2) + np.sum(W2**2))",
    "dW2": "A1.T @ dZ2 + decay * W2",
    "dW1": "X.T @ dZ1 + decay * W1",
}


def _with_decay(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(replace(found, expression=WITH_DECAY.get(found.name, found.expression)) for found in lines)


CLASSES = replace(ROWS, forwards=_with_decay(ROWS.forwards), backwards=_with_decay(ROWS.backwards))


def general(activation: Activation) -> Program:
    """`slides`: any hidden activation g1, one example a column, n examples."""
    letters = {"m": "n"}

    def renamed(shape: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(letters.get(letter, letter) for letter in shape)

    def rewritten(found: Line) -> Line:
        expression = found.expression.replace("/ m", "/ n")
        if found.name == "A1":
            expression = "g1(Z1)"
        if found.name == "dZ1":
            expression = "dA1 * g1_derivative(Z1)"
        return replace(found, shape=renamed(found.shape), expression=expression)

    return Program(
        given={name: renamed(shape) for name, shape in COLUMNS.given.items()},
        forwards=tuple(map(rewritten, COLUMNS.forwards)),
        backwards=tuple(map(rewritten, COLUMNS.backwards)),
        EXAMPLES=1,
        activation=activation,
    )


INDICES = Program(
    given={
        "x0": ("e", "n0"),
        "y": ("e", "n2"),
        "W1": ("n1", "n0"),
        "b1": ("n1",),
        "W2": ("n2", "n1"),
        "b2": ("n2",),
    },
    forwards=(
        line("z1", "e n1", 'np.einsum("ji,ei->ej", W1, x0) + b1'),
        line("x1", "e n1", "sigmoid(z1)"),
        line("z2", "e n2", 'np.einsum("kj,ej->ek", W2, x1) + b2'),
        line("yhat", "e n2", "sigmoid(z2)"),
        line("L", "", "np.sum((y - yhat) ** 2)"),
    ),
    backwards=(
        line("s2", "e n2", "yhat * (1 - yhat)"),
        line("dW2", "n2 n1", '2 * np.einsum("em,em,en->mn", yhat - y, s2, x1)'),
        line("db2", "n2", '2 * np.einsum("em,em->m", yhat - y, s2)'),
        line("s1", "e n1", "x1 * (1 - x1)"),
        line("dW1", "n1 n0", '2 * np.einsum("ek,ek,km,em,en->mn", yhat - y, s2, W2, s1, x0)'),
        line("db1", "n1", '2 * np.einsum("ek,ek,km,em->m", yhat - y, s2, W2, s1)'),
    ),
    EXAMPLES=0,
    above=True,
)
