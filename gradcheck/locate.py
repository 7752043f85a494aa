"""Where in a large leaf a gradient is wrong: by bisection, where only finite differences are to be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.claimed import Claimed
from gradcheck.compare import Comparison
from gradcheck.oracles.base import Answer
from gradcheck.oracles.extrapolate import Slope
from gradcheck.oracles.finite_difference import Differencing, in_form
from gradcheck.probes import typical

LADDERS = 24  # that a search may climb: with those of the entries it finds 600 evaluations of the forward
PLACES = 3  # wrong entries after which it is known that there are several


def located(claimed: Claimed, others: tuple[Answer, ...], answer: Answer) -> Answer:
    """Finite differences that have also looked at single entries of large leaves that seem wrong.

    Where another oracle accuses entries, at the worst of those; otherwise at those that bisection finds.
    """
    estimates = list(answer.estimates)
    before = claimed.evaluator.forwards
    look = None
    for position, gradient in enumerate(claimed.gradients):
        found = claimed.beside(position, gradient, (answer,))  # none for a wrong shape
        if estimates[position].directions is None or not found or not np.isfinite(gradient).all():
            continue
        (directional,) = found
        entrywise = [c for c in claimed.beside(position, gradient, others) if c.entrywise]
        if not any(c.wrong.any() for c in (*entrywise, directional)):
            continue
        look = look or Differencing(claimed.evaluator, claimed.probe)
        entries = _accused(entrywise) or _found(claimed, look, position, directional)
        if not entries:
            continue
        at = claimed.evaluator.leaves[position].value
        lines = np.stack([_unit(at, entry) for entry in entries])
        slopes = [_along_entry(look, position, at, line) for line in lines]
        more = in_form(estimates[position].leaf, lines, slopes, (len(slopes),))
        estimates[position] = estimates[position].with_lines(more)
    spent = claimed.evaluator.forwards - before
    return replace(answer, estimates=tuple(estimates), evaluations=answer.evaluations + spent)


def _accused(comparisons: list[Comparison]) -> list[int]:
    """The entries that lie furthest outside the bar of an oracle that knows each."""
    for c in comparisons:
        if c.wrong.any():
            return _largest_of(np.where(c.wrong, c.gap - c.allowance, -np.inf), int(c.wrong.sum()))
    return []


def _largest_of(values: Array, count: int) -> list[int]:
    """Where the largest of some numbers are in the flattened array, at most PLACES of them."""
    found: list[int] = []
    for _ in range(min(PLACES, count)):
        found.append(int(np.argmax(values)))
        values[np.unravel_index(found[-1], values.shape)] = -np.inf
    return found


def _along_entry(look: Differencing, position: int, at: Array, line: Array) -> Slope:
    """The derivative by one entry, in steps of its size."""
    size = max(float(np.abs(np.vdot(line, at))), typical(at))
    return look.slope({position: line * size}).per(size)


def _found(claimed: Claimed, look: Differencing, position: int, seen: Comparison) -> list[int]:
    """Wrong entries found by bisection; none in a leaf that lies over several devices."""
    gradient = claimed.gradients[position]
    if not isinstance(gradient, np.ndarray):
        return []
    search = Search(look, position, gradient, claimed.roundings[position].leaf)
    worst = int(np.argmax(np.where(seen.wrong, seen.gap - seen.allowance, -np.inf)))
    whole = Slope(value=float(seen.estimate.value[worst]), error=float(seen.allowance[worst]))
    return search.wrong_entries(seen.estimate.lines[worst], whole)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Entries first <= i < last of the flattened leaf, and by how much the claim is off along them."""

    first: int
    last: int
    gap: float
    bar: float

    @property
    def wrong(self) -> bool:
        return abs(self.gap) > self.bar


class Search:
    """Halves a wrong direction until single entries are left.

    The slope along a direction is the sum of the slopes along its halves, so that one half is measured
    and the other one follows, unless the bars add up to too much. k wrong entries of n take about
    k log2(n) ladders.
    """

    def __init__(self, look: Differencing, position: int, claimed: Array, rounding: float) -> None:
        self.look, self.position = look, position
        self.claimed = claimed.ravel().astype(np.float64)
        self.rounding = rounding
        self.shape = claimed.shape
        self.ladders = 0

    def wrong_entries(self, direction: Array, whole: Slope) -> list[int]:
        """Positions in the flattened leaf of wrong entries, at most PLACES of them; none where the halves
        are too small to be told from noise."""
        line = direction.ravel()
        start = Segment(first=0, last=line.size, gap=self._gap(whole, line), bar=whole.error)
        found: list[int] = []
        for entry in self._descend(line, start):
            found.append(entry)
            if len(found) == PLACES:
                break
        return found

    def _descend(self, line: Array, segment: Segment) -> Iterator[int]:
        if segment.last - segment.first == 1:
            yield segment.first
            return
        middle = (segment.first + segment.last) // 2
        left = self._segment(line, segment.first, middle)
        right = Segment(
            first=middle, last=segment.last, gap=segment.gap - left.gap, bar=segment.bar + left.bar
        )
        if not left.wrong and not right.wrong:
            right = self._segment(line, middle, segment.last)
        # The worse half first: a search that ends early has then seen the worst.
        for half in sorted((left, right), key=lambda s: -abs(s.gap)):
            if half.wrong and self.ladders < LADDERS:
                yield from self._descend(line, half)

    def _segment(self, line: Array, first: int, last: int) -> Segment:
        part = np.zeros_like(line)
        part[first:last] = line[first:last]
        found = self._measured(part)
        own = self.rounding * float(np.abs(part).sum())
        return Segment(first=first, last=last, gap=self._gap(found, part), bar=found.error + own)

    def _gap(self, found: Slope, line: Array) -> float:
        return found.value - float(self.claimed @ line)

    def _measured(self, line: Array) -> Slope:
        self.ladders += 1
        return self.look.slope({self.position: line.reshape(self.shape)})


def _unit(at: Array, entry: int) -> Array:
    """The direction of one entry of a leaf, by its position in the flattened one."""
    direction = np.zeros_like(at, dtype=np.float64)
    direction[np.unravel_index(entry, at.shape)] = 1
    return direction
