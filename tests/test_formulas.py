"""A wrong line beside the right one: found by what it gives, on all data, and not where it is open."""

import numpy as np
import pytest

from gradcheck import check_gradients, constant
from gradcheck.diagnosis.expressions import (
    Minus,
    Name,
    Plus,
    Product,
    Scaled,
    Slope,
    Summed,
    Times,
    Transposed,
    distance,
)

RNG = np.random.default_rng(4)
M, N0, N1, N2 = 6, 2, 5, 3
X, Y = RNG.standard_normal((M, N0)), np.round(RNG.random((M, N2)))
PARAMS = {
    "W1": RNG.standard_normal((N0, N1)),
    "b1": RNG.standard_normal((1, N1)),
    "W2": RNG.standard_normal((N1, N2)),
    "b2": RNG.standard_normal((1, N2)),
}


def forward(params, X):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    return Z1, A1, Z2, A2


def cost(params, X, Y):
    A2 = forward(params, X)[-1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / len(X)


def gradients(**wrong):
    """The right backward with some lines replaced: each a function of everything before it."""

    def backward(params, X, Y):
        Z1, A1, Z2, A2 = forward(params, X)
        v = {"X": X, "Y": Y, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "m": len(X)} | params
        lines = {
            "dZ2": lambda v: (v["A2"] - v["Y"]) / v["m"],
            "dW2": lambda v: v["A1"].T @ v["dZ2"],
            "db2": lambda v: v["dZ2"].sum(axis=0, keepdims=True),
            "dA1": lambda v: v["dZ2"] @ v["W2"].T,
            "dZ1": lambda v: v["dA1"] * (1 - v["A1"] ** 2),
            "dW1": lambda v: v["X"].T @ v["dZ1"],
            "db1": lambda v: v["dZ1"].sum(axis=0, keepdims=True),
        } | wrong
        for name, line in lines.items():
            v[name] = line(v)
        return {name: v[name] for name in lines}

    return backward


def findings(**wrong):
    report = check_gradients(cost, PARAMS, constant(X), constant(Y), gradients=gradients(**wrong))
    assert not report
    return {(leaf.split("'")[1], f.code, f.line) for f in report.findings for leaf in f.leaves}


@pytest.mark.parametrize(
    ("name", "line", "code", "message"),
    [
        (
            "dZ1",
            lambda v: v["dA1"],
            "missing-activation",
            "dZ1 = dA1 is written where dZ1 = dA1 * (1 - A1**2) is right",
        ),
        (
            "dZ1",
            lambda v: v["dA1"] * (1 - v["Z1"] ** 2),
            "derivative-at-activation",
            "dZ1 = dA1 * (1 - Z1**2) is written where dZ1 = dA1 * (1 - A1**2) is right",
        ),
        (
            "dZ1",
            lambda v: v["dA1"] * v["A1"] * (1 - v["A1"]),
            "wrong-activation",
            "dZ1 = dA1 * A1 * (1 - A1) is written where dZ1 = dA1 * (1 - A1**2) is right",
        ),
        (
            "dZ2",
            lambda v: (v["A2"] - v["Y"]) * v["A2"] * (1 - v["A2"]) / v["m"],
            "output-delta",
            "dZ2 = (A2 - Y) * A2 * (1 - A2) / m is written where dZ2 = (A2 - Y) / m is right",
        ),
        (
            "dZ2",
            lambda v: (v["Z2"] - v["Y"]) / v["m"],
            "wrong-operand",
            "dZ2 = (Z2 - Y) / m is written where dZ2 = (A2 - Y) / m is right",
        ),
        (
            "dW2",
            lambda v: v["Z1"].T @ v["dZ2"],
            "wrong-operand",
            "dW2 = Z1.T @ dZ2 is written where dW2 = A1.T @ dZ2 is right",
        ),
        (
            "dA1",
            lambda v: v["dZ2"] @ v["dW2"].T,
            "wrong-operand",
            "dA1 = dZ2 @ dW2.T is written where dA1 = dZ2 @ W2.T is right",
        ),
        (
            "db1",
            lambda v: v["dA1"].sum(axis=0, keepdims=True),
            "missing-activation",
            "db1 = dA1.sum(axis=0, keepdims=True) is written where "
            "db1 = dZ1.sum(axis=0, keepdims=True) is right",
        ),
        (
            "dW1",
            lambda v: v["X"].T @ v["dZ1"] + 0.01 * v["W1"],
            "regulariser",
            "dW1 = X.T @ dZ1 + 0.01 * W1 is written where dW1 = X.T @ dZ1 is right",
        ),
    ],
)
def test_both_lines_are_told(name, line, code, message):
    found = findings(**{name: line})
    assert {(c, m) for _, c, m in found} == {(code, message)}
    made_from = {"dZ2": 4, "dA1": 2, "dZ1": 2}
    assert len(found) == made_from.get(name, 1)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dZ1", lambda v: np.sin(v["dA1"])),
        ("dZ1", lambda v: v["dA1"] * (1 - v["A1"] ** 2) + 1e-3),
        ("dW1", lambda v: v["X"].T @ v["dZ1"] * (1 + 1e-5 * np.eye(N0, N1))),
        ("dZ2", lambda v: -v["Y"] * (1 - v["A2"]) / v["m"]),
        ("dA1", lambda v: v["dZ2"] @ (v["W2"] - 0.1 * v["dW2"]).T),
    ],
    ids=["another function", "a constant more", "one part in a hundred thousand", "half a loss", "stepped"],
)
def test_what_no_small_edit_gives_gets_no_line(name, line):
    assert {line for *_, line in findings(**{name: line})} <= {""}


