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
import jax.numpy as jnp
import numpy as np

from gradcheck import reference
from manual.types import Array, Arrays
from properties.problems import LARGEST

Output = tuple[str, float]  # a key of reference.OUTPUTS, and the decay

PLAIN: Output = ("binary cross-entropy", 0.0)


def row_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in rows, in float64."""
    return _gradients(reference.row_major_logits, PLAIN, params, X, Y, examples=0)


def column_major_gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
    """JAX's gradient of the mean loss by every parameter, examples in columns, in float64."""
    return _gradients(reference.column_major_logits, PLAIN, params, X, Y, examples=1)


def deep_gradients(
    hidden: tuple[str, ...], output: Output, params: Arrays, X: Array, Y: Array, examples: int
) -> Arrays:
    """The same for any hidden layers and output, by the names of the activations."""
    return _gradients(_deep_logits(hidden, examples), output, params, X, Y, examples)


@functools.cache
def _deep_logits(hidden: tuple[str, ...], examples: int) -> Any:
    logits = (reference.deep_row_major_logits, reference.deep_column_major_logits)[examples]
    return functools.partial(logits, hidden=hidden)


def _masked_loss(
    logits: Any, output: Output, examples: int, params: Mapping[str, Any], X: Any, Y: Any, mask: Any, m: Any
) -> Any:
    name, decay = output
    # A softmax must not see the outputs that are padding: exp(-1e300) is 0.
    Z = jnp.where(mask, logits(params, X), -1e300 if name == "softmax cross-entropy" else 0)
    losses = reference.OUTPUTS[name](Z, Y, 1 - examples)
    return jnp.where(mask, losses, 0).sum() / m + reference.penalty(params, decay)


_gradient = jax.jit(jax.grad(_masked_loss, argnums=3), static_argnums=(0, 1, 2))


def _gradients(logits: Any, output: Output, params: Arrays, X: Array, Y: Array, examples: int) -> Arrays:
    padded = {
        # A bias is one example long and broadcasts: that axis stays as it is.
        name: _pad(value, keep=examples if name.startswith("b") else None)
        for name, value in params.items()
    }
    m, mask = float(X.shape[examples]), _pad(np.ones(Y.shape)) > 0
    with jax.enable_x64(True):
        found = _gradient(logits, output, examples, padded, _pad(X), _pad(Y), mask, m)
    return {name: _crop(np.asarray(found[name]), params[name].shape) for name in params}


def _pad(array: Array, keep: int | None = None) -> Array:
    """Zeros up to LARGEST along every axis but `keep`."""
    return np.pad(array, [(0, 0 if axis == keep else LARGEST - n) for axis, n in enumerate(array.shape)])


def _crop(array: Array, shape: tuple[int, ...]) -> Array:
    return array[tuple(slice(length) for length in shape)]
