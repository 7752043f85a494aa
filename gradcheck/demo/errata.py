"""A formula as the documents print it, put before the checker."""

from __future__ import annotations

from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.report import Report
from manual import column_major, xor
from manual.types import Array, Arrays

SIZES = (2, 2, 1)


def xor_as_printed(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The last lines of the `xor` document, with erratum E3: dL/dZ2 = A2 - Y has lost its 1/m.

    Transposes, matrix products and the sum over examples are put right (E1, E2), so that the
    lost 1/m is all that is wrong.
    """
    cache = column_major.forward(params, X)
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dZ1 = (params["W2"].T @ dZ2) * A1 * (1 - A1)
    return {
        "dW2": dZ2 @ A1.T,
        "db2": dZ2.sum(axis=1, keepdims=True),
        "dW1": dZ1 @ X.T,
        "db1": dZ1.sum(axis=1, keepdims=True),
    }


def lost_batch_mean(seed: int) -> Report:
    """The verdict on erratum E3 at the document's own XOR inputs."""
    from gradcheck import reference

    return check_gradients(
        column_major.loss,
        column_major.initialise(SIZES, seed),
        constant(xor.X.T),
        constant(xor.Y.T),
        gradients=xor_as_printed,
        reference=reference.column_major_loss,
        seed=seed,
    )
