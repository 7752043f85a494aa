"""Exercise `squared`: one hidden layer, squared error summed over outputs and examples, index notation.

    x0 (e, n0)   W1 (n1, n0)   b1 (n1,)   W2 (n2, n1)   b2 (n2,)   y (e, n2)

An example is a row, numbered by e. Put a formula in place of every `...` of `backward`, with or without
einsum; the rest may stay as it is.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, x0):
    z1 = np.einsum("ji,ei->ej", params["W1"], x0) + params["b1"]
    x1 = sigmoid(z1)
    z2 = np.einsum("kj,ej->ek", params["W2"], x1) + params["b2"]
    return {"z1": z1, "x1": x1, "z2": z2, "yhat": sigmoid(z2)}


def loss(params, x0, y):
    """The sum over examples and outputs of (y - yhat)^2; nothing is averaged."""
    return np.sum((y - forward(params, x0)["yhat"]) ** 2)


def backward(params, x0, y):
    """Derivatives of the loss, each by what it is named after."""
    cache = forward(params, x0)
    dz2 = ...  # (e, n2)
    dW2 = ...  # (n2, n1)
    db2 = ...  # (n2,)
    dx1 = ...  # (e, n1)
    dz1 = ...  # (e, n1)
    dW1 = ...  # (n1, n0)
    db1 = ...  # (n1,)
    return {"dz2": dz2, "dW2": dW2, "db2": db2, "dx1": dx1, "dz1": dz1, "dW1": dW1, "db1": db1}
