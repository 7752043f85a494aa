"""Every way of writing a layer, as it is: right ones pass, wrong ones fail at the leaf that is wrong."""

import copy
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from gradcheck import ClaimError, Verdict, check_gradients, constant
from gradcheck.adapters import (
    as_claim,
    from_callback,
    from_layer,
    from_network,
    from_op,
    from_pair,
    from_propagation,
)

RNG = np.random.default_rng(2)
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))
W, B = RNG.standard_normal((3, 2)), RNG.standard_normal(2)
LABELS = np.array([0, 1, 1, 0, 1])
ONE_HOT = np.eye(2)[LABELS]


class Wrong:
    """A gradient of one leaf that is a little too large; right for every other one."""

    def __init__(self, leaf=None):
        self.leaf = leaf

    def __call__(self, leaf, gradient):
        return gradient * 1.01 if leaf == self.leaf else gradient


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# --- functions


def pair_with_cache(wrong):
    def forward(x, w, b):
        return np.tanh(x @ w + b), (x, w, np.tanh(x @ w + b))

    def backward(dout, cache):
        x, w, out = cache
        d = dout * (1 - out**2)
        return wrong("x", d @ w.T), wrong("w", x.T @ d), wrong("b", d.sum(axis=0))

    return (forward, backward), (X, W, B)


def pair_that_takes_the_inputs_again(wrong):
    def forward(x, w):
        return x @ w

    def backward(dout, x, w):
        return {"dx": wrong("x", dout @ w.T), "w": wrong("w", x.T @ dout)}

    return (forward, backward), (X, W)


def pair_that_takes_one_input_by_name(wrong):
    def forward(x, w):
        return x @ w**2, x

    def backward(d_out, cache, w):
        return [wrong("x", d_out @ (w**2).T), wrong("w", cache.T @ d_out * 2 * w)]

    return (forward, backward), (X, W)


def pair_of_an_embedding(wrong):
    def forward(tokens, table, scale):
        return table[tokens] * scale, (tokens, table, scale)

    def backward(dout, cache):
        tokens, table, scale = cache
        dtable = np.zeros_like(table)
        np.add.at(dtable, tokens, dout * scale)
        return None, wrong("table", dtable), wrong("scale", (dout * table[tokens]).sum(axis=0))

    return (forward, backward), (np.array([0, 2, 0, 1]), W, B)


def pair_with_a_dictionary_of_parameters(wrong):
    def forward(x, params):
        return x @ params["W1"] + params["b1"], (x, params)

    def backward(dout, cache):
        x, params = cache
        grads = {"dW1": wrong("params['W1']", x.T @ dout), "db1": wrong("params['b1']", dout.sum(axis=0))}
        return grads | {"dx": wrong("x", dout @ params["W1"].T), "dZ1": dout}

    return (forward, backward), (X, {"W1": W, "b1": B})


def loss_pair(wrong):
    def forward(scores, y):
        p = softmax(scores)
        return -np.log(p[range(len(y)), y]).mean(), (p, y)

    def backward(cache):
        p, y = cache
        return wrong("scores", (p - np.eye(2)[y]) / len(y))

    return (forward, backward), (Y, LABELS)


def static_op(wrong):
    class Scale:
        @staticmethod
        def forward(ctx, x, w, power):
            ctx.save_for_backward(x, w)
            ctx.power = power
            return x * w**power

        @staticmethod
        def backward(ctx, dout):
            x, w = ctx.saved_tensors
            assert ctx.saved_values[0] is x
            p = ctx.power
            return wrong("x", dout * w**p), wrong("w", (dout * x * p * w ** (p - 1)).sum(axis=0)), None

    return Scale, (X, np.array([0.5, 1.5, 2.0]), 3)


def static_pair(wrong):
    class Square:
        @staticmethod
        def forward(x, w):
            return x**2 @ w, (x, w)

        @staticmethod
        def backward(dout, cache):
            x, w = cache
            return wrong("x", 2 * x * (dout @ w.T)), wrong("w", (x**2).T @ dout)

    return Square, (X, W)


def callback(wrong):
    def layer(x, w):
        def backprop(dy):
            return wrong("x", dy @ w.T), wrong("w", x.T @ dy)

        return x @ w, backprop

    return layer, (X, W)


# --- layers


class Layer:
    def __init__(self, wrong):
        self.wrong = wrong
        self.W, self.b = W.copy(), B.copy()


class Affine(Layer):
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.wrong("W", self.x.T @ dout)
        self.db = self.wrong("b", dout.sum(axis=0))
        return self.wrong("x", dout @ self.W.T)


class Returning(Layer):
    """All gradients are returned, none are kept."""

    def forward(self, x):
        return x @ self.W + self.b, x

    def backward(self, dout, cache):
        w = self.wrong
        return w("x", dout @ self.W.T), w("W", cache.T @ dout), w("b", dout.sum(axis=0))


class InADictionary(Layer):
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        grads = {"W": self.wrong("W", self.x.T @ dout), "db": self.wrong("b", dout.sum(axis=0))}
        return grads | {"x": self.wrong("x", dout @ self.W.T)}


