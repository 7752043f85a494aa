"""Gradients that well-known checkers misjudge with their default settings, and how they are judged here.

Each was measured with torch 2.13.0, JAX 0.10.2, autograd 1.9.1, pytensor 3.0.7, SciPy 1.17.1 and
numdifftools 0.11.2. Every wrong one is near a right one of the same function at the same point.
"""

from typing import Any

import jax
import numpy as np
import pytest

from gradcheck import Reason, Verdict, check_gradients

BOTH = pytest.mark.parametrize("oracles", ["auto", "finite-difference"])


def angles(n, dtype: Any = np.float64):
    """Numbers at which no cosine is small."""
    return np.random.default_rng(31).uniform(-1, 1, n).astype(dtype)


def numbers(n=6):
    return np.random.default_rng(32).uniform(0.5, 2.0, n)


def slope(derivative):
    """The VJP of a function that acts on each entry by itself."""
    return lambda u, x: u * derivative(x)


def convicted(report, reason=Reason.MISMATCH, leaf="x"):
    """Whether the verdict is FAIL, and it is this leaf that is accused."""
    accused = [(found.name, found.reason) for found in report.leaves if found.verdict is Verdict.FAIL]
    return report.verdict is Verdict.FAIL and accused == [(leaf, reason)]


def right_or_noisy(report):
    """Whether the verdict is PASS, or UNDECIDED because differences are lost in noise."""
    return (report.verdict, report.reason) in ((Verdict.PASS, None), (Verdict.UNDECIDED, Reason.NOISE))


# --- torch, fast mode: its probe is non-negative and its seed a constant

SPOILT = {"zeroed": 0.0, "sign-flipped": -1.0, "doubled": 2.0}


def cosine_but_one(factor, index):
    def gradient(x):
        found = np.cos(x)
        found[index] *= factor
        return found

    return gradient


