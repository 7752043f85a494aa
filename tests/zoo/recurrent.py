"""Recurrences: plain, LSTM, GRU, a filter, and networks of characters in dictionaries."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, positive, sigmoid, softmax


class Recurrent:
    """h = tanh(x_t Wx + h Wh + b) over A (t, m, n), all h given on."""

    def __init__(self, n, n_hidden):
        self.Wx, self.Wh = numbers(1, n, n_hidden), numbers(2, n_hidden, n_hidden) / 2
        self.b = numbers(3, n_hidden)

    def forward(self, A):
        self.A, h = A, np.zeros((A.shape[1], len(self.b)))
        self.h = [h]
        for x in A:
            h = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
            self.h.append(h)
        return np.array(self.h[1:])

    def backward(self, dLdZ):
        self.dLdWx, self.dLdWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        self.dLdb, dLdA = np.zeros_like(self.b), np.zeros_like(self.A)
        dh = np.zeros_like(self.h[0])
        for t in reversed(range(len(self.A))):
            da = (dh + dLdZ[t]) * (1 - self.h[t + 1] ** 2)
            self.dLdWx += self.A[t].T @ da
            self.dLdWh += self.h[t].T @ da
            self.dLdb += da.sum(axis=0)
            dLdA[t] = da @ self.Wx.T
            dh = da @ self.Wh.T
        return dLdA


class RecurrentTruncated(Recurrent):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        for t in range(len(self.A)):
            dLdA[t] = dLdZ[t] * (1 - self.h[t + 1] ** 2) @ self.Wx.T
        return dLdA


class RecurrentLateState(Recurrent):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdWh, dh = np.zeros_like(self.Wh), np.zeros_like(self.h[0])
        for t in reversed(range(len(self.A))):
            da = (dh + dLdZ[t]) * (1 - self.h[t + 1] ** 2)
            self.dLdWh += self.h[t + 1].T @ da
            dh = da @ self.Wh.T
        return dLdA


def lstm_forward(x, h, c, W, b):
    """One step of a long short-term memory; gates i, f, o and g side by side in W. Gives h and c."""
    z = np.concatenate([x, h], axis=1)
    i, f, o, g = np.split(z @ W + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    new_c = f * c + i * g
    new_h = o * np.tanh(new_c)
    return (new_h, new_c), (z, c, W, i, f, o, g, np.tanh(new_c), x.shape[1])


def lstm_backward(douts, cache):
    dh, dc = douts
    z, c, W, i, f, o, g, t, n = cache
    dc = dc + dh * o * (1 - t**2)
    gates = dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)
    da = np.concatenate(gates, axis=1)
    dz = da @ W.T
    return dz[:, :n], dz[:, n:], dc * f, z.T @ da, da.sum(axis=0)


def lstm_forgets_state_path(douts, cache):
    dh, dc = douts
    z, c, W, i, f, o, g, t, n = cache
    dx, dprevious, _, dW, db = lstm_backward(douts, cache)
    return dx, dprevious, dc * f, dW, db


def lstm_candidate_as_gate(douts, cache):
    dh, dc = douts
    z, c, W, i, f, o, g, t, n = cache
    dc = dc + dh * o * (1 - t**2)
    gates = dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * g * (1 - g)
    da = np.concatenate(gates, axis=1)
    dz = da @ W.T
    return dz[:, :n], dz[:, n:], dc * f, z.T @ da, da.sum(axis=0)


class GRU:
    """A gated unit over x (m, t, n); the last state is the output."""

    def __init__(self, n, n_hidden):
        self.params = [
            numbers(4, n, 3 * n_hidden),
            numbers(5, n_hidden, 3 * n_hidden) / 2,
            numbers(6, 3 * n_hidden),
        ]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x):
        Wx, Wh, b = self.params
        n = len(Wh)
        h, self.x, self.steps = np.zeros((len(x), n)), x, []
        for t in range(x.shape[1]):
            a = x[:, t] @ Wx + b
            z = sigmoid(a[:, :n] + h @ Wh[:, :n])
            r = sigmoid(a[:, n : 2 * n] + h @ Wh[:, n : 2 * n])
            c = np.tanh(a[:, 2 * n :] + (r * h) @ Wh[:, 2 * n :])
            self.steps.append((h, z, r, c))
            h = (1 - z) * h + z * c
        return h

    def backward(self, dout):
        Wx, Wh, b = self.params
        n = len(Wh)
        for grad in self.grads:
            grad[...] = 0
        dx, dh = np.zeros_like(self.x), dout
        for t in reversed(range(self.x.shape[1])):
            h, z, r, c = self.steps[t]
            dc = dh * z * (1 - c**2)
            dz = dh * (c - h) * z * (1 - z)
            drh = dc @ Wh[:, 2 * n :].T
            dr = drh * h * r * (1 - r)
            da = np.hstack([dz, dr, dc])
            self.grads[0] += self.x[:, t].T @ da
            self.grads[1] += np.hstack([h.T @ dz, h.T @ dr, (r * h).T @ dc])
            self.grads[2] += da.sum(axis=0)
            dx[:, t] = da @ Wx.T
            dh = dh * (1 - z) + dz @ Wh[:, :n].T + dr @ Wh[:, n : 2 * n].T + drh * r
        return dx


class GRUForgetsReset(GRU):
    """The state where the reset state was multiplied."""

    def backward(self, dout):
        dx = super().backward(dout)
        n = len(self.params[1])
        self.grads[1][:, 2 * n :] = 0
        dh = dout
        Wh = self.params[1]
        for h, z, r, c in reversed(self.steps):
            dc, dz = dh * z * (1 - c**2), dh * (c - h) * z * (1 - z)
            self.grads[1][:, 2 * n :] += h.T @ dc
            drh = dc @ Wh[:, 2 * n :].T
            dr = drh * h * r * (1 - r)
            dh = dh * (1 - z) + dz @ Wh[:, :n].T + dr @ Wh[:, n : 2 * n].T + drh * r
        return dx


class GRULastStep(GRU):
    def backward(self, dout):
        super().backward(dout)
        Wx, Wh, b = self.params
        n = len(Wh)
        h, z, r, c = self.steps[-1]
        dc = dout * z * (1 - c**2)
        dr = dc @ Wh[:, 2 * n :].T * h * r * (1 - r)
        da = np.hstack([dout * (c - h) * z * (1 - z), dr, dc])
        dx = np.zeros_like(self.x)
        dx[:, -1] = da @ Wx.T
        return dx


# A network of characters with the loss at every step, its gradients in a dictionary.

CHARACTERS, NEXT = np.array([0, 2, 1, 3, 2]), np.array([2, 1, 3, 2, 0])
WEIGHTS = {
    "Wxh": numbers(7, 2, 4),
    "Whh": numbers(8, 2, 2),
    "Why": numbers(9, 4, 2),
    "bh": numbers(10, 2, 1),
    "by": numbers(11, 4, 1),
}


def character_states(params):
    hs, ps = [np.zeros((2, 1))], []
    for character in CHARACTERS:
        x = np.eye(4)[:, [character]]
        hs.append(np.tanh(params["Wxh"] @ x + params["Whh"] @ hs[-1] + params["bh"]))
        ps.append(softmax((params["Why"] @ hs[-1] + params["by"]).T).T)
    return hs, ps


def character_loss(params):
    _, ps = character_states(params)
    return -sum(np.log(p[target, 0]) for p, target in zip(ps, NEXT, strict=True))


def character_gradients(params):
    hs, ps = character_states(params)
    grads = {f"d{name}": np.zeros_like(value) for name, value in params.items()}
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(NEXT))):
        dy = ps[t].copy()
        dy[NEXT[t]] -= 1
        grads["dWhy"] += dy @ hs[t + 1].T
        grads["dby"] += dy
        draw = (1 - hs[t + 1] ** 2) * (params["Why"].T @ dy + dhnext)
        grads["dbh"] += draw
        grads["dWxh"] += draw @ np.eye(4)[[CHARACTERS[t]]]
        grads["dWhh"] += draw @ hs[t].T
        dhnext = params["Whh"].T @ draw
    return grads


def character_gradients_wrong_state(params):
    hs, ps = character_states(params)
    grads = character_gradients(params)
    grads["dWhy"] = np.zeros_like(params["Why"])
    for t, target in enumerate(NEXT):
        grads["dWhy"] += (ps[t] - np.eye(4)[:, [target]]) @ hs[t].T
    return grads


def character_gradients_last_bias(params):
    hs, ps = character_states(params)
    return character_gradients(params) | {"dby": ps[0] - np.eye(4)[:, [NEXT[0]]]}


# A filter: a level that follows what is observed, gain and noises given by their logarithms.

OBSERVED = numbers(12, 6)


def kalman(theta):
    """Negative log-likelihood of a random walk with noise: (J, gradient), sensitivities carried along."""
    q, r = np.exp(theta[0]), np.exp(theta[1])
    level, variance, loss = theta[2], 1.0, 0.0
    dq, dr = np.array([q, 0, 0]), np.array([0, r, 0])
    dlevel, dvariance, gradient = np.array([0.0, 0, 1]), np.zeros(3), np.zeros(3)
    for y in OBSERVED:
        variance, dvariance = variance + q, dvariance + dq
        total, dtotal = variance + r, dvariance + dr
        surprise, dsurprise = y - level, -dlevel
        loss += 0.5 * (np.log(total) + surprise**2 / total)
        gradient += 0.5 * (1 / total - (surprise / total) ** 2) * dtotal + surprise / total * dsurprise
        gain, dgain = variance / total, (dvariance - variance / total * dtotal) / total
        level, dlevel = level + gain * surprise, dlevel + dgain * surprise + gain * dsurprise
        variance, dvariance = (1 - gain) * variance, (1 - gain) * dvariance - dgain * variance
    return loss, gradient


def kalman_natural_scale(theta):
    loss, gradient = kalman(theta)
    return loss, gradient / np.array([np.exp(theta[0]), np.exp(theta[1]), 1])


def kalman_constant_gain(theta):
    loss, _ = kalman(theta)
    q, r = np.exp(theta[0]), np.exp(theta[1])
    level, variance = theta[2], 1.0
    dlevel, gradient = np.array([0.0, 0, 1]), np.zeros(3)
    for y in OBSERVED:
        variance = variance + q
        gradient += (level - y) / (variance + r) * dlevel
        gain = variance / (variance + r)
        level, dlevel, variance = level + gain * (y - level), (1 - gain) * dlevel, (1 - gain) * variance
    return loss, gradient


class Decay:
    """h = sigmoid(a) h + x_t, a rate for every feature; inputs (t, m, n)."""

    def __init__(self, n):
        self.weights = numbers(13, n)

    def forward(self, inputs):
        self.inputs, h = inputs, np.zeros(inputs.shape[1:])
        self.states = [h]
        for x in inputs:
            h = sigmoid(self.weights) * h + x
            self.states.append(h)
        self.output = np.stack(self.states[1:])

    def backward(self, dvalues):
        rate, dh = sigmoid(self.weights), 0
        self.dinputs, drate = np.zeros_like(self.inputs), np.zeros_like(self.weights)
        for t in reversed(range(len(dvalues))):
            dh = dh * rate + dvalues[t]
            self.dinputs[t] = dh
            drate += (dh * self.states[t]).sum(axis=0)
        self.dweights = drate * rate * (1 - rate)


class DecayRate(Decay):
    def backward(self, dvalues):
        super().backward(dvalues)
        rate = sigmoid(self.weights)
        self.dweights = self.dweights / (rate * (1 - rate))


class DecayForwards(Decay):
    def backward(self, dvalues):
        super().backward(dvalues)
        dh = 0
        for t in range(len(dvalues)):
            dh = dh * sigmoid(self.weights) + dvalues[t]
            self.dinputs[t] = dh


LSTM_INPUTS = numbers(0, 3, 1), numbers(1, 3, 2), numbers(5, 3, 2), numbers(3, 3, 8), positive(4, 8)

SPECIMENS = (
    Specimen(
        name="recurrent network",
        convention="derivative names",
        right=Recurrent,
        call=lambda layer: Call(layer(1, 2), (numbers(0, 4, 3, 1),)),
        wrong=(
            Mistake("one-sample", RecurrentTruncated, ("A",)),
            Mistake("wrong-operand", RecurrentLateState, ("Wh",)),
        ),
    ),
    Specimen(
        name="LSTM step",
        convention="functional",
        right=lstm_backward,
        call=lambda backward: Call((lstm_forward, backward), LSTM_INPUTS),
        wrong=(
            Mistake("overwrites", lstm_forgets_state_path, ("c",)),
            Mistake("wrong-activation", lstm_candidate_as_gate, ("x", "h", "W", "b")),
        ),
    ),
    Specimen(
        name="GRU",
        convention="lists",
        right=GRU,
        call=lambda layer: Call(layer(3, 2), (numbers(0, 4, 2, 3),)),
        wrong=(
            Mistake("wrong-operand", GRUForgetsReset, ("params[1]",)),
            Mistake("one-sample", GRULastStep, ("x",)),
        ),
    ),
    Specimen(
        name="network of characters",
        convention="dictionaries",
        right=character_gradients,
        call=lambda grads: Call(character_loss, (WEIGHTS,), {"gradients": grads}),
        wrong=(
            Mistake("wrong-operand", character_gradients_wrong_state, ("params['Why']",)),
            Mistake("one-sample", character_gradients_last_bias, ("params['by']",)),
        ),
    ),
    Specimen(
        name="Kalman filter",
        convention="loss and gradient",
        right=kalman,
        call=lambda loss: Call(loss, (np.array([-0.7, 0.4, 0.9]),), {"gradients": True}),
        wrong=(
            Mistake("factor", kalman_natural_scale, ("theta",)),
            Mistake("overwrites", kalman_constant_gain, ("theta",)),
        ),
    ),
    Specimen(
        name="decaying memory",
        convention="returns None",
        right=Decay,
        call=lambda layer: Call(layer(2), (numbers(0, 4, 3, 2),)),
        wrong=(
            Mistake("missing-activation", DecayRate, ("weights",)),
            Mistake("reshaped", DecayForwards, ("inputs",)),
        ),
    ),
)
