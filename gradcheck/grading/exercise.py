"""The exercises: of each document the network, a point drawn at random, and the lines of its backward.

The networks are written here a second time, apart from what students get, with a place where each
intermediate can be shifted: the derivative by the shift is what the line of that name claims. What is
right is thus not stored anywhere; it is differentiated when a submission is judged.
"""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.claim import Array

Arrays = dict[str, Array]
Run = Callable[[Mapping[str, Any], Mapping[str, Any], Array, Array], tuple[Any, dict[str, Any]]]
SKELETONS = pathlib.Path(__file__).parent / "exercises"

# Pairwise different, and none of them 2: equal lengths hide transposes, and whose factor it is.
EXAMPLES = 5
SIZES = (6, 4, 3)
FOUR_LAYERS = (6, 4, 7, 3)
HIDDEN_UNITS_OF_XOR = 3  # and not the 2 of the document, where W1 is square
LABELS = (0.0, 1.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a submission is judged."""

    params: Arrays
    X: Array
    Y: Array


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A network whose backward is to be derived.

    run(params, shifts, X, Y) -> (loss, intermediates by name); a shift is added to the intermediate of its
    name. lines: what a backward computes, in its order, without the d: parameters and intermediates.
    """

    id: str
    title: str
    lines: tuple[str, ...]
    run: Run
    draw: Callable[[int], Point]

    @property
    def skeleton(self) -> str:
        """The file that a student begins with."""
        return (SKELETONS / f"{self.id}.py").read_text(encoding="utf-8")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The lines that count: gradients of weights and biases."""
        return tuple(line for line in self.lines if is_parameter(line))

    def source(self, parameter: str) -> str:
        """The intermediate from whose derivative that of a parameter is computed: Z1 for W1 and b1."""
        before = self.lines[: self.lines.index(parameter)]
        return next(line for line in reversed(before) if not is_parameter(line))


def is_parameter(line: str) -> bool:
    """Whether a line is a parameter's; the others are intermediates'."""
    return line[0] in "Wb"


def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)), at numbers of order 1."""
    return 1 / (1 + np.exp(-z))


def cross_entropies(z: Any, labels: Array) -> Any:
    """-(y log a + (1 - y) log(1 - a)) with a = sigmoid(z), written as log(1 + exp(z)) - y z."""
    return np.logaddexp(0, z) - labels * z


def columns(activation: Callable[[Any], Any]) -> Run:
    """`shallow`, `xor` and `slides`: Z = W X + b, one example a column."""

    def run(params: Mapping[str, Any], shifts: Mapping[str, Any], X: Array, Y: Array) -> tuple[Any, Any]:
        Z1 = params["W1"] @ X + params["b1"] + shifts.get("Z1", 0)
        A1 = activation(Z1) + shifts.get("A1", 0)
        Z2 = params["W2"] @ A1 + params["b2"] + shifts.get("Z2", 0)
        return cross_entropies(Z2, Y).sum() / X.shape[1], {"Z1": Z1, "A1": A1, "Z2": Z2}

    return run


def rows(
    params: Mapping[str, Any], shifts: Mapping[str, Any], X: Array, Y: Array
) -> tuple[Any, dict[str, Any]]:
    """`rowmajor` with four layers: Z = A W + b, one example a row."""
    Z1 = X @ params["W1"] + params["b1"] + shifts.get("Z1", 0)
    A1 = sigmoid(Z1) + shifts.get("A1", 0)
    Z2 = A1 @ params["W2"] + params["b2"] + shifts.get("Z2", 0)
    A2 = sigmoid(Z2) + shifts.get("A2", 0)
    Z3 = A2 @ params["W3"] + params["b3"] + shifts.get("Z3", 0)
    return cross_entropies(Z3, Y).sum() / X.shape[0], {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "Z3": Z3}


def squares(
    params: Mapping[str, Any], shifts: Mapping[str, Any], X: Array, Y: Array
) -> tuple[Any, dict[str, Any]]:
    """`squared`: z_ej = W_ji x_ei + b_j, the squared errors summed."""
    z1 = X @ params["W1"].T + params["b1"] + shifts.get("z1", 0)
    x1 = sigmoid(z1) + shifts.get("x1", 0)
    z2 = x1 @ params["W2"].T + params["b2"] + shifts.get("z2", 0)
    return ((Y - sigmoid(z2)) ** 2).sum(), {"z1": z1, "x1": x1, "z2": z2}


def row_point(seed: int, sizes: tuple[int, ...] = SIZES) -> Point:
    """Weights, biases and inputs from N(0, 1), every output with labels of both kinds."""
    rng = np.random.default_rng(seed)
    params: Arrays = {}
    for layer, (below, above) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{layer}"] = rng.standard_normal((below, above))
        params[f"b{layer}"] = rng.standard_normal((1, above))
    labels = rng.permuted(np.tile(np.array(LABELS)[:, np.newaxis], sizes[-1]), axis=0)
    return Point(params=params, X=rng.standard_normal((EXAMPLES, sizes[0])), Y=labels)


def column_point(seed: int, sizes: tuple[int, ...] = SIZES) -> Point:
    """The same with an example a column."""
    point = row_point(seed, sizes)
    params = {name: value.T.copy() for name, value in point.params.items()}
    return Point(params=params, X=point.X.T.copy(), Y=point.Y.T.copy())


def xor_point(seed: int) -> Point:
    """Random weights at the four examples of XOR."""
    params = column_point(seed, (2, HIDDEN_UNITS_OF_XOR, 1)).params
    X, Y = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    return Point(params=params, X=X, Y=Y)


def index_point(seed: int) -> Point:
    """W (above, below) and b (above,), one example a row."""
    point = row_point(seed)
    params = {name: value.T.copy() if name[0] == "W" else value[0] for name, value in point.params.items()}
    return Point(params=params, X=point.X, Y=point.Y)


TWO_LAYERS = ("Z2", "W2", "b2", "A1", "Z1", "W1", "b1")

EXERCISES = (
    Exercise(
        id="shallow",
        title="one hidden layer, column-major, binary cross-entropy",
        lines=TWO_LAYERS,
        run=columns(sigmoid),
        draw=column_point,
    ),
    Exercise(
        id="xor", title="the same network on XOR", lines=TWO_LAYERS, run=columns(sigmoid), draw=xor_point
    ),
    Exercise(
        id="slides",
        title="hidden activation g1 = tanh, column-major",
        lines=TWO_LAYERS,
        run=columns(np.tanh),
        draw=column_point,
    ),
    Exercise(
        id="rowmajor",
        title="four layers, row-major",
        lines=("Z3", "W3", "b3", "A2", *TWO_LAYERS),
        run=rows,
        draw=lambda seed: row_point(seed, FOUR_LAYERS),
    ),
    Exercise(
        id="squared",
        title="squared error in index notation",
        lines=("z2", "W2", "b2", "x1", "z1", "W1", "b1"),
        run=squares,
        draw=index_point,
    ),
)
