"""A zoo of layers and losses as people write them in NumPy, each with mistakes that are made in its backward.

Every specimen is in one of the ways in which such code is laid out. `tests/test_zoo.py` holds the checker
against all of them.
"""

from tests.zoo import (
    activations,
    attention,
    blocks,
    convolution,
    dense,
    linear_algebra,
    losses,
    networks,
    normalisation,
    pooling,
    recurrent,
)
from tests.zoo.specimen import Call, Convention, Mistake, Specimen

ZOO: tuple[Specimen, ...] = (
    *dense.SPECIMENS,
    *blocks.SPECIMENS,
    *networks.SPECIMENS,
    *activations.SPECIMENS,
    *convolution.SPECIMENS,
    *pooling.SPECIMENS,
    *normalisation.SPECIMENS,
    *losses.SPECIMENS,
    *attention.SPECIMENS,
    *recurrent.SPECIMENS,
    *linear_algebra.SPECIMENS,
)

__all__ = ["ZOO", "Call", "Convention", "Mistake", "Specimen"]
