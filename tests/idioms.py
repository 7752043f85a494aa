"""NumPy and SciPy as people write them: each function is an idiom, the table says what becomes of it.

A lifted idiom is recorded as it stands, right in value and gradient. A flagged one would lose a derivative
and names the line where. Nothing of the package is imported here: this is the users' side.
"""

# pyright: reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportOptionalMemberAccess=false, reportIndexIssue=false, reportOperatorIssue=false
# Users' code is not written for a type checker, and compiled parts of NumPy and SciPy have no types.

import array
import concurrent.futures
import copy
import ctypes
import functools
import io
import json
import math
import operator
import pickle
import statistics
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats
from numpy import array as make_array
from numpy import dot, empty, exp, linalg, ones, zeros
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.linalg import norm
from scipy import special
from scipy.special import expit, logsumexp, softmax

Inputs = Callable[[int], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Idiom:
    """A forward, where to try it, and what a trace makes of it."""

    name: str
    function: Callable[..., Any]
    inputs: Inputs
    expected: Literal["lifted", "flagged", "undefined"]
    fragment: str = ""  # of the line that a flagged one must name


# Inputs. Steps of finite differences and small perturbations must not cross a kink, so entries keep apart
# from each other and from zero.


def spread(*shapes: tuple[int, ...]) -> Inputs:
    """Entries of both signs within (-2, 2), no two equal, none near zero."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        total = sum(math.prod(shape) for shape in shapes)
        return _cut(shapes, _grid(seed, total, 4 / total, (total + 1) // 2))

    return draw


def positive(*shapes: tuple[int, ...]) -> Inputs:
    """Entries within (0, 3), no two equal, none near zero."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        total = sum(math.prod(shape) for shape in shapes)
        return _cut(shapes, 0.2 + _grid(seed, total, 2.8 / total, 0))

    return draw


def fractions(*shapes: tuple[int, ...]) -> Inputs:
    """Entries within (0.05, 0.95), no two equal."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        total = sum(math.prod(shape) for shape in shapes)
        return _cut(shapes, 0.05 + _grid(seed, total, 0.9 / total, 0))

    return draw


def off_halves(*shapes: tuple[int, ...]) -> Inputs:
    """Entries within (-3, 4) whose fractional part is away from 0, 1/2 and 1."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(seed)
        total = sum(math.prod(shape) for shape in shapes)
        whole, half = rng.integers(-3, 3, total), rng.integers(0, 2, total) / 2
        return _cut(shapes, whole + half + rng.uniform(0.1, 0.4, total))

    return draw


def well_conditioned(n: int, *more: tuple[int, ...]) -> Inputs:
    """A square matrix with a strong diagonal and no symmetry, then arrays as `spread` draws them."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        first, *rest = spread((n, n), *more)(seed)
        return first + np.diag(3.0 + np.arange(n)), *rest

    return draw


def definite(n: int, *more: tuple[int, ...]) -> Inputs:
    """A symmetric, positive definite matrix with separate eigenvalues, then arrays as `spread` draws them."""

    def draw(seed: int) -> tuple[np.ndarray, ...]:
        first, *rest = spread((n, n), *more)(seed)
        return 0.1 * first @ first.T + np.diag(1.0 + np.arange(n)), *rest

    return draw


def zero_first(seed: int) -> tuple[np.ndarray, ...]:
    """Four entries, the first of them zero."""
    return (np.append(0.0, spread((3,))(seed)),)


def _grid(seed: int, total: int, gap: float, below: int) -> np.ndarray:
    """Shuffled midpoints of a grid, the first `below` of them negative, each moved by up to a quarter gap."""
    rng = np.random.default_rng(seed)
    return rng.permutation(gap * (np.arange(total) + 0.5 - below + rng.uniform(-0.25, 0.25, total)))


def _cut(shapes: tuple[tuple[int, ...], ...], entries: np.ndarray) -> tuple[np.ndarray, ...]:
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return tuple(part.reshape(s) for part, s in zip(np.split(entries, ends[:-1]), shapes, strict=True))


# Ufuncs, operators and ufunc methods


def chain_of_ufuncs(x):
    """Elementwise functions, one after the other."""
    return np.exp(np.sin(x)) + np.tanh(np.cos(x)) - np.arctan(x)


def logarithms_and_roots(x):
    """Functions of positive numbers."""
    return np.log(x) + np.log2(x) * np.log10(x) + np.sqrt(x) - np.cbrt(x) + np.log1p(x)


def exponentials(x):
    """exp2, expm1 and the hyperbolic functions."""
    return np.exp2(x) + np.expm1(x) * np.sinh(x) - np.cosh(x) / np.arcsinh(x)


def inverse_functions(p):
    """Inverse trigonometric functions within their domain."""
    return np.arcsin(p) * np.arccos(p) + np.arctanh(p) + np.arccosh(1 + p) + np.tan(p)


def operators(x, y):
    """The arithmetic operators between arrays."""
    return (x + y) * (x - y) / (y * y + 1) + (-x) ** 3 + (+y)


def reflected_operators(x):
    """A number or a plain array on the left."""
    return 2 * x + 1 - (3 - x) / 4 + 1 / x + 2**x + np.arange(4.0) * x + np.float64(2.5) * x - np.ones(4)


def floor_and_remainder_operators(x):
    """// and % between arrays and numbers, both ways."""
    return x * (x // 1) + x % 1 + 7 % (x * x + 3) + (x // 2) * x


def numpy_remainders(x, y):
    """mod, fmod, remainder and divmod."""
    quotient, rest = divmod(x, 2.0)
    return np.mod(x, 3) + np.fmod(x, 2) * y + np.remainder(y, 5) + quotient * x + rest**2


def rounding(x):
    """round, floor, ceil, rint and trunc have derivative zero."""
    return x * np.round(x) + np.floor(x) * x + np.ceil(x) - np.rint(x) * x**2 + np.trunc(x) + x.round() * x


def modf_parts(x):
    """Fractional and whole part."""
    fraction, whole = np.modf(x)
    return fraction**2 + whole * x


def signs_and_absolute_values(x):
    """sign, abs the function and the builtin, fabs, copysign."""
    return np.sign(x) * x**2 + np.abs(x) ** 1.5 + abs(x) + np.fabs(x) + np.copysign(x, -x) * 3 + x.__abs__()


def powers(x, y):
    """power, float_power, square, reciprocal, builtin pow and ** with arrays."""
    return np.power(x, y) + np.float_power(x, 2.5) + np.square(y) + np.reciprocal(x) + pow(x, 2) + y**x


def integer_powers(x):
    """Whole exponents, one for each entry, of numbers of both signs."""
    return x ** np.array([0, 1, 2, 3]) + x**-1 + x**5 + np.power(x, 2) + x**2.0


def hypotenuse_and_angle(x, y):
    """hypot and arctan2."""
    return np.hypot(x, y) * np.arctan2(y, x)


def stable_logarithms(x, y):
    """logaddexp and logaddexp2."""
    return np.logaddexp(x, y) + np.logaddexp2(x, 0)


def larger_and_smaller(x, y):
    """maximum, minimum, fmax and fmin, with arrays and numbers."""
    return np.maximum(x, y) * np.minimum(x, 0.5) + np.fmax(x, 0) - np.fmin(y, x)


def steps(x):
    """heaviside, and nan_to_num of what is finite."""
    return np.heaviside(x, 0.5) * x + np.nan_to_num(x)


def angles(x):
    """Degrees and radians, sinc."""
    return np.deg2rad(x) + np.rad2deg(np.sin(x)) + np.degrees(x) * np.radians(x) + np.sinc(x)


def ufunc_out(x, y):
    """A result written into an array made before."""
    z = np.empty((2, 3))
    np.multiply(x, y, out=z)
    np.add(z, x, z)
    return z


def ufunc_out_is_a_view(x):
    """A result written into one row of an array."""
    z = np.zeros((2, 3))
    np.exp(x, out=z[1])
    np.sin(x, out=z[0, ::-1])
    return z


def ufunc_where(x, y):
    """Only some entries computed, the others as they were in out."""
    z = np.ones_like(x)
    np.divide(x, y, out=z, where=x > 0)
    return z * x


def ufunc_reduce(x):
    """reduce of several ufuncs, over one axis or all."""
    total = np.add.reduce(x, axis=(0, 1)) * np.multiply.reduce(x, axis=1)
    return (
        total
        + np.maximum.reduce(x, axis=1)
        - np.minimum.reduce(x, axis=None)
        + np.logaddexp.reduce(x, axis=1)
    )


def ufunc_accumulate(x):
    """accumulate of several ufuncs."""
    return np.add.accumulate(x) * np.multiply.accumulate(x, axis=1) + np.maximum.accumulate(x, axis=0)


def ufunc_outer(x, y):
    """outer of several ufuncs."""
    return np.multiply.outer(x, y) + np.subtract.outer(x, y) ** 2 + np.maximum.outer(x, y)


def ufunc_at(x, y):
    """Unbuffered writes: an index that comes twice counts twice."""
    z = np.zeros(4)
    np.add.at(z, [0, 1, 1, 3], x)
    np.subtract.at(z, np.array([0, 0, 2]), y)
    return z**2


def ufunc_at_scales(x):
    """multiply.at with one number for all, and maximum.at."""
    z = x * 1.0
    np.multiply.at(z, [0, 2, 2], 3.0)
    np.maximum.at(z, [1], 0.25)
    return z


def ufunc_reduceat(x):
    """Sums of segments."""
    return np.add.reduceat(x, [0, 2, 5]) ** 2


def sum_of_segments(x):
    """bincount with weights."""
    return np.bincount(np.array([0, 2, 0, 1, 2]), weights=x, minlength=4) ** 2


# Products


def matrix_products(x, y):
    """@, dot, the method, matmul and reflected @ with a plain array."""
    plain = np.arange(6.0).reshape(2, 3)
    return x @ y + np.dot(x, y) * x.dot(y) + np.matmul(x, y) + dot(plain, y) + plain @ y


def vector_products(x, y):
    """inner, outer, vdot and @ of vectors."""
    return np.inner(x, y) * np.outer(x, y) + np.vdot(x, y) + x @ y


def batched_products(x, y):
    """@ that broadcasts over a batch."""
    return x @ y + x.transpose(0, 2, 1)[:, :2] @ np.ones((2, 2, 2))


def in_place_matrix_product(x, y):
    """@= on an array of one's own."""
    z = x * 1.0
    z @= y
    return z


def einsum_matrices(x, y):
    """einsum with and without an arrow."""
    return np.einsum("ij,jk->ik", x, y) + np.einsum("ij,jk", x, y)


def einsum_batches(x, y):
    """einsum with an ellipsis, a transposition and a scalar."""
    return np.einsum("...ij,...kj->...ik", x, y), np.einsum("bij,bkj->kb", x, y), np.einsum("bij,bij->", x, y)


def einsum_of_three(x, y, z):
    """einsum of three arrays, optimised."""
    return np.einsum("ij,jk,k->i", x, y, z, optimize=True)


def einsum_diagonal(x):
    """einsum with a letter that comes twice, and with lists of numbers."""
    return np.einsum("ii->i", x) * np.einsum("ii", x) + np.einsum(x, [0, 1], [1])


def tensordot_axes(x, y):
    """tensordot by number and by pairs of axes."""
    return np.tensordot(x, y, axes=1).sum() * np.tensordot(x, y, axes=([0, 1], [1, 0]))


def kronecker_and_cross(x, y):
    """kron and cross."""
    return np.kron(x, y), np.cross(x, y), np.cross(x[:2], np.array([1.0, 2.0, 3.0])[None] * y[:2])


# Reductions


def reductions_over_axes(x):
    """Tuples of axes, negative axes and keepdims."""
    return x.sum(axis=(0, 2), keepdims=True) + np.mean(x, axis=-1, keepdims=True) * np.prod(x, axis=(0, 1))


def standardise(x):
    """mean, std and var with ddof."""
    return (x - x.mean(0)) / (x.std(axis=0) + 1e-5) + np.var(x, axis=1, ddof=1, keepdims=True)


def extremes(x):
    """max, min, amax and ptp."""
    return x.max(axis=1) * np.min(x) + np.amax(x, axis=0, keepdims=True).sum() + np.ptp(x, axis=1)


def reductions_where(x):
    """sum, mean and max of some entries."""
    some = x > -0.5
    return (
        np.sum(x**2, where=some)
        + np.mean(x, axis=1, where=some)
        + np.max(x, initial=-5.0, where=~some, axis=1)
    )


def sum_from_an_initial_value(x):
    """sum and prod with a start."""
    return np.sum(x, initial=3.0) * np.prod(x, axis=0, initial=2.0)


def cumulative(x):
    """cumsum and cumprod, flat and along an axis."""
    return np.cumsum(x).reshape(3, 4) * np.cumprod(x, axis=1) + x.cumsum(axis=-1)


def order_statistics(x):
    """median, percentile and quantile."""
    return np.median(x, axis=1) + np.percentile(x, 30, axis=1) * np.quantile(x, 0.75)


def weighted_average(x, w):
    """average with weights."""
    return np.average(x, axis=0, weights=w) * np.average(x)


def quadrature(y, x):
    """trapezoid over given points and over equal steps."""
    return np.trapezoid(y, np.cumsum(x)) + np.trapezoid(y, dx=0.1)


def differences(x):
    """diff of first and second order, with a value put before, ediff1d."""
    return np.diff(x).sum() * np.diff(x, n=2) + np.diff(x, prepend=0.0)[:3] + np.ediff1d(x)[1:]


def numerical_gradient(x):
    """np.gradient along both axes."""
    rows, columns = np.gradient(x)
    return rows * columns + np.gradient(x, 0.5, axis=0)


def covariance(x):
    """cov and corrcoef."""
    return np.cov(x) + np.corrcoef(x)


def nan_aware(x):
    """nansum, nanmean and nanmax of an array with missing entries."""
    z = np.where(x > 1, np.nan, x)
    return np.nansum(z) + np.nanmean(z) * np.nanmax(z) + np.nan_to_num(z).sum()


def builtin_reductions(x):
    """sum, max, min and sorted of Python."""
    return sum(x) + max(x) * min(x) + sorted(x)[1] ** 2


# Choosing


def where_of_three(x, y):
    """where with a condition."""
    return np.where(x > 0, x * y, np.where(y > 0.3, np.sin(x), -1.0))


def where_of_one(x):
    """where and nonzero as indices."""
    rows, columns = np.where(x > 0)
    return x[rows, columns].sum() * x[np.nonzero(x < 0)]


def where_guards_a_logarithm(x):
    """A branch that is invalid where it is not chosen."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(x > 0, np.log(x), 0.5 * x)


def where_guards_a_root(x):
    """A branch whose slope is infinite where it is not chosen."""
    return np.where(x > 0, np.sqrt(np.maximum(x, 0)), x)


def clipping(x):
    """clip on both sides, on one, and as a method."""
    return np.clip(x, -1, 1) * x + np.clip(x, None, 0.4) + x.clip(min=-0.3) ** 2


def selecting(x):
    """select and piecewise."""
    return np.select([x < -1, x < 1], [x**2, np.sin(x)], default=3 * x) + np.piecewise(
        x, [x < 0, x >= 0], [lambda t: -t * t, lambda t: t**3]
    )


def choosing(x, y):
    """choose, compress, extract."""
    chosen = np.choose([0, 1, 1, 0], [x, y]) * 2
    return chosen + np.compress([True, False, True, True, True], np.append(x, 1.0)) + np.extract(x > -9, y)


def masks_multiplied_in(x):
    """Comparisons as numbers."""
    mask = (x > 0) & (x < 1.5) | ~(x > -1)
    return x * mask + (x > 0) * x**2 + (x < 0).astype(float) * np.exp(x) + np.logical_and(x > 0, mask) * 2.0


def counts_of_masks(x):
    """Numbers of entries that hold, as divisors."""
    inside = x > 0
    return (
        x[inside].sum() / inside.sum()
        + x / np.count_nonzero(inside) * inside.mean()
        + x.sum() * np.any(inside)
    )


# Shapes


def reshapes(x):
    """reshape in its spellings, ravel, flatten and orders."""
    flat = x.reshape(-1) + x.ravel() * x.flatten() + np.ravel(x, order="F") + np.reshape(x, (12,), order="F")
    return flat.reshape(2, -1).reshape((3, 4)) + x.T.reshape(3, 4)


def transposes(x):
    """T, transpose, swapaxes, moveaxis, rollaxis."""
    z = x.transpose(2, 0, 1) + np.transpose(x, (2, 0, 1)) * np.moveaxis(x, -1, 0) + np.rollaxis(x, 2)
    return z.swapaxes(0, 1) + x.T.swapaxes(0, 2).swapaxes(1, 2)


def new_axes(x):
    """expand_dims, squeeze, newaxis, atleast_2d and atleast_3d."""
    z = np.expand_dims(x, (0, 2)) * x[:, np.newaxis, None] + np.atleast_2d(x)[..., None]
    return np.squeeze(z).sum(axis=0) + np.atleast_3d(x).squeeze() + x[None].squeeze(0)


def flips(x):
    """flip, fliplr, flipud, rot90 and roll."""
    return (
        np.flip(x)
        + np.fliplr(x) * np.flipud(x)
        + np.rot90(x, 2)
        + np.roll(x, 1, axis=1) * np.roll(x, (1, 2), (0, 1))
    )


def repetitions(x):
    """tile, repeat with one number and with several, resize."""
    return np.tile(x, (2, 2)).sum(axis=0)[:6] + np.repeat(x, 2) * x.repeat([1, 2, 3]) + np.resize(x, 6)


def joins(x, y):
    """concatenate, stack, hstack, vstack, dstack, column_stack."""
    z = np.concatenate([x, y], axis=1) * np.hstack((x, y))
    return (
        z.sum(0),
        np.vstack([x, y]),
        np.stack([x, y], axis=-1) ** 2,
        np.dstack((x, y)),
        np.column_stack((x, y[:, 0])),
    )


def joins_with_plain_arrays(x):
    """A column of ones put beside the input: the bias trick."""
    design = np.hstack([np.ones((len(x), 1)), x])
    return design @ np.arange(4.0) + np.append(x, np.zeros((2, 1)), axis=1).sum(axis=1)


def bias_trick_by_c(x):
    """np.c_ and np.r_ with plain arrays."""
    return np.c_[x, np.ones(2)] ** 2, np.r_[x[0], 1.0, x[1]] * 3


def blocks(x, y):
    """block of a nested list."""
    return np.block([[x, y], [np.zeros((2, 2)), x @ y]]) ** 2


def splits(x):
    """split, array_split, hsplit and vsplit."""
    first, second = np.split(x, 2)
    left, middle, right = np.array_split(x, [1, 4], axis=1)
    return (
        first * second
        + left.sum() * right.sum()
        + np.hsplit(x, 3)[1].sum()
        + np.vsplit(x, 2)[0] * middle.sum()
    )


def paddings(x):
    """pad with a constant, the edge, a reflection and a wrap."""
    z = np.pad(x, 1) + np.pad(x, ((1, 1), (2, 0)), mode="edge") * np.pad(x, 1, "reflect")
    return (
        z
        + np.pad(x, [(1, 1), (0, 2)], constant_values=2.0)
        + np.pad(x, 1, mode="wrap")
        + np.pad(x, 1, "symmetric")
    )


def insertions(x):
    """insert, append and delete."""
    return (
        np.insert(x, 1, 5.0)[:4]
        + np.delete(x, [0, 2]).sum() * np.append(x, x[0])[1:]
        + np.insert(x, [0, 2], x[:2])[2:]
    )


def broadcasts(x):
    """broadcast_to, broadcast_arrays, meshgrid, ix_."""
    a, b = np.broadcast_arrays(x[:, None], x[None])
    across, down = np.meshgrid(x, 2 * x)
    return np.broadcast_to(x, (3, 3)) * a + b * across - down + np.outer(x, x)[np.ix_([2, 0, 1], [0, 1, 2])]


def windows(x):
    """sliding_window_view: a moving sum of squares."""
    return (sliding_window_view(x, 3) ** 2).sum(axis=-1) + np.lib.stride_tricks.sliding_window_view(x, 3)[
        :, 1
    ]


def strided_windows(x):
    """as_strided: overlapping windows."""
    step = x.strides[0]
    return as_strided(x, shape=(4, 3), strides=(step, step)) @ np.array([1.0, -2.0, 0.5])


def strided_images(x):
    """as_strided of an image: patches."""
    rows, columns = x.strides
    patches = np.lib.stride_tricks.as_strided(x, (3, 3, 2, 2), (rows, columns, rows, columns))
    return np.tensordot(patches, np.array([[1.0, 2.0], [3.0, 4.0]]), axes=2)


# Sorting and searching


def sorting(x):
    """sort, along axes, and as a method in place."""
    z = np.sort(x, axis=0) * np.sort(x)
    w = x * 2
    w.sort()
    return z + w + np.sort(x, axis=None).reshape(x.shape)


def sorting_by_arguments(x):
    """argsort, then take, take_along_axis and indexing."""
    order = np.argsort(x, axis=1)
    return (
        np.take_along_axis(x, order, axis=1) * np.arange(4.0)
        + x[0][order[0]]
        + np.take(x[1], x[1].argsort()[::-1])
    )


def top_k(x):
    """The largest entries by argsort with a negative step, and partition."""
    return (
        x[np.argsort(x)[::-1][:3]] * np.array([3.0, 2.0, 1.0])
        + np.partition(x, 2)[2]
        + np.sort(x)[-2:].prod()
    )


def argmax_as_index(x):
    """argmax and argmin used to index, along an axis and flat."""
    return (
        x[np.arange(3), x.argmax(axis=1)] * x.flat[np.argmin(x)] + x[np.unravel_index(np.argmax(x), x.shape)]
    )


def argmax_of_a_plain_table(x):
    """The winner's index into a list and a plain array."""
    winner = np.argmax(x)
    return x * [1.0, 2.0, 3.0, 4.0][winner] + np.array([0.5, 0.25, 0.75, 1.0])[winner] * int(winner)


def unique_values(x):
    """unique with its inverse: the values go through, the indices do not."""
    values, inverse = np.unique(np.concatenate([x, x[:2]]), return_inverse=True)
    return values**2, values[inverse] * 3


def searching(x):
    """searchsorted and digitize choose the piece of a piecewise function."""
    edges, slopes = np.array([-1.0, 0.0, 1.0]), np.array([0.1, 0.5, 2.0, 3.0])
    return slopes[np.searchsorted(edges, x)] * x + slopes[np.digitize(x, edges)] * x**2


def interpolation(x, heights):
    """interp in the points and in the heights."""
    return np.interp(x, [-2.0, -0.7, 0.1, 2.0], heights) + np.interp(0.3, np.sort(x), np.arange(5.0))


# Indexing


def basic_indices(x):
    """Numbers, slices with negative steps, newaxis and ellipsis."""
    return (
        x[0] * x[-1, ::-1] + x[1:, 1].sum() + x[..., -1, None][0] + x[::-2, ::2].prod() + x[1, 2] * x[-1][-1]
    )


def fancy_indices(x):
    """Lists and arrays of numbers, repeated, and both dimensions at once."""
    return (
        x[[0, 2, 0]] * x[:, [1, 1, 3, 0]]
        + x[np.array([0, 1]), np.array([2, 3])].sum()
        + x[[[0], [2], [1]], [0, 1, 2, 3]]
    )


def mixed_indices(x):
    """Arrays among slices, side by side and apart."""
    return x[:, [0, 2], 1].sum() * x[0, :, [1, 0]] + x[[1, 0], :, -1] + x[..., [0, 1], 0][:, 1:]


def masks_as_indices(x):
    """Boolean masks of all dimensions or the first."""
    return x[x > 0].sum() * x[x[:, 0] > -3] + x[np.array([True, False, True])].mean(axis=0) + x[:, x[0] > -3]


def indices_divided(x):
    """Integer arithmetic of indices stays integer."""
    index = np.arange(6)
    return x[index // 2] * (index / 4) + x[(index * 7) % 3] * (index**2) + x[len(x) // 2] + x[-1 % 3]


def one_hot_choice(p):
    """Probability of the right class, by fancy index."""
    y = np.array([2, 0, 1])
    return -np.log(p[np.arange(len(y)), y])


def take_with_modes(x):
    """take along axes, wrapped, and as a method."""
    return np.take(x, [0, 5, -1], mode="wrap") * x.take([1, 1, 3]) + np.take(x.reshape(2, 2), 1, axis=1).sum()


def embedding(table):
    """Rows of a table looked up by token."""
    return np.tanh(table[np.array([[0, 2], [2, 1]])]).sum(axis=1)


def rows_by_iteration(x, y):
    """for over rows, zip, enumerate, reversed and len."""
    total = 0.0
    for i, (row, other) in enumerate(zip(x, y, strict=True)):
        total = total + i * row @ other + len(row)
    for row in reversed(x):
        total = np.tanh(total + row[0])
    return total


def unpacking(x):
    """Rows and entries by unpacking."""
    (a, b), (c, *d) = x
    return a * c - b * d[0]


def loops_over_indices(x):
    """ndindex, ndenumerate and nested range loops."""
    total = 0.0
    for i, j in np.ndindex(*x.shape):
        total += x[i, j] ** 2 * (i + 1)
    for (i, j), entry in np.ndenumerate(x):
        total += entry**3 * (j - i)
    return total


# In-place writes and views


def writes(x, y):
    """Assignments by every kind of index."""
    z = np.zeros((3, 4))
    z[0] = x
    z[1, 1:3] = x[:2] * y[:2]
    z[2, ::-2] = y[0]
    z[[0, 1], [3, 0]] = y[1:3]
    z[..., 1] += 1.5
    z[z > 1] = x[0] ** 2
    return z * 2


def augmented_assignments(x, y):
    """+=, -=, *=, /= and **= on an array of one's own."""
    z = x.copy()
    z += y
    z -= 0.5
    z *= y
    z /= 1 + y**2
    z **= 2
    z[1:] *= x[1:]
    return z * x


def augmented_remainders(x):
    """//= and %= on arrays of one's own."""
    z, w = x.copy(), x.copy()
    z //= 0.5
    w %= 1
    w[::2] -= z[1::2]
    return z * x + w**2


def writes_by_fancy_index_once(x):
    """z[i] += 1 with an index that comes twice counts once."""
    z = x * 2
    z[[0, 0, 1]] += x[:3] ** 2
    return z * x


def leaky_relu_in_place(x):
    """Some entries scaled through a mask."""
    z = x.copy()
    z[z < 0] *= 0.1
    z[~(x < 1)] = 1
    return z**2


def argument_in_place(x, b):
    """The caller's own array changed by its layer."""
    x -= x.mean(axis=0)
    x[0] *= b
    return x**2


def row_is_a_view(x):
    """A row changed changes its array."""
    z = x * 1.0
    v = z[0]
    v += 1
    v *= v
    return z * x


def entry_is_no_view(x):
    """An entry taken by numbers alone is a copy, in one dimension and in two."""
    z = x * 1.0
    v = z[0, 1]
    v += 5
    w = z[1]
    u = w[0]
    u *= 7
    for entry in w:
        entry += 1
    return z * v + u


def entry_by_ellipsis_is_a_view(x):
    """z[0, ...] of a vector is a 0-d view."""
    z = x * 1.0
    v = z[0, ...]
    v += 1
    v[...] = v * x[1]
    return z**2


def view_through_a_transpose(x):
    """T and swapaxes changed change their array."""
    z = x * 1.0
    z.T[0] = x[:, 1] ** 2
    w = z.swapaxes(0, 1)
    w[1] += 3 * w[0]
    return z * x


def view_through_a_reshape(x):
    """reshape and ravel of a contiguous array are views."""
    z = x * 1.0
    flat = z.reshape(-1)
    flat[::2] *= 3
    z.ravel()[1] = x[0, 0] * x[1, 1]
    return z + flat.reshape(2, 3)


def copy_through_a_reshape(x):
    """reshape and ravel of a transposed array are copies, flatten always."""
    z = x * 1.0
    z.T.reshape(-1)[0] = 100.0
    z.T.ravel()[:] = x[0, 0]
    z[:, :2].reshape(-1)[:] *= 7
    z.flatten()[:] = 5.0
    return z * x


def contiguous_part_is_a_view(x):
    """ravel of whole rows is a view."""
    z = x * 1.0
    z[1:].ravel()[:3] += x[0]
    z[::-1][0] *= 2
    return z * x


def view_after_its_base_changed(x):
    """A view made before its base is written reads the new values."""
    z = x * 1.0
    v = z[:, 1]
    z[0] = x[1] ** 2
    z *= 2
    return v * x[:, 0]


def view_of_a_view(x):
    """Changes through three views at once."""
    z = x * 1.0
    a = z[1:]
    b = a.T
    c = b[::-1]
    c[0] += x[0, 0]
    a[0, 0] *= 2
    z[1] -= 0.5
    return c * b + z[1:].T


def chained_index_write(x):
    """z[i][j] = value and z[i][j:k] += value."""
    z = x * 1.0
    z[1][2] = x[0, 0] * x[0, 1]
    z[0][1:][::-1][0] += x[1, 1]
    return z * x


def fancy_index_is_a_copy(x):
    """What an array of numbers or a mask takes is a copy."""
    z = x * 1.0
    w = z[[0, 1]]
    w += 10
    m = z[z > 0]
    m *= 3
    return z * w, m


def copies_are_independent(x):
    """copy, np.copy, np.array, astype and deepcopy are no views."""
    z = x * 1.0
    several = [z.copy(), np.copy(z), np.array(z), z.astype(float), copy.deepcopy(z), copy.copy(z), z + 0, +z]
    z *= 5
    several[0][0] += 1
    return sum(several) * x + z


def same_object(x):
    """asarray, ascontiguousarray and astype without a copy give the array itself."""
    z = x * 1.0
    np.asarray(z)[0] *= 2
    z.astype(float, copy=False)[1] += x[0]
    np.asarray(z, dtype=float)[2] = x[1] ** 2
    w = z
    w += 1
    np.ascontiguousarray(z)[0] -= 3 * x[2]
    return z * x


def rows_changed_in_a_loop(x):
    """for row in z: row changed in place changes z."""
    z = x * 1.0
    for i, row in enumerate(z):
        row -= row.mean()
        row[i] = row[0] * 2
    return z * x


def running_total_in_a_row(x):
    """total = z[0], then +=: the first row is the total."""
    z = x * 1.0
    total = z[0]
    for row in z[1:]:
        total += row
    return z * x


def totals_are_numbers(x):
    """A sum is a number: += makes a new one, the old name keeps its value."""
    s = x.sum()
    t = s
    s += 1
    e = x[0]
    f = e
    e *= 3
    return s * t + e * f


def zero_dimensional_accumulator(x):
    """A 0-d array is changed in place, and its other name with it."""
    s = np.zeros(())
    t = s
    s += x[0]
    s[()] = s * x[1]
    return t * x


def two_names_for_one_array(x):
    """a = b = zeros: both change; a list of one array twice, too."""
    a = b = np.zeros(3)
    a += x
    rows = [np.zeros(3)] * 2
    rows[0] += x**2
    return b * rows[1]


def swapped_rows(x):
    """Rows exchanged by fancy index, by copies, and wrongly by views."""
    z = x * 1.0
    z[[0, 1]] = z[[1, 0]]
    z[1], z[2] = z[2].copy(), z[1].copy()
    z[0], z[2] = z[2], z[0]
    return z * x


def overlapping_writes(x):
    """Source and target overlap: as if the source had been copied."""
    z = x * 1.0
    z[1:] += z[:-1]
    z[:-1] = z[1:] * x[0]
    z[::-1] -= z
    return z * x


def split_is_a_view(x):
    """Parts by split, hsplit and unpacking change the whole."""
    z = x * 1.0
    top, bottom = np.split(z, 2)
    top *= bottom
    left, _, _ = np.hsplit(z, 3)
    left += 1
    a, b = z
    b[0] = a[1] * a[2]
    return z * x


def functions_that_give_views(x):
    """squeeze, expand_dims, moveaxis, flip, atleast_2d, rot90, diagonal's base: all live."""
    z = x * 1.0
    np.expand_dims(z, 0)[0, 0, 0] += 1
    np.moveaxis(z, 0, 1)[1, 0] *= 2
    np.flip(z)[0, 0] = x[0, 0] ** 2
    np.atleast_2d(z[1])[0, 1] += x[0, 1]
    np.squeeze(z[None])[0] *= 3
    np.transpose(z)[0, 1] -= 2
    np.rot90(z)[0, 0] *= x[1, 1]
    diagonal = z[:, :2].diagonal()
    z[0, 0] += 1
    return z * x + diagonal.sum()


def einsum_gives_a_view(x):
    """einsum with one operand writes into its diagonal."""
    z = x * 1.0
    np.einsum("ii->i", z)[:] *= 2
    return z * x


def view_methods(x):
    """z.view(), z[...], z[:] and z.real are the array's own memory."""
    z = x * 1.0
    z.view()[0] += 1
    z[...][1] *= x[0]
    z[:][2] = 2 * x[1]
    z.real[0] *= 2
    return z * x


def helper_writes_into_its_argument(x):
    """A helper function that fills what it is given."""

    def fill(target, values):
        target[...] = values**2
        target[0] += 1

    z = np.empty((2, 3))
    fill(z[0], x)
    fill(z[1], z[0])
    return z


def flat_reads_and_writes(x):
    """flat: iterated, indexed and assigned."""
    z = x * 1.0
    z.flat[1] = x.flat[0] ** 2
    z.flat[[2, 3]] = x.flat[3:5]
    return sum(entry**2 for entry in z.flat) * z


def methods_in_place(x):
    """fill, sort, put and partition-free in-place methods."""
    z = x * 1.0
    z[0].fill(2.5)
    z[1].sort()
    z.put([5, 6], [1.0, -1.0])
    return z * x


def functions_in_place(x, y):
    """put, copyto, fill_diagonal, putmask, place, put_along_axis."""
    z = x * 1.0
    np.put(z, [0, 7], y[0, :2])
    np.copyto(z[1], y[1])
    np.fill_diagonal(z, 4.0)
    np.putmask(z, z < -1, y**2)
    np.place(z, x > 1.5, y[2])
    np.put_along_axis(z, np.array([[2], [0], [1]]), y[:, :1], axis=1)
    np.copyto(z, y, where=x > 1)
    return z * x


def out_of_other_functions(x):
    """out= of sum, clip, cumsum, dot and concatenate."""
    z = np.empty(3)
    np.sum(x, axis=0, out=z)
    w = np.zeros((2, 3))
    np.clip(x, -1, 1, out=w)
    x.cumsum(axis=0, out=w[:, :])
    np.maximum(w, 0, out=w)
    v = np.empty((2, 2))
    np.dot(x, x.T, out=v)
    return z * w, v


BUFFER = np.zeros(3)


def plain_buffer_used_again(x):
    """A plain array of the module takes other numbers between two uses."""
    BUFFER[:] = 1.0
    y = x * BUFFER
    BUFFER[:] = (2.0, 3.0, 4.0)
    z = np.concatenate([y, x * BUFFER])
    BUFFER[:] = -1.0
    return z


def constants_used_again(x):
    """Masks and indices changed between two uses."""
    mask, index, weights = np.array([True, False, True]), np.array([0, 1, 1]), np.ones(3)
    z = np.where(mask, x, 0) + x[index] * weights + weights @ x
    mask[:], index[:] = ~mask, 2
    weights *= 3
    weights[0] = 5
    return z * np.where(mask, x, 1) + x[index] * weights + weights @ x


def accumulated_in_slices(x):
    """Overlapping slices of an array of zeros, += again and again."""
    out = np.zeros(5)
    for i in range(3):
        out[i : i + 3] += x * (i + 1)
    return out


# Arrays made inside


def filled_entry_by_entry(x, w):
    """A matrix product by three loops into zeros."""
    out = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            for k in range(3):
                out[i, j] += x[i, k] * w[k, j]
    return out


def zeros_by_name(x):
    """zeros, ones, empty and array imported by name."""
    out = zeros((2, 4))
    out[0] = x
    more = empty(4)
    more[:] = exp(x)
    several = ones(shape=4)
    several[1:] -= x[1:]
    return out * more + several * make_array([x[0], x[1], 1.0, x[0] * x[3]])


def made_like(x):
    """zeros_like, empty_like, ones_like and full_like."""
    z, w = np.zeros_like(x), np.empty_like(x)
    z[0] = x[1]
    w[...] = x
    return z + w * np.ones_like(x) + np.full_like(x, 2.0) * np.full_like(x, x[0, 0])


def full_of_a_value(x):
    """full with a number and with a traced entry."""
    z = np.full((2, 3), 7.0)
    z[1] = x
    return z + np.full(3, x[0]) * np.full((3,), fill_value=x[1] ** 2)


def array_of_entries(x):
    """np.array of a flat list of entries."""
    return np.array([np.sin(x[0]), x[1] * x[2], 3.0, 1]) * 2


def rotation_matrix(angle, x):
    """np.array of a nested list."""
    t = angle[0]
    return np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ x


def array_of_rows(x):
    """np.array and asarray of lists of rows, of a comprehension, with a dtype."""
    rows = [row * i for i, row in enumerate(x, 1)]
    return np.array(rows) + np.asarray([np.tanh(row) for row in x], dtype=float) * np.array(
        (x[1], x[0]), np.float64
    )


def stacked_comprehension(x):
    """stack, concatenate and vstack of what a comprehension made."""
    z = np.stack([row / (1 + i) for i, row in enumerate(x)], axis=1)
    return z + np.concatenate([row[None] ** 2 for row in x]).T + np.vstack([np.sin(r) for r in x]).T


def list_appended(x):
    """Results gathered in a list, joined at the end."""
    outputs = []
    state = np.zeros(2)
    for row in x:
        state = np.tanh(state + row)
        outputs.append(state)
    return np.array(outputs)


def linspace_between_entries(x):
    """linspace, eye, identity, arange and diag built from entries."""
    return (
        np.linspace(x[0], x[1], 3) + np.eye(3) @ x + np.identity(3)[0] * x[2] + np.diag(x) @ np.arange(1, 4)
    )


def linspace_of_logarithms(x):
    """linspace by number of points and step, logspace and geomspace between entries."""
    points, step = np.linspace(x[1], 2.0, 4, retstep=True)
    return np.geomspace(x[0], x[1], 4) + np.logspace(x[2], 1.0, 4) * points * step


def arange_from_an_entry(x):
    """arange whose start and stop are entries."""
    return np.arange(x[0], x[0] + 3.5)


def integers_mixed_in(x):
    """Integer arrays, booleans and float32 constants promote to float64."""
    counts = np.arange(4)
    z = (
        x / counts.size
        + counts * x
        + np.ones(4, dtype=np.int32) * x
        + np.array([True, False, True, True]) * x
    )
    return z * np.float32(0.5) + np.arange(4, dtype=np.float32) * x + counts / 2 + x / np.int64(3) + True * x


def integer_array_truncates(x):
    """Written into an integer array, entries lose what is behind the point, and their derivative."""
    z = np.zeros(4, dtype=int)
    z[:] = x
    return z * x


def python_numbers(x):
    """Shapes, sizes and lengths as numbers."""
    rows, columns = x.shape
    return (
        x * rows / columns
        + x.size
        - x.ndim
        + len(x) * np.shape(x)[1]
        + np.size(x)
        + np.ndim(x)
        + x.T.shape[0]
    )


def float_constants(x):
    """np.float64 and float of constants, math of constants, np.pi."""
    scale = np.float64(2.0) * float("1.5") * math.sqrt(2 / np.pi) + np.sqrt(3) + np.exp(1)
    return scale * x + float(len(x)) + np.log(np.float64(len(x))) * x


# Types and questions


def isinstance_of_an_array(x):
    """A forward that asks what it has got."""
    if not isinstance(x, np.ndarray):
        x = np.array([x])
    if isinstance(x, list | tuple) or np.isscalar(x) or not hasattr(x, "shape"):
        raise TypeError("an array is needed")
    return x**2


def isscalar_of_an_entry(x):
    """An entry of an array is a scalar."""
    entry = x[0]
    return x * entry if np.isscalar(entry) else x


def assertions(x):
    """Shapes, dtype, finiteness and closeness asserted."""
    assert x.shape == (2, 3), x.shape
    assert x.ndim == 2
    assert x.dtype == np.float64
    assert np.issubdtype(x.dtype, np.floating)
    assert np.isfinite(x).all()
    assert not np.any(np.isnan(x))
    assert np.allclose(x, x)
    assert np.array_equal(x, x)
    return x * 2


def branch_on_data(x):
    """if with a sum, a comparison of entries, any and all."""
    if x.sum() > 0 and not (x > 5).any():
        x = x * 2
    elif x[0] > x[1]:
        x = x**2
    return -x if x[0] < 0 else np.sin(x)


def conditional_on_an_entry(x):
    """Chained comparisons, and truth of an entry."""
    return np.array([v**2 if -1 < v < 1 else 3 * v for v in x]) * (1 if x[0] else 2)


def while_on_data(x):
    """Halved until it is small."""
    steps = 0
    while np.abs(x).max() > 0.3:
        x = x / 2
        steps += 1
    return x * steps


def exception_as_a_branch(x):
    """Jitter where cholesky refuses."""
    a = (x + x.T) / 2
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return np.linalg.cholesky(a @ a + 0.5 * np.eye(3))


def error_state(x):
    """A division guarded by errstate, its infinities replaced."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.true_divide(x, np.array([0.0, 1.0, 2.0]))
    z[~np.isfinite(z)] = 0.0
    return z * x


# Functions, closures, classes


def sigmoid_helper(z):
    return 1 / (1 + np.exp(-z))


def helper_functions(x):
    """Helpers of the same module."""
    return sigmoid_helper(x) * (1 - sigmoid_helper(2 * x))


class DenseLayer:
    """A layer that keeps its input."""

    def __init__(self, n, m):
        self.w = np.sin(np.arange(1.0, 1 + n * m)).reshape(n, m)
        self.b = np.zeros(m)
        self.cache: Any = None
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.cache = x
        self.b[0] = 0.5
        return np.tanh(x @ self.w + self.b)

    def __call__(self, x):
        return self.forward(x) + self.cache.sum()

    @property
    def scale(self):
        return np.abs(self.w).max()

    @staticmethod
    def square(x):
        return x**2


def layer_object(x):
    """A layer made, called, and asked for its cache, property and static method."""
    layer = DenseLayer(3, 2)
    return layer(x) * layer.scale + DenseLayer.square(layer.cache).mean() + layer.calls


KEPT = DenseLayer(3, 2)


def kept_layer(x):
    """A layer that lives between calls."""
    return KEPT.forward(x)


def closure(x):
    """A function that remembers what was made around it, and one that counts."""
    scale, calls = x.max(), 0

    def scaled(z):
        nonlocal calls
        calls += 1
        return z / scale * calls

    return scaled(x) + scaled(x**2)


def default_arguments(x, slope=0.1, *, power=2, table=np.array([1.0, 2.0, 3.0])):  # noqa: B008
    """Defaults, keyword-only ones, and an array as one."""
    return np.maximum(x, slope * x) ** power * table


def functions_as_values(x):
    """Activations in a dictionary, partial, map, reduce, operator and getattr."""
    activations = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
    total = functools.partial(np.sum, axis=0)
    rows = list(map(np.exp, x))
    z = functools.reduce(np.add, rows) + operator.mul(*rows) + getattr(np, "arctan")(x[0])  # noqa: B009
    return activations["tanh"](z) + activations["relu"](x).sum() * total(x)


ACTIVATIONS = {"tanh": np.tanh, "sigmoid": expit, "softplus": lambda z: np.logaddexp(0, z)}


def functions_in_a_table(x):
    """Activations looked up in a dictionary of the module."""
    for name in ("tanh", "sigmoid", "softplus"):
        x = ACTIVATIONS[name](x) + 0.1 * x
    return x


def recursion(x):
    """Pairwise summation of squares, by halves."""
    if len(x) == 1:
        return x[0] ** 2
    half = len(x) // 2
    return recursion(x[:half]) * 0.9 + recursion(x[half:])


def generator_of_rows(x):
    """A generator that yields as it goes."""

    def running(rows):
        total = np.zeros(2)
        for row in rows:
            total = total + row
            yield total**2

    return np.array(list(running(x)))


def numpy_imported_inside(x):
    """import in the function, for functions that dispatch."""
    import numpy as n
    from numpy import tanh

    return n.exp(x) + tanh(x) * n.sum(x)


HISTORY: list[Any] = []
LAST: Any = None


def remembered_in_the_module(x):
    """What a forward leaves in a list and in a global of its module."""
    global LAST
    LAST = np.tanh(x)
    HISTORY.append(LAST)
    return HISTORY[-1] * LAST


def python_reductions_with_keys(x):
    """max and min with a key, sorted, math.prod, zip of slices, any and all."""
    best = max(x, key=abs)
    i = min(range(len(x)), key=lambda k: x[k] ** 2)
    gaps = sum((b - a) ** 2 for a, b in zip(x[:-1], x[1:], strict=True))  # noqa: RUF007
    return best * x[i] + gaps * sorted(x, reverse=True)[1] + math.prod(x) + any(v > 0 for v in x) * x[0]


class Cache(NamedTuple):
    """What a forward hands to its backward."""

    z: Any
    a: Any


def named_tuple_inside(x):
    """A named tuple carries the intermediate results."""
    cache = Cache(z=x * 2, a=np.tanh(x))
    return cache.z * cache.a


def output_and_cache(x, w):
    """Output and a cache of arrays, as a tuple."""
    z = x @ w
    return np.tanh(z), (x, z)


def outputs_in_a_dictionary(x):
    """A dictionary of outputs."""
    return {"a": np.sin(x), "b": {"c": x.sum(), "d": [x[0], x**2]}}


def loss_and_accuracy(z):
    """A loss, and an accuracy that does not move."""
    y = np.array([1, 0, 1])
    p = softmax_by_hand(z)
    accuracy = np.mean(np.argmax(p, axis=1) == y)
    return -np.log(p[np.arange(3), y]).mean(), accuracy


def constant_beside(x):
    """An output that does not depend on the input."""
    return x**2, np.arange(3.0), 1.5


def returned_unchanged(x):
    """The argument itself, and a view of it."""
    return x, x[0], x.T


def vectorized(x, y):
    """np.vectorize of a function of two numbers with a branch."""
    return np.vectorize(lambda a, b: a * b if a > b else np.sin(a))(x, y)


@np.vectorize
def leaky(v):
    return v if v > 0 else 0.1 * v


def vectorized_by_decorator(x):
    """@np.vectorize at module level."""
    return leaky(x) * x


def along_an_axis(x):
    """apply_along_axis and apply_over_axes."""
    return np.apply_along_axis(lambda row: row / np.sqrt((row**2).sum()), 1, x) + np.apply_over_axes(
        np.sum, x, [0, 1]
    )


# Random numbers


def dropout_with_a_seed(x):
    """Inverted dropout, seeded in the forward."""
    np.random.seed(3)
    mask = np.random.rand(*x.shape) < 0.6
    return x * mask / 0.6


def dropout_unseeded(x):
    """Dropout from the global generator as the caller left it."""
    return x * np.random.binomial(1, 0.5, size=x.shape) * 2


def dropout_with_a_generator(x):
    """default_rng made inside: noise, a choice and a permutation."""
    rng = np.random.default_rng(0)
    z = x + 0.1 * rng.normal(size=x.shape) + rng.uniform(-1, 1, x.shape) * x
    return z[rng.permutation(len(x))] * x[rng.choice(len(x), 2)].sum() * (rng.random(3) > 0.5)


def reparametrised_sample(mean, log_variance):
    """Mean plus standard deviation times noise."""
    np.random.seed(0)
    return mean + np.exp(0.5 * log_variance) * np.random.randn(*mean.shape)


# Linear algebra


def matrix_norms(x):
    """norm of vectors, rows, matrices, by orders."""
    z = (
        norm(x) * np.linalg.norm(x, axis=1)
        + linalg.norm(x, ord=1)
        + np.linalg.norm(x, np.inf)
        + norm(x[0], 3)
    )
    return z + np.linalg.norm(x, "fro", keepdims=True)[0] + np.linalg.norm(x, axis=(0, 1)) + norm(x, ord=2)


def solve_and_inverse(a, b):
    """solve, inv and det."""
    return np.linalg.solve(a, b) + np.linalg.inv(a) @ b * np.linalg.det(a)


def log_determinant(a):
    """slogdet, unpacked and by attribute."""
    sign, logarithm = np.linalg.slogdet(a)
    return sign * logarithm + np.linalg.slogdet(a @ a).logabsdet


def cholesky_of_a_product(x):
    """cholesky of what is symmetric by construction."""
    return np.linalg.cholesky(x @ x.T + np.eye(3))


def cholesky_of_an_input(a):
    """cholesky reads the lower triangle alone: above it nothing moves."""
    return np.linalg.cholesky(a)


def eigh_of_a_product(x):
    """A matrix function through eigh of what is symmetric."""
    w, v = np.linalg.eigh(x + x.T)
    return (v * np.exp(0.3 * w)) @ v.T


def eigh_of_an_input(a):
    """eigh and eigvalsh read the lower triangle alone."""
    w, v = np.linalg.eigh(a)
    return (v * np.log(w)) @ v.T + np.linalg.eigvalsh(a)


def singular_values(x):
    """svd, thin and values alone."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return (u * np.log1p(s)) @ vt + np.linalg.svd(x, compute_uv=False).prod()


def qr_factors(x):
    """qr: both factors."""
    q, r = np.linalg.qr(x)
    return q, r


def pseudo_inverse(x):
    """pinv of a tall matrix."""
    return np.linalg.pinv(x)


def least_squares(x, y):
    """lstsq, its solution alone."""
    return np.linalg.lstsq(x, y, rcond=None)[0]


def products_of_many(a, x):
    """matrix_power and multi_dot."""
    return (
        np.linalg.matrix_power(a, 3) * 1e-2 + np.linalg.multi_dot([a, x, x.T]) + np.linalg.matrix_power(a, -1)
    )


def batched_linear_algebra(a, x):
    """inv, det and solve over a stack."""
    stack = np.stack([a, a + np.eye(2)])
    return np.linalg.inv(stack) * np.linalg.det(stack)[:, None, None] + np.linalg.solve(
        stack, np.stack([x, x.T])
    )


def traces_and_diagonals(x):
    """trace, diag both ways, diagonal, triu, tril, vander."""
    z = np.trace(x) * np.diag(x) + x.trace(1) + np.diagonal(x, -1).sum() + np.vander(x[0])[1]
    return (
        z
        + np.triu(x) @ z
        + np.tril(x, -1)[2]
        + np.diag(np.diag(x)) @ z
        + x[np.triu_indices(3)].prod()
        + np.diagflat(z)
    )


def polynomials(x):
    """polyval at x, and with coefficients that vary."""
    return np.polyval([1.0, -2.0, 0.5], x) + np.polyval(x, 0.7)


def convolutions(x, k):
    """convolve and correlate in their modes."""
    return (
        np.convolve(x, k),
        np.convolve(x, k, mode="same"),
        np.convolve(k, x, "valid"),
        np.correlate(x, k, "full"),
    )


def fourier_power(x):
    """Power spectrum by fft, its real part, and back."""
    z = np.fft.fft(x)
    return np.abs(z) ** 2 + np.fft.ifft(z * np.exp(-np.arange(6))).real + np.real(z) * z.imag


def real_fourier(x):
    """rfft, irfft and fft2 as a filter."""
    z = np.fft.rfft(x, axis=1)
    z[:, 2:] *= 0.1
    return np.fft.irfft(z, n=6, axis=1) + np.fft.ifft2(np.fft.fft2(x) * 1j).imag + np.fft.fftshift(x)


def complex_numbers(x):
    """Complex intermediate results: angle, conjugate, absolute value."""
    z = np.exp(1j * x) * (1 + 2j * x)
    return np.angle(z) + (z * np.conj(z)).real + np.abs(z) * z.conj().imag + x.real


# SciPy


def special_ufuncs(p):
    """Special functions that are ufuncs."""
    z = special.expit(p) + special.erf(p) * special.gammaln(1 + p) + special.logit(p) + special.ndtr(p)
    return (
        z
        + special.xlogy(p, 1 - p)
        + special.digamma(1 + p)
        + special.erfc(p)
        + special.xlog1py(p, p)
        + special.entr(p)
    )


def more_special_ufuncs(p):
    """Bessel, beta, log_ndtr, relative entropy."""
    z = scipy.special.i0e(p) + scipy.special.i1(p) + scipy.special.betaln(p, 2.0) + scipy.special.log_ndtr(p)
    return (
        z
        + scipy.special.rel_entr(p, 0.5)
        + scipy.special.kl_div(p, 0.3)
        + scipy.special.ndtri(p)
        + scipy.special.erfinv(p)
    )


def expit_by_name(x):
    """expit imported by name."""
    return expit(x) * (1 - expit(-2 * x))


def logsumexp_by_name(x):
    """logsumexp by name and by module, along an axis, with weights."""
    return (
        x
        - logsumexp(x, axis=1, keepdims=True)
        + special.logsumexp(x)
        + scipy.special.logsumexp(x, axis=0, b=2.0)
    )


def scipy_softmax(x):
    """softmax and log_softmax."""
    return softmax(x, axis=-1) * special.log_softmax(x, axis=0) + scipy.special.softmax(x)


def scipy_convolution(x, k):
    """signal.convolve in two modes, convolve2d, correlate, fftconvolve."""
    z = scipy.signal.convolve(x, k, mode="same") + scipy.signal.convolve2d(x, k, mode="same")
    return z + scipy.signal.fftconvolve(x, k, mode="same"), scipy.signal.correlate(x, k, mode="valid")


def scipy_linear_algebra(a, b):
    """scipy.linalg: solve, inv, det, expm, solve_triangular, block_diag."""
    z = scipy.linalg.solve(a, b) + scipy.linalg.inv(a) @ b + scipy.linalg.det(a)
    z = z + scipy.linalg.solve_triangular(a, b, lower=True) + scipy.linalg.solve_triangular(a, b)
    return z @ scipy.linalg.expm(0.1 * a)[:2, :2], scipy.linalg.block_diag(a, b)


def scipy_cholesky(a, b):
    """scipy.linalg.cholesky reads the upper triangle alone; cho_factor and cho_solve."""
    return scipy.linalg.cholesky(a), scipy.linalg.cho_solve(scipy.linalg.cho_factor(a @ a.T), b)


def scipy_eigh(a):
    """scipy.linalg.eigh reads the lower triangle alone."""
    w, v = scipy.linalg.eigh(a)
    return (v * np.log(w)) @ v.T


def scipy_fourier(x):
    """scipy.fft: dct and fft."""
    return scipy.fft.dct(x) + np.abs(scipy.fft.fft(x))


def scipy_trapezoid(y):
    """scipy.integrate.trapezoid."""
    return scipy.integrate.trapezoid(y, dx=0.25) ** 2


# Whole layers and algorithms


def softmax_by_hand(z):
    shifted = np.exp(z - np.max(z, axis=1, keepdims=True))
    return shifted / np.sum(shifted, axis=1, keepdims=True)


def two_layer_network(x, w1, b1, w2, b2):
    """Dense, relu, dense, sigmoid, binary cross-entropy."""
    a = np.maximum(0, x @ w1 + b1)
    p = 1 / (1 + np.exp(-(a @ w2 + b2)))
    y = np.array([[1.0], [0.0], [1.0]])
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def softmax_cross_entropy(z):
    """Cross-entropy with labels by fancy index, shifted by the maximum."""
    y = np.array([2, 0, 1])
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[range(3), y].mean()


def one_hot_cross_entropy(z):
    """Cross-entropy with one-hot labels, by eye and by assignment."""
    y = np.array([2, 0, 1])
    p = softmax_by_hand(z)
    t = np.zeros((3, 3))
    t[np.arange(3), y] = 1
    return -np.sum(np.eye(3)[y] * np.log(p)) - np.sum(t * np.log(p + 1e-8))


def stable_sigmoid(x):
    """Sigmoid by masks, without overflow."""
    out = np.empty_like(x)
    plus = x >= 0
    out[plus] = 1 / (1 + np.exp(-x[plus]))
    e = np.exp(x[~plus])
    out[~plus] = e / (1 + e)
    return out


def activations(x):
    """gelu, swish, elu, selu, softplus, mish, hard tanh."""
    gelu = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    elu = np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)
    softplus = np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)
    return gelu + x * sigmoid_helper(x) + 1.05 * elu + x * np.tanh(softplus) + np.clip(x, -1, 1)


def losses(x, y):
    """Huber, hinge, absolute, squared, cosine, Kullback-Leibler."""
    d = x - y
    huber = np.where(np.abs(d) < 1, 0.5 * d**2, np.abs(d) - 0.5).mean()
    cosine = (x * y).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1))
    p, q = softmax_by_hand(x), softmax_by_hand(y)
    return (
        huber + np.maximum(0, 1 - x * y).sum() + np.abs(d).mean() + cosine.sum() + (p * np.log(p / q)).sum()
    )


