"""What the hand-derived networks refuse: the message names the value and what to pass."""

import numpy as np
import pytest

from manual import column_major, initialisation, row_major, squared
from manual.activations import SIGMOID, activation_named
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.losses import OUTPUTS, SOFTMAX
from manual.training import gradient_descent, mini_batches

SIZES = (2, 3, 1)
X = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[1.0], [1.0], [0.0]])
NETWORKS = [row_major, squared, *[DeepRowMajor(hidden=(SIGMOID,), output=output) for output in OUTPUTS[:2]]]


def refusal(function, *arguments, **keywords):
    with pytest.raises(ValueError, match=r"pass|wants|needs") as caught:
        function(*arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize("network", NETWORKS)
def test_labels_that_would_broadcast_are_refused(network):
    """(n,) beside (n, 1): the loss would sum n x n numbers."""
    params = network.initialise(SIZES, 0)
    message = (
        "labels of shape (3,) do not fit outputs of shape (3, 1), and NumPy would silently make (3, 3) "
        "of the two: pass labels of shape (3, 1)"
    )
    assert refusal(network.loss, params, X, Y.ravel()) == message
    assert refusal(network.backward, params, network.forward(params, X), X, Y.ravel()) == message


@pytest.mark.parametrize("network", [column_major, DeepColumnMajor(hidden=(SIGMOID,))])
def test_labels_in_rows_are_refused_where_examples_are_columns(network):
    params = network.initialise(SIZES, 0)
    assert refusal(network.loss, params, X.T, Y) == (
        "labels of shape (3, 1) do not fit outputs of shape (1, 3), and NumPy would silently make (3, 3) "
        "of the two: pass labels of shape (1, 3)"
    )


def test_labels_that_cannot_even_broadcast_are_refused():
    params = row_major.initialise(SIZES, 0)
    assert refusal(row_major.loss, params, X, np.ones((2, 1))) == (
        "labels of shape (2, 1) do not fit outputs of shape (3, 1): pass labels of shape (3, 1)"
    )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("label", "shown"), [(2, "2.0"), (-1e-9, "-1e-09"), (np.nan, "nan")])
def test_labels_outside_0_to_1_are_refused(network, label, shown):
    wrong = Y.copy()
    wrong[1, 0] = label
    assert refusal(network.loss, network.initialise(SIZES, 0), X, wrong) == (
        f"label {shown} at (1, 0) is outside [0, 1]: pass probabilities, or 0 and 1"
    )


@pytest.mark.parametrize(
    ("network", "transposed"),
    [
        (DeepRowMajor(hidden=(SIGMOID,), output=SOFTMAX), np.asarray),
        (DeepColumnMajor(hidden=(SIGMOID,), output=SOFTMAX), np.transpose),
    ],
)
def test_softmax_labels_that_do_not_sum_to_1_are_refused(network, transposed):
    params = network.initialise((2, 3, 2), 0)
    wrong = transposed(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    assert refusal(network.loss, params, transposed(X), wrong) == (
        "the labels of example 1 sum to 2.0, not 1: "
        "softmax wants one probability a class, such as a one-hot row"
    )


@pytest.mark.parametrize(
    "initialise", [initialisation.row_major, initialisation.column_major, squared.initialise]
)
@pytest.mark.parametrize("sizes", [(2, 0, 1), (0, 3, 1), (2, -1, 1)])
def test_layers_without_units_are_refused(initialise, sizes):
    assert refusal(initialise, sizes, 0) == f"layer sizes {sizes}: every layer needs at least 1 unit"


@pytest.mark.parametrize("network", [DeepRowMajor, DeepColumnMajor])
def test_sizes_that_do_not_fit_the_hidden_layers_are_refused(network):
    assert refusal(network(hidden=(SIGMOID, SIGMOID)).initialise, SIZES, 0) == (
        "3 layer sizes (2, 3, 1) for 2 hidden layers: pass 4, the inputs first and the outputs last"
    )


def test_an_unknown_activation_is_refused_with_the_names_there_are():
    assert refusal(activation_named, "swish") == (
        "unknown activation 'swish': pass one of sigmoid, tanh, relu, leaky_relu, softplus, identity, gelu"
    )
    assert activation_named("sigmoid") is SIGMOID


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), 0.0, -0.1])
def test_a_learning_rate_that_teaches_nothing_is_refused(rate):
    params = row_major.initialise(SIZES, 0)
    message = f"learning rate {rate}: pass a positive number, such as 0.5"
    assert refusal(gradient_descent, row_major, params, X, Y, learning_rate=rate, epochs=1) == message
    keywords = {"learning_rate": rate, "batch_size": 1, "seed": 0}
    assert refusal(mini_batches, row_major, params, X, Y, **keywords) == message


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_batch_that_cannot_be_filled_is_refused(size):
    keywords = {"learning_rate": 1.0, "batch_size": size, "seed": 0}
    assert refusal(mini_batches, row_major, row_major.initialise(SIZES, 0), X, Y, **keywords) == (
        f"batch size {size} for 3 examples: pass 1 to 3"
    )
