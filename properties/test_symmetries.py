"""What must hold of the gradients because it holds of the loss, with no second implementation."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from manual import column_major, row_major
from manual.types import Array, Arrays
from properties.problems import Problem, problems, transposed
from properties.terms import sizes_of_terms

NAMES = ("W1", "b1", "W2", "b2")


def gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    found = row_major.backward(params, row_major.forward(params, X), X, Y)
    return {name: found["d" + name] for name in NAMES}


def assert_same(left: Mapping[str, Array], right: Mapping[str, Array], problem: Problem) -> None:
    """Equal to rounding, in units of the terms that the problem's gradients are summed from."""
    terms = sizes_of_terms(problem)
    for name in NAMES:
        np.testing.assert_allclose(left[name], right[name], rtol=0, atol=1e-12 * terms[name], err_msg=name)


@given(problem=problems())
def test_column_major_gradients_are_row_major_gradients_transposed(problem: Problem):
    params, X, Y = problem.columns
    columns = column_major.backward(params, column_major.forward(params, X), X, Y)
    rows = gradients(*problem.rows)
    assert_same({name: columns["d" + name].T for name in NAMES}, rows, problem)


@given(problem=problems())
def test_column_major_intermediates_are_row_major_intermediates_transposed(problem: Problem):
    columns = column_major.forward(*problem.columns[:2])
    rows = row_major.forward(*problem.rows[:2])
    for name, value in transposed(columns).items():
        size = max(1.0, np.abs(rows[name]).max())
        np.testing.assert_allclose(value, rows[name], rtol=0, atol=1e-13 * size)


@given(problem=problems(), data=st.data())
def test_the_gradient_of_a_batch_is_the_weighted_mean_of_its_parts(problem: Problem, data: st.DataObject):
    assume(problem.m > 1)  # one example has no parts
    params, X, Y = problem.rows
    cut = data.draw(st.integers(1, problem.m - 1), label="first part")
    first, second = gradients(params, X[:cut], Y[:cut]), gradients(params, X[cut:], Y[cut:])
    share = cut / problem.m
    mean = {name: share * first[name] + (1 - share) * second[name] for name in NAMES}
    assert_same(gradients(params, X, Y), mean, problem)


@given(problem=problems())
def test_the_order_of_the_examples_changes_nothing(problem: Problem):
    params, X, Y = problem.rows
    order = np.random.default_rng(problem.seed).permutation(problem.m)
    assert_same(gradients(params, X[order], Y[order]), gradients(params, X, Y), problem)


@given(problem=problems())
def test_permuting_hidden_units_permutes_their_gradients(problem: Problem):
    params, X, Y = problem.rows
    order = np.random.default_rng(problem.seed).permutation(problem.shape[2])
    moved = {
        "W1": params["W1"][:, order],
        "b1": params["b1"][:, order],
        "W2": params["W2"][order],
        "b2": params["b2"],
    }
    whole = gradients(params, X, Y)
    expected = {
        "W1": whole["W1"][:, order],
        "b1": whole["b1"][:, order],
        "W2": whole["W2"][order],
        "b2": whole["b2"],
    }
    assert_same(gradients(moved, X, Y), expected, problem)


@given(problem=problems())
def test_flipping_labels_and_output_layer_flips_the_right_signs(problem: Problem):
    """sigmoid(-z) = 1 - sigmoid(z): the loss stays, W2 and b2 change sign, W1 and b1 do not."""
    params, X, Y = problem.rows
    flipped = params | {"W2": -params["W2"], "b2": -params["b2"]}
    whole = gradients(params, X, Y)
    expected = whole | {"W2": -whole["W2"], "b2": -whole["b2"]}
    assert_same(gradients(flipped, X, 1 - Y), expected, problem)
    assert float(row_major.loss(flipped, X, 1 - Y)) == pytest.approx(
        float(row_major.loss(params, X, Y)), rel=1e-12
    )
