"""What a person reads and what a machine reads."""

import re
import textwrap

import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import Report, check_gradients, constant


class Dense:
    def __init__(self):
        self.W = np.array([[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25], [2.0, 1.0]])
        self.b = np.array([0.5, -0.5])

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.mean(axis=0)
        return dout @ self.W.T


X = np.arange(12.0).reshape(3, 4) / 7


def text(report: Report) -> list[str]:
    return str(report).splitlines()


def test_a_wrong_gradient_is_told_in_five_lines_then_the_table():
    report = check_gradients(Dense(), X, reference=lambda x, W, b: jnp.asarray(x) @ W + b)
    lines = text(report)
    assert lines[0] == "FAIL  Dense.backward: the gradient of b is wrong"
    assert lines[1].split() == ["worst", "entry", f"b{list(report.leaves[2].worst_index or ())}"]
    claimed, expected = lines[2].split(), lines[3].split()
    assert claimed[0] == "claimed"
    assert float(expected[1]) == pytest.approx(3 * float(claimed[1]), rel=1e-5)
    assert " ".join(expected[2:3]) == "+-"
    assert lines[3].endswith("(autodiff and finite-difference agree)")
    assert lines[4] == ("  likely      3 times too small, 3 is the number of examples: multiply by m = 3")
    assert lines[5:8] == ["", "  first wrong: db", ""]
    assert lines[8].split() == ["leaf", "shape", "verdict", "error", "bar", "would", "have", "seen"]
    assert [line.split()[0] for line in lines[9:12]] == ["x", "W", "b"]
    assert "seed 0" in lines[-1]


def test_a_right_gradient_is_told_in_one_line():
    report = check_gradients(lambda x: (x**2).sum(), X, gradients=lambda x: 2 * x)
    assert text(report)[0] == "PASS  gradients: the gradient of x is right"


def test_one_cause_is_told_once_and_the_worst_first():
    def f(a, b, c):
        return (a**2).sum() + (b**2).sum() + (c**2).sum()

    report = check_gradients(f, X, X, X, gradients=lambda a, b, c: (4 * a, 2 * b + 1e-3, 4 * c))
    heads = [line for line in text(report) if line.startswith("FAIL")]
    assert heads == [
        "FAIL  gradients: the gradients of a and c are wrong",
        "FAIL  gradients: the gradient of b is wrong",
    ]
    assert "no cause that is known here reproduces it" in str(report)


def test_a_small_difference_is_shown_with_digits_enough_to_see_it():
    report = check_gradients(lambda x: (x**2).sum(), X, gradients=lambda x: 2 * x * (1 + 1e-8))
    claimed, expected = (line.split()[1] for line in text(report)[2:4])
    assert claimed != expected


def test_a_wrong_shape_is_told_by_its_shapes():
    report = check_gradients(lambda x: (x**2).sum(), X[:1], gradients=lambda x: 2 * x[0])
    assert text(report)[:3] == [
        "FAIL  gradients: the gradient of x is wrong",
        "  shape       the gradient has shape (4,), x has (1, 4)",
        "  likely      the numbers are right, the shape is (4,) where (1, 4) is due: sum with keepdims=True",
    ]


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (
            lambda: check_gradients(lambda x: float(np.round(x.sum(), 3)), X, gradients=np.ones_like),
            "NOISE: the forward's noise hides errors of the size asked for",
        ),
        (
            lambda: check_gradients(lambda x: float(x.sum()), X, gradients=np.ones_like, oracles="autodiff"),
            "NO_POWER: no error could have been seen",
        ),
        (
            lambda: check_gradients(
                lambda x: x.sum(), X, gradients=np.ones_like, reference=lambda x: 2 * x.sum()
            ),
            "FORWARD_DISAGREES: the reference is another function than the forward",
        ),
        (
            lambda: check_gradients(lambda x: x.sum() * np.inf, X, gradients=np.ones_like),
            "OUT_OF_DOMAIN: no finite value around this point",
        ),
    ],
    ids=["noise", "no power", "forward disagrees", "out of domain"],
)
def test_an_undecided_check_says_why_and_what_to_do(report, reason):
    lines = text(report())
    assert lines[0].startswith("UNDECIDED  ones_like: ")
    assert lines[1].startswith(f"  reason      {reason}")


def test_names_are_shown_as_they_are_and_not_read_as_markup():
    name = "[bold]params['W']\\[/]"
    report = check_gradients(lambda x: (x**2).sum(), X, gradients=lambda x: x, names=(name,))
    assert f"the gradient of {name} is wrong" in str(report)


def test_a_long_message_wraps_under_itself_and_is_not_cut():
    name = "layer_" * 30
    report = check_gradients(lambda x: (x**2).sum(), X, gradients=lambda x: x, names=(name,))
    assert name in "".join(line.strip() for line in text(report)[:4])
    assert all(len(line) <= 100 for line in text(report))


@pytest.mark.parametrize(
    "gradients",
    [
        lambda x, c: 2 * x,
        lambda x, c: 4 * x,
        lambda x, c: np.full_like(x, np.nan),
        lambda x, c: np.full_like(x, np.inf),
        lambda x, c: x.T,
    ],
    ids=["right", "wrong", "nan", "inf", "shape"],
)
def test_json_is_lossless_and_strict(gradients):
    report = check_gradients(lambda x, c: (x**2).sum(), X, constant(X), gradients=gradients)
    written = report.to_json()
    assert "NaN" not in written
    assert "Infinity" not in written
    read = Report.from_json(written)
    assert read.to_json() == written
    assert str(read) == str(report)
    assert repr(read) == repr(report)  # equal but for NaN, which equals nothing


def test_the_whole_text_of_a_report(monkeypatch):
    report = check_gradients(
        lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=lambda x: np.array([2.0, 5.0])
    )
    expected = """\
        FAIL  gradients: the gradient of x is wrong
          worst entry x[1]
          claimed     5
          expected    4 +- BAR   (autodiff and finite-difference agree)
          likely      no cause that is known here reproduces it

          leaf  shape  verdict    error      bar  would have seen
          x     (2,)   FAIL     2.5e-01  BAR  SEEN

          x: the gap to finite differences stays as their step shrinks: the formula is off
          asked autodiff: 4 evaluations
          asked finite-difference: 47 evaluations
          errors are relative to the leaf's largest entry; a PASS had to see 1e-06
          calls: 55 of forward, 20 of backward; seed 0"""
    found = "\n".join(text(report)).replace(f"{report.leaves[0].bar:.1e}", "BAR")
    found = re.sub(r"BAR +[-+.e0-9]+$", "BAR SEEN", found, flags=re.MULTILINE)
    wanted = textwrap.dedent(expected)
    bar_line = next(line for line in found.splitlines() if line.startswith("  expected"))
    wanted = wanted.replace("  expected    4 +- BAR   (autodiff and finite-difference agree)", bar_line)
    assert [" ".join(line.split()) for line in found.splitlines()] == [
        " ".join(line.split()) for line in wanted.splitlines()
    ]
    assert bar_line.startswith("  expected    4 +- ")
