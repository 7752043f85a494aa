"""Causes in the formula: the recorded forward, differentiated as a mistake would, reproduces the claim."""

import numpy as np
import pytest

from gradcheck import Report, check_gradients, constant
from gradcheck.diagnosis.formulas import masked_elsewhere
from gradcheck.diagnosis.ingredients import Ingredients
from manual import row_major
from properties.mistakes import gradients, named

RNG = np.random.default_rng(8)
PARAMS = row_major.initialise((3, 4, 2), seed=0)
X, Y = RNG.standard_normal((5, 3)), np.round(RNG.random((5, 2)))
HIDDEN, ALL = {"W1", "b1"}, {"W1", "b1", "W2", "b2"}


@pytest.mark.parametrize(
    ("mutant", "leaves", "code", "message"),
    [
        (
            "(a - y) a (1 - a) with cross-entropy",
            ALL,
            "output-delta",
            "the gradient by Z2 has the factor a (1 - a) too often",
        ),
        (
            "sigma' left out",
            HIDDEN,
            "missing-activation",
            "the derivative of sigmoid of Z1 is left out",
        ),
        (
            "f'(a) for f'(z)",
            HIDDEN,
            "derivative-at-activation",
            "the derivative of sigmoid of Z1 is taken as f'(a), where a is already f(z)",
        ),
        (
            "tanh' for the activation's own",
            HIDDEN,
            "wrong-activation",
            "the derivative of sigmoid of Z1 is taken as 1 - a^2, that of tanh",
        ),
        (
            "the last example alone",
            ALL,
            "one-sample",
            "of the 5 along axis 0 of Z2 only the last one is in the gradient",
        ),
        (
            "W2 stepped before dA1",
            HIDDEN,
            "updated-weights",
            "the weights took a step of rate 0.1 before the gradient went through them",
        ),
    ],
)
def test_a_wrong_formula_of_the_network_is_named_and_confirmed(mutant, leaves, code, message):
    claim = gradients(named(mutant))
    report = check_gradients(row_major.loss, PARAMS, constant(X), constant(Y), gradients=claim)
    (finding,) = report.findings
    assert (finding.code, finding.message, finding.confirmed) == (code, message, True)
    assert {leaf.split("'")[1] for leaf in finding.leaves} == leaves


def test_one_term_of_the_loss_left_out_is_the_branch_of_a_label():
    claim = gradients(named("no term for y = 0"))
    report = check_gradients(row_major.loss, PARAMS, constant(X), constant(Y), gradients=claim)
    (finding,) = report.findings
    assert (finding.code, finding.confirmed) == ("label-branch", True)


# Functions of one array, right and wrong in the ways whose names stand beside them.

W = np.array([[0.7, -1.2, 0.4], [-0.3, 0.9, 1.6], [1.1, -0.6, -1.4]])
MASK = np.array([[2.0, 0.0, 2.0], [0.0, 2.0, 2.0], [2.0, 0.0, 2.0]])


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def centred(x):
    return x - x.mean(axis=0)


def normalised(x):
    return centred(x) / np.sqrt((centred(x) ** 2).mean(axis=0))


def relu_of_product(x):
    return np.maximum(x @ W, 0)


FUNCTIONS = {
    "tanh": (np.tanh, lambda u, x: u * (1 - np.tanh(x) ** 2)),
    "sin and skip": (lambda x: np.sin(x) + x, lambda u, x: u * (np.cos(x) + 1)),
    "softmax": (softmax, lambda u, x: softmax(x) * (u - (u * softmax(x)).sum(axis=1, keepdims=True))),
    "dropout": (lambda x: np.tanh(x) * MASK, lambda u, x: u * MASK * (1 - np.tanh(x) ** 2)),
    "centred": (centred, lambda u, x: u - u.mean(axis=0)),
    "relu": (relu_of_product, lambda u, x: (u * (x @ W > 0)) @ W.T),
}
WRONG = [
    ("tanh", lambda u, x: u * (1 - np.tanh(x)), "derivative-at-activation", ("wrong-activation",)),
    ("tanh", lambda u, x: u, "missing-activation", ()),
    ("tanh", lambda u, x: u * (1 - x**2), "derivative-at-activation", ()),
    ("tanh", lambda u, x: u * (x > 0), "wrong-activation", ()),
    ("tanh", lambda u, x: u * (1 - np.tanh(x) ** 2) ** 2, "wrong-activation", ()),
    ("sin and skip", lambda u, x: u * np.cos(x), "overwrites", ()),
    ("softmax", lambda u, x: u * softmax(x) * (1 - softmax(x)), "softmax-diagonal", ()),
    ("dropout", lambda u, x: u * (1 - np.tanh(x) ** 2), "mask-not-applied", ()),
    ("dropout", lambda u, x: u * (MASK > 0) * (1 - np.tanh(x) ** 2), "random-forward", ("factor",)),
    ("centred", lambda u, x: u, "missing-centring", ()),
    ("relu", lambda u, x: u @ W.T, "missing-activation", ("mask-not-applied",)),
    ("relu", lambda u, x: (u * (x @ W > 0)) @ W, "wrong-operand", ()),
    ("relu", lambda u, x: (u * (x @ W > 0)) * W.T, "elementwise-for-matrix", ()),
]
X3 = np.array([[0.31, -1.2, 0.8], [-0.5, 0.62, 1.4], [1.3, 0.27, -0.9]])


