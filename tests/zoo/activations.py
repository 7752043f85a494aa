"""Functions of single numbers, and softmax with its relatives."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it
# pyright: reportAttributeAccessIssue=false
# A callback sets gradients that nobody has declared.

import numpy as np
from scipy.special import erf, expit

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, of_input, positive, sigmoid, softmax

X = numbers(0, 3, 5)


class LeakyReLU:
    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, self.slope * inputs)

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] *= self.slope


class LeakyReLUCloses(LeakyReLU):
    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class LeakyReLUIgnores(LeakyReLU):
    def backward(self, dvalues):
        self.dinputs = np.where(self.inputs > 0, 1, self.slope)


class PReLU:
    """A learned slope for every channel."""

    def __init__(self, n):
        self.alpha = positive(1, n) / 2

    def forward(self, A):
        self.A = A
        return np.maximum(A, 0) + self.alpha * np.minimum(A, 0)

    def backward(self, dLdZ):
        self.dLdalpha = (dLdZ * np.minimum(self.A, 0)).sum(axis=0)
        return dLdZ * np.where(self.A > 0, 1, self.alpha)


class PReLUWholeInput(PReLU):
    def backward(self, dLdZ):
        self.dLdalpha = (dLdZ * self.A).sum(axis=0)
        return dLdZ * np.where(self.A > 0, 1, self.alpha)


class PReLUOneSlope(PReLU):
    def backward(self, dLdZ):
        super().backward(dLdZ)
        return dLdZ * np.where(self.A > 0, 1, self.alpha.mean())


class ELU:
    @staticmethod
    def forward(ctx, x, alpha=1.3):
        y = np.where(x > 0, x, alpha * np.expm1(x))
        ctx.save_for_backward(x, y)
        ctx.alpha = alpha
        return y

    @staticmethod
    def backward(ctx, dout):
        x, y = ctx.saved_tensors
        return dout * np.where(x > 0, 1, y + ctx.alpha)


class ELUSlopeAtOutput(ELU):
    @staticmethod
    def backward(ctx, dout):
        x, y = ctx.saved_tensors
        return dout * np.where(x > 0, 1, ctx.alpha * np.exp(y))


class ELUForgetsAlpha(ELU):
    @staticmethod
    def backward(ctx, dout):
        x, y = ctx.saved_tensors
        return dout * np.where(x > 0, 1, y + 1)


def selu(x, alpha=1.6732632423543772, scale=1.0507009873554805):
    """Two constants that keep mean and variance."""
    Y = scale * np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))

    def backprop(dY):
        return dY * np.where(x > 0, scale, Y + scale * alpha)

    return Y, backprop


def selu_unscaled(x, alpha=1.6732632423543772):
    Y, _ = selu(x)

    def backprop(dY):
        return dY * np.where(x > 0, 1, alpha * np.exp(x))

    return Y, backprop


def selu_everywhere_exponential(x):
    Y, _ = selu(x)

    def backprop(dY):
        return dY * (Y + 1.0507009873554805 * 1.6732632423543772)

    return Y, backprop


class Softplus:
    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def backward(ctx, dout):
        return dout * expit(ctx.x)


class SoftplusTwice(Softplus):
    @staticmethod
    def backward(ctx, dout):
        return dout * expit(ctx.x) * (1 - expit(ctx.x))


class SoftplusMirrored(Softplus):
    @staticmethod
    def backward(ctx, dout):
        return dout * expit(-ctx.x)


def gelu_forward(x):
    """x Phi(x), with the error function."""
    cumulative = 0.5 * (1 + erf(x / np.sqrt(2)))
    return x * cumulative, (x, cumulative)


def gelu_backward(dout, cache):
    x, cumulative = cache
    return dout * (cumulative + x * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi))


def gelu_backward_of_the_tanh_form(dout, cache):
    x, _ = cache
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2))


def gelu_backward_without_product_rule(dout, cache):
    x, cumulative = cache
    return dout * cumulative


class Swish:
    """x sigmoid(beta x) with a learned beta."""

    def __init__(self):
        self.beta = np.array([0.7])

    def begin_update(self, X):
        s = sigmoid(self.beta * X)

        def backprop(dY):
            self.dbeta = np.array([(dY * X**2 * s * (1 - s)).sum()])
            return dY * (s + self.beta * X * s * (1 - s))

        return X * s, backprop


class SwishBetaMean(Swish):
    def begin_update(self, X):
        Y, backprop = super().begin_update(X)

        def mean(dY):
            dX = backprop(dY)
            self.dbeta = self.dbeta / len(X)
            return dX

        return Y, mean


class SwishBetaOne(Swish):
    def begin_update(self, X):
        Y, backprop = super().begin_update(X)

        def beta_one(dY):
            backprop(dY)
            s = sigmoid(self.beta * X)
            return dY * (s + X * s * (1 - s))

        return Y, beta_one


class Mish:
    """x tanh(softplus(x))"""

    @staticmethod
    def forward(ctx, x):
        t = np.tanh(np.log1p(np.exp(x)))
        ctx.save_for_backward(x, t)
        return x * t

    @staticmethod
    def backward(ctx, dout):
        x, t = ctx.saved_tensors
        return dout * (t + x * (1 - t**2) * sigmoid(x))


class MishInnerForgotten(Mish):
    @staticmethod
    def backward(ctx, dout):
        x, t = ctx.saved_tensors
        return dout * (t + x * (1 - t**2))


class MishSquareForgotten(Mish):
    @staticmethod
    def backward(ctx, dout):
        x, t = ctx.saved_tensors
        return dout * (t + x * (1 - t) * sigmoid(x))


def hard_sigmoid_forward(x):
    """A straight line, cut off at 0 and 1."""
    out = np.clip(x / 2 + 0.5, 0, 1)
    return out, out


def hard_sigmoid_backward(dout, out):
    return dout * ((out > 0) & (out < 1)) / 2


def hard_sigmoid_not_cut(dout, out):
    return dout / 2


def hard_sigmoid_steep(dout, out):
    return dout * ((out > 0) & (out < 1))


class Softmax:
    def forward(self, inputs):
        exp_values = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = exp_values / np.sum(exp_values, axis=1, keepdims=True)

    def backward(self, dvalues):
        self.dinputs = np.empty_like(dvalues)
        for index, (single, single_dvalues) in enumerate(zip(self.output, dvalues, strict=True)):
            single = single.reshape(-1, 1)
            jacobian = np.diagflat(single) - np.dot(single, single.T)
            self.dinputs[index] = np.dot(jacobian, single_dvalues)


class SoftmaxDiagonal(Softmax):
    def backward(self, dvalues):
        self.dinputs = dvalues * self.output * (1 - self.output)


class SoftmaxFirstRow(Softmax):
    def backward(self, dvalues):
        single = self.output[0].reshape(-1, 1)
        self.dinputs = dvalues @ (np.diagflat(single) - single @ single.T)


def log_softmax_forward(x):
    """x - log(sum(exp(x))) along the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return out, out


