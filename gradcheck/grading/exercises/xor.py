"""Exercise `xor`: one hidden layer at the table of XOR, column-major, mean binary cross-entropy.

    X (2, 4)   W1 (n1, 2)   b1 (n1, 1)   W2 (1, n1)   b2 (1, 1)   Y (1, 4)

An example is a column: X = [[0, 0, 1, 1], [0, 1, 0, 1]], Y = [[0, 1, 1, 0]].
Put a formula in place of every `...` of `backward`; the rest may stay as it is.
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
    """Mean of the cross-entropy over the four examples."""
    A2 = forward(params, X)["A2"]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]


def backward(params, X, Y):
    """Derivatives of the loss, each by what it is named after: dZ2 is that by Z2, its 1/4 included."""
    cache = forward(params, X)
    dZ2 = ...  # (1, 4)
    dW2 = ...  # (1, n1)
    db2 = ...  # (1, 1)
    dA1 = ...  # (n1, 4)
    dZ1 = ...  # (n1, 4)
    dW1 = ...  # (n1, 2)
    db1 = ...  # (n1, 1)
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
