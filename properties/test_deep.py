"""Any number of hidden layers, any activations: hand-derived and JAX agree, in both layouts.

JAX compiles once for each list of activations, so those are drawn from a pool; shapes are padded
to one size and free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import check_gradients, constant
from gradcheck.verdict import Verdict
from manual import deep_column_major, deep_row_major, row_major
from manual.activations import ACTIVATIONS, SIGMOID, Activation
from manual.types import Array, Arrays
from properties import padded
from properties.problems import LARGEST, SEEDS, transposed

POOL: tuple[tuple[Activation, ...], ...] = (
    *((g,) for g in ACTIVATIONS),
    *((first, second) for first, second in zip(ACTIVATIONS, ACTIVATIONS[::-1], strict=True)),
    ACTIVATIONS[:3],
    ACTIVATIONS[3:6],
    (SIGMOID,) * 3,
    ACTIVATIONS[1:5],
    ACTIVATIONS[3:],
)


@dataclass(frozen=True)
class DeepProblem:
    """m examples through layers of the given sizes; the numbers follow from the seed."""

    m: int
    sizes: tuple[int, ...]
    hidden: tuple[Activation, ...]
    seed: int

    @property
    def rows(self) -> tuple[Arrays, Array, Array]:
        rng = np.random.default_rng(self.seed)
        params = deep_row_major.initialise(self.sizes, self.seed)
        for name in params:
            if name.startswith("b"):
                params[name] = rng.standard_normal(params[name].shape)
        return params, rng.standard_normal((self.m, self.sizes[0])), rng.random((self.m, self.sizes[-1]))


@st.composite
def deep_problems(draw: st.DrawFn, largest: int = LARGEST) -> DeepProblem:
    hidden = draw(st.sampled_from(POOL), label="hidden")
    lengths = st.integers(1, largest)
    sizes = draw(st.tuples(*[lengths] * (len(hidden) + 2)), label="sizes")
    return DeepProblem(m=draw(lengths), sizes=sizes, hidden=hidden, seed=draw(SEEDS))


def hand(network, params: Arrays, X: Array, Y: Array, hidden: Sequence[Activation]) -> Arrays:
    return network.backward(params, network.forward(params, X, hidden), X, Y, hidden)


@given(problem=deep_problems())
def test_hand_derived_gradients_are_those_of_jax_in_both_layouts(problem: DeepProblem):
    params, X, Y = problem.rows
    names = tuple(g.name for g in problem.hidden)
    rows = hand(deep_row_major, params, X, Y, problem.hidden)
    columns = hand(deep_column_major, transposed(params), X.T, Y.T, problem.hidden)
    by_rows = padded.deep_gradients(names, params, X, Y, examples=0)
    by_columns = padded.deep_gradients(names, transposed(params), X.T, Y.T, examples=1)
    largest = max(np.abs(value).max() for value in by_rows.values())
    for name, expected in by_rows.items():
        # Deep sums cancel: a leaf is judged in units of the whole gradient.
        np.testing.assert_allclose(rows["d" + name], expected, rtol=0, atol=1e-12 * largest)
        np.testing.assert_allclose(columns["d" + name], by_columns[name], rtol=0, atol=1e-12 * largest)
        np.testing.assert_allclose(columns["d" + name].T, rows["d" + name], rtol=0, atol=1e-12 * largest)


@given(problem=deep_problems(largest=3))
def test_finite_differences_never_accuse_a_deep_network(problem: DeepProblem):
    params, X, Y = problem.rows
    report = check_gradients(
        lambda params, X, Y: deep_row_major.loss(params, X, Y, problem.hidden),
        params,
        constant(X),
        constant(Y),
        gradients=lambda params, X, Y: hand(deep_row_major, params, X, Y, problem.hidden),
    )
    assert report.verdict is not Verdict.FAIL, report


# At z and at g(z) these have the same derivative: no mistake to see.
BLIND = ("identity", "relu", "leaky_relu")


@pytest.mark.parametrize(
    "hidden",
    [hidden for hidden in POOL if hidden[-1].name not in BLIND],
    ids=lambda hidden: "-".join(g.name for g in hidden),
)
def test_a_derivative_taken_at_the_activation_is_convicted(hidden):
    sizes = (3, *range(4, 4 + len(hidden)), 2)
    problem = DeepProblem(m=5, sizes=sizes, hidden=hidden, seed=1)
    params, X, Y = problem.rows

    def wrong(params, X, Y):
        cache = deep_row_major.forward(params, X, hidden)
        swapped = cache | {f"Z{len(hidden)}": cache[f"A{len(hidden)}"]}
        return deep_row_major.backward(params, swapped, X, Y, hidden)

    report = check_gradients(
        lambda params, X, Y: deep_row_major.loss(params, X, Y, hidden),
        params,
        constant(X),
        constant(Y),
        gradients=wrong,
    )
    assert report.verdict is Verdict.FAIL


def test_one_sigmoid_hidden_layer_is_the_two_layer_network():
    params, X, Y = DeepProblem(m=5, sizes=(3, 4, 2), hidden=(SIGMOID,), seed=3).rows
    shallow = row_major.backward(params, row_major.forward(params, X), X, Y)
    deep = hand(deep_row_major, params, X, Y, (SIGMOID,))
    assert deep.keys() == shallow.keys()
    for name, value in shallow.items():
        np.testing.assert_array_equal(deep[name], value)