@pytest.mark.parametrize(
    ("mistake", "n"),
    [
        *((mistake, n) for mistake in SPOILT for n in (300, 10_000)),
        ("zeroed", 1000),  # where differences still take each entry, which costs seconds
        ("zeroed", 100_000),
        ("sign-flipped", 100_000),
    ],
)
def test_one_wrong_entry_of_many_is_found(mistake, n):
    report = check_gradients(np.sin, angles(n), vjp=slope(cosine_but_one(SPOILT[mistake], n // 3)))
    assert convicted(report), report
    assert report.leaves[0].worst_index == (n // 3,)


@pytest.mark.parametrize("mistake", SPOILT)
def test_one_wrong_entry_of_a_sum_is_found(mistake):
    report = check_gradients(
        lambda x: np.sin(x).sum(), angles(10_000), gradients=cosine_but_one(SPOILT[mistake], 3000)
    )
    assert convicted(report), report


@pytest.mark.parametrize("mistake", SPOILT)
def test_one_wrong_entry_of_many_is_seen_by_differences_alone(mistake):
    report = check_gradients(
        np.sin,
        angles(10_000),
        vjp=slope(cosine_but_one(SPOILT[mistake], 3000)),
        oracles="finite-difference",
    )
    assert convicted(report), report


@pytest.mark.parametrize("n", [1, 300, 10_000, 100_000])
def test_the_right_gradient_of_many_passes(n):
    assert check_gradients(np.sin, angles(n), vjp=slope(np.cos))


@BOTH
def test_a_ninth_of_ten_thousand_entries_zeroed_is_found(oracles):
    report = check_gradients(
        np.sin, angles(10_000), vjp=lambda u, x: u * np.cos(x) * (np.arange(x.size) % 9 > 0), oracles=oracles
    )
    assert convicted(report), report


# --- torch, slow: an absolute tolerance beside a relative one, and one step for every scale


@BOTH
@pytest.mark.parametrize("error", [1e-3, -1e-3, 1e-4, 1e-5])
def test_a_small_scale_error_is_found(error, oracles):
    report = check_gradients(np.sin, angles(6), vjp=slope(lambda x: (1 + error) * np.cos(x)), oracles=oracles)
    assert convicted(report), report


RIGHT = {
    "x^2 at 1e7": (np.square, lambda x: 2 * x, 1e7 * numbers()),
    "x^2 at 1e6": (np.square, lambda x: 2 * x, 1e6 * numbers()),
    "sqrt(x) at 1e-8": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 1e-8 * numbers()),
    "sin(x) in float32": (np.sin, np.cos, angles(6, np.float32)),
    "sin(x) + 1e6": (lambda x: np.sin(x) + 1e6, np.cos, angles(6)),
    "1e-6 sin(x)": (lambda x: 1e-6 * np.sin(x), lambda x: 1e-6 * np.cos(x), angles(6)),
    "5e-5 sin(x)": (lambda x: 5e-5 * np.sin(x), lambda x: 5e-5 * np.cos(x), angles(6)),
    "1e-7 sin(x)": (lambda x: 1e-7 * np.sin(x), lambda x: 1e-7 * np.cos(x), angles(6)),
    "a linear function": (lambda x: 3 * x - 1, lambda x: np.full_like(x, 3), numbers()),
    "a linear function at 1e9": (lambda x: 3 * x - 1, lambda x: np.full_like(x, 3), 1e9 * numbers()),
    "a constant": (lambda x: 0 * x + 5, np.zeros_like, numbers()),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_gradient_passes_at_any_scale(case):
    f, derivative, x = RIGHT[case]
    assert check_gradients(f, x, vjp=slope(derivative))


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_gradient_is_not_accused_by_differences_alone(case):
    f, derivative, x = RIGHT[case]
    assert right_or_noisy(check_gradients(f, x, vjp=slope(derivative), oracles="finite-difference"))


@BOTH
def test_a_sum_of_squares_at_a_million_passes(oracles):
    x = 1e6 * numbers()
    assert check_gradients(lambda x: (x**2).sum(), x, gradients=lambda x: 2 * x, oracles=oracles)


# --- torch, autograd, pytensor, SciPy: what is small is not zero

SMALL = {
    "zero for 1e-6 sin(x)": (1e-6, 0.0),
    "zero for 5e-5 sin(x)": (5e-5, 0.0),
    "zero for 1e-9 sin(x)": (1e-9, 0.0),
    "5 times 1e-7 sin(x)": (1e-7, 5.0),
}


@pytest.mark.parametrize("case", SMALL)
@BOTH
def test_a_wrong_gradient_is_found_however_small(case, oracles):
    size, factor = SMALL[case]
    entrywise = check_gradients(
        lambda x: size * np.sin(x),
        angles(6),
        vjp=slope(lambda x: factor * size * np.cos(x)),
        oracles=oracles,
    )
    summed = check_gradients(
        lambda x: size * np.sin(x).sum(),
        angles(6),
        gradients=lambda x: factor * size * np.cos(x),
        oracles=oracles,
    )
    assert convicted(entrywise), entrywise
    assert convicted(summed), summed


# --- JAX: its tolerance grows with the array


@pytest.mark.parametrize(
    ("n", "factor", "dtype"),
    [
        (500, 0.0, np.float32),
        (500, 2.0, np.float32),
        (1000, -1.0, np.float32),
        (10_000, 2.0, np.float32),
        (10_000, 1.128, np.float64),
        (100_000, 0.0, np.float32),
        (100_000, 0.0, np.float64),
    ],
)
def test_no_tolerance_grows_with_the_array(n, factor, dtype):
    report = check_gradients(
        np.sin, angles(n, dtype), vjp=slope(lambda x: (factor * np.cos(x)).astype(x.dtype))
    )
    assert convicted(report), report


@pytest.mark.parametrize("n", [300, 100_000])
def test_the_right_gradient_of_many_passes_in_single_precision(n):
    assert check_gradients(np.sin, angles(n, np.float32), vjp=slope(np.cos))


# --- Taylor remainders: their rate is that of the largest term


def bowl(x):
    return 0.5e6 * (x**2).sum() + np.sin(x).sum()


@pytest.mark.parametrize("error", [1e-4, 1e-5])
@BOTH
def test_an_error_that_leaves_the_rate_of_the_remainder_at_two_is_found(error, oracles):
    report = check_gradients(
        lambda x: np.sin(x).sum(), angles(6), gradients=lambda x: (1 + error) * np.cos(x), oracles=oracles
    )
    assert convicted(report), report


@BOTH
@pytest.mark.parametrize("x", [angles(6), 0.01 * angles(6)], ids=["of size 1", "of size 0.01"])
def test_a_term_missing_beside_a_large_parabola_is_found(x, oracles):
    report = check_gradients(bowl, x, gradients=lambda x: 1e6 * x, oracles=oracles)
    assert convicted(report), report


@BOTH
def test_the_right_gradient_of_a_term_beside_a_large_parabola_passes(oracles):
    assert check_gradients(bowl, angles(6), gradients=lambda x: 1e6 * x + np.cos(x), oracles=oracles)


# --- scipy.differentiate, numdifftools: the mean of two slopes with an error estimate of zero

KINKS = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: x > 0, (0.0, 0.5, 1.0), (7.0, -0.5, 1.5)),
    "absolute value": (np.abs, np.sign, (0.0, 1.0, -1.0, 0.3), (7.0, -1.5, 2.0)),
}
AT_ZERO = np.array([1.0, 0.0, -2.0])


@pytest.mark.parametrize(("name", "at_kink"), [(k, s) for k, row in KINKS.items() for s in row[2]])
@BOTH
def test_a_subgradient_is_accepted_and_called_one(name, at_kink, oracles):
    f, ordinary = KINKS[name][:2]
    report = check_gradients(
        f, AT_ZERO, vjp=slope(lambda x: np.where(x == 0, at_kink, ordinary(x))), oracles=oracles
    )
    assert report.verdict is Verdict.PASS, report
    assert report.leaves[0].remark == "at a kink: the claim is a subgradient"


@pytest.mark.parametrize(("name", "at_kink"), [(k, s) for k, row in KINKS.items() for s in row[3]])
@BOTH
def test_what_lies_outside_the_slopes_of_a_kink_is_wrong(name, at_kink, oracles):
    f, ordinary = KINKS[name][:2]
    report = check_gradients(
        f, AT_ZERO, vjp=slope(lambda x: np.where(x == 0, at_kink, ordinary(x))), oracles=oracles
    )
    assert convicted(report), report
    assert report.leaves[0].worst_index == (1,)


@BOTH
def test_each_tie_of_a_maximum_is_no_subgradient(oracles):
    """Each entry lies between its one-sided slopes, and together they promise twice the slope there is."""
    report = check_gradients(
        np.max, np.array([1.0, 3.0, 3.0]), gradients=lambda x: (x == x.max()).astype(float), oracles=oracles
    )
    assert report.verdict is not Verdict.PASS, report


@pytest.mark.parametrize("shares", [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.2, 0.8)])
@BOTH
def test_a_tied_maximum_may_share_its_gradient(shares, oracles):
    report = check_gradients(
        np.max, np.array([1.0, 3.0, 3.0]), gradients=lambda x: np.array([0.0, *shares]), oracles=oracles
    )
    assert report.verdict is Verdict.PASS, report


# --- traps: probes that a mistake can hide from


@pytest.mark.parametrize("seed", range(3))
def test_an_error_that_cancels_along_ones_is_found(seed):
    error = np.where(np.arange(2000) % 2, 1e-3, -1e-3)
    report = check_gradients(
        lambda x: np.sin(x).sum(),
        angles(2000),
        gradients=lambda x: np.cos(x) + error,
        oracles="finite-difference",
        seed=seed,
    )
    assert convicted(report), report


@pytest.mark.parametrize("seed", range(3))
def test_an_error_across_the_random_numbers_everyone_draws_is_found(seed):
    probe = np.random.default_rng(seed).standard_normal(2000)
    error = 1e-3 * np.random.default_rng(99).standard_normal(2000)
    error -= probe * (probe @ error) / (probe @ probe)
    report = check_gradients(
        lambda x: np.sin(x).sum(),
        angles(2000),
        gradients=lambda x: np.cos(x) + error,
        oracles="finite-difference",
        seed=seed,
    )
    assert convicted(report), report


# --- traps: steps


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4, 1e-5])
@BOTH
def test_a_claim_that_one_step_agrees_with_is_not_right_for_it(step, oracles):
    """The difference of that very step is claimed of a function that turns faster."""

    def f(x):
        return np.sin(300 * x)

    report = check_gradients(
        f, numbers(), vjp=slope(lambda x: (f(x + step) - f(x - step)) / (2 * step)), oracles=oracles
    )
    assert convicted(report), report


