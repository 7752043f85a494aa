"""What a verdict rests on: pieces of the forward, its edges and jumps, teeth, and gaps step by step."""

import numpy as np
import pytest

from gradcheck import Reason, Verdict, check_gradients, constant
from gradcheck.adapters import from_vjp
from gradcheck.claimed import Claimed
from gradcheck.curve import Scaling
from gradcheck.evaluator import Evaluator
from gradcheck.oracles.line import STEPS
from gradcheck.oracles.pieces import Walk, ripple, steps_in_one_piece
from gradcheck.rounding import arithmetic_afar
from gradcheck.steps import scaling

ALONE = "finite-difference"


def relu_beside(distance):
    """x - distance where that is positive, and its slope at a point that lies `distance` below the kink."""
    return (lambda x: np.maximum(x - distance, 0.0) + x), (lambda x: 1.0 + (x > distance))


@pytest.mark.parametrize(("distance", "left_out"), [(0.5, 0), (0.1, 1), (1e-3, 2), (1e-6, 5)])
def test_steps_that_reach_across_a_kink_are_left_out(distance, left_out):
    f, _ = relu_beside(distance)
    evaluator = Evaluator(from_vjp(f, np.array(0.0), vjp=lambda u, x: u, names=("x",)))
    kept = steps_in_one_piece(evaluator, 0, {0: np.array(1.0)}, STEPS)
    assert kept == STEPS[left_out:]


@pytest.mark.parametrize("end", [0.11, 3e-3, 1.7e-5])
@pytest.mark.parametrize("jump", [0.0, 1e-9])
@pytest.mark.parametrize(
    "beyond",
    [
        lambda x, end: x > end,
        lambda x, end: np.exp(7 * x) > np.exp(7 * end),
        lambda x, end: np.maximum(np.where(x > end, 2.0, 1.0), 0.0) > 1.5,  # whose own margin jumps
    ],
    ids=["straight", "curved", "jumping"],
)
def test_a_jump_at_the_end_of_a_piece_is_weighed_by_the_width_of_the_piece(beyond, jump, end):
    evaluator = Evaluator(
        from_vjp(
            lambda x: np.where(beyond(x, end), np.sin(x) + jump, np.sin(x)),
            np.array(0.0),
            vjp=lambda u, x: u,
            names=("x",),
        )
    )
    line = {0: np.array(1.0)}
    found = ripple(evaluator, 0, line, STEPS, lambda t: float(evaluator.forward((np.array(t),))[0]))
    assert found == pytest.approx(2 * jump / (STEPS[0] + end), rel=1e-3)


def test_the_end_of_a_piece_takes_few_looks(monkeypatch):
    looks = []
    plain = Walk.look
    monkeypatch.setattr(Walk, "look", lambda walk, side, t: looks.append(t) or plain(walk, side, t))
    evaluator = Evaluator(from_vjp(relu_beside(3e-3)[0], np.array(0.0), vjp=lambda u, x: u, names=("x",)))
    assert ripple(evaluator, 0, {0: np.array(1.0)}, STEPS, lambda t: max(t - 3e-3, 0.0) + t) == 0
    assert len(looks) <= 2 * len(STEPS) + 12  # by halves it takes forty more


@pytest.mark.parametrize("distance", [0.5, 0.1, 1e-3, 1e-6])
def test_a_kink_beside_the_point_blurs_nothing(distance):
    f, slope = relu_beside(distance)
    report = check_gradients(f, 0.0, gradients=slope, oracles=ALONE)
    assert report.verdict is Verdict.PASS
    assert report.leaves[0].detection_limit < 1e-8
    assert not check_gradients(f, 0.0, gradients=lambda x: slope(x) + 1e-5, oracles=ALONE)


def test_a_large_leaf_full_of_kinks_is_judged_where_a_reference_is():
    x = np.random.default_rng(0).standard_normal(5000)
    f, gradient = (lambda x: np.maximum(x, 0).sum()), (lambda x: (x > 0) * 1.0)
    assert check_gradients(f, x, gradients=gradient).verdict is Verdict.PASS
    wrong = check_gradients(f, x, gradients=lambda x: np.where(np.arange(5000) == 7, 0.5, gradient(x)))
    assert (wrong.verdict, wrong.leaves[0].worst_index) == (Verdict.FAIL, (7,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x > 0, 1.0, 0.0),
        lambda x: np.where(x > 0, 1.0, 0.0) + x,
        lambda x: np.sign(x) * np.exp(x),
        lambda x: np.floor(x) + 3 * x,
    ],
    ids=range(4),
)
@pytest.mark.parametrize("oracles", ["auto", ALONE])
def test_a_jump_is_said_to_be_a_jump(f, oracles):
    report = check_gradients(f, 0.0, gradients=lambda x: 0.0, oracles=oracles)
    assert report.verdict is not Verdict.PASS
    if report.verdict is Verdict.UNDECIDED:
        assert (report.reason, report.leaves[0].remark) == (Reason.KINK, "the function jumps here")