def batch_norm(x, gamma, beta):
    """Batch normalisation with running statistics."""
    running = np.zeros(3)
    mean, var = x.mean(axis=0), x.var(axis=0)
    running = 0.9 * running + 0.1 * mean
    return gamma * (x - mean) / np.sqrt(var + 1e-5) + beta + running


def layer_norm(x, gamma, beta):
    """Layer normalisation over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + beta


def attention(q, k, v):
    """Scaled dot-product attention with a causal mask of -inf."""
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    scores = np.where(np.triu(np.ones((3, 3)), k=1) == 1, -np.inf, scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


def multi_head_attention(x, w):
    """Heads by split and reshape, mask added."""
    q, k, v = np.split(x @ w, 3, axis=-1)
    q, k, v = (t.reshape(3, 2, 1).transpose(1, 0, 2) for t in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) + (1 - np.tril(np.ones((3, 3)))) * -1e9
    return (softmax(scores, axis=-1) @ v).transpose(1, 0, 2).reshape(3, 2)


def recurrent_network(x, h0, wx, wh):
    """A loop over time that fills an array of states."""
    steps, h = x.shape[1], np.zeros((2, 3, 2))
    previous = h0
    for t in range(steps):
        previous = np.tanh(x[:, t] @ wx + previous @ wh)
        h[:, t, :] = previous
    return h


def lstm_step(x, h, c, w):
    """Gates by slices of one product."""
    n = h.shape[1]
    a = np.concatenate([x, h], axis=1) @ w
    i, f, o = (sigmoid_helper(a[:, k * n : (k + 1) * n]) for k in range(3))
    g = np.tanh(a[:, 3 * n :])
    c = f * c + i * g
    return o * np.tanh(c), c


def convolution_by_loops(x, w, b):
    """Convolution with padding and stride, by four loops."""
    n, _, height, width = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="constant")
    out = np.zeros((n, len(w), height // 2, width // 2))
    for i in range(n):
        for f in range(len(w)):
            for r in range(out.shape[2]):
                for s in range(out.shape[3]):
                    out[i, f, r, s] = np.sum(padded[i, :, 2 * r : 2 * r + 3, 2 * s : 2 * s + 3] * w[f]) + b[f]
    return out


def convolution_by_im2col(x, w):
    """Patches gathered by fancy indices, one product."""
    k = np.repeat(np.arange(1), 4).reshape(-1, 1)
    i = np.repeat([0, 1], 2).reshape(-1, 1) + np.repeat(np.arange(2), 2)
    j = np.tile([0, 1], 2).reshape(-1, 1) + np.tile(np.arange(2), 2)
    columns = x[:, k, i, j].transpose(1, 2, 0).reshape(4, -1)
    return (w.reshape(2, -1) @ columns).reshape(2, 2, 2, 1).transpose(3, 0, 1, 2)


def convolution_by_windows(x, w):
    """Patches by sliding windows, contracted by einsum and tensordot."""
    patches = sliding_window_view(x, (2, 2), axis=(1, 2))
    return np.einsum("nijab,fab->nfij", patches, w) + np.tensordot(
        patches, w, axes=([3, 4], [1, 2])
    ).transpose(0, 3, 1, 2)


def transposed_convolution(x, w):
    """Patches scattered with +=."""
    out = np.zeros((3, 4))
    for i in range(2):
        for j in range(3):
            out[i : i + 2, j : j + 2] += x[i, j] * w
    return out


def col2im(columns):
    """Columns scattered into an image by add.at."""
    image = np.zeros((1, 3, 3))
    i = np.repeat([0, 1], 2).reshape(-1, 1) + np.repeat(np.arange(2), 2)
    j = np.tile([0, 1], 2).reshape(-1, 1) + np.tile(np.arange(2), 2)
    np.add.at(image, (slice(None), i, j), columns)
    return image


def max_pooling_by_reshape(x):
    """Blocks by reshape, the maximum over two axes."""
    n, h, w = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4)) + x.reshape(n, h // 2, 2, w // 2, 2).mean(
        axis=(2, 4)
    )


def max_pooling_by_loops(x):
    """The maximum of each window, kept with a mask."""
    out, mask = np.zeros((2, 2)), np.zeros_like(x)
    for i in range(2):
        for j in range(2):
            window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            out[i, j] = np.max(window)
            r, s = np.unravel_index(window.argmax(), window.shape)
            mask[2 * i + r, 2 * j + s] = 1
    return out, mask * x


def newton_fixed(x):
    """Square root by five Newton steps."""
    r = np.ones_like(x)
    for _ in range(5):
        r = 0.5 * (r + x / r)
    return r


def newton_to_a_tolerance(x):
    """Root of r^3 + r = x, to a tolerance."""
    r = x.copy()
    while True:
        step = (r**3 + r - x) / (3 * r**2 + 1)
        r -= step
        if np.max(np.abs(step)) < 1e-12:
            return r


def power_iteration(a):
    """The largest eigenvalue by repeated products."""
    v = np.ones(len(a))
    for _ in range(12):
        v = a @ v
        v /= np.linalg.norm(v)
    return v @ a @ v


def gram_schmidt(a):
    """Columns made orthonormal in place."""
    q = a.copy()
    for k in range(q.shape[1]):
        for j in range(k):
            q[:, k] -= (q[:, j] @ q[:, k]) * q[:, j]
        q[:, k] /= np.sqrt(q[:, k] @ q[:, k])
    return q


def gaussian_elimination(a, b):
    """Elimination with pivoting by argmax, rows exchanged in place, then back substitution."""
    n = len(b)
    m = np.column_stack([a, b])
    for k in range(n):
        pivot = k + np.abs(m[k:, k]).argmax()
        if pivot != k:
            m[[k, pivot]] = m[[pivot, k]]
        for i in range(k + 1, n):
            m[i, k:] -= m[i, k] / m[k, k] * m[k, k:]
    solution = np.zeros(n)
    for i in reversed(range(n)):
        solution[i] = (m[i, -1] - m[i, i + 1 : n] @ solution[i + 1 :]) / m[i, i]
    return solution


def tridiagonal_solve(lower, diagonal, upper, right):
    """Thomas's algorithm, in place."""
    diagonal, right = diagonal + 4, right.copy()
    for i in range(1, 4):
        w = lower[i - 1] / diagonal[i - 1]
        diagonal[i] -= w * upper[i - 1]
        right[i] -= w * right[i - 1]
    right[-1] /= diagonal[-1]
    for i in range(2, -1, -1):
        right[i] = (right[i] - upper[i] * right[i + 1]) / diagonal[i]
    return right


