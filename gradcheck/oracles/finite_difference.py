"""The finite-difference oracle: knows nothing but values of the user's own forward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.base import TOGETHER, Answer, Estimate, flat
from gradcheck.oracles.extrapolate import Slope, slope
from gradcheck.oracles.ladder import Differences, baseline, climb
from gradcheck.oracles.line import STEPS, Line, moved, same_line, usable_steps
from gradcheck.oracles.pieces import ripple, steps_in_one_piece
from gradcheck.probes import Probe, along_one_line, directions_of, typical

NAME = "finite-difference"
VISIBLE = 1e-3  # share of an output by which it has to change for ten digits of the change to be seen
FARTHEST = 1023.0  # log2 of the largest number
FEW = STEPS[2:6]  # of the ladder, from a thousandth to a quarter of a millionth
GLANCE = 1e-6  # of a slope: a bar as narrow as what a PASS has to see by default
START = 1e-2  # of a slope, by which the first of those steps may be off: a tread between two is more
SETTLING = 4  # times that a change is smaller at a 16th of the step; a kink's is 16 times
ROUNDED = 2.0**-8  # of an output: what is rounded on its way, be it to half precision, jumps by no more
SHARP = 1e-9  # bar, relative to the leaf, that no second ladder would improve in a way that matters


def finite_difference(evaluator: Evaluator, probe: Probe) -> Answer:
    """Central differences, extrapolated, each with an error bar of its own (`extrapolate.py`).

    Leaf by leaf, entry by entry or along directions; or along one line through all leaves together.
    """
    before = evaluator.forwards
    look = differencing(evaluator, probe)
    estimates: tuple[Estimate, ...] = ()
    together = None
    if probe.together is not None:
        together = in_form(TOGETHER, None, [look.slope(dict(enumerate(probe.together)))], (1,))
    else:
        estimates = tuple(
            _estimate(look, directions, position)
            for position, directions in enumerate(directions_of(probe, evaluator))
        )
    return Answer(
        oracle=NAME,
        estimates=estimates,
        together=together,
        evaluations=evaluator.forwards - before,
        failure=evaluator.failures[0] if evaluator.failures else "",
        noisy=bool(look.base.repeat.any()),
    )


def at_a_glance(evaluator: Evaluator, probe: Probe) -> Answer:
    """The same along one line in a few steps, where those are sharp; a bar without end where they are not.

    Neither kinks nor jumps are looked for. Beside the point they show in differences that do not settle from
    step to step, and what they do to a slope that has settled to GLANCE of itself is less than that.
    """
    before = evaluator.forwards
    base = baseline(evaluator, probe.cotangents, repeats=1)
    line = dict(enumerate(_together(evaluator, probe)))
    usable = usable_steps(evaluator, line)
    climbed = climb(evaluator, base, line, tuple(t for t in FEW if t in usable))
    found = slope(climbed)
    small = GLANCE * abs(found.value)
    if not (found.error <= small and _settles(climbed.central, small)):
        found = replace(found, error=float("inf"))
    return Answer(
        oracle=NAME,
        together=in_form(TOGETHER, None, [found], (1,)),
        evaluations=evaluator.forwards - before,
        noisy=bool(base.repeat.any()),
    )


def _settles(differences: Array, small: float) -> bool:
    """Whether each change from step to step is a fraction of the one before; curvature's is a 256th."""
    changes = np.abs(np.diff(differences))
    start = np.max(changes, initial=0) <= START * np.abs(differences[-1:]).max(initial=0)
    return bool(start and (changes[1:] <= np.maximum(changes[:-1] / SETTLING, small)).all())


def _together(evaluator: Evaluator, probe: Probe) -> Arrays:
    together = along_one_line(probe, evaluator).together
    assert together is not None
    return together


class Differencing:
    """Slopes of <cotangent, output> along lines through the user's point."""

    def __init__(self, evaluator: Evaluator, probe: Probe) -> None:
        self.evaluator = evaluator
        self.seed = probe.seed
        self.base = baseline(evaluator, probe.cotangents)
        # Kinks are many and jumps are few: whether there are any is asked along one line.
        self.jumps = self._ripple(dict(enumerate(_together(evaluator, probe)))) > 0
        self.last: tuple[Line, Differences] | None = None

    def differences(self, line: Line) -> Differences:
        """The whole ladder along a line; what a search ends with is looked at once more by those after it."""
        if self.last is None or not same_line(self.last[0], line):
            self.last = line, climb(self.evaluator, self.base, line, usable_steps(self.evaluator, line))
        return self.last[1]

    def slope(self, line: Line) -> Slope:
        """The derivative along a line, with its error bar."""
        climbed = self.differences(line)
        found = _within_piece(climbed, slope(climbed), self._steps_within(line))
        if not self.jumps:
            return found
        extra = self._ripple(line)
        return replace(found, error=found.error + extra, ripple=extra)

    def _steps_within(self, line: Line) -> int:
        """How many of the finest steps reach across no kink of the recorded forward."""
        return len(steps_in_one_piece(self.evaluator, self.seed, line, usable_steps(self.evaluator, line)))

    def _ripple(self, line: Line) -> float:
        steps = usable_steps(self.evaluator, line)
        return ripple(self.evaluator, self.seed, line, steps, lambda t: self._value(line, t))

    def shift(self, line: Line, t: float) -> float:
        """The largest change of any output over t steps, as a share of it; inf where it cannot be had."""
        found = self.evaluator.probe(moved(self.evaluator, line, t))
        if found is None:
            return float("inf")
        moving = flat(found) != self.base.output
        before, after = self.base.output[moving], flat(found)[moving]
        with np.errstate(all="ignore"):  # an output that was 0 moves by more than any share of it
            shares = np.abs(after / before - 1)
        return float(np.max(np.where(np.isfinite(shares), shares, np.inf), initial=0))

    def _value(self, line: Line, t: float) -> float | None:
        found = self.evaluator.probe(moved(self.evaluator, line, t))
        return None if found is None else float(flat(found) @ self.base.cotangent)


