"""The two-layer network, one example a row: Z = X W + b.

    X (m, n0)   W1 (n0, n1)   b1 (1, n1)   W2 (n1, n2)   b2 (1, n2)   Y (m, n2)

Hidden and output units are sigmoid, the loss is the mean binary cross-entropy.
Source: `rowmajor`, three layers; biases are rows, not the columns printed there (erratum E7).
"""

from manual import initialisation
from manual.activations import sigmoid, sigmoid_derivative
from manual.losses import binary_cross_entropy, binary_cross_entropy_delta
from manual.types import Array, Arrays, Scalar, floats
from manual.validation import check_sizes

EXAMPLES = 0  # the axis that numbers them


def initialise(sizes: tuple[int, int, int], seed: int) -> Arrays:
    """Weights from N(0, 1) by the recorded seed, biases 0 (equation S16). ValueError unless sizes are 3."""
    check_sizes(sizes, layers=3)
    return initialisation.row_major(sizes, seed)


def forward(params: Arrays, X: Array) -> Arrays:
    """Every intermediate by name: Z1, A1 (m, n1) and Z2, A2 (m, n2).

    Z1 = X W1 + b1    A1 = sigmoid(Z1)    Z2 = A1 W2 + b2    A2 = sigmoid(Z2)

    Equations R1 to R4.
    """
    Z1 = floats(X) @ params["W1"] + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = sigmoid(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def loss(params: Arrays, X: Array, Y: Array) -> Scalar:
    """Mean over the m examples of the cross-entropy summed over the outputs (equation R5)."""
    return binary_cross_entropy(forward(params, X)["Z2"], Y, EXAMPLES)


def backward(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    """Gradients of `loss`, in backward order.

        dZ2 = (A2 - Y) / m              (m, n2)
        dW2 = A1.T dZ2                  (n1, n2)
        db2 = sum of dZ2 over axis 0    (1, n2)
        dA1 = dZ2 W2.T                  (m, n1)
        dZ1 = dA1 * sigmoid'(Z1)        (m, n1)
        dW1 = X.T dZ1                   (n0, n1)
        db1 = sum of dZ1 over axis 0    (1, n1)

    Equations R6 to R12; `rowmajor`, summary for three layers. The 1/m sits in dZ2, so that dZ2 and dZ1
    are derivatives of the mean loss as well (erratum E8), and the biases are rows (E7).
    """
    dZ2 = binary_cross_entropy_delta(cache["Z2"], Y, EXAMPLES)
    dW2 = cache["A1"].T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 * sigmoid_derivative(cache["Z1"])
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}


def predict(params: Arrays, X: Array) -> Array:
    """Labels 0 or 1 (m, n2): 1 where A2 is at least one half."""
    A2 = forward(params, X)["A2"]
    return (A2 >= 0.5).astype(A2.dtype)
