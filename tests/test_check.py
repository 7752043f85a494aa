"""Every way to make a claim: the right gradient passes, the wrong one fails at the right leaf."""

import collections
import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import (
    GradientMismatch,
    GradientUndecided,
    Reason,
    Verdict,
    assert_gradients,
    check_gradients,
    constant,
)

RNG = np.random.default_rng(11)
X, W, B = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 4)), RNG.standard_normal(4)


def affine(x, w, b):
    return np.tanh(x @ w + b)


def affine_vjp(u, x, w, b):
    d = u * (1 - affine(x, w, b) ** 2)
    return d @ w.T, x.T @ d, d.sum(axis=0)


def affine_jax(x, w, b):
    return jnp.tanh(x @ w + b)


def half_sum_of_squares(x):
    return 0.5 * float((x**2).sum())


def leaf(report, name):
    return next(leaf for leaf in report.leaves if leaf.name == name)


def test_a_right_vjp_passes_entry_by_entry():
    report = check_gradients(affine, X, W, B, vjp=affine_vjp)
    assert report.verdict is Verdict.PASS
    assert bool(report)
    assert report.reason is None
    assert [(r.name, r.shape, r.compared) for r in report.leaves] == [
        ("x", (5, 3), 15),
        ("w", (3, 4), 12),
        ("b", (4,), 4),
    ]
    assert all(r.detection_limit <= 1e-8 for r in report.leaves)


@pytest.mark.parametrize("wrong", [0, 1, 2], ids=["x", "w", "b"])
def test_one_wrong_entry_of_a_part_in_a_million_fails_at_its_leaf_and_index(wrong):
    def vjp(u, *inputs):
        gradients = list(affine_vjp(u, *inputs))
        worst = np.unravel_index(np.argmax(np.abs(gradients[wrong])), gradients[wrong].shape)
        gradients[wrong][worst] *= 1 + 1e-6
        places.append(worst)
        return tuple(gradients)

    places = []
    report = check_gradients(affine, X, W, B, vjp=vjp)
    assert report.verdict is Verdict.FAIL
    assert report.reason is Reason.MISMATCH
    assert [r.verdict is Verdict.FAIL for r in report.leaves] == [i == wrong for i in range(3)]
    assert report.leaves[wrong].worst_index == tuple(map(int, places[0]))
    assert report.leaves[wrong].error == pytest.approx(1e-6, rel=1e-2)


def test_a_jax_reference_is_a_second_oracle_that_agrees():
    report = check_gradients(affine, X, W, B, vjp=affine_vjp, reference=affine_jax)
    assert report.verdict is Verdict.PASS
    autodiff, differences = report.oracles
    assert (autodiff.name, differences.name) == ("autodiff", "finite-difference")
    assert autodiff.agrees_with_claim
    assert differences.agrees_with_claim
    assert autodiff.agrees_with == ("finite-difference",)
    assert all(r.detection_limit < 1e-11 for r in report.leaves)
    # Along one line through all leaves differences bear the two out; asked by name, for every leaf.
    assert [row.leaf for row in report.agreements] == ["x", "w", "b"] + 3 * ["all together"]
    oracles = ("autodiff", "finite-difference")
    report = check_gradients(affine, X, W, B, vjp=affine_vjp, reference=affine_jax, oracles=oracles)
    assert [row.leaf for row in report.agreements] == 3 * ["x"] + 3 * ["w"] + 3 * ["b"]


def test_a_reference_of_another_function_is_not_used():
    report = check_gradients(affine, X, W, B, vjp=affine_vjp, reference=lambda x, w, b: jnp.tanh(x @ w))
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.FORWARD_DISAGREES)
    assert "they are two functions" in report.oracles[0].why_not
    report = check_gradients(affine, X, W, B, vjp=affine_vjp, reference=lambda x, w, b: (x @ w + b).sum())
    assert "shapes" in report.oracles[0].why_not


def test_a_wrong_gradient_fails_even_beside_a_reference_of_another_function():
    report = check_gradients(
        affine, X, W, B, vjp=lambda u, *a: tuple(2 * g for g in affine_vjp(u, *a)), reference=lambda *_: 0.0
    )
    assert report.verdict is Verdict.FAIL


def test_autodiff_alone_judges_too():
    right = check_gradients(affine, X, W, B, vjp=affine_vjp, reference=affine_jax, oracles="autodiff")
    wrong = check_gradients(
        affine,
        X,
        W,
        B,
        vjp=lambda u, *a: tuple(g * (1 + 1e-9) for g in affine_vjp(u, *a)),
        reference=affine_jax,
        oracles=("autodiff",),
    )
    assert right.verdict is Verdict.PASS
    assert wrong.verdict is Verdict.FAIL


