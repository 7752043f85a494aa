"""Which entry of a large leaf is wrong, what that costs, and what a right gradient costs."""

import math
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from gradcheck import Reason, Verdict, check_gradients, constant
from gradcheck.locate import Search
from gradcheck.oracles.extrapolate import Slope
from gradcheck.oracles.finite_difference import Differencing
from manual import row_major

RNG = np.random.default_rng(20)
N = 100_000
X, WEIGHTS = RNG.standard_normal(N), RNG.standard_normal(N)
SINGLE_LADDERS = 3  # two digits, and the entry by itself
SINGLE = 120  # calls of the forward that finding one wrong entry of a hundred thousand may take
PLAIN = 1e-2  # what stands out in the sum over all entries
AT_MOST = 600  # where there are several, or one that the noise hardly lets be seen


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


@pytest.mark.parametrize("wrong", ["A", "b"])
def test_differences_look_at_no_entry_that_is_known_and_at_all_where_they_are_asked_by_name(wrong):
    A, b = RNG.standard_normal((20, 5)), RNG.standard_normal(3)

    def gradients(A, b):
        found = {"A": np.cos(A), "b": 3 * b**2}
        found[wrong].flat[1] *= 1 + 1e-5
        return tuple(found.values())

    def checked(**options):
        return check_gradients(
            lambda A, b: np.sum(np.sin(A)) + np.sum(b**3), A, b, gradients=gradients, **options
        )

    closely = checked(oracles=("autodiff", "finite-difference"))
    for report in (checked(), closely):
        assert [leaf.verdict is Verdict.FAIL for leaf in report.leaves] == [wrong == "A", wrong == "b"]
        assert all(row.agrees for row in report.agreements if row.left == "autodiff")
    assert differences(closely).evaluations > 22 * (A.size + b.size)
    assert differences(checked()).evaluations < 100


def test_at_kinks_they_look_at_all_entries_that_autodiff_accuses():
    x = np.where(np.arange(100) % 2, RNG.standard_normal(100), 0)
    share = RNG.random(100)  # any subgradient

    def gradients(x):
        return np.where(x == 0, share, x > 0)

    report = check_gradients(lambda x: np.maximum(x, 0).sum(), x, gradients=gradients)
    assert report.verdict is Verdict.PASS
    wrong = check_gradients(lambda x: np.maximum(x, 0).sum(), x, gradients=lambda x: 1.01 * gradients(x))
    assert wrong.verdict is Verdict.FAIL


@pytest.fixture(scope="module")
def right():
    """The calls that judge the right gradient, which a search then adds to."""
    return check_gradients(unrecordable, X, gradients=gradient).evaluations.forward


@pytest.mark.parametrize(("entry", "factor"), [(0, 1 + 1e-2), (31_415, 0.0), (N - 1, -1.0), (17, 1 + 1e-5)])
def test_one_wrong_entry_of_many_is_found_by_differences_alone(right, entry, factor):
    report = check_gradients(unrecordable, X, gradients=wrong_at([entry], factor))
    (leaf,) = report.leaves
    assert (report.verdict, leaf.worst_index) == (Verdict.FAIL, (entry,))
    assert leaf.expected == pytest.approx(gradient(X)[entry], rel=1e-6)
    plain = abs(factor - 1) >= PLAIN
    assert report.evaluations.forward <= right + (SINGLE if plain else AT_MOST)


class Exactly:
    """Slopes of a linear function."""

    def __init__(self, gradient):
        self.gradient, self.ladders = gradient, 0
        self.evaluator = SimpleNamespace(leaves=[SimpleNamespace(value=np.ones(gradient.size))])

    def slope(self, line):
        self.ladders += 1
        return Slope(value=float(self.gradient @ line[0]), error=1e-12)


@pytest.mark.parametrize("wrong", [[5], [9_999], [0, 200], [1, 2, 3], [50, 5_050, 9_950]])
def test_several_wrong_entries_are_not_taken_for_one_between_them(wrong):
    """In base 100, 0 and 200 have first digits 0 and 2, and together weigh what 1 does."""
    n = 10_000
    look = Exactly(np.zeros(n))
    search = Search(cast(Differencing, look), 0, 1.0 * np.isin(np.arange(n), wrong), 0.0)
    found = search.wrong_entries(np.ones(n), Slope(value=0.0, error=1e-12))
    assert found
    assert set(found) <= set(wrong)
    assert (look.ladders == SINGLE_LADDERS) == (len(wrong) == 1)


def test_several_wrong_entries_are_found_one_of_them_at_least(right):
    entries = [17, 40_000, 40_001, 99_000]
    report = check_gradients(unrecordable, X, gradients=wrong_at(entries, -1.0))
    assert report.verdict is Verdict.FAIL
    assert report.leaves[0].worst_index in [(entry,) for entry in entries]
    assert report.evaluations.forward <= right + AT_MOST


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
