"""Sigmoid, its derivative and softplus: exact in both tails, dtype in = dtype out."""

import numpy as np

from manual.types import Array


def sigmoid(z: Array) -> Array:
    """sigma(z) = 1 / (1 + exp(-z)), to a few units of round-off for every z.

    The exponential only ever sees -|z|, so that nothing overflows and small values keep
    their digits. 1 - sigma(z) is `sigmoid(-z)`, without the cancellation.
    Source: `shallow` function 2, `squared` last page.
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: Array) -> Array:
    """sigma'(z) = sigma(z) (1 - sigma(z)), to a few units of round-off for every z.

    Source: `rowmajor` (power rule), `squared` last page.
    """
    return sigmoid(z) * sigmoid(-z)  # sigmoid(-z) is 1 - sigma(z), exact where that rounds to 0


def softplus(z: Array) -> Array:
    """log(1 + exp(z)), finite for every finite z."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
