"""Causes: named where fresh evidence confirms them, and never beyond the evidence."""

import numpy as np
import pytest

from gradcheck import Verdict, check_gradients, constant
from manual import row_major
from properties.mistakes import gradients, named

RNG = np.random.default_rng(8)
PARAMS = row_major.initialise((3, 4, 2), seed=0)
X, Y = RNG.standard_normal((5, 3)), np.round(RNG.random((5, 2)))


def findings(claimed, **options):
    """The finding on each leaf of the two-layer network's loss that one explains."""
    report = check_gradients(row_major.loss, PARAMS, constant(X), constant(Y), gradients=claimed, **options)
    return {leaf.split("'")[1]: f for f in report.findings for leaf in f.leaves}


@pytest.mark.parametrize(
    ("mutant", "leaves", "code", "message", "remedy"),
    [
        (
            "1/m missing",
            "W1 b1 W2 b2",
            "factor",
            "5 times too large, 5 is the number of examples",
            "divide by m = 5",
        ),
        (
            "1/m twice",
            "W1 b1 W2 b2",
            "factor",
            "5 times too small, 5 is the number of examples",
            "multiply by m = 5",
        ),
        (
            "2/m for 1/m",
            "W1 b1 W2 b2",
            "factor",
            "2 times too large; 2 is also the length of axis 1 of params['W2']",
            "divide by 2",
        ),
        (
            "both biases averaged",
            "b1 b2",
            "mean-for-sum",
            "5 times too small, 5 is the number of examples",
            "multiply by m = 5",
        ),
        (
            "y - a for a - y",
            "W1 b1 W2 b2",
            "sign",
            "the sign is flipped",
            "negate it; somewhere a difference, such as y - a for a - y, is the wrong way round",
        ),
        (
            "db2 not summed",
            "b2",
            "missing-batch-sum",
            "axis 0, of length 5, was not summed over",
            "sum over axis 0 with keepdims=True",
        ),
        (
            "all zero",
            "W1 b1 W2 b2",
            "zero",
            "the claimed gradient is zero and the true one is not",
            "return the gradient, not the zeros or None that it was initialised with",
        ),
    ],
)
def test_the_cause_is_named_and_confirmed(mutant, leaves, code, message, remedy):
    found = findings(gradients(named(mutant)))
    assert set(found) == set(leaves.split())
    for finding in found.values():
        assert (finding.code, finding.message, finding.remedy) == (code, message, remedy)
        assert finding.confirmed


@pytest.mark.parametrize("mutant", ["one entry of dW1", "right"])
def test_what_no_rule_explains_gets_no_finding(mutant):
    assert findings(gradients(named(mutant))) == {}


def test_one_cause_is_told_once_and_begins_with_the_worst_leaf():
    report = check_gradients(
        row_major.loss,
        PARAMS,
        constant(X),
        constant(Y),
        gradients=gradients(named("y - a for a - y")),
    )
    (finding,) = report.findings
    errors = {leaf.name: leaf.error for leaf in report.leaves}
    assert finding.leaf == finding.leaves[0] == max(errors, key=errors.__getitem__)
    assert set(finding.leaves) == set(errors)


def test_a_factor_that_only_happens_to_equal_the_batch_size_is_not_blamed_on_it():
    def five_times(params, X, Y):
        return {name: 5 * value for name, value in gradients(named("right"))(params, X, Y).items()}

    messages = {finding.message for finding in findings(five_times).values()}
    assert messages == {"5 times too large"}  # 5 examples were tried as 4, and it was 5 still


def test_a_batch_that_cannot_be_cut_leaves_its_size_unnamed():
    """X is closed over: no data input tells how many examples there are, and what 5 is stays open."""
    report = check_gradients(
        lambda params: row_major.loss(params, X, Y),
        PARAMS,
        gradients=lambda params: gradients(named("1/m missing"))(params, X, Y),
    )
    assert {f.message for f in report.findings} == {"5 times too large; 5 is also the length of axis 0 of Z1"}


def test_values_cannot_be_asked_again_and_stay_unconfirmed():
    values = gradients(named("2/m for 1/m"))(PARAMS, X, Y)
    assert {(f.message, f.confirmed) for f in findings(values).values()} == {
        ("2 times too large; 2 is also the length of axis 1 of params['W2']", False)
    }


def test_one_number_alone_proves_no_factor():
    report = check_gradients(lambda x: x**2, 3.0, gradients=7.0)
    assert not report
    assert report.findings == ()
    report = check_gradients(lambda x: x**2, 3.0, gradients=lambda x: 4 * x)
    assert [f.message for f in report.findings] == ["2 times too large"]


