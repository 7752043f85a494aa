"""Complex steps: exact to the last digits where a forward is analytic, and refused where it is not."""

import numpy as np
import pytest
from scipy import special

from gradcheck import check_gradients
from gradcheck.adapters import from_vjp
from gradcheck.evaluator import Evaluator
from gradcheck.oracles import finite_difference
from gradcheck.oracles.analytic import obstacle
from gradcheck.oracles.complex_step import complex_step
from gradcheck.probes import Probe, along_one_line, draw_probe
from gradcheck.tracing.evaluate.elementwise import log_of_one_plus
from gradcheck.tracing.evaluate.values import Value
from gradcheck.tracing.lift import lift
from gradcheck.verdict import Reason, Verdict

ONLY = ("complex-step",)
RNG = np.random.default_rng(20)
MATRIX = RNG.standard_normal((4, 4))


def answer(f, x, directions=None):
    """What the oracle says of f at x, and the cotangent it was asked with."""
    claim = from_vjp(f, x, vjp=lambda u, x: u, names=("x",))
    evaluator = Evaluator(claim)
    probe = draw_probe(evaluator, seed=0)
    probe = Probe(seed=0, cotangents=probe.cotangents, directions=(directions,))
    with np.errstate(all="ignore"):
        return complex_step(evaluator, probe), probe.cotangents[0]


def slope_at(f, x):
    found, cotangent = answer(f, np.array(float(x)))
    assert not found.why_not
    (estimate,) = found.estimates
    return float(estimate.value / cotangent), float(estimate.error / abs(cotangent))


# The exact derivatives, each to a few units of round-off.
SMOOTH = [
    (lambda x: np.sin(x) + 1e6, np.cos, 0.3, 1e-14),
    (lambda x: np.exp(20 * x), lambda x: 20 * np.exp(20 * x), 1.3, 1e-12),
    (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), 0.9, 1e-10),
    (lambda x: x**2, lambda x: 2 * x, 1e7, 1e-13),
    (np.sqrt, lambda x: 0.5 / np.sqrt(x), 1e-8, 1e-13),
    (np.log, lambda x: 1 / x, 1e-300, 1e-13),
    (lambda x: 0.3 * x, lambda x: 0.3, 1e-300, 1e-13),
    (np.sin, np.cos, 1e-300, 1e-13),
    (np.log, lambda x: 1 / x, 1e300, 1e-13),
    (lambda x: 1e300 * np.sin(x), lambda x: 1e300 * np.cos(x), 0.7, 1e-13),
    (lambda x: 1e-300 * np.sin(x), lambda x: 1e-300 * np.cos(x), 0.7, 1e-6),  # double precision underflows
    (lambda x: x * x + np.sin(x), lambda x: 1.0, 0.0, 1e-13),
    (lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) / np.cosh(x) ** 2, 12.0, 1e-11),
    (lambda x: np.log1p(x) ** 2, lambda x: 2 * np.log1p(x) / (1 + x), 1e-12, 1e-13),
    (lambda x: np.sqrt(x * x), lambda x: -1.0, -2.0, 1e-13),
    (lambda x: x**3.0, lambda x: 3 * x**2, -1.5, 1e-13),
    (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), 0.4, 1e-6),  # single precision bounds it
    (lambda x: 1 / (1 + np.exp(-x)), lambda x: special.expit(x) * special.expit(-x), -30.0, 1e-11),
]


@pytest.mark.parametrize(("f", "derivative", "x", "sharp"), SMOOTH, ids=range(len(SMOOTH)))
def test_analytic_functions_are_right_to_the_last_digits_and_within_a_narrow_bar(f, derivative, x, sharp):
    value, error = slope_at(f, x)
    expected = float(derivative(np.longdouble(x)))
    assert abs(value - expected) <= 1e-13 * abs(expected)
    assert abs(value - expected) <= error <= sharp * abs(expected)