def leaky(x, w, b):
    """The affine function in a way that no trace follows."""
    return x @ w + [float(entry) for entry in b]


def test_no_oracle_is_no_pass():
    report = check_gradients(leaky, X, W, B, vjp=affine_vjp, oracles=("autodiff",))
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NO_POWER)
    assert not report.oracles[0].available
    assert "float() takes a number out of the trace" in report.oracles[0].why_not


@pytest.mark.parametrize(
    "gradients",
    [lambda x: x, X, [list(row) for row in X], (X,)],
    ids=["function", "values", "lists", "tuple"],
)
def test_a_scalar_function_with_its_gradient(gradients):
    assert check_gradients(half_sum_of_squares, X, gradients=gradients)


@pytest.mark.parametrize("gradients", [lambda x: 2 * x, 2 * X, -X], ids=["function", "values", "sign"])
def test_a_scalar_function_with_a_wrong_gradient(gradients):
    report = check_gradients(half_sum_of_squares, X, gradients=gradients)
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.MISMATCH)


def test_a_function_that_returns_its_gradient_beside_its_value():
    assert check_gradients(lambda x: (half_sum_of_squares(x), x), X, gradients=True)
    assert not check_gradients(lambda x: (half_sum_of_squares(x), x + 1e-5), X, gradients=True)


def test_a_jax_forward_needs_no_reference():
    report = check_gradients(
        affine_jax, X, W, B, vjp=lambda u, *a: affine_vjp(np.asarray(u), *map(np.asarray, a))
    )
    assert report.verdict is Verdict.PASS
    assert report.oracles[0].available
    assert report.sensitivity == 1e-6


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Layer:
    w: np.ndarray
    size: int


@pytest.mark.parametrize(
    ("inputs", "square", "names"),
    [
        ({"a": X, "b": [B]}, lambda t: {"da": 2 * t["a"], "b": [2 * t["b"][0]]}, ["t['a']", "t['b'][0]"]),
        (Point(X, B), lambda t: Point(2 * t.x, 2 * t.y), ["t.x", "t.y"]),
        (Layer(X, 3), lambda t: Layer(2 * t.w, 0), ["t.w"]),
        (Layer(X, 3), lambda t: {"dw": 2 * t.w}, ["t.w"]),
        ([X, {"n": 3, "b": B}], lambda t: [2 * t[0], {"b": 2 * t[1]["b"]}], ["t[0]", "t[1]['b']"]),
    ],
    ids=["dict", "namedtuple", "dataclass", "dataclass-by-dict", "integers-among-floats"],
)
def test_containers_of_inputs_are_named_by_path(inputs, square, names):
    def total(t):
        values = t.values() if isinstance(t, dict) else t if isinstance(t, list | tuple) else [t.w]
        return sum(
            total(v) if isinstance(v, dict | list) else (np.asarray(v, float) ** 2).sum() for v in values
        )

    report = check_gradients(lambda t: total(t), inputs, gradients=square)
    assert report.verdict is Verdict.PASS, report
    assert [r.name for r in report.leaves] == names


def test_dictionaries_answer_by_lecture_names_and_keep_their_intermediates():
    params = {"W1": W, "b1": B}

    def cost(params):
        return (np.tanh(X @ params["W1"] + params["b1"]) ** 2).sum()

    def grads(params):
        a = np.tanh(X @ params["W1"] + params["b1"])
        dZ = 2 * a * (1 - a**2)
        return {"dZ1": dZ, "dW1": X.T @ dZ, "b1": dZ.sum(axis=0)}

    assert check_gradients(cost, params, gradients=grads)
    assert check_gradients(lambda W1, b1: cost({"W1": W1, "b1": b1}), W, B, gradients=grads(params)), (
        "several inputs take a dictionary too"
    )


def test_constants_are_data_and_take_no_gradient():
    def loss(x, y, w):
        return ((x @ w - y) ** 2).mean()

    Y = RNG.standard_normal((5, 4))

    def grad(x, y, w):
        return 2 * x.T @ (x @ w - y) / y.size

    for gradients in (grad, lambda *a: (None, None, grad(*a)), lambda *a: (grad(*a),)):
        report = check_gradients(loss, constant(X), constant(Y), W, gradients=gradients)
        assert report
        assert [r.name for r in report.leaves] == ["w"]


def test_none_stands_for_zero_and_is_judged_as_such():
    def f(x, y):
        return (x**2).sum()

    assert check_gradients(f, X, B, gradients=lambda x, y: (2 * x, None))
    report = check_gradients(f, X, B, gradients=lambda x, y: (None, None))
    assert leaf(report, "x").verdict is Verdict.FAIL
    assert leaf(report, "y").verdict is Verdict.PASS
    assert leaf(report, "y").remark == "the gradient is zero here"


