"""Activations g and their derivatives g', float dtype in = dtype out; whole numbers are float64.

To a few units of round-off in both tails, but for gelu, whose left tail loses z^2 of them.

`ACTIVATIONS` lists them for networks whose hidden activation is general (`slides`, `rowmajor`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from manual.types import Array, floats

LEAK = 0.01  # slope of the leaky ReLU left of zero


def sigmoid(z: Array) -> Array:
    """sigma(z) = 1 / (1 + exp(-z)), to a few units of round-off for every z.

    The exponential only ever sees -|z|, so that nothing overflows and small values keep
    their digits. 1 - sigma(z) is `sigmoid(-z)`, without the cancellation.
    Source: `shallow` function 2, `squared` last page.
    """
    z = floats(z)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: Array) -> Array:
    """sigma'(z) = sigma(z) (1 - sigma(z)), to a few units of round-off for every z.

    Equation R26 (the power rule).
    """
    z = floats(z)
    return sigmoid(z) * sigmoid(-z)  # sigmoid(-z) is 1 - sigma(z), exact where that rounds to 0


def tanh(z: Array) -> Array:
    """tanh(z) = 2 sigma(2 z) - 1."""
    return np.tanh(floats(z))


def tanh_derivative(z: Array) -> Array:
    """tanh'(z) = 1 - tanh(z)^2 = 4 e / (1 + e)^2 with e = exp(-2 |z|), which does not cancel."""
    e = np.exp(-2 * np.abs(floats(z)))
    return 4 * e / (1 + e) ** 2


def softplus(z: Array) -> Array:
    """log(1 + exp(z)), finite for every finite z; its derivative is the sigmoid."""
    z = floats(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return np.maximum(floats(z), 0)


def relu_derivative(z: Array) -> Array:
    """1 right of zero and 0 left of it; at the kink itself the subgradient 0."""
    return np.where(z > 0, 1, np.zeros_like(floats(z)))


def leaky_relu(z: Array) -> Array:
    """z right of zero and LEAK z left of it."""
    z = floats(z)
    return np.where(z > 0, z, LEAK * z)


def leaky_relu_derivative(z: Array) -> Array:
    """1 right of zero and LEAK left of it; at the kink itself the subgradient LEAK."""
    return np.where(z > 0, 1, np.full_like(floats(z), LEAK))


def identity(z: Array) -> Array:
    """z itself."""
    return floats(z).copy()


def identity_derivative(z: Array) -> Array:
    """1 everywhere."""
    return np.ones_like(floats(z))


def gelu(z: Array) -> Array:
    """z Phi(z) with the normal distribution function Phi (Hendrycks and Gimpel, 2016).

    The left tail falls like exp(-z^2 / 2), so that a rounding of z^2 costs z^2 units of round-off there.
    """
    z = floats(z)
    return z * normal_distribution(z)


def gelu_derivative(z: Array) -> Array:
    """Phi(z) + z phi(z) with the normal density phi."""
    z = floats(z)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return normal_distribution(z) + z * density


def normal_distribution(z: Array) -> Array:
    """Phi(z) = erfc(-z / sqrt 2) / 2, which does not cancel in the left tail; to double precision."""
    values = np.asarray(_erfc(-np.asarray(z, dtype=np.float64) / math.sqrt(2)) / 2)
    return values.astype(z.dtype)


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True, kw_only=True)
class Activation:
    """A hidden activation by name: g and g', both element by element and functions of z."""

    name: str
    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


SIGMOID = Activation(name="sigmoid", function=sigmoid, derivative=sigmoid_derivative)
ACTIVATIONS = (
    SIGMOID,
    Activation(name="tanh", function=tanh, derivative=tanh_derivative),
    Activation(name="relu", function=relu, derivative=relu_derivative),
    Activation(name="leaky_relu", function=leaky_relu, derivative=leaky_relu_derivative),
    Activation(name="softplus", function=softplus, derivative=sigmoid),
    Activation(name="identity", function=identity, derivative=identity_derivative),
    Activation(name="gelu", function=gelu, derivative=gelu_derivative),
)


def activation_named(name: str) -> Activation:
    """The activation of that name; ValueError, with the names there are, where there is none."""
    for activation in ACTIVATIONS:
        if activation.name == name:
            return activation
    known = ", ".join(activation.name for activation in ACTIVATIONS)
    raise ValueError(f"unknown activation {name!r}: pass one of {known}")
