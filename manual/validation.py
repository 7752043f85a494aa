"""What the networks refuse, each with what to pass instead."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from manual.activations import Activation
from manual.types import Array, floats


def labels_for(outputs: Array, Y: Array) -> Array:
    """Y in the float dtype of the outputs; ValueError where it is empty, misshapen or outside [0, 1].

    Labels (n,) beside outputs (n, 1) are the classic: NumPy would broadcast the two to (n, n).
    """
    if Y.shape != outputs.shape:
        raise ValueError(
            f"labels of shape {Y.shape} do not fit outputs of shape {outputs.shape}"
            f"{_broadcast(Y, outputs)}: pass labels of shape {outputs.shape}"
        )
    if not outputs.size:
        raise ValueError(f"outputs of shape {outputs.shape} hold no number: pass at least 1 example")
    inside = (Y >= 0) & (Y <= 1)
    if not inside.all():
        index = tuple(int(i) for i in np.argwhere(~inside)[0])
        raise ValueError(f"label {Y[index]} at {index} is outside [0, 1]: pass probabilities, or 0 and 1")
    return Y.astype(floats(outputs).dtype, copy=False)


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
    """ValueError where a layer has no units, or where there are not `layers` sizes (at least 2, if None)."""
    if layers is not None and len(sizes) != layers:
        raise ValueError(
            f"{len(sizes)} layer sizes {tuple(sizes)} for {_count(layers - 2, 'hidden layer')}: "
            f"pass {layers}, the inputs first and the outputs last"
        )
    if len(sizes) < 2:
        raise ValueError(
            f"layer sizes {tuple(sizes)}: pass at least 2, the inputs first and the outputs last"
        )
    if any(size < 1 for size in sizes):
        raise ValueError(f"layer sizes {tuple(sizes)}: every layer needs at least 1 unit")


def check_digits(labels: NDArray[np.integer], classes: int) -> None:
    """ValueError for a label outside 0 to classes - 1: NumPy would count a negative one from the end."""
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        first = int(outside[0])
        raise ValueError(f"label {labels[first]} at {first} is no class: pass 0 to {classes - 1}")


def check_learning_rate(learning_rate: float) -> None:
    """ValueError for a learning rate that is not a positive finite number."""
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning rate {learning_rate}: pass a positive number, such as 0.5")


def check_epochs(epochs: int) -> None:
    """ValueError for fewer than no epochs."""
    if epochs < 0:
        raise ValueError(f"{epochs} epochs: pass 0 or more, such as 1000")


def check_decay(decay: float) -> None:
    """ValueError for a weight decay that is negative or not finite."""
    if not (math.isfinite(decay) and decay >= 0):
        raise ValueError(f"weight decay {decay}: pass 0 or a positive number, such as 0.01")


def check_hidden(hidden: Sequence[Activation]) -> None:
    """ValueError where the hidden layers are not a sequence of activations, such as for their bare names."""
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise ValueError(
            f'hidden layers {hidden!r}: pass one Activation a layer, such as (activation_named("relu"),)'
        )
    for g in hidden:
        if not isinstance(g, Activation):
            remedy = f'activation_named("{g}")' if isinstance(g, str) else "an Activation"
            raise ValueError(f"hidden layer {g!r} is no Activation: pass {remedy}")


def check_one_example(x: Array) -> None:
    """ValueError where x is not one column."""
    if x.ndim != 2 or x.shape[1] != 1:
        raise ValueError(f"x of shape {x.shape} is not one example: pass a column, x (n0, 1) and y (n2, 1)")


def check_examples(X: Array, Y: Array, axis: int) -> None:
    """ValueError where X and Y are not tables with the same number of examples along the axis, at least 1."""
    paired = X.ndim == Y.ndim == 2 and X.shape[axis] == Y.shape[axis] > 0
    if not paired:
        line = ("row", "column")[axis]
        raise ValueError(
            f"X of shape {X.shape} and Y of shape {Y.shape} are not the same examples: "
            f"pass two axes each, and in both one {line} an example"
        )


def check_batch_size(batch_size: int, examples: int) -> None:
    """ValueError for a batch that is empty or larger than the data."""
    if not 1 <= batch_size <= examples:
        raise ValueError(f"batch size {batch_size} for {examples} examples: pass 1 to {examples}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _broadcast(Y: Array, outputs: Array) -> str:
    try:
        shape = np.broadcast_shapes(Y.shape, outputs.shape)
    except ValueError:
        return ""
    return f", and NumPy would silently make {shape} of the two"