def log_softmax_backward(dout, out):
    return dout - np.exp(out) * dout.sum(axis=-1, keepdims=True)


def log_softmax_one_hot_only(dout, out):
    """Right where each row of dout sums to one."""
    return dout - np.exp(out)


def log_softmax_other_axis(dout, out):
    return dout - np.exp(out) * dout.sum(axis=0, keepdims=True)


class LogSumExp:
    @staticmethod
    def forward(ctx, x):
        m = x.max(axis=1, keepdims=True)
        ctx.x = x
        return m[:, 0] + np.log(np.exp(x - m).sum(axis=1))

    @staticmethod
    def backward(ctx, dout):
        return dout[:, None] * softmax(ctx.x)


class LogSumExpMaximum(LogSumExp):
    @staticmethod
    def backward(ctx, dout):
        return dout[:, None] * (ctx.x == ctx.x.max(axis=1, keepdims=True))


class LogSumExpUnnormalised(LogSumExp):
    @staticmethod
    def backward(ctx, dout):
        return dout[:, None] * np.exp(ctx.x - ctx.x.max(axis=1, keepdims=True))


SPECIMENS = (
    of_input(
        "leaky ReLU",
        "returns None",
        LeakyReLU,
        lambda layer: Call(layer(), (X,)),
        (("mask-not-applied", LeakyReLUCloses), ("ignores-cotangent", LeakyReLUIgnores)),
    ),
    Specimen(
        name="PReLU",
        convention="derivative names",
        right=PReLU,
        call=lambda layer: Call(layer(5), (X,)),
        wrong=(
            Mistake("mask-not-applied", PReLUWholeInput, ("alpha",)),
            Mistake("wrong-operand", PReLUOneSlope, ("A",)),
        ),
    ),
    of_input(
        "ELU",
        "static op",
        ELU,
        lambda op: Call(op, (X,)),
        (("derivative-at-activation", ELUSlopeAtOutput), ("factor", ELUForgetsAlpha)),
    ),
    of_input(
        "SELU",
        "callback",
        selu,
        lambda layer: Call(layer, (X,)),
        (("factor", selu_unscaled), ("mask-not-applied", selu_everywhere_exponential)),
    ),
    of_input(
        "softplus",
        "static op",
        Softplus,
        lambda op: Call(op, (X,)),
        (("wrong-activation", SoftplusTwice), ("sign", SoftplusMirrored)),
    ),
    of_input(
        "GELU",
        "functional",
        gelu_backward,
        lambda backward: Call((gelu_forward, backward), (X,)),
        (
            ("forward-differs", gelu_backward_of_the_tanh_form),
            ("overwrites", gelu_backward_without_product_rule),
        ),
    ),
    Specimen(
        name="swish",
        convention="callback",
        right=Swish,
        call=lambda layer: Call(layer(), (X,)),
        wrong=(
            Mistake("mean-for-sum", SwishBetaMean, ("beta",)),
            Mistake("wrong-operand", SwishBetaOne, ("X",)),
        ),
    ),
    of_input(
        "mish",
        "static op",
        Mish,
        lambda op: Call(op, (X,)),
        (("missing-activation", MishInnerForgotten), ("wrong-activation", MishSquareForgotten)),
    ),
    of_input(
        "hard sigmoid",
        "functional",
        hard_sigmoid_backward,
        lambda backward: Call((hard_sigmoid_forward, backward), (X,)),
        (("mask-not-applied", hard_sigmoid_not_cut), ("factor", hard_sigmoid_steep)),
    ),
    of_input(
        "softmax",
        "returns None",
        Softmax,
        lambda layer: Call(layer(), (X,)),
        (("softmax-diagonal", SoftmaxDiagonal), ("one-sample", SoftmaxFirstRow)),
    ),
    of_input(
        "log-softmax",
        "functional",
        log_softmax_backward,
        lambda backward: Call((log_softmax_forward, backward), (X,)),
        (("ignores-cotangent", log_softmax_one_hot_only), ("wrong-axis", log_softmax_other_axis)),
    ),
    of_input(
        "log-sum-exp",
        "static op",
        LogSumExp,
        lambda op: Call(op, (X,)),
        (("wrong-activation", LogSumExpMaximum), ("factor", LogSumExpUnnormalised)),
    ),
)
