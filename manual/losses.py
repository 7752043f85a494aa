"""The last layer: losses of its pre-activations Z, and their derivatives dL/dZ.

Every function takes `examples`, the axis that numbers the examples: 0 in rows, 1 in columns. L is
the mean over the m examples of a loss that sums over the outputs. ValueError for labels that do not fit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from manual.activations import sigmoid, sigmoid_derivative, softplus
from manual.types import Array, Scalar
from manual.validation import distributions_for, labels_for


def binary_cross_entropy(Z: Array, Y: Array, examples: int) -> Scalar:
    """L = -(1/m) sum(Y log A + (1 - Y) log(1 - A)) with A = sigmoid(Z), finite for finite Z.

    Written with log A = -softplus(-Z) and log(1 - A) = -softplus(Z), because log(A) is -inf
    once A has rounded to 0. Equation S5, in the form of S13.
    """
    Y = labels_for(Z, Y)
    return np.sum(Y * softplus(-Z) + (1 - Y) * softplus(Z)) / Z.shape[examples]


def binary_cross_entropy_delta(Z: Array, Y: Array, examples: int) -> Array:
    """dL/dZ = (A - Y) / m with A = sigmoid(Z), shape of Z.

    Written as ((1 - Y) A - Y (1 - A)) / m, which is the same number without the cancellation
    that turns A - Y into 0 for a saturated unit with a label of 1.
    Equation S6, in the form of S14.
    """
    return _sigmoid_error(Z, labels_for(Z, Y)) / Z.shape[examples]


def squared_error(Z: Array, Y: Array, examples: int) -> Scalar:
    """L = (1/m) sum (A - Y)^2 with A = sigmoid(Z): outputs summed, examples averaged (equation Q8)."""
    return np.sum(_sigmoid_error(Z, labels_for(Z, Y)) ** 2) / Z.shape[examples]


def squared_error_delta(Z: Array, Y: Array, examples: int) -> Array:
    """dL/dZ = 2 (A - Y) sigmoid'(Z) / m, shape of Z (equation Q14)."""
    return 2 * _sigmoid_error(Z, labels_for(Z, Y)) * sigmoid_derivative(Z) / Z.shape[examples]


def _sigmoid_error(Z: Array, Y: Array) -> Array:
    return (1 - Y) * sigmoid(Z) - Y * sigmoid(-Z)


def softmax(Z: Array, examples: int) -> Array:
    """A_k = exp(Z_k) / sum over the units j of exp(Z_j) (equation B1)."""
    units = 1 - examples
    e = np.exp(Z - Z.max(axis=units, keepdims=True))
    return e / e.sum(axis=units, keepdims=True)


def softmax_cross_entropy(Z: Array, Y: Array, examples: int) -> Scalar:
    """L = -(1/m) sum Y log A with A = softmax(Z), finite for finite Z; Y sums to 1 over the units.

    log A_k = Z_k - max Z - log(1 + the other exponentials), whose log1p keeps the digits of a
    confident unit that is right. Equation B3.
    """
    units = 1 - examples
    Y = distributions_for(Z, Y, units)
    shifted = Z - Z.max(axis=units, keepdims=True)
    others = np.exp(shifted)
    np.put_along_axis(others, Z.argmax(axis=units, keepdims=True), 0, axis=units)
    return np.sum(Y * (np.log1p(others.sum(axis=units, keepdims=True)) - shifted)) / Z.shape[examples]


def softmax_cross_entropy_delta(Z: Array, Y: Array, examples: int) -> Array:
    """dL/dZ = (A - Y) / m with A = softmax(Z), shape of Z.

    A and Y both sum to 1 over the units, so that A_k - Y_k is A_k (the sum of the other Y) minus
    Y_k (the sum of the other A), in which nothing cancels: binary_cross_entropy_delta with K classes.
    Equation B4, in the form of B6.
    """
    units = 1 - examples
    Y, A = distributions_for(Z, Y, units), softmax(Z, examples)
    return (A * _sum_of_others(Y, units) - Y * _sum_of_others(A, units)) / Z.shape[examples]


def _sum_of_others(A: Array, units: int) -> Array:
    """For every unit the sum over all units but itself; A.sum() - A would cancel."""
    others = 1 - np.eye(A.shape[units], dtype=A.dtype)
    return others @ A if units == 0 else A @ others


@dataclass(frozen=True, kw_only=True)
class Output:
    """The last layer by name: its activation A(Z), the loss L(Z, Y), and dL/dZ."""

    name: str
    activation: Callable[[Array, int], Array]
    loss: Callable[[Array, Array, int], Scalar]
    delta: Callable[[Array, Array, int], Array]


CROSS_ENTROPY = Output(
    name="binary cross-entropy",
    activation=lambda Z, examples: sigmoid(Z),
    loss=binary_cross_entropy,
    delta=binary_cross_entropy_delta,
)
SQUARED_ERROR = Output(
    name="squared error",
    activation=lambda Z, examples: sigmoid(Z),
    loss=squared_error,
    delta=squared_error_delta,
)
SOFTMAX = Output(
    name="softmax cross-entropy",
    activation=softmax,
    loss=softmax_cross_entropy,
    delta=softmax_cross_entropy_delta,
)
OUTPUTS = (CROSS_ENTROPY, SQUARED_ERROR, SOFTMAX)
