"""Products, factorisations and transforms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]


def dot_general(params: Params, ins: Values, outs: Values) -> Program:
    """Sums of products over contracted axes, batch axes first in the result."""
    (left, right), (left_batch, right_batch) = params["dimension_numbers"]
    dtype = outs[0].dtype
    ranks = (len(ins[0].shape), len(ins[1].shape))
    product = None
    if not left_batch and len(left) == 1:
        product = PLAIN.get((*ranks, left[0], right[0]))
    if product is None:
        product = batched_product(ins, outs[0].shape, (left, right), (left_batch, right_batch))
    if ins[0].dtype == ins[1].dtype == dtype:
        return product
    return lambda x, y: product(x.astype(dtype), y.astype(dtype))


# By the two ranks and the two contracted axes.
PLAIN: dict[tuple[int, ...], Program] = {
    (2, 2, 1, 0): np.matmul,
    (2, 2, 0, 0): lambda x, y: x.T @ y,
    (2, 2, 1, 1): lambda x, y: x @ y.T,
    (2, 2, 0, 1): lambda x, y: x.T @ y.T,
    (2, 1, 1, 0): np.matmul,
    (2, 1, 0, 0): lambda x, y: x.T @ y,
    (1, 2, 0, 0): np.matmul,
    (1, 2, 0, 1): lambda x, y: x @ y.T,
    (1, 1, 0, 0): np.matmul,
}


def batched_product(ins: Values, shape: tuple, contracted: Any, batch: Any) -> Program:
    """Both operands as stacks of matrices, multiplied and given the result's shape."""
    axes, sizes = [], []
    for value, inner, lead, last in zip(ins, contracted, batch, (True, False), strict=True):
        free = [i for i in range(len(value.shape)) if i not in inner and i not in lead]
        order = (*lead, *free, *inner) if last else (*lead, *inner, *free)
        count = [math.prod(value.shape[i] for i in group) for group in (free, inner)]
        leading = tuple(value.shape[i] for i in lead)
        axes.append(tuple(int(i) for i in order))
        sizes.append((*leading, *(count if last else count[::-1])))
    (left, right), (left_size, right_size) = axes, sizes

    def product(x: Any, y: Any) -> Any:
        stacks = x.transpose(left).reshape(left_size), y.transpose(right).reshape(right_size)
        return np.matmul(*stacks).reshape(shape)

    return product


def matrices(function: Program) -> Program:
    """`function` of single matrices, over the leading axes of its operands."""

    def batched(*xs: Any) -> Any:
        lead = xs[0].shape[:-2]
        if not lead:
            return function(*xs)
        out = None
        for index in np.ndindex(*lead):
            part = function(*[x[index] for x in xs])
            if out is None:
                out = np.empty(lead + part.shape, part.dtype)
            out[index] = part
        return out

    return batched


def cholesky(_params: Params, ins: Values, outs: Values) -> Program:
    """The lower factor; NaN of a matrix that is not positive definite. Only its lower triangle is read."""
    shape, dtype = outs[0].shape, outs[0].dtype
    one = column_cholesky(analytic=ins[0].lifted)
    if ins[0].dtype.char in "fdFD" and not ins[0].lifted:
        one = lapack_cholesky
    batched = matrices(one)
    return lambda x: batched(x) if x.size else np.zeros(shape, dtype)


def lapack_cholesky(matrix: np.ndarray) -> np.ndarray:
    """LAPACK's factor, NaN where it fails."""
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.tril(np.full_like(matrix, np.nan))


def column_cholesky(*, analytic: bool) -> Program:
    """The factor column by column, in any arithmetic with a square root; without conjugates if `analytic`."""

    def factored(matrix: np.ndarray) -> np.ndarray:
        factor = np.zeros_like(matrix)
        for j in range(len(matrix)):
            row = factor[j, :j] if analytic else np.conj(factor[j, :j])
            column = matrix[j:, j] - factor[j:, :j] @ row
            factor[j:, j] = column / np.sqrt(column[0])
        return factor

    return factored


def triangular_solve(params: Params, ins: Values, _outs: Values) -> Program:
    """X with op(A) X = B, or X op(A) = B, by substitution in any arithmetic."""
    flip = params["transpose_a"]
    lower = params["lower"] != bool(flip)
    left, unit, conjugate = params["left_side"], params["unit_diagonal"], params["conjugate_a"]
    conjugate = conjugate and not ins[0].lifted

    def solved(a: Any, b: Any) -> Any:
        a = np.conj(a) if conjugate else a
        a = a.swapaxes(-1, -2) if flip else a
        if left:
            return substituted(a, b, lower, unit)
        return substituted(a.swapaxes(-1, -2), b.swapaxes(-1, -2), not lower, unit).swapaxes(-1, -2)

    return solved


