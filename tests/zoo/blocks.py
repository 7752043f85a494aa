"""Small blocks of several layers: gates, skips, experts, and networks with dictionaries of parameters."""

# pyright: reportAttributeAccessIssue=false
# A callback sets gradients that nobody has declared.

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, positive, sigmoid, softmax


class Highway:
    """A gate between a layer and its input: H T + x (1 - T)."""

    def __init__(self, n):
        self.Wh, self.bh = numbers(1, n, n) / 2, numbers(2, n)
        self.Wt, self.bt = numbers(3, n, n) / 2, numbers(4, n)

    def forward(self, x):
        self.x = x
        self.H = np.tanh(x @ self.Wh + self.bh)
        self.T = sigmoid(x @ self.Wt + self.bt)
        return self.H * self.T + x * (1 - self.T)

    def backward(self, dout):
        dh = dout * self.T * (1 - self.H**2)
        dt = dout * (self.H - self.x) * self.T * (1 - self.T)
        self.dWh, self.dbh = self.x.T @ dh, dh.sum(axis=0)
        self.dWt, self.dbt = self.x.T @ dt, dt.sum(axis=0)
        return dh @ self.Wh.T + dt @ self.Wt.T + dout * (1 - self.T)


class HighwayWithoutCarry(Highway):
    def backward(self, dout):
        return super().backward(dout) - dout * (1 - self.T)


class HighwayHalfGate(Highway):
    def backward(self, dout):
        dh = dout * self.T * (1 - self.H**2)
        dt = dout * self.H * self.T * (1 - self.T)
        self.dWh, self.dbh = self.x.T @ dh, dh.sum(axis=0)
        self.dWt, self.dbt = self.x.T @ dt, dt.sum(axis=0)
        return dh @ self.Wh.T + dt @ self.Wt.T + dout * (1 - self.T)


class Residual:
    """inputs + ReLU(inputs W1 + b1) W2 + b2"""

    def __init__(self, n, n_hidden):
        self.weights1, self.biases1 = numbers(5, n, n_hidden), numbers(6, 1, n_hidden)
        self.weights2, self.biases2 = numbers(7, n_hidden, n), numbers(8, 1, n)

    def forward(self, inputs):
        self.inputs = inputs
        self.z = inputs @ self.weights1 + self.biases1
        self.hidden = np.maximum(self.z, 0)
        self.output = inputs + self.hidden @ self.weights2 + self.biases2

    def backward(self, dvalues):
        dz = dvalues @ self.weights2.T
        dz[self.z <= 0] = 0
        self.dweights2, self.dbiases2 = self.hidden.T @ dvalues, dvalues.sum(axis=0, keepdims=True)
        self.dweights1, self.dbiases1 = self.inputs.T @ dz, dz.sum(axis=0, keepdims=True)
        self.dinputs = dvalues + dz @ self.weights1.T


class ResidualWithoutSkip(Residual):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dinputs = self.dinputs - dvalues


class ResidualWithoutMask(Residual):
    def backward(self, dvalues):
        super().backward(dvalues)
        dz = dvalues @ self.weights2.T
        self.dweights1, self.dbiases1 = self.inputs.T @ dz, dz.sum(axis=0, keepdims=True)
        self.dinputs = dvalues + dz @ self.weights1.T


def maxout_forward(x, W, b):
    """The largest of k affine functions, for every output."""
    z = np.einsum("mi,kio->kmo", x, W) + b[:, None]
    return z.max(axis=0), (x, W, z)


def maxout_backward(dout, cache):
    x, W, z = cache
    dz = (np.arange(len(z))[:, None, None] == z.argmax(axis=0)) * dout
    return np.einsum("kmo,kio->mi", dz, W), np.einsum("mi,kmo->kio", x, dz), dz.sum(axis=1)


def maxout_to_all(dout, cache):
    x, W, z = cache
    dz = np.repeat(dout[None], len(z), axis=0)
    return np.einsum("kmo,kio->mi", dz, W), np.einsum("mi,kmo->kio", x, dz), dz.sum(axis=1)


def maxout_one_piece_of_bias(dout, cache):
    dx, dW, db = maxout_backward(dout, cache)
    return dx, dW, np.repeat(db.sum(axis=0, keepdims=True), len(db), axis=0)


