"""The documents' networks judged three ways: by hand, by JAX, by finite differences."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.report import Report
from manual import column_major, row_major, slides, squared, xor
from manual.activations import ACTIVATIONS, SIGMOID, Activation, activation_named
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.losses import SOFTMAX
from manual.types import Array, Arrays, Network

Reports = dict[str, Report]  # by what was checked
Twin = Callable[..., Any]
Gradients = Callable[[Arrays, Array, Array], Arrays]
Summary = Callable[[Arrays, Arrays, Array, Array, Activation], Arrays]  # of `slides`, with cache and g1

# Pairwise different: equal lengths would hide transposes and missing sums.
EXAMPLES = 5
SIZES = (3, 4, 2)
LECTURE_SIZES = (3, 4, 1)  # those of `rowmajor`


def shallow(seed: int) -> Reports:
    """The two-layer network in the document's layout and in the other one."""
    from gradcheck import reference

    X, Y = batch(SIZES, seed)
    columns, rows = column_major.initialise(SIZES, seed), row_major.initialise(SIZES, seed)
    return {
        "column-major": three_ways(column_major, reference.column_major_loss, columns, X.T, Y.T, seed),
        "row-major": three_ways(row_major, reference.row_major_loss, rows, X, Y, seed),
    }


def exclusive_or(seed: int) -> Reports:
    """The same network at the four examples of XOR."""
    from gradcheck import reference

    params = column_major.initialise((2, 2, 1), seed)
    twin = reference.column_major_loss
    return {"column-major": three_ways(column_major, twin, params, xor.X.T, xor.Y.T, seed)}


def general_activations(seed: int) -> Reports:
    """`slides` with every hidden activation: its summaries for one example and for n, as printed there."""
    X, Y = batch(SIZES, seed)

    def report(summary: Summary, g1: Activation, X: Array, Y: Array) -> Report:
        network = slides.network(g1)

        def printed(params: Arrays, X: Array, Y: Array) -> Arrays:
            return summary(params, network.forward(params, X), X, Y, g1)

        params = network.initialise(SIZES, seed)
        return three_ways(network, _twin(network), params, X.T, Y.T, seed, printed)

    return {"one example": report(slides.one_example, SIGMOID, X[:1], Y[:1])} | {
        g.name: report(slides.n_examples, g, X, Y) for g in ACTIVATIONS
    }


def three_and_four_layers(seed: int) -> Reports:
    """`rowmajor`: sizes 3-4-1 and 3-4-2-1, and the transpose of the former."""
    X, Y = batch(LECTURE_SIZES, seed)
    three = DeepRowMajor(hidden=(SIGMOID,))
    columns = DeepColumnMajor(hidden=(SIGMOID,))
    four = DeepRowMajor(hidden=(activation_named("tanh"), SIGMOID))

    def report(network: DeepRowMajor | DeepColumnMajor, sizes: tuple[int, ...], X: Array, Y: Array) -> Report:
        return three_ways(network, _twin(network), network.initialise(sizes, seed), X, Y, seed)

    return {
        "3-4-1, rows": report(three, LECTURE_SIZES, X, Y),
        "3-4-1, columns": report(columns, LECTURE_SIZES, X.T, Y.T),
        "3-4-2-1, rows": report(four, (3, 4, 2, 1), X, Y),
    }


def index_notation(seed: int) -> Reports:
    """`squared`: the summed squared error of one example and of a batch."""
    from gradcheck import reference

    X, Y = batch(SIZES, seed)
    params, twin = squared.initialise(SIZES, seed), reference.summed_squared_error
    return {
        "one example": three_ways(squared, twin, params, X[:1], Y[:1], seed),
        "batch, summed": three_ways(squared, twin, params, X, Y, seed),
    }


def beside(seed: int) -> Reports:
    """What the documents leave out: softmax with cross-entropy, and weight decay."""
    X, _ = batch(SIZES, seed)
    classes = np.eye(SIZES[-1])[np.random.default_rng(seed).integers(SIZES[-1], size=EXAMPLES)]
    softmax = DeepRowMajor(hidden=(SIGMOID,), output=SOFTMAX)
    decayed = DeepRowMajor(hidden=(SIGMOID,), output=SOFTMAX, decay=0.1)
    params = softmax.initialise(SIZES, seed)
    return {
        "softmax": three_ways(softmax, _twin(softmax), params, X, classes, seed),
        "with decay": three_ways(decayed, _twin(decayed), params, X, classes, seed),
    }


def three_ways(
    network: Network,
    twin: Twin,
    params: Arrays,
    X: Array,
    Y: Array,
    seed: int,
    gradients: Gradients | None = None,
) -> Report:
    """Gradients by hand (the network's own, or those given) beside JAX's and finite differences."""

    def by_hand(params: Arrays, X: Array, Y: Array) -> Arrays:
        return network.backward(params, network.forward(params, X), X, Y)

    return check_gradients(
        network.loss,
        params,
        constant(X),
        constant(Y),
        gradients=gradients or by_hand,
        reference=twin,
        oracles=("autodiff", "finite-difference"),  # by name: each says all it can, entry by entry
        seed=seed,
    )


def batch(sizes: tuple[int, ...], seed: int) -> tuple[Array, Array]:
    """Random inputs and labels 0 or 1, one example a row."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((EXAMPLES, sizes[0])), np.round(rng.random((EXAMPLES, sizes[-1])))


def _twin(network: DeepRowMajor | DeepColumnMajor) -> Twin:
    """The same network in jax.numpy."""
    from gradcheck import reference

    return functools.partial(
        reference.deep_loss,
        hidden=tuple(g.name for g in network.hidden),
        output=network.output.name,
        decay=network.decay,
        examples=network.EXAMPLES,
    )
