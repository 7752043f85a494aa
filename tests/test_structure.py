"""What recordings have in common: equal where they compute the same of their inputs and constants alone."""

import jax
import numpy as np
import pytest

from gradcheck import Verdict, check_gradients, constant
from gradcheck.tracing import derive
from gradcheck.tracing.branches import signature
from gradcheck.tracing.flat import flat, values
from gradcheck.tracing.lift import lift
from gradcheck.tracing.lineage import Lineage
from gradcheck.tracing.programs import program
from gradcheck.tracing.structure import Structure, key_of, structure

X, OTHER = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[0.3, 0.1], [-4.0, 2.0]])
ONE = (np.ones(()),)
ROUNDING = 1e-15  # of entries of order 0.1, where 1 - tanh^2 cancels


def weighted(data, rate=0.1, axis=0):
    def forward(w):
        hidden = np.tanh(w @ data)
        return rate * (hidden * data).sum(axis=axis)[0]

    return forward


def of(forward, at=X):
    return structure(lift(forward, at))


@pytest.mark.parametrize(("data", "at"), [(X, OTHER), (OTHER, X)], ids=["another point", "other data"])
def test_other_numbers_in_the_arrays_are_the_same_structure(data, at):
    assert of(weighted(X)) == of(weighted(data), at)
    assert hash(of(weighted(X))) == hash(of(weighted(data), at))


@pytest.mark.parametrize(
    "other",
    [
        weighted(X, rate=0.2),
        weighted(X, rate=-0.1),
        weighted(X, axis=1),
        weighted(X[:, :1]),
        weighted(X.astype(np.float32)),
        lambda w: 0.1 * (X * np.tanh(w @ X)).sum(axis=0)[0],
        lambda w: 0.1 * (np.tanh(X @ w) * X).sum(axis=0)[0],
        lambda w: 0.1 * (np.sin(w @ X) * X).sum(axis=0)[0],
        lambda w: 0.1 * (np.tanh(w @ X) * X).sum(axis=0)[1],
    ],
    ids=["number", "sign", "axis", "shape", "type", "order", "operands", "operation", "entry"],
)
def test_another_operation_number_shape_or_order_is_another_structure(other):
    assert of(weighted(X)) != of(other)


def test_the_sign_of_a_zero_is_looked_at():
    assert of(lambda w: np.copysign(w, 0.0)) != of(lambda w: np.copysign(w, -0.0))


def test_what_a_loop_does_inside_is_looked_at():
    def looped(times):
        return lambda w: jax.lax.fori_loop(0, 3, lambda _, v: v * times, w)

    def shared(times):
        with jax.enable_x64(True):
            closed = jax.make_jaxpr(looped(times))(X)
        return closed.jaxpr

    assert key_of(shared(2.0)) == key_of(shared(2.0)) != key_of(shared(3.0))


def test_each_recording_keeps_its_own_constants():
    """All that is shared is asked of two data sets in turns."""
    for data in (X, OTHER, X):
        trace = lift(weighted(data), OTHER)
        hidden = np.tanh(OTHER @ data)
        expected = 0.1 * ((1 - hidden**2) * data)[:, :1] @ data[:, :1].T
        (output,), (found,) = derive.vjp(trace)((OTHER,), ONE)
        assert derive.value_and_guards(trace)((OTHER,))[0][0] == output
        assert output == pytest.approx(weighted(data)(OTHER), rel=1e-14)
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(
            derive.vjp_in(trace, np.float32)(OTHER, *ONE)[1], expected, rtol=0, atol=1e-6
        )
        _, (along,) = derive.jvp(trace)((OTHER,), (X,))
        assert along == pytest.approx((expected * X).sum(), rel=1e-13)
        known = {name: variable for name, variable, _ in Lineage.of(trace).named()}
        _, by_hidden = derive.by_variables(trace, (known["hidden"],))(OTHER, *ONE)
        np.testing.assert_allclose(by_hidden[:, 0], 0.1 * data[:, 0], rtol=1e-14)
        np.testing.assert_allclose(derive.values_of(trace, (known["hidden"],))(OTHER)[0], hidden, rtol=1e-14)
        record = flat(trace)
        everything = values(record, (OTHER,))
        assert any(np.array_equal(everything[n], data) for n in record.held)
        assert everything[record.outputs[0]] == pytest.approx(output)
        assert signature(trace)((OTHER,)) == ()


def test_the_same_structure_is_differentiated_once():
    found = [of(weighted(data)) for data in (X, OTHER)]
    programs = [program(derive.pulled, shared, (shared.inputs, shared.results)) for shared in found]
    assert programs[0] is programs[1]


def test_a_structure_that_cannot_be_compared_equals_none_but_itself():
    left, right = (Structure(key=object(), outputs=1, jaxpr=None) for _ in range(2))
    assert left == left != right


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_verdicts_and_causes_follow_the_data_of_each_check(factor):
    """The mistake that shows in one data set, and the right code after it, in one process."""

    def loss(w, data):
        return 0.5 * ((data @ w) ** 2).sum() / len(data)

    def backward(w, data):
        return factor * data.T @ (data @ w) / len(data)

    for data in (X, OTHER, X):
        report = check_gradients(
            loss, np.array([0.3, -1.1]), constant(data), gradients=lambda w, data: (backward(w, data),)
        )
        assert report.verdict is (Verdict.PASS if factor == 1 else Verdict.FAIL), str(report)
        assert bool(report.findings) == (factor != 1)
