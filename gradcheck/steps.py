"""How the gap between a claim and a difference quotient changes as the step shrinks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.compare import Comparison
from gradcheck.curve import Curve, Scaling
from gradcheck.examine import Examination
from gradcheck.oracles import finite_difference
from gradcheck.oracles.finite_difference import differencing
from gradcheck.oracles.line import Line
from gradcheck.probes import typical
from gradcheck.verdict import LeafResult, Reason

RUN = 3  # changes in a row, each over a factor of 16 in the step, that make a behaviour
HALF_A_POWER = 0.5  # of the step: what tells one power from the next


def traced_out(seen: Examination, leaves: tuple[LeafResult, ...]) -> tuple[LeafResult, ...]:
    """The results that are not PASS with their curves, where finite differences were asked."""
    found = []
    for position, leaf in enumerate(leaves):
        named = leaf.worst_index is not None
        found_by = [c for c in seen.comparisons[position] if c.oracle == finite_difference.NAME]
        comparison = next((c for c in found_by if named or not c.entrywise), None)
        if comparison is None or leaf.reason not in (Reason.MISMATCH, Reason.NOISE):
            found.append(leaf)
            continue
        found.append(replace(leaf, curve=_curve(seen, position, leaf, comparison)))
    return tuple(found)


def _curve(seen: Examination, position: int, leaf: LeafResult, comparison: Comparison) -> Curve:
    """Along the entry that the result names, or along the first direction."""
    line, unit = _line(seen, position, leaf, comparison)
    climbed = differencing(seen.evaluator, seen.claimed.probe).differences(line)
    claimed = float(np.vdot(line[position], seen.claimed.gradients[position]))
    gaps = np.abs(climbed.central - claimed) / unit
    trend = scaling(gaps)
    if leaf.reason is Reason.NOISE and trend is Scaling.STAYS:
        trend = None  # a gap within the bars is no other formula
    return Curve(steps=tuple((climbed.step * unit).tolist()), gaps=tuple(gaps.tolist()), scaling=trend)


def _line(seen: Examination, position: int, leaf: LeafResult, comparison: Comparison) -> tuple[Line, float]:
    at = seen.evaluator.leaves[position].value
    if leaf.worst_index is None:
        worst = int(np.argmax(comparison.gap - comparison.allowance))
        return {position: comparison.estimate.lines[worst]}, 1.0
    size = max(abs(float(at[leaf.worst_index])), typical(at))
    direction = np.zeros_like(at, dtype=np.float64)
    direction[leaf.worst_index] = size
    return {position: direction}, size


def scaling(gaps: Array) -> Scaling | None:
    """What the gaps at steps that shrink by one factor of 16 after another do; None where they do nothing
    in particular."""
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.log(gaps[:-1] / gaps[1:]) / np.log(16)
    for power, what in ((0, Scaling.STAYS), (2, Scaling.FALLS), (-1, Scaling.GROWS)):
        near = np.abs(powers - power) < HALF_A_POWER
        runs = np.convolve(near, np.ones(RUN), "valid") if near.size >= RUN else np.zeros(1)
        if (runs == RUN).any():
            return what
    return None