class Lists:
    def __init__(self, wrong):
        self.wrong = wrong
        self.params = [W.copy(), B.copy()]
        self.grads = [np.zeros_like(W), np.zeros_like(B)]

    def forward(self, x):
        weights, bias = self.params
        self.x = x
        return x @ weights + bias

    def backward(self, dout):
        self.grads[0][...] = self.wrong("params[0]", self.x.T @ dout)
        self.grads[1] = self.wrong("params[1]", dout.sum(axis=0))
        return self.wrong("x", dout @ self.params[0].T)


class ListsOfAttributes(Layer):
    def __init__(self, wrong):
        super().__init__(wrong)
        self.params, self.grads = [self.W, self.b], []

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads = [self.wrong("W", self.x.T @ dout), self.wrong("b", dout.sum(axis=0))]
        return self.wrong("x", dout @ self.W.T)


class AllAttributes:
    def __init__(self, wrong):
        self.weights, self.biases, self.wrong = W.copy(), B[None].copy(), wrong

    def forward(self, inputs, training=True):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = self.wrong("weights", np.dot(self.inputs.T, dvalues))
        self.dbiases = self.wrong("biases", np.sum(dvalues, axis=0, keepdims=True))
        self.dinputs = self.wrong("inputs", np.dot(dvalues, self.weights.T))


class ShortGradientNames(AllAttributes):
    def backward(self, dvalues):
        self.dW = self.wrong("weights", self.inputs.T @ dvalues)
        self.db = self.wrong("biases", dvalues.sum(axis=0, keepdims=True))
        self.dinputs = self.wrong("inputs", dvalues @ self.weights.T)


class Lazy:
    """Parameters drawn at the first forward; gradients added to what is there, until they are flushed."""

    def __init__(self, wrong):
        self.wrong, self.X, self.is_initialized = wrong, [], False
        self.parameters: dict[str, Any] = {"W": None, "b": None}
        self.gradients: dict[str, Any] = {}

    def forward(self, X):
        if not self.is_initialized:
            self.parameters = {"W": np.random.standard_normal((X.shape[1], 2)), "b": np.zeros((1, 2))}
            self.gradients = {"W": np.zeros((X.shape[1], 2)), "b": np.zeros((1, 2))}
            self.is_initialized = True
        self.X.append(X)
        return X @ self.parameters["W"] + self.parameters["b"]

    def backward(self, dLdy, retain_grads=True):
        (X, *_) = self.X
        if retain_grads:
            self.gradients["W"] += self.wrong("parameters['W']", X.T @ dLdy)
            self.gradients["b"] += self.wrong("parameters['b']", dLdy.sum(axis=0, keepdims=True))
        return self.wrong("X", dLdy @ self.parameters["W"].T)

    def flush_gradients(self):
        self.X = []
        self.gradients = {key: np.zeros_like(g) for key, g in self.gradients.items()}


class Derivatives(Layer):
    def forward(self, A):
        self.A = A
        return A @ self.W + self.b

    def backward(self, dLdZ):
        self.dLdW = self.wrong("W", self.A.T @ dLdZ)
        self.dLdb = self.wrong("b", dLdZ.sum(axis=0))
        return self.wrong("A", dLdZ @ self.W.T)


class AddsUp(Affine):
    """Gradients added to what earlier runs left, in a layer that has been run, and a method against it."""

    def __init__(self, wrong):
        super().__init__(wrong)
        self.dW, self.db = np.ones_like(W), np.ones_like(B)

    def backward(self, dout):
        self.dW += self.wrong("W", self.x.T @ dout)
        self.db += self.wrong("b", dout.sum(axis=0))
        return self.wrong("x", dout @ self.W.T)

    def zero_grad(self):
        self.dW[...], self.db[...] = 0, 0


class Neuron:
    """Its bias is a Python float."""

    def __init__(self, wrong):
        self.w, self.b, self.db, self.wrong = W[:, 0].copy(), 0.25, 0.0, wrong

    def forward(self, x):
        self.x = x
        return sigmoid(x @ self.w + self.b)

    def backward(self, dout):
        a = sigmoid(self.x @ self.w + self.b)
        d = dout * a * (1 - a)
        self.dw, self.db = self.wrong("w", self.x.T @ d), self.wrong("b", float(d.sum()))
        return self.wrong("x", np.outer(d, self.w))


class Bilinear(Layer):
    def forward(self, x, h):
        self.x, self.h = x, h
        return (x @ self.W) * h

    def backward(self, dout):
        self.dW = self.wrong("W", self.x.T @ (dout * self.h))
        return self.wrong("x", (dout * self.h) @ self.W.T), self.wrong("h", dout * (self.x @ self.W))


class Sequential:
    """Parameters are those of the layers inside; their arrays are in a list of its own too."""

    def __init__(self, wrong):
        self.layers = [Affine(lambda leaf, g: wrong(leaf if leaf == "x" else f"layers[0].{leaf}", g)), Tanh()]
        self.weights_for_decay = [self.layers[0].W]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x + self.weights_for_decay[0].sum()

    def backward(self, dout):
        through = dout
        for layer in reversed(self.layers):
            through = layer.backward(through)
        self.layers[0].dW += dout.sum()
        return through


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Update(Layer):
    """begin_update gives the output and a callback; gradients are in a dictionary afterwards."""

    grads: dict[str, Any]

    def begin_update(self, X):
        def backprop(dY):
            self.grads = {"W": self.wrong("W", X.T @ dY), "d_b": self.wrong("b", dY.sum(axis=0))}
            return self.wrong("X", dY @ self.W.T)

        return X @ self.W + self.b, backprop


