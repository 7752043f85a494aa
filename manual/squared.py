"""The two-layer sigmoid network with squared error, in index notation: the einsum string is the formula.

    x0 (e, n0)   W1 (n1, n0)   b1 (n1,)   W2 (n2, n1)   b2 (n2,)   y (e, n2)

The document's own x0 (n0,) and y (n2,) are a batch of one example.

An index that stands twice and not in the result is summed (erratum E12: the sign is implied).
e numbers the examples throughout (the document numbers examples and units with one m: E13).
Source: `squared`.
"""

import numpy as np

from manual import initialisation
from manual.activations import sigmoid, sigmoid_derivative
from manual.types import Array, Arrays, Scalar, floats
from manual.validation import check_sizes, labels_for

EXAMPLES = 0  # the axis that numbers them


def initialise(sizes: tuple[int, int, int], seed: int) -> Arrays:
    """Weights from N(0, 1) by the recorded seed, biases 0. ValueError unless sizes are 3."""
    check_sizes(sizes, layers=3)
    params = initialisation.column_major(sizes, seed)
    return params | {name: params[name].ravel() for name in ("b1", "b2")}


def forward(params: Arrays, x0: Array) -> Arrays:
    """z1_j = W1_ji x0_i + b1_j, x1 = sigmoid(z1), z2_k = W2_kj x1_j + b2_k, yhat = sigmoid(z2) (Q1 to Q4)."""
    z1 = np.einsum("ji,ei->ej", params["W1"], floats(_batch(x0))) + params["b1"]
    x1 = sigmoid(z1)
    z2 = np.einsum("kj,ej->ek", params["W2"], x1) + params["b2"]
    return {"z1": z1, "x1": x1, "z2": z2, "yhat": sigmoid(z2)}


def summed_error(params: Arrays, x0: Array, y: Array) -> Scalar:
    """sum over examples and outputs of (y - yhat)^2: no mean, whatever it is called (E11; Q7)."""
    yhat = forward(params, x0)["yhat"]
    return np.sum((labels_for(yhat, _labels(x0, y)) - yhat) ** 2)


def mean_error(params: Arrays, x0: Array, y: Array) -> Scalar:
    """`summed_error` over the number of examples, not of outputs (equation Q8)."""
    return summed_error(params, x0, y) / len(_batch(x0))


def backward(params: Arrays, cache: Arrays, x0: Array, y: Array) -> Arrays:
    """Gradients of `summed_error`; those of `mean_error` are these over the number of examples.

        dW2_mn = 2 (yhat_m - y_m) s2'_m x1_n
        db2_m  = 2 (yhat_m - y_m) s2'_m
        dW1_mn = 2 (yhat_k - y_k) s2'_k W2_km s1'_m x0_n      summed over k
        db1_m  = 2 (yhat_k - y_k) s2'_k W2_km s1'_m           summed over k

    each summed over the examples e as well. The Kronecker deltas that leave these indices:
    dz2_k / dW2_mn = delta_km x1_n, and dz1_j / dW1_mn = delta_jm x0_n.
    Equations Q9 to Q12. The document's db1 has n on the left and m on the right (erratum E10).
    """
    error = 2 * (cache["yhat"] - labels_for(cache["yhat"], _labels(x0, y)))
    s1, s2 = sigmoid_derivative(cache["z1"]), sigmoid_derivative(cache["z2"])
    W2 = params["W2"]
    return {
        "dW2": np.einsum("em,em,en->mn", error, s2, cache["x1"]),
        "db2": np.einsum("em,em->m", error, s2),
        "dW1": np.einsum("ek,ek,km,em,en->mn", error, s2, W2, s1, _batch(x0)),
        "db1": np.einsum("ek,ek,km,em->m", error, s2, W2, s1),
    }


def loss(params: Arrays, X: Array, Y: Array) -> Scalar:
    """The loss that training descends: `summed_error`."""
    return summed_error(params, X, Y)


def predict(params: Arrays, x0: Array) -> Array:
    """Labels 0 or 1 (e, n2): 1 where yhat is at least one half."""
    yhat = forward(params, x0)["yhat"]
    return (yhat >= 0.5).astype(yhat.dtype)


def _batch(x0: Array) -> Array:
    """x0 (e, n0), or one example (n0,) as a batch (1, n0)."""
    return x0[np.newaxis] if x0.ndim == 1 else x0


def _labels(x0: Array, y: Array) -> Array:
    """The labels y (e, n2), or (1, n2) for those (n2,) of one example (n0,)."""
    return y[np.newaxis] if x0.ndim == y.ndim == 1 else y
