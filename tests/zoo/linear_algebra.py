"""Matrices: inverse, solve, Cholesky, determinant, exponential, products; transforms and distances."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers

REGULAR = numbers(0, 3, 3) + 3 * np.eye(3)
LOWER = np.tril(numbers(1, 3, 3)) + 2 * np.diag([1.0, -1, 1])


class Inverse:
    @staticmethod
    def forward(ctx, A):
        ctx.inverse = np.linalg.inv(A)
        return ctx.inverse

    @staticmethod
    def backward(ctx, dout):
        return -ctx.inverse.T @ dout @ ctx.inverse.T


class InverseSign(Inverse):
    @staticmethod
    def backward(ctx, dout):
        return ctx.inverse.T @ dout @ ctx.inverse.T


class InverseUntransposed(Inverse):
    @staticmethod
    def backward(ctx, dout):
        return -ctx.inverse @ dout @ ctx.inverse


def logdet_forward(A):
    """log |det A| for a stack of matrices."""
    return np.linalg.slogdet(A)[1], A


def logdet_backward(dout, cache):
    return dout[:, None, None] * np.linalg.inv(cache).transpose(0, 2, 1)


def logdet_untransposed(dout, cache):
    return dout[:, None, None] * np.linalg.inv(cache)


def logdet_of_det(dout, cache):
    return dout[:, None, None] * np.linalg.det(cache)[:, None, None] * np.linalg.inv(cache).transpose(0, 2, 1)


class Determinant:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.linalg.det(inputs)

    def backward(self, dvalues):
        cofactors = np.linalg.det(self.inputs) * np.linalg.inv(self.inputs).T
        self.dinputs = dvalues * cofactors


class DeterminantAdjugate(Determinant):
    def backward(self, dvalues):
        self.dinputs = dvalues * np.linalg.det(self.inputs) * np.linalg.inv(self.inputs)


class DeterminantOfLog(Determinant):
    def backward(self, dvalues):
        self.dinputs = dvalues * np.linalg.inv(self.inputs).T


class Cholesky:
    """The factor of M M^T + I, so that any M will do."""

    @staticmethod
    def forward(ctx, M):
        L = np.linalg.cholesky(M @ M.T + np.eye(len(M)))
        ctx.save_for_backward(M, L)
        return L

    @staticmethod
    def backward(ctx, dout):
        M, L = ctx.saved_tensors
        P = np.tril(L.T @ np.tril(dout))
        P[np.diag_indices(len(P))] /= 2
        inverse = np.linalg.inv(L)
        S = inverse.T @ P @ inverse
        return (S + S.T) @ M


class CholeskyFullDiagonal(Cholesky):
    @staticmethod
    def backward(ctx, dout):
        M, L = ctx.saved_tensors
        P = np.tril(L.T @ np.tril(dout))
        inverse = np.linalg.inv(L)
        S = inverse.T @ P @ inverse
        return (S + S.T) @ M


class CholeskyNotSymmetric(Cholesky):
    @staticmethod
    def backward(ctx, dout):
        M, L = ctx.saved_tensors
        P = np.tril(L.T @ np.tril(dout))
        P[np.diag_indices(len(P))] /= 2
        inverse = np.linalg.inv(L)
        return 2 * inverse.T @ P @ inverse @ M


def substitution_forward(L, b):
    """Forward substitution, row by row; what lies above the diagonal is not looked at."""
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x, (L, x)


def substitution_backward(dout, cache):
    L, x = cache
    db = np.linalg.solve(np.tril(L).T, dout)
    return -np.tril(db @ x.T), db


def substitution_whole_matrix(dout, cache):
    L, x = cache
    db = np.linalg.solve(np.tril(L).T, dout)
    return -db @ x.T, db


def substitution_untransposed(dout, cache):
    L, x = cache
    dL, _ = substitution_backward(dout, cache)
    return dL, np.linalg.solve(np.tril(L), dout)


def solve(A, b):
    """A^-1 b: (x, backprop)."""
    x = np.linalg.solve(A, b)

    def backprop(dx):
        db = np.linalg.solve(A.T, dx)
        return -db @ x.T, db

    return x, backprop


def solve_sign(A, b):
    x, backprop = solve(A, b)

    def sign(dx):
        dA, db = backprop(dx)
        return -dA, db

    return x, sign


def solve_untransposed(A, b):
    x, _ = solve(A, b)

    def untransposed(dx):
        db = np.linalg.solve(A, dx)
        return -db @ x.T, db

    return x, untransposed


def trace_of_product(A, B):
    """(tr(A B A^T), gradients)"""
    return np.trace(A @ B @ A.T), (A @ (B + B.T), A.T @ A)


def trace_one_side(A, B):
    value, (_, dB) = trace_of_product(A, B)
    return value, (2 * A @ B, dB)


def trace_other_gram(A, B):
    value, (dA, _) = trace_of_product(A, B)
    return value, (dA, np.ones_like(B) * np.sum(A * A))


def spectrum_forward(x):
    """Magnitudes of the real Fourier transform of every row."""
    F = np.fft.rfft(x, axis=1)
    return np.abs(F), (F, x.shape[1])


def spectrum_backward(dout, cache):
    F, n = cache
    padded = np.zeros((len(F), n), dtype=complex)
    padded[:, : F.shape[1]] = dout * F / np.abs(F)
    return n * np.fft.ifft(padded, axis=1).real


def spectrum_by_irfft(dout, cache):
    """The inverse transform is not the transposed one."""
    F, n = cache
    return n * np.fft.irfft(dout * F / np.abs(F), n, axis=1)


def spectrum_power(dout, cache):
    F, n = cache
    return spectrum_backward(dout * np.abs(F), cache)


class Spectrum2d:
    """Power of the full transform, scaled entry by entry; A (m, h, w)."""

    def __init__(self, h, w):
        self.G = numbers(2, h, w)

    def forward(self, A):
        self.F = np.fft.fft2(A)
        self.power = self.F.real**2 + self.F.imag**2
        return self.G * self.power

    def backward(self, dLdZ):
        self.dLdG = (dLdZ * self.power).sum(axis=0)
        return 2 * self.F[0].size * np.fft.ifft2(dLdZ * self.G * self.F).real


class Spectrum2dUnscaled(Spectrum2d):
    def backward(self, dLdZ):
        super().backward(dLdZ)
        return 2 * np.fft.ifft2(dLdZ * self.G * self.F).real


class Spectrum2dMagnitude(Spectrum2d):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdG = (dLdZ * np.sqrt(self.power)).sum(axis=0)
        return dLdA


def distances_forward(x, y):
    """Between every row of x and every row of y, by |x|^2 - 2 x y^T + |y|^2."""
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ y.T + (y**2).sum(axis=1)
    return np.sqrt(squares), (x, y, np.sqrt(squares))


def distances_backward(dout, cache):
    x, y, distances = cache
    ratio = dout / distances
    dx = ratio.sum(axis=1)[:, None] * x - ratio @ y
    dy = ratio.sum(axis=0)[:, None] * y - ratio.T @ x
    return dx, dy


def distances_cross_term_only(dout, cache):
    x, y, distances = cache
    dx, _ = distances_backward(dout, cache)
    return dx, -(dout / distances).T @ x


def distances_squared(dout, cache):
    x, y, distances = cache
    _, dy = distances_backward(dout, cache)
    dx, _ = distances_backward(2 * dout * distances, cache)
    return dx, dy


def exponential(A):
    """exp(A) by twelve terms of its series: (E, backprop)."""
    powers = [np.eye(len(A))]
    for k in range(1, 13):
        powers.append(powers[-1] @ A / k)

    def backprop(dE):
        dA, d = np.zeros_like(A), dE
        for k in range(12, 0, -1):
            dA += powers[k - 1].T @ d / k
            d = dE + d @ A.T / k
        return dA

    return sum(powers), backprop


def exponential_scalar(A):
    E, _ = exponential(A)

    def scalar(dE):
        return np.transpose(E) @ dE

    return E, scalar


def exponential_one_term_less(A):
    E, _ = exponential(A)
    powers = [np.eye(len(A))]
    for k in range(1, 4):
        powers.append(powers[-1] @ A / k)

    def one_term_less(dE):
        dA, d = np.zeros_like(A), dE
        for k in range(3, 0, -1):
            dA += powers[k - 1].T @ d / k
            d = dE + d @ A.T / k
        return dA

    return E, one_term_less


class PowerIteration:
    """Six steps to the largest eigenvector, normalised each time; starts at ones."""

    def forward(self, x):
        self.A, self.v, self.lengths = x, [np.ones(len(x)) / np.sqrt(len(x))], []
        for _ in range(6):
            w = x @ self.v[-1]
            self.lengths.append(np.linalg.norm(w))
            self.v.append(w / self.lengths[-1])
        return self.v[-1]

    def backward(self, dout):
        dA = np.zeros_like(self.A)
        for t in reversed(range(6)):
            v = self.v[t + 1]
            dw = (dout - v * (v @ dout)) / self.lengths[t]
            dA += np.outer(dw, self.v[t])
            dout = self.A.T @ dw
        return dA


class PowerIterationLastStep(PowerIteration):
    def backward(self, dout):
        v = self.v[-1]
        return np.outer((dout - v * (v @ dout)) / self.lengths[-1], self.v[-2])


class PowerIterationUnprojected(PowerIteration):
    def backward(self, dout):
        dA = np.zeros_like(self.A)
        for t in reversed(range(6)):
            dw = dout / self.lengths[t]
            dA += np.outer(dw, self.v[t])
            dout = self.A.T @ dw
        return dA


class Mahalanobis:
    """x^T L L^T x, rows of x, a lower triangle learned."""

    def __init__(self, n):
        self.parameters, self.gradients = {}, {}
        self.n = n

    def forward(self, x):
        if not self.parameters:
            self.parameters["L"] = numbers(3, self.n, self.n)
            self.reset_gradients()
        self.x, self.L = x, np.tril(self.parameters["L"])
        self.y = x @ self.L
        return (self.y**2).sum(axis=1)

    def reset_gradients(self):
        self.gradients["L"] = np.zeros_like(self.parameters["L"])

    def backward(self, dout):
        dy = 2 * dout[:, None] * self.y
        self.gradients["L"] += np.tril(self.x.T @ dy)
        return dy @ self.L.T


class MahalanobisFull(Mahalanobis):
    def backward(self, dout):
        dx = super().backward(dout)
        self.gradients["L"] += np.triu(self.x.T @ (2 * dout[:, None] * self.y), 1)
        return dx


class MahalanobisUnmasked(Mahalanobis):
    def backward(self, dout):
        super().backward(dout)
        return 2 * dout[:, None] * self.y @ self.parameters["L"].T


SPECIMENS = (
    Specimen(
        name="inverse",
        convention="static op",
        right=Inverse,
        call=lambda op: Call(op, (REGULAR,)),
        wrong=(Mistake("sign", InverseSign, ("A",)), Mistake("wrong-operand", InverseUntransposed, ("A",))),
    ),
    Specimen(
        name="log-determinant",
        convention="functional",
        right=logdet_backward,
        call=lambda backward: Call((logdet_forward, backward), (np.stack([REGULAR, LOWER, REGULAR.T]),)),
        wrong=(
            Mistake("transposed", logdet_untransposed, ("A",)),
            Mistake("factor", logdet_of_det, ("A",)),
        ),
    ),
    Specimen(
        name="determinant",
        convention="returns None",
        right=Determinant,
        call=lambda layer: Call(layer(), (REGULAR,)),
        wrong=(
            Mistake("transposed", DeterminantAdjugate, ("inputs",)),
            Mistake("forward-differs", DeterminantOfLog, ("inputs",)),
        ),
    ),
    Specimen(
        name="Cholesky",
        convention="static op",
        right=Cholesky,
        call=lambda op: Call(op, (numbers(0, 3, 3),)),
        wrong=(
            Mistake("factor", CholeskyFullDiagonal, ("M",)),
            Mistake("transposed", CholeskyNotSymmetric, ("M",)),
        ),
    ),
    Specimen(
        name="triangular solve",
        convention="functional",
        right=substitution_backward,
        call=lambda backward: Call((substitution_forward, backward), (LOWER, numbers(2, 3, 2))),
        wrong=(
            Mistake("mask-not-applied", substitution_whole_matrix, ("L",)),
            Mistake("wrong-operand", substitution_untransposed, ("b",)),
        ),
    ),
    Specimen(
        name="linear solve",
        convention="callback",
        right=solve,
        call=lambda layer: Call(layer, (REGULAR, numbers(2, 3, 2))),
        wrong=(
            Mistake("sign", solve_sign, ("A",)),
            Mistake("wrong-operand", solve_untransposed, ("A", "b")),
        ),
    ),
    Specimen(
        name="trace of a product",
        convention="loss and gradient",
        right=trace_of_product,
        call=lambda loss: Call(loss, (numbers(0, 2, 3), numbers(1, 3, 3)), {"gradients": True}),
        wrong=(
            Mistake("transposed", trace_one_side, ("A",)),
            Mistake("elementwise-for-matrix", trace_other_gram, ("B",)),
        ),
    ),
    Specimen(
        name="magnitude of a transform",
        convention="functional",
        right=spectrum_backward,
        call=lambda backward: Call((spectrum_forward, backward), (numbers(0, 3, 7),)),
        wrong=(
            Mistake("wrong-operand", spectrum_by_irfft, ("x",)),
            Mistake("forward-differs", spectrum_power, ("x",)),
        ),
    ),
    Specimen(
        name="power of a transform",
        convention="derivative names",
        right=Spectrum2d,
        call=lambda layer: Call(layer(2, 4), (numbers(0, 3, 2, 4),)),
        wrong=(
            Mistake("factor", Spectrum2dUnscaled, ("A",)),
            Mistake("forward-differs", Spectrum2dMagnitude, ("G",)),
        ),
    ),
    Specimen(
        name="pairwise distances",
        convention="functional",
        right=distances_backward,
        call=lambda backward: Call((distances_forward, backward), (numbers(0, 3, 2), numbers(1, 4, 2))),
        wrong=(
            Mistake("overwrites", distances_cross_term_only, ("y",)),
            Mistake("forward-differs", distances_squared, ("x",)),
        ),
    ),
    Specimen(
        name="matrix exponential",
        convention="callback",
        right=exponential,
        call=lambda layer: Call(layer, (numbers(0, 3, 3),)),
        wrong=(
            Mistake("elementwise-for-matrix", exponential_scalar, ("A",)),
            Mistake("one-sample", exponential_one_term_less, ("A",)),
        ),
    ),
    Specimen(
        name="power iteration",
        convention="attributes",
        right=PowerIteration,
        call=lambda layer: Call(layer(), (REGULAR,)),
        wrong=(
            Mistake("one-sample", PowerIterationLastStep, ("x",)),
            Mistake("missing-centring", PowerIterationUnprojected, ("x",)),
        ),
    ),
    Specimen(
        name="Mahalanobis distance",
        convention="accumulating",
        right=Mahalanobis,
        call=lambda layer: Call(layer(3), (numbers(0, 4, 3),)),
        wrong=(
            Mistake("mask-not-applied", MahalanobisFull, ("parameters['L']",)),
            Mistake("mask-not-applied", MahalanobisUnmasked, ("x",)),
        ),
    ),
)