def test_a_subgradient_at_a_kink_is_accepted_and_what_is_none_is_not():
    x = np.array([0.0, 1.0, -2.0])

    def claim(at_zero):
        return lambda x: np.where(x == 0, at_zero, np.sign(x))

    for subgradient in (-1.0, 0.0, 0.5, 1.0):
        report = check_gradients(lambda x: np.abs(x).sum(), x, gradients=claim(subgradient))
        assert report.verdict is Verdict.PASS
        assert report.leaves[0].remark == "at a kink: the claim is a subgradient"
    report = check_gradients(lambda x: np.abs(x).sum(), x, gradients=claim(7.0))
    assert report.verdict is Verdict.FAIL
    assert report.leaves[0].worst_index == (0,)


def test_autodiff_may_not_accuse_a_subgradient_that_differs_from_its_own():
    report = check_gradients(
        lambda x: np.abs(x).sum(),
        np.array([0.0, 1.0]),
        gradients=lambda x: np.where(x == 0, 0.5, np.sign(x)),
        reference=lambda x: jnp.abs(x).sum(),
    )
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (lambda x: 2 * x, Verdict.PASS),  # what the forward's own values say outvotes JAX
        (lambda x: x, Verdict.UNDECIDED),  # what JAX says convicts nobody, and acquits nobody
        (lambda x: 3 * x, Verdict.UNDECIDED),  # two oracles that contradict each other
    ],
)
def test_oracles_that_contradict_each_other_convict_nobody(claim, verdict):
    """stop_gradient hides half of the derivative from JAX."""
    import jax

    report = check_gradients(
        lambda x: (x * x).sum(),
        B,
        gradients=claim,
        reference=lambda x: (x * jax.lax.stop_gradient(x)).sum(),
    )
    assert report.verdict is verdict
    assert report.reason is (None if verdict is Verdict.PASS else Reason.ORACLES_DISAGREE)
    assert ("outvoted" in report.leaves[0].remark) is (verdict is Verdict.PASS)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (5, 4), ()])
def test_a_gradient_of_the_wrong_shape_fails_and_is_no_error(shape):
    report = check_gradients(affine, X, W, B, vjp=lambda u, *a: (*affine_vjp(u, *a)[:2], np.zeros(shape)))
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.SHAPE)
    assert leaf(report, "b").remark == f"the gradient has shape {shape}, b has (4,)"
    assert leaf(report, "w").verdict is Verdict.PASS


def test_a_gradient_that_is_not_finite_where_the_truth_is_fails():
    report = check_gradients(half_sum_of_squares, B, gradients=lambda x: np.where(x == x[2], np.nan, x))
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.NONFINITE)
    assert report.leaves[0].worst_index == (2,)


def test_a_forward_that_is_not_finite_is_out_of_domain():
    with np.errstate(all="ignore"):
        report = check_gradients(lambda x: np.log(x).sum(), np.array([0.0, 1.0]), gradients=lambda x: 1 / x)
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.OUT_OF_DOMAIN)


def test_a_forward_with_a_fresh_mask_is_nondeterministic():
    rng = np.random.default_rng(0)
    report = check_gradients(
        lambda x: (x * (rng.random(x.shape) < 0.5)).sum(), B, gradients=lambda x: np.ones_like(x) / 2
    )
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NONDETERMINISTIC)


def test_noise_that_hides_errors_of_the_size_asked_for_is_no_pass():
    def f(x):  # as a solver that stops early
        return float((np.sin(x) + 1e-7 * np.modf(1e5 * np.sin(1e15 * x))[0]).sum())

    report = check_gradients(f, B, gradients=np.cos)
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NOISE)
    assert check_gradients(f, B, gradients=np.cos, sensitivity=0.1)
    assert not check_gradients(f, B, gradients=lambda x: -np.cos(x), sensitivity=0.1)


