"""Hypotheses about the backward tried on the claim, at its own point and on other data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis.masks import masks
from gradcheck.diagnosis.operands import operands
from gradcheck.diagnosis.paths import paths
from gradcheck.diagnosis.scene import Cause, Gradients, Hypothesis, Scene
from gradcheck.diagnosis.sight import Sight
from gradcheck.diagnosis.sites import roots, units
from gradcheck.diagnosis.slopes import slopes
from gradcheck.diagnosis.subsets import subsets, sums
from gradcheck.tracing.edited import Slot, edited_vjp
from gradcheck.tracing.flat import Flat, values

EQUATIONS = 400  # of a record, beyond which its structure is that of loops and too much to try
ENTRIES = 2_000_000  # of all values of a record together, for the same reason
ROUND = 1e-9  # relative: how near a fitted number must be to a simple one to be that
FREE = 3  # entries of a leaf from which on a number may be fitted there, and the rest is still evidence
SIMPLE = (0.0, -1.0, 2.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class Match:
    """A cause that reproduces the claim, on all that was looked at.

    leaves: the positions that it explains; against: leaves that it would have made wrong in another way than
    they are. confirmed: whether there was fresh data to try it on.
    """

    cause: Cause
    leaves: frozenset[int]
    against: frozenset[int]
    fitted: bool
    confirmed: bool


def feasible(record: Flat) -> bool:
    """Whether a record is small enough for all its structure to be tried."""
    entries = sum(int(np.prod(shape)) for shape in record.shapes.values())
    return len(record.equations) <= EQUATIONS and entries <= ENTRIES


def matches(first: Sight, others: tuple[Sight, ...], wrong: frozenset[int]) -> tuple[Match, ...]:
    """All causes known here that reproduce at least one of the wrong leaves everywhere, best first."""
    if first.record is None or not feasible(first.record):
        return ()
    blank = _scene(first, (), ())
    tried = tuple(_hypotheses(blank))
    slots = tuple(dict.fromkeys(slot for h in tried for slot in h.slots))
    watched = tuple(sorted({*blank.cotangents, *(n for h in tried for n in h.watched)}))
    scene = _scene(first, slots, watched)
    kept = [(h, match) for h in tried if (match := _match(h, scene, wrong))]
    if not kept:
        return ()
    again = [
        _scene(s, slots, watched) for s in others if s.record and s.record.pattern == first.record.pattern
    ]
    found = [match for h, seen in kept if (match := _everywhere(h, seen, scene, again))]
    return tuple(sorted(found, key=lambda m: (-len(m.leaves), len(m.against), m.fitted)))


def _hypotheses(scene: Scene) -> Iterator[Hypothesis]:
    """More specific ones first."""
    record = scene.record
    found = units(record, scene.values)
    heads = [n for n in dict.fromkeys(roots(record).values()) if n in record.active]
    prominent = {*range(record.inputs), *record.names, *heads, *(unit.value for unit in found)}
    prominent |= {n for n, array in record.known.items() if array.size > 1 and n in record.floats}
    yield from slopes(scene, found)
    yield from masks(scene)
    yield from sums(scene)
    yield from subsets(scene)
    yield from paths(scene, found)
    yield from operands(scene, tuple(sorted(prominent)))


def _scene(sight: Sight, slots: tuple[Slot, ...], watched: tuple[int, ...]) -> Scene:
    assert sight.record is not None
    vjp = edited_vjp(sight.record, slots, watched)

    def run(changes: Mapping[Slot, Array]) -> tuple[Gradients, Gradients]:
        gradients, seen = vjp(sight.inputs, sight.cotangents, changes)
        return {position: gradients[position] for position in sight.evidence}, seen

    return Scene(
        record=sight.record,
        values=values(sight.record, sight.inputs),
        evidence=sight.evidence,
        run=run,
        batch_size=sight.batch_size,
    )


@dataclass(frozen=True)
class _Seen:
    """What a hypothesis came to at the first point: the number fitted there, and the leaves."""

    times: float
    leaves: frozenset[int]
    against: frozenset[int]


def _match(hypothesis: Hypothesis, scene: Scene, wrong: frozenset[int]) -> _Seen | None:
    with np.errstate(all="ignore"):
        predicted = hypothesis.predict(scene)
        if not hypothesis.fitted:
            return _compared(scene, predicted, wrong, 0.0)
        for leaf in sorted(wrong & predicted.keys(), key=lambda p: -predicted[p].size):
            times = _times(scene, leaf, predicted[leaf])
            if times is not None and (
                seen := _compared(scene, _mixed(scene, predicted, times), wrong, times)
            ):
                return seen
    return None


def _compared(scene: Scene, predicted: Gradients, wrong: frozenset[int], times: float) -> _Seen | None:
    visible = {p for p, gradient in predicted.items() if scene.visible(p, gradient)}
    leaves = frozenset(p for p in visible & wrong if scene.claims(p, predicted[p]))
    return _Seen(times, leaves, frozenset(visible - leaves)) if leaves else None


def _times(scene: Scene, position: int, without: Array) -> float | None:
    """How often the claim has the part of the derivative that is left out; 1 would be right."""
    evidence = scene.evidence[position]
    if evidence.claimed.shape != without.shape or not np.isfinite(without).all():
        return None
    part = evidence.expected - without
    size = float(np.abs(part).max(initial=0))
    if size == 0 or not np.isfinite(size):
        return None
    times = float(np.vdot(evidence.claimed - without, part / size) / np.vdot(part, part / size))
    m = scene.batch_size
    simple = (*(float(m) ** power for power in (1, -1, 2, -2)), *SIMPLE) if m else SIMPLE
    return next((s for s in simple if abs(times - s) <= ROUND * max(1.0, abs(s))), times)


def _mixed(scene: Scene, without: Gradients, times: float) -> Gradients:
    return {p: g + times * (scene.evidence[p].expected - g) for p, g in without.items()}


def _everywhere(h: Hypothesis, seen: _Seen, scene: Scene, others: list[Scene]) -> Match | None:
    """A match that no other look speaks against."""
    cause, against = h.cause(seen.times, scene.batch_size), seen.against
    if cause is None or (h.fitted and not others and _single(seen, scene)):
        return None
    leaves = seen.leaves
    for other in others:
        with np.errstate(all="ignore"):
            predicted = h.predict(other)
            if h.fitted:
                predicted = _mixed(other, predicted, _times_there(h, seen, predicted, scene, other))
        leaves = frozenset(p for p in leaves if p in predicted and other.claims(p, predicted[p]))
    if not leaves:
        return None
    fitted = h.fitted and seen.times != 0
    return Match(cause=cause, leaves=leaves, against=against, fitted=fitted, confirmed=bool(others))


def _times_there(h: Hypothesis, seen: _Seen, predicted: Gradients, here: Scene, there: Scene) -> float:
    """The number on other data: the same, or the same power of the number of examples."""
    if h.free:
        large = [p for p in seen.leaves & predicted.keys() if predicted[p].size >= FREE]
        return next((t for p in large if (t := _times(there, p, predicted[p])) is not None), np.nan)
    m, other = here.batch_size, there.batch_size
    if m and other and m > 1 and m != other:
        for power in (1, -1, 2, -2):
            if seen.times == float(m) ** power:
                return float(other) ** power
    return seen.times


def _single(seen: _Seen, scene: Scene) -> bool:
    """Whether a fitted number rests on single numbers only."""
    return all(scene.evidence[p].claimed.size == 1 for p in seen.leaves)
