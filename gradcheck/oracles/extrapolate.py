"""From a ladder of differences to one slope with an error bar, or to the corner of a kink.

The central difference D(t) is off by c t^2 + noise / t. Neville's scheme extrapolates runs of
neighbouring steps to t = 0. The bar of each candidate is

    the largest change its last extrapolation made   (truncation, as Numerical Recipes' dfridr)
  + the noise its differences carry                  (measured, see `noise_level`)
  + by how much finer differences contradict it      (a step that looked across a kink or a period)

and the candidate with the smallest bar is taken. The claim is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.oracles.ladder import Differences

ORDERS = 3  # extrapolations in a row; each removes one more even power of t
NOISE_SAMPLES = 5  # the finest steps are sampled: curvature is far below round-off there
NOISE_MARGIN = 4  # the noise is taken as that many times the largest of ten samples, five where it is odd
DRIFT = 4  # times that a change must shrink from one step to the next; truncation shrinks 256-fold
SETTLED = 5  # differences above their noise, from which on a slope is seen to settle
QUIET = 3  # finest samples at most; two may be so by chance, where steps are whole numbers of a grain inside
TOWERING = 64  # noise is seldom that much larger at one step than at the finest; a kink or period is
SLOW = 4  # times what curvature would leave of E(t) at the next step
PLATEAU = 0.01  # of its gap to the best candidate that the bar of a contradicting one may be
MOST = float(np.finfo(float).max)  # a bar beyond all numbers is noise as well; without a bound are only jumps
LEVELS = 32  # jumps that a function moves by at least, for a slope to show: fewer leave 3e-2 of it open
CORNER_SIGNAL = 50  # a corner must stand this far above round-off to be believed
CORNER_SAMPLES = 5  # steps whose spread is part of a corner's bar
CORNER_SPREAD = 0.02  # and E(t) / t must be this equal on three steps; curvature differs 16-fold


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A directional derivative with its error bar; at a kink, the interval of one-sided slopes.

    bend: at a kink, how much larger the slope ahead is than the one behind. ripple: the part of the bar that
    jumps of the function make. drifts: the differences change as much
    from step to step at the finest as before, as those of x log x do far from a tiny x. step: the finest
    that it rests on. jump: of the function, the smallest that was met.
    """

    value: float
    error: float
    kink: bool = False
    bend: float = 0.0
    ripple: float = 0.0
    drifts: bool = False
    step: float = float("nan")
    jump: float = 0.0

    def per(self, size: float) -> Slope:
        """The same in units of a step that is `size` times as large."""
        numbers = {name: getattr(self, name) / size for name in ("value", "error", "bend", "ripple")}
        if np.isfinite(self.error):
            numbers["error"] = min(numbers["error"], MOST)
        return replace(self, step=self.step * size, **numbers)


UNKNOWN = Slope(value=float("nan"), error=float("inf"))


def slope(seen: Differences) -> Slope:
    """The derivative at t = 0, or `UNKNOWN` where fewer than three steps could be taken.

    A jump at the point itself is a kink between slopes that have no bound.
    """
    if seen.step.size < 3:
        return UNKNOWN
    if seen.broken:
        return Slope(value=float(seen.central[0]), error=float("inf"), kink=True)
    return _corner(seen) or _smooth(seen)


def noise_level(seen: Differences, second: Array) -> Array:
    """What <u, f> may be off by at each step: round-off, jumps, and the measured part of E(t).

    second: E(t), either of <u, f> or with every output's share taken as a size.

    At the finest steps E(t), less the curvature that the next coarser step predicts for it, is
    noise, and so is what D(t) changes by: rounding is often odd around x, and E alone is blind to
    that. Samples that tower over the finest are not noise, which is the same at every step, but a
    kink or a period that begins there.
    """
    ratio = (seen.step[1:] / seen.step[:-1]) ** 2
    even = np.minimum(np.abs(second[1:]), np.abs(second[1:] - second[:-1] * ratio))
    odd = np.abs(np.diff(seen.central)) * seen.step[1:]
    quiet = min(QUIET, seen.step.size - QUIET)
    return NOISE_MARGIN * _noise(seen, np.maximum(even, odd), quiet) + seen.rounding + seen.jump