@BOTH
def test_one_step_need_not_fit_all_outputs(oracles):
    """Outputs that turn at 1e4, at 1 and at 1e-4, on 1e6, and one that is linear."""

    def f(x):
        return np.stack([np.sin(1e4 * x), np.sin(x), np.sin(1e-4 * x), 1e6 + np.sin(x), x])

    def vjp(u, x, fast=1.0):
        slopes = [
            1e4 * fast * np.cos(1e4 * x),
            np.cos(x),
            1e-4 * np.cos(1e-4 * x),
            np.cos(x),
            np.ones_like(x),
        ]
        return (u * np.stack(slopes)).sum(axis=0)

    assert right_or_noisy(check_gradients(f, numbers(), vjp=vjp, oracles=oracles))
    wrong = check_gradients(f, numbers(), vjp=lambda u, x: vjp(u, x, 1.001), oracles=oracles)
    assert convicted(wrong), wrong


def test_the_step_that_was_taken_counts():
    """At 1e8 a step of 1e-5 is rounded by a part of 1e-3."""
    x = 1e8 + numbers()
    assert check_gradients(lambda x: 3 * x, x, vjp=lambda u, x: 3 * u, oracles="finite-difference")
    wrong = check_gradients(lambda x: 3 * x, x, vjp=lambda u, x: 3.00003 * u, oracles="finite-difference")
    assert convicted(wrong), wrong


