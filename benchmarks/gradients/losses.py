"""Losses with labels closed over, and what is forgotten in their gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.gradients.activations import sigmoid
from benchmarks.gradients.algebra import softmax
from benchmarks.gradients.case import Array, Formula, single

RNG = np.random.default_rng(13)
M, K = 7, 4
PREDICTIONS = RNG.standard_normal(M)
TARGETS = RNG.standard_normal(M)
BINARY = np.array([1.0, 0, 0, 1, 1, 0, 1])
SIGNS = 2 * BINARY - 1
PROBABILITIES = RNG.uniform(0.1, 0.9, M)
LOGITS = RNG.standard_normal((M, K))
CLASSES = RNG.integers(0, K, M)
ONE_HOT = np.eye(K)[CLASSES]
SOFT = softmax(RNG.standard_normal((M, K)))
X, W = RNG.standard_normal((M, 3)), RNG.standard_normal(3)
COUNTS = RNG.integers(0, 6, M).astype(float)
DELTA, WEIGHT = 0.8, 0.3


def cross_entropy(z: Array) -> Array:
    return -np.log(softmax(z)[np.arange(M), CLASSES]).mean()


def soft_cross_entropy(z: Array) -> Array:
    return -(SOFT.astype(z.dtype) * np.log(softmax(z))).sum() / M


def crammer_singer(z: Array) -> Array:
    """Every class but the right one has to stay a margin of 1 below it."""
    margins = np.maximum(0, z - z[np.arange(M), CLASSES][:, None] + 1)
    return (margins.sum() - M) / M


def crammer_singer_vjp(u: Array, z: Array, right: Callable[[Array], Array] | None = None) -> tuple[Array]:
    violated = (z - z[np.arange(M), CLASSES][:, None] + 1 > 0).astype(z.dtype)
    violated[np.arange(M), CLASSES] = 0
    count = violated.sum(axis=1)
    violated[np.arange(M), CLASSES] = -(right(count) if right else count)
    return (u * violated / M,)


def huber(p: Array) -> Array:
    r = np.abs(p - TARGETS)
    return np.where(r < DELTA, r**2 / 2, DELTA * (r - DELTA / 2)).mean()


def ridge(w: Array) -> Array:
    return ((X @ w - TARGETS) ** 2).mean() + WEIGHT * (w**2).sum()


def ridge_vjp(decay: float) -> Callable[[Array, Array], tuple[Array]]:
    return lambda u, w: (u * (2 * X.T @ (X @ w - TARGETS) / M + decay * w),)


def logistic(w: Array, b: Array) -> Array:
    return np.logaddexp(0, -SIGNS * (X @ w + b)).mean()


def logistic_vjp(u: Array, w: Array, b: Array) -> tuple[Array, Array]:
    d = u * (sigmoid(X @ w + b) - BINARY) / M
    return X.T @ d, d.sum()


FORMULAS = (
    Formula(
        name="mean squared error",
        forward=lambda p: ((p - TARGETS.astype(p.dtype)) ** 2).mean(),
        vjp=lambda u, p: (2 * u * (p - TARGETS.astype(p.dtype)) / M,),
        points={"": (PREDICTIONS,), "float32": single((PREDICTIONS,))},
        mistakes={
            "1/m missing": lambda u, p: (2 * u * (p - TARGETS.astype(p.dtype)),),
            "2 lost": lambda u, p: (u * (p - TARGETS.astype(p.dtype)) / M,),
            "y - a": lambda u, p: (2 * u * (TARGETS.astype(p.dtype) - p) / M,),
        },
    ),
    Formula(
        name="half the squared error",
        forward=lambda p: ((p - TARGETS) ** 2).sum() / 2,
        vjp=lambda u, p: (u * (p - TARGETS),),
        points={"": (PREDICTIONS,)},
        mistakes={"2 kept": lambda u, p: (2 * u * (p - TARGETS),)},
    ),
    Formula(
        name="mean absolute error",
        forward=lambda p: np.abs(p - TARGETS).mean(),
        vjp=lambda u, p: (u * np.sign(p - TARGETS) / M,),
        points={"": (PREDICTIONS,)},
        mistakes={"that of squares": lambda u, p: (2 * u * (p - TARGETS) / M,)},
    ),
    Formula(
        name="binary cross-entropy",
        forward=lambda a: -(BINARY * np.log(a) + (1 - BINARY) * np.log(1 - a)).mean(),
        vjp=lambda u, a: (u * (a - BINARY) / (a * (1 - a)) / M,),
        points={"": (PROBABILITIES,)},
        mistakes={
            "that of the logits": lambda u, a: (u * (a - BINARY) / M,),
            "1 - y forgotten": lambda u, a: (-u * BINARY / a / M,),
            "second sign": lambda u, a: (-u * (BINARY / a + (1 - BINARY) / (1 - a)) / M,),
        },
    ),
    Formula(
        name="binary cross-entropy of logits",
        forward=lambda z: np.logaddexp(0, -SIGNS * z).mean(),
        vjp=lambda u, z: (u * (sigmoid(z) - BINARY) / M,),
        points={"": (2 * PREDICTIONS,), "saturated": (np.array([12.0, -9, 8, 0.3, -11, 2, 7]),)},
        mistakes={
            "sigma' twice": lambda u, z: (u * (sigmoid(z) - BINARY) * sigmoid(z) * (1 - sigmoid(z)) / M,),
            "1/m missing": lambda u, z: (u * (sigmoid(z) - BINARY),),
            "signs for labels": lambda u, z: (u * (sigmoid(z) - SIGNS) / M,),
        },
    ),
    Formula(
        name="softmax cross-entropy",
        forward=cross_entropy,
        vjp=lambda u, z: (u * (softmax(z) - ONE_HOT.astype(z.dtype)) / M,),
        points={"": (LOGITS,), "float32": single((LOGITS,)), "confident": (9 * ONE_HOT + LOGITS,)},
        mistakes={
            "labels not subtracted": lambda u, z: (u * softmax(z) / M,),
            "1/m missing": lambda u, z: (u * (softmax(z) - ONE_HOT.astype(z.dtype)),),
            "1/K for 1/m": lambda u, z: (u * (softmax(z) - ONE_HOT.astype(z.dtype)) / K,),
            "the right class only": lambda u, z: (u * ONE_HOT.astype(z.dtype) * (softmax(z) - 1) / M,),
        },
    ),
    Formula(
        name="cross-entropy with soft labels",
        forward=soft_cross_entropy,
        vjp=lambda u, z: (u * (softmax(z) - SOFT.astype(z.dtype)) / M,),
        points={"": (LOGITS,), "float32": single((LOGITS,))},
        mistakes={"softmax's diagonal": lambda u, z: (-u * SOFT.astype(z.dtype) * (1 - softmax(z)) / M,)},
    ),
    Formula(
        name="hinge",
        forward=lambda z: np.maximum(0, 1 - SIGNS * z).mean(),
        vjp=lambda u, z: (-u * SIGNS * (SIGNS * z < 1) / M,),
        points={"": (2 * PREDICTIONS,)},
        mistakes={
            "mask forgotten": lambda u, z: (-u * SIGNS / M,),
            "sign": lambda u, z: (u * SIGNS * (SIGNS * z < 1) / M,),
        },
    ),
    Formula(
        name="squared hinge",
        forward=lambda z: (np.maximum(0, 1 - SIGNS * z) ** 2).mean(),
        vjp=lambda u, z: (-2 * u * SIGNS * np.maximum(0, 1 - SIGNS * z) / M,),
        points={"": (2 * PREDICTIONS,)},
        mistakes={"clip ignored": lambda u, z: (-2 * u * SIGNS * (1 - SIGNS * z) / M,)},
    ),
    Formula(
        name="multi-class hinge",
        forward=crammer_singer,
        vjp=crammer_singer_vjp,
        points={"": (LOGITS,)},
        mistakes={
            "the right class once": lambda u, z: crammer_singer_vjp(u, z, np.ones_like),
            "the right class forgotten": lambda u, z: crammer_singer_vjp(u, z, np.zeros_like),
        },
    ),
    Formula(
        name="Huber",
        forward=huber,
        vjp=lambda u, p: (u * np.clip(p - TARGETS, -DELTA, DELTA) / M,),
        points={"": (2 * PREDICTIONS,)},
        mistakes={
            "quadratic everywhere": lambda u, p: (u * (p - TARGETS) / M,),
            "delta forgotten": lambda u, p: (
                u * np.where(np.abs(p - TARGETS) < DELTA, p - TARGETS, np.sign(p - TARGETS)) / M,),
        },
    ),
    Formula(
        name="pseudo-Huber",
        forward=lambda p: (np.sqrt(1 + (p - TARGETS) ** 2) - 1).mean(),
        vjp=lambda u, p: (u * (p - TARGETS) / np.sqrt(1 + (p - TARGETS) ** 2) / M,),
        points={"": (PREDICTIONS,)},
        mistakes={"root forgotten": lambda u, p: (u * (p - TARGETS) / (1 + (p - TARGETS) ** 2) / M,)},
    ),
    Formula(
        name="log-cosh",
        forward=lambda p: np.log(np.cosh(p - TARGETS)).mean(),
        vjp=lambda u, p: (u * np.tanh(p - TARGETS) / M,),
        points={"": (PREDICTIONS,)},
        mistakes={"1/cosh": lambda u, p: (u / np.cosh(p - TARGETS) / M,)},
    ),
    Formula(
        name="Poisson",
        forward=lambda z: (np.exp(z) - COUNTS * z).mean(),
        vjp=lambda u, z: (u * (np.exp(z) - COUNTS) / M,),
        points={"": (PREDICTIONS,)},
        mistakes={"link forgotten": lambda u, z: (u * (1 - COUNTS / np.exp(z)) / M,)},
    ),
    Formula(
        name="ridge regression",
        forward=ridge,
        vjp=ridge_vjp(2 * WEIGHT),
        points={"": (W,)},
        mistakes={
            "decay missing": ridge_vjp(0),
            "decay halved": ridge_vjp(WEIGHT),
            "decay by m": ridge_vjp(2 * WEIGHT / M),
        },
    ),
    Formula(
        name="logistic regression",
        forward=logistic,
        vjp=logistic_vjp,
        points={"": (W, np.array(0.4))},
        mistakes={
            "1/m missing in the bias": lambda u, w, b: (
                logistic_vjp(u, w, b)[0], M * logistic_vjp(u, w, b)[1]),
            "last example only": lambda u, w, b: (
                u * X[-1] * (sigmoid(X[-1] @ w + b) - BINARY[-1]) / M, logistic_vjp(u, w, b)[1]),
        },
    ),
)  # fmt: skip