def test_a_cancelling_difference_is_as_wide_as_it_rounds():
    """1 / (2 sqrt(x + 1)) - 1 / (2 sqrt(x)) at 1e10: ten digits cancel, which no nudge of x shows."""
    value, error = slope_at(lambda x: np.sqrt(x + 1) - np.sqrt(x), 1e10)
    exact = -1 / (2 * np.sqrt(1e10 + 1) * 1e5 * (np.sqrt(1e10 + 1) + 1e5))
    assert abs(value - exact) <= error <= 1e-4 * abs(exact)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.solve(MATRIX + np.diag(x), np.ones(4)),
        lambda x: np.linalg.inv(MATRIX + np.diag(x)),
        lambda x: np.linalg.cholesky(MATRIX @ MATRIX.T + np.diag(x**2)),
        lambda x: np.cumsum(np.sin(x)) @ MATRIX,
        lambda x: np.linalg.norm(x),
        lambda x: np.concatenate([x[::2], x[1:]])[np.array([0, 3, 1])] ** 1.5,
        lambda x: x[np.argsort(np.sin(x))] ** 2,  # the order is a guard, as the truth of an `if` is
    ],
    ids=["solve", "inv", "cholesky", "matmul", "norm", "moved", "ordered"],
)
def test_arrays_and_linear_algebra_agree_with_autodiff(f):
    x = np.array([1.3, 0.7, 2.1, 0.4])
    claim = from_vjp(f, x, vjp=lambda u, x: x, names=("x",))
    evaluator = Evaluator(claim)
    probe = draw_probe(evaluator, seed=0)
    with np.errstate(all="ignore"):
        found, other = complex_step(evaluator, probe), finite_difference.finite_difference(evaluator, probe)
    assert not found.why_not
    value, error = found.estimates[0].value, found.estimates[0].error
    assert (np.abs(value - other.estimates[0].value) <= error + other.estimates[0].error).all()
    assert (error <= 1e-11 * np.abs(value).max()).all()


def test_directions_and_one_line_through_all_leaves_give_the_same_derivative():
    x = np.array([0.3, 1e-4, 700.0])
    entries, _ = answer(lambda x: np.sin(x).sum() + x[0] * x[2], x)
    lines = np.array([[0.2, -1e-4, 300.0], [0.1, 0.0, -5.0]])
    along, _ = answer(lambda x: np.sin(x).sum() + x[0] * x[2], x, directions=lines)
    np.testing.assert_allclose(along.estimates[0].value, lines @ entries.estimates[0].value, rtol=1e-13)
    claim = from_vjp(lambda x: np.sin(x).sum() + x[0] * x[2], x, vjp=lambda u, x: u, names=("x",))
    evaluator = Evaluator(claim)
    probe = along_one_line(draw_probe(evaluator, seed=0), evaluator)
    together = complex_step(evaluator, probe).together
    assert together is not None
    assert probe.together is not None
    np.testing.assert_allclose(together.value[0], probe.together[0] @ entries.estimates[0].value, rtol=1e-13)


REFUSED = [
    (np.abs, "np.abs"),
    (lambda x: np.maximum(x, 0), "np.maximum"),
    (lambda x: np.where(x > 1, x, 2 * x), "a comparison"),
    (lambda x: x * np.sign(x), "np.sign"),
    (lambda x: x - np.floor(x), "np.floor"),
    (np.sort, "np.sort"),
    (lambda x: np.clip(x, 0.2, 0.9), ""),
    (lambda x: x * (x > 1), "a comparison"),
    (lambda x: x.max() * x, "np.max"),
    (lambda x: special.softmax(x), "np.max"),
    (lambda x: np.logaddexp(0, x), ""),
    (lambda x: np.linalg.eigh(np.outer(x, x) + MATRIX + MATRIX.T)[0], "np.linalg.eigh"),
    (lambda x: np.linalg.svd(MATRIX * x, compute_uv=False), "np.linalg.svd"),
    (lambda x: np.linalg.qr(MATRIX * x)[1], "np.linalg.qr"),
    (lambda x: np.cbrt(x), "np.cbrt"),
    (lambda x: np.arctan2(x, 2.0), "np.arctan2"),
    (lambda x: np.abs(np.exp(1j * x)), "complex numbers of its own"),
    (lambda x: special.gammaln(x), "lgamma"),
    (lambda x: np.rint(x) * x, ""),
    (lambda x: np.mod(x, 0.4), ""),
]


