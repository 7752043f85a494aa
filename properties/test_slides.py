"""`slides`: the printed summaries against JAX, one example and n, and what erratum E5 does to them."""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manual import slides
from manual.activations import ACTIVATIONS, Activation
from manual.types import Array, Arrays
from properties import symbolic
from properties.problems import Problem, of_order_one, shapes

PARAMETERS = ("W1", "b1", "W2", "b2")
PROBLEMS = of_order_one(shapes())
HIDDEN = st.sampled_from(ACTIVATIONS)


def assert_same(found: Arrays, expected: Arrays) -> None:
    unit = max(np.abs(value).max() for value in expected.values())
    for name, value in expected.items():
        assert found[name].shape == value.shape
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-12 * unit, err_msg=name)


def printed(form, problem: Problem, g1: Activation) -> tuple[Arrays, tuple[Arrays, Array, Array]]:
    params, X, Y = problem.columns
    cache = slides.network(g1).forward(params, X)
    return form(params, cache, X, Y, g1), (params, X, Y)


@given(problem=PROBLEMS, g1=HIDDEN)
def test_the_parameter_gradients_of_n_examples_are_those_of_jax(problem: Problem, g1: Activation):
    found, (params, X, Y) = printed(slides.n_examples, problem, g1)
    jax = symbolic.deep_gradients((g1.name,), symbolic.PLAIN, params, X, Y, examples=1)
    assert_same(found, {f"d{name}": value for name, value in jax.items()})


@given(problem=PROBLEMS, g1=HIDDEN)
def test_the_intermediates_of_n_examples_are_n_times_the_derivatives_of_the_mean(problem, g1):
    """Erratum E5; shapes have n >= 3, so that the two are never the same."""
    found, (params, X, Y) = printed(slides.n_examples, problem, g1)
    network = slides.network(g1)
    right = network.backward(params, network.forward(params, X), X, Y)
    assert_same(found, {name: problem.m * right[name] for name in ("dZ2", "dZ1")})
    assert not np.allclose(found["dZ2"], right["dZ2"])


@given(problem=PROBLEMS, g1=HIDDEN)
def test_n_examples_are_the_mean_of_n_single_ones(problem, g1):
    found, (params, X, Y) = printed(slides.n_examples, problem, g1)
    one = partial(slides.one_example, params, g1=g1)
    network = slides.network(g1)
    columns = zip(np.hsplit(X, problem.m), np.hsplit(Y, problem.m), strict=True)
    singles = [one(network.forward(params, x), x, y) for x, y in columns]
    assert_same(found, {f"d{name}": np.mean([s[f"d{name}"] for s in singles], axis=0) for name in PARAMETERS})