def test_a_jump_in_one_entry_hides_no_mistake_in_another():
    x = np.array([0.0, 1.0])
    f = lambda x: np.where(x > 0, 1.0, 0.0)[0] + np.sin(x[1])  # noqa: E731
    right = check_gradients(f, x, gradients=lambda x: np.array([0.0, np.cos(x[1])]))
    assert (right.verdict, right.reason) == (Verdict.UNDECIDED, Reason.KINK)
    wrong = check_gradients(f, x, gradients=lambda x: np.array([0.0, np.sin(x[1])]))
    assert (wrong.verdict, wrong.leaves[0].worst_index) == (Verdict.FAIL, (1,))


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: np.where(x >= 0, np.sin(x), np.nan), 1.0),
        (lambda x: np.where(x <= 0, np.exp(x), np.nan), 1.0),
        (lambda x: x**2 * np.sqrt(x) + 2 * x, 2.0),
    ],
    ids=range(3),
)
def test_at_the_edge_of_its_domain_a_function_has_the_slope_of_one_side(f, slope):
    report = check_gradients(f, 0.0, gradients=lambda x: slope, oracles=ALONE)
    assert report.verdict is Verdict.PASS
    assert check_gradients(f, 0.0, gradients=lambda x: slope * 1.001, oracles=ALONE).verdict is Verdict.FAIL


def test_a_vertical_tangent_convicts_nobody():
    for claim in (0.0, 1.0, 1e6):
        report = check_gradients(np.sqrt, 0.0, gradients=lambda x, claim=claim: claim)
        assert report.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("oracles", ["auto", ALONE])
@pytest.mark.parametrize("n", [3, 2000])
def test_a_pass_under_which_a_planted_error_passes_too_has_no_power(monkeypatch, oracles, n):
    """A comparison that is blind to what is claimed passes everything: the planted error tells."""
    x = np.linspace(0.1, 1, n)
    f, gradient = (lambda x: np.sin(x).sum()), np.cos
    assert check_gradients(f, x, gradients=gradient, oracles=oracles).verdict is Verdict.PASS
    honest = Claimed.beside
    monkeypatch.setattr(
        Claimed, "beside", lambda self, i, gradient, answers: honest(self, i, self.gradients[i], answers)
    )
    report = check_gradients(f, x, gradients=gradient, oracles=oracles)
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NO_POWER)


@pytest.mark.parametrize("oracles", ["auto", ALONE])
@pytest.mark.parametrize("n", [5, 3000])
def test_an_error_just_above_the_detection_limit_is_convicted_and_the_limit_is_small(oracles, n):
    rng = np.random.default_rng(n)
    x = rng.standard_normal(n)
    f, gradient = (lambda x: np.exp(np.sin(x)).sum()), (lambda x: np.exp(np.sin(x)) * np.cos(x))
    limit = check_gradients(f, x, gradients=gradient, oracles=oracles).leaves[0].detection_limit
    assert limit < 1e-6  # of one entry; the directions of a large leaf are blurred by all the others
    for entry in rng.integers(n, size=5):
        error = 2 * limit * np.abs(gradient(x)).max() * (np.arange(n) == entry)
        report = check_gradients(f, x, gradients=lambda x, e=error: gradient(x) + e, oracles=oracles)
        assert report.verdict is Verdict.FAIL


def test_what_the_gap_does_as_the_step_shrinks_is_measured():
    x = np.array([0.3, 0.7])
    wrong = check_gradients(lambda x: np.sin(x).sum(), x, gradients=lambda x: 1.01 * np.cos(x))
    curve = wrong.leaves[0].curve
    assert curve is not None
    assert curve.scaling is Scaling.STAYS
    assert np.median(curve.gaps) == pytest.approx(0.01 * np.cos(0.3), rel=1e-3)
    assert all(np.diff(curve.steps) < 0)

    def noisy(x):
        return np.sin(x).sum() + 1e-4 * np.modf(1e9 * np.sin(1e6 * x.sum()))[0]

    hidden = check_gradients(noisy, x, gradients=np.cos, oracles=ALONE)
    assert (hidden.verdict, hidden.reason) == (Verdict.UNDECIDED, Reason.NOISE)
    grown = hidden.leaves[0].curve
    assert grown is not None
    assert grown.scaling is Scaling.GROWS
    assert check_gradients(lambda x: np.sin(x).sum(), x, gradients=np.cos).leaves[0].curve is None


def test_the_behaviour_of_a_gap_is_told_by_its_powers_of_the_step():
    steps = 16.0 ** -np.arange(6)
    assert scaling(3 * steps**2) is Scaling.FALLS
    assert scaling(1e-16 / steps) is Scaling.GROWS
    assert scaling(0.2 + 0 * steps) is Scaling.STAYS
    assert scaling(steps**2 + 1e-3) is Scaling.STAYS
    assert scaling(np.array([1.0, 1e-3, 2.0, 1e-5])) is None


