"""How far a claim is from the truth, by means that belong to none of the checkers.

The truth is taken by differences in extended precision: `numpy.longdouble` has to have more digits than
float64 for that.
"""

from __future__ import annotations

import numpy as np

from benchmarks.gradients.case import Array, Case

ENTRIES = 30  # of every input that are compared, chosen at random
STEP = 1e-3  # of the entry's size; extrapolated once, the error of the difference is of fourth order in it


def cotangent(case: Case) -> Array:
    """The same signed numbers for every claim about one function."""
    output = np.asarray(case.forward(*case.inputs))
    rng = np.random.default_rng(18)
    return (rng.choice([-1, 1], output.shape) * rng.uniform(0.5, 1.5, output.shape)).astype(output.dtype)


def slope(case: Case, u: Array, which: int, index: int) -> float:
    """<u, forward> by one entry of one input."""
    wide = [np.asarray(value, dtype=np.longdouble) for value in case.inputs]
    at = wide[which].flat[index]
    step = STEP * (abs(at) or 1)

    def difference(h: Array) -> Array:
        values = []
        for moved in (at + h, at - h):
            wide[which].flat[index] = moved
            values.append(np.array(case.forward(*wide)))
        return np.sum(u * (values[0] - values[1])) / (2 * h)

    return float((4 * difference(step / 2) - difference(step)) / 3)


def off_truth(case: Case) -> float:
    """The largest error of some entries of a claim, relative to the largest entry of its input's gradient."""
    u, rng, worst = cotangent(case), np.random.default_rng(19), 0.0
    for which, gradient in enumerate(case.vjp(u, *case.inputs)):
        flat = np.ravel(gradient).astype(float)
        some = rng.permutation(flat.size)[:ENTRIES]
        errors = [abs(flat[i] - slope(case, u, which, i)) for i in some]
        worst = max(worst, float(np.max(errors) / np.abs(flat).max()))
    return worst


def off_right(case: Case, cases: tuple[Case, ...]) -> float:
    """The largest error of a claim beside the right one about the same smooth function among the cases."""
    right = next(c for c in cases if c.right and c.forward is case.forward and c.inputs is case.inputs)
    u, worst = cotangent(case), 0.0
    both = zip(case.vjp(u, *case.inputs), right.vjp(u, *case.inputs), strict=True)
    for claimed, expected in both:
        gap = np.abs(np.asarray(claimed, float) - np.asarray(expected, float))
        worst = max(worst, float(gap.max() / np.abs(expected).max()))
    return worst
