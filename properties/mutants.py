"""Wrong gradients of the two-layer network, row-major, each one a mistake that people make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual import row_major
from manual.types import Array, Arrays

Mutant = Callable[[Arrays, Arrays, Array, Array], Arrays]


def backward(
    params: Arrays,
    X: Array,
    *,
    dZ2: Array,
    A1: Array,
    slope: Array,
    W2: Array | None = None,
) -> Arrays:
    """The right chain from a given dZ2, with a given A1 and derivative of the hidden activation."""
    dZ1 = (dZ2 @ (params["W2"] if W2 is None else W2).T) * slope
    return {
        "W2": A1.T @ dZ2,
        "b2": dZ2.sum(axis=0, keepdims=True),
        "W1": X.T @ dZ1,
        "b1": dZ1.sum(axis=0, keepdims=True),
    }


def parts(cache: Arrays, Y: Array) -> tuple[Array, Array, Array]:
    """dZ2, A1 and the slope a (1 - a) as they should be."""
    A1, A2 = cache["A1"], cache["A2"]
    return (A2 - Y) / len(Y), A1, A1 * (1 - A1)


def right(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, slope = parts(cache, Y)
    return backward(params, X, dZ2=dZ2, A1=A1, slope=slope)


def batch_mean_lost(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return {name: len(X) * value for name, value in right(params, cache, X, Y).items()}


def batch_mean_twice(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return {name: value / len(X) for name, value in right(params, cache, X, Y).items()}


def factor_of_two(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return {name: 2 * value for name, value in right(params, cache, X, Y).items()}


def sign_flipped(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return {name: -value for name, value in right(params, cache, X, Y).items()}


def squared_error_delta(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, slope = parts(cache, Y)
    return backward(params, X, dZ2=dZ2 * cache["A2"] * (1 - cache["A2"]), A1=A1, slope=slope)


def activation_missing(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, slope = parts(cache, Y)
    return backward(params, X, dZ2=dZ2, A1=A1, slope=np.ones_like(slope))


def derivative_at_activation(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, _ = parts(cache, Y)
    twice = 1 / (1 + np.exp(-A1))
    return backward(params, X, dZ2=dZ2, A1=A1, slope=twice * (1 - twice))


def tanh_derivative(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, _ = parts(cache, Y)
    return backward(params, X, dZ2=dZ2, A1=A1, slope=1 - A1**2)


def bias_averaged(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    found = right(params, cache, X, Y)
    return found | {"b1": found["b1"] / len(X), "b2": found["b2"] / len(X)}


def batch_not_summed(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return right(params, cache, X, Y) | {"b2": parts(cache, Y)[0]}


def last_example_only(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, slope = parts(cache, Y)
    return backward(params, X[-1:], dZ2=dZ2[-1:], A1=A1[-1:], slope=slope[-1:])


def updated_weights(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    dZ2, A1, slope = parts(cache, Y)
    stepped = params["W2"] - 0.1 * A1.T @ dZ2
    return backward(params, X, dZ2=dZ2, A1=A1, slope=slope, W2=stepped)


def regularised(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    found = right(params, cache, X, Y)
    return found | {"W1": found["W1"] + 0.01 * params["W1"]}


def label_branch_missing(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    _, A1, slope = parts(cache, Y)
    return backward(params, X, dZ2=-Y * (1 - cache["A2"]) / len(X), A1=A1, slope=slope)


def zero(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    return {name: np.zeros_like(value) for name, value in params.items()}


def one_entry(params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
    """Right but for one part in a hundred thousand of the largest entry of W1."""
    found = right(params, cache, X, Y)
    W1 = found["W1"].copy()
    W1.flat[np.argmax(np.abs(W1))] *= 1 + 1e-5
    return found | {"W1": W1}


MUTANTS: tuple[Mutant, ...] = (
    batch_mean_lost,
    batch_mean_twice,
    factor_of_two,
    sign_flipped,
    squared_error_delta,
    activation_missing,
    derivative_at_activation,
    tanh_derivative,
    bias_averaged,
    batch_not_summed,
    last_example_only,
    updated_weights,
    regularised,
    label_branch_missing,
    zero,
    one_entry,
)


def claim(mutant: Mutant) -> Callable[[Arrays, Array, Array], Arrays]:
    """A mutant as the `gradients=` of a loss over (params, X, Y)."""

    def gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
        return mutant(params, row_major.forward(params, X), X, Y)

    return gradients
