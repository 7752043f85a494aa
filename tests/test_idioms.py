"""Each idiom is lifted, right in value and gradient, or flagged with its line: none is silently wrong."""

import contextlib
import pathlib

import numpy as np
import pytest
import scipy

import tests.idioms as table
from gradcheck import check_gradients
from gradcheck.tracing.derive import vjp
from gradcheck.tracing.lift import Leak, lift
from gradcheck.tree import iter_leaves
from tests.idioms import IDIOMS

LIFTED = [idiom for idiom in IDIOMS if idiom.expected == "lifted"]
FLAGGED = [idiom for idiom in IDIOMS if idiom.expected == "flagged"]
LINES = pathlib.Path(table.__file__).read_text().splitlines()

VALUE_TOLERANCE = 1e-12  # of a leaf's largest entry: a few hundred operations, each rounded to 1e-16
STEP = 1e-3  # inputs are of order 1, and kinks at least ten steps away
# Extrapolated once, central differences err by f''''' h^4 / 480, that is 2e-15 f''''', and by rounding of
# 1e-16 f / h = 1e-13 f: there is room for functions whose fifth derivative is ten million times their first.
GRADIENT_TOLERANCE = 1e-7
NEARBY = 1e-4  # far beyond any tolerance, and too near to change a branch


def called(function, arrays):
    """The function's leaves, its arguments copied and the global generator always in the same state."""
    np.random.seed(1)
    return [np.array(leaf, dtype=float) for _, leaf in iter_leaves(function(*(a.copy() for a in arrays)))]


def draw_cotangents(leaves, seed):
    """Signed, of magnitudes from 0.1 to 10."""
    rng = np.random.default_rng(seed)
    return tuple(10 ** rng.uniform(-1, 1, np.shape(y)) * rng.choice([-1.0, 1.0], np.shape(y)) for y in leaves)


def contracted(function, arrays, cotangents):
    """<cotangents, function(*arrays)>"""
    return sum(np.vdot(c, y) for c, y in zip(cotangents, called(function, arrays), strict=True))


def differences(function, arrays, cotangents):
    """The gradient entry by entry: central differences with h and h/2, extrapolated."""
    arrays = [a.copy() for a in arrays]
    gradients = []
    for array in arrays:
        gradient = np.empty_like(array)
        for i in np.ndindex(array.shape):
            entry, slopes = array[i], []
            for h in (STEP, STEP / 2):
                array[i] = entry + h
                above = contracted(function, arrays, cotangents)
                array[i] = entry - h
                slopes.append((above - contracted(function, arrays, cotangents)) / (2 * h))
            array[i] = entry
            gradient[i] = (4 * slopes[1] - slopes[0]) / 3
        gradients.append(gradient)
    return gradients


def value_error(found, expected):
    """Largest difference, relative to the largest entry of its leaf; inf where shapes differ."""
    if [np.shape(y) for y in found] != [y.shape for y in expected]:
        return np.inf
    return max(
        (_relative(y, z, floor=1e-300) for y, z in zip(found, expected, strict=True) if z.size), default=0.0
    )


def gradient_error(claimed, expected):
    """Largest difference, relative to the largest entry of its input; inf where shapes differ.

    An input whose whole gradient is a thousand times smaller than another's is held to that thousandth.
    """
    if [np.shape(g) for g in claimed] != [g.shape for g in expected]:
        return np.inf
    floor = max(1e-3 * max(np.abs(g).max() for g in expected), 1e-3)
    return _worst(_relative(g, e, floor) for g, e in zip(claimed, expected, strict=True))


def _relative(found, expected, floor):
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), floor))


def _worst(errors):
    return float(np.max([0.0, *errors]))  # np.max, unlike max, keeps a NaN


def measured(idiom, seed=0):
    """(value error, gradient error), the worse of the point of the trace and one near it."""
    arrays = idiom.inputs(seed)
    copies = [a.copy() for a in arrays]
    np.random.seed(1)
    derived = vjp(lift(idiom.function, *arrays))
    rng = np.random.default_rng(seed + 1)
    values, gradients = [], []
    for point in (arrays, tuple(a + NEARBY * rng.uniform(-1, 1, a.shape) for a in arrays)):
        expected = called(idiom.function, point)
        cotangents = draw_cotangents(expected, seed)
        found, claimed = derived(point, cotangents)
        values.append(value_error(found, expected))
        gradients.append(gradient_error(claimed, differences(idiom.function, point, cotangents)))
    assert all(np.array_equal(a, copied) for a, copied in zip(arrays, copies, strict=True))
    return _worst(values), _worst(gradients)


@pytest.mark.parametrize("idiom", LIFTED, ids=lambda idiom: idiom.name)
def test_lifted_and_right_in_value_and_gradient(idiom):
    value, gradient = measured(idiom)
    assert value <= VALUE_TOLERANCE
    assert gradient <= GRADIENT_TOLERANCE


EXACT_SLOPES = {
    "where_guards_a_root": lambda x: np.where(x > 0, 0.5 / np.sqrt(np.abs(x)), 1),
    "error_state": lambda x: np.array([0, 2, 1]) * x,
}


@pytest.mark.parametrize(
    "idiom", [idiom for idiom in IDIOMS if idiom.expected == "undefined"], ids=lambda idiom: idiom.name
)
def test_where_jax_gives_nan_differences_decide(idiom):
    (x,) = idiom.inputs(0)
    value, gradient = measured(idiom)
    assert value <= VALUE_TOLERANCE
    assert np.isnan(gradient)

    slope = EXACT_SLOPES[idiom.name]
    assert check_gradients(idiom.function, x, vjp=lambda u, x: u * slope(x))
    assert not check_gradients(idiom.function, x, vjp=lambda u, x: 1.001 * u * slope(x))