def _noise(seen: Differences, samples: Array, quiet: int = 1) -> float:
    """The largest sample at the finest steps, less those that tower over so many of the finest, or over one
    more where the finest is below round-off."""
    samples = samples[-NOISE_SAMPLES:]
    quiet = max(quiet, 1 if samples[-1] > seen.rounding[-1] else 2)
    while samples.size > quiet and samples.max() > TOWERING * max(*samples[-quiet:], seen.rounding[-1]):
        samples = samples[1:]
    return float(samples.max())


def _corner(seen: Differences) -> Slope | None:
    """The interval of one-sided slopes where E(t) / t stays the same however small t is."""
    noise = np.maximum(seen.rounding, _strays(seen))
    threshold = CORNER_SIGNAL * noise
    loud = np.flatnonzero(seen.gaps > threshold)
    if loud.size < 3:
        return None
    gaps = _gaps(seen, loud[-3:])
    gap = gaps[-1]
    last = loud[-1]
    rounding = noise[last] / seen.step[last]
    if gap < seen.gaps[last] / seen.step[last] / 2 or np.ptp(gaps) > CORNER_SPREAD * gap + 2 * rounding:
        return None
    finer = slice(last + 1, None)
    if (gap * seen.step[finer] > 2 * threshold[finer]).any():
        return None  # finer steps should have seen it as well: the kink is beside the point, not at it
    # The finest steps are off by what the function's own argument is rounded by; coarser ones are less so.
    near = loud[-CORNER_SAMPLES:]
    spread = np.ptp(seen.central[near]) + np.ptp(_gaps(seen, near))
    error = gap / 2 + spread + rounding
    bend = float(seen.second[last] / seen.step[last])
    return Slope(value=float(seen.central[last]), error=float(error + seen.unseen), kink=True, bend=bend)


def _strays(seen: Differences) -> float:
    """By how much E(t) at the finest steps is off what a corner and curvature make of it: terms that cancel
    in an output leave it with more noise than its size tells."""
    ratio = seen.step[1:] / seen.step[:-1]
    curved = seen.gaps[1:] - seen.gaps[:-1] * ratio
    rest = curved[1:] - curved[:-1] * ratio[1:] ** 2
    return _noise(seen, np.abs(rest))


def _gaps(seen: Differences, steps: Array) -> Array:
    """E(t) / t at t = 0, by each two of some steps: curvature adds to it what is proportional to t."""
    raw = seen.gaps[steps] / seen.step[steps]
    ratio = seen.step[steps][:-1] / seen.step[steps][1:]
    return (ratio * raw[1:] - raw[:-1]) / (ratio - 1)


def _smooth(seen: Differences) -> Slope:
    level = noise_level(seen, seen.second)
    noise = level / seen.step
    rows = [(seen.central, noise)]
    candidates = []
    for order in range(1, ORDERS + 1):
        value, carried = rows[-1]
        if value.size < 2:
            break
        ratio = (seen.step[:-order] / seen.step[order:]) ** 2
        finer, coarser = value[1:], value[:-1]
        extrapolated = finer + (finer - coarser) / (ratio - 1)
        spread = (ratio * carried[1:] + carried[:-1]) / (ratio - 1)
        change = np.maximum(np.abs(extrapolated - finer), np.abs(extrapolated - coarser))
        candidates.append(np.stack([extrapolated, change + spread, np.arange(order, seen.step.size)], axis=1))
        rows.append((extrapolated, spread))
    value, error, last = np.concatenate(candidates).T
    last = last.astype(int)
    alone = np.arange(value.size) < candidates[0].shape[0]  # of two steps, which may agree by chance
    error = error + np.where(alone, _next(seen, value, last), 0)
    total = error + _contradiction(seen, noise, value, last) + _one_sided(seen)[last]
    best = int(np.argmin(total))
    error = total[best] + seen.unseen + _rival(value, error + _own_gap(seen)[last], last, best)
    if seen.jump > TOWERING * seen.rounding.max():
        error = error + abs(value[best])  # between its jumps it may as well stand still
    if seen.jump > seen.rounding.max():
        error = error + _between(seen, noise, float(value[best]), int(last[best]))
    if _all_noise(seen, level):
        error = error + noise[-1]
    return Slope(
        value=float(value[best]),
        error=float(min(error, MOST)),
        drifts=_drifts(seen, noise),
        step=float(seen.step[last[best]]),
        jump=seen.jump,
    )


