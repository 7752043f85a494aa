"""Arrays and containers of every make: judged, refused with a reason, and left as they were."""

import warnings
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from gradcheck import ClaimError, check_gradients, constant
from gradcheck.adapters import as_claim
from gradcheck.verdict import Reason, Verdict

RNG = np.random.default_rng(12)
X = RNG.standard_normal((3, 4)) + 2.5


class Tagged(np.ndarray):
    """A subclass with an attribute and a method of its own."""

    def __array_finalize__(self, made_from):
        self.tag = getattr(made_from, "tag", None)

    def squares(self):
        assert self.tag == "kept"
        return np.asarray(self) ** 2


def tagged(values):
    array = values.copy().view(Tagged)
    array.tag = "kept"
    return array


def read_only(values):
    array = values.copy()
    array.flags.writeable = False
    return array


def square(x):
    return x**2


def square_vjp(u, x):
    return 2 * u * x


def wrong_vjp(u, x):
    gradient = 2 * u * np.asarray(x)
    return gradient * np.where(np.arange(gradient.size).reshape(gradient.shape) == gradient.size - 1, 1.1, 1)


def as_bytes(tree):
    if isinstance(tree, dict):
        return {key: as_bytes(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [as_bytes(value) for value in tree]
    if isinstance(tree, np.ndarray):
        return (tree.dtype, tree.strides, tree.flags.writeable, tree.tobytes())
    if hasattr(tree, "__dataclass_fields__"):
        return as_bytes(vars(tree))
    return tree


def judged(f, right, wrong, *inputs, leaves=None):
    """The right gradient passes, the wrong one fails, in these leaves; no argument changes by a bit."""
    before = as_bytes(inputs)
    report = check_gradients(f, *inputs, vjp=right)
    assert report.verdict is Verdict.PASS, report
    accused = check_gradients(f, *inputs, vjp=wrong)
    assert (accused.verdict, accused.reason) == (Verdict.FAIL, Reason.MISMATCH), accused
    if leaves is not None:
        assert [leaf.name for leaf in accused.leaves if leaf.verdict is Verdict.FAIL] == leaves
    assert as_bytes(inputs) == before
    return report


ARRAYS = {
    "0-d": np.array(1.5),
    "Python float": 1.5,
    "NumPy scalar": np.float64(1.5),
    "float32 scalar": np.float32(1.5),
    "strided": X[::2, ::-1],
    "transposed": X.T,
    "read-only": read_only(X),
    "Fortran": np.asfortranarray(X),
    "broadcast": np.broadcast_to(X[0], (3, 4)),
    "overlapping": np.lib.stride_tricks.sliding_window_view(X[0], 2),
    "big-endian": X.astype(">f8"),
    "big-endian float32": X.astype(">f4"),
    "float16": X.astype(np.float16),
    "float32": X.astype(np.float32),
    "long double": X.astype(np.longdouble),
    "subclass": X.view(Tagged),
    "unaligned": np.frombuffer(b"\0" + X.tobytes(), dtype=np.float64, offset=1),
    "many axes": X.reshape(1, 3, 1, 4, 1),
}


@pytest.mark.parametrize("make", ARRAYS)
def test_arrays_of_every_make_are_judged_and_left_as_they_were(make):
    report = judged(square, square_vjp, wrong_vjp, ARRAYS[make], leaves=["x"])
    assert report.leaves[0].dtype == str(np.asarray(ARRAYS[make]).dtype)
    assert report.leaves[0].detection_limit < 1e-6


def rounded_square(kind):
    return lambda x: x.astype(kind) ** 2, lambda u, x: (2 * u * x).astype(kind)


def test_single_precision_is_judged_within_its_noise():
    f, vjp = rounded_square(np.float32)
    report = judged(f, vjp, lambda u, x: (wrong_vjp(u, x)).astype(np.float32), X.astype(np.float32))
    assert report.sensitivity == 1e-3


def test_half_precision_accuses_what_is_far_off_and_nothing_that_is_right():
    """Three digits, of which differences leave one: a right gradient may stay undecided."""
    f, vjp = rounded_square(np.float16)
    x = X.astype(np.float16)
    report = check_gradients(f, x, vjp=vjp)
    assert report.sensitivity == 3e-2
    assert report.verdict is Verdict.PASS or report.reason is Reason.NOISE
    assert check_gradients(f, x, vjp=lambda u, x: 2 * vjp(u, x)).verdict is Verdict.FAIL


def test_a_subclass_keeps_its_class_and_attributes():
    judged(lambda x: x.squares(), lambda u, x: 2 * u * np.asarray(x), wrong_vjp, tagged(X), leaves=["x"])


def test_a_matrix_multiplies_as_matrices_do():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        a = np.matrix(X[:, :3])

        def vjp(u, a):
            return u * a.T + a.T * u

        judged(lambda a: a * a, vjp, lambda u, a: 2 * np.multiply(u, a), a, leaves=["a"])


def test_masked_arrays_are_refused_going_in_and_coming_out():
    masked = np.ma.masked_array(X, mask=X > 2.5)
    with pytest.raises(ClaimError, match=r"x is a masked array: pass its numbers, e\.g\. x\.filled\(0\)"):
        check_gradients(square, masked, vjp=square_vjp)
    with pytest.raises(ClaimError, match="the forward returned a masked array as output"):
        check_gradients(lambda x: np.ma.masked_less(x, 2), X, vjp=square_vjp)
    judged(
        lambda x, m: m.filled(0) * x,
        lambda u, x, m: u * m.filled(0),
        lambda u, x, m: u * m.data,
        X,
        constant(masked),
    )


def test_an_empty_array_beside_others():
    judged(
        lambda x, e: x**2 + e.sum(),
        lambda u, x, e: (2 * u * x, u.sum() * np.ones_like(e)),
        lambda u, x, e: (wrong_vjp(u, x), u.sum() * np.ones_like(e)),
        X,
        np.zeros((0, 3)),
        leaves=["x"],
    )


def test_whole_numbers_among_floats_are_not_differentiated_and_said_so():
    inputs = (X, np.arange(4), np.array([True, False, True, True]))

    def f(x, n, keep):
        return x**2 * n * keep

    report = judged(
        f,
        lambda u, x, n, keep: (2 * u * x * n * keep, None, None),
        lambda u, x, n, keep: 2 * u * x * n,
        *inputs,
        leaves=["x"],
    )
    assert [leaf.name for leaf in report.leaves] == ["x"]
    claim = as_claim(f, inputs, vjp=f, gradients=None, reference=None, names=None)
    assert claim.notes == (
        "n is not differentiated: it holds int64",
        "keep is not differentiated: it holds bool",
    )


Pair = namedtuple("Pair", ["w", "b"])


@dataclass
class Layer:
    w: Any
    name: str = "dense"
    parts: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    scale: Any


def nested():
    return {
        "layers": [Layer(w=X.copy(), parts=[np.array(2.0), 3.0]), Layer(w=X[0])],
        "pair": Pair(w=X[:, 0], b=(X[1], {"deep": Frozen(scale=np.float32(1.5))})),
        "order": OrderedDict(a=np.arange(3), b=None),
    }


def of_nested(t):
    first, second = t["layers"]
    return (
        first.w * first.parts[0] * second.w * first.parts[1],
        t["pair"].w,
        t["pair"].b[1]["deep"].scale ** 2,
    )


def nested_vjp(u, t):
    (u, du, ds), (first, second) = u, t["layers"]
    s, p = first.parts
    inside = u * first.w * second.w
    return {
        "layers": [
            Layer(w=u * s * p * second.w, parts=[inside.sum() * p, inside.sum() * s]),
            Layer(w=(u * s * p * first.w).sum(0)),
        ],
        "pair": Pair(w=du, b=(None, {"deep": Frozen(scale=2 * ds * t["pair"].b[1]["deep"].scale)})),
        "order": None,
    }


def wrong_in_the_depth(u, t):
    gradients = nested_vjp(u, t)
    gradients["layers"][0].parts[1] = 0.0
    return gradients


def test_containers_within_containers():
    report = judged(of_nested, nested_vjp, wrong_in_the_depth, nested(), leaves=["t['layers'][0].parts[1]"])
    assert [leaf.name for leaf in report.leaves] == [
        "t['layers'][0].w",
        "t['layers'][0].parts[0]",
        "t['layers'][0].parts[1]",
        "t['layers'][1].w",
        "t['pair'].w",
        "t['pair'].b[0]",
        "t['pair'].b[1]['deep'].scale",
    ]


BUFFER = np.zeros((3, 4))


def into_a_buffer(x):
    np.multiply(x, x, out=BUFFER)
    return BUFFER


def into_its_argument(x):
    x *= x
    return x


def then_spoils_its_argument(x):
    out = x * x
    x[...] = np.nan
    return out


def backward_into_its_arguments(u, x):
    x *= 2
    u *= x
    return u


FORWARDS = {
    "a view of its input": (
        lambda x: x[1:, ::2],
        lambda u, x: np.pad(np.kron(u, [1, 0]), ((1, 0), (0, 0))),
        lambda u, x: np.pad(np.kron(u, [0, 1]), ((1, 0), (0, 0))),
    ),
    "its input itself": (lambda x: x, lambda u, x: u, lambda u, x: 1.1 * u),
    "its input, transposed": (lambda x: x.T, lambda u, x: u.T, lambda u, x: u.reshape(x.shape)),
    "one buffer again and again": (into_a_buffer, square_vjp, wrong_vjp),
    "lists and Python floats": (
        lambda x: [float(v) ** 2 for v in x.ravel()],
        lambda u, x: 2 * x * np.reshape(u, x.shape),
        lambda u, x: 2.1 * x * np.reshape(u, x.shape),
    ),
}


@pytest.mark.parametrize("returns", FORWARDS)
def test_a_forward_may_return(returns):
    f, right, wrong = FORWARDS[returns]
    judged(f, right, wrong, X.copy(), leaves=["x"])


SPOILERS = {
    "what it returns": (into_its_argument, square_vjp, "the forward writes into x"),
    "what it leaves behind": (then_spoils_its_argument, square_vjp, "the forward writes into x"),
    "its scratch": (square, backward_into_its_arguments, "the backward writes into "),
}


@pytest.mark.parametrize("what", SPOILERS)
def test_a_function_that_writes_into_its_argument_breaks_a_rule_and_spoils_no_number(what):
    f, vjp, message = SPOILERS[what]
    report = check_gradients(f, X.copy(), vjp=vjp)
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.PROTOCOL)
    assert [finding.code for finding in report.findings] == ["mutates"]
    assert report.findings[0].message.startswith(message)
    assert report.leaves[0].verdict is Verdict.PASS
