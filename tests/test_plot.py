"""report.plot(): what is drawn, and what is said where matplotlib is missing."""

import sys

import numpy as np
import pytest

from gradcheck import check_gradients

X = np.arange(6.0).reshape(2, 3) + 1


def square(*inputs):
    return sum((x**2).sum() for x in inputs)


def wrong(names=("a", "b")):
    return check_gradients(square, X, X, gradients=lambda a, b: (2 * a, 3 * b), names=names)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'gradcheck\[plot\]'"):
        wrong().plot()


def test_errors_and_the_gaps_of_what_is_wrong_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    report = wrong()
    figure = report.plot()
    errors, gaps = figure.axes
    assert [label.get_text() for label in errors.get_yticklabels()] == ["a  PASS", "b  FAIL"]
    assert np.asarray(errors.lines[0].get_xdata())[1] == report.leaves[1].error
    curve = report.leaves[1].curve
    assert curve is not None
    assert tuple(np.asarray(gaps.lines[0].get_ydata())) == curve.gaps
    figure.savefig(tmp_path / "report.pdf")
    assert "matplotlib.pyplot" not in sys.modules


def test_a_right_gradient_has_no_gaps_to_draw():
    pytest.importorskip("matplotlib")
    assert len(check_gradients(square, X, gradients=lambda x: 2 * x).plot().axes) == 1


@pytest.mark.parametrize("name", ["$x^{", "a\nb\x1b", "A" * 10_000])
def test_a_name_is_text_whatever_is_in_it(name, tmp_path):
    pytest.importorskip("matplotlib")
    wrong((name, name + "2")).plot().savefig(tmp_path / "report.svg")
