"""The documents' network judged three ways, in both layouts."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.report import Report
from manual import column_major, row_major
from manual.types import Array, Arrays

# Pairwise different and none of them 1: equal lengths would hide transposes and missing sums.
SIZES = (3, 4, 2)
EXAMPLES = 5


def hand_derived(network: ModuleType, params: Arrays, X: Array, Y: Array) -> Arrays:
    """The gradients of `manual/`, intermediates included."""
    return network.backward(params, network.forward(params, X), X, Y)


def three_ways(seed: int) -> dict[str, Report]:
    """One report a layout: hand-derived, JAX and finite differences on the same random problem."""
    from gradcheck import reference

    rng = np.random.default_rng(seed)
    X = rng.standard_normal((EXAMPLES, SIZES[0]))
    Y = (rng.random((EXAMPLES, SIZES[2])) < 0.5).astype(float)

    def report(network: ModuleType, twin: object, X: Array, Y: Array) -> Report:
        return check_gradients(
            network.loss,
            network.initialise(SIZES, seed),
            constant(X),
            constant(Y),
            gradients=lambda params, X, Y: hand_derived(network, params, X, Y),
            reference=twin,  # type: ignore[arg-type]
            seed=seed,
        )

    return {
        "row-major": report(row_major, reference.row_major_loss, X, Y),
        "column-major": report(column_major, reference.column_major_loss, X.T, Y.T),
    }
