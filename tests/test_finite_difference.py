"""Differences that know their error: right within the bar, and the bar no wider than it must be."""

import numpy as np
import pytest
from scipy import special

from gradcheck.adapters import from_vjp
from gradcheck.evaluator import Evaluator
from gradcheck.oracles.extrapolate import slope
from gradcheck.oracles.finite_difference import at_a_glance, finite_difference
from gradcheck.oracles.ladder import Differences
from gradcheck.probes import along_one_line, draw_probe

SHARP = 1e-8  # relative bar that smooth functions at ordinary points must reach


def estimate(f, x):
    """The oracle's estimate for one input, and the cotangent it was asked with."""
    claim = from_vjp(f, x, vjp=lambda u, x: u, names=("x",))
    evaluator = Evaluator(claim)
    probe = draw_probe(evaluator, seed=0)
    answer = finite_difference(evaluator, probe)
    return answer.estimates[0], probe.cotangents[0]


def slope_at(f, x):
    found, cotangent = estimate(f, np.array(float(x)))
    return float(found.value / cotangent), float(found.error / abs(cotangent)), bool(found.kink)


def glance(f, x):
    """What a few steps along one line show, and the derivative along it."""
    evaluator = Evaluator(from_vjp(f, x, vjp=lambda u, x: u, names=("x",)))
    probe = along_one_line(draw_probe(evaluator, seed=0), evaluator)
    found = at_a_glance(evaluator, probe).together
    assert found is not None
    assert probe.together is not None
    return found, float(probe.cotangents[0] * probe.together[0])


def trodden(x):
    """Steps of 1e-4 across a slope: between two of them it is another one."""
    return np.sin(x) + 1e-4 * np.floor(1e4 * x)


@pytest.mark.parametrize(
    ("f", "df", "x"), [(np.sin, np.cos, 0.7), (np.exp, np.exp, -3.0), (np.abs, np.sign, -2.0)]
)
def test_a_few_steps_are_sharp_where_a_function_is_smooth(f, df, x):
    found, line = glance(f, np.array(x))
    assert abs(found.value[0] - df(x) * line) <= found.error[0] <= 1e-6 * abs(found.value[0])


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.abs, 0.0),
        (lambda x: np.maximum(x, 0.7), 0.7),
        (lambda x: np.sin(1e9 * x), 0.7),
        (lambda x: np.sin(x.astype(np.float32)).astype(float), 0.7),
        (lambda x: np.sin(x) * (1 + 1e-7 * np.sin(1e15 * x)), 0.7),
        (lambda x: np.sin(x) + 1e3 * (x > 0.7), 0.7),
        (trodden, 0.70005),
        (trodden, 0.700051),
        (trodden, 0.70003),
        (lambda x: np.sqrt(x - 0.7), 0.7),
    ],
)
def test_a_few_steps_say_nothing_where_it_is_not(f, x):
    with np.errstate(all="ignore"):
        assert glance(f, np.array(x))[0].error == np.inf


SMOOTH = [
    (np.sin, np.cos, 0.7),
    (np.sin, np.cos, 12345.6),
    (np.exp, np.exp, -3.0),
    (lambda x: np.exp(20 * x), lambda x: 20 * np.exp(20 * x), 1.3),
    (np.log, lambda x: 1 / x, 1e-9),
    (np.sqrt, lambda x: 0.5 / np.sqrt(x), 1e-8),
    (lambda x: x**2, lambda x: 2 * x, 1e7),
    (lambda x: x**3, lambda x: 3 * x**2, -1e-6),
    (lambda x: 3 * x, lambda _: 3.0, 0.1),
    (lambda x: 1 / x, lambda x: -(x**-2), 1e-5),
    (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), 0.4),
    (special.gammaln, special.digamma, 4.2),
    (lambda x: 1e300 * np.sin(x), lambda x: 1e300 * np.cos(x), 0.7),
    (lambda x: 1e-300 * np.sin(x), lambda x: 1e-300 * np.cos(x), 0.7),
    (lambda x: 1e-6 * np.sin(x), lambda x: 1e-6 * np.cos(x), 0.7),
    (lambda x: np.logaddexp(0, x), special.expit, 1e-12),  # varies over 1, is asked at 1e-12
    (np.tanh, lambda x: 1 / np.cosh(x) ** 2, 0.0),
]


@pytest.mark.parametrize(("f", "derivative", "x"), SMOOTH, ids=range(len(SMOOTH)))
def test_smooth_functions_are_right_within_a_narrow_bar(f, derivative, x):
    value, error, kink = slope_at(f, x)
    expected = float(derivative(x))
    assert abs(value - expected) <= error
    assert error <= SHARP * abs(expected)
    assert not kink