class Called(Update):
    begin_update = None  # type: ignore[assignment]

    def __call__(self, X):
        return Update.begin_update(self, X)


class Dropout:
    """Its mask comes from NumPy's global generator, and is another one in every run."""

    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, x):
        self.mask = (np.random.random(x.shape) < 0.5) / 0.5
        return x * self.mask

    def backward(self, dout):
        return self.wrong("x", dout * self.mask)


# --- losses


class SoftmaxWithLoss:
    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, x, t):
        self.t, self.y = t, softmax(x)
        return -np.log(self.y[range(len(t)), t]).mean()

    def backward(self, dout=1):
        return dout * self.wrong("x", (self.y - np.eye(2)[self.t]) / len(self.t))


class SquaredError:
    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, y_pred, y_true):
        self.difference = y_pred - y_true
        return 0.5 * (self.difference**2).sum()

    def backward(self):
        return self.wrong("y_pred", self.difference)


class SquaredErrorAgain:
    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, y_pred, y_true):
        return 0.5 * ((y_pred - y_true) ** 2).sum()

    def backward(self, y_pred, y_true):
        return self.wrong("y_pred", y_pred - y_true), self.wrong("y_true", y_true - y_pred)


class MeanLoss:
    """One loss an example; calculate takes their mean, and backward is that of the mean."""

    def __init__(self, wrong):
        self.wrong = wrong

    def calculate(self, output, y):
        return np.mean(self.forward(output, y))

    def forward(self, y_pred, y_true):
        return np.sum((y_true - y_pred) ** 2, axis=-1)

    def backward(self, dvalues, y_true):
        self.dinputs = self.wrong("y_pred", -2 * (y_true - dvalues) / len(dvalues))


class ActivationAndLoss:
    """Its backward is handed its own output."""

    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, inputs, y_true):
        self.output = softmax(inputs)
        return -np.log(self.output[range(len(y_true)), y_true]).mean()

    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.wrong("inputs", self.dinputs / len(dvalues))


# --- networks


class TwoLayers:
    """Its layers share the arrays of a dictionary."""

    def __init__(self, wrong):
        self.wrong = wrong
        self.params = {"W1": W.copy(), "b1": B.copy()}
        self.layers = OrderedDict(Affine1=Affine(Wrong()))
        self.layers["Affine1"].W, self.layers["Affine1"].b = self.params["W1"], self.params["b1"]
        self.last = SoftmaxWithLoss(Wrong())

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        return self.last.forward(self.predict(x), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        affine = self.layers["Affine1"]
        return {
            "W1": self.wrong("params['W1']", affine.dW),
            "b1": self.wrong("params['b1']", affine.db),
        }


class LossAndGradients:
    def __init__(self, wrong):
        self.params, self.wrong = {"W1": W.copy(), "b1": B.copy()}, wrong

    def loss(self, X, y, reg=0.1):
        scores = X @ self.params["W1"] + self.params["b1"]
        p = softmax(scores)
        d = (p - np.eye(2)[y]) / len(y)
        value = -np.log(p[range(len(y)), y]).mean() + reg * (self.params["W1"] ** 2).sum()
        grads = {"W1": X.T @ d + 2 * reg * self.params["W1"], "b1": d.sum(axis=0)}
        return value, {key: self.wrong(f"params[{key!r}]", g) for key, g in grads.items()}


class ThreeMethods:
    def __init__(self, wrong):
        self.W1, self.b1, self.wrong = W.copy(), B.copy(), wrong

    def forward(self, X):
        self.A = sigmoid(X @ self.W1 + self.b1)
        return self.A

    def compute_loss(self, y_true, y_pred):
        return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)).mean(axis=0).sum()

    def backward(self, X, y, output):
        d = (output - y) / len(X)
        self.dW1, self.db1 = self.wrong("W1", X.T @ d), self.wrong("b1", d.sum(axis=0))

    def train(self, X, y):
        raise AssertionError("nobody asked for training")


class CrossEntropy:
    @staticmethod
    def fn(a, y):
        return np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a)))

    @staticmethod
    def delta(z, a, y):
        return a - y


class Columns:
    """Lists of weights and biases, column vectors, one example."""

    def __init__(self, wrong):
        rng = np.random.default_rng(5)
        self.sizes, self.wrong = [3, 4, 2], wrong
        self.biases = [rng.standard_normal((n, 1)) for n in self.sizes[1:]]
        self.weights = [
            rng.standard_normal((n, m)) for m, n in zip(self.sizes[:-1], self.sizes[1:], strict=True)
        ]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def cost_derivative(self, output_activations, y):
        return output_activations - y

    def delta(self, a, y):
        return self.cost_derivative(a, y) * a * (1 - a)

    def backprop(self, x, y):
        a1 = sigmoid(self.weights[0] @ x + self.biases[0])
        a2 = sigmoid(self.weights[1] @ a1 + self.biases[1])
        d2 = self.delta(a2, y)
        d1 = self.weights[1].T @ d2 * a1 * (1 - a1)
        nabla_b = [self.wrong("biases[0]", d1), d2]
        return nabla_b, [d1 @ x.T, self.wrong("weights[1]", d2 @ a1.T)]