@pytest.mark.parametrize("idiom", FLAGGED, ids=lambda idiom: idiom.name)
def test_flagged_with_what_is_lost_and_its_line(idiom):
    arrays = idiom.inputs(0)
    copies = [a.copy() for a in arrays]
    called(idiom.function, arrays)  # it runs as it stands
    with pytest.raises(Leak) as leak:
        lift(idiom.function, *arrays)
    assert leak.value.what
    file, _, line = leak.value.where.rpartition(":")
    assert file.endswith("idioms.py")
    assert idiom.fragment in LINES[int(line) - 1]
    assert all(np.array_equal(a, copied) for a, copied in zip(arrays, copies, strict=True))


def test_the_table_is_long_enough_and_names_are_different():
    assert len(IDIOMS) >= 90
    assert len(LIFTED) >= 85
    assert len({idiom.name for idiom in IDIOMS}) == len(IDIOMS)
    assert all(idiom.function.__doc__ for idiom in IDIOMS)
    assert all(sum(idiom.fragment in line for line in LINES) for idiom in FLAGGED)


@pytest.mark.parametrize("function", [table.zeros_by_name, table.swallowed, table.rows_in_threads])
def test_the_users_names_are_bound_to_numpy_again(function):
    (idiom,) = [idiom for idiom in IDIOMS if idiom.function is function]
    with pytest.raises(Leak) if idiom.expected == "flagged" else contextlib.nullcontext():
        lift(function, *idiom.inputs(0))
    assert table.np is np
    assert table.scipy is scipy
    assert table.zeros is np.zeros
    assert table.make_array is np.array
    assert table.logsumexp is scipy.special.logsumexp


def test_what_a_forward_remembers_is_no_stand_in_afterwards():
    for function, shape in ((table.kept_layer, (2, 3)), (table.remembered_in_the_module, (3,))):
        lift(function, *table.spread(shape)(0))
    assert type(table.KEPT.cache) is np.ndarray
    assert type(table.KEPT.b) is np.ndarray
    assert type(table.LAST) is np.ndarray
    assert {type(entry) for entry in table.HISTORY} == {np.ndarray}


ANALYTIC = (
    table.chain_of_ufuncs,
    table.exponentials,
    table.einsum_of_three,
    table.rotation_matrix,
    table.solve_and_inverse,
    table.newton_fixed,
    table.gram_schmidt,
    table.runge_kutta,
    table.layer_norm,
    table.lstm_step,
    table.kalman_step,
    table.pairwise_distances,
)


@pytest.mark.parametrize("function", ANALYTIC, ids=lambda function: function.__name__)
def test_differences_are_a_hundred_times_better_than_asked(function):
    (arrays,) = [idiom.inputs(0) for idiom in IDIOMS if idiom.function is function]
    cotangents = draw_cotangents(called(function, arrays), 0)
    exact = [np.empty_like(a) for a in arrays]
    for k, array in enumerate(arrays):
        for i in np.ndindex(array.shape):
            moved = [a.astype(complex) for a in arrays]
            moved[k][i] += 1e-30j
            leaves = [leaf for _, leaf in iter_leaves(function(*moved))]
            exact[k][i] = sum(np.vdot(c, y).imag for c, y in zip(cotangents, leaves, strict=True)) / 1e-30
    assert gradient_error(differences(function, arrays, cotangents), exact) <= 1e-2 * GRADIENT_TOLERANCE


WRONG_WAYS = {  # gradients of a dense layer that are not its own
    "one entry is off by a millionth": lambda gx, gw: (gx, gw + 1e-6 * np.abs(gw).max() * np.eye(*gw.shape)),
    "a sign": lambda gx, gw: (-gx, gw),
    "half of it": lambda gx, gw: (gx, gw / 2),
    "zero": lambda gx, gw: (0 * gx, gw),
    "not a number": lambda gx, gw: (gx, gw * np.nan),
    "a shape that broadcasts": lambda gx, gw: (gx[:1], gw),
    "one too few": lambda gx, gw: (gx,),
    "exchanged and transposed": lambda gx, gw: (gw.T, gx.T),
}


@pytest.mark.parametrize("wrong", WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_the_comparison_notices_a_wrong_gradient(wrong):
    (idiom,) = [idiom for idiom in IDIOMS if idiom.function is table.output_and_cache]
    arrays = idiom.inputs(0)
    cotangents = draw_cotangents(called(idiom.function, arrays), 0)
    right = differences(idiom.function, arrays, cotangents)
    assert gradient_error(right, right) == 0
    assert not gradient_error(wrong(*right), right) <= GRADIENT_TOLERANCE


def test_a_trace_that_lost_a_view_would_be_noticed():
    """The same loss with the row copied: another value, another gradient."""

    def lost(x):
        z = x * 1.0
        v = z[0].copy()
        v += 1
        v *= v
        return z * x

    arrays = table.spread((2, 3))(0)
    expected = called(table.row_is_a_view, arrays)
    cotangents = draw_cotangents(expected, 0)
    gradients = [differences(f, arrays, cotangents) for f in (lost, table.row_is_a_view)]
    assert value_error(called(lost, arrays), expected) > VALUE_TOLERANCE
    assert gradient_error(*gradients) > GRADIENT_TOLERANCE
