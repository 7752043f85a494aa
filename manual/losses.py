"""Binary cross-entropy from logits, and its derivative."""

import numpy as np

from manual.activations import sigmoid, softplus
from manual.types import Array, Scalar


def binary_cross_entropy(Z: Array, Y: Array, m: int) -> Scalar:
    """L = -(1/m) sum(Y log A + (1 - Y) log(1 - A)) with A = sigmoid(Z), finite for finite Z.

    Z, Y of one shape, either layout; m examples; a NumPy scalar comes back. Written with
    log A = -softplus(-Z) and log(1 - A) = -softplus(Z), because log(A) is -inf once A
    has rounded to 0. Source: `shallow` function 5.
    """
    Y = Y.astype(Z.dtype, copy=False)
    return np.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z)) / m


def binary_cross_entropy_delta(Z: Array, Y: Array, m: int) -> Array:
    """dL/dZ = (A - Y) / m with A = sigmoid(Z), shape of Z.

    Written as ((1 - Y) A - Y (1 - A)) / m, which is the same number without the cancellation
    that turns A - Y into 0 for a saturated unit with a label of 1.
    Source: `shallow` derivation of dL/dB2.
    """
    Y = Y.astype(Z.dtype, copy=False)
    return ((1 - Y) * sigmoid(Z) - Y * sigmoid(-Z)) / m