@pytest.mark.parametrize(("name", "vjp", "code", "alternatives"), WRONG)
def test_a_wrong_derivative_of_a_layer_is_named_and_confirmed(name, vjp, code, alternatives):
    (finding,) = check_gradients(FUNCTIONS[name][0], X3, vjp=vjp).findings
    assert (finding.code, finding.confirmed) == (code, True)
    assert set(alternatives) <= set(finding.alternatives)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_derivative_gets_no_finding(name):
    function, vjp = FUNCTIONS[name]
    report = check_gradients(function, X3, vjp=vjp)
    assert report
    assert report.findings == ()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_derivative_of_no_known_kind_gets_no_finding(name):
    function, vjp = FUNCTIONS[name]
    report = check_gradients(function, X3, vjp=lambda u, x: vjp(u, x) * (1 + 0.1 * np.cos(3 * x)))
    assert not report
    assert report.findings == ()


def test_the_terminal_says_it_in_five_lines_and_json_keeps_it():
    report = check_gradients(np.tanh, X3, vjp=lambda u, x: u * (1 - np.tanh(x)))
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["FAIL", "worst", "claimed", "expected", "likely"]
    likely = " ".join(line.strip() for line in lines[4 : lines.index("")])
    assert likely == (
        "likely      the derivative of tanh of x is taken as 1 - a: use 1 - a^2, with a = f(z); "
        "wrong-activation would fit as well"
    )
    assert Report.from_json(report.to_json()) == report


def test_the_mask_of_the_gradient_for_that_of_the_forward():
    def gradient(x):
        return (W * (W > 0)) @ W.T

    report = check_gradients(lambda x: (relu_of_product(x) * W).sum(), X3, gradients=gradient)
    (finding,) = report.findings
    assert (finding.code, finding.confirmed) == ("wrong-activation", True)
    assert "the incoming gradient is positive" in finding.message


def test_a_bias_summed_over_the_units_is_the_wrong_axis():
    x, b = RNG.standard_normal((4, 4)), RNG.standard_normal(4)
    vjp = lambda u, b: (u * (1 - np.tanh(x + b) ** 2)).sum(axis=1)  # noqa: E731
    (finding,) = check_gradients(lambda b: np.tanh(x + b), b, vjp=vjp).findings
    assert (finding.code, finding.confirmed) == ("wrong-axis", True)


def test_a_cause_that_holds_at_one_point_only_is_dropped():
    """Slope 1 - a at this point, and something else at others."""
    here = X3.copy()

    def vjp(u, x):
        return u * (1 - np.tanh(x)) if np.array_equal(x, here) else u * (1 - np.tanh(x) ** 2) * 1.3

    report = check_gradients(np.tanh, here, vjp=vjp)
    assert not report
    assert report.findings == ()


def test_only_the_input_is_wrong_where_the_parameters_need_the_same_derivative():
    def loss(params, x):
        return np.tanh(x @ params["W"]).sum()

    def gradients(params, x):
        slope = 1 - np.tanh(x @ params["W"]) ** 2
        return {"W": x.T @ slope}, np.ones_like(slope) @ params["W"].T

    report = check_gradients(loss, {"W": W[:, :2]}, X3, gradients=gradients)
    (finding,) = report.findings
    assert (finding.code, finding.confirmed) == ("input-gradient", True)
    assert finding.message.startswith("only in the gradient of the input, the derivative of tanh")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ([1.0, 2.0, 0.0, 3.0, 4.0], False),  # right
        ([1.0, 2.0, 5.0, 3.0, 0.0], True),
        ([1.0, 2.0, 5.0, 3.0, 4.0], False),  # a mask left out
        ([1.0, 2.0, 0.0, 3.0, 0.0], False),  # an entry left out
        ([1.0, 2.1, 5.0, 3.0, 0.0], False),  # and another number
        ([0.0, 0.0, 5.0, 0.0, 0.0], False),
    ],
)
def test_another_mask_has_other_zeros_both_ways_and_the_same_numbers(written, told):
    scene = Ingredients(
        expected=np.array([1.0, 2.0, 0.0, 3.0, 4.0]),
        written=np.array(written),
        operands={},
        cotangents=(),
        own=None,
    )
    assert masked_elsewhere(scene) is told
