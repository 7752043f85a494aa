"""Which entry of a large leaf is wrong, what that costs, and what a right gradient costs."""

import math

import numpy as np
import pytest

from gradcheck import Reason, Verdict, check_gradients, constant
from manual import row_major

RNG = np.random.default_rng(20)
N = 100_000
X, WEIGHTS = RNG.standard_normal(N), RNG.standard_normal(N)
AT_MOST = 600  # evaluations that finding one wrong entry of a hundred thousand may take


def forward(x):
    return np.sum(np.sin(x) * WEIGHTS)


def unrecordable(x):
    return forward(x) * math.exp(0 * float(x[0]))  # the number is taken out of the trace


def gradient(x):
    return np.cos(x) * WEIGHTS


def wrong_at(entries, factor):
    def claim(x):
        found = gradient(x)
        found[list(entries)] *= factor
        return found

    return claim


def differences(report):
    return next(oracle for oracle in report.oracles if oracle.name == "finite-difference")


def test_a_right_scalar_claim_costs_the_same_few_forwards_whatever_its_size():
    for n in (10, 1000, N):
        x = X[:n]
        report = check_gradients(
            lambda x: np.sum(np.sin(x) * WEIGHTS[: x.size]),
            x,
            gradients=lambda x: np.cos(x) * WEIGHTS[: x.size],
        )
        assert report.verdict is Verdict.PASS
        assert report.evaluations.forward <= 40
        assert report.agreements[-1].leaf == "all together"


def test_a_network_of_many_leaves_costs_no_more():
    params = row_major.initialise((5, 7, 3), 0)
    X, Y = RNG.standard_normal((6, 5)), np.round(RNG.random((6, 3)))
    report = check_gradients(
        row_major.loss,
        params,
        constant(X),
        constant(Y),
        gradients=lambda p, X, Y: row_major.backward(p, row_major.forward(p, X), X, Y),
    )
    assert report.verdict is Verdict.PASS
    assert report.evaluations.forward <= 40


@pytest.fixture(scope="module")
def right():
    """The evaluations of differences that judge the right gradient, which a search then adds to."""
    return differences(check_gradients(unrecordable, X, gradients=gradient)).evaluations


@pytest.mark.parametrize(("entry", "factor"), [(0, 1 + 1e-5), (31_415, 0.0), (N - 1, -1.0)])
def test_one_wrong_entry_of_many_is_found_by_differences_alone(right, entry, factor):
    report = check_gradients(unrecordable, X, gradients=wrong_at([entry], factor))
    (leaf,) = report.leaves
    assert (report.verdict, leaf.worst_index) == (Verdict.FAIL, (entry,))
    assert leaf.expected == pytest.approx(gradient(X)[entry], rel=1e-6)
    assert differences(report).evaluations <= right + AT_MOST


def test_several_wrong_entries_are_found_one_of_them_at_least(right):
    entries = [17, 40_000, 40_001, 99_000]
    report = check_gradients(unrecordable, X, gradients=wrong_at(entries, -1.0))
    assert report.verdict is Verdict.FAIL
    assert report.leaves[0].worst_index in [(entry,) for entry in entries]
    assert differences(report).evaluations <= right + AT_MOST


def test_what_another_oracle_accuses_is_looked_at_by_differences_too():
    report = check_gradients(forward, X, gradients=wrong_at([123], 1 + 1e-4))
    assert report.leaves[0].worst_index == (123,)
    rows = [row for row in report.agreements if row.left == "claim"]
    assert [row.agrees for row in rows] == [False, False]  # autodiff and differences


@pytest.mark.parametrize("error", [1e-6, 1e-2])
def test_every_relative_error_of_a_single_entry_is_convicted_where_a_reference_is(error):
    entry = int(RNG.integers(N))
    report = check_gradients(forward, X, gradients=wrong_at([entry], 1 + error))
    assert (report.verdict, report.leaves[0].worst_index) == (Verdict.FAIL, (entry,))


def test_a_large_gradient_of_another_shape_is_said_to_be_of_another_shape():
    found = check_gradients(forward, X, gradients=lambda x: gradient(x)[:1])
    assert (found.verdict, found.reason) == (Verdict.FAIL, Reason.SHAPE)