def substituted(a: Any, b: Any, lower: bool, unit: bool) -> Any:
    """Forward or back substitution, one row of the solution at a time."""
    x = np.array(b)
    size = a.shape[-1]
    for i in range(size) if lower else reversed(range(size)):
        done = slice(0, i) if lower else slice(i + 1, size)
        row = b[..., i, :] - (a[..., i, None, done] @ x[..., done, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i, None]
    return x


def lu(_params: Params, ins: Values, outs: Values) -> Program:
    """Both factors in one matrix, the row swaps, and the permutation they make; partial pivoting."""
    index = outs[1].dtype
    rows = ins[0].shape[-2]

    def factored(x: Any) -> Any:
        factors, lead = np.array(x), x.shape[:-2]
        pivots = np.zeros(outs[1].shape, index)
        for place in np.ndindex(*lead):
            eliminate(factors[place], pivots[place])
        return [factors, pivots, swapped(pivots, rows)]

    return factored


def eliminate(matrix: Any, pivots: Any) -> None:
    """Gaussian elimination in place; the pivot is the largest by |re| + |im|, as in LAPACK."""
    for k in range(len(pivots)):
        column = matrix[k:, k]
        weight = np.abs(column.real) + np.abs(column.imag) if matrix.dtype.kind == "c" else np.abs(column)
        pivots[k] = row = k + int(np.argmax(weight))
        if matrix[row, k] == 0:
            continue
        matrix[[k, row]] = matrix[[row, k]]
        matrix[k + 1 :, k] = matrix[k + 1 :, k] / matrix[k, k]
        matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])


def swapped(pivots: np.ndarray, size: int) -> np.ndarray:
    """The permutation of `size` rows that a sequence of swaps makes."""
    order = np.empty((*pivots.shape[:-1], size), pivots.dtype)
    order[...] = np.arange(size)
    for place in np.ndindex(*pivots.shape[:-1]):
        row = order[place]
        for k, other in enumerate(pivots[place]):
            row[[k, other]] = row[[other, k]]
    return order


def pivots_to_permutation(params: Params, _ins: Values, _outs: Values) -> Program:
    """The permutation that the row swaps of an LU factorisation make."""
    size = params["permutation_size"]
    return lambda pivots: swapped(pivots, size)


def float64_only(rule: Rule) -> Rule:
    """What LAPACK computes has no long double, and conjugates: other arithmetics are refused with JAX."""

    def checked(params: Params, ins: Values, outs: Values) -> Program | None:
        return rule(params, ins, outs) if ins[0].dtype.char in "fdFD" and not ins[0].lifted else None

    return checked


def eigh(params: Params, ins: Values, _outs: Values) -> Program | None:
    """Eigenvectors and ascending eigenvalues of a Hermitian matrix of which one triangle is read."""
    if params.get("subset_by_index") is not None or not params.get("sort_eigenvalues", True):
        return None
    triangle = "L" if params["lower"] else "U"

    def decomposed(x: Any) -> Any:
        values, vectors = np.linalg.eigh(x, triangle)
        return [vectors, values]

    return decomposed if math.prod(ins[0].shape) else None


def eig(params: Params, ins: Values, outs: Values) -> Program | None:
    """Eigenvalues and right eigenvectors, complex."""
    if params["compute_left_eigenvectors"] or not math.prod(ins[0].shape):
        return None
    dtype = outs[0].dtype
    if not params["compute_right_eigenvectors"]:
        return lambda x: [np.linalg.eigvals(x).astype(dtype)]
    return lambda x: [part.astype(dtype) for part in np.linalg.eig(x)]


def svd(params: Params, ins: Values, _outs: Values) -> Program | None:
    """Singular values, left vectors, right vectors."""
    if params.get("subset_by_index") is not None or not math.prod(ins[0].shape):
        return None
    full = params["full_matrices"]
    if not params["compute_uv"]:
        return lambda x: [np.linalg.svd(x, compute_uv=False)]

    def decomposed(x: Any) -> Any:
        left, values, right = np.linalg.svd(x, full_matrices=full)
        return [values, left, right]

    return decomposed


def qr(params: Params, ins: Values, _outs: Values) -> Program | None:
    """An orthonormal and a triangular factor."""
    if params["pivoting"] or not math.prod(ins[0].shape):
        return None
    mode = "complete" if params["full_matrices"] else "reduced"
    return lambda x: list(np.linalg.qr(x, mode=mode))


TRANSFORMS = {"FFT": np.fft.fftn, "IFFT": np.fft.ifftn, "RFFT": np.fft.rfftn, "IRFFT": np.fft.irfftn}


def fft(params: Params, ins: Values, outs: Values) -> Program | None:
    """The discrete Fourier transform over the last axes, in the operand's precision."""
    lengths, transform = tuple(params["fft_lengths"]), TRANSFORMS[params["fft_type"].name]
    dtype = outs[0].dtype
    if dtype.kind not in "fc" or ins[0].lifted or not math.prod(ins[0].shape):
        return None
    axes = tuple(range(-len(lengths), 0))
    return lambda x: transform(x, lengths, axes).astype(dtype, copy=False)


RULES: dict[str, Rule] = {
    "dot_general": dot_general,
    "cholesky": cholesky,
    "triangular_solve": triangular_solve,
    "lu": lu,
    "lu_pivots_to_permutation": pivots_to_permutation,
    "eigh": float64_only(eigh),
    "eig": float64_only(eig),
    "svd": float64_only(svd),
    "qr": float64_only(qr),
    "fft": fft,
}
