"""Attention: plain, causal, with several heads."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, softmax


def softmax_backward(dA, A):
    return A * (dA - (dA * A).sum(axis=-1, keepdims=True))


def attention_forward(q, k, v):
    """softmax(q k^T / sqrt(d)) v; q (t, d), k (s, d), v (s, n)."""
    A = softmax(q @ k.T / np.sqrt(q.shape[1]))
    return A @ v, (q, k, v, A)


def attention_backward(dout, cache):
    q, k, v, A = cache
    dscores = softmax_backward(dout @ v.T, A) / np.sqrt(q.shape[1])
    return dscores @ k, dscores.T @ q, A.T @ dout


def attention_unscaled(dout, cache):
    q, k, v, A = cache
    dscores = softmax_backward(dout @ v.T, A)
    return dscores @ k, dscores.T @ q, A.T @ dout


def attention_softmax_diagonal(dout, cache):
    q, k, v, A = cache
    dscores = dout @ v.T * A * (1 - A) / np.sqrt(q.shape[1])
    return dscores @ k, dscores.T @ q, A.T @ dout


def causal_attention(x, Wq, Wk, Wv):
    """Nobody sees what comes later: (Y, backprop)."""
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])
    later = np.triu(np.ones(scores.shape[1:], dtype=bool), 1)
    A = softmax(np.where(later, -1e9, scores))

    def backprop(dY):
        dscores = softmax_backward(dY @ v.transpose(0, 2, 1), A) / np.sqrt(q.shape[2])
        dq, dk, dv = dscores @ k, dscores.transpose(0, 2, 1) @ q, A.transpose(0, 2, 1) @ dY
        pairs = ((dq, Wq), (dk, Wk), (dv, Wv))
        return sum(d @ W.T for d, W in pairs), *(np.einsum("bti,bto->io", x, d) for d, _ in pairs)

    return A @ v, backprop


def causal_attention_one_path(x, Wq, Wk, Wv):
    Y, backprop = causal_attention(x, Wq, Wk, Wv)

    def one_path(dY):
        dx, dWq, dWk, dWv = backprop(dY)
        q, k = x @ Wq, x @ Wk
        A = np.tril(np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])))
        A = A / A.sum(axis=2, keepdims=True)
        return A.transpose(0, 2, 1) @ dY @ Wv.T, dWq, dWk, dWv

    return Y, one_path


def causal_attention_untransposed(x, Wq, Wk, Wv):
    Y, _ = causal_attention(x, Wq, Wk, Wv)

    def backprop(dY):
        q, k, v = x @ Wq, x @ Wk, x @ Wv
        A = np.tril(np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])))
        A = A / A.sum(axis=2, keepdims=True)
        dscores = softmax_backward(dY @ v.transpose(0, 2, 1), A) / np.sqrt(q.shape[2])
        dq, dk, dv = dscores @ k, dscores @ q, A.transpose(0, 2, 1) @ dY
        pairs = ((dq, Wq), (dk, Wk), (dv, Wv))
        return sum(d @ W.T for d, W in pairs), *(np.einsum("bti,bto->io", x, d) for d, _ in pairs)

    return Y, backprop


class MultiHead:
    """Heads side by side in one matrix, and an output matrix."""

    def __init__(self, n_heads):
        self.n_heads = n_heads
        self.parameters, self.gradients = {}, {}

    def make(self, n):
        self.parameters = {name: numbers(i, n, n) / 2 for i, name in enumerate(("Wq", "Wk", "Wv", "Wo"))}
        self.flush_gradients()

    def flush_gradients(self):
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}

    def split(self, x):
        m, t, n = x.shape
        return x.reshape(m, t, self.n_heads, n // self.n_heads).transpose(0, 2, 1, 3)

    def merge(self, x):
        m, heads, t, d = x.shape
        return x.transpose(0, 2, 1, 3).reshape(m, t, heads * d)

    def forward(self, x):
        if not self.parameters:
            self.make(x.shape[2])
        P = self.parameters
        self.x = x
        self.q, self.k, self.v = (self.split(x @ P[name]) for name in ("Wq", "Wk", "Wv"))
        self.root = np.sqrt(self.q.shape[-1])
        self.A = softmax(self.q @ self.k.swapaxes(2, 3) / self.root)
        self.context = self.merge(self.A @ self.v)
        return self.context @ P["Wo"]

    def backward(self, dout):
        P = self.parameters
        self.gradients["Wo"] += np.tensordot(self.context, dout, axes=([0, 1], [0, 1]))
        dcontext = self.split(dout @ P["Wo"].T)
        dscores = softmax_backward(dcontext @ self.v.swapaxes(2, 3), self.A) / self.root
        dheads = {
            "Wq": dscores @ self.k,
            "Wk": dscores.swapaxes(2, 3) @ self.q,
            "Wv": self.A.swapaxes(2, 3) @ dcontext,
        }
        dx = np.zeros_like(self.x)
        for name, dhead in dheads.items():
            d = self.merge(dhead)
            self.gradients[name] += np.tensordot(self.x, d, axes=([0, 1], [0, 1]))
            dx += d @ P[name].T
        return dx


class MultiHeadReshapes(MultiHead):
    """Heads merged without their transposition, in the gradient of the output matrix."""

    def backward(self, dout):
        before = self.gradients["Wo"].copy()
        dx = super().backward(dout)
        context = (self.A @ self.v).reshape(self.context.shape)
        self.gradients["Wo"] = before + np.tensordot(context, dout, axes=([0, 1], [0, 1]))
        return dx


class MultiHeadRootOfAll(MultiHead):
    def backward(self, dout):
        self.root = np.sqrt(self.x.shape[2])
        return super().backward(dout)


SPECIMENS = (
    Specimen(
        name="attention",
        convention="functional",
        right=attention_backward,
        call=lambda backward: Call(
            (attention_forward, backward), (numbers(0, 3, 2), numbers(1, 5, 2), numbers(2, 5, 4))
        ),
        wrong=(
            Mistake("factor", attention_unscaled, ("q", "k")),
            Mistake("softmax-diagonal", attention_softmax_diagonal, ("q", "k")),
        ),
    ),
    Specimen(
        name="causal attention",
        convention="callback",
        right=causal_attention,
        call=lambda layer: Call(
            layer, (numbers(0, 3, 4, 2), numbers(1, 2, 5), numbers(2, 2, 5), numbers(3, 2, 6))
        ),
        wrong=(
            Mistake("overwrites", causal_attention_one_path, ("x",)),
            Mistake("wrong-operand", causal_attention_untransposed, ("x", "Wk")),
        ),
    ),
    Specimen(
        name="multi-head attention",
        convention="accumulating",
        right=MultiHead,
        call=lambda layer: Call(layer(2), (numbers(0, 3, 2, 4),)),
        wrong=(
            Mistake("reshaped", MultiHeadReshapes, ("parameters['Wo']",)),
            Mistake("factor", MultiHeadRootOfAll, ("x", "parameters['Wq']", "parameters['Wk']")),
        ),
    ),
)