def runge_kutta(y):
    """Ten steps of fourth order for a pendulum."""

    def slope(state):
        angle, speed = state
        return np.array([speed, -np.sin(angle) - 0.1 * speed])

    h = 0.1
    for _ in range(10):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def dynamic_programming(x, y):
    """Alignment cost with min of three, borders of inf."""
    cost = np.full((4, 4), np.inf)
    cost[0, 0] = 0
    for i in range(1, 4):
        for j in range(1, 4):
            step = (x[i - 1] - y[j - 1]) ** 2
            cost[i, j] = step + min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
    return cost[-1, -1]


def forward_algorithm(scores, transitions):
    """Log-partition of a chain, by logsumexp in a loop."""
    alpha = scores[0]
    for row in scores[1:]:
        alpha = row + logsumexp(alpha[:, None] + transitions, axis=0)
    return logsumexp(alpha)


def kalman_step(x, p, z):
    """Predict and update with a gain by inv."""
    f, h = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    x, p = f @ x, f @ (p @ p.T) @ f.T + 0.1 * np.eye(2)
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + 0.5)
    return x + gain @ (z - h @ x), (np.eye(2) - gain @ h) @ p


def gaussian_density(x, mean, a):
    """Log-density with solve and slogdet."""
    d = x - mean
    cov = a @ a.T + np.eye(3)
    return -0.5 * (d @ np.linalg.solve(cov, d) + np.linalg.slogdet(cov)[1] + 3 * np.log(2 * np.pi))


