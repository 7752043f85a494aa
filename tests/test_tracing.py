"""Recording a NumPy forward: what a trace knows, what it leaves as it was, what it refuses."""

import contextlib
import functools
import sys
import threading

import jax
import jax.extend
import numpy as np
import pytest
from numpy import zeros

from gradcheck import Verdict, check_gradients, reference
from gradcheck.tracing import derive
from gradcheck.tracing.branches import signature
from gradcheck.tracing.lift import Leak, lift
from gradcheck.tracing.lineage import Lineage
from gradcheck.tracing.programs import program
from gradcheck.tracing.structure import structure
from manual import row_major

X = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -0.2]])
ONE = (np.ones(()),)


def gradient(function, *arrays):
    _, found = derive.vjp(lift(function, *arrays))(arrays, ONE)
    return found


def branching(x):
    doubled = 2 * x
    kept = np.maximum(doubled, 0)
    if kept.sum() > 1:
        kept = 3 * kept
    return (kept + np.abs(x) + np.sort(x)).sum()


def filled(x):
    out = zeros(3)
    for i in range(3):
        out[i] = x[i] ** 2
    return out.sum()


class Stateful:
    def __init__(self, scale):
        self.scale = scale
        self.seen = []

    def forward(self, x):
        self.x = x
        self.seen.append(x * self.scale)
        return (self.seen[-1] ** 2).sum()


def test_a_trace_gives_value_vjp_and_jvp():
    x = np.array([1.0, -2.0, 0.3])
    trace = lift(branching, x)
    assert float(trace.values[0]) == branching(x)
    (outputs, (by_x,)) = derive.vjp(trace)((x,), ONE)
    assert outputs[0] == pytest.approx(branching(x), rel=1e-15)
    np.testing.assert_allclose(by_x, [8.0, 0.0, 8.0])
    _, (along,) = derive.jvp(trace)((x,), (np.array([1.0, 10.0, 100.0]),))
    assert along == pytest.approx(808.0)


def test_the_truth_of_an_if_guards_the_trace():
    x = np.array([1.0, -2.0, 0.3])
    run = derive.value_and_guards(lift(branching, x))
    (_, (here,)), (other, (there,)) = run((x,)), run((x / 10,))
    assert (bool(here), bool(there)) == (True, False)
    assert other[0] != pytest.approx(branching(x / 10))


def test_the_derivative_by_a_local_variable():
    x = np.array([1.0, -2.0, 0.3])
    trace = lift(branching, x)
    assert {"x", "doubled", "kept"} <= set(trace.intermediates)
    known = {name: variable for name, variable, _ in Lineage.of(trace).named()}
    _, by_doubled, by_kept = derive.by_variables(trace, (known["doubled"], known["kept"]))(x, *ONE)
    np.testing.assert_allclose(by_doubled, [3.0, 0.0, 3.0])
    assert by_kept.shape == x.shape


def test_second_derivatives_come_from_the_trace_of_the_vjp():
    trace = lift(lambda x: (x**3).sum(), X)
    shared = structure(trace)
    once = program(derive.pulled, shared, (shared.inputs, shared.results))
    with jax.enable_x64(True):
        hessian_diagonal = jax.grad(lambda x: jax.extend.core.jaxpr_as_fun(once)(x, np.ones(()))[1].sum())(X)
    np.testing.assert_allclose(hessian_diagonal, 6 * X)


def test_the_signature_changes_exactly_where_a_branch_does():
    x = np.array([1.0, -2.0, 0.3])
    run = signature(lift(branching, x))
    same, other = run((x * 1.01,)), run((x * [1, -1, 1],))
    assert all(np.array_equal(a, b) for a, b in zip(run((x,)), same, strict=True))
    changed = [not np.array_equal(a, b) for a, b in zip(run((x,)), other, strict=True)]
    assert changed == [True, False, True, True]  # maximum, if, abs, sort


def test_three_paths_agree_and_are_three():
    """Hand-derived, XLA on jax.numpy, JAX on the recorded NumPy forward."""
    params = row_major.initialise((3, 4, 2), 0)
    Y = np.array([[1.0, 0.0], [0.3, 1.0]])
    names = tuple(params)
    hand = row_major.backward(params, row_major.forward(params, X), X, Y)
    xla = reference.gradients(reference.row_major_loss, params, X, Y)
    traced = gradient(
        lambda *values: row_major.loss(dict(zip(names, values, strict=True)), X, Y), *params.values()
    )
    for name, found in zip(names, traced, strict=True):
        np.testing.assert_allclose(found, hand["d" + name], rtol=0, atol=1e-15)
        np.testing.assert_allclose(found, xla[name], rtol=0, atol=1e-15)
    for one, other in (
        (hand["dW1"], xla["W1"]),
        (hand["dW1"], traced[0]),
        (xla["W1"], traced[0]),
    ):
        assert not np.array_equal(one, other)


def test_nothing_is_left_of_a_trace():
    np.random.seed(3)
    world = (np.random.get_state(legacy=False), np.geterr(), jax.config.read("jax_enable_x64"))
    module = sys.modules[__name__]
    before = dict(vars(module))
    for function in (filled, lambda x: float(x[0])):
        with contextlib.suppress(Leak):
            lift(function, np.ones(3))
        assert vars(module) == before
        assert zeros is np.zeros
        np.testing.assert_equal(np.random.get_state(legacy=False), world[0])
        assert (np.geterr(), jax.config.read("jax_enable_x64")) == world[1:]


