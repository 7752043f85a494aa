"""The hand-derived network: exact in the tails, true to its dtype, blind to nobody's arrays."""

import decimal
import math

import numpy as np
import pytest

from gradcheck import check_gradients
from manual import column_major, row_major, squared, xor
from manual.activations import ACTIVATIONS, sigmoid, sigmoid_derivative, softplus
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.losses import OUTPUTS, binary_cross_entropy, binary_cross_entropy_delta
from manual.training import descend, gradient_descent


def gelu_by_series(z):
    """z Phi(z) and Phi(z) + z phi(z): Phi from the series of erf, far out from its continued fraction."""
    pi = decimal.Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
    root = (2 * pi).sqrt()
    density = (-z * z / 2).exp() / root
    if abs(z) > 5:
        fraction = abs(z)
        for n in range(400, 0, -1):
            fraction = abs(z) + n / fraction
        phi = density / fraction if z < 0 else 1 - density / fraction
    else:
        term = total = z
        for n in range(1, 200):
            term *= -z * z / (2 * n)
            total += term / (2 * n + 1)
        phi = decimal.Decimal("0.5") + total / root
    return z * phi, phi + z * density


def two_slopes(left):
    return lambda z: (z, decimal.Decimal(1)) if z > 0 else (left * z, left)


TEXTBOOK = {
    "sigmoid": lambda z: (1 / (1 + (-z).exp()), (-z).exp() / (1 + (-z).exp()) ** 2),
    "tanh": lambda z: (1 - 2 / ((2 * z).exp() + 1), 4 / (z.exp() + (-z).exp()) ** 2),
    "relu": two_slopes(decimal.Decimal(0)),
    "leaky_relu": two_slopes(decimal.Decimal("0.01")),
    "softplus": lambda z: ((1 + z.exp()).ln(), 1 / (1 + (-z).exp())),
    "identity": lambda z: (z, decimal.Decimal(1)),
    "gelu": gelu_by_series,
}

LAYOUTS = pytest.mark.parametrize("network", [row_major, column_major], ids=["row-major", "column-major"])
SIZES = (3, 4, 2)


def problem(network, m=5, dtype=np.float64):
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((m, SIZES[0])), np.round(rng.random((m, SIZES[2])))
    params = {name: value.astype(dtype) for name, value in network.initialise(SIZES, seed=1).items()}
    if network is column_major:
        X, Y = X.T, Y.T
    return params, X.astype(dtype), Y.astype(dtype)


@pytest.mark.parametrize("z", [-1000.0, -745.0, -40.0, -1e-300, 0.0, 1e-9, 40.0, 745.0, 1000.0])
def test_sigmoid_and_its_derivative_keep_their_digits_in_both_tails(z):
    small = math.exp(-abs(z)) / (1 + math.exp(-abs(z)))
    large = 1 / (1 + math.exp(-abs(z)))
    assert sigmoid(np.array(z)) == pytest.approx(large if z >= 0 else small, rel=1e-15, abs=0)
    assert sigmoid_derivative(np.array(z)) == pytest.approx(small * large, rel=1e-15, abs=0)
    assert softplus(np.array(z)) == pytest.approx(max(z, 0) + math.log1p(math.exp(-abs(z))), rel=1e-15)


@pytest.mark.parametrize(
    ("z", "y", "expected"),
    [
        (1000.0, 1.0, 0.0),
        (1000.0, 0.0, 1000.0),
        (-1000.0, 0.0, 0.0),
        (-1000.0, 1.0, 1000.0),
        (1000.0, 0.25, 750.0),
        (40.0, 1.0, math.exp(-40.0)),  # log(A) would be 0 here, and log(1 - A) -inf
        (0.0, 0.5, math.log(2)),
    ],
)
def test_the_loss_is_finite_and_right_in_both_tails(z, y, expected):
    loss = binary_cross_entropy(np.array([[z]]), np.array([[y]]), examples=0)
    assert float(loss) == pytest.approx(expected, rel=1e-15, abs=1e-300)


def test_the_delta_does_not_cancel_where_a_saturated_unit_is_right():
    delta = binary_cross_entropy_delta(np.array([[40.0, -40.0]]), np.array([[1.0, 0.0]]), examples=0)
    np.testing.assert_allclose(delta, [[-math.exp(-40), math.exp(-40)]], rtol=1e-15)


