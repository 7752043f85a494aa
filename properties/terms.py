"""How large the terms are that a gradient is summed from: the unit of its rounding."""

import numpy as np

from manual import row_major
from manual.activations import sigmoid_derivative
from manual.types import Array
from properties.problems import Problem


def sizes_of_terms(problem: Problem) -> dict[str, float]:
    """The largest sum of absolute values that each gradient is summed from."""
    params, X, Y = problem.rows
    gradients = row_major.backward(params, cache := row_major.forward(params, X), X, Y)

    def column_sums(left: Array, right: Array) -> float:
        return float((np.abs(left).T @ np.abs(right)).max())

    ones = np.ones((problem.m, 1))
    # dA1 is itself a sum, over the outputs: its terms, not what they leave.
    dZ1 = (np.abs(gradients["dZ2"]) @ np.abs(params["W2"]).T) * sigmoid_derivative(cache["Z1"])
    return {
        "W2": column_sums(cache["A1"], gradients["dZ2"]),
        "b2": column_sums(ones, gradients["dZ2"]),
        "W1": column_sums(X, dZ1),
        "b1": column_sums(ones, dZ1),
    }
