"""The network that reads digits: one hidden layer of 30 sigmoid units, with biases.

Source: `squared`, final comment.
"""

import numpy as np
from numpy.typing import NDArray

from manual.activations import SIGMOID
from manual.deep_row_major import DeepRowMajor
from manual.initialisation import lecun
from manual.losses import SQUARED_ERROR
from manual.types import Array, Arrays
from manual.validation import check_digits

HIDDEN_UNITS = 30
CLASSES = 10
NETWORK = DeepRowMajor(hidden=(SIGMOID,), output=SQUARED_ERROR)

Labels = NDArray[np.integer]


def initialise(pixels: int, seed: int) -> Arrays:
    """Weights of variance 1 / n_in by the recorded seed: N(0, 1) would saturate units that see 784 pixels."""
    return NETWORK.initialise((pixels, HIDDEN_UNITS, CLASSES), seed, lecun)


def one_hot(labels: Labels) -> Array:
    """(m, 10): 1 in the column of the digit, 0 elsewhere. ValueError for a label that is no digit."""
    check_digits(labels, CLASSES)
    return np.eye(CLASSES)[labels]


def read(params: Arrays, images: Array) -> Labels:
    """(m,): the digit whose output unit is the most active, for images (m, pixels) in [0, 1]."""
    return NETWORK.forward(params, images)["A2"].argmax(axis=1)
