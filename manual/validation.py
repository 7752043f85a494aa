"""What the networks refuse, each with what to pass instead."""

import math
from collections.abc import Sequence

import numpy as np

from manual.types import Array


def labels_for(outputs: Array, Y: Array) -> Array:
    """Y in the dtype of the outputs; ValueError for another shape or a value outside [0, 1].

    Labels (n,) beside outputs (n, 1) are the classic: NumPy would broadcast the two to (n, n).
    """
    if Y.shape != outputs.shape:
        raise ValueError(
            f"labels of shape {Y.shape} do not fit outputs of shape {outputs.shape}"
            f"{_broadcast(Y, outputs)}: pass labels of shape {outputs.shape}"
        )
    inside = (Y >= 0) & (Y <= 1)
    if not inside.all():
        index = tuple(int(i) for i in np.argwhere(~inside)[0])
        raise ValueError(f"label {Y[index]} at {index} is outside [0, 1]: pass probabilities, or 0 and 1")
    return Y.astype(outputs.dtype, copy=False)


def distributions_for(outputs: Array, Y: Array, units: int) -> Array:
    """`labels_for` whose sum over the axis of the units is 1 for every example; ValueError elsewhere."""
    Y = labels_for(outputs, Y)
    sums = Y.sum(axis=units)
    # Probabilities that were rounded to their dtype, and summed in it.
    off = np.abs(sums - 1) > 4 * Y.shape[units] * np.finfo(Y.dtype).eps
    if off.any():
        example = int(np.argmax(off))
        raise ValueError(
            f"the labels of example {example} sum to {sums[example]}, not 1: "
            "softmax wants one probability a class, such as a one-hot row"
        )
    return Y


def check_sizes(sizes: Sequence[int], layers: int | None = None) -> None:
    """ValueError where a layer has no units, or where there are not `layers` sizes."""
    if layers is not None and len(sizes) != layers:
        raise ValueError(
            f"{len(sizes)} layer sizes {tuple(sizes)} for {layers - 2} hidden layers: "
            f"pass {layers}, the inputs first and the outputs last"
        )
    if any(size < 1 for size in sizes):
        raise ValueError(f"layer sizes {tuple(sizes)}: every layer needs at least 1 unit")


def check_learning_rate(learning_rate: float) -> None:
    """ValueError for a learning rate that is not a positive finite number."""
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning rate {learning_rate}: pass a positive number, such as 0.5")


def check_batch_size(batch_size: int, examples: int) -> None:
    """ValueError for a batch that is empty or larger than the data."""
    if not 1 <= batch_size <= examples:
        raise ValueError(f"batch size {batch_size} for {examples} examples: pass 1 to {examples}")


def _broadcast(Y: Array, outputs: Array) -> str:
    try:
        shape = np.broadcast_shapes(Y.shape, outputs.shape)
    except ValueError:
        return ""
    return f", and NumPy would silently make {shape} of the two"