def test_values_that_hold_at_one_point_only_get_no_line():
    values = gradients(dZ1=lambda v: v["dA1"])(PARAMS, X, Y)
    report = check_gradients(cost, PARAMS, constant(X), constant(Y), gradients=values)
    assert (report.first_wrong, {finding.line for finding in report.findings}) == ("dZ1", {""})


def test_a_line_that_is_the_same_here_by_accident_is_not_told():
    """At A1 = 0 the factor 1 - A1^2 is 1; on fresh data it is not."""
    params = PARAMS | {"W1": np.zeros((N0, N1)), "b1": np.zeros((1, N1))}

    def wrong(v):
        return v["dA1"] * (1 + v["b1"].sum())

    report = check_gradients(cost, params, constant(X), constant(Y), gradients=gradients(dZ1=wrong))
    assert report.findings == ()


def test_lines_print_as_one_types_them_and_give_what_they_say():
    a, b, w = RNG.random((2, 3)), RNG.random((2, 3)), RNG.random((3, 4))
    operands = {"A": a, "B": b, "W": w, "m": np.array(2.0)}
    A, B, W = Name("A"), Name("B"), Name("W")
    lines = {
        "A @ W": Product(A, W),
        "W.T @ A.T": Product(Transposed(W), Transposed(A)),
        "(A @ W).T": Transposed(Product(A, W)),
        "(A - B) * A * (1 - A) / m": Scaled(
            Times(Minus(A, B), Slope("sigmoid", "{0} * (1 - {0})", A)), "m", divided=True
        ),
        "A.sum(axis=0, keepdims=True)": Summed(A, 0, True),
        "-A": Scaled(A, "1", negative=True),
        "2 * (A @ W)": Scaled(Product(A, W), "2"),
        "A - 0.5 * B": Plus(A, -0.5, B),
    }
    for text, line in lines.items():
        assert str(line) == text
        np.testing.assert_allclose(line.value(operands), eval(text, {}, dict(operands)), rtol=1e-15)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        (Name("A"), Name("A"), 0),
        (Name("A"), Name("B"), 1),
        (Product(Name("A"), Name("B")), Times(Name("A"), Name("B")), 1),
        (Product(Name("A"), Transposed(Name("B"))), Product(Name("A"), Name("B")), 1),
        (Scaled(Name("A"), "m", divided=True), Name("A"), 1),
        (Summed(Name("A"), 0, True), Summed(Name("A"), 1, True), 1),
        (Product(Name("A"), Name("B")), Product(Name("C"), Name("D")), 2),
        (Minus(Name("A"), Name("B")), Summed(Name("C"), 0, True), 3),
    ],
)
def test_how_many_edits_lie_between_two_lines(one, other, edits):
    assert distance(one, other) == distance(other, one) == edits
