"""Networks derived by hand, of all sizes, as one right claim each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import Report, check_gradients
from manual import row_major
from manual.activations import SIGMOID
from manual.deep_row_major import DeepRowMajor

Arrays = dict[str, Any]
# Units of each layer and examples of the two-layer network, by the number of parameters.
SIZES = {
    21: ((3, 4, 1), 5),
    940: ((20, 30, 10), 20),
    23_860: ((784, 30, 10), 100),
    238_510: ((784, 300, 10), 100),
    2_385_010: ((784, 3000, 10), 100),
}
LARGEST = {23_850_010: ((784, 30_000, 10), 100)}
# Of networks of other forms, with about as many parameters as the third.
FORMS = {
    "tall: 2000 examples of 20 units": ((20, 200, 90, 10), 2000),
    "wide: 5 examples of 2000 units": ((2000, 11, 80, 10), 5),
    "deep: eight layers of 50 units": ((50,) * 9, 100),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A forward that returns one or more numbers, its claimed backward, and a point.

    claim: how `check_gradients` is told of the backward.
    """

    forward: Callable[[Arrays], Any]
    backward: Callable[..., Any]
    params: Arrays
    claim: Arrays

    @property
    def size(self) -> int:
        return sum(value.size for value in self.params.values())

    def check(self, **options: Any) -> Report:
        return check_gradients(self.forward, self.params, **self.claim, **options)


def two_layers(sizes: tuple[int, int, int], examples: int, off_by: float = 0.0) -> Problem:
    """The two-layer network; off_by: what one entry of dW1 is off by, as a share of the largest."""
    X, Y, params = _drawn(row_major.initialise(sizes, 0), sizes, examples)

    def backward(params: Arrays) -> Arrays:
        gradients = row_major.backward(params, row_major.forward(params, X), X, Y)
        if off_by:
            gradients["dW1"][1, 2] += off_by * np.abs(gradients["dW1"]).max()
        return gradients

    return Problem(
        forward=lambda params: row_major.loss(params, X, Y),
        backward=backward,
        params=params,
        claim={"gradients": backward},
    )


def layers(sizes: tuple[int, ...], examples: int) -> Problem:
    """The network of any number of layers."""
    network = DeepRowMajor(hidden=(SIGMOID,) * (len(sizes) - 2))
    X, Y, params = _drawn(network.initialise(sizes, 0), sizes, examples)

    def backward(params: Arrays) -> Arrays:
        return network.backward(params, network.forward(params, X), X, Y)

    return Problem(
        forward=lambda params: network.loss(params, X, Y),
        backward=backward,
        params=params,
        claim={"gradients": backward},
    )


def affine(inputs: int = 200, units: int = 100, examples: int = 100) -> Problem:
    """A layer that returns examples x units numbers."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((examples, inputs))
    params = {"W": rng.standard_normal((inputs, units)), "b": rng.standard_normal(units)}

    def vjp(u: Any, _: Arrays) -> Arrays:
        return {"W": X.T @ u, "b": u.sum(axis=0)}

    u = np.ones((examples, units))
    return Problem(
        forward=lambda params: X @ params["W"] + params["b"],
        backward=lambda params: vjp(u, params),
        params=params,
        claim={"vjp": vjp},
    )


def _drawn(params: Arrays, sizes: tuple[int, ...], examples: int) -> tuple[Any, Any, Arrays]:
    """Data, labels, and weights of a size that saturates no unit."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((examples, sizes[0])), np.round(rng.random((examples, sizes[-1])))
    return X, Y, {name: value / np.sqrt(value.shape[0]) for name, value in params.items()}