class ColumnsWithCost(Columns):
    cost = CrossEntropy

    def delta(self, a, y):
        return self.cost.delta(None, a, y)


def of(layer, *inputs):
    return lambda wrong: (layer(wrong), inputs)


COLUMN, TARGET = X[0][:, None], np.array([[0.0], [1.0]])

# What makes a target and its inputs, and the leaves in the order of the report.
WAYS = {
    "a pair with a cache": (pair_with_cache, "x w b"),
    "a pair that takes the inputs again": (pair_that_takes_the_inputs_again, "x w"),
    "a pair that takes one input by name": (pair_that_takes_one_input_by_name, "x w"),
    "a pair beside integers": (pair_of_an_embedding, "table scale"),
    "a pair with a dictionary": (pair_with_a_dictionary_of_parameters, "x params['W1'] params['b1']"),
    "a pair of a loss": (loss_pair, "scores"),
    "a static op": (static_op, "x w"),
    "static methods without a context": (static_pair, "x w"),
    "a callback": (callback, "x w"),
    "attributes": (of(Affine, X), "x W b"),
    "all returned": (of(Returning, X), "x W b"),
    "a dictionary returned": (of(InADictionary, X), "x W b"),
    "lists": (of(Lists, X), "x params[0] params[1]"),
    "lists of attributes": (of(ListsOfAttributes, X), "x W b"),
    "all in attributes": (of(AllAttributes, X), "inputs weights biases"),
    "dW beside weights": (of(ShortGradientNames, X), "inputs weights biases"),
    "made at the first forward": (of(Lazy, X), "X parameters['W'] parameters['b']"),
    "derivative names": (of(Derivatives, X), "A W b"),
    "gradients that add up": (of(AddsUp, X), "x W b"),
    "a bias that is a float": (of(Neuron, X), "x w b"),
    "two inputs": (of(Bilinear, X, Y), "x h W"),
    "layers in a layer": (of(Sequential, X), "x layers[0].W layers[0].b"),
    "begin_update": (of(Update, X), "X W b"),
    "a layer that is called": (of(Called, X), "X W b"),
    "dropout": (of(Dropout, X), "x"),
    "softmax with loss": (of(SoftmaxWithLoss, Y, LABELS), "x"),
    "a loss without a cotangent": (of(SquaredError, Y, ONE_HOT), "y_pred"),
    "a loss that takes its inputs again": (of(SquaredErrorAgain, Y, ONE_HOT), "y_pred y_true"),
    "a mean loss": (of(MeanLoss, Y, ONE_HOT), "y_pred"),
    "softmax and loss that are handed their output": (of(ActivationAndLoss, Y, LABELS), "inputs"),
    "loss beside gradient": (of(TwoLayers, X, LABELS), "params['W1'] params['b1']"),
    "loss and gradients at once": (of(LossAndGradients, X, LABELS), "params['W1'] params['b1']"),
    "forward, loss, backward": (of(ThreeMethods, X, ONE_HOT), "W1 b1"),
    "backprop by cost_derivative": (
        of(Columns, COLUMN, TARGET),
        "biases[0] biases[1] weights[0] weights[1]",
    ),
    "backprop by its cost": (
        of(ColumnsWithCost, COLUMN, TARGET),
        "biases[0] biases[1] weights[0] weights[1]",
    ),
}
UNSPOILT = ("biases[1]", "weights[0]")  # leaves whose gradients the specimens leave right


@pytest.mark.parametrize("oracles", ["auto", ("autodiff",), ("finite-difference",)])
@pytest.mark.parametrize("way", WAYS)
def test_a_right_layer_passes_with_every_leaf_found(way, oracles):
    make, leaves = WAYS[way]
    target, inputs = make(Wrong())
    report = check_gradients(target, *inputs, oracles=oracles)
    assert report.verdict is Verdict.PASS, report
    assert [leaf.name for leaf in report.leaves] == leaves.split()


SPOILT = [(way, leaf) for way in WAYS for leaf in WAYS[way][1].split() if leaf not in UNSPOILT]


@pytest.mark.parametrize(("way", "leaf"), SPOILT)
def test_a_wrong_layer_fails_at_the_leaf_that_is_wrong(way, leaf):
    target, inputs = WAYS[way][0](Wrong(leaf))
    report = check_gradients(target, *inputs)
    assert [r.name for r in report.leaves if r.verdict is Verdict.FAIL] == [leaf], report


OBJECTS = [
    way for way in WAYS if not isinstance(WAYS[way][0](Wrong())[0], tuple | type | type(pair_with_cache))
]