@pytest.mark.parametrize(("f", "name"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_analytic_is_refused_by_the_name_of_the_operation(f, name):
    found, _ = answer(f, np.array([0.3, 1.2, 2.5, 0.7]))
    assert not found.estimates
    assert "not analytic" in found.why_not
    assert name in found.why_not


def test_the_refusal_names_the_users_line():
    def forward(x):
        y = np.exp(x)
        return np.maximum(y, 1.5)

    found, _ = answer(forward, np.array([0.3, 1.2]))
    line = forward.__code__.co_firstlineno + 2
    assert found.why_not == f"the forward is not analytic: np.maximum, at test_complex_step.py:{line}"


def test_constants_and_whole_numbers_may_be_compared_sorted_and_rounded():
    mask = np.array([1.0, -1.0, 2.0])

    def forward(x):
        order = np.argsort(mask)
        weights = np.abs(mask) + np.maximum(mask, 0) + np.floor(mask)
        return np.where(mask > 0, np.sin(x), x * x)[order] * weights * np.arange(3)

    found, _ = answer(forward, np.array([0.3, 1.2, -0.7]))
    assert not found.why_not


def test_an_intermediate_that_reaches_no_output_is_no_obstacle():
    def forward(x):
        largest = np.max(np.abs(x))
        return np.sin(x) if largest < 100 else x

    assert obstacle(lift(forward, np.array([0.3, -1.2]))) == ""


def branched(x):
    return np.sin(x) if x[0] > 0.5 else x * x


def test_inside_a_branch_its_formula_is_the_function():
    found, u = answer(branched, np.array([0.7, 1.0]))
    np.testing.assert_allclose(found.estimates[0].value, u * np.cos([0.7, 1.0]), rtol=1e-14)


def test_where_branches_meet_no_step_is_taken():
    found, _ = answer(branched, np.array([0.5, 1.0]))
    assert "where two of its branches meet" in found.why_not

    def punctured(x):
        return np.sin(x) / x if x[0] != 0 else np.zeros_like(x)

    found, _ = answer(punctured, np.array([0.0]))
    assert "where two of its branches meet" in found.why_not


def test_a_power_that_leaves_the_real_line_is_refused():
    found, _ = answer(lambda x: x**200.0, np.array([-1.5]))
    assert "not real in complex arithmetic" in found.why_not


def test_forwards_in_jax_are_not_its_business():
    import jax.numpy as jnp

    found, _ = answer(jnp.sin, np.array([0.3]))
    assert found.why_not == "it takes complex steps through a recorded NumPy forward only"


def test_a_cast_to_fewer_digits_is_refused():
    found, _ = answer(lambda x: np.sin(x).astype(np.float32), np.array([0.3]))
    assert not found.estimates
    assert "float32" in found.why_not


def test_the_real_part_of_log1p_keeps_the_digits_of_a_small_complex_number():
    rule = log_of_one_plus({}, (Value((), np.dtype(complex), np.dtype(float)),), ())
    x = np.array([1e-12 + 1e-30j, -0.3 + 0.1j, 2.0 - 1j, 1e200 + 0j, -0.5 + 0j])
    np.testing.assert_allclose(rule(x).real[0], 1e-12 - 5e-25, rtol=1e-15)
    np.testing.assert_allclose(rule(x)[1:], np.log(1 + x[1:]), rtol=1e-13)


# -- as a judge: right gradients pass, wrong ones fail, by this oracle alone ---------------------------

JUDGED = [
    (lambda x: np.sin(x) + 1e6, lambda u, x: u * np.cos(x), [0.3, 2.0]),
    (lambda x: np.exp(20 * x), lambda u, x: u * 20 * np.exp(20 * x), [-0.2, 1.3]),
    (lambda x: np.sin(1000 * x), lambda u, x: u * 1000 * np.cos(1000 * x), [1.3, 0.9]),
    (lambda x: x**2, lambda u, x: u * 2 * x, [1e7, -3e7]),
    (np.sqrt, lambda u, x: u * 0.5 / np.sqrt(x), [1e-8, 2e-8]),
    (np.log, lambda u, x: u / x, [2e-140, 1e-140]),
    (lambda x: x * x.sum(), lambda u, x: u * x.sum() + u @ x, [1e-3, 2.0, 50.0]),
    (lambda x: np.tanh(MATRIX @ x), lambda u, x: MATRIX.T @ (u * (1 - np.tanh(MATRIX @ x) ** 2)), np.ones(4)),
]


@pytest.mark.parametrize(("f", "vjp", "x"), JUDGED, ids=range(len(JUDGED)))
def test_a_right_gradient_passes_and_one_wrong_by_a_millionth_fails(f, vjp, x):
    x = np.array(x, float)
    assert check_gradients(f, x, vjp=vjp, oracles=ONLY).verdict is Verdict.PASS
    wrong = lambda u, x: vjp(u, x) * (1 + 1e-6 * (np.arange(x.size) == 1))  # noqa: E731
    report = check_gradients(f, x, vjp=wrong, oracles=ONLY)
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.MISMATCH)
    assert report.leaves[0].worst_index == (1,)


def test_alone_and_refused_it_leaves_the_claim_undecided_and_says_why():
    report = check_gradients(np.abs, np.array([0.3]), vjp=lambda u, x: u, oracles=ONLY)
    assert report.verdict is Verdict.UNDECIDED
    assert "np.abs" in report.oracles[0].why_not


def test_auto_does_not_ask_it():
    report = check_gradients(np.sin, np.array([0.3]), vjp=lambda u, x: u * np.cos(x))
    assert [oracle.name for oracle in report.oracles] == ["autodiff", "finite-difference"]
