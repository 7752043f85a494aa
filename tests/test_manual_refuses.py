"""What the hand-derived networks refuse: the message names the value and what to pass."""

import numpy as np
import pytest

from manual import column_major, initialisation, row_major, slides, squared
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


@pytest.mark.parametrize("network", [row_major, column_major, squared])
@pytest.mark.parametrize("sizes", [(2, 1), (2, 3, 4, 1)])
def test_other_than_three_sizes_are_refused_where_there_is_one_hidden_layer(network, sizes):
    assert refusal(network.initialise, sizes, 0) == (
        f"{len(sizes)} layer sizes {sizes} for 1 hidden layer: pass 3, the inputs first and the outputs last"
    )


def test_a_network_without_outputs_is_refused():
    assert refusal(initialisation.row_major, (3,), 0) == (
        "layer sizes (3,): pass at least 2, the inputs first and the outputs last"
    )


@pytest.mark.parametrize("network", [DeepRowMajor, DeepColumnMajor])
@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        (("relu",), "hidden layer 'relu' is no Activation: pass activation_named(\"relu\")"),
        ((3,), "hidden layer 3 is no Activation: pass an Activation"),
        ("relu", "hidden layers 'relu': pass one Activation a layer, such as (activation_named(\"relu\"),)"),
        (
            SIGMOID,
            f'hidden layers {SIGMOID!r}: pass one Activation a layer, such as (activation_named("relu"),)',
        ),
    ],
    ids=["name", "number", "bare name", "bare activation"],
)
def test_hidden_layers_that_are_no_activations_are_refused(network, hidden, message):
    assert refusal(network, hidden=hidden) == message


@pytest.mark.parametrize("network", [DeepRowMajor, DeepColumnMajor])
@pytest.mark.parametrize("decay", [-0.1, float("nan"), float("inf")])
def test_a_weight_decay_that_is_none_is_refused(network, decay):
    assert refusal(network, hidden=(SIGMOID,), decay=decay) == (
        f"weight decay {decay}: pass 0 or a positive number, such as 0.01"
    )


@pytest.mark.parametrize("network", [*NETWORKS, column_major, DeepColumnMajor(hidden=(SIGMOID,))])
def test_no_example_at_all_is_refused(network):
    params = network.initialise(SIZES, 0)
    none, labels = (X[:0], Y[:0]) if network.EXAMPLES == 0 else (X[:0].T, Y[:0].T)
    message = f"outputs of shape {labels.shape} hold no number: pass at least 1 example"
    assert refusal(network.loss, params, none, labels) == message
    assert refusal(network.backward, params, network.forward(params, none), none, labels) == message


@pytest.mark.parametrize("summary", [slides.one_example, slides.n_examples])
def test_the_summaries_of_slides_refuse_labels_that_do_not_fit(summary):
    network = slides.network(SIGMOID)
    params, x = network.initialise((2, 3, 2), 0), X[:1].T
    cache = network.forward(params, x)
    assert refusal(summary, params, cache, x, np.ones(2), SIGMOID) == (
        "labels of shape (2,) do not fit outputs of shape (2, 1), and NumPy would silently make (2, 2) "
        "of the two: pass labels of shape (2, 1)"
    )


@pytest.mark.parametrize("x", [X.T, X[0]], ids=["three columns", "no column"])
def test_one_example_of_slides_is_one_column(x):
    network = slides.network(SIGMOID)
    params = network.initialise(SIZES, 0)
    assert refusal(slides.one_example, params, network.forward(params, x), x, Y.T, SIGMOID) == (
        f"x of shape {x.shape} is not one example: pass a column, x (n0, 1) and y (n2, 1)"
    )


@pytest.mark.parametrize(
    ("network", "x", "y", "line"),
    [
        (row_major, X, np.ones((4, 1)), "row"),
        (row_major, X, np.ones((2, 1)), "row"),
        (row_major, X, np.ones(3), "row"),
        (row_major, X[:0], Y[:0], "row"),
        (squared, X[0], Y[0], "row"),
        (column_major, X.T, np.ones((1, 4)), "column"),
        (column_major, X.T, Y, "column"),
    ],
)
def test_labels_of_other_examples_teach_nothing(network, x, y, line):
    """Mini-batches would take the first of them without a word."""
    params = network.initialise(SIZES, 0)
    message = (
        f"X of shape {x.shape} and Y of shape {y.shape} are not the same examples: "
        f"pass two axes each, and in both one {line} an example"
    )
    assert refusal(gradient_descent, network, params, x, y, learning_rate=1.0, epochs=1) == message
    keywords = {"learning_rate": 1.0, "batch_size": 1, "seed": 0}
    assert refusal(mini_batches, network, params, x, y, **keywords) == message


def test_fewer_than_no_epochs_are_refused():
    params = row_major.initialise(SIZES, 0)
    assert refusal(gradient_descent, row_major, params, X, Y, learning_rate=1.0, epochs=-1) == (
        "-1 epochs: pass 0 or more, such as 1000"
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
