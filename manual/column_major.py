"""The two-layer network, one example a column: Z = W X + b.

    X (n0, m)   W1 (n1, n0)   b1 (n1, 1)   W2 (n2, n1)   b2 (n2, 1)   Y (n2, m)

Hidden and output units are sigmoid, the loss is the mean binary cross-entropy.
Every array is the transpose of its twin in `row_major.py`. Source: `shallow`, `xor`.
"""

from manual import initialisation
from manual.activations import sigmoid, sigmoid_derivative
from manual.losses import binary_cross_entropy, binary_cross_entropy_delta
from manual.types import Array, Arrays, Scalar, floats
from manual.validation import check_sizes

EXAMPLES = 1  # the axis that numbers them


def initialise(sizes: tuple[int, int, int], seed: int) -> Arrays:
    """Weights from N(0, 1) by the recorded seed, biases 0 (equation S16). ValueError unless sizes are 3."""
    check_sizes(sizes, layers=3)
    return initialisation.column_major(sizes, seed)


def forward(params: Arrays, X: Array) -> Arrays:
    """Every intermediate by name: Z1, A1 (n1, m) and Z2, A2 (n2, m).

    Z1 = W1 X + b1    A1 = sigmoid(Z1)    Z2 = W2 A1 + b2    A2 = sigmoid(Z2)

    Equations S1 to S4.
    """
    Z1 = params["W1"] @ floats(X) + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    A2 = sigmoid(Z2)
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def loss(params: Arrays, X: Array, Y: Array) -> Scalar:
    """Mean over the m examples of the cross-entropy summed over the outputs (equation S5)."""
    return binary_cross_entropy(forward(params, X)["Z2"], Y, EXAMPLES)


def backward(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    """Gradients of `loss`, in backward order.

        dZ2 = (A2 - Y) / m              (n2, m)
        dW2 = dZ2 A1.T                  (n2, n1)
        db2 = sum of dZ2 over axis 1    (n2, 1)
        dA1 = W2.T dZ2                  (n1, m)
        dZ1 = dA1 * sigmoid'(Z1)        (n1, m)
        dW1 = dZ1 X.T                   (n1, n0)
        db1 = sum of dZ1 over axis 1    (n1, 1)

    Equations S6 to S12; `shallow`, section 4, whose products have neither transposes (erratum E1) nor the
    sum over the examples (E2); `xor` loses the 1/m in its last lines as well (E3).
    """
    dZ2 = binary_cross_entropy_delta(cache["Z2"], Y, EXAMPLES)
    dW2 = dZ2 @ cache["A1"].T
    db2 = dZ2.sum(axis=1, keepdims=True)
    dA1 = params["W2"].T @ dZ2
    dZ1 = dA1 * sigmoid_derivative(cache["Z1"])
    dW1 = dZ1 @ X.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}


def predict(params: Arrays, X: Array) -> Array:
    """Labels 0 or 1 (n2, m): 1 where A2 is at least one half."""
    A2 = forward(params, X)["A2"]
    return (A2 >= 0.5).astype(A2.dtype)
