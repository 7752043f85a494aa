"""Exercise `shallow`: one hidden layer, column-major, mean binary cross-entropy.

    X (n0, m)   W1 (n1, n0)   b1 (n1, 1)   W2 (n2, n1)   b2 (n2, 1)   Y (n2, m)

An example is a column. Put a formula in place of every `...` of `backward`; the rest may stay as it is.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, X):
    Z1 = params["W1"] @ X + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": sigmoid(Z2)}


def loss(params, X, Y):
    """Mean over the m examples of the cross-entropy summed over the outputs."""
    A2 = forward(params, X)["A2"]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]


def backward(params, X, Y):
    """Derivatives of the loss, each by what it is named after: dZ2 is that by Z2, its 1/m included."""
    cache = forward(params, X)
    dZ2 = ...  # (n2, m)
    dW2 = ...  # (n2, n1)
    db2 = ...  # (n2, 1)
    dA1 = ...  # (n1, m)
    dZ1 = ...  # (n1, m)
    dW1 = ...  # (n1, n0)
    db1 = ...  # (n1, 1)
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
