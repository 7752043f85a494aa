"""Names for what the networks pass around."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Scalar = np.floating[Any]
Arrays = dict[str, Array]  # parameters, intermediates or gradients by their lecture names


class Network(Protocol):
    """What training needs of a network: every module and class here that has a `backward` fits.

    EXAMPLES: the axis that numbers the examples, 0 in rows and 1 in columns.
    """

    @property
    def EXAMPLES(self) -> int: ...  # noqa: N802

    def forward(self, params: Arrays, X: Array, /) -> Arrays: ...

    def loss(self, params: Arrays, X: Array, Y: Array, /) -> Scalar: ...

    def backward(self, params: Arrays, cache: Arrays, X: Array, Y: Array, /) -> Arrays: ...