def pairwise_distances(x, y):
    """Squared distances by broadcasting and by the binomial formula, a kernel of them."""
    d = ((x[:, None, :] - y[None, :, :]) ** 2).sum(-1)
    e = (x**2).sum(1)[:, None] - 2 * x @ y.T + (y**2).sum(1)
    return np.exp(-d / 2) + np.sqrt(e)


def positional_encoding(x):
    """Sines and cosines written into every second column."""
    table = np.zeros((3, 4))
    position = np.arange(3)[:, None]
    frequency = np.exp(np.arange(0, 4, 2) * -(math.log(10000.0) / 4))
    table[:, 0::2] = np.sin(position * frequency)
    table[:, 1::2] = np.cos(position * frequency)
    return x + table[: x.shape[0]]


# Flagged: a derivative would be lost


def float_of_an_entry(x):
    """A Python float as a factor."""
    scale = float(x[0])
    return x * scale


def math_of_an_entry(x):
    """math.exp of an entry."""
    return x * math.exp(x[0])


def item_as_a_factor(x):
    """item() of a sum."""
    return x / x.sum().item()


def item_by_index(x):
    """item(i) of an array."""
    return x * x.item(1)


def list_and_back(x):
    """tolist, and an array of it."""
    return np.array(x.tolist()) * 2


