"""JAX's gradients for any shape from one compilation.

JAX compiles anew for every shape, which allows some five examples a second. Padding every
array with zeros to one fixed shape and masking the loss is exact: padded inputs and weights
are zero, and examples and outputs that are padding are left out of the sum.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from gradcheck.reference import (
    column_major_logits,
    cross_entropies,
    deep_column_major_logits,
    deep_row_major_logits,
    row_major_logits,
)
from manual.types import Array, Arrays
from properties.problems import LARGEST


def _masked_loss(logits: Any, params: Mapping[str, Any], X: Any, Y: Any, mask: Any, m: Any) -> Any:
    return (mask * cross_entropies(logits(params, X), Y)).sum() / m


_gradient = jax.jit(jax.grad(_masked_loss, argnums=1), static_argnums=0)


def row_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in rows, in float64."""
    return _gradients(row_major_logits, params, X, Y, examples=0)


def column_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in columns, in float64."""
    return _gradients(column_major_logits, params, X, Y, examples=1)


def deep_gradients(hidden: tuple[str, ...], params: Arrays, X: Array, Y: Array, examples: int) -> Arrays:
    """The same for any hidden layers, by the names of their activations."""
    return _gradients(_deep_logits(hidden, examples), params, X, Y, examples)


@functools.cache
def _deep_logits(hidden: tuple[str, ...], examples: int) -> Any:
    logits = (deep_row_major_logits, deep_column_major_logits)[examples]
    return functools.partial(logits, hidden=hidden)


def _gradients(logits: Any, params: Arrays, X: Array, Y: Array, examples: int) -> Arrays:
    padded = {
        # A bias is one example long and broadcasts: that axis stays as it is.
        name: _pad(value, keep=examples if name.startswith("b") else None)
        for name, value in params.items()
    }
    m = float(X.shape[examples])
    with jax.enable_x64(True):
        found = _gradient(logits, padded, _pad(X), _pad(Y), _pad(np.ones(Y.shape)), m)
    return {name: _crop(np.asarray(found[name]), params[name].shape) for name in params}


def _pad(array: Array, keep: int | None = None) -> Array:
    """Zeros up to LARGEST along every axis but `keep`."""
    return np.pad(array, [(0, 0 if axis == keep else LARGEST - n) for axis, n in enumerate(array.shape)])


def _crop(array: Array, shape: tuple[int, ...]) -> Array:
    return array[tuple(slice(length) for length in shape)]