@pytest.mark.parametrize(
    ("f", "derivative", "x"),
    [
        # Rounding of 1000 x is odd around many x: second differences alone see no noise there.
        (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), -1.19992103),
        (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), 2.75114423),
        (lambda x: np.sin(x) + 1e6, np.cos, 0.7),  # the digits of the sine are lost
        (lambda x: np.sin(x.astype(np.float32)), np.cos, 0.7),
        (lambda x: np.sin(x.astype(np.float32)).astype(float), np.cos, -2.5),
        (lambda x: np.sin(x) + 1e-5 * np.modf(1e5 * np.sin(1e15 * x))[0], np.cos, 0.7),  # a solver's noise
        (lambda x: np.round(np.sin(x), 4), np.cos, 1.2),  # quantised: constant on every fine step
        (lambda x: np.round(np.sin(x), 4), np.cos, -2.33445),
        (np.sin, np.cos, 6.8e9),  # coarse steps see many periods
        # Next to 3 in half precision, whose digits show only where x is of the size of 1.
        (lambda x: np.hypot(x.astype(np.float16), np.float16(3)).astype(float), lambda x: x / 3, 0.0106),
        # A tie but for float32: 1e7 x moves by whole grains on the two finest steps.
        (lambda x: 1e9 * np.maximum(np.abs(1e7 * x) - 0.5, 0), lambda x: -1e16, np.float32(-5e-8)),
    ],
    ids=range(11),
)
def test_hard_functions_are_right_within_a_bar_however_wide(f, derivative, x):
    value, error, _ = slope_at(f, x)
    assert abs(value - float(derivative(x))) <= error
    assert np.isfinite(error)


def test_a_corner_is_the_interval_of_its_slopes():
    value, error, kink = slope_at(np.abs, 0.0)
    assert kink
    assert (value - error, value + error) == pytest.approx((-1, 1), rel=1e-9)
    value, error, kink = slope_at(lambda x: np.maximum(x, 0.1 * x) + 5 * x, 0.0)
    assert kink
    assert (value - error, value + error) == pytest.approx((5.1, 6), rel=1e-9)


@pytest.mark.parametrize("inner", 1e-3 * 1.1 ** np.array([2, 12, 18, 23]))
def test_a_corner_is_one_in_a_sum_whose_terms_cancel(inner):
    weights = np.array([-1.92501684, 0.68583103, 1.18929924])  # of their sum, a fortieth is left
    found, u = estimate(lambda x: (weights * 1e-8 * np.exp(-np.abs(inner * x))).sum(), np.zeros(3))
    assert found.kink.all()
    slopes = 1e-8 * inner * np.abs(u * weights)
    assert (slopes <= found.error).all()
    assert (found.error <= 1.1 * slopes).all()


@pytest.mark.parametrize("inner", 10.0 ** np.arange(1, 9))
def test_a_corner_is_one_though_the_function_ends_soon_beside_it(inner):
    value, error, kink = slope_at(lambda x: 1e4 * np.exp(-np.abs(inner * x)), 0.0)
    assert kink
    assert (value - error, value + error) == pytest.approx((-1e4 * inner, 1e4 * inner), rel=0.1)
    assert error >= 1e4 * inner


def test_a_function_that_jumps_over_its_own_periods_shows_no_slope():
    for x in np.random.default_rng(3).uniform(0.2, 3, 400):
        value, error, _ = slope_at(lambda x: np.sin(1000 * x.astype(np.float16)).astype(float), x)
        assert abs(value - 1000 * np.cos(1000 * x)) <= error, x


@pytest.mark.parametrize(
    ("rate", "x"),
    [
        (1999.9315178447894, -2.4143527186575047),
        (3518.4541832483096, 2.561588264301879),
        (7100.92271452243, -2.2363104126397535),
    ],
)
def test_steps_that_are_whole_numbers_of_a_grain_inside_hide_no_noise(rate, x):
    """The two finest change rate * x by whole units of its round-off, nearly, and agree on a wrong slope."""
    value, error, _ = slope_at(lambda x: np.sin(rate * x), x)
    assert abs(value - rate * np.cos(rate * x)) <= error <= 1e-3 * rate


def test_noise_hides_no_part_of_a_period_that_coarse_steps_reach_across():
    """A sine of 1000 x off by up to 1e-3 at 2.95, in steps of 2.95: one step shows its slope of -1922."""
    central = [-2.61, -36.84, -171.5, -1899, -2041, -2859, -6310, -9.606e5, -5.535e6, 1.893e8, 6.740e9]
    second = [0.0313, 0.0471, 0.0611, 6.1e-4, 1.5e-3, 3.4e-4, 8.3e-4, 8.0e-4, -1.5e-4, 3.9e-3, -2.7e-3]
    gaps = [0.0426, 0.0541, 0.0698, 7.4e-3, 8.2e-3, 6.2e-3, 9.4e-3, 7.0e-3, 5.1e-3, 7.9e-3, 8.1e-3]
    steps = 2.0 ** -np.arange(2, 46, 4)
    seen = Differences(
        step=steps,
        central=np.array(central),
        second=np.array(second),
        gaps=np.array(gaps),
        rounding=np.full(11, 7e-15),
        unseen=0.0,
        jump=0.0,
    )
    found = slope(seen)
    assert abs(found.value + 1922) <= found.error