def comprehension_of_floats(x):
    """float of every entry."""
    return np.array([float(v) ** 2 for v in x])


def cast_to_single(x):
    """astype(np.float32)."""
    return x.astype(np.float32) * 2


def cast_to_half_by_name(x):
    """astype("float16")."""
    return (x.astype("float16") * 2).astype(float)


def single_scalar(x):
    """np.float32 of an entry."""
    return x * np.float32(x[0])


def single_array(x):
    """np.array with a lower precision."""
    return np.asarray(x, dtype=np.float32) + 1


def written_into_single(x):
    """A result stored in an array of lower precision."""
    out = np.zeros(3, dtype=np.float32)
    out[:] = x * 2
    return out


STORE = np.zeros(3)


def written_into_the_module(x):
    """Entries put into a plain array of the module."""
    STORE[0] = x[0]
    return STORE * 2


def array_written_into_the_module(x):
    """An array put into a plain array of the module."""
    STORE[:] = np.sin(x)
    return STORE * x


def ufunc_out_into_the_module(x):
    """A plain array of the module as out=."""
    np.exp(x, out=STORE)
    return STORE * 2


def added_to_the_module(x):
    """A plain array of the module, += a traced one."""
    store = STORE
    store += x
    return store * 1.0


ALLOCATE = {"zeros": np.zeros}


