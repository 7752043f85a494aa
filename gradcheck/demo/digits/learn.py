"""Digits learned by mini-batch gradient descent, with the hand-derived gradients only."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.demo.agreement import three_ways
from gradcheck.demo.digits.data import Digits, Split
from gradcheck.report import Report
from manual import digits
from manual.training import mini_batches
from manual.types import Array, Arrays

LEARNING_RATE = 3.0
BATCH_SIZE = 10
EPOCHS = 30


@dataclass(frozen=True, kw_only=True)
class DigitRun:
    """One training: its seed, the shares read rightly after each epoch, and what was taken for what.

    confusion: (10, 10) counts on the held-out images, the digit in rows, what was read in columns.
    """

    seed: int
    held_out: list[float]
    trained: list[float]
    confusion: NDArray[np.integer]
    seconds: float


def train(data: Digits, seed: int) -> Iterator[Arrays]:
    """The parameters after each of the epochs; seed decides the split, the weights and the shuffling."""
    split = data.split(seed)
    start = digits.initialise(split.images.shape[1], seed)
    labels = digits.one_hot(split.labels)
    steps = mini_batches(
        digits.NETWORK,
        start,
        split.images,
        labels,
        learning_rate=LEARNING_RATE,
        batch_size=min(BATCH_SIZE, len(labels)),
        seed=seed,
    )
    return itertools.islice(steps, EPOCHS)


def learn(data: Digits, seed: int, epochs: Iterable[Arrays]) -> DigitRun:
    """Go through the epochs of `train` and see what became of them."""
    began = time.perf_counter()
    split = data.split(seed)
    held_out, trained = [], []
    params: Arrays = {}
    for params in epochs:
        held_out.append(_share(params, split.held_out_images, split.held_out_labels))
        trained.append(_share(params, split.images, split.labels))
    return DigitRun(
        seed=seed,
        held_out=held_out,
        trained=trained,
        confusion=_confusion(params, split),
        seconds=time.perf_counter() - began,
    )


def check(data: Digits, seed: int) -> Report:
    """The hand-derived gradients of the first mini-batch beside JAX's and finite differences."""
    from gradcheck import reference

    split = data.split(seed)
    network = digits.NETWORK
    twin = functools.partial(
        reference.deep_loss, hidden=("sigmoid",), output=network.output.name, examples=network.EXAMPLES
    )
    start = digits.initialise(split.images.shape[1], seed)
    X, Y = split.images[:BATCH_SIZE], digits.one_hot(split.labels[:BATCH_SIZE])
    return three_ways(network, twin, start, X, Y, seed)


def _share(params: Arrays, images: Array, labels: digits.Labels) -> float:
    return float((digits.read(params, images) == labels).mean())


def _confusion(params: Arrays, split: Split) -> NDArray[np.integer]:
    found = digits.read(params, split.held_out_images)
    counts = np.zeros((digits.CLASSES, digits.CLASSES), dtype=int)
    np.add.at(counts, (split.held_out_labels, found), 1)
    return counts