def _next(seen: Differences, value: Array, last: Array) -> Array:
    """How far the next finer difference is from each candidate, noise and all; 0 where there is none."""
    following = np.minimum(last + 1, seen.step.size - 1)
    return np.where(following > last, np.abs(seen.central[following] - value), 0)


def _drifts(seen: Differences, noise: Array) -> bool:
    """Whether the last two changes of D(t) that stand above the noise are of one size, or too few differences
    stand above it to show that they are not."""
    if (np.abs(seen.central) > noise).sum() < SETTLED:
        return True
    changes = np.abs(np.diff(seen.central))
    loud = changes[changes > noise[1:] + noise[:-1]]
    return loud.size >= 2 and bool(loud[-1] > loud[-2] / DRIFT)


def _rival(value: Array, error: Array, last: Array, best: int) -> float:
    """How far the best candidate is from a plateau of coarser steps that contradicts it.

    Where a part of the function is quantised inside, as log(1 + p) is for a tiny p, fine steps agree on
    what is left when that part stands still. Two neighbouring candidates that agree beside the best
    one, each by its own bar, are such a plateau; across a kink or a period they would not agree.
    """
    coarser = np.flatnonzero((last < last[best] - ORDERS) & np.isfinite(error))
    gap = np.abs(value[coarser] - value[best])
    rivals = coarser[(gap > error[coarser] + error[best]) & (error[coarser] < PLATEAU * gap)]
    for one in rivals:
        beside = rivals[last[rivals] == last[one] + 1]
        if (np.abs(value[beside] - value[one]) <= error[beside] + error[one]).any():
            return float(np.abs(value[one] - value[best]))
    return 0.0


def _one_sided(seen: Differences) -> Array:
    """`_own_gap` of each step or a finer one, whichever is larger."""
    return np.maximum.accumulate(_own_gap(seen)[::-1])[::-1]


def _own_gap(seen: Differences) -> Array:
    """Half the gap of the one-sided slopes that each step sees itself.

    Curvature's E(t) falls with t^2 from step to step. One that falls more slowly, as at a kink or
    beside one that the step reaches across, may be a gap in the slope itself.
    """
    size = np.maximum(seen.gaps - noise_level(seen, seen.gaps), 0)
    slow = seen.gaps[1:] > SLOW * seen.gaps[:-1] * (seen.step[1:] / seen.step[:-1]) ** 2
    gap = np.concatenate([[0.0], np.where(slow, size[1:] / (2 * seen.step[1:]), 0)])
    return np.maximum(gap, np.concatenate([[0.0], gap[:-1]]))


def _between(seen: Differences, noise: Array, value: float, last: int) -> float:
    """What the steps between a candidate's and the jumps leave open, where its own reach over more than
    curvature: a period that it cannot see may lie there."""
    if not _own_gap(seen)[last] > 0:
        return 0.0
    moving = (seen.central != 0) | (seen.second != 0)
    moving[: last + 1] = False
    return float(np.max(np.abs(seen.central - value) + noise, initial=0, where=moving))


def _all_noise(seen: Differences, level: Array) -> bool:
    """Whether the noise is far above round-off and half as large as all that the function does; or there are
    jumps above it, and the function does little else.

    A function that oscillates faster than the finest step, or between two of its jumps, looks just so; its
    averages over coarse steps must not pass for a derivative.
    """
    movement = max(np.abs(seen.central * seen.step).max(), np.abs(seen.second).max())
    rounding = seen.rounding.max()
    if seen.jump > rounding:
        return bool(LEVELS * level.max() > movement)
    return bool(level.max() > TOWERING * rounding and 2 * level.max() > movement)


def _contradiction(seen: Differences, noise: Array, value: Array, last: Array) -> Array:
    """How far differences finer than each candidate's own are from it where that is more than noise, which
    decides whether they contradict it and not by how much."""
    gap = np.abs(seen.central - value[:, None])
    own = gap[np.arange(value.size), last][:, None]  # the truncation of its finest difference
    truncation = own * np.minimum(seen.step / seen.step[last][:, None], 1) ** 2
    finer = np.arange(seen.step.size) > last[:, None]
    return np.max(gap, axis=1, initial=0, where=finer & (gap > noise + truncation))
