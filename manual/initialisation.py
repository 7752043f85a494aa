"""Weights at first: independent normal numbers of mean 0, whose variance is the only choice.

The same seed draws the same network in both layouts. Biases begin at 0.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from manual.types import Arrays
from manual.validation import check_sizes

Variance = Callable[[int, int], float]  # of a weight between n_in and n_out units


def unit(n_in: int, n_out: int) -> float:
    """1: the "random values" of `shallow` and `xor` (equation S16)."""
    return 1.0


def lecun(n_in: int, n_out: int) -> float:
    """1 / n_in (LeCun et al., 1998), which `slides` prints under the name of Xavier (E6; equation G22)."""
    return 1 / n_in


def glorot(n_in: int, n_out: int) -> float:
    """2 / (n_in + n_out) (Xavier Glorot and Bengio, 2010), equation G23."""
    return 2 / (n_in + n_out)


def zero(n_in: int, n_out: int) -> float:
    """0: all hidden units of a layer are one unit, and stay so (equation G21)."""
    return 0.0


def row_major(sizes: Sequence[int], seed: int, variance: Variance = unit) -> Arrays:
    """W_l (n_{l-1}, n_l) and b_l (1, n_l) for sizes n0, n1, ..., nL; ValueError for a size below 1."""
    check_sizes(sizes)
    rng = np.random.default_rng(seed)
    params: Arrays = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        deviation = np.sqrt(variance(n_in, n_out))
        params[f"W{layer}"] = deviation * rng.standard_normal((n_in, n_out))
        params[f"b{layer}"] = np.zeros((1, n_out))
    return params


def column_major(sizes: Sequence[int], seed: int, variance: Variance = unit) -> Arrays:
    """W_l (n_l, n_{l-1}) and b_l (n_l, 1): `row_major` transposed."""
    rows = row_major(sizes, seed, variance)
    return {name: np.ascontiguousarray(value.T) for name, value in rows.items()}
