"""What the documents print wrong, as data: the formula, what it does, and when that cannot be seen.

`ERRATA` runs from E1 to E14. The code of a printed formula is in `as_printed.py`; the corrected
one is the network of its layout. Shapes are (m, n0, n1, n2): examples, inputs, hidden units, outputs.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from manual import as_printed, column_major, initialisation, row_major, squared
from manual.types import Array, Arrays, Scalar

Shape = tuple[int, int, int, int]
Gradients = Callable[[Arrays, Array, Array], Arrays]
Problem = tuple[Arrays, Array, Array]

LETTERS = ("m", "n0", "n1", "n2")
DIFFERENT: Shape = (5, 3, 4, 2)  # equal lengths would hide transposes and missing sums


def lengths(shape: Shape) -> str:
    """The shape in words, such as m = 5, n0 = 3, n1 = 4, n2 = 2."""
    return ", ".join(f"{letter} = {length}" for letter, length in zip(LETTERS, shape, strict=True))


@dataclass(frozen=True, kw_only=True)
class Broadcast:
    """An operation whose operands do not fit, and that NumPy carries out all the same at `silent_at`.

    expression: in the letters of its document. operands: the parts of it that NumPy combines, with their
    shapes in the letters m, n0, n1, n2 and 1. refused_at: where NumPy does say no.
    """

    expression: str
    operands: Mapping[str, tuple[str, str]]
    silent_at: Shape
    refused_at: Shape | None = None

    def shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        """The operands' shapes at these lengths."""
        lengths = dict(zip(LETTERS, shape, strict=True)) | {"1": 1}
        return {name: tuple(lengths[letter] for letter in letters) for name, letters in self.operands.items()}

    def result(self, shape: Shape) -> tuple[int, ...]:
        """The shape NumPy makes of them; ValueError where it refuses."""
        return np.broadcast_shapes(*self.shapes(shape).values())


@dataclass(frozen=True, kw_only=True)
class Erratum:
    """One line of a document that is wrong, or reads so.

    read_as: what is taken for granted where the printed formula, as it stands, is not what is judged: other
    misprints put right, or what a letter without a meaning is taken for; else empty.
    convicted: the parameters or intermediates whose printed gradient is wrong at `shown_at`; none
    where the misprint does no harm. hidden_at: a shape at which the printed formula gives the right
    numbers, or None where there is no such shape, or no harm to hide. corrected_problem: where the
    corrected code is judged, if the correction is one of the problem and not of the formula.
    """

    id: str
    documents: tuple[str, ...]
    printed: str
    corrected: str
    wrong: str
    shows: str
    hides: str
    convicted: tuple[str, ...]
    shown_at: Shape
    hidden_at: Shape | None
    problem: Callable[[Shape, int], Problem]
    loss: Callable[[Arrays, Array, Array], Scalar]
    printed_code: Gradients
    corrected_code: Gradients
    read_as: str = ""
    corrected_problem: Callable[[Shape, int], Problem] | None = None
    broadcasts: tuple[Broadcast, ...] = ()


def rows(shape: Shape, seed: int, variance: initialisation.Variance = initialisation.unit) -> Problem:
    """A random network and batch, one example a row; biases are random too."""
    m, n0, n1, n2 = shape
    rng = np.random.default_rng(seed)
    params = initialisation.row_major((n0, n1, n2), seed, variance)
    params |= {name: rng.standard_normal(params[name].shape) for name in ("b1", "b2")}
    return params, rng.standard_normal((m, n0)), rng.random((m, n2))


def columns(shape: Shape, seed: int, variance: initialisation.Variance = initialisation.unit) -> Problem:
    """`rows` transposed."""
    params, X, Y = rows(shape, seed, variance)
    return {name: value.T for name, value in params.items()}, X.T, Y.T


def shifted_columns(shape: Shape, seed: int) -> Problem:
    """`columns` with shifts of Z1 and Z2 beside the parameters, all of them 0."""
    params, X, Y = columns(shape, seed)
    m, _, n1, n2 = shape
    return params | {"Z1": np.zeros((n1, m)), "Z2": np.zeros((n2, m))}, X, Y