def allocated_by_a_table(x):
    """An allocation function that no global name holds."""
    out = ALLOCATE["zeros"](3)
    out[1:] = x[1:] * 2
    return out


def allocated_by_a_default(x, make=np.zeros):
    """An allocation function that is a default argument."""
    out = make(3)
    out[2] = x[0] ** 2
    return out


def allocated_by_a_local_import(x):
    """import numpy in the function, and an array filled."""
    import numpy as n

    out = n.zeros(3)
    out[0] = x[1] * 3
    return out


def packed_bytes(x):
    """struct.pack of an entry."""
    (first,) = struct.unpack("d", struct.pack("d", x[0]))
    return x * first


def array_module(x):
    """array.array of the entries."""
    return np.array(array.array("d", x)) * 2


def memory_view(x):
    """memoryview of an array."""
    return x * memoryview(x)[0]


def data_attribute(x):
    """x.data."""
    return np.asarray(x.data) * 2


def ctypes_pointer(x):
    """A pointer for C code."""
    return x * x.ctypes.data_as(ctypes.POINTER(ctypes.c_double))[0]


def bytes_and_back(x):
    """tobytes, frombuffer."""
    return np.frombuffer(x.tobytes()) * 2


def bits_of_a_number(x):
    """The sign bit through a view as integers."""
    bits = x.view(np.int64)
    return x * (bits >> 63)


def text_and_back(x):
    """float of str of an entry."""
    return x * float(str(x[0]))


def format_and_back(x):
    """float of a formatted entry."""
    return x * float(f"{x[0]:.17g}")


def json_and_back(x):
    """json of the entries."""
    return np.array(json.loads(json.dumps([v for v in x]))) * 2  # noqa: C416


def pickled_and_back(x):
    """pickle."""
    return pickle.loads(pickle.dumps(x)) * 2


def saved_and_loaded(x):
    """np.save and np.load."""
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    return np.load(file) * 2


def image_filter(x):
    """A filter of scipy.ndimage."""
    return scipy.ndimage.gaussian_filter(x, 1.0)


def spline(x):
    """A spline of scipy.interpolate."""
    curve = scipy.interpolate.CubicSpline(np.arange(4.0), x)
    return curve(1.5)


def recursive_filter(x):
    """scipy.signal.lfilter."""
    return scipy.signal.lfilter([1.0], [1.0, -0.5], x)


def adaptive_quadrature(x):
    """scipy.integrate.quad of a function with a traced parameter."""
    return scipy.integrate.quad(lambda t: np.exp(-t * x[0]), 0, 1)[0]


def root_finder(x):
    """scipy.optimize.brentq of a function with a traced parameter."""
    return scipy.optimize.brentq(lambda t: t**3 + t - x[0], -3, 3) * x


def minimiser(x):
    """scipy.optimize.minimize."""
    return scipy.optimize.minimize(lambda t: ((t - x) ** 2).sum(), np.zeros(3)).x


def initial_value_problem(x):
    """scipy.integrate.solve_ivp."""
    return scipy.integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), x).y[:, -1]


def distances_by_scipy(x):
    """scipy.spatial.distance.cdist."""
    return scipy.spatial.distance.cdist(x, x)