@pytest.mark.parametrize(("kind", "x"), [(np.float16, -9.48), (np.float32, 9.48), (np.float16, 30.0)])
def test_what_saturates_in_fewer_digits_is_seen_to_have_them(kind, x):
    value, error, _ = slope_at(lambda x: np.tanh(x.astype(kind)).astype(float), x)
    assert abs(value - np.cosh(x) ** -2.0) <= error <= 100 * np.finfo(kind).eps


@pytest.mark.parametrize("x", [-5.9, -5.7, -5.55])
def test_what_vanishes_in_fewer_digits_has_no_slope_of_zero(x):
    """Half precision ends at 6e-8: a GELU stands still at 0 there, and moves a quarter of the way to 0."""
    value, error, _ = slope_at(lambda x: (x * special.ndtr(x)).astype(np.float16).astype(float), x)
    assert abs(value - special.ndtr(x) - x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)) <= error


@pytest.mark.parametrize("x", [0.03, 0.055, 0.1])
def test_what_is_rounded_inside_has_no_slope_of_zero_where_it_stands_still(x):
    """Three digits of sqrt(x^2 + 9) in a number of sixteen stand still here, and jump over steps of 1."""
    value, error, _ = slope_at(lambda x: -0.677 * np.hypot(x, 3).astype(np.float16).astype(float), x)
    assert abs(value + 0.677 * x / np.hypot(x, 3)) <= error


def test_a_step_far_off_leaves_a_slope_of_zero_what_it_is():
    assert slope_at(lambda x: np.where(x > 1, 1.0, 0.25), 0.5) == (0, pytest.approx(0, abs=1e-12), False)


@pytest.mark.parametrize("x", [23.3, 23.7])
def test_what_vanishes_is_seen_to_have_few_digits_though_some_number_hides_them(x):
    value, error, _ = slope_at(lambda x: np.exp(-x).astype(np.float16).astype(float), x)
    assert abs(value + np.exp(-x)) <= error


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9])
def test_a_kink_beside_the_point_is_no_kink_at_it(distance):
    value, error, kink = slope_at(lambda x: np.maximum(x - 1, 0), 1 + distance)
    assert not kink
    assert abs(value - 1) <= error <= 1e-3


def test_a_curved_function_is_not_taken_for_a_corner():
    value, error, kink = slope_at(lambda x: np.cosh(30 * x), 0.0)
    assert not kink
    assert abs(value) <= error


def test_a_sleeping_unit_that_wakes_up_nearby_has_a_zero_gradient():
    value, error, _ = slope_at(lambda x: np.maximum(x - 1.01, 0), 1.0)
    assert value == 0
    assert error < 1e-6


def test_outputs_that_do_not_move_add_no_noise():
    """1e12 beside sin(x): contracted first, its round-off would hide the sine's derivative."""
    found, cotangent = estimate(lambda x: np.array([np.sin(x[0]), 1e12 + 0 * x[1]]), np.array([0.7, 0.0]))
    expected = cotangent[0] * np.cos(0.7)
    assert abs(found.value[0] - expected) <= found.error[0] <= 0.1 * abs(expected)


def test_entries_eighteen_decades_apart_are_each_met_at_their_own_size():
    x = np.array([1e-9, 1.0, 1e9])
    found, cotangent = estimate(np.log, x)
    np.testing.assert_allclose(found.value, cotangent / x, rtol=1e-7)
    assert (np.abs(found.value - cotangent / x) <= found.error).all()


def test_a_slope_from_afar_has_to_be_seen_to_settle():
    """The second entry moves nothing within its own size, and 200 decades away another slope."""
    x, weights = np.array([3.00308916e191, 4.8231927e-16, 8.43123254e229]), np.array([-1.69, -1.86, -0.555])
    with np.errstate(all="ignore"):
        found, u = estimate(lambda x: (weights * 1e253 * special.gammaln(1e-203 * x)).sum(), x)
    true = u * weights * 1e50 * special.digamma(1e-203 * x)
    assert (np.abs(found.value - true) <= found.error).all()


def test_steps_that_leave_the_domain_are_left_out():
    def guarded(x):
        if x < 0.9:
            raise ValueError("x must be at least 0.9")
        return np.log(x)

    value, error, _ = slope_at(guarded, 1.0)
    assert abs(value - 1) <= error <= 1e-8


def test_nothing_is_claimed_where_no_step_can_be_taken():
    _, error, _ = slope_at(lambda x: np.where(x == 1.0, x, np.nan), 1.0)
    assert error == np.inf


def test_many_entries_are_met_along_random_directions():
    x = np.random.default_rng(0).standard_normal((40, 50))
    found, cotangent = estimate(lambda x: (x**2).sum(), x)
    assert found.directions is not None
    gradient = 2 * x * cotangent
    assert (np.abs(found.project(gradient) - found.value) <= found.error).all()
    gradient[3, 4] *= 1.001
    assert (np.abs(found.project(gradient) - found.value) > found.error).all()
