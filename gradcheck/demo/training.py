"""XOR learned by gradient descent from random weights, and not from zero weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manual import row_major, xor
from manual.training import gradient_descent
from manual.types import Arrays

SIZES = (2, 2, 1)  # the document's two hidden units
LEARNING_RATE = 1.0
EPOCHS = 5000


@dataclass(frozen=True, kw_only=True)
class XorRun:
    """One training: where it began, the losses, how many of the four rows come out right.

    unit_difference: the largest difference between the weights of the two hidden units at the
    end; 0 means that they are still one unit, drawn twice.
    """

    start: str
    epochs: int
    first_loss: float
    last_loss: float
    correct: int
    unit_difference: float


def learn_xor(seed: int) -> tuple[XorRun, ...]:
    """Gradient descent from random and from zero weights, with the hand-derived gradients."""
    random = row_major.initialise(SIZES, seed)
    zero = {name: np.zeros_like(value) for name, value in random.items()}
    return _run(f"random, seed {seed}", random), _run("zero", zero)


def _run(start: str, params: Arrays) -> XorRun:
    trained = gradient_descent(row_major, params, xor.X, xor.Y, learning_rate=LEARNING_RATE, epochs=EPOCHS)
    first, second = trained.params["W1"].T
    return XorRun(
        start=start,
        epochs=EPOCHS,
        first_loss=trained.losses[0],
        last_loss=trained.losses[-1],
        correct=int((row_major.predict(trained.params, xor.X) == xor.Y).sum()),
        unit_difference=float(np.abs(first - second).max()),
    )
