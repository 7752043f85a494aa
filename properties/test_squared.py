"""The squared-error network in index notation: hand-derived, JAX and finite differences agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import Verdict, check_gradients, constant
from gradcheck.reference import summed_squared_error
from gradcheck.report import Report
from manual import as_printed, squared
from manual.types import Array, Arrays
from properties.effort import one_in
from properties.problems import SEEDS

# JAX compiles for each shape: examples, inputs, hidden units and outputs are drawn from these.
POOL = ((4, 3, 5, 2), (3, 2, 1, 4), (1, 3, 2, 2), (5, 1, 3, 2), (4, 2, 3, 1), (1, 1, 1, 1))
NAMES = ("W1", "b1", "W2", "b2")
JAX = jax.jit(jax.grad(summed_squared_error))
PROBLEMS = st.tuples(st.sampled_from(POOL), SEEDS)


def draw(problem: tuple[tuple[int, int, int, int], int]) -> tuple[Arrays, Array, Array]:
    (e, *sizes), seed = problem
    rng = np.random.default_rng(seed)
    params = squared.initialise((sizes[0], sizes[1], sizes[2]), seed)
    params |= {name: rng.standard_normal(params[name].shape) for name in ("b1", "b2")}
    return params, rng.standard_normal((e, sizes[0])), rng.random((e, sizes[2]))


def hand(params: Arrays, x0: Array, y: Array) -> Arrays:
    return squared.backward(params, squared.forward(params, x0), x0, y)


def assert_same(left: Arrays, right: Arrays) -> None:
    unit = max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        np.testing.assert_allclose(left[name], value, rtol=0, atol=1e-12 * unit, err_msg=name)


def judged(loss: Callable[..., Any], params: Arrays, x0: Array, y: Array, values: Arrays) -> Report:
    """By the recorded forward alone, which takes no hundreds of evaluations."""
    return check_gradients(loss, params, constant(x0), constant(y), gradients=values, oracles="autodiff")


@given(problem=PROBLEMS)
def test_hand_derived_gradients_are_those_of_jax(problem):
    params, x0, y = draw(problem)
    with jax.enable_x64(True):
        found = JAX(params, x0, y)
    assert_same(hand(params, x0, y), {f"d{name}": np.asarray(value) for name, value in found.items()})


@given(problem=PROBLEMS)
def test_a_batch_is_the_sum_of_its_examples(problem):
    params, x0, y = draw(problem)
    ones = [hand(params, x0[i : i + 1], y[i : i + 1]) for i in range(len(x0))]
    summed = {f"d{name}": np.sum([one[f"d{name}"] for one in ones], axis=0) for name in NAMES}
    assert_same(hand(params, x0, y), summed)


@one_in(3)
@given(problem=PROBLEMS)
def test_the_gradient_of_the_sum_is_not_that_of_the_mean(problem):
    """Erratum E11: told apart wherever there is more than one example."""
    params, x0, y = draw(problem)
    values = hand(params, x0, y)
    report = judged(squared.mean_error, params, x0, y, values)
    assert (report.verdict is Verdict.FAIL) == (len(x0) > 1)


@one_in(4)
@given(seed=SEEDS)
def test_the_bias_that_reads_the_wrong_unit_is_convicted(seed):
    """Erratum E10: n on the left, m on the right. With one hidden unit it cannot be seen."""
    params, x0, y = draw(((2, 2, 3, 2), seed))
    printed = as_printed.bias_of_another_unit(params, x0, y)
    report = judged(squared.summed_error, params, x0, y, printed)
    assert [leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL] == ["params['b1']"]


@one_in(3)
@given(problem=PROBLEMS)
def test_the_missing_sum_over_outputs_is_convicted_where_there_are_several(problem):
    """Erratum E12: a repeated k without a sum, read as its first term."""
    params, x0, y = draw(problem)
    printed = as_printed.first_output_only(params, x0, y)
    report = judged(squared.summed_error, params, x0, y, printed)
    wrong = [leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL]
    assert wrong == (["params['W1']"] if y.shape[1] > 1 else [])
