"""Fully connected layers: every layout of a product with weights, shared weights, masks, embeddings."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, sigmoid


class Dense:
    """x W + b, one example a row."""

    def __init__(self, n_in, n_out):
        self.W = numbers(1, n_in, n_out)
        self.b = numbers(2, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class DenseMeanBias(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=0)
        return dx


class DenseTransposed(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = dout.T @ self.x
        return dx


class DenseLastExample(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        for x, d in zip(self.x, dout, strict=True):
            self.dW = np.outer(x, d)
        return dx


class ColumnDense:
    """W A + b, one example a column."""

    def __init__(self, n_in, n_out):
        self.W = numbers(3, n_out, n_in)
        self.b = numbers(4, n_out, 1)

    def forward(self, A):
        self.A = A
        return self.W @ A + self.b

    def backward(self, dLdZ):
        self.dLdW = dLdZ @ self.A.T
        self.dLdb = dLdZ.sum(axis=1, keepdims=True)
        return self.W.T @ dLdZ


class ColumnDenseFlatBias(ColumnDense):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdb = dLdZ.sum(axis=1)
        return dLdA


class ColumnDenseMean(ColumnDense):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdW = dLdZ @ self.A.T / self.A.shape[1]
        return dLdA


def linear_forward(A_prev, W, b):
    """W A + b in a course whose backward has 1/m in dW and db of every layer."""
    return W @ A_prev + b, (A_prev, W)


def linear_backward(dZ, cache):
    A_prev, W = cache
    m = A_prev.shape[1]
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m


def linear_backward_bias_sum(dZ, cache):
    dA_prev, dW, _ = linear_backward(dZ, cache)
    return dA_prev, dW, dZ.sum(axis=1, keepdims=True)


def linear_backward_mean_everywhere(dZ, cache):
    A_prev, W = cache
    _, dW, db = linear_backward(dZ, cache)
    return W.T @ dZ / A_prev.shape[1], dW, db


class Linear:
    """x W^T + b, weights stored output by input."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, dout):
        x, weight = ctx.saved_tensors
        return dout @ weight, dout.T @ x, dout.sum(axis=0)


class LinearUnsummedBias(Linear):
    @staticmethod
    def backward(ctx, dout):
        dx, dweight, _ = Linear.backward(ctx, dout)
        return dx, dweight, dout


class LinearNoInput(Linear):
    @staticmethod
    def backward(ctx, dout):
        _, dweight, dbias = Linear.backward(ctx, dout)
        return None, dweight, dbias


def bilinear_forward(x, W, y):
    """One number an output channel: x_a W_acb y_b."""
    return np.einsum("ma,acb,mb->mc", x, W, y), (x, W, y)


def bilinear_backward(dout, cache):
    x, W, y = cache
    dx = np.einsum("mc,acb,mb->ma", dout, W, y)
    dW = np.einsum("mc,ma,mb->acb", dout, x, y)
    dy = np.einsum("mc,acb,ma->mb", dout, W, x)
    return dx, dW, dy


def bilinear_without_the_other(dout, cache):
    x, W, y = cache
    dx, dW, _ = bilinear_backward(dout, cache)
    return dx, dW, np.einsum("mc,acb->mb", dout, W)


def bilinear_batch_mean(dout, cache):
    x, W, y = cache
    dx, _, dy = bilinear_backward(dout, cache)
    return dx, np.einsum("mc,ma,mb->acb", dout, x, y) / len(x), dy


class TiedAutoencoder:
    """sigmoid(x W + b) W^T + c: the decoder shares the encoder's weights."""

    def __init__(self, n_in, n_hidden):
        self.params = [numbers(5, n_in, n_hidden), numbers(6, n_hidden), numbers(7, n_in)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x):
        W, b, c = self.params
        self.x, self.h = x, sigmoid(x @ W + b)
        return self.h @ W.T + c

    def backward(self, dout):
        W, b, c = self.params
        dz = dout @ W * self.h * (1 - self.h)
        self.grads[0][...] = self.x.T @ dz + dout.T @ self.h
        self.grads[1][...] = dz.sum(axis=0)
        self.grads[2][...] = dout.sum(axis=0)
        return dz @ W.T


class TiedOneUse(TiedAutoencoder):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = dout.T @ self.h
        return dx


class TiedNoSigmoid(TiedAutoencoder):
    def backward(self, dout):
        W, b, c = self.params
        super().backward(dout)
        dz = dout @ W
        self.grads[0][...] = self.x.T @ dz + dout.T @ self.h
        self.grads[1][...] = dz.sum(axis=0)
        return dz @ W.T


class MaskedDense:
    """x (W * mask) + b, a fixed pattern of missing connections."""

    def __init__(self, n_in, n_out):
        self.mask = (np.add.outer(np.arange(n_in), np.arange(n_out)) % 3 > 0).astype(float)
        self.params = [numbers(8, n_in, n_out), numbers(9, n_out)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x):
        self.x = x
        return x @ (self.params[0] * self.mask) + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout * self.mask
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ (self.params[0] * self.mask).T


