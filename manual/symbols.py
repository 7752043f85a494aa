"""What every array of the two-layer network is called, what shape it has, and what it is computed from.

The network is that of `row_major.py` and `column_major.py`: sigmoid units, mean binary cross-entropy.
`docs/symbols.md` is this table as a page, `tests/test_symbols.py` evaluates it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Shape = tuple[str, ...]  # such as ("m", "n1"); () is a number


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """An array by our name, with its shape and its equation in both layouts.

    written: the symbol of each document that has one. `slides` and `rowmajor` print their dZ without
    the 1/n and 1/m (errata E5 and E8), which is put back here. In `squared` the loss is another
    one: its L and gradients stand for the same thing but have other values.
    row_equation, column_equation: NumPy expressions in the names above this one, in m, and in the
    functions of `manual`; None where the array is given.
    equations: every equation of docs/derivations/ that states one of the two word for word.
    """

    name: str
    meaning: str
    rows: Shape
    columns: Shape
    written: Mapping[str, str]
    row_equation: str | None = None
    column_equation: str | None = None
    equations: tuple[str, ...] = ()


SYMBOLS = (
    Symbol(
        name="X",
        meaning="inputs",
        rows=("m", "n0"),
        columns=("n0", "m"),
        written={"shallow": "X", "xor": "X", "slides": "A_0", "rowmajor": "X", "squared": "x^(0)_i"},
    ),
    Symbol(
        name="Y",
        meaning="labels",
        rows=("m", "n2"),
        columns=("n2", "m"),
        written={"shallow": "Y", "xor": "Y", "slides": "Y", "rowmajor": "Y", "squared": "y_k"},
    ),
    Symbol(
        name="W1",
        meaning="hidden weights",
        rows=("n0", "n1"),
        columns=("n1", "n0"),
        written={"shallow": "W1", "xor": "W1", "slides": "W_1", "rowmajor": "W_1", "squared": "w^(1)_ji"},
    ),
    Symbol(
        name="b1",
        meaning="hidden biases",
        rows=("1", "n1"),
        columns=("n1", "1"),
        written={"shallow": "B1", "xor": "B1", "slides": "b_1", "rowmajor": "beta_1", "squared": "b^(1)_j"},
    ),
    Symbol(
        name="W2",
        meaning="output weights",
        rows=("n1", "n2"),
        columns=("n2", "n1"),
        written={"shallow": "W2", "xor": "W2", "slides": "W_2", "rowmajor": "W_2", "squared": "w^(2)_kj"},
    ),
    Symbol(
        name="b2",
        meaning="output biases",
        rows=("1", "n2"),
        columns=("n2", "1"),
        written={"shallow": "B2", "xor": "B2", "slides": "b_2", "rowmajor": "beta_2", "squared": "b^(2)_k"},
    ),
    Symbol(
        name="Z1",
        meaning="hidden pre-activations",
        rows=("m", "n1"),
        columns=("n1", "m"),
        written={"shallow": "Z1", "xor": "Z1", "slides": "Z_1", "rowmajor": "Z_1", "squared": "z^(1)_j"},
        row_equation="X @ W1 + b1",
        column_equation="W1 @ X + b1",
        equations=("S1", "R1"),
    ),
    Symbol(
        name="A1",
        meaning="hidden activations",
        rows=("m", "n1"),
        columns=("n1", "m"),
        written={"shallow": "A1", "xor": "A1", "slides": "A_1", "rowmajor": "A_1", "squared": "x^(1)_j"},
        row_equation="sigmoid(Z1)",
        column_equation="sigmoid(Z1)",
        equations=("S2", "R2"),
    ),
    Symbol(
        name="Z2",
        meaning="output pre-activations",
        rows=("m", "n2"),
        columns=("n2", "m"),
        written={"shallow": "Z2", "xor": "Z2", "slides": "Z_2", "rowmajor": "Z_2", "squared": "z^(2)_k"},
        row_equation="A1 @ W2 + b2",
        column_equation="W2 @ A1 + b2",
        equations=("S3", "R3"),
    ),
    Symbol(
        name="A2",
        meaning="predictions",
        rows=("m", "n2"),
        columns=("n2", "m"),
        written={"shallow": "A2", "xor": "A2", "slides": "A_2", "rowmajor": "Yhat", "squared": "yhat_k"},
        row_equation="sigmoid(Z2)",
        column_equation="sigmoid(Z2)",
        equations=("S4", "R4"),
    ),
    Symbol(
        name="L",
        meaning="loss, mean over the examples",
        rows=(),
        columns=(),
        written={"shallow": "L", "xor": "L", "slides": "J", "rowmajor": "cost", "squared": "Delta L"},
        row_equation="binary_cross_entropy(Z2, Y, 0)",
        column_equation="binary_cross_entropy(Z2, Y, 1)",
        equations=("S5", "R5"),
    ),
    Symbol(
        name="dZ2",
        meaning="dL/dZ2",
        rows=("m", "n2"),
        columns=("n2", "m"),
        written={"shallow": "dL/dZ2", "xor": "dL/dZ2", "slides": "(1/n) dz_2", "rowmajor": "(1/m) dZ_2"},
        row_equation="(A2 - Y) / m",
        column_equation="(A2 - Y) / m",
        equations=("S6", "X3", "R6"),
    ),
    Symbol(
        name="dW2",
        meaning="dL/dW2",
        rows=("n1", "n2"),
        columns=("n2", "n1"),
        written={
            "shallow": "dL/dW2",
            "xor": "dL/dW2",
            "slides": "dW_2",
            "rowmajor": "dW_2",
            "squared": "dL/dw^(2)_mn",
        },
        row_equation="A1.T @ dZ2",
        column_equation="dZ2 @ A1.T",
        equations=("S7", "X4", "G13", "R7"),
    ),
    Symbol(
        name="db2",
        meaning="dL/db2",
        rows=("1", "n2"),
        columns=("n2", "1"),
        written={
            "shallow": "dL/dB2",
            "xor": "dL/dB2",
            "slides": "db_2",
            "rowmajor": "dB_2",
            "squared": "dL/db^(2)_m",
        },
        row_equation="dZ2.sum(axis=0, keepdims=True)",
        column_equation="dZ2.sum(axis=1, keepdims=True)",
        equations=("S8", "X5", "G14", "R8"),
    ),
    Symbol(
        name="dA1",
        meaning="dL/dA1",
        rows=("m", "n1"),
        columns=("n1", "m"),
        written={"slides": "(1/n) dL/da_1"},
        row_equation="dZ2 @ W2.T",
        column_equation="W2.T @ dZ2",
        equations=("S9", "R9"),
    ),
    Symbol(
        name="dZ1",
        meaning="dL/dZ1",
        rows=("m", "n1"),
        columns=("n1", "m"),
        written={"slides": "(1/n) dz_1", "rowmajor": "(1/m) dZ_1"},
        row_equation="dA1 * sigmoid_derivative(Z1)",
        column_equation="dA1 * sigmoid_derivative(Z1)",
        equations=("S10", "R10"),
    ),
    Symbol(
        name="dW1",
        meaning="dL/dW1",
        rows=("n0", "n1"),
        columns=("n1", "n0"),
        written={
            "shallow": "dL/dW1",
            "xor": "dL/dW1",
            "slides": "dW_1",
            "rowmajor": "dW_1",
            "squared": "dL/dw^(1)_mn",
        },
        row_equation="X.T @ dZ1",
        column_equation="dZ1 @ X.T",
        equations=("S11", "X7", "G16", "R11"),
    ),
    Symbol(
        name="db1",
        meaning="dL/db1",
        rows=("1", "n1"),
        columns=("n1", "1"),
        written={
            "shallow": "dL/dB1",
            "xor": "dL/dB1",
            "slides": "db_1",
            "rowmajor": "dB_1",
            "squared": "dL/db^(1)_n",
        },
        row_equation="dZ1.sum(axis=0, keepdims=True)",
        column_equation="dZ1.sum(axis=1, keepdims=True)",
        equations=("S12", "X8", "G17", "R12"),
    ),
)