def gated_linear_unit(x, W, V):
    """(x W) sigmoid(x V)"""
    a, g = x @ W, sigmoid(x @ V)

    def backprop(dY):
        da, dg = dY * g, dY * a * g * (1 - g)
        return da @ W.T + dg @ V.T, x.T @ da, x.T @ dg

    return a * g, backprop


def gated_linear_unit_one_path(x, W, V):
    Y, backprop = gated_linear_unit(x, W, V)

    def one_path(dY):
        _, dW, dV = backprop(dY)
        return (dY * sigmoid(x @ V)) @ W.T, dW, dV

    return Y, one_path


def gated_linear_unit_slope(x, W, V):
    a, g = x @ W, sigmoid(x @ V)

    def backprop(dY):
        da, dg = dY * g, dY * a * g
        return da @ W.T + dg @ V.T, x.T @ da, x.T @ dg

    return a * g, backprop


class Experts:
    """Two linear experts, mixed by a gate for every example."""

    def __init__(self, n_in, n_out):
        self.A, self.B = numbers(9, n_in, n_out), numbers(10, n_in, n_out)
        self.w = numbers(11, n_in)

    def __call__(self, X):
        g = sigmoid(X @ self.w)[:, None]
        YA, YB = X @ self.A, X @ self.B

        def backprop(dY):
            self.dA, self.dB = X.T @ (g * dY), X.T @ ((1 - g) * dY)
            dz = (dY * (YA - YB)).sum(axis=1) * (g * (1 - g))[:, 0]
            self.dw = X.T @ dz
            return (g * dY) @ self.A.T + ((1 - g) * dY) @ self.B.T + np.outer(dz, self.w)

        return g * YA + (1 - g) * YB, backprop


class ExpertsSameGate(Experts):
    def __call__(self, X):
        Y, backprop = super().__call__(X)

        def same_gate(dY):
            dX = backprop(dY)
            self.dB = X.T @ (sigmoid(X @ self.w)[:, None] * dY)
            return dX

        return Y, same_gate


class ExpertsGateSign(Experts):
    def __call__(self, X):
        Y, backprop = super().__call__(X)

        def gate_sign(dY):
            dX = backprop(dY)
            self.dw = -self.dw
            return dX

        return Y, gate_sign


class SqueezeExcitation:
    """Channels scaled by a gate computed from their means."""

    def __init__(self, n_hidden):
        self.n_hidden = n_hidden
        self.parameters, self.gradients = {}, {}

    def forward(self, x):
        if not self.parameters:
            n = x.shape[1]
            self.parameters = {"W1": numbers(12, n, self.n_hidden), "W2": numbers(13, self.n_hidden, n)}
            self.zero_grad()
        self.x = x
        self.s = x.mean(axis=(2, 3))
        self.h = np.tanh(self.s @ self.parameters["W1"])
        self.e = sigmoid(self.h @ self.parameters["W2"])
        return x * self.e[:, :, None, None]

    def zero_grad(self):
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}

    def backward(self, dout):
        de = (dout * self.x).sum(axis=(2, 3)) * self.e * (1 - self.e)
        dh = de @ self.parameters["W2"].T * (1 - self.h**2)
        self.gradients["W2"] += self.h.T @ de
        self.gradients["W1"] += self.s.T @ dh
        ds = dh @ self.parameters["W1"].T / (self.x.shape[2] * self.x.shape[3])
        return dout * self.e[:, :, None, None] + ds[:, :, None, None]


class SqueezeExcitationOnePath(SqueezeExcitation):
    def backward(self, dout):
        super().backward(dout)
        return dout * self.e[:, :, None, None]


class SqueezeExcitationNoSlope(SqueezeExcitation):
    def backward(self, dout):
        dx = super().backward(dout)
        self.zero_grad()
        de = (dout * self.x).sum(axis=(2, 3))
        self.gradients["W2"] += self.h.T @ de
        self.gradients["W1"] += self.s.T @ (de @ self.parameters["W2"].T * (1 - self.h**2))
        return dx