@LAYOUTS
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_any_float_dtype_in_gives_that_dtype_out(network, dtype):
    params, X, Y = problem(network, dtype=dtype)
    cache = network.forward(params, X)
    gradients = network.backward(params, cache, X, Y.astype(int))
    loss, predicted = network.loss(params, X, Y), network.predict(params, X)
    assert {array.dtype for array in (*cache.values(), *gradients.values(), loss, predicted)} == {
        np.dtype(dtype)
    }


@LAYOUTS
def test_every_gradient_has_the_shape_of_what_it_is_the_gradient_of(network):
    params, X, Y = problem(network)
    cache = network.forward(params, X)
    gradients = network.backward(params, cache, X, Y)
    for name, gradient in gradients.items():
        assert gradient.shape == (params | cache)[name.removeprefix("d")].shape
    assert list(gradients) == ["dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1"]


@LAYOUTS
def test_intermediate_gradients_are_derivatives_of_the_mean_loss(network):
    """dZ2 and dA1 by central differences of the loss as a function of Z2 and A1."""
    params, X, Y = problem(network)
    cache = network.forward(params, X)
    gradients = network.backward(params, cache, X, Y)
    examples, step = network.EXAMPLES, 1e-6
    for index in np.ndindex(cache["Z2"].shape):
        up, down = cache["Z2"].copy(), cache["Z2"].copy()
        up[index] += step
        down[index] -= step
        slope = (binary_cross_entropy(up, Y, examples) - binary_cross_entropy(down, Y, examples)) / (2 * step)
        assert gradients["dZ2"][index] == pytest.approx(float(slope), abs=1e-9)
    np.testing.assert_allclose(
        gradients["dZ1"], gradients["dA1"] * cache["A1"] * (1 - cache["A1"]), rtol=1e-12
    )