@BOTH
def test_what_is_expected_does_not_depend_on_what_is_claimed(oracles):
    found = {
        check_gradients(lambda x: np.exp(np.sin(9 * x)), 0.7, gradients=claim, oracles=oracles)
        .leaves[0]
        .expected
        for claim in (0.0, 1.0, -3.0, 1e6, 9 * np.cos(6.3) * np.exp(np.sin(6.3)))
    }
    assert len(found) == 1


# --- traps: solvers that stop at a tolerance


def bisected_root(a, top, tolerance=1e-6):
    """The square root of each number, by halving the interval from 0 to `top`."""
    low, high = 0 * a, top
    while np.max(high - low) > tolerance:
        middle = (low + high) / 2
        below = middle**2 < a
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def fixed_point(a, tolerance=1e-7):
    """The solution of y = cos(a y), iterated until it moves no more than the tolerance."""
    y = 0.5 + 0 * a
    while True:
        new = np.cos(a * y)
        if np.max(np.abs(new - y)) < tolerance:
            return new
        y = new


def fixed_point_slope(a):
    y = 0.5 + 0 * a
    for _ in range(200):
        y = np.cos(a * y)
    return -y * np.sin(a * y) / (1 + a * np.sin(a * y))


SOLVERS = {
    # Between two jumps of 1e-6 the first stands still, and the second moves with its bracket.
    "bisection": (lambda a: bisected_root(a, np.full_like(a, 4)), lambda a: 0.5 / np.sqrt(a), numbers(3)),
    "moving bracket": (lambda a: bisected_root(a, 1 + a), lambda a: 0.5 / np.sqrt(a), numbers(3)),
    "fixed point": (fixed_point, fixed_point_slope, 0.5 * numbers(3)),
}


@pytest.mark.parametrize("case", SOLVERS)
@BOTH
def test_the_derivative_of_a_solution_is_not_accused(case, oracles):
    f, derivative, a = SOLVERS[case]
    report = check_gradients(f, a, vjp=slope(derivative), oracles=oracles)
    assert report.verdict is not Verdict.FAIL, report
    if report.verdict is Verdict.UNDECIDED:
        assert report.reason in (Reason.NOISE, Reason.ORACLES_DISAGREE)


@pytest.mark.parametrize("case", SOLVERS)
@pytest.mark.parametrize("factor", [2.0, -1.0, 1.2])
@BOTH
def test_a_wrong_derivative_of_a_solution_does_not_pass(case, factor, oracles):
    """Within the noise of the last iterations all steps may agree, on a wrong value."""
    f, derivative, a = SOLVERS[case]
    report = check_gradients(f, a, vjp=slope(lambda a: factor * derivative(a)), oracles=oracles)
    assert report.verdict is not Verdict.PASS, report


@BOTH
def test_what_the_fine_steps_inside_solver_noise_agree_on_does_not_pass(oracles):
    """Between two jumps the root moves with its bracket, y / (1 + a) of it; across them it does not."""
    f, _, a = SOLVERS["moving bracket"]
    report = check_gradients(f, a, vjp=slope(lambda a: f(a) / (1 + a)), oracles=oracles)
    assert report.verdict is not Verdict.PASS, report


@pytest.mark.parametrize("factor", [0.0, 2.0, -1.0])
def test_a_wrong_derivative_of_a_solution_is_convicted_by_differences(factor):
    report = check_gradients(
        fixed_point,
        SOLVERS["fixed point"][2],
        vjp=slope(lambda a: factor * fixed_point_slope(a)),
        oracles="finite-difference",
    )
    assert convicted(report, leaf="a"), report


