"""The first wrong line of a backward: found by the user's own names, and never a right one."""

import math

import numpy as np
import pytest

from gradcheck import Report, Verdict, check_gradients, constant
from gradcheck.tracing.locals import assignments

RNG = np.random.default_rng(12)
M, N0, N1, N2 = 5, 2, 4, 3
X, Y = RNG.standard_normal((M, N0)), np.round(RNG.random((M, N2)))
PARAMS = {
    "W1": RNG.standard_normal((N0, N1)),
    "b1": RNG.standard_normal((1, N1)),
    "W2": RNG.standard_normal((N1, N2)),
    "b2": RNG.standard_normal((1, N2)),
}
MASK = (RNG.random((M, N1)) < 0.75) / 0.75


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = sigmoid(Z2)
    return Z1, A1, Z2, A2


def cost(params):
    A2 = forward(params)[-1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / M


def backward(params, wrong="", line=lambda right: right, entries=()):
    """The right backward, with one line made wrong; `entries` of it are returned beside the gradients."""

    def written(name, right):
        return line(right) if name == wrong else right

    _, A1, _, A2 = forward(params)
    dZ2 = written("dZ2", (A2 - Y) / M)
    dW2 = written("dW2", A1.T @ dZ2)
    db2 = written("db2", dZ2.sum(axis=0, keepdims=True))
    dA1 = written("dA1", dZ2 @ params["W2"].T)
    dZ1 = written("dZ1", dA1 * (1 - A1**2))
    dW1 = written("dW1", X.T @ dZ1)
    db1 = written("db1", dZ1.sum(axis=0, keepdims=True))
    found = {"dZ2": dZ2, "dA1": dA1, "dZ1": dZ1}
    gradients = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return gradients | {name: found[name] for name in entries}


ORDER = ("dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1")


@pytest.mark.parametrize("entries", [(), ("dZ2", "dA1", "dZ1")], ids=["locals", "entries"])
@pytest.mark.parametrize("wrong", ORDER)
def test_the_first_wrong_line_is_named_and_what_is_right_before_it(wrong, entries):
    report = check_gradients(
        cost, PARAMS, gradients=lambda p: backward(p, wrong, lambda right: right + 0.1, entries)
    )
    assert report.first_wrong == wrong
    assert report.right_before == ORDER[: ORDER.index(wrong)]


def test_the_line_stands_in_the_text_and_in_json():
    report = check_gradients(cost, PARAMS, gradients=lambda p: backward(p, "dZ1", lambda right: 2 * right))
    assert "  first wrong: dZ1 (dZ2, dW2, db2, dA1 are right)" in str(report).splitlines()
    assert Report.from_json(report.to_json()) == report


def test_a_right_backward_has_no_first_wrong_line_and_is_not_watched():
    report = check_gradients(cost, PARAMS, gradients=backward)
    assert report.verdict is Verdict.PASS
    assert (report.first_wrong, report.right_before) == (None, ())


def test_gradients_given_as_values_bring_their_intermediates():
    values = backward(PARAMS, "dA1", lambda right: -right, ("dZ2", "dA1", "dZ1"))
    report = check_gradients(cost, PARAMS, gradients=values)
    assert report.first_wrong == "dA1"


def scaled_at_the_end(params, wrong=""):
    """1/m where the parameters are: dZ2 and dZ1 are m times the derivatives."""
    _, A1, _, A2 = forward(params)
    dZ2 = A2 - Y
    dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 if wrong == "dZ1" else dA1 * (1 - A1**2)
    dW2 = A1.T @ dZ2 / M
    db2 = dZ2.sum(axis=0, keepdims=True) / (1 if wrong == "db2" else M)
    dW1 = X.T @ dZ1 / M
    db1 = dZ1.sum(axis=0, keepdims=True) / (1 if wrong == "db1" else M)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@pytest.mark.parametrize("wrong", ["dZ1", "db2", "db1"])
def test_a_scale_that_is_made_good_later_is_a_convention(wrong):
    report = check_gradients(cost, PARAMS, gradients=lambda p: scaled_at_the_end(p, wrong))
    assert report.first_wrong == wrong
    assert "dZ2" in report.right_before


def test_a_scale_that_is_never_made_good_is_the_first_wrong_line():
    report = check_gradients(cost, PARAMS, gradients=lambda p: backward(p, "dZ2", lambda right: M * right))
    assert (report.first_wrong, report.right_before) == ("dZ2", ())


def dropped(params, wrong=False):
    """The course's dropout: A1 and dA1 both go through the mask under their own names."""
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.tanh(Z1)
    slope = 1 - A1**2
    A1 = A1 * MASK
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = sigmoid(Z2)
    J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / M
    dZ2 = (A2 - Y) / M
    dA1 = dZ2 @ params["W2"].T
    dA1 = dA1 * MASK
    dZ1 = dA1 * slope
    dW1 = X.T @ (dZ1 * 2 if wrong else dZ1)
    db1 = dZ1.sum(axis=0, keepdims=True)
    return J, {"dW1": dW1, "db1": db1, "dW2": A1.T @ dZ2, "db2": dZ2.sum(axis=0, keepdims=True)}


def test_a_name_that_is_carried_on_is_not_accused():
    report = check_gradients(lambda p: dropped(p, wrong=True), PARAMS, gradients=True)
    assert report.first_wrong == "dW1"


def test_a_gradient_masked_in_place_is_the_derivative_before_the_mask():
    """dh[h <= 0] = 0 makes dh the derivative by what h is computed from."""

    def loss(W1, W2):
        h = np.maximum(X @ W1, 0)
        return ((h @ W2) ** 2).sum()

    def gradients(W1, W2):
        h = np.maximum(X @ W1, 0)
        out = h @ W2
        dout = 2 * out
        dh = dout @ W2.T
        dh[h <= 0] = 0
        return X.T @ dh + 1, h.T @ dout

    report = check_gradients(loss, PARAMS["W1"], PARAMS["W2"], gradients=gradients)
    assert report.first_wrong == "dW1"
    assert report.right_before == ("dout", "dW2")


def test_variables_of_a_loop_mean_several_things_and_are_not_accused():
    """Z is the last layer's when the forward ends, dZ the first one's when the backward does."""
    W = [RNG.standard_normal((3, 3)) for _ in range(3)]
    x = RNG.standard_normal((3, 3))

    def loss(W):
        A = x
        for one in W:
            Z = A @ one
            A = np.tanh(Z)
        return (A**2).sum()

    def gradients(W):
        inputs, A = [], x
        for one in W:
            inputs.append(A)
            A = np.tanh(A @ one)
        dA, found = 2 * A, []
        for A_in, one in zip(inputs[::-1], W[::-1], strict=True):
            dZ = dA * (1 - np.tanh(A_in @ one) ** 2)
            found.append(A_in.T @ dZ)
            dA = dZ @ one.T
        return [found[2], found[1] * 2, found[0]]

    report = check_gradients(loss, W, gradients=gradients)
    assert report.first_wrong == "W[1]"


class Network:
    """An object with its intermediates in attributes and in a cache."""

    def __init__(self, wrong):
        self.W1, self.b1 = PARAMS["W1"].copy(), PARAMS["b1"].copy()
        self.W2, self.b2 = PARAMS["W2"].copy(), PARAMS["b2"].copy()
        self.wrong = wrong

    def forward(self, x):
        self.x = x
        self.Z1 = x @ self.W1 + self.b1
        self.cache = {"A1": np.tanh(self.Z1)}
        return self.cache["A1"] @ self.W2 + self.b2

    def backward(self, dout):
        self.dW2 = self.cache["A1"].T @ dout
        self.db2 = dout.sum(axis=0, keepdims=True)
        self.dA1 = dout @ (2 * self.W2 if self.wrong == "dA1" else self.W2).T
        self.dZ1 = self.dA1 * (1 if self.wrong == "dZ1" else 1 - self.cache["A1"] ** 2)
        self.dW1 = self.x.T @ self.dZ1
        self.db1 = self.dZ1.sum(axis=0, keepdims=True)
        return self.dZ1 @ self.W1.T


@pytest.mark.parametrize(("wrong", "right"), [("dA1", ("dW2", "db2")), ("dZ1", ("dW2", "db2", "dA1"))])
def test_attributes_of_an_object_are_lines_too(wrong, right):
    report = check_gradients(Network(wrong), X)
    assert (report.first_wrong, report.right_before) == (wrong, right)


def test_a_pair_of_functions_with_a_cache():
    def ahead(x, w, b):
        z = x @ w + b
        a = np.tanh(z)
        return a, (x, w, a)

    def back(da, cache):
        x, w, a = cache
        dz = da * (1 - a)
        return dz @ w.T, x.T @ dz, dz.sum(axis=0, keepdims=True)

    report = check_gradients((ahead, back), X, PARAMS["W1"], PARAMS["b1"])
    assert report.first_wrong == "dz"


def test_without_a_record_the_only_wrong_leaf_is_the_first():
    def untraceable(a, b):
        return np.array(float(np.sum(a**2))) + float(np.sum(b**2))

    report = check_gradients(untraceable, X, Y, gradients=lambda a, b: (2 * a, 3 * b))
    assert report.first_wrong == "db"
    report = check_gradients(untraceable, X, Y, gradients=lambda a, b: (3 * a, 3 * b))
    assert report.first_wrong is None


def test_where_somebody_profiles_only_returned_names_are_known():
    import cProfile

    profile = cProfile.Profile()
    profile.enable()
    try:
        report = check_gradients(cost, PARAMS, gradients=lambda p: backward(p, "dZ1", np.negative, ("dZ1",)))
    finally:
        profile.disable()
    assert report.first_wrong == "dZ1"


def test_what_has_been_assigned_twice_or_in_a_loop():
    def function(given, kept):
        once = given
        twice = once
        twice = twice + kept
        inside = 0
        for looped in range(3):
            inside = looped
        given = inside
        return given, twice

    found = assignments(function.__code__)
    assert found == {"given": 2, "kept": 1, "once": 1, "twice": 2, "looped": math.inf, "inside": math.inf}


def test_constants_beside_parameters_do_not_matter():
    report = check_gradients(
        lambda p, x: cost(p) + 0 * x.sum(),
        PARAMS,
        constant(X),
        gradients=lambda p, x: backward(p, "dW2", np.negative),
    )
    assert report.first_wrong == "dW2"


def test_whole_numbers_have_no_derivative_whatever_is_named_after_them():
    def loss(x):
        k = np.argsort(x)
        return (x[k] * np.arange(3.0)).sum() + (x**2).sum()

    def gradient(x):
        dk = np.ones(3)
        return 3 * x + dk

    report = check_gradients(loss, np.array([0.5, -1.0, 2.0]), gradients=gradient)
    assert report.first_wrong == "dx"
