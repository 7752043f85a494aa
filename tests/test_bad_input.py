"""Misuse: each message names the argument, its value and what to pass instead."""

import warnings

import numpy as np
import pytest

from gradcheck import ClaimError, check_gradients, constant

X = np.array([1.0, 2.0, 3.0])


def f(x):
    return float((x**2).sum())


def two(x, y):
    return float((x * y).sum())


class Dense:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class ForwardOnly:
    def forward(self, x):
        return x


CASES = {
    "no inputs": (
        lambda: check_gradients(f, gradients=f),
        "no inputs were given: pass the point to check at, e.g. check_gradients(f, x, vjp=vjp)",
    ),
    "integers only": (
        lambda: check_gradients(f, np.array([1, 2]), gradients=lambda x: 2 * x),
        "nothing here carries a gradient: there is no floating-point array in x. Pass floats, "
        "e.g. x.astype(float)",
    ),
    "constants only": (
        lambda: check_gradients(f, constant(X), gradients=lambda x: 2 * x),
        "nothing here carries a gradient: there is no floating-point array in x. Pass floats, "
        "e.g. x.astype(float)",
    ),
    "objects": (
        lambda: check_gradients(f, np.array([1.0, None]), gradients=lambda x: x),
        "x is an array of object (array([1.0, None], dtype=object)): pass numbers, e.g. "
        "np.asarray(x, dtype=float), or wrap data in gradcheck.constant(...)",
    ),
    "text": (
        lambda: check_gradients(f, np.array(["a"]), gradients=lambda x: x),
        "x is an array of <U1 (array(['a'], dtype='<U1')): pass numbers, e.g. "
        "np.asarray(x, dtype=float), or wrap data in gradcheck.constant(...)",
    ),
    "nan": (
        lambda: check_gradients(f, np.array([1.0, np.nan]), gradients=lambda x: x),
        "x[1] is nan: no gradient can be judged there. Pass finite values, or wrap an input that is not "
        "differentiated in gradcheck.constant(...)",
    ),
    "infinity": (
        lambda: check_gradients(f, np.array(-np.inf), gradients=lambda x: x),
        "x is -inf: no gradient can be judged there. Pass finite values, or wrap an input that is not "
        "differentiated in gradcheck.constant(...)",
    ),
    "empty": (
        lambda: check_gradients(f, np.zeros((0, 2)), gradients=lambda x: x),
        "every input is empty: x has shape (0, 2). Pass at least one array with entries",
    ),
    "class": (
        lambda: check_gradients(Dense, X),
        "Dense is a class: pass an object of it, e.g. Dense(...)",
    ),
    "no backward": (
        lambda: check_gradients(ForwardOnly(), X),
        "ForwardOnly has forward but no backward: there is no gradient to check. "
        "Give it backward(dout) -> dx",
    ),
    "layer with two inputs": (
        lambda: check_gradients(Dense(), X, X),
        "2 inputs were given for Dense, whose forward takes x: pass one a name",
    ),
    "layer with two names": (
        lambda: check_gradients(Dense(), X, names=("x", "W")),
        "names=('x', 'W') do not fit 1 input: pass one name",
    ),
    "no claim": (
        lambda: check_gradients(f, X),
        "f comes without a gradient to check: pass vjp=, gradients= (a function, values, or True where f "
        "returns them), or a layer with backward",
    ),
    "two claims": (
        lambda: check_gradients(f, X, vjp=f, gradients=f),
        "vjp= and gradients= are two claims at once: pass the one to be judged",
    ),
    "vjp no function": (
        lambda: check_gradients(f, X, vjp=X),  # type: ignore[arg-type]
        "vjp=array([1., 2., 3.]) is no function: pass a callable",
    ),
    "reference no function": (
        lambda: check_gradients(f, X, gradients=f, reference="jax"),  # type: ignore[arg-type]
        "reference='jax' is no function: pass a callable",
    ),
    "target no function": (
        lambda: check_gradients(3.0, X, gradients=f),
        "3.0 is neither a function nor a layer with forward and backward: pass f with vjp= or gradients=, "
        "or an object with both methods",
    ),
    "unknown oracle": (
        lambda: check_gradients(f, X, gradients=f, oracles=("torch",)),
        "oracles=('torch',) names no oracle that exists: choose from 'autodiff', 'complex-step', "
        "'finite-difference'",
    ),
    "no oracle": (
        lambda: check_gradients(f, X, gradients=f, oracles=()),
        "oracles=() names no oracle that exists: choose from 'autodiff', 'complex-step', 'finite-difference'",
    ),
    "names": (
        lambda: check_gradients(two, X, X, gradients=f, names=("x",)),
        "names=('x',) do not fit 2 inputs: pass 2 different names",
    ),
    "names twice": (
        lambda: check_gradients(two, X, X, gradients=f, names=("x", "x")),
        "names=('x', 'x') do not fit 2 inputs: pass 2 different names",
    ),
    "seed": (
        lambda: check_gradients(f, X, gradients=f, seed=-1),
        "seed=-1 is no seed: pass a whole number from 0 on",
    ),
    "sensitivity": (
        lambda: check_gradients(f, X, gradients=lambda x: 2 * x, sensitivity=2),
        "sensitivity=2 is no relative error: pass a number between 0 and 1",
    ),
    "forward returns None": (
        lambda: check_gradients(lambda x: None, X, gradients=f),
        "the forward returned None as output: return the array it computes",
    ),
    "forward returns text": (
        lambda: check_gradients(lambda x: "loss", X, gradients=f),
        "the forward returned a str as output ('loss'): return an array",
    ),
    "forward returns integers": (
        lambda: check_gradients(lambda x: x.astype(int), X, gradients=f),
        "the forward returned int64 values as output: a gradient needs real floats. Return floats only, "
        "e.g. out.astype(float)",
    ),
    "forward returns nothing": (
        lambda: check_gradients(lambda x: x[:0], X, gradients=f),
        "the forward returned nothing to differentiate: return an array with entries",
    ),
    "forward changes shape": (
        lambda: check_gradients(lambda x: x[: 3 if x[0] == X[0] else 2], X, vjp=lambda u, x: x),
        "the forward returned shapes [(3,)] first and [(2,)] on other values of the same inputs: it has no "
        "derivative. Pass a forward whose output shape is fixed",
    ),
    "no pair": (
        lambda: check_gradients(f, X, gradients=True),
        "f returned float where gradients=True promises (value, gradients): return both, or pass gradients= "
        "apart",
    ),
    "array output with gradients=": (
        lambda: check_gradients(lambda x: x**2, X, gradients=lambda x: 2 * x),
        "gradients= answers for one number, the forward returns an array of shape (3,): pass vjp=, or a "
        "forward that returns the loss",
    ),
    "too few gradients": (
        lambda: check_gradients(two, X, X, vjp=lambda u, x, y: (u * y,)),
        "vjp returned 1 gradients for 2 inputs (x, y): return one gradient an input, "
        "None for one that is zero",
    ),
    "too many gradients": (
        lambda: check_gradients(f, X, gradients=lambda x: (2 * x, x)),
        "gradients returned 2 gradients for 1 input: return the gradient alone",
    ),
    "one array for two": (
        lambda: check_gradients(two, X, X, vjp=lambda u, x, y: u * y),
        "vjp returned one ndarray where 2 gradients are due (x, y): return a tuple, one gradient an input",
    ),
    "list for dict": (
        lambda: check_gradients(lambda p: f(p["W"]), {"W": X}, gradients=lambda p: [2 * p["W"]]),
        "the gradient of p is a list where a dict is due: return a dict with the key 'W' or 'dW'",
    ),
    "dict for list": (
        lambda: check_gradients(lambda p: f(p[0]), [X], gradients=lambda p: {"W": 2 * p[0]}),
        "the gradient of p is a dict where a list of length 1 is due: return gradients in the containers of "
        "the inputs",
    ),
    "list too short": (
        lambda: check_gradients(lambda p: f(p[0]) + f(p[1]), [X, X], gradients=lambda p: [2 * p[0]]),
        "the gradient of p is a list of length 1 where a list of length 2 is due: return gradients in the "
        "containers of the inputs",
    ),
    "key missing": (
        lambda: check_gradients(lambda p: f(p["W"]), {"W": X}, gradients=lambda p: {"dw": X}),
        "the gradient of p has no entry for 'W' (keys: dw): name it 'dW' or 'W'",
    ),
    "name missing": (
        lambda: check_gradients(two, X, X, gradients=lambda x, y: {"dx": y}),
        "gradients's dictionary has no entry for 'y' (keys: dx): name it 'dy' or 'y'",
    ),
    "gradient of text": (
        lambda: check_gradients(f, X, gradients=lambda x: "2x"),
        "the gradient of x is <U2 ('2x'): return an array of floats",
    ),
    "ragged gradient": (
        lambda: check_gradients(f, X, gradients=lambda x: [[1.0], 2.0]),
        "the gradient of x is no array ([[1.0], 2.0]): return an array of floats",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_misuse_raises_a_claim_error_that_says_what_to_pass(name):
    call, message = CASES[name]
    with pytest.raises(ClaimError) as caught:
        call()
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)


def test_a_generator_is_no_output():
    with pytest.raises(ClaimError, match=r"the forward returned a generator as output \(<generator"):
        check_gradients(lambda x: (v for v in x), X, gradients=f)


def test_an_unknown_keyword_is_pythons_own_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'atol'"):
        check_gradients(f, X, gradients=f, atol=1e-6)  # type: ignore[call-arg]


def test_no_check_emits_a_warning_of_its_own():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_gradients(lambda x: np.log(x).sum(), X * 1e-8, gradients=lambda x: 1 / x)
        assert check_gradients(lambda x: np.exp(x).sum(), X * 200, gradients=np.exp)
