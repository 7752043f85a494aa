"""Rounding told from mistakes: a wrong formula is as wrong beside the point, what rounding does is not.

The gap between a claim and its reference is measured at points beside the user's. A mistake changes with
the point as slowly as the formulas do, in absolute terms or relative to the gradient; the rounding of two
right formulas changes from point to point by as much as it is. So does a residue, which is all that is left
where terms cancel; a derivative, however small beside the function, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.autodiff import gradients_at
from gradcheck.oracles.base import Estimate
from gradcheck.probes import COTANGENTS, JITTER, Probe, generator, signed

BESIDE = 6  # points, so that rounding seems constant at all of them once in a million entries
MOVE = 1e-2  # of an entry's size: rounding has nothing in common there, the formulas nearly all
MARGIN = 4  # times the change of the gap that a right formula may be off by
STEADY = 0.3  # of its size that a derivative changes by at most where inputs move by MOVE, and a residue more
ALIKE = 1e-2  # of its size: a formula whose terms cancel may leave a residue in the same way at every point
NO_MORE = 1e-3  # of the leaf's largest entry: beyond that rounding is no excuse


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A claim at a point beside the user's. gradients: one a leaf, zeros for None, for a cotangent of size 1;
    none of a claim that holds at its own point only.

    The cotangent has another size there, so that what is rounded to the same units everywhere shows.
    """

    point: Arrays
    size: float
    gradients: Arrays


def beside(evaluator: Evaluator, probe: Probe) -> tuple[Beside, ...]:
    """The claim at several points; () where it raises at most of them."""
    sizes = generator(probe.seed, COTANGENTS).uniform(0.5, 1.5, BESIDE)
    points = points_beside(evaluator.point, probe.seed)
    places = list(zip(points, sizes.tolist(), strict=True))
    if not evaluator.claim.repeatable:
        return tuple(Beside(point=point, size=size, gradients=()) for point, size in places)
    found = [_look(evaluator, probe, *at) for at in places]
    looks = tuple(look for look in found if look.gradients)
    return looks if enough(looks) else ()


def points_beside(point: Arrays, seed: int) -> list[Arrays]:
    """Points where rounding has nothing in common with that at a point."""
    rng = generator(seed, JITTER)
    return [tuple(value * (1 + MOVE * signed(rng, value.shape)) for value in point) for _ in range(BESIDE)]


def enough(looks: Sequence[object]) -> bool:
    """Whether so many points could be had that what seems constant is."""
    return len(looks) >= BESIDE // 2


def _look(evaluator: Evaluator, probe: Probe, point: Arrays, size: float) -> Beside:
    raw = evaluator.probe_backward(point, _scaled(probe, size))
    own_size = size if evaluator.claim.takes_cotangent else 1.0
    gradients = tuple(_in_form(g, at) / own_size for g, at in zip(raw, point, strict=False))
    return Beside(point=point, size=size, gradients=gradients)


def _in_form(gradient: Array | None, at: Array) -> Array:
    """Zeros for None, and no numbers for another shape."""
    if gradient is None:
        return np.zeros_like(at, dtype=np.float64)
    if gradient.shape != at.shape:
        return np.full_like(at, np.nan, dtype=np.float64)
    return gradient.astype(np.float64)


def references(evaluator: Evaluator, probe: Probe, looks: tuple[Beside, ...]) -> tuple[Arrays, ...]:
    """The gradients that automatic differentiation has there, for cotangents of size 1."""
    found = gradients_at(evaluator, probe.seed, [(look.point, _scaled(probe, look.size)) for look in looks])
    return tuple(
        tuple(gradient / look.size for gradient in gradients)
        for look, gradients in zip(looks, found, strict=True)
    )


def _scaled(probe: Probe, size: float) -> Arrays:
    return tuple(size * cotangent for cotangent in probe.cotangents)


def jitter(claimed: list[Array], expected: list[Array]) -> Array:
    """How far rounding may have moved each entry of a claimed gradient, which comes first, from how its gap
    to what is expected changes from point to point."""
    gaps = np.stack(claimed) - np.stack(expected)
    shares = gaps / np.abs(np.stack(expected))
    changes = np.fmin(np.ptp(gaps, axis=0), np.ptp(shares, axis=0) * np.abs(expected[0]))
    largest = np.abs(expected[0]).max(initial=0, where=np.isfinite(expected[0]))
    return np.where(np.isfinite(changes), np.minimum(MARGIN * changes, NO_MORE * largest), 0)


def steady(values: list[Array]) -> Array:
    """Which entries are derivatives: they are not zero, and change little from point to point."""
    return (values[0] != 0) & (np.ptp(np.stack(values), axis=0) <= STEADY * np.abs(values[0]))


def alike(claimed: list[Array], expected: list[Array]) -> Array:
    """Which entries are nearly the same here; residues of a few units are equal or are not."""
    return np.abs(claimed[0] - expected[0]) <= ALIKE * np.abs(expected[0])


def resolved(estimate: Estimate) -> Array:
    """Which entries, or whether all directions, an oracle tells from none."""
    seen = estimate.error < STEADY * np.abs(estimate.value)
    return seen if estimate.directions is None else np.array(seen.all())


def resolved_alone(estimate: Estimate) -> Array:
    """The same by what is known of each entry by itself."""
    return (
        np.array(False)
        if estimate.own_error is None
        else estimate.own_error < STEADY * np.abs(estimate.value)
    )
