"""Normalisation over the batch, features, groups, places; to unit length, root mean square, sum one."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, positive

EPS = 1e-5


def batchnorm_forward(x, gamma, beta):
    """Columns to mean 0 and variance 1, step by step."""
    centred = x - x.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    deviation = np.sqrt(variance + EPS)
    normal = centred / deviation
    return gamma * normal + beta, (centred, deviation, normal, gamma)


def batchnorm_backward(dout, cache):
    centred, deviation, normal, gamma = cache
    m = len(dout)
    dnormal = dout * gamma
    dvariance = (dnormal * centred).sum(axis=0) * -0.5 / deviation**3
    dmean = -(dnormal / deviation).sum(axis=0)
    dx = dnormal / deviation + dvariance * 2 * centred / m + dmean / m
    return dx, (dout * normal).sum(axis=0), dout.sum(axis=0)


def batchnorm_constant_mean(dout, cache):
    centred, deviation, normal, gamma = cache
    _, dgamma, dbeta = batchnorm_backward(dout, cache)
    dnormal = dout * gamma
    dvariance = (dnormal * centred).sum(axis=0) * -0.5 / deviation**3
    return dnormal / deviation + dvariance * 2 * centred / len(dout), dgamma, dbeta


def batchnorm_constant_variance(dout, cache):
    centred, deviation, normal, gamma = cache
    _, dgamma, dbeta = batchnorm_backward(dout, cache)
    dnormal = dout * gamma
    return (dnormal - dnormal.mean(axis=0)) / deviation, dgamma, dbeta


def batchnorm_scale_of_centred(dout, cache):
    centred, deviation, normal, gamma = cache
    dx, _, dbeta = batchnorm_backward(dout, cache)
    return dx, (dout * centred).sum(axis=0), dbeta


class BatchNorm:
    """The same in one formula, parameters made at the first forward, averages kept for later."""

    def __init__(self, momentum=0.9):
        self.momentum = momentum
        self.parameters, self.gradients = {}, {}
        self.running_mean = 0

    def forward(self, x):
        if not self.parameters:
            n = x.shape[1]
            self.parameters = {"gamma": numbers(1, n), "beta": numbers(2, n)}
            self.zero_grad()
        mean = x.mean(axis=0)
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
        self.scale = 1 / np.sqrt(x.var(axis=0) + EPS)
        self.normal = (x - mean) * self.scale
        return self.parameters["gamma"] * self.normal + self.parameters["beta"]

    def zero_grad(self):
        self.gradients = {name: np.zeros_like(value) for name, value in self.parameters.items()}

    def backward(self, dout):
        self.gradients["gamma"] += (dout * self.normal).sum(axis=0)
        self.gradients["beta"] += dout.sum(axis=0)
        d = dout * self.parameters["gamma"]
        return self.scale * (d - d.mean(axis=0) - self.normal * (d * self.normal).mean(axis=0))


class BatchNormWrongAxis(BatchNorm):
    def backward(self, dout):
        super().backward(dout)
        d = dout * self.parameters["gamma"]
        mean = d.mean(axis=1, keepdims=True)
        return self.scale * (d - mean - self.normal * (d * self.normal).mean(axis=0))


class BatchNormBiasMean(BatchNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.gradients["beta"] += dout.mean(axis=0) - dout.sum(axis=0)
        return dx


class LayerNorm:
    """Rows to mean 0 and variance 1."""

    def __init__(self, n):
        self.gamma, self.beta = numbers(3, n), numbers(4, n)

    def forward(self, x):
        self.sigma = np.sqrt(x.var(axis=-1, keepdims=True) + EPS)
        self.normal = (x - x.mean(axis=-1, keepdims=True)) / self.sigma
        return self.gamma * self.normal + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.normal).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        d = dout * self.gamma
        centred = d - d.mean(axis=-1, keepdims=True)
        return (centred - self.normal * (d * self.normal).mean(axis=-1, keepdims=True)) / self.sigma


class LayerNormWithoutGamma(LayerNorm):
    def backward(self, dout):
        super().backward(dout)
        centred = dout - dout.mean(axis=-1, keepdims=True)
        return (centred - self.normal * (dout * self.normal).mean(axis=-1, keepdims=True)) / self.sigma


class LayerNormNotCentred(LayerNorm):
    def backward(self, dout):
        super().backward(dout)
        d = dout * self.gamma
        return (d - self.normal * (d * self.normal).mean(axis=-1, keepdims=True)) / self.sigma


class LayerNormRowSum(LayerNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dgamma = (dout * self.normal).sum(axis=1)
        return dx


class GroupNorm:
    """Channels in two groups, each group of each image to mean 0 and variance 1."""

    def __init__(self, n_channels, n_groups=2):
        self.gamma, self.beta = numbers(5, n_channels, 1, 1), numbers(6, n_channels, 1, 1)
        self.g = n_groups

    def grouped(self, x):
        return x.reshape(len(x), self.g, -1)

    def forward(self, A):
        groups = self.grouped(A)
        self.sigma = np.sqrt(groups.var(axis=2, keepdims=True) + EPS)
        self.normal = (groups - groups.mean(axis=2, keepdims=True)) / self.sigma
        return self.gamma * self.normal.reshape(A.shape) + self.beta

    def backward(self, dLdZ):
        self.dLdgamma = (dLdZ * self.normal.reshape(dLdZ.shape)).sum(axis=(0, 2, 3), keepdims=True)[0]
        self.dLdbeta = dLdZ.sum(axis=(0, 2, 3), keepdims=True)[0]
        d = self.grouped(dLdZ * self.gamma)
        across = d.mean(axis=2, keepdims=True) + self.normal * (d * self.normal).mean(axis=2, keepdims=True)
        return ((d - across) / self.sigma).reshape(dLdZ.shape)


class GroupNormOneGroup(GroupNorm):
    def backward(self, dLdZ):
        super().backward(dLdZ)
        d = self.grouped(dLdZ * self.gamma)
        across = d.mean(axis=(1, 2), keepdims=True) + self.normal * (d * self.normal).mean(
            axis=2, keepdims=True
        )
        return ((d - across) / self.sigma).reshape(dLdZ.shape)


class GroupNormFlat(GroupNorm):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdbeta = dLdZ.sum(axis=(0, 2, 3))
        return dLdA


class InstanceNorm:
    """Every channel of every image to mean 0 and variance 1."""

    def __init__(self, n_channels):
        self.params = [numbers(7, n_channels), numbers(8, n_channels)]
        self.grads = [np.zeros(n_channels), np.zeros(n_channels)]

    def forward(self, x):
        self.inverse = (x.var(axis=(2, 3), keepdims=True) + EPS) ** -0.5
        self.normal = (x - x.mean(axis=(2, 3), keepdims=True)) * self.inverse
        return self.normal * self.params[0][:, None, None] + self.params[1][:, None, None]

    def backward(self, dout):
        self.grads[0] = np.einsum("mchw,mchw->c", dout, self.normal)
        self.grads[1] = np.einsum("mchw->c", dout)
        d = dout * self.params[0][:, None, None]
        along = (d * self.normal).mean(axis=(2, 3), keepdims=True)
        return self.inverse * (d - d.mean(axis=(2, 3), keepdims=True) - self.normal * along)


class InstanceNormSum(InstanceNorm):
    def backward(self, dout):
        super().backward(dout)
        d = dout * self.params[0][:, None, None]
        along = (d * self.normal).sum(axis=(2, 3), keepdims=True)
        return self.inverse * (d - d.mean(axis=(2, 3), keepdims=True) - self.normal * along)


class InstanceNormSwapped(InstanceNorm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads = [self.grads[1], self.grads[0]]
        return dx


class RMSNorm:
    @staticmethod
    def forward(ctx, x, g):
        r = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPS)
        ctx.save_for_backward(x, g, r)
        return x * r * g

    @staticmethod
    def backward(ctx, dout):
        x, g, r = ctx.saved_tensors
        d = dout * g
        dx = r * d - x * r**3 * np.mean(d * x, axis=-1, keepdims=True)
        return dx, (dout * x * r).sum(axis=0)


class RMSNormSquared(RMSNorm):
    @staticmethod
    def backward(ctx, dout):
        x, g, r = ctx.saved_tensors
        _, dg = RMSNorm.backward(ctx, dout)
        d = dout * g
        return r * d - x * r**2 * np.mean(d * x, axis=-1, keepdims=True), dg


class RMSNormConstant(RMSNorm):
    @staticmethod
    def backward(ctx, dout):
        x, g, r = ctx.saved_tensors
        _, dg = RMSNorm.backward(ctx, dout)
        return r * dout * g, dg


def unit_length(x):
    """Rows of length 1: (Y, backprop)."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    Y = x / length

    def backprop(dY):
        return (dY - Y * (dY * Y).sum(axis=1, keepdims=True)) / length

    return Y, backprop


