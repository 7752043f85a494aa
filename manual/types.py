"""Names for what the networks pass around, and what is taken for floats."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]
Arrays = dict[str, Array]  # parameters, intermediates or gradients by their lecture names


def floats(array: Array) -> Array:
    """The array itself, or its whole numbers (integers, booleans) as float64."""
    return array if array.dtype.kind == "f" else 1.0 * array


class Network(Protocol):
    """What training needs of a network: every module and class here that has a `backward` fits.

    EXAMPLES: the axis that numbers the examples, 0 in rows and 1 in columns.
    """

    @property
    def EXAMPLES(self) -> int: ...  # noqa: N802

    def forward(self, params: Arrays, X: Array, /) -> Arrays: ...

    def loss(self, params: Arrays, X: Array, Y: Array, /) -> Scalar: ...

    def backward(self, params: Arrays, cache: Arrays, X: Array, Y: Array, /) -> Arrays: ...
