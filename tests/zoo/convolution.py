"""Convolutions: by loops, by columns, by windows, by strides, by FFT; depthwise and transposed."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from tests.zoo.specimen import Call, Mistake, Specimen, numbers


class Conv1d:
    """x (m, c, t), W (out, c, k), b (out,): every k neighbours."""

    def __init__(self, n_out, n_in, width):
        self.W = numbers(1, n_out, n_in, width)
        self.b = numbers(2, n_out)

    def forward(self, x):
        self.x = x
        self.k = self.W.shape[2]
        steps = x.shape[2] - self.k + 1
        return np.stack(
            [np.tensordot(x[:, :, t : t + self.k], self.W, axes=([1, 2], [1, 2])) for t in range(steps)],
            axis=2,
        ) + self.b.reshape(1, -1, 1)

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        dx = np.zeros_like(self.x)
        for t in range(dout.shape[2]):
            self.dW += np.tensordot(dout[:, :, t], self.x[:, :, t : t + self.k], axes=(0, 0))
            dx[:, :, t : t + self.k] += np.tensordot(dout[:, :, t], self.W, axes=(1, 0))
        self.db = dout.sum(axis=(0, 2))
        return dx


class Conv1dOverwrites(Conv1d):
    def backward(self, dout):
        dx = super().backward(dout)
        for t in range(dout.shape[2]):
            dx[:, :, t : t + self.k] = np.tensordot(dout[:, :, t], self.W, axes=(1, 0))
        return dx


class Conv1dFlipped(Conv1d):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW[:, :, ::-1]
        return dx


class Conv1dBiasMean(Conv1d):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=(0, 2))
        return dx


# Four loops, stride and padding, as in a first course: x (m, h, w, c), W (f, f, c, out).

STRIDE, PAD = 2, 1


def conv_forward(A_prev, W, b):
    m, h, w, _ = A_prev.shape
    f, _, _, n_out = W.shape
    rows, columns = (h + 2 * PAD - f) // STRIDE + 1, (w + 2 * PAD - f) // STRIDE + 1
    padded = np.pad(A_prev, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)))
    Z = np.zeros((m, rows, columns, n_out))
    for i in range(m):
        for r in range(rows):
            for q in range(columns):
                for c in range(n_out):
                    top, left = r * STRIDE, q * STRIDE
                    window = padded[i, top : top + f, left : left + f, :]
                    Z[i, r, q, c] = np.sum(window * W[..., c]) + b[c]
    return Z, (A_prev, W, padded)


def conv_backward(dZ, cache):
    A_prev, W, padded = cache
    f = W.shape[0]
    dpadded, dW = np.zeros_like(padded), np.zeros_like(W)
    for i, r, q, c in np.ndindex(dZ.shape):
        window = (i, slice(r * STRIDE, r * STRIDE + f), slice(q * STRIDE, q * STRIDE + f))
        dpadded[window] += W[..., c] * dZ[i, r, q, c]
        dW[..., c] += padded[window] * dZ[i, r, q, c]
    return dpadded[:, PAD:-PAD, PAD:-PAD, :], dW, dZ.sum(axis=(0, 1, 2))


def conv_backward_wrong_corner(dZ, cache):
    A_prev, W, padded = cache
    f = W.shape[0]
    _, dW, db = conv_backward(dZ, cache)
    dpadded = np.zeros_like(padded)
    for i, r, q, c in np.ndindex(dZ.shape):
        dpadded[i, r * STRIDE : r * STRIDE + f, q * STRIDE : q * STRIDE + f] += W[..., c] * dZ[i, r, q, c]
    return dpadded[:, : A_prev.shape[1], : A_prev.shape[2], :], dW, db


def conv_backward_forgets_stride(dZ, cache):
    A_prev, W, padded = cache
    f = W.shape[0]
    dA, _, db = conv_backward(dZ, cache)
    dW = np.zeros_like(W)
    for i, r, q, c in np.ndindex(dZ.shape):
        dW[..., c] += padded[i, r : r + f, q : q + f] * dZ[i, r, q, c]
    return dA, dW, db


def im2col(x, fh, fw, stride, pad):
    m, c, h, w = x.shape
    rows, columns = (h + 2 * pad - fh) // stride + 1, (w + 2 * pad - fw) // stride + 1
    image = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    col = np.zeros((m, c, fh, fw, rows, columns))
    for i in range(fh):
        for j in range(fw):
            col[:, :, i, j] = image[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(m * rows * columns, -1), rows, columns


def col2im(col, shape, fh, fw, stride, pad):
    m, c, h, w = shape
    rows, columns = (h + 2 * pad - fh) // stride + 1, (w + 2 * pad - fw) // stride + 1
    col = col.reshape(m, rows, columns, c, fh, fw).transpose(0, 3, 4, 5, 1, 2)
    image = np.zeros((m, c, h + 2 * pad + stride - 1, w + 2 * pad + stride - 1))
    for i in range(fh):
        for j in range(fw):
            image[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride] += col[:, :, i, j]
    return image[:, :, pad : h + pad, pad : w + pad]


class ColumnsConvolution:
    """One matrix product: windows as rows, filters as columns."""

    def __init__(self, W, b, stride=1, pad=1):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.stride, self.pad = stride, pad

    def forward(self, x):
        W, b = self.params
        self.x = x
        self.col, rows, columns = im2col(x, W.shape[2], W.shape[3], self.stride, self.pad)
        out = self.col @ W.reshape(len(W), -1).T + b
        return out.reshape(len(x), rows, columns, -1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        W, b = self.params
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, len(W))
        self.grads[0][...] = (self.col.T @ dout).T.reshape(W.shape)
        self.grads[1][...] = dout.sum(axis=0)
        dcol = dout @ W.reshape(len(W), -1)
        return col2im(dcol, self.x.shape, W.shape[2], W.shape[3], self.stride, self.pad)


class ColumnsReshapedOnly(ColumnsConvolution):
    def backward(self, dout):
        dx = super().backward(dout)
        W, b = self.params
        rows = dout.transpose(0, 2, 3, 1).reshape(-1, len(W))
        self.grads[0][...] = (self.col.T @ rows).reshape(W.shape)
        return dx


class ColumnsWithoutTranspose(ColumnsConvolution):
    def backward(self, dout):
        W, b = self.params
        dout = dout.reshape(-1, len(W))
        self.grads[0][...] = (self.col.T @ dout).T.reshape(W.shape)
        self.grads[1][...] = dout.sum(axis=0)
        dcol = dout @ W.reshape(len(W), -1)
        return col2im(dcol, self.x.shape, W.shape[2], W.shape[3], self.stride, self.pad)


class DilatedConvolution:
    """Holes between the rows and columns that a filter sees; windows as a view."""

    def __init__(self, n_out, size, dilation=2):
        self.n_out, self.size, self.d = n_out, size, dilation
        self.parameters, self.gradients = {}, {}

    def forward(self, x):
        if not self.parameters:
            self.parameters["W"] = numbers(5, self.n_out, x.shape[1], *self.size)
            self.parameters["b"] = numbers(6, self.n_out)
            self.gradients = {k: np.zeros_like(v) for k, v in self.parameters.items()}
        self.shape = x.shape
        reach = tuple((k - 1) * self.d + 1 for k in self.size)
        self.windows = sliding_window_view(x, reach, axis=(2, 3))[..., :: self.d, :: self.d]
        out = np.einsum("mchwij,ocij->mohw", self.windows, self.parameters["W"])
        return out + self.parameters["b"][:, None, None]

    def zero_grad(self):
        for gradient in self.gradients.values():
            gradient[...] = 0

    def backward(self, dout):
        self.gradients["W"] += np.einsum("mohw,mchwij->ocij", dout, self.windows)
        self.gradients["b"] += dout.sum(axis=(0, 2, 3))
        dx = np.zeros(self.shape)
        h, w = dout.shape[2:]
        for i, j in np.ndindex(self.size):
            part = np.einsum("mohw,oc->mchw", dout, self.parameters["W"][:, :, i, j])
            dx[:, :, i * self.d : i * self.d + h, j * self.d : j * self.d + w] += part
        return dx


class DilatedWithoutHoles(DilatedConvolution):
    def backward(self, dout):
        super().backward(dout)
        dx = np.zeros(self.shape)
        h, w = dout.shape[2:]
        for i, j in np.ndindex(self.size):
            part = np.einsum("mohw,oc->mchw", dout, self.parameters["W"][:, :, i, j])
            dx[:, :, i : i + h, j : j + w] += part
        return dx


class DilatedOneExample(DilatedConvolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.zero_grad()
        self.gradients["W"] += np.einsum("ohw,chwij->ocij", dout[0], self.windows[0])
        self.gradients["b"] += dout[0].sum(axis=(1, 2))
        return dx


def strided_convolution(x, W):
    """One channel, stride 2, the windows made by as_strided: (Y, backprop)."""
    (m, h, w), (f, g) = x.shape, W.shape
    rows, columns = (h - f) // 2 + 1, (w - g) // 2 + 1
    x = np.ascontiguousarray(x)
    s0, s1, s2 = x.strides
    windows = as_strided(x, (m, rows, columns, f, g), (s0, 2 * s1, 2 * s2, s1, s2))

    def backprop(dY):
        dx = np.zeros_like(x)
        for r, c in np.ndindex(rows, columns):
            dx[:, 2 * r : 2 * r + f, 2 * c : 2 * c + g] += dY[:, r, c, None, None] * W
        return dx, np.tensordot(dY, windows, axes=3)

    return np.tensordot(windows, W, axes=2), backprop


def strided_convolution_rotated(x, W):
    Y, backprop = strided_convolution(x, W)

    def rotated(dY):
        _, dW = backprop(dY)
        dx, _ = strided_convolution(x, W[::-1, ::-1])[1](dY)
        return dx, dW

    return Y, rotated


def strided_convolution_mean(x, W):
    Y, backprop = strided_convolution(x, W)

    def mean(dY):
        dx, dW = backprop(dY)
        return dx, dW / dY[0].size

    return Y, mean


class Depthwise:
    """A filter of its own for every channel: A (m, c, h, w), W (c, i, j)."""

    def __init__(self, n, size):
        self.W, self.b = numbers(7, n, *size), numbers(8, n)

    def forward(self, A):
        self.A = A
        self.h, self.w = (n - k + 1 for n, k in zip(A.shape[2:], self.W.shape[1:], strict=True))
        Z = self.b[:, None, None] * np.ones((len(A), 1, self.h, self.w))
        for i, j in np.ndindex(self.W.shape[1:]):
            Z += self.W[:, i, j, None, None] * A[:, :, i : i + self.h, j : j + self.w]
        return Z

    def backward(self, dLdZ):
        self.dLdW, dLdA = np.zeros_like(self.W), np.zeros_like(self.A)
        for i, j in np.ndindex(self.W.shape[1:]):
            seen = np.s_[:, :, i : i + self.h, j : j + self.w]
            self.dLdW[:, i, j] = (dLdZ * self.A[seen]).sum(axis=(0, 2, 3))
            dLdA[seen] += self.W[:, i, j, None, None] * dLdZ
        self.dLdb = dLdZ.sum(axis=(0, 2, 3))
        return dLdA


class DepthwiseSharedFilter(Depthwise):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdW[...] = self.dLdW.sum(axis=0)
        return dLdA


class DepthwiseLastTap(Depthwise):
    def backward(self, dLdZ):
        super().backward(dLdZ)
        dLdA = np.zeros_like(self.A)
        for i, j in np.ndindex(self.W.shape[1:]):
            dLdA[:, :, i : i + self.h, j : j + self.w] = self.W[:, i, j, None, None] * dLdZ
        return dLdA


class TransposedConvolution:
    """Every entry paints a patch, two apart: x (m, c, h, w), W (c, out, i, j)."""

    def __init__(self, n_out, size):
        self.n_out, self.size = n_out, size
        self.parameters, self.gradients = {}, {}

    def forward(self, x):
        if not self.parameters:
            self.parameters["W"] = numbers(9, x.shape[1], self.n_out, *self.size)
            self.gradients["W"] = np.zeros_like(self.parameters["W"])
        self.x = x
        m, _, h, w = x.shape
        i, j = self.size
        out = np.zeros((m, self.n_out, 2 * (h - 1) + i, 2 * (w - 1) + j))
        for r, c in np.ndindex(h, w):
            patch = np.tensordot(x[:, :, r, c], self.parameters["W"], axes=1)
            out[:, :, 2 * r : 2 * r + i, 2 * c : 2 * c + j] += patch
        return out

    def zero_grad(self):
        self.gradients["W"][...] = 0

    def backward(self, dout):
        i, j = self.size
        dx = np.zeros_like(self.x)
        for r, c in np.ndindex(self.x.shape[2:]):
            patch = dout[:, :, 2 * r : 2 * r + i, 2 * c : 2 * c + j]
            dx[:, :, r, c] = np.tensordot(patch, self.parameters["W"], axes=([1, 2, 3], [1, 2, 3]))
            self.gradients["W"] += np.tensordot(self.x[:, :, r, c], patch, axes=(0, 0))
        return dx


class TransposedOnlyLast(TransposedConvolution):
    def backward(self, dout):
        dx = super().backward(dout)
        i, j = self.size
        r, c = (n - 1 for n in self.x.shape[2:])
        patch = dout[:, :, 2 * r : 2 * r + i, 2 * c : 2 * c + j]
        self.gradients["W"][...] = np.tensordot(self.x[:, :, r, c], patch, axes=(0, 0))
        return dx


class TransposedStrideOne(TransposedConvolution):
    def backward(self, dout):
        dx = super().backward(dout)
        i, j = self.size
        for r, c in np.ndindex(self.x.shape[2:]):
            patch = dout[:, :, r : r + i, c : c + j]
            dx[:, :, r, c] = np.tensordot(patch, self.parameters["W"], axes=([1, 2, 3], [1, 2, 3]))
        return dx


class FourierConvolution:
    """Full linear convolution of images with one filter, as a product of transforms."""

    @staticmethod
    def forward(ctx, x, w):
        size = [n + k - 1 for n, k in zip(x.shape[1:], w.shape, strict=True)]
        fx, fw = np.fft.rfft2(x, size), np.fft.rfft2(w, size)
        ctx.save_for_backward(fx, fw)
        ctx.shapes, ctx.size = (x.shape, w.shape), size
        return np.fft.irfft2(fx * fw, size)

    @staticmethod
    def backward(ctx, dout):
        fx, fw = ctx.saved_tensors
        (_, h, w), (i, j) = ctx.shapes
        fd = np.fft.rfft2(dout)
        dx = np.fft.irfft2(fd * np.conj(fw), ctx.size)[:, :h, :w]
        dw = np.fft.irfft2(fd * np.conj(fx), ctx.size)[:, :i, :j].sum(axis=0)
        return dx, dw


class FourierWithoutConjugate(FourierConvolution):
    @staticmethod
    def backward(ctx, dout):
        fx, fw = ctx.saved_tensors
        _, h, w = ctx.shapes[0]
        _, dw = FourierConvolution.backward(ctx, dout)
        dx = np.fft.irfft2(np.fft.rfft2(dout) * fw, ctx.size)[:, :h, :w]
        return dx, dw


class FourierUnsummed(FourierConvolution):
    @staticmethod
    def backward(ctx, dout):
        fx, fw = ctx.saved_tensors
        i, j = ctx.shapes[1]
        dx, _ = FourierConvolution.backward(ctx, dout)
        return dx, np.fft.irfft2(np.fft.rfft2(dout) * np.conj(fx), ctx.size)[:, :i, :j]


SPECIMENS = (
    Specimen(
        name="conv1d",
        convention="attributes",
        right=Conv1d,
        call=lambda layer: Call(layer(4, 1, 2), (numbers(0, 3, 1, 5),)),
        wrong=(
            Mistake("overwrites", Conv1dOverwrites, ("x",)),
            Mistake("reshaped", Conv1dFlipped, ("W",)),
            Mistake("mean-for-sum", Conv1dBiasMean, ("b",)),
        ),
    ),
    Specimen(
        name="conv2d, loops",
        convention="functional",
        right=conv_backward,
        call=lambda backward: Call(
            (conv_forward, backward), (numbers(0, 3, 2, 4, 1), numbers(1, 2, 2, 1, 2), numbers(2, 2))
        ),
        wrong=(
            Mistake("reshaped", conv_backward_wrong_corner, ("A_prev",)),
            Mistake("wrong-operand", conv_backward_forgets_stride, ("W",)),
        ),
    ),
    Specimen(
        name="conv2d, im2col",
        convention="lists",
        right=ColumnsConvolution,
        call=lambda layer: Call(layer(numbers(3, 2, 1, 3, 2), numbers(4, 2)), (numbers(0, 3, 1, 2, 4),)),
        wrong=(
            Mistake("reshaped", ColumnsReshapedOnly, ("params[0]",)),
            Mistake("reshaped", ColumnsWithoutTranspose, ("x", "params[0]", "params[1]")),
        ),
    ),
    Specimen(
        name="conv2d, dilated windows",
        convention="accumulating",
        right=DilatedConvolution,
        call=lambda layer: Call(layer(2, (2, 1)), (numbers(0, 3, 1, 4, 2),)),
        wrong=(
            Mistake("wrong-operand", DilatedWithoutHoles, ("x",)),
            Mistake("one-sample", DilatedOneExample, ("parameters['W']", "parameters['b']")),
        ),
    ),
    Specimen(
        name="conv2d, as_strided",
        convention="callback",
        right=strided_convolution,
        call=lambda layer: Call(layer, (numbers(0, 3, 5, 4), numbers(1, 3, 2))),
        wrong=(
            Mistake("reshaped", strided_convolution_rotated, ("x",)),
            Mistake("factor", strided_convolution_mean, ("W",)),
        ),
    ),
    Specimen(
        name="depthwise convolution",
        convention="derivative names",
        right=Depthwise,
        call=lambda layer: Call(layer(2, (2, 3)), (numbers(0, 3, 2, 2, 4),)),
        wrong=(
            Mistake("wrong-axis", DepthwiseSharedFilter, ("W",)),
            Mistake("overwrites", DepthwiseLastTap, ("A",)),
        ),
    ),
    Specimen(
        name="transposed convolution",
        convention="accumulating",
        right=TransposedConvolution,
        call=lambda layer: Call(layer(2, (3, 2)), (numbers(0, 3, 1, 2, 4),)),
        wrong=(
            Mistake("one-sample", TransposedOnlyLast, ("parameters['W']",)),
            Mistake("wrong-operand", TransposedStrideOne, ("x",)),
        ),
    ),
    Specimen(
        name="convolution by FFT",
        convention="static op",
        right=FourierConvolution,
        call=lambda op: Call(op, (numbers(0, 3, 4, 5), numbers(1, 2, 3))),
        wrong=(
            Mistake("wrong-operand", FourierWithoutConjugate, ("x",)),
            Mistake("missing-batch-sum", FourierUnsummed, ("w",)),
        ),
    ),
)