def unit_length_constant(x):
    Y, _ = unit_length(x)

    def backprop(dY):
        return dY / np.linalg.norm(x, axis=1, keepdims=True)

    return Y, backprop


def unit_length_not_divided(x):
    Y, _ = unit_length(x)

    def backprop(dY):
        return dY - Y * (dY * Y).sum(axis=1, keepdims=True)

    return Y, backprop


class SumToOne:
    """Positive rows divided by their sum."""

    def forward(self, inputs):
        self.total = inputs.sum(axis=1, keepdims=True)
        self.output = inputs / self.total

    def backward(self, dvalues):
        self.dinputs = (dvalues - (dvalues * self.output).sum(axis=1, keepdims=True)) / self.total


class SumToOneQuotient(SumToOne):
    def backward(self, dvalues):
        self.dinputs = dvalues * (1 - self.output) / self.total


class SumToOneSquare(SumToOne):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dinputs = self.dinputs / self.total


TABLE, IMAGES = numbers(0, 5, 3), numbers(0, 3, 4, 1, 2)

SPECIMENS = (
    Specimen(
        name="batch norm, step by step",
        convention="functional",
        right=batchnorm_backward,
        call=lambda backward: Call((batchnorm_forward, backward), (TABLE, numbers(1, 3), numbers(2, 3))),
        wrong=(
            Mistake("missing-centring", batchnorm_constant_mean, ("x",)),
            Mistake("missing-centring", batchnorm_constant_variance, ("x",)),
            Mistake("wrong-operand", batchnorm_scale_of_centred, ("gamma",)),
        ),
    ),
    Specimen(
        name="batch norm, one formula",
        convention="accumulating",
        right=BatchNorm,
        call=lambda layer: Call(layer(), (TABLE,)),
        wrong=(
            Mistake("wrong-axis", BatchNormWrongAxis, ("x",)),
            Mistake("mean-for-sum", BatchNormBiasMean, ("parameters['beta']",)),
        ),
    ),
    Specimen(
        name="layer norm",
        convention="attributes",
        right=LayerNorm,
        call=lambda layer: Call(layer(3), (TABLE,)),
        wrong=(
            Mistake("wrong-operand", LayerNormWithoutGamma, ("x",)),
            Mistake("missing-centring", LayerNormNotCentred, ("x",)),
            Mistake("wrong-axis", LayerNormRowSum, ("gamma",)),
        ),
    ),
    Specimen(
        name="group norm",
        convention="derivative names",
        right=GroupNorm,
        call=lambda layer: Call(layer(4), (IMAGES,)),
        wrong=(
            Mistake("wrong-axis", GroupNormOneGroup, ("A",)),
            Mistake("keepdims", GroupNormFlat, ("beta",)),
        ),
    ),
    Specimen(
        name="instance norm",
        convention="lists",
        right=InstanceNorm,
        call=lambda layer: Call(layer(2), (numbers(0, 3, 2, 1, 4),)),
        wrong=(
            Mistake("factor", InstanceNormSum, ("x",)),
            Mistake("wrong-operand", InstanceNormSwapped, ("params[0]", "params[1]")),
        ),
    ),
    Specimen(
        name="RMS norm",
        convention="static op",
        right=RMSNorm,
        call=lambda op: Call(op, (TABLE, numbers(1, 3))),
        wrong=(
            Mistake("wrong-operand", RMSNormSquared, ("x",)),
            Mistake("missing-centring", RMSNormConstant, ("x",)),
        ),
    ),
    Specimen(
        name="rows of unit length",
        convention="callback",
        right=unit_length,
        call=lambda layer: Call(layer, (TABLE,)),
        wrong=(
            Mistake("missing-centring", unit_length_constant, ("x",)),
            Mistake("factor", unit_length_not_divided, ("x",)),
        ),
    ),
    Specimen(
        name="rows of sum one",
        convention="returns None",
        right=SumToOne,
        call=lambda layer: Call(layer(), (positive(0, 3, 5),)),
        wrong=(
            Mistake("softmax-diagonal", SumToOneQuotient, ("inputs",)),
            Mistake("factor", SumToOneSquare, ("inputs",)),
        ),
    ),
)
