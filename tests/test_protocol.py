"""What a backward must honour besides numbers: right numbers that break a rule, and rules kept."""

import numpy as np
import pytest

from gradcheck import Reason, Verdict, check_gradients

RNG = np.random.default_rng(6)
X, W = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))


def broken(report):
    """The code of the one rule that is broken where all numbers are right."""
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.PROTOCOL)
    assert {leaf.verdict for leaf in report.leaves} == {Verdict.PASS}
    (finding,) = report.findings
    assert finding.message in " ".join(str(report).split())
    assert finding.remedy in " ".join(str(report).split())
    return finding.code


class Dense:
    def __init__(self):
        self.W, self.dW = W.copy(), np.zeros_like(W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Accumulating(Dense):
    def backward(self, dout):
        self.dW += self.x.T @ dout
        return dout @ self.W.T


class Emptied(Accumulating):
    def zero_grad(self):
        self.dW[...] = 0


class AddedTo(Accumulating):
    """Has its gradients added to and set from outside."""

    def set_grad(self, dW):
        self.dW = dW


class Remembering(Dense):
    def forward(self, x):
        if not hasattr(self, "x"):
            self.x = x
        return x @ self.W


class Averaging(Dense):
    """Keeps statistics of its own, as batch normalisation does."""

    mean = 0.0

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean()
        return super().forward(x)


class Dropping(Dense):
    """Draws another mask each time, from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        self.mask = self.rng.random(x.shape) < 0.7
        return super().forward(x * self.mask)

    def backward(self, dout):
        return super().backward(dout) * self.mask


@pytest.mark.parametrize("layer", [Dense, Emptied, AddedTo, Averaging, Dropping])
def test_a_layer_may_have_a_state_of_its_own(layer):
    report = check_gradients(layer(), X)
    assert report.verdict is Verdict.PASS, report


def test_gradients_that_add_up_and_are_never_emptied_accumulate():
    assert broken(check_gradients(Accumulating(), X)) == "accumulates"


def test_a_layer_that_remembers_its_first_input_has_a_stale_cache():
    assert broken(check_gradients(Remembering(), X)) == "stale-cache"


def test_a_cache_that_two_calls_share_is_stale():
    shared = {}

    def forward(x, w):
        shared["x"] = x
        return x @ w

    assert (
        broken(check_gradients((forward, lambda d, x, w: (d @ w.T, shared["x"].T @ d)), X, W))
        == "stale-cache"
    )
    own = check_gradients((lambda x, w: (x @ w, (x, w)), lambda d, c: (d @ c[1].T, c[0].T @ d)), X, W)
    assert own.verdict is Verdict.PASS


@pytest.mark.parametrize("limit", [5.0, 100.0])
def test_a_clipped_gradient_is_not_linear(limit):
    report = check_gradients(np.sin, X, vjp=lambda u, x: np.clip(u * np.cos(x), -limit, limit))
    assert broken(report) == "nonlinear-backward"


def test_a_backward_with_an_offset_is_not_linear_though_the_offset_is_tiny():
    report = check_gradients(np.sin, X, vjp=lambda u, x: u * np.cos(x) + 1e-14)
    assert report.verdict is Verdict.FAIL
    assert "nonlinear-backward" in [finding.code for finding in report.findings]


def test_a_backward_that_takes_a_cotangent_and_ignores_it_is_told_so():
    report = check_gradients(np.sin, X, vjp=lambda u, x: np.cos(x))
    assert report.verdict is Verdict.FAIL
    assert report.findings[0].code == "ignores-cotangent"
    assert check_gradients(lambda x: np.sin(x).sum(), X, gradients=np.cos).verdict is Verdict.PASS


def test_a_backward_that_counts_its_calls_is_not_the_same_twice():
    calls = []

    def vjp(u, x):
        calls.append(1)
        return u * np.cos(x) * (1 + 1e-5 * (len(calls) > 2))

    assert "accumulates" in [finding.code for finding in check_gradients(np.sin, X, vjp=vjp).findings]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_arithmetic_is_linear_but_for_its_rounding(dtype):
    def f(x):
        return np.sin(x.astype(dtype))

    report = check_gradients(f, X, vjp=lambda u, x: (u * np.cos(x)).astype(dtype))
    assert report.reason is not Reason.PROTOCOL, report


def test_what_writes_into_its_arguments_is_told_which():
    def vjp(u, x):
        u *= np.cos(x)
        return u

    report = check_gradients(np.sin, X, vjp=vjp)
    assert broken(report) == "mutates"
    assert report.findings[0].message == "the backward writes into the incoming gradient"
    assert (
        broken(check_gradients(lambda x: np.sin(x, out=x), X.copy(), vjp=lambda u, x: u * np.cos(x)))
        == "mutates"
    )


def test_a_forward_that_draws_anew_is_nondeterministic_and_its_backward_breaks_no_rule():
    rng = np.random.default_rng()

    def mask():
        return rng.random(X.shape) < 0.5

    report = check_gradients(lambda x: np.sin(x) * mask(), X, vjp=lambda u, x: u * np.cos(x) * mask())
    assert report.reason is not Reason.PROTOCOL
    assert report.verdict is not Verdict.PASS
