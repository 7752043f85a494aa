"""Hand-derived, JAX and finite differences give one gradient, whatever the shapes and the data."""

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gradcheck import Reason, Verdict, check_gradients, constant
from gradcheck.adapters import from_gradients
from gradcheck.examine import examine
from gradcheck.oracles import chosen
from gradcheck.verdict import judge
from manual import column_major, row_major
from properties import symbolic
from properties.effort import one_in
from properties.problems import SMALL, Problem, of_order_one, problems, shapes
from properties.terms import sizes_of_terms

RIGHT = 1e-12  # largest difference, relative to the leaf, of two right implementations in float64
CANCELS = 100  # a leaf that many times smaller than the terms it is summed from has lost digits
ROUNDING = 1e-14  # and is then judged in units of those terms

LAYOUTS = pytest.mark.parametrize(
    ("network", "layout", "jax_gradients"),
    [
        (row_major, "rows", symbolic.row_major_gradients),
        (column_major, "columns", symbolic.column_major_gradients),
    ],
    ids=["row-major", "column-major"],
)


@LAYOUTS
@given(problem=problems())
def test_hand_derived_gradients_are_those_of_jax(network, layout, jax_gradients, problem: Problem):
    params, X, Y = getattr(problem, layout)
    hand = network.backward(params, network.forward(params, X), X, Y)
    terms = sizes_of_terms(problem)
    for name, expected in jax_gradients(params, X, Y).items():
        assert hand["d" + name].shape == expected.shape == params[name].shape
        error = np.abs(hand["d" + name] - expected).max()
        largest = np.abs(expected).max()
        if largest * CANCELS >= terms[name]:
            assert error <= RIGHT * largest, name
        else:
            # The unstable corner: labels and predictions balance over the batch, and what is left of
            # the sum carries the round-off of terms far larger than itself.
            event(f"{name} cancels")
            assert error <= ROUNDING * terms[name], name


@LAYOUTS
@one_in(3)
@given(problem=of_order_one(shapes(SMALL)))
def test_finite_differences_hold_both_within_a_narrow_bar(network, layout, jax_gradients, problem: Problem):
    params, X, Y = getattr(problem, layout)
    claim = from_gradients(
        network.loss,
        params,
        constant(X),
        constant(Y),
        gradients=lambda params, X, Y: network.backward(params, network.forward(params, X), X, Y),
        names=("params", "X", "Y"),
    )
    seen = examine(claim, chosen("finite-difference"), seed=0)
    assert {leaf.verdict for leaf in judge(seen)} == {Verdict.PASS}
    jax = jax_gradients(params, X, Y)
    largest = max(np.abs(value).max() for value in jax.values())
    for estimate, name in zip(seen.answers[0].estimates, params, strict=True):
        assert estimate.value.shape == params[name].shape
        assert (estimate.error <= 1e-8 * largest).all()
        assert (np.abs(estimate.value - jax[name]) <= estimate.error).all()


@one_in(3)
@given(problem=problems(SMALL), columns=st.booleans())
def test_finite_differences_accuse_nobody_in_any_corner(problem: Problem, columns: bool):
    network, (params, X, Y) = (column_major, problem.columns) if columns else (row_major, problem.rows)
    values = network.backward(params, network.forward(params, X), X, Y)
    report = check_gradients(
        network.loss, params, constant(X), constant(Y), gradients=values, oracles="finite-difference"
    )
    assert report.reason in (None, Reason.NOISE), report
    event(report.verdict.value)