def differencing(evaluator: Evaluator, probe: Probe) -> Differencing:
    """Slopes of <cotangent, output>, by what was seen at the point when they were first asked for."""
    return evaluator.once(f"differencing by seed {probe.seed}", lambda: Differencing(evaluator, probe))


def _within_piece(climbed: Differences, whole: Slope, steps: int) -> Slope:
    """The slope by all steps, or by the finest ones that cross no kink where those contradict it.

    Many a smooth function is written in pieces, as softplus is, and all steps serve it better.
    """
    if steps >= climbed.step.size:
        return whole
    within = slope(climbed.finest(steps))
    agree = abs(whole.value - within.value) <= whole.error + within.error
    return whole if agree and whole.kink is within.kink and whole.error <= within.error else within


def _estimate(look: Differencing, directions: Array | None, position: int) -> Estimate:
    leaf = look.evaluator.leaves[position]
    if directions is None:
        return in_form(leaf.name, None, _entries(look, position), leaf.value.shape)
    slopes = [look.slope({position: direction}) for direction in directions]
    return in_form(leaf.name, directions, slopes, (len(directions),))


def in_form(leaf: str, directions: Array | None, slopes: list[Slope], shape: tuple[int, ...]) -> Estimate:
    """Slopes as an estimate of this shape."""
    return Estimate(
        leaf=leaf,
        directions=directions,
        value=np.reshape([s.value for s in slopes], shape),
        error=np.reshape([s.error for s in slopes], shape),
        kink=np.reshape([s.kink for s in slopes], shape).astype(bool),
        ripple=np.reshape([s.ripple for s in slopes], shape),
        bend=np.reshape([s.bend for s in slopes], shape),
    )


def _entries(look: Differencing, position: int) -> list[Slope]:
    """One slope an entry, in steps of the entry's own size.

    Where those say too little, as for 1e-12 in a function that varies over 1, steps of the leaf's
    typical size and of 1 are tried as well, and where they say nothing, of the size at which the function
    begins to change.
    """
    values = look.evaluator.leaves[position].value
    leaf_size = typical(values)
    jumps: list[float] = []

    def along(index: int, size: float) -> Slope:
        direction = np.zeros(values.shape)
        direction.flat[index] = size
        found = look.slope({position: direction})
        jumps.append(found.jump)
        return found.per(size)

    own_sizes = [abs(float(value)) or min(leaf_size, 1.0) for value in values.flat]
    slopes = [along(index, size) for index, size in enumerate(own_sizes)]
    largest = max((abs(s.value) for s in slopes if np.isfinite(s.value)), default=0.0)
    for index, own_size in enumerate(own_sizes):
        for size in (leaf_size, 1.0):
            found = slopes[index]
            unmoved = found.value == found.error == 0
            blunt = not found.kink and found.error > SHARP * largest
            if size != own_size and (blunt or unmoved):
                slopes[index] = _sharper(slopes[index], along(index, size))
        if slopes[index].error > abs(slopes[index].value):
            slopes[index] = _sharper(slopes[index], along(index, _reach(look, position, index, own_size)))
    largest_rounding = ROUNDED * float(np.abs(look.base.cotangent) @ np.abs(look.base.output))
    rounding = [jump for jump in jumps if jump <= largest_rounding]
    return _beside_jumps(slopes, own_sizes, max([*rounding, *(found.jump for found in slopes)], default=0.0))


def _beside_jumps(slopes: list[Slope], sizes: list[float], jump: float) -> list[Slope]:
    """Where some steps make the function jump, an entry that does not move it may just not reach a jump."""
    width = 2 * STEPS[0]  # over which it stands still, in units of the entry's size
    return [
        replace(found, error=found.error + jump / (width * size)) if found.value == 0 else found
        for found, size in zip(slopes, sizes, strict=True)
    ]


def _reach(look: Differencing, position: int, index: int, own_size: float) -> float:
    """About how far an entry has to move to change the output by a share that no rounding hides."""
    direction = np.zeros(look.evaluator.leaves[position].value.shape)
    direction.flat[index] = 1.0
    low, high = np.log2(own_size), FARTHEST
    while high - low > 1:
        middle = (low + high) / 2
        if look.shift({position: direction}, 2.0**middle) < VISIBLE:
            low = middle
        else:
            high = middle
    return float(2.0**high)


def _sharper(first: Slope, second: Slope) -> Slope:
    """The slope with the smaller bar, widened to the whole of both where they contradict each other.

    second: from larger steps. They say nothing of a kink that is here, of a slope that they cannot tell from
    none, or of one that still changes on their way down.
    """
    if second.kink or second.drifts or not abs(second.value) > second.error:
        return first
    if not np.isfinite(first.error):
        return second
    best, other = sorted((first, second), key=lambda s: s.error)
    gap = abs(best.value - other.value)
    return best if gap <= best.error + other.error else replace(best, error=gap + other.error)