def test_a_backward_that_never_ends_in_single_precision_is_judged_all_the_same(monkeypatch):
    """Iterated until nothing moves by 1e-12, which fewer digits never reach."""
    monkeypatch.setattr("gradcheck.evaluator.SINGLE_SECONDS", 0.2)

    def root(a):
        x, before = 0.5 * a + 0.5, a * 0
        while abs(x - before) > 1e-9 * abs(x):
            x, before = (x + a / x) / 2, x
            x = x * (1 + 1e-4 * (x.dtype == np.float32) * np.sign(x - before))
        return x

    report = check_gradients(lambda a: np.sqrt(a), np.array(2.0), gradients=lambda a: 0.5 / root(a))
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("oracles", ["auto", ALONE])
def test_what_all_oracles_refute_is_wrong_though_they_differ(oracles):
    import jax

    report = check_gradients(
        lambda x: (x * x).sum(),
        np.array([1.0, 2.0]),
        gradients=lambda x: 30 * x,
        reference=lambda x: (x * jax.lax.stop_gradient(x)).sum(),
        oracles=oracles,
    )
    assert report.verdict is Verdict.FAIL


def test_half_precision_that_does_not_move_near_the_point_is_told_from_a_step_function():
    """hypot(0.06, 3) is 3 in half precision all around; floor(3.2) is 3 too, and 0.02 is no slope of it."""

    def rounded(x):
        return np.float64(np.hypot(np.float16(float(x)), np.float16(3)))

    x = np.array(0.0603)
    right = x / np.hypot(x, 3)
    assert check_gradients(rounded, x, gradients=right).reason is Reason.NOISE

    def steps(x):
        return np.floor(float(x) + 3.2)

    assert check_gradients(steps, x, gradients=right).verdict is Verdict.FAIL
    assert check_gradients(steps, x, gradients=0 * right).verdict is not Verdict.FAIL


def test_far_from_the_point_all_that_moved_has_to_fit_the_arithmetic():
    """1 has a half's digits and 0.1 has not: together they were not computed in half precision."""
    half = np.float64(np.float16(0.1))
    here = np.array([3.0])
    assert arithmetic_afar(here, np.array([1.0]), np.array([half])) is np.float16
    assert arithmetic_afar(here, np.array([half]), np.array([0.1])) is np.float64
    assert arithmetic_afar(here, np.array([4.0]), np.array([13.0])) is np.float64
    assert arithmetic_afar(here, here, here) is np.float64
    round_number = np.array([1e4])
    assert arithmetic_afar(round_number, round_number, np.array([0.0])) is np.float64


def test_half_precision_at_the_end_of_its_range_is_known_by_the_side_that_is_left():
    """Up, exp(5.48 x) is too large for a half; down, it stands still for a thousandth, and then jumps."""
    x, weights = np.array([1.0, 2.02321386]), np.array([0.3, 0.97])

    def exponential(x):
        with np.errstate(over="ignore"):
            return float(weights @ np.exp(np.float16(5.48) * x.astype(np.float16)).astype(float))

    right = weights * 5.48 * np.exp(5.48 * x)
    assert check_gradients(exponential, x, gradients=right).verdict is not Verdict.FAIL
    assert check_gradients(exponential, x, gradients=1e6 * right).verdict is Verdict.FAIL


@pytest.mark.parametrize("factor", [1.0, 1 + 1e-4])
@pytest.mark.parametrize("oracles", ["auto", "finite-difference"])
def test_a_gradient_that_was_added_up_in_single_precision_is_judged_by_its_digits(factor, oracles):
    """Whatever the array that it is returned in."""
    rng = np.random.default_rng(4)
    X, w = rng.standard_normal((50, 4)).astype(np.float32), rng.standard_normal(4)

    def gradients(w, X):
        return (X.sum(axis=0) * np.float32(factor)).astype(np.float64)

    report = check_gradients(lambda w, X: np.sum(X @ w), w, constant(X), gradients=gradients, oracles=oracles)
    assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL)
    assert report.sensitivity == 1e-3


def test_a_double_precision_gradient_is_judged_in_double_precision():
    w = np.array([1.0, 2.0, 3.0])
    report = check_gradients(lambda w: np.sum(w**2), w, gradients=lambda w: 2 * w * (1 + 1e-7))
    assert (report.verdict, report.sensitivity) == (Verdict.FAIL, 1e-6)


@pytest.mark.parametrize("wrong", [1005.0, 1001.0 + 2.0**-9])
def test_whole_numbers_and_short_ones_are_judged_in_double_precision(wrong):
    """They fill half precision, and were not rounded to it."""
    w = np.array([500.5, 300.0])
    report = check_gradients(lambda w: np.sum(w**2), w, gradients=lambda w: np.array([wrong, 600.0]))
    assert (report.verdict, report.sensitivity) == (Verdict.FAIL, 1e-6)
