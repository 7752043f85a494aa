"""A forward that is checked again is not recorded again, unless it has become another function."""

import gc
import weakref
from typing import ClassVar

import numpy as np
import pytest

from gradcheck import Verdict, check_gradients
from gradcheck.oracles import remembered

W = np.array([[1.0, 0.5], [-2.0, 1.0]])
X = np.array([[0.3, -1.2], [0.7, 0.4], [-0.1, 2.0]])


def counted(f):
    """f, and a list that grows with each run on anything but an array."""
    recordings = []

    def forward(w):
        if type(w) is not np.ndarray:
            recordings.append(type(w))
        return f(w)

    return forward, recordings


def activated(w):
    return np.tanh(X @ w).sum()


def slope(w):
    return X.T @ (1 - np.tanh(X @ w) ** 2)


def test_a_second_check_records_nothing_and_says_the_same():
    forward, recordings = counted(activated)
    first = check_gradients(forward, W, gradients=slope)
    assert first.verdict is Verdict.PASS
    assert len(recordings) == 1
    assert check_gradients(forward, W, gradients=slope).to_json() == first.to_json()
    assert check_gradients(forward, 0.1 * W, gradients=slope).verdict is Verdict.PASS
    assert check_gradients(forward, W, gradients=slope, oracles="autodiff").verdict is Verdict.PASS
    assert len(recordings) == 1


@pytest.mark.parametrize("entry", [(0, 0), (1, 1)])
def test_nobody_is_accused_by_it(entry):
    def wrong(w):
        found = slope(w)
        found[entry] *= 1 + 1e-6
        return found

    forward, recordings = counted(activated)
    first = check_gradients(forward, W, gradients=wrong)
    assert first.verdict is Verdict.FAIL
    before = len(recordings)
    assert check_gradients(forward, W, gradients=wrong).to_json() == first.to_json()
    assert len(recordings) > before


def test_other_shapes_and_types_are_recorded_anew():
    forward, recordings = counted(lambda w: (w**3).sum())
    for at in (W, W[0], W.astype(np.float32), W):
        assert check_gradients(forward, at, gradients=lambda w: 3 * w**2).verdict is Verdict.PASS
    assert len(recordings) == 3  # float32 is promoted: it is the same recording


class Held:
    """What a forward reads, and what is changed between two checks."""

    def __init__(self):
        self.rate, self.power, self.data = 0.1, 2, X.copy()


def rated(held, w):
    return held.rate * (w**2).sum() + activated(w)


def fed(held, w):
    return ((held.data @ w) ** 2).sum()


CHANGES = {
    "a number": (
        rated,
        lambda held, w: 2 * held.rate * w + slope(w),
        lambda held: setattr(held, "rate", 0.1 + 1e-9),
    ),
    "data in place": (
        fed,
        lambda held, w: 2 * held.data.T @ (held.data @ w),
        lambda held: held.data.__setitem__((0, 0), 0.3001),
    ),
    "other data": (
        fed,
        lambda held, w: 2 * held.data.T @ (held.data @ w),
        lambda held: setattr(held, "data", X[:2]),
    ),
    "the same at the point alone": (
        lambda held, w: (w**held.power).sum(),
        lambda held, w: held.power * w ** (held.power - 1),
        lambda held: setattr(held, "power", 3),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_reads_something_else_by_now_is_judged_by_that(change):
    function, gradient, changed = CHANGES[change]
    held, before = Held(), Held()
    at = np.ones_like(W) if change == "the same at the point alone" else W

    def forward(w):
        return function(held, w)

    assert check_gradients(forward, at, gradients=lambda w: gradient(held, w)).verdict is Verdict.PASS
    changed(held)
    stale = check_gradients(forward, at, gradients=lambda w: gradient(before, w), sensitivity=1e-12)
    assert stale.verdict is not Verdict.PASS
    assert check_gradients(forward, at, gradients=lambda w: gradient(held, w)).verdict is Verdict.PASS


def test_what_is_no_number_beside_the_point_proves_nothing():
    """Next to the edge of a domain both powers are 1 at the point, and no number beside it."""
    held = Held()

    def forward(w):
        return np.where(w < 0.99999, np.nan, w**held.power).sum()

    def checked(slope):
        return check_gradients(forward, np.ones(4), gradients=lambda w: slope * w, oracles="autodiff").verdict

    assert checked(2) is Verdict.PASS
    held.power = 3
    assert checked(2) is Verdict.FAIL
    assert checked(3) is Verdict.PASS


def test_what_computes_in_single_precision_is_recorded_each_time_since_that_may_round_a_change_away():
    forward, recordings = counted(lambda w: (w.astype(np.float32) ** 2).sum())
    for times in (1, 2):
        assert check_gradients(forward, W, gradients=lambda w: 2 * w).verdict is Verdict.PASS
        assert len(recordings) == times


def test_a_recording_dies_with_its_forward():
    forward, _ = counted(activated)
    assert check_gradients(forward, W, gradients=slope)
    assert id(forward) in remembered._recordings
    gone, key = weakref.ref(forward), id(forward)
    del forward, _
    gc.collect()
    assert gone() is None
    assert key not in remembered._recordings


class Dense:
    """A layer that notes what it runs on."""

    kinds: ClassVar[list[type]] = []

    def __init__(self):
        self.W, self.factor = W.copy(), 1.0

    def forward(self, x):
        self.kinds.append(type(x))
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return self.factor * dout @ self.W.T

    def __eq__(self, other):
        raise AssertionError("compared with another one")

    __hash__ = object.__hash__


def test_a_layer_is_known_by_itself_and_with_other_weights_judged_by_those():
    layer = Dense()
    for _ in range(3):
        Dense.kinds.clear()
        assert check_gradients(layer, X).verdict is Verdict.PASS
        layer.W *= 1.5
    assert set(Dense.kinds) == {np.ndarray}
    layer.factor = 1.001
    assert check_gradients(layer, X).verdict is Verdict.FAIL


def test_what_cannot_be_remembered_is_recorded_each_time():
    for _ in range(2):
        assert check_gradients(np.sin, W, vjp=lambda u, w: u * np.cos(w)).verdict is Verdict.PASS
        pair = activated, lambda u, w: u * slope(w)
        assert check_gradients(pair, W).verdict is Verdict.PASS
