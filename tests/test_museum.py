"""Gradients that some version of this checker judged wrongly, and how they are judged now."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import ClaimError, Reason, Verdict, check_gradients, constant
from gradcheck.oracles import chosen

RNG = np.random.default_rng(0)


def relu(x):
    return np.maximum(x, 0)


def softmax(z, n=np):
    e = n.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# --- right gradients that were accused

RIGHT = {
    # The kink is nearer to the point than the finest step of the leaf's size, not of the entry's.
    "relu of a tiny entry": lambda: check_gradients(
        relu, np.array([1e-13, 1.0, -2.0, 0.5]), vjp=lambda u, x: u * (x > 0)
    ),
    # Rounding of x - mean(x) is that of the mean.
    "variance far from zero": lambda: check_gradients(
        np.var, 300 + RNG.standard_normal(20), gradients=lambda x: 2 * (x - x.mean()) / x.size
    ),
    # p - y cancels where the prediction is confident; a nudge of the logits does not show that.
    "confident cross-entropy beside JAX": lambda: check_gradients(
        lambda z, y: -(y * np.log(softmax(z))).sum(),
        RNG.standard_normal((3, 5)) + 10 * np.eye(5)[[0, 3, 2]],
        constant(np.eye(5)[[0, 3, 2]]),
        gradients=lambda z, y: softmax(z) - y,
        reference=lambda z, y: -(y * jax.nn.log_softmax(z)).sum(),
    ),
    "saturated tanh beside JAX": lambda: check_gradients(
        lambda x: np.tanh(x).sum(),
        np.array([7.0, -9.0, 8.0]),
        gradients=lambda x: 1 - np.tanh(x) ** 2,
        reference=lambda x: jnp.tanh(x).sum(),
    ),
    # The backward is given the cotangent in the output's dtype; the oracles have to use that one.
    "float32 output beside JAX": lambda: check_gradients(
        lambda w: (w @ np.array([1.0, 2.0, 3.0])).astype(np.float32),
        RNG.standard_normal((4, 3)),
        vjp=lambda u, w: np.outer(u.astype(float), [1.0, 2.0, 3.0]),
        reference=lambda w: w @ jnp.array([1.0, 2.0, 3.0]),
    ),
    # log(1 + 1e-8) is quantised: fine steps agree on a slope without it.
    "entropy of a confident prediction": lambda: check_gradients(
        lambda x: -(softmax(x[None]) * np.log(softmax(x[None]))).sum(),
        np.array([10.15431232, -8.41806438]),
        gradients=lambda x: np.prod(softmax(x[None])) * (x[0] - x[1]) * np.array([-1.0, 1.0]),
    ),
    # The loss rounds to exactly 0 and does not move; the gradient of 1e-17 is right.
    "a loss that rounds to zero": lambda: check_gradients(
        lambda z: -np.log(softmax(z))[0, 0],
        np.array([[40.0, 1.0, 0.0]]),
        gradients=lambda z: softmax(z) - np.eye(3)[:1],
    ),
    "a minimum where f is zero": lambda: check_gradients(
        lambda x: (x**2).sum(), np.zeros(3), gradients=lambda x: 2 * x
    ),
    "inputs named x and dx": lambda: check_gradients(
        lambda p: (np.sin(p["x"]) * p["dx"] ** 2).sum(),
        {"x": np.array([1.0, 2.0]), "dx": np.array([0.5, 0.6])},
        gradients=lambda p: {"x": np.cos(p["x"]) * p["dx"] ** 2, "dx": np.sin(p["x"]) * 2 * p["dx"]},
    ),
    "a tuple beside a constant": lambda: check_gradients(
        lambda t, c: ((t[0] * t[1]) * c).sum(),
        (np.array([1.0, 2.0]), np.array([3.0, 4.0])),
        constant(np.array([5.0, 6.0])),
        gradients=lambda t, c: ((t[1] * c, t[0] * c), None),
    ),
    "a tuple of one": lambda: check_gradients(
        lambda t: (t[0] ** 2).sum(), (np.array([1.0, 2.0]),), gradients=lambda t: ((2 * t[0],),)
    ),
    "a list around one gradient": lambda: check_gradients(
        lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=lambda x: [2 * x]
    ),
    "a dictionary for one array": lambda: check_gradients(
        lambda w: (w**2).sum(), np.array([1.0, 2.0]), gradients=lambda w: {"dw": 2 * w}
    ),
    "a constant inside a container": lambda: check_gradients(
        lambda p: (p["X"] @ p["W"]).sum(),
        {"W": np.array([1.0, 2.0]), "X": constant(np.ones((3, 2)))},
        gradients=lambda p: {"dW": p["X"].sum(0)},
    ),
    "a read-only mapping": lambda: check_gradients(
        lambda p: (p["w"] ** 2).sum(),
        types.MappingProxyType({"w": np.array([1.0, 2.0])}),
        gradients=lambda p: {"w": 2 * p["w"]},
    ),
    "sizes whose squares overflow": lambda: check_gradients(
        lambda x: 3 * x, np.array([1e160, 1e-200, 1.0]), vjp=lambda u, x: 3 * u
    ),
}


# A kink far smaller than the curvature beside it: x is at it, or 1e-8 off.
@pytest.mark.parametrize("weight", [1e-4, 1e-3, 1e-2, 1.0])
@pytest.mark.parametrize("offset", [0.0, 1e-10, 1e-9, 1e-8])
def test_a_small_kink_beside_large_curvature_is_not_taken_for_its_middle(weight, offset):
    report = check_gradients(
        lambda x: 100 * (x**2).sum() + weight * relu(x - offset).sum(),
        np.array([offset, 1.0, 2.0]),
        gradients=lambda x: 200 * x + weight * (x > offset),
    )
    assert report.verdict is not Verdict.FAIL


def test_a_zero_gradient_that_rounds_is_zero_for_an_oracle_that_knows():
    """The bias before a normalisation: the loss does not depend on it, the sum of the backward rounds."""
    X, w = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 4))

    def f(b):
        z = X + b
        return float((w * (z - z.mean(axis=0)) ** 2).sum())

    def backward(b):
        z = X + b
        d = 2 * w * (z - z.mean(axis=0))
        return (d - d.mean(axis=0)).sum(axis=0)

    assert np.abs(backward(np.full(4, 0.3))).max() < 1e-14
    report = check_gradients(
        f,
        np.full(4, 0.3),
        gradients=backward,
        reference=lambda b: (w * (X + b - (X + b).mean(axis=0)) ** 2).sum(),
    )
    assert report.verdict is not Verdict.FAIL


# All of the gradient is smaller than the rounding of the terms that it is made of.
UNRESOLVED = ("a loss that rounds to zero",)


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_gradient_is_not_accused(case):
    report = RIGHT[case]()
    expected = (Verdict.UNDECIDED, Reason.NOISE) if case in UNRESOLVED else (Verdict.PASS, None)
    assert (report.verdict, report.reason) == expected, report


@pytest.mark.parametrize("case", ["relu of a tiny entry", "a loss that rounds to zero"])
def test_what_differences_alone_cannot_tell_they_say(case, monkeypatch):
    monkeypatch.setattr("gradcheck.check.chosen", lambda _: chosen("finite-difference"))
    report = RIGHT[case]()
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NOISE), report


@pytest.mark.parametrize("distance", [1e-14, 1e-13, 1e-12])
def test_a_relu_whose_kink_is_nearer_than_any_step_is_not_accused(distance):
    report = check_gradients(lambda x: relu(x - 1), 1 + distance, vjp=lambda u, x: u)
    assert report.verdict is not Verdict.FAIL


def test_a_relu_at_zero_up_to_rounding_is_not_accused():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        W, x = rng.standard_normal((1, 50)), rng.standard_normal(50)
        b = -(W * x).sum(axis=1)
        report = check_gradients(
            lambda x, W=W, b=b: relu(W @ x + b), x, vjp=lambda u, x, W=W, b=b: ((W @ x + b > 0) * u) @ W
        )
        assert report.verdict is not Verdict.FAIL, seed


def test_a_plateau_is_not_called_wrong():
    report = check_gradients(
        lambda x: np.round(x, 3).sum(), np.array([0.5, 1.0]), gradients=lambda x: np.zeros(2)
    )
    assert report.verdict is Verdict.PASS  # the derivative is 0 wherever there is one
    assert "the gradient is zero here" in str(report)


def test_large_leaves_full_of_kinks_are_undecided_and_not_accused():
    x = relu(np.random.default_rng(0).standard_normal((40, 40)))
    report = check_gradients(relu, x, vjp=lambda u, x: u * (x > 0))
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.KINK)


def test_a_cotangent_that_a_derivative_of_infinity_meets_is_no_finite_truth():
    with np.errstate(all="ignore"):
        report = check_gradients(
            lambda x: np.cbrt(x).sum(), np.array([0.0, 1.0]), gradients=lambda x: 1 / (3 * np.cbrt(x) ** 2)
        )
    assert (report.verdict, report.reason) == (Verdict.UNDECIDED, Reason.NONFINITE)


# --- wrong gradients that passed

WRONG = {
    "kinks among a thousand entries": lambda: check_gradients(
        lambda x: relu(x).sum(), kinked(), gradients=lambda x: (x > 0) * 1.5
    ),
    "kinks among a thousand entries, beside JAX": lambda: check_gradients(
        lambda x: relu(x).sum(),
        kinked(),
        gradients=lambda x: (x > 0) * 1.5,
        reference=lambda x: jnp.maximum(x, 0).sum(),
    ),
    # Below the noise of differences, which is not the same as zero.
    "the derivative of a saturated unit": lambda: check_gradients(
        np.tanh, np.array([17.0, -17.5]), vjp=lambda u, x: -u * (1 - np.tanh(x) ** 2)
    ),
    "a term that the others drown": lambda: check_gradients(
        lambda a, b: 1e12 * a.sum() + 1e-5 * np.sin(b).sum(),
        np.ones(3),
        np.ones(2),
        gradients=lambda a, b: (1e12 * np.ones(3), 3e-5 * np.cos(b)),
    ),
    # One entry of three thousand is a small part of a random direction.
    "an entry below what directions can see": lambda: check_gradients(
        lambda x: np.sin(x).sum() + 1e6, RNG.standard_normal(3000), gradients=nearly_cosine
    ),
}


def kinked():
    x = np.random.default_rng(5).standard_normal(2000)
    x[::2] = 0
    return x


def nearly_cosine(x):
    gradient = np.cos(x)
    gradient[7] += 2e-5
    return gradient


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_gradient_does_not_pass(case):
    assert WRONG[case]().verdict is not Verdict.PASS


def test_one_kinked_entry_does_not_hide_another():
    """The oracles may differ at a kink; where they agree against the claim, it is wrong."""
    report = check_gradients(
        lambda x: np.abs(x).sum(),
        np.array([0.0, 1.0, -0.5]),
        gradients=lambda x: np.array([0.3, 1.0, 9.0]),
        reference=lambda x: jnp.abs(x).sum(),
    )
    assert (report.verdict, report.leaves[0].worst_index) == (Verdict.FAIL, (2,))


# --- causes that were stated and not true


def test_a_cotangent_is_not_taken_for_a_factor():
    report = check_gradients(lambda x: np.sum(x**2), np.array([1.0, 2.0, 3.0]), vjp=lambda u, x: 2 * x)
    assert report.verdict is Verdict.FAIL
    assert [finding.code for finding in report.findings] == ["ignores-cotangent"]


def test_a_fresh_point_differs_from_zeros_too():
    report = check_gradients(lambda x: np.sin(x).sum(), np.zeros(3), gradients=lambda x: 1 + np.exp(x))
    assert report.verdict is Verdict.FAIL
    assert report.findings == ()


def test_integer_labels_are_data_and_tell_the_number_of_examples():
    X, y = RNG.standard_normal((5, 3)), np.array([0, 1, 2, 1, 0])

    def loss(w, x, y):
        return -np.log(softmax(x @ w))[range(len(y)), y].mean()

    def summed(w, x, y):
        return x.T @ (softmax(x @ w) - np.eye(3)[y])

    report = check_gradients(loss, RNG.standard_normal((3, 3)), constant(X), y, gradients=summed)
    assert [f.message for f in report.findings] == ["5 times too large, 5 is the number of examples"]


def test_four_features_are_not_called_examples():
    class Scale:
        def __init__(self):
            self.w = np.ones(4)

        def forward(self, x):
            self.x = x
            return x * self.w

        def backward(self, dout):
            self.dw = 4 * dout * self.x
            return dout * self.w

    report = check_gradients(Scale(), np.array([1.0, 2.0, 3.0, 4.0]))
    assert [f.message for f in report.findings] == ["4 times too large; 4 is also the length of axis 0 of x"]


# --- layers


class Dense:
    """Keeps its input, its output and their gradients under paired names."""

    def __init__(self):
        self.W = np.random.default_rng(1).standard_normal((3, 4))

    def forward(self, x):
        self.x = x
        self.out = np.tanh(x @ self.W)
        return self.out

    def backward(self, dout):
        self.dout = dout
        d = dout * (1 - self.out**2)
        self.dW = self.x.T @ d
        self.dx = d @ self.W.T
        return self.dx


def test_what_a_layer_cached_in_an_earlier_run_is_no_parameter():
    layer, X = Dense(), RNG.standard_normal((5, 3))
    layer.backward(layer.forward(X))
    report = check_gradients(layer, X)
    assert report.verdict is Verdict.PASS
    assert [leaf.name for leaf in report.leaves] == ["x", "W"]
    assert report.not_checked == ()


def test_one_array_under_two_names_is_one_parameter_whose_gradients_add_up():
    class Tied:
        def __init__(self):
            self.W = np.random.default_rng(1).standard_normal((3, 3))
            self.V = self.W

        def forward(self, x):
            self.x, self.h = x, x @ self.W
            return self.h @ self.V

        def backward(self, dout):
            self.dV = self.h.T @ dout
            self.dW = self.x.T @ (dout @ self.V.T)
            return dout @ self.V.T @ self.W.T

    report = check_gradients(Tied(), RNG.standard_normal((5, 3)))
    assert report.verdict is Verdict.PASS
    assert [leaf.name for leaf in report.leaves] == ["x", "W"]


def test_parameters_out_of_sight_are_said_to_be_unchecked():
    class Stack:
        def __init__(self):
            self.params = {"W": np.ones((3, 3))}
            self.inner = Dense()
            self.np = np  # modules cannot be copied, and need not be

        def forward(self, x):
            return self.np.asarray(x @ self.params["W"])

        def backward(self, dout):
            return dout @ self.params["W"].T

    report = check_gradients(Stack(), RNG.standard_normal((5, 3)))
    assert report.verdict is Verdict.PASS
    assert report.not_checked == (
        "params['W']: no dW or the like after backward",
        "inner.W: no dW or the like after backward",
    )


def test_a_layer_may_use_slots():
    class Slotted:
        __slots__ = ("W", "dW", "x")

        def __init__(self):
            self.W = np.ones((3, 2))

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return dout @ self.W.T

    report = check_gradients(Slotted(), RNG.standard_normal((5, 3)))
    assert report.verdict is Verdict.PASS
    assert [leaf.name for leaf in report.leaves] == ["x", "W"]


# --- the user's world


def test_a_generator_among_the_data_is_drawn_from_in_copies():
    generator = np.random.default_rng(3)
    state = generator.bit_generator.state
    assert check_gradients(
        lambda x, g: (x * g.random(3)).sum(),
        np.ones(3),
        constant(generator),
        gradients=lambda x, g: g.random(3),
    )
    assert generator.bit_generator.state == state


def test_error_settings_that_a_forward_changes_are_restored():
    before = np.geterr()

    def f(x):
        np.seterr(all="raise")
        return (x**2).sum()

    check_gradients(f, np.array([1.0, 2.0]), gradients=lambda x: 2 * x)
    assert np.geterr() == before


def test_the_users_exception_carries_a_note_of_where_it_was_raised():
    def broken(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        check_gradients(broken, np.ones(2), gradients=lambda x: x)
    assert caught.value.__notes__ == ["gradcheck: raised by forward evaluation 1"]
    with pytest.raises(jax.errors.TracerArrayConversionError) as twin:
        check_gradients(lambda x: np.sin(x).sum(), np.ones(2), gradients=np.cos, reference=np.sin)
    note = "gradcheck: raised where JAX differentiates; write that function in jax.numpy"
    assert note in twin.value.__notes__


def test_an_integer_at_a_probe_is_a_step_not_taken():
    report = check_gradients(lambda x: 0 if x < 0.9 else x - 0.9, 1.0, gradients=lambda x: 1.0)
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("oracles", [None, 5, [["autodiff"]], ["autodiff", "none"]])
def test_oracles_of_any_other_kind_are_refused(oracles):
    with pytest.raises(ClaimError, match="names no oracle that exists"):
        check_gradients(lambda x: x, 1.0, gradients=1.0, oracles=oracles)


@pytest.mark.parametrize(
    "options", [{"names": 5}, {"names": (["a"],)}, {"sensitivity": None}, {"seed": True}]
)
def test_options_of_any_other_kind_are_refused(options):
    with pytest.raises(ClaimError):
        check_gradients(lambda x: x, 1.0, gradients=1.0, **options)


def test_a_claim_takes_no_second_set_of_inputs():
    from gradcheck.adapters import from_gradients

    claim = from_gradients(lambda x: x**2, 3.0, gradients=6.0, names=("x",))
    assert check_gradients(claim)
    with pytest.raises(ClaimError, match="a Claim carries its own inputs and options: pass it alone"):
        check_gradients(claim, 3.0)


def test_a_numpy_integer_is_a_seed():
    report = check_gradients(lambda x: x**2, 3.0, gradients=6.0, seed=np.int64(3))  # type: ignore[arg-type]
    assert report.seed == 3
    assert type(report.seed) is int


def test_a_backward_that_refuses_single_precision_is_judged_all_the_same():
    def gradient(x):
        if x.dtype != np.float64:
            raise TypeError("float64 only")
        return 2 * x

    assert check_gradients(lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=gradient)
    assert not check_gradients(
        lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=lambda x: gradient(x) + 1e-5
    )
