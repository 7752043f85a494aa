"""Entries of all sizes side by side, each judged by its own; and rounding that is told from mistakes."""

import numpy as np
import pytest
import scipy.special

from gradcheck import Verdict, check_gradients

RNG = np.random.default_rng(4)
SIZES = np.array([1e3, 1.0, 1e-4, 1e-8, 1e-12])
X = RNG.uniform(0.5, 1.5, SIZES.size)


def forward(x):
    return np.sum(SIZES * np.sin(x)) + 1e3


def gradient(x):
    return SIZES * np.cos(x)


@pytest.mark.parametrize("entry", range(4))
@pytest.mark.parametrize("error", [1e-6, -1e-5, 1e-3])
def test_an_error_in_a_tiny_entry_beside_a_large_one_is_seen(entry, error):
    assert check_gradients(forward, X, gradients=gradient)
    wrong = gradient(X)
    wrong[entry] *= 1 + error
    scale = wrong / gradient(X)
    report = check_gradients(forward, X, gradients=lambda x: gradient(x) * scale)
    assert (report.verdict, report.leaves[0].worst_index) == (Verdict.FAIL, (entry,))


CANCELLING = {
    "s(1 - s)": (lambda x: 1 / (1 + np.exp(-x)), lambda s, x: s * (1 - s)),
    "1 - t^2": (np.tanh, lambda t, x: 1 - t**2),
    "1 - cos": (lambda x: x - np.sin(x), lambda _, x: 1 - np.cos(x)),
    "difference of roots": (
        lambda x: (x + 1) ** 1.5 - x**1.5,
        lambda _, x: 1.5 * (np.sqrt(x + 1) - np.sqrt(x)),
    ),
    "exp less exp": (lambda x: np.exp(x) - np.exp(-x) - 2 * x, lambda _, x: np.exp(x) + np.exp(-x) - 2),
}
POINTS = {
    "s(1 - s)": [5.0, 15.0, 25.0, 31.0, 35.0, 36.0],
    "1 - t^2": [3.0, 9.0, 12.0, 15.0, 18.0],
    "1 - cos": [1e-2, 1e-4, 1e-6],
    "difference of roots": [1e2, 1e6],
    "exp less exp": [1e-2, 1e-4],
}


@pytest.mark.parametrize("name", CANCELLING)
def test_a_right_formula_whose_digits_cancel_is_not_accused_nor_is_a_wrong_one_excused(name):
    f, derivative = CANCELLING[name]
    x = np.array([*POINTS[name], 0.7])
    right = check_gradients(lambda x: f(x).sum(), x, gradients=lambda x: derivative(f(x), x))
    assert right.verdict is not Verdict.FAIL
    for entry in range(x.size):
        mask = 1 + 0.5 * (np.arange(x.size) == entry)
        wrong = check_gradients(lambda x: f(x).sum(), x, gradients=lambda x, m=mask: m * derivative(f(x), x))
        cancels = abs(derivative(f(x), x)[entry]) < 1e-13
        assert wrong.verdict is Verdict.FAIL or cancels, x[entry]


@pytest.mark.parametrize("x", [1e8, 1e10, 1e12])
def test_where_all_digits_cancel_nobody_is_accused(x):
    f, derivative = CANCELLING["difference of roots"]
    right = check_gradients(f, x, gradients=lambda x: derivative(None, x))
    assert right.verdict is not Verdict.FAIL


def logistic(x):
    return 1 / (1 + np.exp(-1e-30 * x))


def slope(x):
    return 1e-30 * logistic(x) * (1 - logistic(x))


@pytest.mark.parametrize("oracles", ["auto", "finite-difference"])
@pytest.mark.parametrize("x", [2e-7, np.array([3e2, -5e-3])])
def test_a_derivative_beneath_the_rounding_of_the_function_is_judged_by_its_own_size(x, oracles):
    """1e-30 beside 1/2: what differences see of it takes steps far longer than x."""
    assert check_gradients(logistic, x, vjp=lambda u, x: u * slope(x), oracles=oracles)
    wrong = check_gradients(logistic, x, vjp=lambda u, x: u * slope(x) * (1 + 1e-6), oracles=oracles)
    assert wrong.verdict is Verdict.FAIL


def normalised(b, X):
    z = X + b
    return ((z - z.mean(axis=0)) / z.std(axis=0)).sum(axis=1)


def pulled_back(u, b, X):
    """The whole of it for b, which cancels to nothing but rounding."""
    z = X + b
    centred, deviation = z - z.mean(axis=0), z.std(axis=0)
    dz = np.repeat(u[:, None], X.shape[1], axis=1)
    hat = centred / deviation
    return ((dz - dz.mean(axis=0) - hat * (dz * hat).mean(axis=0)) / deviation).sum(axis=0)