def test_float32_arithmetic_is_judged_at_its_own_sensitivity():
    x = B.astype(np.float32)
    promoted = check_gradients(lambda x: np.sin(x).sum(), x, gradients=np.cos)
    assert (promoted.verdict, promoted.sensitivity, promoted.leaves[0].dtype) == (
        Verdict.PASS,
        1e-6,
        "float32",
    )
    narrow = check_gradients(lambda x: np.sin(x.astype(np.float32)), x, vjp=lambda u, x: u * np.cos(x))
    assert (narrow.verdict, narrow.sensitivity) == (Verdict.PASS, 1e-3)
    wrong = check_gradients(lambda x: np.sin(x.astype(np.float32)), x, vjp=lambda u, x: 1.01 * u * np.cos(x))
    assert wrong.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "x",
    [
        np.array(0.3),
        0.3,
        X.T,
        X[::2, ::-1],
        np.asfortranarray(X),
        X.astype(">f8"),
        X.astype(np.longdouble),
        X.astype(np.float16),
        jnp.asarray(X),
    ],
    ids=["0-d", "float", "T", "strided", "fortran", "big-endian", "longdouble", "float16", "jax"],
)
def test_arrays_of_every_make(x):
    assert check_gradients(np.sin, x, vjp=lambda u, x: u * np.cos(x))
    assert not check_gradients(np.sin, x, vjp=lambda u, x: u * np.cos(x) * (1 + 1e-5))


def test_an_empty_leaf_beside_others_is_compared_with_nothing():
    report = check_gradients(
        lambda x, e: (x**2).sum() + e.sum(), X, np.zeros((0, 3)), gradients=lambda x, e: (2 * x, e)
    )
    assert report.verdict is Verdict.PASS
    assert leaf(report, "e").compared == 0
    assert leaf(report, "e").remark == "empty: nothing to compare"


def test_several_outputs_are_contracted_with_a_cotangent_each():
    def f(x):
        return {"sin": np.sin(x), "square": x**2}

    assert check_gradients(f, B, vjp=lambda u, x: u["sin"] * np.cos(x) + u["square"] * 2 * x)
    assert not check_gradients(f, B, vjp=lambda u, x: u["sin"] * np.cos(x) + u["sin"] * 2 * x)


def test_a_backward_that_ignores_its_cotangent_fails():
    assert not check_gradients(half_sum_of_squares, B, vjp=lambda u, x: x)
    assert check_gradients(half_sum_of_squares, B, vjp=lambda u, x: u * x)


def test_large_leaves_are_judged_along_directions():
    big = RNG.standard_normal((60, 50))
    right = check_gradients(half_sum_of_squares, big, gradients=lambda x: x)
    assert right.verdict is Verdict.PASS
    assert right.leaves[0].compared == 3
    assert right.evaluations.forward < 100
    wrong = check_gradients(half_sum_of_squares, big, gradients=lambda x: np.where(x == x.max(), 2 * x, x))
    assert wrong.verdict is Verdict.FAIL
    assert wrong.leaves[0].worst_index == np.unravel_index(big.argmax(), big.shape)


def test_a_forward_that_reuses_its_buffer_or_returns_a_view_is_run_on_copies():
    buffer = np.empty(4)

    def f(x):
        return np.multiply(x, x, out=buffer)

    given = B.copy()
    assert check_gradients(f, given, vjp=lambda u, x: 2 * u * x)
    assert np.array_equal(given, B)
    assert check_gradients(lambda x: x[::2], B, vjp=lambda u, x: np.array([u[0], 0, u[1], 0]))


def test_assert_gradients_raises_with_the_report():
    assert assert_gradients(half_sum_of_squares, B, gradients=lambda x: x)
    with pytest.raises(GradientMismatch, match="the gradient of x is wrong") as caught:
        assert_gradients(half_sum_of_squares, B, gradients=lambda x: -x)
    assert caught.value.report.verdict is Verdict.FAIL
    with pytest.raises(GradientUndecided, match="allow_undecided=True") as undecided:
        assert_gradients(leaky, X, W, B, vjp=affine_vjp, oracles="autodiff")
    assert undecided.value.report.reason is Reason.NO_POWER
    report = assert_gradients(leaky, X, W, B, vjp=affine_vjp, oracles="autodiff", allow_undecided=True)
    assert report.verdict is Verdict.UNDECIDED


def test_the_same_seed_gives_the_same_report():
    first, again, other = (check_gradients(affine, X, W, B, vjp=affine_vjp, seed=s) for s in (4, 4, 5))
    assert first == again
    assert first.leaves[0].claimed != other.leaves[0].claimed
    assert (first.seed, other.seed) == (4, 5)


def test_the_users_own_exception_passes_through():
    def broken(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        check_gradients(broken, B, gradients=lambda x: x)
    with pytest.raises(ZeroDivisionError, match="mine"):
        check_gradients(half_sum_of_squares, B, gradients=broken)


def test_a_reference_that_branches_on_values_is_run_eagerly():
    def branching(x):
        return jnp.sin(x).sum() if x[0] > -100 else jnp.zeros(())

    report = check_gradients(lambda x: np.sin(x).sum(), B, gradients=np.cos, reference=branching)
    assert report.verdict is Verdict.PASS
    assert report.oracles[0].available