@LAYOUTS
def test_initial_weights_are_seeded_and_initial_biases_zero(network):
    first, again, other = (network.initialise(SIZES, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["W1"], other["W1"])
    assert not first["b1"].any()
    assert not first["b2"].any()


@LAYOUTS
def test_gradient_descent_lowers_the_loss_and_leaves_its_start_alone(network):
    params, X, Y = problem(network)
    before = {name: value.copy() for name, value in params.items()}
    training = gradient_descent(network, params, X, Y, learning_rate=0.5, epochs=20)
    assert len(training.losses) == 21
    assert all(later < earlier for earlier, later in zip(training.losses, training.losses[1:], strict=False))
    assert all(np.array_equal(params[name], before[name]) for name in params)


def test_a_step_of_gradient_descent_is_theta_minus_rate_times_gradient():
    stepped = descend({"W1": np.array([1.0, 2.0])}, {"dW1": np.array([10.0, -10.0])}, learning_rate=0.1)
    np.testing.assert_allclose(stepped["W1"], [0.0, 3.0])


def test_both_layouts_learn_xor_alike():
    rows = row_major.initialise((2, 2, 1), seed=0)
    columns = {name: value.T for name, value in rows.items()}
    by_rows = gradient_descent(row_major, rows, xor.X, xor.Y, learning_rate=1.0, epochs=2000)
    by_columns = gradient_descent(column_major, columns, xor.X.T, xor.Y.T, learning_rate=1.0, epochs=2000)
    assert np.array_equal(row_major.predict(by_rows.params, xor.X), xor.Y)
    assert np.array_equal(column_major.predict(by_columns.params, xor.X.T), xor.Y.T)
    assert by_rows.losses[-1] == pytest.approx(by_columns.losses[-1], rel=1e-9)


TAILS = [-700.0, -40.0, -36.7, -20.0, -10.0, -3.0, -1e-9, 1e-9, 0.7, 40.0, 700.0]


@pytest.mark.parametrize("z", TAILS)
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
def test_every_activation_and_its_derivative_keep_their_digits_in_the_tails(activation, z):
    """Against the textbook formulas in decimal arithmetic of 700 digits."""
    with decimal.localcontext(prec=700):
        value, slope = TEXTBOOK[activation.name](decimal.Decimal(z))
        value, slope = float(value), float(slope)
    at = np.array(z)
    # Rounding z^2 in exp(-z^2 / 2) is all that gelu loses.
    rel = 1e-14 if activation.name != "gelu" or z > 0 else 1e-14 + z * z * np.finfo(float).eps
    assert float(activation.function(at)) == pytest.approx(value, rel=rel, abs=1e-300)
    assert float(activation.derivative(at)) == pytest.approx(slope, rel=rel, abs=1e-300)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_every_activation_keeps_its_dtype(activation, dtype):
    z = np.array([-2.0, 0.0, 3.0], dtype=dtype)
    assert activation.function(z).dtype == activation.derivative(z).dtype == dtype


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_every_activation_takes_whole_numbers_as_floats(activation, dtype):
    z = np.array([-2, 0, 3] if dtype is np.int64 else [0, 1], dtype=dtype)
    for function in (activation.function, activation.derivative):
        assert function(z).dtype == np.float64
        np.testing.assert_array_equal(function(z), function(z.astype(float)))


WHOLE = [
    row_major,
    column_major,
    squared,
    *(DeepRowMajor(hidden=(g,), output=output) for g in ACTIVATIONS for output in OUTPUTS),
    *(DeepColumnMajor(hidden=(g,), output=output) for g in ACTIVATIONS for output in OUTPUTS),
    *(DeepRowMajor(hidden=(), output=output, decay=0.5) for output in OUTPUTS),
]


@pytest.mark.parametrize("network", WHOLE, ids=lambda network: getattr(network, "__name__", None))
def test_whole_numbers_give_the_loss_and_gradients_of_the_same_floats(network):
    """Labels stay between 0 and 1: the trap is to take them, or a slope, in the integers of W and X."""
    rng = np.random.default_rng(6)
    rows = network is squared or network.EXAMPLES == 0
    sizes = (3, 2) if getattr(network, "hidden", None) == () else SIZES
    params = {name: rng.integers(-2, 3, value.shape) for name, value in network.initialise(sizes, 0).items()}
    X, Y = rng.integers(0, 3, (5, 3)).astype(np.uint8), rng.dirichlet(np.ones(2), 5)
    X, Y = (X, Y) if rows else (X.T, Y.T)
    as_floats = {name: value.astype(float) for name, value in params.items()}, X.astype(float), Y
    assert network.loss(params, X, Y) == pytest.approx(network.loss(*as_floats), rel=1e-15)
    found = network.backward(params, network.forward(params, X), X, Y)
    expected = network.backward(as_floats[0], network.forward(*as_floats[:2]), *as_floats[1:])
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
def test_outputs_take_whole_numbers_as_floats(output):
    Z, Y = np.array([[3, -1], [0, 2]]), np.array([[0.25, 0.75], [1.0, 0.0]])
    assert output.loss(Z, Y, 0) == output.loss(Z.astype(float), Y, 0)
    np.testing.assert_array_equal(output.delta(Z, Y, 0), output.delta(Z.astype(float), Y, 0))


def test_squared_takes_the_documents_one_example_as_a_batch_of_one():
    params = squared.initialise(SIZES, seed=1)
    x0, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
    one, batch = squared.forward(params, x0), squared.forward(params, x0[None])
    assert squared.summed_error(params, x0, y) == squared.summed_error(params, x0[None], y[None])
    assert squared.mean_error(params, x0, y) == squared.mean_error(params, x0[None], y[None])
    assert squared.mean_error(params, x0, y) == squared.summed_error(params, x0, y)
    expected = squared.backward(params, batch, x0[None], y[None])
    for name, value in squared.backward(params, one, x0, y).items():
        np.testing.assert_array_equal(value, expected[name])


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda activation: activation.name)
def test_every_derivative_passes_the_checker_and_a_wrong_one_does_not(activation):
    z = np.random.default_rng(4).standard_normal(6)
    g, slope = activation.function, activation.derivative
    assert check_gradients(g, z, vjp=lambda u, z: u * slope(z))
    assert not check_gradients(g, z, vjp=lambda u, z: u * slope(z) * (1 + 1e-6 * (z == z.max())))