def test_an_interrupted_trace_restores_as_well():
    def interrupted(x):
        zeros(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lift(interrupted, np.ones(2))
    assert zeros is np.zeros
    assert sys.getprofile() is None


def test_the_users_objects_hold_no_stand_ins_afterwards():
    layer, x = Stateful(2.0), np.array([1.0, 2.0])
    trace = lift(layer.forward, x)
    assert float(trace.values[0]) == 20.0
    assert type(layer.x) is np.ndarray
    assert [type(kept) for kept in layer.seen] == [np.ndarray]
    np.testing.assert_array_equal(layer.seen[0], [2.0, 4.0])


def test_two_threads_do_not_see_each_other():
    inside, done = threading.Event(), threading.Event()
    found = {}

    def slow(x):
        out = zeros(3)
        inside.set()
        done.wait(10)
        out[:] = x**2
        again = zeros(1)
        again[0] = x[0]
        return out.sum() + again[0]

    def trace_slowly():
        found["gradient"] = gradient(slow, np.array([1.0, 2.0, 3.0]))[0]

    thread = threading.Thread(target=trace_slowly)
    thread.start()
    assert inside.wait(10)
    plain = zeros(2)  # this thread's name is bound to a substitute now, which passes on
    np.testing.assert_allclose(gradient(filled, np.array([1.0, 2.0, 3.0]))[0], [2.0, 4.0, 6.0])
    done.set()
    thread.join()
    assert type(plain) is np.ndarray
    np.testing.assert_allclose(found["gradient"], [3.0, 4.0, 6.0])
    assert zeros is np.zeros


def test_the_users_own_exception_passes():
    def failing(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lift(failing, np.ones(2))


def test_arrays_of_the_user_are_not_written_to():
    def overwriting(x):
        x[0] = x[1] * 2
        return x.sum()

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(gradient(overwriting, x)[0], [0.0, 3.0])
    np.testing.assert_array_equal(x, [1.0, 2.0])


def leaking(x):
    return x * float(x[0])


def right_of_leaking(u, x):
    return u * x[0] + np.array([(u * x).sum(), *np.zeros(x.size - 1)])


def test_a_leaky_trace_is_said_and_not_used():
    report = check_gradients(leaking, np.array([1.0, 2.0, 3.0]), vjp=right_of_leaking)
    assert report.verdict is Verdict.PASS
    autodiff = next(oracle for oracle in report.oracles if oracle.name == "autodiff")
    assert not autodiff.available
    line = leaking.__code__.co_firstlineno + 1
    assert autodiff.why_not == (
        f"float() takes a number out of the trace: its derivative would be lost, at test_tracing.py:{line}"
    )


def test_a_forward_that_knows_stand_ins_from_arrays_is_not_believed():
    def two_faced(x):
        return (x**2).sum() if type(x) is np.ndarray else (x**3).sum()

    report = check_gradients(two_faced, np.array([1.5, 2.0]), gradients=lambda x: 2 * x)
    assert report.verdict is Verdict.PASS
    assert "the recorded forward is not the one that runs" in report.oracles[0].why_not


def test_a_wrong_entry_among_thousands_is_found_by_the_recorded_forward():
    """Differences look along three directions here; the trace sees every entry."""
    x = np.random.default_rng(0).standard_normal((60, 50))

    def wrong(x):
        found = np.cos(x)
        found[7, 11] *= 1 + 1e-7
        return found

    assert check_gradients(lambda x: np.sin(x).sum(), x, gradients=np.cos)
    report = check_gradients(lambda x: np.sin(x).sum(), x, gradients=wrong)
    assert report.verdict is Verdict.FAIL
    assert report.leaves[0].worst_index == (7, 11)


@pytest.mark.parametrize(
    "forward", [filled, lambda x: filled(x), functools.partial(filled)], ids=["function", "lambda", "partial"]
)
def test_substitutes_reach_the_code_that_a_check_runs(forward):
    report = check_gradients(
        forward, np.array([1.0, 2.0, 3.0]), gradients=lambda x: 2 * x, oracles="autodiff"
    )
    assert report, str(report)


class Filling:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        out = np.empty((len(x), self.W.shape[1]))
        for i, row in enumerate(x):
            out[i] = row @ self.W
        return out

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_substitutes_reach_the_methods_of_a_layer():
    rng = np.random.default_rng(0)
    layer = Filling(rng.standard_normal((3, 2)))
    report = check_gradients(layer, rng.standard_normal((4, 3)), oracles="autodiff")
    assert report, str(report)


def test_a_forward_that_takes_too_long_to_record_is_left_to_the_other_oracles(monkeypatch):
    monkeypatch.setattr("gradcheck.tracing.leak.TRACE_SECONDS", 0)
    report = check_gradients(lambda x: (x**2).sum(), np.array([1.0, 2.0]), gradients=lambda x: 2 * x)
    assert report.verdict is Verdict.PASS
    assert report.oracles[0].why_not.startswith(
        "recording the forward takes longer than 0 s, at test_tracing.py"
    )