SPARSE = scipy.sparse.csr_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]))


def sparse_product(x):
    """A sparse matrix times a vector."""
    return SPARSE @ x


def sparse_from_dense(x):
    """A sparse matrix of traced entries."""
    return scipy.sparse.csr_matrix(x).toarray() * 2


def special_without_a_twin(p):
    """An elliptic integral."""
    return scipy.special.ellipk(p)


def masked_array(x):
    """A masked array's mean."""
    return np.ma.masked_less(x, 0).mean()


def object_ufunc(x):
    """np.frompyfunc."""
    return np.frompyfunc(lambda v: v**2, 1, 1)(x).astype(float)


def iterator_of_numpy(x):
    """np.nditer over the entries."""
    return np.array([v * 2 for v in np.nditer(x)])


def from_an_iterable(x):
    """np.fromiter."""
    return np.fromiter((v**2 for v in x), dtype=float)


def shuffled(x):
    """np.random.shuffle of a copy."""
    z = x.copy()
    np.random.seed(0)
    np.random.shuffle(z)
    return z * x


def sample_around_an_array(x):
    """np.random.normal around a traced mean."""
    np.random.seed(0)
    return np.random.normal(x, 1.0)


def helper_that_loses(x):
    """The line is the helper's, two calls below."""
    return np.sum(x) * lossy_helper(x)


def lossy_helper(x):
    """float() in a helper."""
    return float(np.max(x))


def swallowed(x):
    """A leak that the forward's own except catches, so that it goes another way."""
    try:
        scale = math.exp(x[0])
    except Exception:  # noqa: BLE001
        scale = 1.0
    return x * scale


def numpy_scalar_of_an_entry(x):
    """np.float64 of an entry."""
    return x * np.float64(x[0])


def sum_of_math(x):
    """math.fsum."""
    return x * math.fsum(x)


def ratio_of_whole_numbers(x):
    """An entry as a fraction and back."""
    numerator, denominator = x[0].as_integer_ratio()
    return x * (numerator / denominator)


def hexadecimal_and_back(x):
    """An entry as text of hexadecimal digits and back."""
    return x * float.fromhex(x[0].hex())


def dumped_and_back(x):
    """The array's own pickle."""
    return pickle.loads(x.dumps()) * 2


def percent_format_and_back(x):
    """float of a number formatted by %r."""
    return x * float("%s" % x[0])  # noqa: UP031


@functools.cache
def squared_once(v):
    return v**2


def memoised_helper(x):
    """A helper that remembers results by its argument's value, beyond the trace."""
    return x * squared_once(x[0])


def shifted_image_pads_with_zeros(x):
    """A function that moves entries about and adds zeros, where the first entry is zero."""
    return scipy.ndimage.shift(x, 1, order=0)


def polynomial_class(x):
    """An object of numpy.polynomial, called."""
    return np.polynomial.Polynomial([1.0, 0.0, 2.0])(x)


def polynomial_coefficients(x):
    """numpy.polynomial with coefficients that vary."""
    return np.polynomial.polynomial.polyval(0.3, x)


def mean_of_statistics(x):
    """statistics.mean, which sums whole numbers."""
    return x * statistics.mean(x)


def rows_in_threads(x):
    """Rows worked on by threads, each filling an array of its own."""

    def work(row):
        out = np.zeros(3)
        out[:] = np.tanh(row) * row.sum()
        return out

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return np.stack(list(pool.map(work, x)))


def optimum_as_an_object(x):
    """A scalar minimum whose result is an object of SciPy's."""
    return scipy.optimize.minimize_scalar(lambda t: (t - 0.5) ** 4 + t * 0.1, bracket=tuple(x)).x


def subclass_by_view(x):
    """x.view of a class of one's own."""
    return x.view(Weights) * 2


class Weights(np.ndarray):
    """An array with a name."""


def lifted(function: Callable[..., Any], inputs: Inputs) -> Idiom:
    """A row of the table."""
    return Idiom(function.__name__, function, inputs, "lifted")


def undefined(function: Callable[..., Any], inputs: Inputs) -> Idiom:
    """A row of the table: recorded, and JAX's gradient is 0 times infinity where the true one is finite."""
    return Idiom(function.__name__, function, inputs, "undefined")


def flagged(function: Callable[..., Any], inputs: Inputs, fragment: str) -> Idiom:
    """A row of the table; the line that loses the derivative contains the fragment."""
    return Idiom(function.__name__, function, inputs, "flagged", fragment)