@pytest.mark.parametrize("way", OBJECTS)
def test_nothing_of_the_users_object_changes(way):
    target, inputs = WAYS[way][0](Wrong())
    before, drawn = flat(target), str(np.random.get_state())
    kept = copy.deepcopy(inputs)
    check_gradients(target, *inputs)
    assert flat(target) == before
    assert str(np.random.get_state()) == drawn
    assert all(np.array_equal(a, b) for a, b in zip(inputs, kept, strict=True))


def flat(thing: Any) -> Any:
    """Everything that an object holds, with the identities and the bytes of its arrays."""
    if isinstance(thing, np.ndarray):
        return id(thing), thing.tobytes()
    if isinstance(thing, dict):
        return [(key, flat(value)) for key, value in thing.items()]
    if isinstance(thing, list | tuple):
        return [flat(value) for value in thing]
    return flat(vars(thing)) if hasattr(thing, "__dict__") else repr(thing)


# --- more than one mistake of a size


def test_a_missing_sum_and_a_transpose_are_found_in_lists():
    class Spoilt(Lists):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads = [self.grads[0].T, dout]
            return dx

    report = check_gradients(Spoilt(Wrong()), X)
    assert [(f.leaf, f.code) for f in report.findings] == [
        ("params[0]", "transposed"),
        ("params[1]", "missing-batch-sum"),
    ]


def test_a_gradient_of_a_wrong_shape_in_a_sequence_is_a_mistake_and_no_misuse():
    class Spoilt(Columns):
        def backprop(self, x, y):
            nabla_b, nabla_w = super().backprop(x, y)
            return nabla_b, [nabla_w[0].T, nabla_w[1]]

    report = check_gradients(Spoilt(Wrong()), COLUMN, TARGET)
    assert [r.name for r in report.leaves if r.verdict is Verdict.FAIL] == ["weights[0]"]


def test_gradients_in_the_other_order_are_told_by_their_shapes():
    class Swapped(Columns):
        def backprop(self, x, y):
            nabla_b, nabla_w = super().backprop(x, y)
            return nabla_w, nabla_b

    assert check_gradients(Swapped(Wrong()), COLUMN, TARGET)


def test_a_mask_drawn_again_in_the_backward_is_wrong():
    class DrawnAgain(Dropout):
        def backward(self, dout):
            return dout * (np.random.random(dout.shape) < 0.5) / 0.5

    assert check_gradients(DrawnAgain(Wrong()), X).verdict is Verdict.FAIL


def test_a_list_of_gradients_that_is_never_written_to_is_wrong():
    class Stale(Lists):
        def backward(self, dout):
            self.dW = self.x.T @ dout
            self.grads[1] = dout.sum(axis=0)
            return dout @ self.params[0].T

    report = check_gradients(Stale(Wrong()), X)
    assert [(f.leaf, f.code) for f in report.findings] == [("params[0]", "zero")]


def test_an_array_shared_by_two_layers_gets_the_sum_of_their_gradients():
    class Twice:
        def __init__(self, right=True):
            square = np.random.default_rng(3).standard_normal((3, 3))
            self.first, self.second, self.right = Affine(Wrong()), Affine(Wrong()), right
            self.first.W = self.second.W = square
            self.first.b, self.second.b = np.ones(3), np.zeros(3)

        def forward(self, x):
            return self.second.forward(self.first.forward(x))

        def backward(self, dout):
            dx = self.first.backward(self.second.backward(dout))
            if not self.right:
                self.second.dW = None
            return dx

    assert [leaf.name for leaf in check_gradients(Twice(), X).leaves] == [
        "x",
        "first.W",
        "first.b",
        "second.b",
    ]
    assert check_gradients(Twice(), X)
    report = check_gradients(Twice(right=False), X)
    assert [r.name for r in report.leaves if r.verdict is Verdict.FAIL] == ["first.W"]


def test_what_the_outer_layer_collects_is_not_added_to_what_it_collects_from():
    class Collecting(Sequential):
        def __init__(self, wrong):
            super().__init__(wrong)
            self.params, self.grads = [self.layers[0].W, self.layers[0].b], []

        def backward(self, dout):
            dx = super().backward(dout)
            self.grads = [self.layers[0].dW.copy(), self.layers[0].db.copy()]
            return dx

    report = check_gradients(Collecting(Wrong()), X)
    assert report.verdict is Verdict.PASS
    assert [leaf.name for leaf in report.leaves] == ["x", "params[0]", "params[1]"]


def test_running_statistics_and_unanswered_inputs_are_said_to_be_unchecked():
    class Norm:
        def __init__(self):
            self.parameters = {"scale": np.ones(3), "running_mean": np.zeros(3)}
            self.gradients = {}
            self.average = np.zeros(3)

        def forward(self, x):
            self.x = x
            self.average = 0.9 * self.average + 0.1 * x.mean(axis=0)
            return x * self.parameters["scale"]

        def backward(self, dout):
            self.gradients["scale"] = (dout * self.x).sum(axis=0)
            return dout * self.parameters["scale"]

    assert check_gradients(Norm(), X).not_checked == (
        "parameters['running_mean']: no drunning_mean or the like after backward",
    )
    assert check_gradients(SquaredError(Wrong()), Y, ONE_HOT).not_checked == (
        "y_true: SquaredError.backward answers with no gradient for it",
    )
    assert check_gradients(Columns(Wrong()), COLUMN, TARGET).not_checked == (
        "x: Columns.backprop answers with no gradient for it",
        "y: Columns.backprop answers with no gradient for it",
        "cost_derivative: the cost that it is the derivative of is not there",
    )


