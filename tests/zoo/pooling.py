"""Layers that choose, spread or move entries: pooling, sorting, padding, resampling, dropout."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, of_input

IMAGES = numbers(0, 3, 2, 2, 4)
TIED = np.array([[2.0, 2, 0, 1], [1, 0.5, 1, 1], [3, -1, 2, 2]])[:, None, None, :] * np.ones((1, 2, 1, 1))


def windows_of(x, size):
    """(m, c, h, w) -> (m, c, rows, columns, size * size)"""
    m, c, h, w = x.shape
    split = x.reshape(m, c, h // size, size, w // size, size).transpose(0, 1, 2, 4, 3, 5)
    return split.reshape(m, c, h // size, w // size, size * size)


def windows_back(windows, size):
    m, c, rows, columns, _ = windows.shape
    split = windows.reshape(m, c, rows, columns, size, size).transpose(0, 1, 2, 4, 3, 5)
    return split.reshape(m, c, rows * size, columns * size)


class MaxPool:
    """The largest of two by two."""

    def forward(self, x):
        windows = windows_of(x, 2)
        self.shape, self.chosen = windows.shape, windows.argmax(axis=-1)
        return windows.max(axis=-1)

    def backward(self, dout):
        windows = np.zeros(self.shape)
        np.put_along_axis(windows, self.chosen[..., None], dout[..., None], axis=-1)
        return windows_back(windows, 2)


class MaxPoolSpreads(MaxPool):
    def backward(self, dout):
        return windows_back(np.broadcast_to(dout[..., None] / 4, self.shape), 2)


class MaxPoolFirst(MaxPool):
    def backward(self, dout):
        self.chosen = np.zeros_like(self.chosen)
        return super().backward(dout)


def tied_pool_forward(x):
    """The largest of every pair in a row, where both may be the largest."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    return pairs.max(axis=-1), (pairs, x.shape)


def tied_pool_first(dout, cache):
    """To the first of equals."""
    pairs, shape = cache
    first = np.arange(2) == pairs.argmax(axis=-1)[..., None]
    return (first * dout[..., None]).reshape(shape)


def tied_pool_equal_shares(dout, cache):
    """Shared among equals."""
    pairs, shape = cache
    equal = pairs == pairs.max(axis=-1, keepdims=True)
    return (equal / equal.sum(axis=-1, keepdims=True) * dout[..., None]).reshape(shape)


def tied_pool_smallest(dout, cache):
    pairs, shape = cache
    return ((pairs == pairs.min(axis=-1, keepdims=True)) * dout[..., None]).reshape(shape)


def tied_pool_twice(dout, cache):
    return 2 * tied_pool_first(dout, cache)


def tied_pool_unmasked(dout, cache):
    pairs, shape = cache
    return np.repeat(dout, 2, axis=-1)


class AveragePool:
    def forward(self, inputs):
        self.shape = inputs.shape
        self.output = windows_of(inputs, 2).mean(axis=-1)

    def backward(self, dvalues):
        self.dinputs = np.kron(dvalues, np.ones((2, 2))) / 4


class AveragePoolSum(AveragePool):
    def backward(self, dvalues):
        self.dinputs = np.kron(dvalues, np.ones((2, 2)))


class AveragePoolTiled(AveragePool):
    def backward(self, dvalues):
        self.dinputs = np.tile(dvalues, (1, 1, 2, 2)) / 4


class GlobalPool:
    """A learned mixture of mean and maximum over all places."""

    def __init__(self):
        self.a = np.array(0.4)

    def forward(self, x):
        self.x, flat = x, x.reshape(*x.shape[:2], -1)
        self.mean, self.top, self.where = flat.mean(axis=2), flat.max(axis=2), flat.argmax(axis=2)
        return self.a * self.mean + (1 - self.a) * self.top

    def backward(self, dout):
        self.da = (dout * (self.mean - self.top)).sum()
        m, c, h, w = self.x.shape
        dx = np.zeros((m, c, h * w)) + (self.a * dout / (h * w))[:, :, None]
        dx[np.arange(m)[:, None], np.arange(c), self.where] += (1 - self.a) * dout
        return dx.reshape(self.x.shape)


class GlobalPoolTopOnly(GlobalPool):
    def backward(self, dout):
        dx = super().backward(dout)
        return dx - (self.a * dout / self.x[0, 0].size)[:, :, None, None]


class GlobalPoolMeanOnly(GlobalPool):
    def backward(self, dout):
        dx = super().backward(dout)
        self.da = (dout * self.mean).sum()
        return dx


class Sort:
    @staticmethod
    def forward(ctx, x):
        ctx.order = np.argsort(x, axis=1)
        return np.sort(x, axis=1)

    @staticmethod
    def backward(ctx, dout):
        dx = np.empty_like(dout)
        np.put_along_axis(dx, ctx.order, dout, axis=1)
        return dx