class MaskedDenseFullGradient(MaskedDense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = self.x.T @ dout
        return dx


class MaskedDenseFullInput(MaskedDense):
    def backward(self, dout):
        super().backward(dout)
        return dout @ self.params[0].T


class Trilinear:
    """x M y^T for every example, by einsum."""

    @staticmethod
    def forward(ctx, x, M, y):
        ctx.save_for_backward(x, M, y)
        return np.einsum("bid,de,bje->bij", x, M, y)

    @staticmethod
    def backward(ctx, dout):
        x, M, y = ctx.saved_tensors
        dx = np.einsum("bij,de,bje->bid", dout, M, y)
        dM = np.einsum("bij,bid,bje->de", dout, x, y)
        dy = np.einsum("bij,de,bid->bje", dout, M, x)
        return dx, dM, dy


class TrilinearOneIndex(Trilinear):
    @staticmethod
    def backward(ctx, dout):
        x, M, y = ctx.saved_tensors
        dx, _, dy = Trilinear.backward(ctx, dout)
        return dx, np.einsum("bij,bid,bke->de", dout, x, y), dy


class TrilinearSign(Trilinear):
    @staticmethod
    def backward(ctx, dout):
        dx, dM, dy = Trilinear.backward(ctx, dout)
        return dx, dM, -dy


def weight_norm_forward(x, v, g, b):
    """x w + b with w = g v / |v|, a length for every column."""
    length = np.sqrt((v**2).sum(axis=0))
    w = g * v / length
    return x @ w + b, (x, v, g, length, w)


def weight_norm_backward(dout, cache):
    x, v, g, length, w = cache
    dw = x.T @ dout
    dg = (dw * v).sum(axis=0) / length
    dv = g / length * (dw - v * dg / length)
    return dout @ w.T, dv, dg, dout.sum(axis=0)


def weight_norm_without_projection(dout, cache):
    x, v, g, length, w = cache
    dx, _, dg, db = weight_norm_backward(dout, cache)
    return dx, g / length * (x.T @ dout), dg, db


def weight_norm_without_length(dout, cache):
    x, v, g, length, w = cache
    dx, dv, _, db = weight_norm_backward(dout, cache)
    return dx, dv, (x.T @ dout * v).sum(axis=0), db


class Embedding:
    """Rows of a table, some of them more than once."""

    def __init__(self, n_words, n_features):
        self.W = numbers(10, n_words, n_features)

    def forward(self, words):
        self.words = words
        return self.W[words]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.words, dout)


class EmbeddingOverwrites(Embedding):
    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        self.dW[self.words] += dout


class EmbeddingAverages(Embedding):
    def backward(self, dout):
        super().backward(dout)
        self.dW /= np.maximum(np.bincount(self.words.ravel(), minlength=len(self.W)), 1)[:, None]


class Positions:
    """Scaled word vectors plus a learned vector for every position."""

    def __init__(self, longest, n_features):
        self.params = [numbers(11, longest, n_features)]
        self.grads = [np.zeros_like(self.params[0])]

    def forward(self, x):
        _, self.length, self.n = x.shape
        return x * np.sqrt(self.n) + self.params[0][: self.length]

    def backward(self, dout):
        self.grads[0][...] = 0
        self.grads[0][: self.length] = dout.sum(axis=0)
        return dout * np.sqrt(self.n)


class PositionsUnscaled(Positions):
    def backward(self, dout):
        super().backward(dout)
        return dout


class PositionsLate(Positions):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] = np.roll(self.grads[0], 1, axis=0)
        return dx


def polynomial_loss(theta):
    """Ridge regression on powers of one number: (J, gradient)."""
    x, y, weight = numbers(12, 7), numbers(13, 7), 0.3
    powers = x[:, None] ** np.arange(theta.size)
    residual = powers @ theta - y
    loss = residual @ residual / (2 * x.size) + weight / 2 * (theta[1:] @ theta[1:])
    gradient = powers.T @ residual / x.size
    gradient[1:] += weight * theta[1:]
    return loss, gradient


def polynomial_loss_shrinks_intercept(theta):
    loss, gradient = polynomial_loss(theta)
    gradient[0] += 0.3 * theta[0]
    return loss, gradient


def polynomial_loss_without_mean(theta):
    x, y, weight = numbers(12, 7), numbers(13, 7), 0.3
    loss, _ = polynomial_loss(theta)
    powers = x[:, None] ** np.arange(theta.size)
    gradient = powers.T @ (powers @ theta - y)
    gradient[1:] += weight * theta[1:]
    return loss, gradient