class RadialBasis:
    """exp(-beta_k |x - c_k|^2)"""

    def __init__(self, n_in, n_centres):
        self.C = numbers(14, n_centres, n_in)
        self.beta = positive(15, n_centres) / 4

    def forward(self, A):
        self.difference = A[:, None] - self.C
        self.distance = (self.difference**2).sum(axis=2)
        self.Z = np.exp(-self.beta * self.distance)
        return self.Z

    def backward(self, dLdZ):
        inner = -dLdZ * self.Z
        self.dLdbeta = (inner * self.distance).sum(axis=0)
        d = 2 * (inner * self.beta)[:, :, None] * self.difference
        self.dLdC = -d.sum(axis=0)
        return d.sum(axis=1)


class RadialBasisSign(RadialBasis):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdC = -self.dLdC
        return dLdA


class RadialBasisHalf(RadialBasis):
    def backward(self, dLdZ):
        super().backward(dLdZ)
        d = -(dLdZ * self.Z * self.beta)[:, :, None] * self.difference
        self.dLdC = -d.sum(axis=0)
        return d.sum(axis=1)


# A course's two-layer network, one example a column.

X2, Y2 = numbers(16, 4, 6), np.array([[1, 0, 0, 1, 0, 1], [0, 0, 1, 1, 1, 0], [1, 1, 0, 0, 1, 0.0]])
PARAMETERS2 = {"W1": numbers(17, 2, 4), "b1": numbers(18, 2, 1), "W2": numbers(19, 3, 2)}
PARAMETERS2["b2"] = numbers(20, 3, 1)


def forward_propagation(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def cost(parameters):
    A2, _ = forward_propagation(X2, parameters)
    return -(Y2 * np.log(A2) + (1 - Y2) * np.log(1 - A2)).sum() / X2.shape[1]


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dA1 = parameters["W2"].T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}


def backward_propagation_slope_of_slope(parameters, cache, X, Y):
    grads = backward_propagation(parameters, cache, X, Y)
    dZ1 = grads["dA1"] * (1 - cache["Z1"] ** 2)
    dW1, db1 = dZ1 @ X.T / X.shape[1], dZ1.mean(axis=1, keepdims=True)
    return grads | {"dZ1": dZ1, "dW1": dW1, "db1": db1}


def backward_propagation_sum(parameters, cache, X, Y):
    grads = backward_propagation(parameters, cache, X, Y)
    return grads | {"dW2": grads["dZ2"] @ cache["A1"].T}


def of_two_layers(backward):
    def grads(parameters):
        _, cache = forward_propagation(X2, parameters)
        return backward(parameters, cache, X2, Y2)

    return Call(cost, (PARAMETERS2,), {"gradients": grads})


# Three layers, one example a row, softmax and weight decay; the gradients carry the parameters' names.

X3, LABELS3, DECAY = numbers(21, 5, 4), np.array([2, 0, 1, 1, 2]), 0.1
SIZES3 = ((1, 4, 2), (2, 2, 6), (3, 6, 3))
PARAMETERS3 = {f"W{i}": numbers(21 + i, n, k) / 2 for i, n, k in SIZES3}
PARAMETERS3 |= {f"b{i}": numbers(31 + i, k) for i, n, k in SIZES3}


def deep_forward(X, params):
    cache = {"A0": X}
    for i in (1, 2, 3):
        Z = cache[f"A{i - 1}"] @ params[f"W{i}"] + params[f"b{i}"]
        cache[f"A{i}"] = np.maximum(Z, 0) if i < 3 else softmax(Z)
    return cache["A3"], cache


def deep_cost(params):
    probabilities, _ = deep_forward(X3, params)
    decay = sum((params[f"W{i}"] ** 2).sum() for i in (1, 2, 3))
    return -np.log(probabilities[np.arange(5), LABELS3]).mean() + DECAY / 2 * decay


def deep_backward(params, cache, labels, lam=DECAY):
    grads = {}
    dZ = cache["A3"].copy()
    dZ[np.arange(len(labels)), labels] -= 1
    dZ /= len(labels)
    for i in (3, 2, 1):
        grads[f"W{i}"] = cache[f"A{i - 1}"].T @ dZ + lam * params[f"W{i}"]
        grads[f"b{i}"] = dZ.sum(axis=0)
        dZ = dZ @ params[f"W{i}"].T * (cache[f"A{i - 1}"] > 0)
    return grads


