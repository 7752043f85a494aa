"""What a check asks: a random cotangent, and random directions where entries are too many.

All of it comes from one recorded seed together with a constant of ours, so that no probe
coincides with data that a user drew from `default_rng(seed)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator

STREAM = 0x67726164  # "grad": keeps our random numbers apart from the user's
# What random numbers are drawn for.
PROBES, NUDGES, FRESH_POINTS, PERTURBATIONS, TOGETHER, TEETH, JITTER, CORNERS, COTANGENTS = range(9)
ENTRYWISE_LIMIT = 1000  # entries of the smallest leaves together that differences take one by one
DIRECTIONS = 3  # of every other leaf: a wrong entry escapes three random probes never in practice


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The cotangent of every output leaf, and a leaf's directions (k, *shape) or None for its entries.

    directions: None as a whole where nobody has asked for them yet (`directions_of`). together: a direction
    a leaf, where all are to be asked along one line, and nothing else.
    """

    seed: int
    cotangents: Arrays
    directions: tuple[Array | None, ...] | None = None
    together: Arrays | None = None


def generator(seed: int, purpose: int) -> np.random.Generator:
    """The random numbers of one purpose, reproducible from the report's seed."""
    return np.random.default_rng([STREAM, seed, purpose])


def draw_probe(evaluator: Evaluator, seed: int) -> Probe:
    """Signed random cotangents (never ones)."""
    return Probe(seed=seed, cotangents=_cotangents(evaluator, generator(seed, PROBES)))


def _cotangents(evaluator: Evaluator, rng: np.random.Generator) -> Arrays:
    if not evaluator.claim.takes_cotangent:
        return tuple(np.ones(out.shape) for out in evaluator.outputs)
    # Rounded to what the backward is given, so that oracle and claim speak of the same one.
    return tuple(signed(rng, out.shape).astype(out.dtype).astype(np.float64) for out in evaluator.outputs)


def directions_of(probe: Probe, evaluator: Evaluator) -> tuple[Array | None, ...]:
    """The probe's directions, scaled to the inputs; drawn when first asked for, since a leaf has several."""
    if probe.directions is not None:
        return probe.directions

    def drawn() -> tuple[Array | None, ...]:
        rng = generator(probe.seed, PROBES)
        _cotangents(evaluator, rng)  # which come first from this seed
        values = evaluator.point
        # What lies over devices is not taken apart.
        whole = [i for i, value in enumerate(values) if isinstance(value, np.ndarray)]
        entrywise = {whole[i] for i in _affordable([values[i].size for i in whole])}
        return tuple(None if i in entrywise else _directions(rng, value) for i, value in enumerate(values))

    return evaluator.once(f"directions by seed {probe.seed}", drawn)


def along_one_line(probe: Probe, evaluator: Evaluator) -> Probe:
    """The same probe with one direction through all leaves, each moving by its own size."""

    def drawn() -> Arrays:
        rng = generator(probe.seed, TOGETHER)
        return tuple(_directions(rng, value, 1)[0] for value in evaluator.point)

    return replace(probe, together=evaluator.once(f"line by seed {probe.seed}", drawn))


def in_brief(probe: Probe, evaluator: Evaluator, known: set[int]) -> Probe:
    """The same probe with one direction through each leaf of which enough is known."""
    line = along_one_line(probe, evaluator).together
    assert line is not None
    drawn = directions_of(probe, evaluator)
    brief = (line[i][np.newaxis] if i in known and line[i].size else lines for i, lines in enumerate(drawn))
    return replace(probe, directions=tuple(brief))


def _affordable(sizes: list[int]) -> set[int]:
    """The leaves to take entry by entry: the smallest ones, up to the limit together."""
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    totals = np.cumsum([sizes[i] for i in order])
    return {i for i, total in zip(order, totals, strict=True) if total <= ENTRYWISE_LIMIT}


def _directions(rng: np.random.Generator, values: Array, count: int = DIRECTIONS) -> Array:
    sizes = np.maximum(np.abs(values), typical(values))
    return np.stack([numbers * sizes for numbers in signed(rng, (count, *values.shape))])


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random numbers of either sign with magnitudes in [1/2, 3/2), so that none is lost."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)


def typical(values: Array) -> float:
    """The root mean square of a leaf's entries, or 1 where all are zero or there are none."""
    largest = np.abs(values).max(initial=0)
    if largest == 0:
        return 1.0
    return float(largest * np.sqrt(np.mean((values / largest) ** 2)))  # neither overflow nor underflow