def test_a_parameter_that_the_forward_writes_to_is_said_to_be_unchecked():
    class Decaying(Affine):
        def forward(self, x):
            self.W *= 0.5
            return super().forward(x)

    report = check_gradients(Decaying(Wrong("b")), X)
    assert report.not_checked == ("W: forward changes its entries, as it does those of what it caches",)
    assert [leaf.name for leaf in report.leaves] == ["x", "b"]


def test_a_network_of_one_array_may_return_its_gradient_bare():
    class Perceptron:
        def __init__(self, factor):
            self.w, self.factor = W[:, 0].copy(), factor

        def predict(self, x):
            return x @ self.w

        def loss(self, prediction, t):
            return ((prediction - t) ** 2).sum()

        def gradient(self, x, t):
            return self.factor * x.T @ (x @ self.w - t)

    assert check_gradients(Perceptron(2), X, Y[:, 0])
    report = check_gradients(Perceptron(1), X, Y[:, 0])
    assert [(f.leaf, f.code) for f in report.findings] == [("w", "factor")]


def test_a_network_may_have_names_for_its_data():
    network, data = LossAndGradients(Wrong()), (X, LABELS)
    assert check_gradients(network, *data, names=("images", "digits")).not_checked == (
        "images: LossAndGradients.loss answers with no gradient for it",
    )


def test_a_layer_keeps_its_modules_and_takes_a_reference():
    import jax.numpy as jnp

    class Own(Affine):
        def __init__(self, wrong):
            super().__init__(wrong)
            self.np = np

    report = check_gradients(Own(Wrong()), X, reference=lambda x, W, b: jnp.asarray(x) @ W + b)
    assert report.verdict is Verdict.PASS


def test_a_constant_input_gets_no_gradient():
    (forward, backward), (x, w, b) = pair_with_cache(Wrong())
    report = check_gradients((forward, backward), constant(x), w, b)
    assert [leaf.name for leaf in report.leaves] == ["w", "b"]
    assert report.verdict is Verdict.PASS


def test_a_method_is_a_callback_of_the_object_it_belongs_to():
    layer = Update(Wrong())
    before = flat(layer)
    report = check_gradients(layer.begin_update, X)
    assert [leaf.name for leaf in report.leaves] == ["X", "W", "b"]
    assert report.verdict is Verdict.PASS
    assert flat(layer) == before


# --- explicit constructors


def shallow(wrong):
    def forward_propagation(X, parameters):
        A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
        A2 = sigmoid(parameters["W2"] @ A1 + parameters["b2"])
        return A2, {"A1": A1, "A2": A2}

    def compute_cost(A2, Y):
        return -(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)).sum() / Y.shape[1]

    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
        grads = {"dW2": dZ2 @ cache["A1"].T / m, "db2": dZ2.sum(axis=1, keepdims=True) / m}
        grads |= {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(axis=1, keepdims=True) / m}
        return {"dZ2": dZ2} | {key: wrong(f"parameters['{key[1:]}']", g) for key, g in grads.items()}

    rng = np.random.default_rng(6)
    parameters = {
        "W1": rng.standard_normal((4, 3)),
        "b1": rng.standard_normal((4, 1)),
        "W2": rng.standard_normal((2, 4)),
        "b2": rng.standard_normal((2, 1)),
    }
    return forward_propagation, backward_propagation, compute_cost, parameters


@pytest.mark.parametrize("leaf", [None, "parameters['W1']", "parameters['b2']"])
def test_functions_that_hand_dictionaries_on(leaf):
    forward, backward, cost, parameters = shallow(Wrong(leaf))
    data, labels = constant(X.T), constant(ONE_HOT.T)
    claim = from_propagation(forward, backward, cost, X=data, Y=labels, parameters=parameters)
    for oracles in ("auto", ("autodiff",), ("finite-difference",)):
        report = check_gradients(claim, oracles=oracles)
        assert len(report.leaves) == 4
        assert [r.name for r in report.leaves if r.verdict is not Verdict.PASS] == ([leaf] if leaf else [])

    def loss(parameters):
        return cost(forward(X.T, parameters)[0], ONE_HOT.T)

    def gradients(parameters):
        return backward(parameters, forward(X.T, parameters)[1], X.T, ONE_HOT.T)

    report = check_gradients(loss, parameters, gradients=gradients)
    assert report.verdict is (Verdict.FAIL if leaf else Verdict.PASS)


def test_every_way_has_a_constructor():
    for make, way in (
        (from_layer, "attributes"),
        (from_callback, "a callback"),
        (from_callback, "begin_update"),
        (from_op, "a static op"),
        (from_network, "loss beside gradient"),
        (from_network, "backprop by its cost"),
    ):
        target, inputs = WAYS[way][0](Wrong())
        assert check_gradients(make(target, *inputs)), way
    functions, inputs = pair_with_cache(Wrong())
    claim = from_pair(*functions, *inputs, names=("a", "b", "c"))
    assert [leaf.name for leaf in check_gradients(claim).leaves] == ["a", "b", "c"]


