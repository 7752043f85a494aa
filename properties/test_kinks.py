"""Kinks of ReLU drawn on purpose: the subgradient is accepted as one, and nothing beyond it is."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import check_gradients, constant, reference
from gradcheck.report import Report
from gradcheck.verdict import Verdict
from manual.activations import Activation, activation_named, leaky_relu, relu
from manual.deep_row_major import DeepRowMajor
from manual.types import Array, Arrays
from properties.effort import one_in
from properties.problems import SEEDS

RELU, LEAKY = activation_named("relu"), activation_named("leaky_relu")
KINKED = pytest.mark.parametrize("g", [RELU, LEAKY], ids=lambda g: g.name)


def at_kinks(seed: int, m: int, units: int) -> tuple[Arrays, Array, Array]:
    """A network whose hidden units all sit at 0 exactly for the first example.

    Whole numbers, so that X W1 + b1 is computed without rounding.
    """
    rng = np.random.default_rng(seed)
    X = rng.choice([-2.0, -1.0, 1.0, 2.0], (m, 2))
    W1 = rng.integers(-3, 4, (2, units)).astype(float)
    params = {
        "W1": W1,
        "b1": -X[:1] @ W1,
        "W2": rng.choice([-1.0, 1.0], (units, 1)) * rng.uniform(0.5, 2.0, (units, 1)),
        "b2": rng.standard_normal((1, 1)),
    }
    return params, X, rng.random((m, 1))


def judged(g: Activation, claimed: Activation, problem: tuple[Arrays, Array, Array], **options) -> Report:
    """The report on a network with activation g whose backward uses the derivative of another."""
    params, X, Y = problem
    network, backward = DeepRowMajor(hidden=(g,)), DeepRowMajor(hidden=(claimed,)).backward
    assert not network.forward(params, X)["Z1"][0].any()
    return check_gradients(
        network.loss,
        params,
        constant(X),
        constant(Y),
        gradients=lambda params, X, Y: backward(params, network.forward(params, X), X, Y),
        **options,
    )


@KINKED
@one_in(4)
@given(seed=SEEDS, units=st.integers(1, 2))
def test_the_hand_derived_subgradient_is_accepted_as_one(g: Activation, seed: int, units: int):
    report = judged(g, g, at_kinks(seed, 1, units))
    assert report.verdict is Verdict.PASS, report
    assert "at a kink" in str(report)


@KINKED
@pytest.mark.parametrize("seed", range(20))
def test_kinks_that_open_in_opposite_directions_accuse_nobody_beside_jax(g: Activation, seed: int):
    """Differences alone would: what ReLU's 0 at 0 gives may lie outside both one-sided slopes."""
    params, X, Y = at_kinks(seed, 3, 2)
    X[1:] = -X[0], X[0]
    params["b1"][:] = params["W1"][:] = 0
    twin = functools.partial(reference.deep_loss, hidden=(g.name,), examples=0)
    report = judged(g, g, (params, X, Y), reference=twin)
    assert report.verdict is Verdict.PASS, report


@KINKED
@one_in(10)
@given(seed=SEEDS)
def test_a_slope_beyond_both_sides_is_convicted(g: Activation, seed: int):
    def beyond(z: Array) -> Array:
        return np.where(z == 0, 3.0, g.derivative(z))

    wrong = Activation(name="wrong at 0", function=g.function, derivative=beyond)
    assert judged(g, wrong, at_kinks(seed, 1, 1)).verdict is Verdict.FAIL


@pytest.mark.parametrize("g", [relu, leaky_relu])
def test_the_derivative_at_the_kink_is_one_of_the_one_sided_slopes(g):
    at, near = np.zeros(1), np.array([1e-3])
    derivative = activation_named(g.__name__).derivative(at)
    assert derivative in (g(near) / near, g(-near) / -near)
