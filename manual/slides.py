"""The summaries of `slides` as they are printed: one example, and n examples with the 1/n in the parameters.

    X (n0, n)   W1 (n1, n0)   b1 (n1, 1)   W2 (n2, n1)   b2 (n2, 1)   Y (n2, n)

Column-major, any hidden activation g1, sigmoid output, binary cross-entropy. The parameter
gradients are right; `n_examples` returns intermediates that are n times the derivatives of J
that they are named after (erratum E5). `DeepColumnMajor` has the 1/n where it belongs.
"""

from manual.activations import Activation
from manual.deep_column_major import DeepColumnMajor
from manual.types import Array, Arrays
from manual.validation import check_one_example, labels_for


def network(g1: Activation) -> DeepColumnMajor:
    """The network of the document: one hidden layer with activation g1."""
    return DeepColumnMajor(hidden=(g1,))


def one_example(params: Arrays, cache: Arrays, x: Array, y: Array, g1: Activation) -> Arrays:
    """Gradients of the loss of a single example; x (n0, 1) and y (n2, 1) are columns.

    dz2 = a2 - y                   (n2, 1)
    dW2 = dz2 a1.T                 (n2, n1)
    db2 = dz2                      (n2, 1)
    dz1 = W2.T dz2 * g1'(z1)       (n1, 1)
    dW1 = dz1 x.T                  (n1, n0)
    db1 = dz1                      (n1, 1)

    Equations G5 to G11. ValueError for more than one example, and for labels that do not fit.
    """
    check_one_example(x)
    dz2 = cache["A2"] - labels_for(cache["A2"], y)
    dz1 = (params["W2"].T @ dz2) * g1.derivative(cache["Z1"])
    return {"dZ2": dz2, "dW2": dz2 @ cache["A1"].T, "db2": dz2, "dZ1": dz1, "dW1": dz1 @ x.T, "db1": dz1}


def n_examples(params: Arrays, cache: Arrays, X: Array, Y: Array, g1: Activation) -> Arrays:
    """Gradients of J, the mean loss of n examples, with the 1/n where the document puts it.

    dZ2 = A2 - Y                                   n dJ/dZ2 (E5)
    dW2 = (1/n) dZ2 A1.T                           dJ/dW2
    db2 = (1/n) sum of dZ2 over axis 1             dJ/db2
    dZ1 = W2.T (A2 - Y) * g1'(Z1)                  n dJ/dZ1 (E5)
    dW1 = (1/n) dZ1 X.T                            dJ/dW1
    db1 = (1/n) sum of dZ1 over axis 1             dJ/db1

    Equations G18 to G20. ValueError for labels that do not fit.
    """
    n = X.shape[1]
    dZ2 = cache["A2"] - labels_for(cache["A2"], Y)
    dZ1 = (params["W2"].T @ dZ2) * g1.derivative(cache["Z1"])
    return {
        "dZ2": dZ2,
        "dW2": dZ2 @ cache["A1"].T / n,
        "db2": dZ2.sum(axis=1, keepdims=True) / n,
        "dZ1": dZ1,
        "dW1": dZ1 @ X.T / n,
        "db1": dZ1.sum(axis=1, keepdims=True) / n,
    }
