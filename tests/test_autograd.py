"""autograd: right primitives pass, wrong ones fail at their leaf, and forwards are recorded as NumPy's."""

import numpy as np
import pytest

from gradcheck import Verdict, check_gradients, constant

REASON = "autograd is not installed: pip install 'gradcheck[autograd]'"
anp = pytest.importorskip("autograd.numpy", reason=REASON)
extend = pytest.importorskip("autograd.extend", reason=REASON)

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3))


def verdicts(report):
    return {leaf.name: leaf.verdict.name for leaf in report.leaves}


def by_x(ans, x, y):
    return lambda u: u * np.cos(x) * y


def by_y(ans, x, y):
    return lambda u: u * np.sin(x)


def primitive(*vjps):
    @extend.primitive
    def wave(x, y):
        return np.sin(x) * y

    extend.defvjp(wave, *vjps)
    return wave


def test_a_right_primitive_passes_before_two_oracles():
    report = check_gradients(primitive(by_x, by_y), X, Y)
    assert verdicts(report) == {"x": "PASS", "y": "PASS"}
    assert str(report).startswith("PASS  wave's VJP")
    assert [oracle.agrees_with_claim for oracle in report.oracles] == [True, True]


@pytest.mark.parametrize(
    ("vjps", "leaf", "code"),
    [
        ((lambda *a: lambda u: -by_x(*a)(u), by_y), "x", "sign"),
        ((lambda *a: lambda u: 2 * by_x(*a)(u), by_y), "x", "factor"),
        ((by_x, None), "y", "zero"),
        ((by_x, lambda ans, x, y: lambda u: u * ans), "y", None),
        ((by_x, lambda ans, x, y: lambda u: (u * np.sin(x)).sum(0)), "y", None),
        ((lambda ans, x, y: lambda u: np.cos(x) * y, by_y), "x", None),
    ],
    ids=["sign", "factor", "none", "output for operand", "summed", "ignores the cotangent"],
)
def test_a_wrong_primitive_fails_at_its_leaf(vjps, leaf, code):
    report = check_gradients(primitive(*vjps), X, Y)
    assert verdicts(report) == {name: "FAIL" if name == leaf else "PASS" for name in "xy"}
    if code:
        assert report.findings[0].code == code


def test_a_gradient_that_is_not_defined_passes_through_with_a_note():
    with pytest.raises(NotImplementedError, match="VJP of wave wrt argnums 0, 1 not defined") as caught:
        check_gradients(primitive(by_x), X, Y)
    assert caught.value.__notes__ == ["gradcheck: raised by backward evaluation 1"]


def test_a_function_of_several_primitives_and_containers():
    right, wrong = primitive(by_x, by_y), primitive(by_x, lambda *a: lambda u: -by_y(*a)(u))

    def loss(params, x, wave):
        hidden = anp.tanh(anp.dot(x, params["W"]) + params["b"])
        return anp.sum(wave(hidden, hidden)), hidden

    params = {"W": RNG.standard_normal((3, 2)), "b": np.ones(2)}
    report = check_gradients(lambda params, x: loss(params, x, right), params, constant(X))
    assert verdicts(report) == {"params['W']": "PASS", "params['b']": "PASS"}
    assert report.oracles[0].available, "the forward is recorded through autograd's own wrappers"
    assert (
        check_gradients(lambda params, x: loss(params, x, wrong), params, constant(X)).verdict is Verdict.FAIL
    )


def test_integers_are_handed_on_and_complex_numbers_read_as_autograd_means_them():
    report = check_gradients(lambda x, rows: anp.sin(x[rows]), X, np.array([0, 2]))
    assert verdicts(report) == {"x": "PASS"}
    assert check_gradients(lambda z: anp.sum(anp.abs(z * z)), X + 1j * Y)
