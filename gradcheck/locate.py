"""Where in a large leaf a gradient is wrong, where only finite differences are to be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from gradcheck.claim import Array
from gradcheck.claimed import Claimed
from gradcheck.compare import Comparison
from gradcheck.oracles.base import Answer
from gradcheck.oracles.extrapolate import Slope
from gradcheck.oracles.finite_difference import Differencing, differencing, in_form
from gradcheck.probes import typical

LADDERS = 24  # that a search may climb: with those of the entries it finds 600 evaluations of the forward
DIGITS = (
    2,
    3,
    4,
)  # by which a single wrong entry is told from all others; more of them cost what halving does
HALF = 0.5  # of the way from a digit to the next: what is less uncertain than that tells the two apart
TOLD = 8  # times its bar that a gap must be for every digit: that of the weighted line is up to twice as wide
PLACES = 3  # wrong entries after which it is known that there are several


def located(claimed: Claimed, others: tuple[Answer, ...], answer: Answer) -> Answer:
    """Finite differences that have also looked at single entries of large leaves that seem wrong.

    Where another oracle accuses entries, at the worst of those; otherwise at those that a search finds.
    """
    estimates = list(answer.estimates)
    before = claimed.evaluator.forwards
    for position, gradient in enumerate(claimed.gradients):
        found = claimed.beside(position, gradient, (answer,))  # none for a wrong shape
        if estimates[position].directions is None or not found or not np.isfinite(gradient).all():
            continue
        (directional,) = found
        entrywise = [c for c in claimed.beside(position, gradient, others) if c.entrywise]
        if not any(c.wrong.any() for c in (*entrywise, directional)):
            continue
        look = differencing(claimed.evaluator, claimed.probe)
        entries = _accused(entrywise) or _found(claimed, look, position, directional)
        if not entries:
            continue
        lines = np.stack([_unit(gradient.shape, entry) for entry in entries])
        slopes = [_along_entry(look, position, entry) for entry in entries]
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


def _along_entry(look: Differencing, position: int, entry: int) -> Slope:
    """The derivative by one entry of the flattened leaf, in steps of its size."""
    at = look.evaluator.leaves[position].value
    size = max(abs(float(at[np.unravel_index(entry, at.shape)])), typical(at))
    return look.slope({position: size * _unit(at.shape, entry)}).per(size)


def _found(claimed: Claimed, look: Differencing, position: int, seen: Comparison) -> list[int]:
    """Wrong entries found by a search; none in a leaf that lies over several devices."""
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
    """Tells a single wrong entry by a few slopes, and halves a wrong direction where there are several.

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
        single = self._single(line, start)
        return [single] if single is not None else list(islice(self._descend(line, start), PLACES))

    def _single(self, line: Array, whole: Segment) -> int | None:
        """The entry that explains the whole gap, where one does.

        Weighted by one digit of its number, a single wrong entry multiplies the gap by its own weight. The
        base is as large as the bar lets neighbouring digits be told apart.
        """
        told = abs(whole.gap) / (TOLD * whole.bar) if whole.bar else np.inf
        bases = ((count, int(np.ceil(line.size ** (1 / count)))) for count in DIGITS)
        count, base = next(((count, base) for count, base in bases if base <= told), (0, 0))
        entry, rest = 0, np.arange(line.size)
        for power in range(count):
            rest, digits = np.divmod(rest, base)
            place = self._place(line, whole, digits, base)
            if place is None:
                return None
            entry += place * base**power
        if not count or entry >= line.size:
            return None
        alone = _along_entry(self.look, self.position, entry)
        gap = (alone.value - self.claimed[entry]) * line[entry]
        bar = (alone.error + self.rounding) * abs(line[entry])
        return entry if abs(whole.gap - gap) <= whole.bar + bar else None

    def _place(self, line: Array, whole: Segment, digits: Array, base: int) -> int | None:
        """The digit of the entries that the gap comes from; None where they have not one in common."""
        weighted = line * (1 + digits / base)
        gap, bar = self._measured(weighted)
        ratio = gap / whole.gap
        off = base * (bar + abs(ratio) * whole.bar) / abs(whole.gap)
        digit = round(base * (ratio - 1)) if off < HALF else -1
        return digit if 0 <= digit < base and abs(base * (ratio - 1) - digit) <= off else None

    def _descend(self, line: Array, segment: Segment) -> Iterator[int]:
        if segment.last - segment.first == 1:
            yield segment.first
            return
        middle = (segment.first + segment.last) // 2
        left = self._segment(line, segment.first, middle)
        self.ladders += 1
        right = Segment(
            first=middle, last=segment.last, gap=segment.gap - left.gap, bar=segment.bar + left.bar
        )
        if not left.wrong and not right.wrong:
            right = self._segment(line, middle, segment.last)
            self.ladders += 1
        # The worse half first: a search that ends early has then seen the worst.
        for half in sorted((left, right), key=lambda s: -abs(s.gap)):
            if half.wrong and self.ladders < LADDERS:
                yield from self._descend(line, half)

    def _segment(self, line: Array, first: int, last: int) -> Segment:
        part = np.zeros_like(line)
        part[first:last] = line[first:last]
        gap, bar = self._measured(part)
        return Segment(first=first, last=last, gap=gap, bar=bar)

    def _measured(self, line: Array) -> tuple[float, float]:
        """By how much the claim is off along a line, and how uncertain that is."""
        found = self.look.slope({self.position: line.reshape(self.shape)})
        return self._gap(found, line), found.error + self.rounding * float(np.abs(line).sum())

    def _gap(self, found: Slope, line: Array) -> float:
        return found.value - float(self.claimed @ line)


def _unit(shape: tuple[int, ...], entry: int) -> Array:
    """The direction of one entry of a leaf, by its position in the flattened one."""
    direction = np.zeros(shape)
    direction.flat[entry] = 1
    return direction
