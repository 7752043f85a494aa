"""Exercise `rowmajor`: four layers (two of them hidden), row-major, mean binary cross-entropy.

    X (m, n0)   W1 (n0, n1)   b1 (1, n1)   W2 (n1, n2)   b2 (1, n2)   W3 (n2, n3)   b3 (1, n3)   Y (m, n3)

An example is a row. Put a formula in place of every `...` of `backward`; the rest may stay as it is.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, X):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = sigmoid(Z2)
    Z3 = A2 @ params["W3"] + params["b3"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "Z3": Z3, "A3": sigmoid(Z3)}


def loss(params, X, Y):
    """Mean over the m examples of the cross-entropy summed over the outputs."""
    A3 = forward(params, X)["A3"]
    return -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / X.shape[0]


def backward(params, X, Y):
    """Derivatives of the loss, each by what it is named after: dZ3 is that by Z3, its 1/m included."""
    cache = forward(params, X)
    dZ3 = ...  # (m, n3)
    dW3 = ...  # (n2, n3)
    db3 = ...  # (1, n3)
    dA2 = ...  # (m, n2)
    dZ2 = ...  # (m, n2)
    dW2 = ...  # (n1, n2)
    db2 = ...  # (1, n2)
    dA1 = ...  # (m, n1)
    dZ1 = ...  # (m, n1)
    dW1 = ...  # (n0, n1)
    db1 = ...  # (1, n1)
    return {
        **{"dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2, "dZ2": dZ2, "dW2": dW2, "db2": db2},
        **{"dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1},
    }