def shifted_rows(shape: Shape, seed: int) -> Problem:
    """`rows` with shifts of Z1 and Z2 beside the parameters, all of them 0."""
    params, X, Y = rows(shape, seed)
    m, _, n1, n2 = shape
    return params | {"Z1": np.zeros((m, n1)), "Z2": np.zeros((m, n2))}, X, Y


def indices(shape: Shape, seed: int) -> Problem:
    """A random problem in the notation of `squared`: examples in rows, W_ji, biases without a second axis."""
    params, X, Y = rows(shape, seed)
    return {name: value.T if name.startswith("W") else value.ravel() for name, value in params.items()}, X, Y


ERRATA = (
    Erratum(
        id="E1",
        documents=("shallow", "xor"),
        printed="dL/dW2 = (1/m) (A2 - Y) * A1;  dL/dW1 = X * A1 * (1 - A1) * W2 * (1/m) (A2 - Y); "
        "in xor without the (1/m), see E3",
        corrected="dW2 = dZ2 @ A1.T;  dW1 = (W2.T @ dZ2 * A1 * (1 - A1)) @ X.T",
        wrong="products of scalars, written for arrays: no transposes and no matrix products",
        shows="a wrong shape; NumPy refuses, or silently broadcasts",
        hides="where every length is 1",
        convicted=("W1", "W2"),
        shown_at=(1, 2, 2, 1),  # the first line of the XOR table: dW1 comes out in the right shape
        hidden_at=(1, 1, 1, 1),
        problem=columns,
        loss=column_major.loss,
        printed_code=as_printed.products_of_scalars,
        corrected_code=as_printed.columns,
        broadcasts=(
            Broadcast(
                expression="W2 - learning_rate * dW2",
                operands={"W2": ("n2", "n1"), "dW2": ("n1", "m")},
                silent_at=(1, 2, 2, 1),
                refused_at=(4, 2, 2, 1),
            ),
            Broadcast(
                expression="X * A1 * (1 - A1) * W2 * (A2 - Y)",
                operands={"X": ("n0", "m"), "A1": ("n1", "m"), "W2": ("n2", "n1"), "A2 - Y": ("n2", "m")},
                silent_at=(1, 2, 2, 1),
                refused_at=(4, 2, 2, 1),
            ),
        ),
    ),
    Erratum(
        id="E2",
        documents=("shallow", "xor"),
        printed="dL/dB2 = (1/m) (A2 - Y);  dL/dB1 = A1 * (1 - A1) * W2 * (1/m) (A2 - Y); "
        "in xor without the (1/m), see E3",
        read_as="with the (1/m), and with the product by W2 put right (E1)",
        corrected="db2 = dZ2.sum(axis=1, keepdims=True);  db1 = dZ1.sum(axis=1, keepdims=True)",
        wrong="no sum over the m examples",
        shows="shape n2 x m, not n2 x 1",
        hides="where m = 1",
        convicted=("b1", "b2"),
        shown_at=DIFFERENT,
        hidden_at=(1, 3, 4, 2),
        problem=columns,
        loss=column_major.loss,
        printed_code=as_printed.biases_not_summed,
        corrected_code=as_printed.columns,
        broadcasts=(
            Broadcast(
                expression="B2 - learning_rate * dB2",
                operands={"B2": ("n2", "1"), "dB2": ("n2", "m")},
                silent_at=DIFFERENT,
            ),
        ),
    ),
    Erratum(
        id="E3",
        documents=("xor",),
        printed="dL/dW2 = (-1/m) * ((Y - A2) / (A2 (1 - A2))) * A2 * (1 - A2) * A1 = (A2 - Y) * A1; "
        "dL/dB2 likewise, dL/dW1 and dL/dB1 from dL/dZ2 = A2 - Y",
        read_as="with the products (E1) and the sums over the examples (E2) put right",
        corrected="dZ2 = (A2 - Y) / m",
        wrong="the 1/m is dropped on the way",
        shows="every gradient m times too large",
        hides="where m = 1",
        convicted=("W1", "b1", "W2", "b2"),
        shown_at=DIFFERENT,
        hidden_at=(1, 3, 4, 2),
        problem=columns,
        loss=column_major.loss,
        printed_code=as_printed.mean_lost,
        corrected_code=as_printed.columns,
    ),
    Erratum(
        id="E4",
        documents=("xor",),
        printed='the derivation of dL/dB1 opens with "dL/dW1 ="',
        read_as="what stands under the label, with E1, E2 and E3 put right",
        corrected='it opens with "dL/dB1 ="',
        wrong="a label",
        shows="nothing: the numbers under the label are those of B1",
        hides="",
        convicted=(),
        shown_at=DIFFERENT,
        hidden_at=None,
        problem=columns,
        loss=column_major.loss,
        printed_code=as_printed.wrong_label,
        corrected_code=as_printed.columns,
    ),
    Erratum(
        id="E5",
        documents=("slides",),
        printed="dJ/dz2 = dz2 = A2 - Y;  dJ/dz1 = dz1 = W2.T (A2 - Y) * g1'(Z1), where J has 1/n",
        corrected="dZ2 = (A2 - Y) / n;  dZ1 = (W2.T @ dZ2) * g1'(Z1)",
        wrong="named as derivatives of J, they are those of the summed loss; 1/n comes back in dW and db",
        shows="parameter gradients right, both intermediates n times dJ/dZ",
        hides="where n = 1",
        convicted=("Z1", "Z2"),
        shown_at=DIFFERENT,
        hidden_at=(1, 3, 4, 2),
        problem=shifted_columns,
        loss=as_printed.shifted_loss_columns,
        printed_code=as_printed.intermediates_of_the_sum,
        corrected_code=as_printed.intermediates_of_the_mean,
    ),
    Erratum(
        id="E6",
        documents=("slides",),
        printed='"Xavier": variance 1 / n_in',
        corrected="Glorot's variance is 2 / (n_in + n_out); 1 / n_in is LeCun's",
        wrong="the name of this variance",
        shows="nothing in the gradients: they are right at any weights",
        hides="",
        convicted=(),
        shown_at=DIFFERENT,
        hidden_at=None,
        problem=functools.partial(columns, variance=initialisation.lecun),
        corrected_problem=functools.partial(columns, variance=initialisation.glorot),
        loss=column_major.loss,
        printed_code=as_printed.columns,
        corrected_code=as_printed.columns,
    ),
    Erratum(
        id="E7",
        documents=("rowmajor",),
        printed="beta_1 is n1 x 1, beta_2 is n2 x 1, dB1 is n1 x 1; dB2 is 1 x n2",
        corrected="b1 and dB1 are 1 x n1, b2 and dB2 are 1 x n2",
        wrong="X W1 is m x n1: a bias that is added to every row is a row",
        shows="a wrong shape; NumPy refuses, or silently adds b1[i] to example i where m = n1",
        hides="where every layer has one unit",
        convicted=("b1",),  # dB2 alone is printed as it should be
        shown_at=DIFFERENT,
        hidden_at=(5, 3, 1, 1),
        problem=rows,
        loss=row_major.loss,
        printed_code=as_printed.column_for_a_bias,
        corrected_code=as_printed.rows,
        broadcasts=(
            Broadcast(
                expression="X @ W1 + beta_1",
                operands={"X @ W1": ("m", "n1"), "beta_1": ("n1", "1")},
                silent_at=(4, 3, 4, 1),
                refused_at=DIFFERENT,
            ),
            Broadcast(
                expression="beta_2 - learning_rate * dB2",
                operands={"beta_2": ("n2", "1"), "dB2": ("1", "n2")},
                silent_at=DIFFERENT,
            ),
        ),
    ),
    Erratum(
        id="E8",
        documents=("rowmajor",),
        printed="dcost/dZ2 = Yhat - Y;  dcost/dZ1 = ((Yhat - Y) W2.T) * f1'(Z1), where cost has 1/m",
        corrected="dZ2 = (A2 - Y) / m;  dZ1 = (dZ2 @ W2.T) * f1'(Z1)",
        wrong="as E5, in rows",
        shows="parameter gradients right, both intermediates m times dcost/dZ",
        hides="where m = 1",
        convicted=("Z1", "Z2"),
        shown_at=DIFFERENT,
        hidden_at=(1, 3, 4, 2),
        problem=shifted_rows,
        loss=as_printed.shifted_loss_rows,
        printed_code=as_printed.intermediates_of_the_sum_in_rows,
        corrected_code=as_printed.intermediates_of_the_mean_in_rows,
    ),
    Erratum(
        id="E9",
        documents=("rowmajor",),
        printed="cost = -(1/n) sum over i = 1..n, over m observations",
        read_as="n for n1, the number of hidden units",
        corrected="cost = -(1/m) sum over i = 1..m",
        wrong="n numbers the units of layers as well; the examples are m",
        shows="every gradient m/n too large if n is taken for n1",
        hides="where m = n1",
        convicted=("W1", "b1", "W2", "b2"),
        shown_at=DIFFERENT,
        hidden_at=(4, 3, 4, 2),
        problem=rows,
        loss=row_major.loss,
        printed_code=as_printed.divided_by_units,
        corrected_code=as_printed.rows,
    ),
    Erratum(
        id="E10",
        documents=("squared",),
        printed="dL/db1_n = 2 w2_km s2'_k (yhat_k - y_k) s1'_m",
        read_as="m for the last hidden unit, whatever n is",
        corrected="dL/db1_n = 2 w2_kn s2'_k (yhat_k - y_k) s1'_n",
        wrong="n is free on the left, m on the right",
        shows="the gradient of another unit, if m still has a value",
        hides="where there is one hidden unit",
        convicted=("b1",),
        shown_at=(1, 3, 4, 2),
        hidden_at=(1, 3, 1, 2),
        problem=indices,
        loss=squared.summed_error,
        printed_code=as_printed.bias_of_another_unit,
        corrected_code=as_printed.indices,
    ),
    Erratum(
        id="E11",
        documents=("squared",),
        printed='"mean squared error" = sum over i of (y_i - yhat_i)^2',
        read_as="the gradients of the sum, claimed for the mean",
        corrected="a sum; the mean is (1/n2) of it, and so are its gradients",
        wrong="no mean",
        shows="every gradient n2 times too large for a mean",
        hides="where there is one output",
        convicted=("W1", "b1", "W2", "b2"),
        shown_at=(1, 3, 4, 2),
        hidden_at=(1, 3, 4, 1),
        problem=indices,
        loss=as_printed.mean_over_outputs,
        printed_code=as_printed.sum_called_mean,
        corrected_code=as_printed.mean_of_the_outputs,
    ),
    Erratum(
        id="E12",
        documents=("squared",),
        printed="dL/dw1_mn = 2 w2_km s2'_k (yhat_k - y_k) s1'_m x0_n",
        read_as="k for the first output",
        corrected="the same, summed over k",
        wrong="a repeated index k and no sum sign: the sum is implied",
        shows="the share of one output only, if k is read as one number",
        hides="where there is one output",
        convicted=("W1",),
        shown_at=(1, 3, 4, 2),
        hidden_at=(1, 3, 4, 1),
        problem=indices,
        loss=squared.summed_error,
        printed_code=as_printed.first_output_only,
        corrected_code=as_printed.indices,
    ),
    Erratum(
        id="E13",
        documents=("squared",),
        printed="x_m,i numbers examples with m;  w_mn numbers units with m",
        read_as="one example at a time",
        corrected="e numbers the examples",
        wrong="one letter for two indices",
        shows="nothing, as long as one example is meant at a time",
        hides="",
        convicted=(),
        shown_at=DIFFERENT,
        hidden_at=None,
        problem=indices,
        loss=squared.summed_error,
        printed_code=as_printed.one_letter_for_two,
        corrected_code=as_printed.indices,
    ),
    Erratum(
        id="E14",
        documents=("rowmajor",),
        printed="dcost/dW2 = (1/m) sum of dL/dz1;  W4 = W1 - learning_rate * dcost/dbeta_1",
        corrected="dW2 = A1.T @ dZ2;  W1 = W1 - learning_rate * dW1",
        wrong="lines garbled in the conversion of the summary page",
        shows="a wrong shape; the update broadcasts silently whatever the lengths",
        hides="nowhere",
        convicted=("W2",),
        shown_at=DIFFERENT,
        hidden_at=None,
        problem=rows,
        loss=row_major.loss,
        printed_code=as_printed.garbled_summary,
        corrected_code=as_printed.rows,
        broadcasts=(
            Broadcast(
                expression="W1 - learning_rate * dB1",
                operands={"W1": ("n0", "n1"), "dB1": ("1", "n1")},
                silent_at=DIFFERENT,
            ),
        ),
    ),
)