SPECIMENS = (
    Specimen(
        name="dense",
        convention="attributes",
        right=Dense,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 3, 2),)),
        wrong=(
            Mistake("mean-for-sum", DenseMeanBias, ("b",)),
            Mistake("transposed", DenseTransposed, ("W",)),
            Mistake("one-sample", DenseLastExample, ("W",)),
        ),
    ),
    Specimen(
        name="dense, columns",
        convention="derivative names",
        right=ColumnDense,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 2, 3),)),
        wrong=(
            Mistake("keepdims", ColumnDenseFlatBias, ("b",)),
            Mistake("factor", ColumnDenseMean, ("W",)),
        ),
    ),
    Specimen(
        name="dense, mean in the parameters",
        convention="functional",
        right=linear_backward,
        call=lambda backward: Call(
            (linear_forward, backward),
            (numbers(0, 2, 3), numbers(1, 4, 2), numbers(2, 4, 1)),
            {"convention": "mean-in-parameters"},
        ),
        wrong=(
            Mistake("factor", linear_backward_bias_sum, ("b",)),
            Mistake("factor", linear_backward_mean_everywhere, ("A_prev",)),
        ),
    ),
    Specimen(
        name="dense, transposed weights",
        convention="static op",
        right=Linear,
        call=lambda op: Call(op, (numbers(0, 3, 2), numbers(1, 4, 2), numbers(2, 4))),
        wrong=(
            Mistake("missing-batch-sum", LinearUnsummedBias, ("bias",)),
            Mistake("input-gradient", LinearNoInput, ("x",)),
        ),
    ),
    Specimen(
        name="bilinear",
        convention="functional",
        right=bilinear_backward,
        call=lambda backward: Call(
            (bilinear_forward, backward), (numbers(0, 4, 3), numbers(1, 3, 5, 2), numbers(2, 4, 2))
        ),
        wrong=(
            Mistake("wrong-operand", bilinear_without_the_other, ("y",)),
            Mistake("factor", bilinear_batch_mean, ("W",)),
        ),
    ),
    Specimen(
        name="tied autoencoder",
        convention="lists",
        right=TiedAutoencoder,
        call=lambda layer: Call(layer(3, 2), (numbers(0, 4, 3),)),
        wrong=(
            Mistake("overwrites", TiedOneUse, ("params[0]",)),
            Mistake("missing-activation", TiedNoSigmoid, ("x", "params[0]", "params[1]")),
        ),
    ),
    Specimen(
        name="dense with a mask",
        convention="lists",
        right=MaskedDense,
        call=lambda layer: Call(layer(4, 2), (numbers(0, 3, 4),)),
        wrong=(
            Mistake("mask-not-applied", MaskedDenseFullGradient, ("params[0]",)),
            Mistake("mask-not-applied", MaskedDenseFullInput, ("x",)),
        ),
        not_checked=("mask",),
    ),
    Specimen(
        name="einsum of three",
        convention="static op",
        right=Trilinear,
        call=lambda op: Call(op, (numbers(0, 3, 1, 4), numbers(1, 4, 2), numbers(2, 3, 5, 2))),
        wrong=(
            Mistake("wrong-operand", TrilinearOneIndex, ("M",)),
            Mistake("sign", TrilinearSign, ("y",)),
        ),
    ),
    Specimen(
        name="weight norm",
        convention="functional",
        right=weight_norm_backward,
        call=lambda backward: Call(
            (weight_norm_forward, backward),
            (numbers(0, 3, 5), numbers(1, 5, 4), numbers(3, 4), numbers(2, 4)),
        ),
        wrong=(
            Mistake("missing-centring", weight_norm_without_projection, ("v",)),
            Mistake("factor", weight_norm_without_length, ("g",)),
        ),
    ),
    Specimen(
        name="embedding",
        convention="attributes",
        right=Embedding,
        call=lambda layer: Call(layer(6, 3), (np.array([[1, 4, 1, 0], [5, 1, 2, 2]]),)),
        wrong=(
            Mistake("overwrites", EmbeddingOverwrites, ("W",)),
            Mistake("factor", EmbeddingAverages, ("W",)),
        ),
    ),
    Specimen(
        name="positions",
        convention="lists",
        right=Positions,
        call=lambda layer: Call(layer(5, 4), (numbers(0, 3, 2, 4),)),
        wrong=(
            Mistake("input-gradient", PositionsUnscaled, ("x",)),
            Mistake("one-sample", PositionsLate, ("params[0]",)),
        ),
    ),
    Specimen(
        name="polynomial ridge regression",
        convention="loss and gradient",
        right=polynomial_loss,
        call=lambda loss: Call(loss, (numbers(0, 4),), {"gradients": True}),
        wrong=(
            Mistake("regulariser", polynomial_loss_shrinks_intercept, ("theta",)),
            Mistake("factor", polynomial_loss_without_mean, ("theta",)),
        ),
    ),
)