@pytest.mark.parametrize("leaf", [None, "W1", "b1"])
def test_a_network_with_names_of_its_own_is_told_how(leaf):
    class Own(ThreeMethods):
        def compute_loss(self, actually, guess):  # pyright: ignore[reportIncompatibleMethodOverride]
            return ThreeMethods.compute_loss(self, actually, guess)

    network = Own(Wrong(leaf))
    with pytest.raises(ClaimError, match=r"what actually is cannot be told: say how with gradcheck.adapters"):
        check_gradients(network, X, ONE_HOT)
    claim = from_network(
        network,
        X,
        ONE_HOT,
        loss=lambda network, X, y: network.compute_loss(y, network.forward(X)),
        gradients=lambda network, X, y: network.backward(X, y, network.A),
    )
    report = check_gradients(claim)
    assert [r.name for r in report.leaves if r.verdict is not Verdict.PASS] == ([leaf] if leaf else [])
    assert len(report.leaves) == 2


# --- misuse


class NoBackward:
    def forward(self, x):
        return x


class Silent:
    def forward(self, x):
        self.result = x

    def backward(self, dout):
        return dout


class SilentBackward(Silent):
    def forward(self, x):
        return x

    def backward(self, dout):
        pass


class OneShort(Lists):
    def backward(self, dout):
        self.grads = [self.x.T @ dout]


