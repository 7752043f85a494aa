"""What shapes and numbers hide is said where it is certain, and nothing where nothing is hidden."""

import numpy as np
import pytest

from gradcheck import Verdict, check_gradients, constant
from properties.mistakes import LAYOUTS, MUTANTS, RIGHT, case, named

M, N0, N1, OUT = HONEST = (5, 2, 4, 3)
ONE_EXAMPLE = (
    "one example (m = 1): a factor of m, a sum over the examples left out, or one example taken for all "
    "cannot be seen"
)
ONE_ENTRY = "Y has one entry an example: a mean over its entries for their sum cannot be seen"

layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


def notes(layout, shape, changed=None, name="right"):
    """The notes on a mutant where the parameters have been changed."""
    at = case(named(name), layout, shape, 0)
    params, X, Y = at.data
    params = params | (changed(params) if changed else {})
    return check_gradients(
        at.network.cost,
        params,
        constant(X),
        constant(Y),
        gradients=at.gradients(named(name)),
        names=("params", "X", "Y"),
    ).notes


@layouts
@pytest.mark.parametrize("name", ["right", "2/m for 1/m", "db1 left at zero"])
@pytest.mark.parametrize("shape", [HONEST, (3, 3, 3, 3), (5, 1, 1, 3), (5, 2, 3, 3)])
def test_nothing_is_said_where_nothing_is_hidden(layout, name, shape):
    """A square W is no blind spot: the transpose of its gradient has other numbers."""
    assert notes(layout, shape, name=name) == ()


@layouts
def test_one_example(layout):
    assert notes(layout, (1, N0, N1, OUT)) == (ONE_EXAMPLE,)
    assert notes(layout, (2, N0, N1, OUT)) == ()


@layouts
def test_one_entry_an_example(layout):
    assert notes(layout, (M, N0, N1, 1)) == (ONE_ENTRY,)
    assert notes(layout, (M, N0, N1, 1), name="2/m for 1/m") == (ONE_ENTRY,)
    assert notes(layout, (M, 1, N1, OUT)) == ()


@layouts
def test_weights_of_zeros(layout):
    assert notes(layout, HONEST, lambda params: {"W2": 0 * params["W2"]}) == (
        "params['W2']: all zeros, and so is the gradient of params['W1'] and params['b1']: "
        "a wrong factor in it cannot be seen",
    )
    assert notes(layout, HONEST, lambda params: {"W1": 0 * params["W1"]}) == ()
    assert notes(layout, HONEST, lambda params: {"b1": 0 * params["b1"], "b2": 0 * params["b2"]}) == ()


@layouts
def test_units_that_are_all_alike(layout):
    alike = {"W1": 0.3, "b1": 0.1, "W2": 0.2}
    found = notes(layout, HONEST, lambda params: {k: np.full_like(params[k], v) for k, v in alike.items()})
    units = {"W1": 0 if layout.flipped else 1, "b1": layout.units, "W2": 1 if layout.flipped else 0}
    assert found == tuple(
        f"params['{name}'] and its gradient are the same all along axis {axis}: "
        "a wrong order along it cannot be seen"
        for name, axis in units.items()
    )
    assert notes(layout, HONEST, lambda params: {"W1": np.full_like(params["W1"], 0.3)}) == ()


@layouts
@pytest.mark.parametrize(
    ("shape", "named_ones"),
    [
        (
            (1, N0, N1, OUT),
            {"1/m missing", "both biases averaged", "no bias summed", "the first example alone"},
        ),
        ((M, N0, N1, 1), {"mean over the outputs too", "summed once for each output"}),
    ],
)
def test_what_the_notes_say_is_hidden_is_hidden(layout, shape, named_ones):
    hidden = {m.name for m in MUTANTS if not m.equal and not case(m, layout, shape, 0).visible(m)}
    assert named_ones <= hidden
    for name in named_ones:
        assert case(named(name), layout, shape, 0).check(named(name)).verdict is Verdict.PASS


def test_nothing_is_said_of_what_could_not_be_judged():
    report = check_gradients(
        lambda w, X: np.inf * (X @ w).sum(),
        np.ones((2, 2)),
        constant(np.ones((1, 2))),
        gradients=lambda w, X: w,
    )
    assert report.verdict is Verdict.UNDECIDED
    assert report.notes == ()


def test_the_notes_are_in_the_text():
    report = case(RIGHT, LAYOUTS[0], (1, N0, N1, OUT), 0).check(RIGHT)
    assert "one example (m = 1)" in str(report)