# --- traps: arrays that are not one's own

VIEWS = {
    "itself": (lambda x: x, lambda u: u),
    "its transpose": (lambda x: x.T, lambda u: u.T),
    "a part": (lambda x: x[1:], lambda u: np.concatenate([0 * u[:1], u])),
    "a diagonal": (lambda x: np.diagonal(x), np.diag),
    "another shape": (lambda x: x.reshape(-1), lambda u: u.reshape(3, 3)),
}


@pytest.mark.parametrize("case", VIEWS)
@BOTH
def test_a_forward_may_return_a_view_of_its_input(case, oracles):
    f, back = VIEWS[case]
    x = numbers(9).reshape(3, 3)
    assert check_gradients(f, x, vjp=lambda u, x: back(u), oracles=oracles)
    wrong = check_gradients(f, x, vjp=lambda u, x: 1.01 * back(u), oracles=oracles)
    assert convicted(wrong), wrong


@BOTH
def test_a_forward_may_reuse_its_output(oracles):
    buffer = np.zeros(6)
    assert check_gradients(
        lambda x: np.multiply(x, x, out=buffer), numbers(), vjp=lambda u, x: 2 * u * x, oracles=oracles
    )


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_inputs_are_left_as_they_were_to_the_last_bit(factor):
    x = np.array([0.1, 0.3, 1e-300, 1e16, -0.7])
    before = x.tobytes()
    check_gradients(lambda x: np.sin(x).sum(), x, gradients=lambda x: factor * np.cos(x))
    assert x.tobytes() == before


# --- traps: automatic differentiation may be wrong, and may be of another function

# JAX 0.10.2 says 0 where the derivative of expm1 is exp(-40), that of a sigmoid exp(-40), and 1 for i0 at 0.
LOST = {
    "expm1": lambda oracles: check_gradients(
        np.expm1, np.array([-38.0, -40.0, -50.0]), vjp=slope(np.exp), oracles=oracles
    ),
    "expm1 beside an ordinary entry": lambda oracles: check_gradients(
        np.expm1, np.array([-40.0, 0.5]), vjp=slope(np.exp), oracles=oracles
    ),
    "expm1 in sums": lambda oracles: check_gradients(
        lambda x: (1 + np.expm1(x)).sum(), np.array([-40.0, -45.0]), gradients=np.exp, oracles=oracles
    ),
    "sigmoid": lambda oracles: check_gradients(
        lambda x: 1 / (1 + np.exp(-x)),
        np.array([37.0, 40.0, 50.0]),
        vjp=slope(lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        reference=jax.nn.sigmoid,
        oracles=oracles,
    ),
    "sigmoid beside an ordinary entry": lambda oracles: check_gradients(
        lambda x: 1 / (1 + np.exp(-x)),
        np.array([40.0, 0.5]),
        vjp=slope(lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        reference=jax.nn.sigmoid,
        oracles=oracles,
    ),
    "i0 at 0": lambda oracles: check_gradients(
        lambda x: np.i0(x).sum(), np.array([0.0, 0.0]), gradients=np.zeros_like, oracles=oracles
    ),
    "i0 of a reference at 0": lambda oracles: check_gradients(
        lambda x: np.i0(x).sum(),
        np.array([0.0]),
        gradients=np.zeros_like,
        reference=lambda x: jax.scipy.special.i0(x).sum(),
        oracles=oracles,
    ),
}


@pytest.mark.parametrize("case", LOST)
@BOTH
def test_what_automatic_differentiation_loses_is_not_accused(case, oracles):
    report = LOST[case](oracles)
    assert report.verdict is not Verdict.FAIL, report


@pytest.mark.parametrize("case", [name for name in LOST if "ordinary" in name])
def test_what_is_lost_beside_ordinary_entries_is_nothing(case):
    assert LOST[case]("auto").verdict is Verdict.PASS


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_reference_of_another_function_does_not_vouch_for_its_gradient(factor):
    report = check_gradients(
        lambda x: np.sin(x).sum(),
        angles(6),
        gradients=lambda x: factor * np.cos(x),
        reference=lambda x: 2 * jax.numpy.sin(x).sum(),
    )
    if factor == 2:
        assert convicted(report), report
    else:
        assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.FORWARD_DISAGREES)