class TooMany(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        return dx, self.dW, self.db


class OneOfTwo(Bilinear):
    def backward(self, dout):
        return super().backward(dout)[0]


class NoCost(Columns):
    cost_derivative = None  # type: ignore[assignment]


class WithLock(Affine):
    def __init__(self, wrong):
        import threading

        super().__init__(wrong)
        self.lock = threading.Lock()


class LossOnly:
    def loss(self, x, t):
        return ((x - t) ** 2).sum()


def op_of(count):
    class Op:
        @staticmethod
        def forward(ctx, x, w):
            return x @ w

        @staticmethod
        def backward(ctx, dout):
            return (X,) * count

    return Op


MISUSE = {
    "no backward": (
        lambda: check_gradients(NoBackward(), X),
        "NoBackward has forward but no backward: there is no gradient to check. Give it backward(dout) -> dx",
    ),
    "forward leaves nothing": (
        lambda: check_gradients(Silent(), X),
        "Silent.forward returned None and set no output or outputs or out: return the array it computes",
    ),
    "backward leaves nothing": (
        lambda: check_gradients(SilentBackward(), X),
        "SilentBackward.backward returned None and left no gradient of x: return it, or set an attribute "
        "such as self.dx",
    ),
    "a list too short": (
        lambda: check_gradients(OneShort(Wrong()), X),
        "1 gradients are in grads for 2 parameters in params: put one there for each, None where there is "
        "none",
    ),
    "too many": (
        lambda: check_gradients(TooMany(Wrong()), X),
        "TooMany.backward returned 3 gradients for x, and left those of W, b beside them: return one "
        "gradient an input, and leave those of parameters beside them, e.g. self.dW beside self.W",
    ),
    "too few": (
        lambda: check_gradients(OneOfTwo(Wrong()), X, Y),
        "OneOfTwo.backward returned no gradient for h: return one gradient an input, in a tuple, or wrap "
        "data in gradcheck.constant(...)",
    ),
    "class": (
        lambda: check_gradients(Affine, X),
        "Affine is a class: pass an object of it, e.g. Affine(...)",
    ),
    "an op with too few": (
        lambda: check_gradients(op_of(1), X, W),
        "Op.backward returned 1 gradients for 2 arguments (x, w): return one gradient an argument, None for "
        "one that has none",
    ),
    "an op with too many": (
        lambda: check_gradients(op_of(3), X, W),
        "Op.backward returned 3 gradients for 2 arguments (x, w): return one gradient an argument, None for "
        "one that has none",
    ),
    "a pair with too few": (
        lambda: check_gradients((lambda x, w: x @ w, lambda dout: (dout,)), X, W),
        "backward returned 1 gradients for 2 inputs (x, w): return one gradient an input, None for one that "
        "is zero",
    ),
    "a pair with a key missing": (
        lambda: check_gradients((lambda x, w: x @ w, lambda dout: {"dx": dout}), X, W),
        "backward's dictionary has no entry for 'w' (keys: dx): name it 'dw' or 'w'",
    ),
    "a pair that wants what is not there": (
        lambda: check_gradients((lambda x, w: x @ w, lambda dout, mask, scale, z: dout), X, W),
        "backward takes dout, mask, scale, z, and z is neither an input of the forward (x, w) nor a cache "
        "that it returns: return (out, cache) from the forward, or pass f with vjp=lambda cotangent, "
        "*inputs: ...",
    ),
    "two values, and inputs by name": (
        lambda: check_gradients((lambda x, w: (x @ w, x @ w), lambda dout, x, w: dout), X, W),
        "the forward returned two values and backward takes x, w, as inputs are named: if the second one is "
        "a cache, call that argument cache; or pass vjp=",
    ),
    "a pair with a claim": (
        lambda: check_gradients((np.sin, np.cos), X, vjp=np.cos),
        "a pair carries its own backward: leave vjp= and gradients= out",
    ),
    "backprop without a cost": (
        lambda: check_gradients(NoCost(Wrong()), COLUMN, TARGET),
        "NoCost.backprop has no cost beside it whose gradient it could be: say how with "
        "gradcheck.adapters.from_network(nocost, X, y, loss=lambda network, *inputs: ..., "
        "gradients=lambda network, *inputs: ...)",
    ),
    "a loss without a gradient": (
        lambda: check_gradients(LossOnly(), X, X),
        "LossOnly.loss returned no gradient (float64), and there is no method gradient or gradients beside "
        "it: say how with gradcheck.adapters.from_network(lossonly, X, y, loss=lambda network, *inputs: ..., "
        "gradients=lambda network, *inputs: ...)",
    ),
    "half of how": (
        lambda: from_network(LossOnly(), X, loss=lambda network, X: 0.0),
        "gradients= is missing: pass both loss= and gradients=, functions of (network, *inputs)",
    ),
    "a network without its labels": (
        lambda: check_gradients(ThreeMethods(Wrong()), X),
        "ThreeMethods.compute_loss compares with labels that were not given: say how with "
        "gradcheck.adapters.from_network(threemethods, X, loss=lambda network, *inputs: ..., "
        "gradients=lambda network, *inputs: ...)",
    ),
    "what cannot be copied": (
        lambda: check_gradients(WithLock(Wrong()), X),
        "WithLock cannot be copied (cannot pickle '_thread.lock' object): take that out of it, give it "
        "__deepcopy__, or pass functions, e.g. check_gradients(f, x, vjp=vjp)",
    ),
    "a callback at times": (
        lambda: from_callback(lambda x: x, X).forward(X),
        "ndarray was returned where <lambda>'s callback is expected: return (output, backprop), where "
        "backprop(cotangent) gives the gradients",
    ),
    "an argument of no name": (
        lambda: check_gradients(from_propagation(lambda X: X, lambda cache: X, lambda A: 0.0, Z=X)),
        "the function takes X, and X was not given: pass X=..., named as its argument is",
    ),
    "convention": (
        lambda: check_gradients(np.sin, X, vjp=np.cos, convention="B"),
        "convention='B' is not known: pass 'vjp' or 'mean-in-parameters'",
    ),
    "no batch": (
        lambda: check_gradients(np.multiply, X[0], X[1], vjp=np.add, convention="mean-in-parameters"),
        "convention='mean-in-parameters' needs the number of examples, and data of shape (3,) leave it open: "
        "pass data of two or more axes, lengths that differ, and parameters beside it",
    ),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_a_claim_error_that_says_what_to_pass(name):
    call, message = MISUSE[name]
    with pytest.raises(ClaimError) as caught:
        call()
    assert str(caught.value) == message


def test_the_users_exception_in_the_run_that_looks_for_parameters_says_so():
    class Broken(Affine):
        def backward(self, dout):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        check_gradients(Broken(Wrong()), X)
    note = "gradcheck: raised by the run of Broken.backward that looks for parameters"
    assert caught.value.__notes__ == [note]


# --- 1/m in parameters


class MeanInParameters(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW, self.db = self.dW / len(self.x), self.db / len(self.x)
        return dx


def linear_forward(A_prev, W, b):
    return W @ A_prev + b, (A_prev, W, b)


def linear_backward(dZ, cache):
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m


@pytest.mark.parametrize("oracles", ["auto", ("autodiff",), ("finite-difference",)])
def test_a_mean_in_parameters_is_judged_by_its_own_rule(oracles):
    options = {"convention": "mean-in-parameters", "oracles": oracles}
    assert check_gradients(MeanInParameters(Wrong()), X, **options).verdict is Verdict.PASS
    columns = X.T, RNG.standard_normal((2, 3)), RNG.standard_normal((2, 1))
    assert check_gradients((linear_forward, linear_backward), *columns, **options).verdict is Verdict.PASS
    for leaf in ("x", "W", "b"):
        report = check_gradients(MeanInParameters(Wrong(leaf)), X, **options)
        assert [r.name for r in report.leaves if r.verdict is Verdict.FAIL] == [leaf]


def test_a_mean_in_parameters_is_no_vjp_and_a_vjp_no_mean_in_parameters():
    as_vjp = check_gradients(MeanInParameters(Wrong()), X)
    assert [r.name for r in as_vjp.leaves if r.verdict is Verdict.FAIL] == ["W", "b"]
    as_mean = check_gradients(Affine(Wrong()), X, convention="mean-in-parameters")
    assert [r.name for r in as_mean.leaves if r.verdict is Verdict.FAIL] == ["W", "b"]


def test_a_claim_may_be_made_first():
    claim = as_claim(Affine(Wrong("W")), (X,))
    assert [r.name for r in check_gradients(claim).leaves if r.verdict is Verdict.FAIL] == ["W"]
