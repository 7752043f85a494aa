"""The two-layer network as a user writes it: its cost, and its backward line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from manual.types import Array, Arrays
from properties.mistakes.layouts import Activation, Layout, Product

LOSSES = ("cross-entropy", "squared", "softmax")
HIDDEN = ("sigmoid", "tanh", "relu")
Values = Any  # a SimpleNamespace of all that a backward has at hand


def sigmoid(Z: Array) -> Array:
    return 1 / (1 + np.exp(-Z))


def relu(Z: Array) -> Array:
    return np.maximum(Z, 0)


ACTIVATIONS: Mapping[str, Activation] = {"sigmoid": sigmoid, "tanh": np.tanh, "relu": relu}

SLOPES: Mapping[str, Activation] = {
    "sigmoid": lambda Z: sigmoid(Z) * (1 - sigmoid(Z)),
    "tanh": lambda Z: 1 - np.tanh(Z) ** 2,
    "relu": lambda Z: (Z > 0).astype(float),
}

# The right backward in order. dZ2 and what follows are derivatives of the mean loss.
LINES: Mapping[str, Callable[[Values], Array]] = {
    "dZ2": lambda v: v.error * v.slope_out / v.m,
    "dW2": lambda v: v.weights(v.A1, v.dZ2) + v.decay * v.W2,
    "db2": lambda v: v.total(v.dZ2),
    "dA1": lambda v: v.inputs(v.W2, v.dZ2),
    "dZ1": lambda v: v.dA1 * v.mask * v.slope(v.Z1),
    "dW1": lambda v: v.weights(v.X, v.dZ1) + v.decay * v.W1,
    "db1": lambda v: v.total(v.dZ1),
    "dX": lambda v: v.inputs(v.W1, v.dZ1),
}


@dataclass(frozen=True, eq=False)
class Network:
    """Layout, loss, hidden activation, weight decay and dropout mask (laid out as A1; 1 for none).

    The mask is closed over, and carries its 1 / (1 - p).
    """

    layout: Layout
    loss: str
    hidden: str
    decay: float
    mask: Array | float

    def activate(self, Z: Array) -> Array:
        return ACTIVATIONS[self.hidden](Z) * self.mask

    def output(self, Z: Array) -> Array:
        if self.loss != "softmax":
            return sigmoid(Z)
        units = self.layout.units
        E = np.exp(Z - Z.max(axis=units, keepdims=True))
        return E / E.sum(axis=units, keepdims=True)

    def cost(self, params: Arrays, X: Array, Y: Array) -> Any:
        """The loss, mean over the examples, with decay/2 of the squared weights."""
        m = X.shape[self.layout.examples]
        _, _, _, A2 = self.layout.forward(params, X, self.hidden_layer, self.output)
        if self.loss == "cross-entropy":
            loss = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
        elif self.loss == "squared":
            loss = np.sum((A2 - Y) ** 2) / (2 * m)
        else:
            loss = -np.sum(Y * np.log(A2)) / m
        if self.decay:
            loss = loss + self.decay / 2 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
        return loss

    @property
    def hidden_layer(self) -> Activation:
        """The activation alone where nothing is dropped."""
        return ACTIVATIONS[self.hidden] if isinstance(self.mask, float) else self.activate

    def values(self, params: Arrays, X: Array, Y: Array) -> Values:
        """Everything that a backward may use, by the names of the lectures."""
        layout = self.layout
        Z1, A1, Z2, A2 = layout.forward(params, X, self.hidden_layer, self.output)
        axis = layout.examples

        def weights(A: Array, dZ: Array, product: Product = np.matmul) -> Array:
            return layout.weights(A, dZ, product)

        def inputs(W: Array, dZ: Array, product: Product = np.matmul) -> Array:
            return layout.inputs(W, dZ, product)

        def only(A: Array, examples: slice) -> Array:
            return A[examples] if axis == 0 else A[:, examples]

        return SimpleNamespace(
            **params,
            X=X,
            Y=Y,
            Z1=Z1,
            A1=A1,
            Z2=Z2,
            A2=A2,
            error=A2 - Y,
            slope_out=A2 * (1 - A2) if self.loss == "squared" else 1.0,
            m=X.shape[axis],
            n_out=Y.shape[layout.units],
            decay=self.decay,
            mask=self.mask,
            activation=ACTIVATIONS[self.hidden],
            slope=SLOPES[self.hidden],
            examples=axis,
            weights=weights,
            inputs=inputs,
            only=only,
            total=lambda dZ: dZ.sum(axis=axis, keepdims=True),
        )