def test_a_wrong_point_that_looks_like_a_factor_is_no_factor_elsewhere():
    """3 x^2 is 6 times x at x = 2 in every entry; on fresh data it is not."""
    report = check_gradients(lambda x: (0.5 * x**2).sum(), np.full(3, 2.0), gradients=lambda x: 3 * x**2)
    assert not report
    assert report.findings == ()


def test_what_is_not_finite_where_the_truth_is_gets_told_so():
    def gradient(w):
        return 2 * w * np.where(w > 1, np.nan, 1)

    report = check_gradients(lambda w: (w**2).sum(), np.array([0.5, 2.0, 3.0]), gradients=gradient)
    (finding,) = report.findings
    assert (finding.code, finding.confirmed) == ("nonfinite", True)
    assert finding.message == "2 of 3 entries are not finite, and the true ones are"


def test_a_convention_of_batches_is_named_first_and_alone():
    class Dense:
        def __init__(self):
            self.W, self.b = RNG.standard_normal((3, 2)), np.zeros(2)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.dW, self.db = self.x.T @ dout / len(dout), dout.mean(axis=0)
            return dout @ self.W.T

    (finding,) = check_gradients(Dense(), X).findings
    assert finding.code == "convention-1/m-in-parameters"
    assert set(finding.leaves) == {"W", "b"}
    assert check_gradients(Dense(), X, convention="mean-in-parameters")


def test_a_penalty_that_the_forward_has_not_is_a_regulariser_at_the_same_rate_everywhere():
    found = findings(gradients(named("a penalty that the loss has not")))
    assert {leaf: (f.code, f.value and round(f.value, 9), f.confirmed) for leaf, f in found.items()} == {
        "W1": ("regulariser", 0.01, True)
    }


def test_what_only_looks_like_a_penalty_is_none():
    """2 x for 3 x^2: at x = 1 the difference is a multiple of x, and elsewhere it is not."""
    report = check_gradients(lambda x: (x**3).sum(), np.ones(4), gradients=lambda x: 2 * x)
    assert not report
    assert all(f.code != "regulariser" for f in report.findings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda g: g.T.reshape(g.shape), "have the order"),
        (np.ravel, "they have another shape"),
        (lambda g: g[::-1], "axis 0 runs backwards"),
    ],
)
def test_right_numbers_at_wrong_places_are_reshaped(wrong, message):
    w = RNG.standard_normal((3, 2))
    report = check_gradients(
        lambda w: (np.sin(w) * w).sum(), w, gradients=lambda w: wrong(np.cos(w) * w + np.sin(w))
    )
    (finding,) = report.findings
    assert finding.code == "reshaped"
    assert message in finding.message


def test_a_forward_that_draws_anew_is_no_wrong_gradient_and_is_told_what_to_do():
    rng = np.random.default_rng(0)

    report = check_gradients(lambda x: x * (1 + 0.01 * rng.standard_normal(x.shape)), X, vjp=lambda u, x: u)
    assert report.verdict is Verdict.UNDECIDED
    assert [f.code for f in report.findings] == ["random-forward"]
    assert "cache" in str(report)


@pytest.mark.parametrize(
    ("shape", "remedy"), [((2,), "sum with keepdims=True"), ((2, 1), "reshape to (1, 2)")]
)
def test_a_dropped_axis_is_told_from_wrong_numbers(shape, remedy):
    def dropped(params, X, Y):
        found = gradients(named("right"))(params, X, Y)
        return found | {"db2": found["db2"].reshape(shape)}

    (finding,) = findings(dropped).values()
    assert (finding.code, finding.remedy) == ("keepdims", remedy)


def test_a_square_transpose_is_found_by_its_numbers():
    W = RNG.standard_normal((3, 3))
    report = check_gradients(
        lambda W: (np.tanh(X @ W) * X).sum(), W, gradients=lambda W: (X.T @ (X * (1 - np.tanh(X @ W) ** 2))).T
    )
    assert [f.code for f in report.findings] == ["transposed"]


def test_the_users_code_need_not_work_where_a_fresh_point_is_chosen():
    """The forward refuses other inputs than the first: the verdict stands, the cause is unconfirmed."""
    calls = []

    def gradient(x):
        calls.append(x.copy())
        if not np.array_equal(x, calls[0]):
            raise RuntimeError("only here")
        return 4 * x

    report = check_gradients(lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=gradient)
    assert not report
    assert [(f.message, f.confirmed) for f in report.findings] == [
        ("2 times too large; 2 is also the length of axis 0 of x", False)
    ]
    assert report.not_checked == ("the cause on other data, where RuntimeError: only here",)
