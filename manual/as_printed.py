"""The documents' formulas as they are printed, one erratum a function, everything beside it put right.

Each takes (params, X, Y) and returns the gradients it claims by name. What is wrong with each, and
when that cannot be seen, stands in `errata.py`.
"""

import numpy as np

from manual import column_major, row_major, slides, squared
from manual.activations import SIGMOID, sigmoid, sigmoid_derivative
from manual.losses import binary_cross_entropy
from manual.types import Array, Arrays, Scalar


def columns(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The right gradients, column-major."""
    return column_major.backward(params, column_major.forward(params, X), X, Y)


def rows(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The right gradients, row-major."""
    return row_major.backward(params, row_major.forward(params, X), X, Y)


def indices(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The right gradients of the summed squared error, in index notation."""
    return squared.backward(params, squared.forward(params, X), X, Y)


def products_of_scalars(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E1: dL/dW2 = (1/m) (A2 - Y) * A1 and dL/dW1 = X * A1 * (1 - A1) * W2 * (1/m) (A2 - Y)."""
    m, cache = X.shape[1], column_major.forward(params, X)
    A1, A2, W2 = cache["A1"], cache["A2"], params["W2"]
    return columns(params, X, Y) | {
        "dW2": (1 / m) * (A2 - Y) * A1,
        "dW1": X * A1 * (1 - A1) * W2 * (1 / m) * (A2 - Y),
    }


def biases_not_summed(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E2: dL/dB2 = (1/m) (A2 - Y), dL/dB1 = A1 * (1 - A1) * W2 * (1/m) (A2 - Y), its product put right."""
    m, cache = X.shape[1], column_major.forward(params, X)
    A1, dZ2 = cache["A1"], (1 / m) * (cache["A2"] - Y)
    return columns(params, X, Y) | {"db2": dZ2, "db1": A1 * (1 - A1) * (params["W2"].T @ dZ2)}


def mean_lost(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E3: dL/dZ2 = A2 - Y without the 1/m of L, and so on down; products and sums put right."""
    cache = column_major.forward(params, X)
    A1, dZ2 = cache["A1"], cache["A2"] - Y
    dZ1 = (params["W2"].T @ dZ2) * A1 * (1 - A1)
    return {
        "dW2": dZ2 @ A1.T,
        "db2": dZ2.sum(axis=1, keepdims=True),
        "dW1": dZ1 @ X.T,
        "db1": dZ1.sum(axis=1, keepdims=True),
    }


def wrong_label(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E4: the derivation of dL/dB1 opens with "dL/dW1 ="; what follows the label is that of B1."""
    m, cache = X.shape[1], column_major.forward(params, X)
    A1, dZ2 = cache["A1"], (1 / m) * (cache["A2"] - Y)
    labelled_dW1 = A1 * (1 - A1) * (params["W2"].T @ dZ2)
    return columns(params, X, Y) | {"db1": labelled_dW1.sum(axis=1, keepdims=True)}


def shifted_columns(params: Arrays, X: Array) -> Arrays:
    """The forward with params["Z1"] and params["Z2"] added to Z1 and Z2."""
    Z1 = params["W1"] @ X + params["b1"] + params["Z1"]
    A1 = sigmoid(Z1)
    Z2 = params["W2"] @ A1 + params["b2"] + params["Z2"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": sigmoid(Z2)}


def shifted_loss_columns(params: Arrays, X: Array, Y: Array) -> Scalar:
    """The mean loss of `shifted_columns`: its derivatives by the shifts are dJ/dZ1 and dJ/dZ2."""
    return binary_cross_entropy(shifted_columns(params, X)["Z2"], Y, column_major.EXAMPLES)


def intermediates_of_the_sum(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E5: dJ/dz2 = A2 - Y and dJ/dz1 = W2.T (A2 - Y) * g1'(Z1), though J has 1/n."""
    return slides.n_examples(params, shifted_columns(params, X), X, Y, SIGMOID)


def intermediates_of_the_mean(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E5 put right: the 1/n sits in dZ2."""
    return column_major.backward(params, shifted_columns(params, X), X, Y)


def shifted_rows(params: Arrays, X: Array) -> Arrays:
    """`shifted_columns` with one example a row."""
    Z1 = X @ params["W1"] + params["b1"] + params["Z1"]
    A1 = sigmoid(Z1)
    Z2 = A1 @ params["W2"] + params["b2"] + params["Z2"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": sigmoid(Z2)}


def shifted_loss_rows(params: Arrays, X: Array, Y: Array) -> Scalar:
    """`shifted_loss_columns` with one example a row."""
    return binary_cross_entropy(shifted_rows(params, X)["Z2"], Y, row_major.EXAMPLES)


def intermediates_of_the_sum_in_rows(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E8: dcost/dZ2 = Yhat - Y and dcost/dZ1 = ((Yhat - Y) W2.T) * f1'(Z1), though cost has 1/m."""
    cache = shifted_rows(params, X)
    dZ2 = cache["A2"] - Y
    dZ1 = (dZ2 @ params["W2"].T) * sigmoid_derivative(cache["Z1"])
    return row_major.backward(params, cache, X, Y) | {"dZ2": dZ2, "dZ1": dZ1}


def intermediates_of_the_mean_in_rows(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E8 put right: the 1/m sits in dZ2."""
    return row_major.backward(params, shifted_rows(params, X), X, Y)


def column_for_a_bias(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E7: dB1 is n1 x 1, like the biases beta_1 and beta_2 there; dB2 is printed as the row that it is."""
    right = rows(params, X, Y)
    return right | {"db1": right["db1"].T}


def divided_by_units(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E9: cost = -(1/n) sum ..., read with the n that counts the units of the hidden layer."""
    m, n = len(X), params["W1"].shape[1]
    return {name: value * m / n for name, value in rows(params, X, Y).items()}


def bias_of_another_unit(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E10: db1_n = 2 w2_km s2'_k (yhat_k - y_k) s1'_m for every n, the m left from the line before it."""
    right = indices(params, X, Y)
    leftover = right["dW1"].shape[0] - 1
    return right | {"db1": np.full_like(right["db1"], right["db1"][leftover])}


def mean_over_outputs(params: Arrays, X: Array, Y: Array) -> Scalar:
    """E11 taken at its word: the mean of the squared errors over the outputs."""
    return squared.summed_error(params, X, Y) / Y.shape[1]


def sum_called_mean(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E11: the gradients that `squared` derives from its "mean squared error", which is a sum."""
    return indices(params, X, Y)


def mean_of_the_outputs(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E11 put right: gradients of `mean_over_outputs`."""
    return {name: value / Y.shape[1] for name, value in indices(params, X, Y).items()}


def first_output_only(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E12: dW1_mn = 2 w2_km s2'_k (yhat_k - y_k) s1'_m x0_n with no sum over k, read for the first k."""
    cache = squared.forward(params, X)
    error = 2 * (cache["yhat"] - Y)[:, 0]
    s1, s2 = sigmoid_derivative(cache["z1"]), sigmoid_derivative(cache["z2"])[:, 0]
    dW1 = np.einsum("e,e,m,em,en->mn", error, s2, params["W2"][0], s1, X)
    return indices(params, X, Y) | {"dW1": dW1}


def one_letter_for_two(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E13: m numbers the examples in x_m,i and the units in dW2_mn; here one example at a time."""
    examples = [indices(params, X[i : i + 1], Y[i : i + 1]) for i in range(len(X))]
    return {name: np.sum([one[name] for one in examples], axis=0) for name in examples[0]}


def garbled_summary(params: Arrays, X: Array, Y: Array) -> Arrays:
    """E14: dcost/dW2 = (1/m) sum over the examples of dL/dz1."""
    right = rows(params, X, Y)
    return right | {"dW2": right["db1"]}  # dZ1 has its 1/m already
