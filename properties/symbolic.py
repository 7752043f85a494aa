"""JAX's gradients for any shape from one trace.

XLA compiles anew for every shape, which allows some five examples a second. A trace with symbolic
dimensions, evaluated by NumPy, serves all shapes; `test_symbolic.py` holds it equal to XLA.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.export
import numpy as np

from gradcheck import reference
from gradcheck.tracing.evaluate import compiled
from manual.types import Array, Arrays

Loss = Callable[..., Any]
Output = tuple[str, float]  # a key of reference.OUTPUTS, and the decay

PLAIN: Output = ("binary cross-entropy", 0.0)


def row_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in rows, in float64."""
    return gradients(reference.row_major_loss, 0, params, X, Y)


def column_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in columns, in float64."""
    return gradients(reference.column_major_loss, 1, params, X, Y)


def deep_gradients(
    hidden: tuple[str, ...], output: Output, params: Arrays, X: Array, Y: Array, examples: int
) -> Arrays:
    """The same for any hidden layers and output, by the names of the activations."""
    return gradients(deep_loss(hidden, output, examples), examples, params, X, Y)


@functools.cache
def deep_loss(hidden: tuple[str, ...], output: Output, examples: int) -> Loss:
    """One function an architecture, so that it is traced once."""
    name, decay = output
    return functools.partial(reference.deep_loss, hidden=hidden, output=name, decay=decay, examples=examples)


def gradients(loss: Loss, examples: int, params: Arrays, X: Array, Y: Array) -> Arrays:
    """By every parameter of a network with one example a row (examples = 0) or a column (1)."""
    names = sorted(params)  # the order in which JAX flattens a dictionary
    found = _plan(loss, len(params) // 2, examples)(*(params[name] for name in names), X, Y)
    return dict(zip(names, found, strict=True))


@functools.cache
def _plan(loss: Loss, layers: int, examples: int) -> Callable[..., list[Array]]:
    m, *sizes = jax.export.symbolic_shape(", ".join(["m", *(f"n{i}" for i in range(layers + 1))]))

    def array(first: Any, second: Any) -> jax.ShapeDtypeStruct:
        """An abstract array of these lengths in rows, transposed in columns."""
        return jax.ShapeDtypeStruct((first, second) if examples == 0 else (second, first), np.float64)

    params = {}
    for layer in range(1, layers + 1):
        params[f"W{layer}"] = array(sizes[layer - 1], sizes[layer])
        params[f"b{layer}"] = array(1, sizes[layer])
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(jax.grad(loss))(params, array(m, sizes[0]), array(m, sizes[-1]))
    return compiled(traced)
