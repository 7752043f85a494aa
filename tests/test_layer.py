"""A layer object as it is: its parameters found, its state untouched."""

import copy

import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import Verdict, check_gradients

RNG = np.random.default_rng(2)
X = RNG.standard_normal((3, 4))


class Dense:
    """x W + b, with a mean where a sum is due, or other bugs, on demand."""

    def __init__(self, bug=None, dtype: type = np.float64):
        rng = np.random.default_rng(7)
        self.W = rng.standard_normal((4, 2)).astype(dtype)
        self.b = rng.standard_normal(2).astype(dtype)
        self.bug = bug

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        dx = dout @ self.W.T
        if self.bug == "mean":
            self.db = dout.mean(axis=0)
        if self.bug == "transposed":
            self.dW = self.dW.T
        if self.bug == "unsummed":
            self.db = dout
        if self.bug == "sign":
            dx = -dx
        if self.bug == "zero":
            self.dW = np.zeros_like(self.W)
        if self.bug == "none":
            self.db = None
        return dx


def test_a_right_layer_passes_with_every_parameter_found():
    report = check_gradients(Dense(), X)
    assert report.verdict is Verdict.PASS
    assert report.name == "Dense.backward"
    assert [leaf.name for leaf in report.leaves] == ["x", "W", "b"]
    assert report.not_checked == ()


@pytest.mark.parametrize(
    ("bug", "leaf", "code"),
    [
        ("mean", "b", "mean-for-sum"),
        ("transposed", "W", "transposed"),
        ("unsummed", "b", "missing-batch-sum"),
        ("sign", "x", "sign"),
        ("zero", "W", "zero"),
    ],
)
def test_a_wrong_layer_fails_at_the_leaf_and_is_told_why(bug, leaf, code):
    report = check_gradients(Dense(bug), X)
    assert report.verdict is Verdict.FAIL
    assert [r.name for r in report.leaves if r.verdict is Verdict.FAIL] == [leaf]
    assert [(f.leaf, f.code, f.confirmed) for f in report.findings] == [(leaf, code, True)]


def test_the_layer_is_never_run_itself():
    layer = Dense()
    before = copy.deepcopy(vars(layer))
    check_gradients(layer, X)
    assert vars(layer).keys() == before.keys()
    assert all(np.array_equal(vars(layer)[name], value) for name, value in before.items())


def test_a_parameter_without_a_gradient_is_said_to_be_unchecked():
    layer = Dense("none")
    report = check_gradients(layer, X)
    assert report.not_checked == ("b: no db or the like after backward",)
    assert "NOT CHECKED b" in str(report)


def test_values_are_put_wherever_the_layer_refers_to_them():
    class Tied:
        """y = x W W^T, the array shared between two attributes and a list."""

        def __init__(self):
            self.W = RNG.standard_normal((4, 4))
            self.params = [self.W]
            self.alias = {"W": self.W}

        def forward(self, x):
            self.x = x
            return x @ self.params[0] @ self.alias["W"].T

        def backward(self, dout):
            xw = self.x @ self.W
            self.dW = self.x.T @ (dout @ self.W) + dout.T @ xw
            return dout @ self.W @ self.W.T

    assert check_gradients(Tied(), X)


def test_a_float32_layer_is_judged_in_float64():
    report = check_gradients(Dense(dtype=np.float32), X)
    assert report.verdict is Verdict.PASS
    assert report.sensitivity == 1e-6
    assert report.leaves[1].dtype == "float32"


def test_a_layer_with_a_jax_reference_takes_parameters_by_name():
    report = check_gradients(Dense(), X, reference=lambda x, W, b: jnp.asarray(x) @ W + b)
    assert report.verdict is Verdict.PASS
    assert report.oracles[0].available