def deep_backward_without_decay(params, cache, labels):
    return deep_backward(params, cache, labels, lam=0)


def deep_backward_without_mask(params, cache, labels):
    dead_units_revived = cache | {"A1": np.ones_like(cache["A1"])}
    wrong = deep_backward(params, dead_units_revived, labels)
    return deep_backward(params, cache, labels) | {"W1": wrong["W1"], "b1": wrong["b1"]}


def of_three_layers(backward):
    def grads(params):
        _, cache = deep_forward(X3, params)
        return backward(params, cache, LABELS3)

    return Call(deep_cost, (PARAMETERS3,), {"gradients": grads})


SPECIMENS = (
    Specimen(
        name="highway",
        convention="attributes",
        right=Highway,
        call=lambda layer: Call(layer(2), (numbers(0, 3, 2),)),
        wrong=(
            Mistake("overwrites", HighwayWithoutCarry, ("x",)),
            Mistake("overwrites", HighwayHalfGate, ("x", "Wt", "bt")),
        ),
    ),
    Specimen(
        name="residual block",
        convention="returns None",
        right=Residual,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 3, 2),)),
        wrong=(
            Mistake("overwrites", ResidualWithoutSkip, ("inputs",)),
            Mistake("mask-not-applied", ResidualWithoutMask, ("inputs", "weights1", "biases1")),
        ),
    ),
    Specimen(
        name="maxout",
        convention="functional",
        right=maxout_backward,
        call=lambda backward: Call(
            (maxout_forward, backward), (numbers(0, 4, 5), numbers(1, 2, 5, 3), numbers(2, 2, 3))
        ),
        wrong=(
            Mistake("mask-not-applied", maxout_to_all, ("x", "W", "b")),
            Mistake("wrong-axis", maxout_one_piece_of_bias, ("b",)),
        ),
    ),
    Specimen(
        name="gated linear unit",
        convention="callback",
        right=gated_linear_unit,
        call=lambda layer: Call(layer, (numbers(0, 3, 2), numbers(1, 2, 4), numbers(2, 2, 4))),
        wrong=(
            Mistake("overwrites", gated_linear_unit_one_path, ("x",)),
            Mistake("derivative-at-activation", gated_linear_unit_slope, ("x", "V")),
        ),
    ),
    Specimen(
        name="mixture of two experts",
        convention="callback",
        right=Experts,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 3, 2),)),
        wrong=(
            Mistake("wrong-operand", ExpertsSameGate, ("B",)),
            Mistake("sign", ExpertsGateSign, ("w",)),
        ),
    ),
    Specimen(
        name="squeeze and excitation",
        convention="accumulating",
        right=SqueezeExcitation,
        call=lambda layer: Call(layer(3), (numbers(0, 4, 2, 1, 3),)),
        wrong=(
            Mistake("overwrites", SqueezeExcitationOnePath, ("x",)),
            Mistake("missing-activation", SqueezeExcitationNoSlope, ("parameters['W1']", "parameters['W2']")),
        ),
    ),
    Specimen(
        name="radial basis functions",
        convention="derivative names",
        right=RadialBasis,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 3, 2),)),
        wrong=(
            Mistake("sign", RadialBasisSign, ("C",)),
            Mistake("factor", RadialBasisHalf, ("A", "C")),
        ),
    ),
    Specimen(
        name="two-layer network",
        convention="dictionaries",
        right=backward_propagation,
        call=of_two_layers,
        wrong=(
            Mistake(
                "derivative-at-activation",
                backward_propagation_slope_of_slope,
                ("parameters['W1']", "parameters['b1']"),
            ),
            Mistake("factor", backward_propagation_sum, ("parameters['W2']",)),
        ),
    ),
    Specimen(
        name="three-layer network with weight decay",
        convention="dictionaries",
        right=deep_backward,
        call=of_three_layers,
        wrong=(
            Mistake(
                "regulariser",
                deep_backward_without_decay,
                ("params['W1']", "params['W2']", "params['W3']"),
            ),
            Mistake("mask-not-applied", deep_backward_without_mask, ("params['W1']", "params['b1']")),
        ),
    ),
)