class SortTakes(Sort):
    """The permutation where its inverse is due."""

    @staticmethod
    def backward(ctx, dout):
        return np.take_along_axis(dout, ctx.order, axis=1)


class SortStraight(Sort):
    @staticmethod
    def backward(ctx, dout):
        return dout


def top_two(x):
    """The two largest of every row, in falling order: (Y, backprop)."""
    places = np.argsort(-x, axis=1)[:, :2]

    def backprop(dY):
        dx = np.zeros_like(x)
        dx[np.arange(len(x))[:, None], places] = dY
        return dx

    return np.take_along_axis(x, places, axis=1), backprop


def top_two_rising(x):
    Y, _ = top_two(x)
    places = np.argsort(x, axis=1)[:, -2:]

    def backprop(dY):
        dx = np.zeros_like(x)
        dx[np.arange(len(x))[:, None], places] = dY
        return dx

    return Y, backprop


def top_two_best_only(x):
    Y, backprop = top_two(x)

    def best_only(dY):
        return backprop(dY) * (x == x.max(axis=1, keepdims=True))

    return Y, best_only


class Upsample:
    """Every entry three times in both directions."""

    def forward(self, inputs):
        self.output = inputs.repeat(3, axis=2).repeat(3, axis=3)

    def backward(self, dvalues):
        m, c, h, w = dvalues.shape
        self.dinputs = dvalues.reshape(m, c, h // 3, 3, w // 3, 3).sum(axis=(3, 5))


class UpsampleCorner(Upsample):
    def backward(self, dvalues):
        self.dinputs = dvalues[:, :, ::3, ::3]


class UpsampleMean(Upsample):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dinputs = self.dinputs / 9


class PixelShuffle:
    """Channels become finer pixels: (m, 4 c, h, w) -> (m, c, 2 h, 2 w)."""

    @staticmethod
    def forward(ctx, x):
        m, c, h, w = ctx.shape = x.shape
        return x.reshape(m, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(m, c // 4, 2 * h, 2 * w)

    @staticmethod
    def backward(ctx, dout):
        m, c, h, w = ctx.shape
        return dout.reshape(m, c // 4, h, 2, w, 2).transpose(0, 1, 3, 5, 2, 4).reshape(ctx.shape)


class PixelShuffleReshapes(PixelShuffle):
    @staticmethod
    def backward(ctx, dout):
        return dout.reshape(ctx.shape)


class PixelShuffleSwapped(PixelShuffle):
    @staticmethod
    def backward(ctx, dout):
        m, c, h, w = ctx.shape
        return dout.reshape(m, c // 4, h, 2, w, 2).transpose(0, 1, 5, 3, 2, 4).reshape(ctx.shape)


def reflect_forward(x):
    """Two entries mirrored at both ends of a row."""
    return np.pad(x, ((0, 0), (2, 2)), mode="reflect"), x.shape[1]


def reflect_backward(dout, n):
    dx = dout[:, 2:-2].copy()
    dx[:, 1:3] += dout[:, 1::-1]
    dx[:, n - 3 : n - 1] += dout[:, : n + 1 : -1]
    return dx


def reflect_cut(dout, n):
    return dout[:, 2:-2]


def reflect_symmetric(dout, n):
    """As for the mirror that repeats the edge itself."""
    dx = dout[:, 2:-2].copy()
    dx[:, :2] += dout[:, 1::-1]
    dx[:, n - 2 :] += dout[:, : n + 1 : -1]
    return dx


class CumulativeSum:
    def forward(self, inputs):
        self.output = np.cumsum(inputs, axis=1)

    def backward(self, dvalues):
        self.dinputs = np.cumsum(dvalues[:, ::-1], axis=1)[:, ::-1]


class CumulativeSumForwards(CumulativeSum):
    def backward(self, dvalues):
        self.dinputs = np.cumsum(dvalues, axis=1)


class CumulativeSumOffByOne(CumulativeSum):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dinputs = self.dinputs - dvalues


def cumulative_product_forward(x):
    out = np.cumprod(x, axis=1)
    return out, (x, out)


def cumulative_product_backward(dout, cache):
    x, out = cache
    return np.cumsum((dout * out)[:, ::-1], axis=1)[:, ::-1] / x


def cumulative_product_not_divided(dout, cache):
    x, out = cache
    return np.cumsum((dout * out)[:, ::-1], axis=1)[:, ::-1]


def cumulative_product_own_term(dout, cache):
    x, out = cache
    return dout * out / x


class FixedDropout:
    """A mask drawn when the layer is made."""

    def __init__(self, shape, rate=0.4):
        self.mask = (np.random.default_rng(1).random(shape) > rate) / (1 - rate)

    def forward(self, inputs):
        self.output = inputs * self.mask

    def backward(self, dvalues):
        self.dinputs = dvalues * self.mask


class FixedDropoutUnmasked(FixedDropout):
    def backward(self, dvalues):
        self.dinputs = dvalues


class FixedDropoutUnscaled(FixedDropout):
    def backward(self, dvalues):
        self.dinputs = dvalues * (self.mask > 0)


class Dropout:
    """A mask drawn at every forward from a generator of the layer's own."""

    def __init__(self, rate, seed):
        self.rate, self.generator = rate, np.random.default_rng(seed)

    def forward(self, x):
        self.mask = self.generator.random(x.shape) >= self.rate
        return x * self.mask / (1 - self.rate)

    def backward(self, dout):
        return dout * self.mask / (1 - self.rate)


class DropoutUnscaled(Dropout):
    def backward(self, dout):
        return dout * self.mask


class DropoutScaledByRate(Dropout):
    def backward(self, dout):
        return dout * self.mask / self.rate


TIED_MISTAKES = (
    ("wrong-operand", tied_pool_smallest),
    ("factor", tied_pool_twice),
    ("mask-not-applied", tied_pool_unmasked),
)

SPECIMENS = (
    of_input(
        "max pooling",
        "attributes",
        MaxPool,
        lambda layer: Call(layer(), (IMAGES,)),
        (("mask-not-applied", MaxPoolSpreads), ("wrong-operand", MaxPoolFirst)),
    ),
    of_input(
        "max pooling, the first of ties",
        "functional",
        tied_pool_first,
        lambda backward: Call((tied_pool_forward, backward), (TIED,)),
        TIED_MISTAKES,
        other_subgradient=True,
    ),
    of_input(
        "max pooling, ties share",
        "functional",
        tied_pool_equal_shares,
        lambda backward: Call((tied_pool_forward, backward), (TIED,)),
        TIED_MISTAKES,
    ),
    of_input(
        "average pooling",
        "returns None",
        AveragePool,
        lambda layer: Call(layer(), (IMAGES,)),
        (("factor", AveragePoolSum), ("reshaped", AveragePoolTiled)),
    ),
    Specimen(
        name="global pooling",
        convention="attributes",
        right=GlobalPool,
        call=lambda layer: Call(layer(), (IMAGES,)),
        wrong=(
            Mistake("overwrites", GlobalPoolTopOnly, ("x",)),
            Mistake("overwrites", GlobalPoolMeanOnly, ("a",)),
        ),
    ),
    of_input(
        "sort",
        "static op",
        Sort,
        lambda op: Call(op, (numbers(0, 3, 5),)),
        (("wrong-operand", SortTakes), ("input-gradient", SortStraight)),
    ),
    of_input(
        "top two",
        "callback",
        top_two,
        lambda layer: Call(layer, (numbers(0, 3, 5),)),
        (("reshaped", top_two_rising), ("one-sample", top_two_best_only)),
    ),
    of_input(
        "upsampling",
        "returns None",
        Upsample,
        lambda layer: Call(layer(), (numbers(0, 3, 1, 2, 4),)),
        (("missing-batch-sum", UpsampleCorner), ("mean-for-sum", UpsampleMean)),
    ),
    of_input(
        "pixel shuffle",
        "static op",
        PixelShuffle,
        lambda op: Call(op, (numbers(0, 3, 4, 1, 2),)),
        (("reshaped", PixelShuffleReshapes), ("reshaped", PixelShuffleSwapped)),
    ),
    of_input(
        "reflecting padding",
        "functional",
        reflect_backward,
        lambda backward: Call((reflect_forward, backward), (numbers(0, 3, 5),)),
        (("input-gradient", reflect_cut), ("reshaped", reflect_symmetric)),
    ),
    of_input(
        "cumulative sum",
        "returns None",
        CumulativeSum,
        lambda layer: Call(layer(), (numbers(0, 3, 5),)),
        (("reshaped", CumulativeSumForwards), ("one-sample", CumulativeSumOffByOne)),
    ),
    of_input(
        "cumulative product",
        "functional",
        cumulative_product_backward,
        lambda backward: Call((cumulative_product_forward, backward), (numbers(0, 3, 5),)),
        (("wrong-operand", cumulative_product_not_divided), ("one-sample", cumulative_product_own_term)),
    ),
    of_input(
        "dropout, fixed mask",
        "returns None",
        FixedDropout,
        lambda layer: Call(layer((3, 5)), (numbers(0, 3, 5),)),
        (("mask-not-applied", FixedDropoutUnmasked), ("random-forward", FixedDropoutUnscaled)),
        not_checked=("mask",),
    ),
    of_input(
        "dropout, seeded",
        "attributes",
        Dropout,
        lambda layer: Call(layer(0.3, 4), (numbers(0, 3, 5),)),
        (("random-forward", DropoutUnscaled), ("random-forward", DropoutScaledByRate)),
    ),
)
