"""What a check asks: a random cotangent, and random directions where entries are too many.

All of it comes from one recorded seed together with a constant of ours, so that no probe
coincides with data that a user drew from `default_rng(seed)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator

STREAM = 0x67726164  # "grad": keeps our random numbers apart from the user's
ENTRYWISE_LIMIT = 1000  # entries in all leaves up to which finite differences take each by itself
DIRECTIONS = 3  # a leaf above that limit: a wrong entry escapes three random probes never in practice


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The cotangent of every output leaf, and a leaf's directions (k, *shape) or None for its entries."""

    cotangents: Arrays
    directions: tuple[Array | None, ...]


def generator(seed: int, purpose: int = 0) -> np.random.Generator:
    """The random numbers of one purpose, reproducible from the report's seed."""
    return np.random.default_rng([STREAM, seed, purpose])


def draw_probe(evaluator: Evaluator, seed: int) -> Probe:
    """Signed random cotangents (never ones) and directions scaled to the inputs."""
    rng = generator(seed)
    if evaluator.claim.takes_cotangent:
        cotangents = tuple(signed(rng, out.shape) for out in evaluator.outputs)
    else:
        cotangents = tuple(np.ones(out.shape) for out in evaluator.outputs)
    entries = sum(leaf.value.size for leaf in evaluator.leaves)
    if entries <= ENTRYWISE_LIMIT:
        return Probe(cotangents=cotangents, directions=(None,) * len(evaluator.leaves))
    return Probe(
        cotangents=cotangents,
        directions=tuple(
            signed(rng, (DIRECTIONS, *leaf.value.shape)) * np.maximum(np.abs(leaf.value), typical(leaf.value))
            for leaf in evaluator.leaves
        ),
    )


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random numbers of either sign with magnitudes in [1/2, 3/2), so that none is lost."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)


def typical(values: Array) -> float:
    """The root mean square of a leaf's entries, or 1 where all are zero or there are none."""
    largest = np.abs(values).max(initial=0)
    if largest == 0:
        return 1.0
    return float(largest * np.sqrt(np.mean((values / largest) ** 2)))  # neither overflow nor underflow
