"""The JAX reference: the documents' network in jax.numpy, differentiated by JAX.

Written from the documents' forward equations and blind to the hand-derived gradients. In
float64 whatever the caller's JAX configuration, which stays as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Params = Mapping[str, Any]


def sigmoid(z: jax.Array) -> jax.Array:
    """1 / (1 + exp(-z)) (`shallow`, function 2), the exponential taken of -|z|.

    jax.nn.sigmoid has the derivative a (1 - a), which is 0 from z = 37 on; this form keeps
    its digits in both tails.
    """
    positive = z >= 0
    e = jnp.exp(jnp.where(positive, -z, z))
    return jnp.where(positive, 1 / (1 + e), e / (1 + e))


def cross_entropies(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """-(y log a + (1 - y) log(1 - a)) element by element, a = sigmoid(logit) (`shallow`, 5)."""
    log_a = -jnp.logaddexp(0, -logits)
    log_one_minus_a = -jnp.logaddexp(0, logits)
    return -(labels * log_a + (1 - labels) * log_one_minus_a)


def row_major_logits(params: Params, X: jax.Array) -> jax.Array:
    """Z2 (m, n2) of `rowmajor`: Z1 = X W1 + b1, A1 = sigmoid(Z1), Z2 = A1 W2 + b2."""
    return sigmoid(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


def column_major_logits(params: Params, X: jax.Array) -> jax.Array:
    """Z2 (n2, m) of `shallow`: Z1 = W1 X + b1, A1 = sigmoid(Z1), Z2 = W2 A1 + b2."""
    return params["W2"] @ sigmoid(params["W1"] @ X + params["b1"]) + params["b2"]


def row_major_loss(params: Params, X: jax.Array, Y: jax.Array) -> jax.Array:
    """Mean over the m rows of X of the cross-entropy summed over the outputs."""
    return cross_entropies(row_major_logits(params, X), Y).sum() / X.shape[0]


def column_major_loss(params: Params, X: jax.Array, Y: jax.Array) -> jax.Array:
    """Mean over the m columns of X of the cross-entropy summed over the outputs."""
    return cross_entropies(column_major_logits(params, X), Y).sum() / X.shape[1]


def tanh(z: jax.Array) -> jax.Array:
    """(1 - e) / (1 + e) with e = exp(-2 |z|) and the sign of z; 1 - tanh^2 is 0 from z = 20 on."""
    positive = z >= 0
    u = jnp.where(positive, -2 * z, 2 * z)
    size = -jnp.expm1(u) / (1 + jnp.exp(u))
    return jnp.where(positive, size, -size)


ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda z: jnp.where(z > 0, z, 0),
    "leaky_relu": lambda z: jnp.where(z > 0, z, 0.01 * z),
    "softplus": lambda z: jnp.logaddexp(0, z),
    "identity": lambda z: z,
    "gelu": lambda z: z * jax.scipy.special.erfc(-z / jnp.sqrt(2.0)) / 2,
}


def deep_row_major_logits(params: Params, X: jax.Array, hidden: Sequence[str]) -> jax.Array:
    """Z_L (m, n_L) of `rowmajor` with any number of layers: Z_l = A_{l-1} W_l + b_l, A_l = g_l(Z_l)."""
    A = X
    for layer, name in enumerate(hidden, start=1):
        A = ACTIVATIONS[name](A @ params[f"W{layer}"] + params[f"b{layer}"])
    return A @ params[f"W{len(hidden) + 1}"] + params[f"b{len(hidden) + 1}"]


def deep_column_major_logits(params: Params, X: jax.Array, hidden: Sequence[str]) -> jax.Array:
    """Z_L (n_L, m) of `slides` with any number of layers: Z_l = W_l A_{l-1} + b_l, A_l = g_l(Z_l)."""
    A = X
    for layer, name in enumerate(hidden, start=1):
        A = ACTIVATIONS[name](params[f"W{layer}"] @ A + params[f"b{layer}"])
    return params[f"W{len(hidden) + 1}"] @ A + params[f"b{len(hidden) + 1}"]


def squared_errors(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """(y - sigmoid(logit))^2 element by element (`squared`)."""
    return (labels - sigmoid(logits)) ** 2


def softmax_cross_entropies(logits: jax.Array, labels: jax.Array, units: int) -> jax.Array:
    """-y log softmax(logit) element by element, the softmax over the axis `units`."""
    return -labels * jax.nn.log_softmax(logits, axis=units)


OUTPUTS: dict[str, Callable[[jax.Array, jax.Array, int], jax.Array]] = {
    "binary cross-entropy": lambda logits, labels, units: cross_entropies(logits, labels),
    "squared error": lambda logits, labels, units: squared_errors(logits, labels),
    "softmax cross-entropy": softmax_cross_entropies,
}


def deep_loss(
    params: Params,
    X: jax.Array,
    Y: jax.Array,
    *,
    hidden: Sequence[str],
    output: str = "binary cross-entropy",
    decay: float = 0.0,
    examples: int,
) -> jax.Array:
    """Mean over the examples of the output's loss, plus decay / 2 times the sum of all squared weights.

    examples: the axis that numbers them, 0 in rows and 1 in columns.
    """
    logits = (deep_row_major_logits, deep_column_major_logits)[examples](params, X, hidden)
    losses = OUTPUTS[output](logits, Y, 1 - examples)
    return losses.sum() / X.shape[examples] + penalty(params, decay)


def penalty(params: Params, decay: float) -> jax.Array:
    """decay / 2 times the sum of all squared weights, the biases left out."""
    weights = [value for name, value in params.items() if name.startswith("W")]
    return decay / 2 * sum(((W**2).sum() for W in weights), jnp.zeros(()))


def summed_squared_error(params: Params, X: jax.Array, Y: jax.Array) -> jax.Array:
    """sum (y - yhat)^2 of `squared`, one example a row: yhat = sigmoid(W2 sigmoid(W1 x + b1) + b2)."""
    hidden = sigmoid(X @ params["W1"].T + params["b1"])
    return ((Y - sigmoid(hidden @ params["W2"].T + params["b2"])) ** 2).sum()


def gradients(
    loss: Callable[..., jax.Array], params: Mapping[str, np.ndarray], *data: np.ndarray
) -> dict[str, np.ndarray]:
    """JAX's gradient of `loss(params, *data)` by every parameter, in float64."""
    with jax.enable_x64(True):
        found = jax.grad(loss)(
            {name: jnp.asarray(value) for name, value in params.items()},
            *(jnp.asarray(array) for array in data),
        )
        return {name: np.asarray(value) for name, value in found.items()}