IDIOMS: tuple[Idiom, ...] = (
    # Ufuncs, operators and ufunc methods
    lifted(chain_of_ufuncs, spread((2, 3))),
    lifted(logarithms_and_roots, positive((4,))),
    lifted(exponentials, spread((4,))),
    lifted(inverse_functions, fractions((4,))),
    lifted(operators, spread((2, 3), (3,))),
    lifted(reflected_operators, spread((4,))),
    lifted(floor_and_remainder_operators, off_halves((5,))),
    lifted(numpy_remainders, off_halves((4,), (4,))),
    lifted(rounding, off_halves((6,))),
    lifted(modf_parts, off_halves((5,))),
    lifted(signs_and_absolute_values, spread((5,))),
    lifted(powers, positive((4,), (4,))),
    lifted(integer_powers, spread((4,))),
    lifted(hypotenuse_and_angle, spread((3,), (2, 1))),
    lifted(stable_logarithms, spread((3,), (2, 1))),
    lifted(larger_and_smaller, spread((3,), (2, 3))),
    lifted(steps, spread((4,))),
    lifted(angles, spread((4,))),
    lifted(ufunc_out, spread((2, 3), (3,))),
    lifted(ufunc_out_is_a_view, spread((3,))),
    lifted(ufunc_where, spread((2, 3), (2, 3))),
    lifted(ufunc_reduce, spread((3, 3))),
    lifted(ufunc_accumulate, spread((3, 3))),
    lifted(ufunc_outer, spread((3,), (2,))),
    lifted(ufunc_at, spread((4,), (3,))),
    lifted(ufunc_at_scales, spread((4,))),
    lifted(ufunc_reduceat, spread((7,))),
    lifted(sum_of_segments, spread((5,))),
    # Products
    lifted(matrix_products, spread((2, 3), (3, 2))),
    lifted(vector_products, spread((3,), (3,))),
    lifted(batched_products, spread((2, 2, 2), (2, 2, 2))),
    lifted(in_place_matrix_product, spread((2, 3), (3, 3))),
    lifted(einsum_matrices, spread((2, 3), (3, 2))),
    lifted(einsum_batches, spread((2, 2, 3), (2, 2, 3))),
    lifted(einsum_of_three, spread((2, 3), (3, 2), (2,))),
    lifted(einsum_diagonal, spread((3, 3))),
    lifted(tensordot_axes, spread((2, 3), (3, 2))),
    lifted(kronecker_and_cross, spread((2, 3), (2, 3))),
    # Reductions
    lifted(reductions_over_axes, spread((2, 3, 2))),
    lifted(standardise, spread((4, 3))),
    lifted(extremes, spread((3, 4))),
    lifted(reductions_where, spread((3, 4))),
    lifted(sum_from_an_initial_value, spread((2, 3))),
    lifted(cumulative, spread((3, 4))),
    lifted(order_statistics, spread((3, 4))),
    lifted(weighted_average, positive((3, 2), (3,))),
    lifted(quadrature, positive((5,), (5,))),
    lifted(differences, spread((5,))),
    lifted(numerical_gradient, spread((3, 4))),
    lifted(covariance, spread((2, 4))),
    lifted(nan_aware, spread((2, 4))),
    lifted(builtin_reductions, spread((4,))),
    # Choosing
    lifted(where_of_three, spread((2, 3), (3,))),
    lifted(where_of_one, spread((2, 3))),
    lifted(where_guards_a_logarithm, spread((5,))),
    undefined(where_guards_a_root, spread((5,))),
    lifted(clipping, spread((6,))),
    lifted(selecting, spread((6,))),
    lifted(choosing, spread((4,), (4,))),
    lifted(masks_multiplied_in, spread((6,))),
    lifted(counts_of_masks, spread((5,))),
    # Shapes
    lifted(reshapes, spread((3, 4))),
    lifted(transposes, spread((2, 3, 2))),
    lifted(new_axes, spread((3,))),
    lifted(flips, spread((2, 3))),
    lifted(repetitions, spread((3,))),
    lifted(joins, spread((2, 2), (2, 2))),
    lifted(joins_with_plain_arrays, spread((2, 3))),
    lifted(bias_trick_by_c, spread((2, 3))),
    lifted(blocks, spread((2, 2), (2, 2))),
    lifted(splits, spread((4, 6))),
    lifted(paddings, spread((3, 3))),
    lifted(insertions, spread((4,))),
    lifted(broadcasts, spread((3,))),
    lifted(windows, spread((6,))),
    lifted(strided_windows, spread((6,))),
    lifted(strided_images, spread((4, 4))),
    # Sorting and searching
    lifted(sorting, spread((3, 3))),
    lifted(sorting_by_arguments, spread((3, 4))),
    lifted(top_k, spread((6,))),
    lifted(argmax_as_index, spread((3, 4))),
    lifted(argmax_of_a_plain_table, spread((4,))),
    lifted(unique_values, spread((4,))),
    lifted(searching, spread((5,))),
    lifted(interpolation, spread((5,), (4,))),
    # Indexing
    lifted(basic_indices, spread((3, 4))),
    lifted(fancy_indices, spread((3, 4))),
    lifted(mixed_indices, spread((2, 3, 2))),
    lifted(masks_as_indices, spread((3, 4))),
    lifted(indices_divided, spread((3,))),
    lifted(one_hot_choice, fractions((3, 3))),
    lifted(take_with_modes, spread((4,))),
    lifted(embedding, spread((3, 2))),
    lifted(rows_by_iteration, spread((3, 2), (3, 2))),
    lifted(unpacking, spread((2, 2))),
    lifted(loops_over_indices, spread((2, 3))),
    # In-place writes and views
    lifted(writes, spread((4,), (4,))),
    lifted(augmented_assignments, positive((4,), (4,))),
    lifted(augmented_remainders, off_halves((4,))),
    lifted(writes_by_fancy_index_once, spread((4,))),
    lifted(leaky_relu_in_place, spread((6,))),
    lifted(argument_in_place, spread((3, 2), (2,))),
    lifted(row_is_a_view, spread((2, 3))),
    lifted(entry_is_no_view, spread((2, 3))),
    lifted(entry_by_ellipsis_is_a_view, spread((3,))),
    lifted(view_through_a_transpose, spread((2, 2))),
    lifted(view_through_a_reshape, spread((2, 3))),
    lifted(copy_through_a_reshape, spread((2, 3))),
    lifted(contiguous_part_is_a_view, spread((3, 3))),
    lifted(view_after_its_base_changed, spread((2, 2))),
    lifted(view_of_a_view, spread((3, 2))),
    lifted(chained_index_write, spread((2, 3))),
    lifted(fancy_index_is_a_copy, spread((2, 3))),
    lifted(copies_are_independent, spread((3,))),
    lifted(same_object, spread((3,))),
    lifted(rows_changed_in_a_loop, spread((2, 3))),
    lifted(running_total_in_a_row, spread((3, 2))),
    lifted(totals_are_numbers, spread((3,))),
    lifted(zero_dimensional_accumulator, spread((3,))),
    lifted(two_names_for_one_array, spread((3,))),
    lifted(swapped_rows, spread((3, 2))),
    lifted(overlapping_writes, spread((4,))),
    lifted(split_is_a_view, spread((2, 3))),
    lifted(functions_that_give_views, spread((2, 3))),
    lifted(einsum_gives_a_view, spread((3, 3))),
    lifted(view_methods, spread((3,))),
    lifted(helper_writes_into_its_argument, spread((3,))),
    lifted(flat_reads_and_writes, spread((2, 3))),
    lifted(methods_in_place, spread((2, 4))),
    lifted(functions_in_place, spread((3, 3), (3, 3))),
    lifted(out_of_other_functions, spread((2, 3))),
    lifted(plain_buffer_used_again, spread((3,))),
    lifted(constants_used_again, spread((3,))),
    lifted(accumulated_in_slices, spread((3,))),
    # Arrays made inside
    lifted(filled_entry_by_entry, spread((2, 3), (3, 2))),
    lifted(zeros_by_name, spread((4,))),
    lifted(made_like, spread((2, 3))),
    lifted(full_of_a_value, spread((3,))),
    lifted(array_of_entries, spread((3,))),
    lifted(rotation_matrix, spread((1,), (2,))),
    lifted(array_of_rows, spread((2, 3))),
    lifted(stacked_comprehension, spread((2, 3))),
    lifted(list_appended, spread((3, 2))),
    lifted(linspace_between_entries, spread((3,))),
    lifted(linspace_of_logarithms, positive((3,))),
    lifted(arange_from_an_entry, spread((2,))),
    lifted(integers_mixed_in, spread((4,))),
    lifted(integer_array_truncates, off_halves((4,))),
    lifted(python_numbers, spread((2, 3))),
    lifted(float_constants, spread((3,))),
    # Types and questions
    lifted(isinstance_of_an_array, spread((3,))),
    lifted(isscalar_of_an_entry, spread((3,))),
    lifted(assertions, spread((2, 3))),
    lifted(branch_on_data, spread((3,))),
    lifted(conditional_on_an_entry, spread((5,))),
    lifted(while_on_data, spread((3,))),
    lifted(exception_as_a_branch, spread((3, 3))),
    undefined(error_state, spread((3,))),
    # Functions, closures, classes
    lifted(helper_functions, spread((3,))),
    lifted(layer_object, spread((2, 3))),
    lifted(kept_layer, spread((2, 3))),
    lifted(closure, spread((3,))),
    lifted(default_arguments, spread((3,))),
    lifted(functions_as_values, spread((2, 3))),
    lifted(functions_in_a_table, spread((3,))),
    lifted(recursion, spread((5,))),
    lifted(generator_of_rows, spread((3, 2))),
    lifted(numpy_imported_inside, spread((3,))),
    lifted(remembered_in_the_module, spread((3,))),
    lifted(python_reductions_with_keys, spread((4,))),
    lifted(named_tuple_inside, spread((3,))),
    lifted(output_and_cache, spread((2, 3), (3, 2))),
    lifted(outputs_in_a_dictionary, spread((3,))),
    lifted(loss_and_accuracy, spread((3, 2))),
    lifted(constant_beside, spread((3,))),
    lifted(returned_unchanged, spread((2, 2))),
    lifted(vectorized, spread((3,), (2, 1))),
    lifted(vectorized_by_decorator, spread((2, 2))),
    lifted(along_an_axis, spread((2, 3))),
    # Random numbers
    lifted(dropout_with_a_seed, spread((2, 4))),
    lifted(dropout_unseeded, spread((2, 4))),
    lifted(dropout_with_a_generator, spread((3,))),
    lifted(reparametrised_sample, spread((2, 2), (2, 2))),
    # Linear algebra
    lifted(matrix_norms, spread((3, 3))),
    lifted(solve_and_inverse, well_conditioned(3, (3, 2))),
    lifted(log_determinant, well_conditioned(3)),
    lifted(cholesky_of_a_product, spread((3, 3))),
    lifted(cholesky_of_an_input, definite(3)),
    lifted(eigh_of_a_product, spread((3, 3))),
    lifted(eigh_of_an_input, definite(3)),
    lifted(singular_values, spread((3, 2))),
    lifted(qr_factors, well_conditioned(3)),
    lifted(pseudo_inverse, spread((4, 2))),
    lifted(least_squares, spread((4, 2), (4,))),
    lifted(products_of_many, well_conditioned(2, (2, 2))),
    lifted(batched_linear_algebra, well_conditioned(2, (2, 2))),
    lifted(traces_and_diagonals, spread((3, 3))),
    lifted(polynomials, spread((3,))),
    lifted(convolutions, spread((5,), (3,))),
    lifted(fourier_power, spread((6,))),
    lifted(real_fourier, spread((2, 6))),
    lifted(complex_numbers, spread((3,))),
    # SciPy
    lifted(special_ufuncs, fractions((4,))),
    lifted(more_special_ufuncs, fractions((4,))),
    lifted(expit_by_name, spread((3,))),
    lifted(logsumexp_by_name, spread((2, 3))),
    lifted(scipy_softmax, spread((2, 3))),
    lifted(scipy_convolution, spread((4, 4), (3, 3))),
    lifted(scipy_linear_algebra, well_conditioned(2, (2, 2))),
    lifted(scipy_cholesky, definite(3, (3,))),
    lifted(scipy_eigh, definite(3)),
    lifted(scipy_fourier, spread((5,))),
    lifted(scipy_trapezoid, spread((5,))),
    # Whole layers and algorithms
    lifted(two_layer_network, spread((3, 2), (2, 3), (3,), (3, 1), (1,))),
    lifted(softmax_cross_entropy, spread((3, 3))),
    lifted(one_hot_cross_entropy, spread((3, 3))),
    lifted(stable_sigmoid, spread((2, 3))),
    lifted(activations, spread((6,))),
    lifted(losses, spread((2, 3), (2, 3))),
    lifted(batch_norm, spread((4, 3), (3,), (3,))),
    lifted(layer_norm, spread((2, 4), (4,), (4,))),
    lifted(attention, spread((1, 3, 2), (1, 3, 2), (1, 3, 2))),
    lifted(multi_head_attention, spread((3, 2), (2, 6))),
    lifted(recurrent_network, spread((2, 3, 2), (2, 2), (2, 2), (2, 2))),
    lifted(lstm_step, spread((2, 2), (2, 1), (2, 1), (3, 4))),
    lifted(convolution_by_loops, spread((1, 2, 4, 4), (2, 2, 3, 3), (2,))),
    lifted(convolution_by_im2col, spread((1, 1, 3, 3), (2, 1, 2, 2))),
    lifted(convolution_by_windows, spread((1, 3, 3), (2, 2, 2))),
    lifted(transposed_convolution, spread((2, 3), (2, 2))),
    lifted(col2im, spread((1, 4, 4))),
    lifted(max_pooling_by_reshape, spread((1, 4, 4))),
    lifted(max_pooling_by_loops, spread((4, 4))),
    lifted(newton_fixed, positive((4,))),
    lifted(newton_to_a_tolerance, spread((4,))),
    lifted(power_iteration, well_conditioned(3)),
    lifted(gram_schmidt, well_conditioned(3)),
    lifted(gaussian_elimination, spread((3, 3), (3,))),
    lifted(tridiagonal_solve, spread((3,), (4,), (3,), (4,))),
    lifted(runge_kutta, spread((2,))),
    lifted(dynamic_programming, spread((3,), (3,))),
    lifted(forward_algorithm, spread((3, 2), (2, 2))),
    lifted(kalman_step, spread((2, 1), (2, 2), (1, 1))),
    lifted(gaussian_density, spread((3,), (3,), (3, 3))),
    lifted(pairwise_distances, spread((2, 3), (3, 3))),
    lifted(positional_encoding, spread((3, 4))),
    # A derivative would be lost
    flagged(float_of_an_entry, spread((3,)), "float(x[0])"),
    flagged(math_of_an_entry, spread((3,)), "math.exp"),
    flagged(item_as_a_factor, spread((3,)), ".item()"),
    flagged(item_by_index, spread((3,)), "x.item(1)"),
    flagged(list_and_back, spread((3,)), "x.tolist()"),
    flagged(comprehension_of_floats, spread((3,)), "float(v)"),
    flagged(cast_to_single, spread((3,)), "astype(np.float32)"),
    flagged(cast_to_half_by_name, spread((3,)), 'astype("float16")'),
    flagged(single_scalar, spread((3,)), "np.float32(x[0])"),
    flagged(single_array, spread((3,)), "dtype=np.float32"),
    flagged(written_into_single, spread((3,)), "out[:] = x * 2"),
    flagged(written_into_the_module, spread((3,)), "STORE[0] ="),
    flagged(array_written_into_the_module, spread((3,)), "STORE[:] ="),
    flagged(ufunc_out_into_the_module, spread((3,)), "out=STORE"),
    flagged(added_to_the_module, spread((3,)), "store += x"),
    flagged(allocated_by_a_table, spread((3,)), "out[1:] ="),
    flagged(allocated_by_a_default, spread((3,)), "out[2] ="),
    flagged(allocated_by_a_local_import, spread((3,)), "out[0] ="),
    flagged(packed_bytes, spread((3,)), "struct.pack"),
    flagged(array_module, spread((3,)), "array.array"),
    flagged(memory_view, spread((3,)), "memoryview(x)"),
    flagged(data_attribute, spread((3,)), "x.data"),
    flagged(ctypes_pointer, spread((3,)), "x.ctypes"),
    flagged(bytes_and_back, spread((3,)), "tobytes()"),
    flagged(bits_of_a_number, spread((3,)), "view(np.int64)"),
    flagged(text_and_back, spread((3,)), "str(x[0])"),
    flagged(format_and_back, spread((3,)), 'f"{x[0]'),
    flagged(json_and_back, spread((3,)), "json.dumps"),
    flagged(pickled_and_back, spread((3,)), "pickle.dumps"),
    flagged(saved_and_loaded, spread((3,)), "np.save"),
    flagged(image_filter, spread((3, 3)), "gaussian_filter"),
    flagged(spline, spread((4,)), "CubicSpline"),
    flagged(recursive_filter, spread((4,)), "lfilter"),
    flagged(adaptive_quadrature, spread((3,)), "quad("),
    flagged(root_finder, spread((3,)), "brentq("),
    flagged(minimiser, spread((3,)), "minimize("),
    flagged(initial_value_problem, spread((2,)), "solve_ivp("),
    flagged(distances_by_scipy, spread((2, 3)), "cdist("),
    flagged(sparse_product, spread((3,)), "SPARSE @ x"),
    flagged(sparse_from_dense, spread((2, 3)), "csr_matrix(x)"),
    flagged(special_without_a_twin, fractions((3,)), "ellipk"),
    flagged(masked_array, spread((4,)), "np.ma."),
    flagged(object_ufunc, spread((3,)), "np.frompyfunc"),
    flagged(iterator_of_numpy, spread((3,)), "np.nditer"),
    flagged(from_an_iterable, spread((3,)), "np.fromiter"),
    flagged(shuffled, spread((3,)), "random.shuffle"),
    flagged(sample_around_an_array, spread((3,)), "random.normal"),
    flagged(swallowed, spread((3,)), "math.exp(x[0])"),
    flagged(numpy_scalar_of_an_entry, spread((3,)), "np.float64(x[0])"),
    flagged(sum_of_math, spread((3,)), "math.fsum"),
    flagged(ratio_of_whole_numbers, spread((3,)), "as_integer_ratio"),
    flagged(hexadecimal_and_back, spread((3,)), ".hex()"),
    flagged(dumped_and_back, spread((3,)), "x.dumps()"),
    flagged(percent_format_and_back, spread((3,)), '"%s" % x[0]'),
    flagged(memoised_helper, spread((3,)), "squared_once(x[0])"),
    flagged(shifted_image_pads_with_zeros, zero_first, "ndimage.shift"),
    flagged(polynomial_class, spread((3,)), "Polynomial("),
    flagged(polynomial_coefficients, spread((3,)), "polynomial.polyval"),
    flagged(mean_of_statistics, spread((3,)), "statistics.mean"),
    flagged(rows_in_threads, spread((2, 3)), "out[:] = np.tanh(row)"),
    flagged(optimum_as_an_object, positive((2,)), "minimize_scalar"),
    flagged(subclass_by_view, spread((2, 2)), "x.view(Weights)"),
    flagged(helper_that_loses, spread((3,)), "float(np.max(x))"),
)