@pytest.mark.parametrize("oracles", ["auto", "finite-difference"])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_of_a_sum_that_cancels_is_no_derivative(seed, oracles):
    rng = np.random.default_rng(seed)
    X, b = rng.normal(size=(5, 3)), rng.normal(size=3)
    report = check_gradients(
        lambda b: normalised(b, X), b, vjp=lambda u, b: pulled_back(u, b, X), oracles=oracles
    )
    assert report.verdict is not Verdict.FAIL


@pytest.mark.parametrize("form", ["array", "function"])
@pytest.mark.parametrize("oracles", ["auto", ("finite-difference",)])
def test_a_derivative_far_beneath_its_function_is_judged_in_either_form(form, oracles):
    """sigmoid(1e-26) hardly moves from one half, and an array of gradients can be had at no other point."""
    x = np.array(-4.5e173)
    f = lambda x: 1e-58 / (1 + np.exp(-1e-199 * x))  # noqa: E731
    right = 2.5e-258 * (1 + 0 * x)

    def given(value):
        return value if form == "array" else lambda x: value + 0 * x

    report = check_gradients(f, x, gradients=given(right), oracles=oracles)
    assert report.verdict is Verdict.PASS, report
    wrong = check_gradients(f, x, gradients=given(1.001 * right), oracles=oracles)
    assert wrong.verdict is (Verdict.UNDECIDED if form == "array" else Verdict.FAIL), wrong


def test_where_autodiff_gives_no_number_more_digits_make_no_bar_of_none():
    """1 / (1 + exp(800)) is 0, and infinity by infinity where it is differentiated in float64."""
    x = np.array([800.0, 0.3])

    def claimed(x, factor):
        return np.array([0.0, -factor * np.exp(x[1]) / (1 + np.exp(x[1])) ** 2])

    def f(x):
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(x))).sum()

    wrong = check_gradients(f, x, gradients=lambda x: claimed(x, 1.01))
    assert (wrong.verdict, wrong.leaves[0].worst_index) == (Verdict.FAIL, (1,))
    assert wrong.leaves[0].detection_limit == np.inf
    assert check_gradients(f, x, gradients=lambda x: claimed(x, 1.0)).verdict is not Verdict.FAIL


@pytest.mark.parametrize("bessel", [np.i0, scipy.special.i0], ids=["numpy", "scipy"])
@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_the_slope_of_a_bessel_function_is_no_difference_of_numbers_near_1(bessel, size):
    """I_1 near 0 is x/2, and for JAX exp(x) times the difference of two numbers that x/2 is lost in."""
    x, scale = np.array(size / 1e89), 1e89

    def f(x):
        return 1e190 * bessel(scale * x)

    right = 1e190 * scale * scipy.special.i1(scale * x)
    assert check_gradients(f, x, gradients=right).verdict is Verdict.PASS
    assert check_gradients(f, x, gradients=(1 + 1e-6) * right).verdict is Verdict.FAIL


@pytest.mark.parametrize("seed", range(12))
def test_a_formula_that_loses_digits_is_not_taken_at_the_word_of_one_run(seed):
    """1 - tanh^2 near 1 loses half its digits, in long double some as well; single precision overflows here,
    and an array of gradients can be had at no other point."""
    x = np.random.default_rng(seed).uniform(6, 9, 2) * 1e-272
    beneath = np.exp(-2e272 * x)
    right = 4e177 * beneath / (1 + beneath) ** 2

    def verdict(claimed):
        return check_gradients(
            lambda x: 1e-95 * np.tanh(1e272 * x).sum(), x, gradients=claimed, seed=seed
        ).verdict

    assert verdict(right) is Verdict.PASS
    assert verdict(right * (1 + 1e-6)) is Verdict.FAIL


def test_a_slope_that_underflows_on_the_way_back_accuses_nobody_nor_does_it_excuse():
    """1e-296 times the slope of erfc is a few subnormal numbers, of which 1e+244 makes no more digits."""
    x = -np.linspace(7.5, 8.5, 11) * 1e-244
    right = -1e-52 * 2 / np.sqrt(np.pi) * np.exp(-((1e244 * x) ** 2))

    def verdict(factor):
        claimed = np.where(np.arange(x.size) == 0, factor * right, right)
        return check_gradients(
            lambda x: 1e-296 * scipy.special.erfc(1e244 * x).sum(), x, gradients=claimed
        ).verdict

    assert verdict(1) is not Verdict.FAIL
    assert verdict(3) is Verdict.FAIL
