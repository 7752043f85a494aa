"""Gradient descent with the hand-written gradients, whole batches or mini-batches, for either layout."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from manual.types import Array, Arrays, Network
from manual.validation import check_batch_size, check_epochs, check_examples, check_learning_rate


@dataclass(frozen=True, kw_only=True)
class Training:
    """Parameters after the last epoch, and the loss before each epoch and at the end."""

    params: Arrays
    losses: list[float]


def descend(params: Arrays, gradients: Arrays, learning_rate: float) -> Arrays:
    """theta - learning_rate * d(loss)/d(theta) for every parameter (equation S15)."""
    return {name: value - learning_rate * gradients["d" + name] for name, value in params.items()}


def gradient_descent(
    network: Network, params: Arrays, X: Array, Y: Array, *, learning_rate: float, epochs: int
) -> Training:
    """Full-batch gradient descent; the given parameters are left as they are.

    ValueError for a learning rate that is not a positive finite number, for a negative number of epochs,
    and where X and Y do not have the same examples along the network's axis.
    """
    check_learning_rate(learning_rate)
    check_epochs(epochs)
    check_examples(X, Y, network.EXAMPLES)
    losses = [float(network.loss(params, X, Y))]
    for _ in range(epochs):
        params = _step(network, params, X, Y, learning_rate)
        losses.append(float(network.loss(params, X, Y)))
    return Training(params=params, losses=losses)


def mini_batches(
    network: Network, params: Arrays, X: Array, Y: Array, *, learning_rate: float, batch_size: int, seed: int
) -> Iterator[Arrays]:
    """The parameters after each epoch of stochastic gradient descent, for ever (equation Q15).

    Every epoch walks once through the examples, shuffled anew by the recorded seed, `batch_size` at a
    time; the last batch has what is left. ValueError at once for a learning rate or a batch size that
    cannot be, and where X and Y do not have the same examples along the network's axis.
    """
    check_learning_rate(learning_rate)
    check_examples(X, Y, network.EXAMPLES)
    check_batch_size(batch_size, X.shape[network.EXAMPLES])
    return _epochs(network, params, X, Y, learning_rate, batch_size, np.random.default_rng(seed))


def _epochs(
    network: Network,
    params: Arrays,
    X: Array,
    Y: Array,
    learning_rate: float,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[Arrays]:
    examples = X.shape[network.EXAMPLES]
    while True:
        order = rng.permutation(examples)
        for first in range(0, examples, batch_size):
            batch = order[first : first + batch_size]
            Xs, Ys = X.take(batch, axis=network.EXAMPLES), Y.take(batch, axis=network.EXAMPLES)
            params = _step(network, params, Xs, Ys, learning_rate)
        yield params


def _step(network: Network, params: Arrays, X: Array, Y: Array, learning_rate: float) -> Arrays:
    gradients = network.backward(params, network.forward(params, X), X, Y)
    return descend(params, gradients, learning_rate)
