"""The four layouts of a linear layer: one example a row or a column, weights (in, out) or (out, in)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from manual.types import Array, Arrays

Activation = Callable[[Array], Array]
Product = Callable[[Array, Array], Any]  # matrix product, or what somebody took for it
Cache = tuple[Array, Array, Array, Array]  # Z1, A1, Z2, A2


@dataclass(frozen=True)
class Layout:
    """All in which the layouts differ; whatever is made of it holds in each of them.

    examples: the axis that numbers them. flipped: weights are (out, in). forward(params, X, hidden,
    output) -> Z1, A1, Z2, A2. weights(A, dZ, product) -> dW and inputs(W, dZ, product) -> dA.
    """

    name: str
    examples: int
    flipped: bool
    forward: Callable[[Arrays, Array, Activation, Activation], Cache] = field(repr=False)
    weights: Callable[[Array, Array, Product], Array] = field(repr=False)
    inputs: Callable[[Array, Array, Product], Array] = field(repr=False)

    @property
    def units(self) -> int:
        """The axis that numbers a layer's units."""
        return 1 - self.examples

    def turned(self, rows: Array) -> Array:
        """One example a row, laid out as here. Its own inverse."""
        return rows if self.examples == 0 else rows.T.copy()

    def of_rows(self, params: Arrays) -> Arrays:
        """Weights (in, out) and biases (1, out), laid out as here."""
        return {
            name: self.turned(value) if name.startswith("b") else value.T.copy() if self.flipped else value
            for name, value in params.items()
        }


def x_w(params: Arrays, X: Array, hidden: Activation, output: Activation) -> Cache:
    Z1 = X @ params["W1"] + params["b1"]
    A1 = hidden(Z1)
    Z2 = A1 @ params["W2"] + params["b2"]
    A2 = output(Z2)
    return Z1, A1, Z2, A2


def w_x(params: Arrays, X: Array, hidden: Activation, output: Activation) -> Cache:
    Z1 = params["W1"] @ X + params["b1"]
    A1 = hidden(Z1)
    Z2 = params["W2"] @ A1 + params["b2"]
    A2 = output(Z2)
    return Z1, A1, Z2, A2


def x_wt(params: Arrays, X: Array, hidden: Activation, output: Activation) -> Cache:
    Z1 = X @ params["W1"].T + params["b1"]
    A1 = hidden(Z1)
    Z2 = A1 @ params["W2"].T + params["b2"]
    A2 = output(Z2)
    return Z1, A1, Z2, A2


def wt_x(params: Arrays, X: Array, hidden: Activation, output: Activation) -> Cache:
    Z1 = params["W1"].T @ X + params["b1"]
    A1 = hidden(Z1)
    Z2 = params["W2"].T @ A1 + params["b2"]
    A2 = output(Z2)
    return Z1, A1, Z2, A2


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        name="X W",
        examples=0,
        flipped=False,
        forward=x_w,
        weights=lambda A, dZ, product: product(A.T, dZ),
        inputs=lambda W, dZ, product: product(dZ, W.T),
    ),
    Layout(
        name="W X",
        examples=1,
        flipped=True,
        forward=w_x,
        weights=lambda A, dZ, product: product(dZ, A.T),
        inputs=lambda W, dZ, product: product(W.T, dZ),
    ),
    Layout(
        name="X W^T",
        examples=0,
        flipped=True,
        forward=x_wt,
        weights=lambda A, dZ, product: product(dZ.T, A),
        inputs=lambda W, dZ, product: product(dZ, W),
    ),
    Layout(
        name="W^T X",
        examples=1,
        flipped=False,
        forward=wt_x,
        weights=lambda A, dZ, product: product(A, dZ.T),
        inputs=lambda W, dZ, product: product(W, dZ),
    ),
)
