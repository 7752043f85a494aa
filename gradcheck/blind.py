"""Mistakes that a claim's own shapes and numbers hide: no check at this point can see them.

Only what is certain: each sentence follows from a length, or from numbers that are equal. Shapes that look
risky and hide nothing, such as square weights, are not in here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.claim import Array, Claim, array_shapes
from gradcheck.examine import Examination
from gradcheck.oracles.base import Estimate


def blind_spots(claim: Claim, seen: Examination) -> tuple[str, ...]:
    """One sentence for each class of mistakes that makes no difference to these gradients."""
    return (*_one_example(claim), *_one_entry(claim), *_behind_zeros(seen), *_same_throughout(seen))


def _one_example(claim: Claim) -> Iterator[str]:
    """At m = 1 the mean is the sum, and the sum is its only term."""
    if claim.batch_size == 1:
        yield (
            "one example (m = 1): a factor of m, a sum over the examples left out, or one example "
            "taken for all cannot be seen"
        )


def _one_entry(claim: Claim) -> Iterator[str]:
    """Labels with one entry an example have no mean over outputs. What they label is the first data input."""
    m = claim.batch_size
    for i in claim.data[1:] if m is not None and m > 1 else ():
        if array_shapes(claim.inputs[i]) in ([(m, 1)], [(1, m)]):
            yield (
                f"{claim.names[i]} has one entry an example: a mean over its entries for their sum "
                "cannot be seen"
            )


def _behind_zeros(seen: Examination) -> Iterator[str]:
    """Zero times anything is zero: weights of zeros hide what should have passed back through them."""
    known = _known(seen)
    still = [name for name, true in known.items() if true.value.size and not true.value.any()]
    zeros = [
        leaf.name
        for leaf in seen.evaluator.leaves
        if leaf.value.ndim > 1 and not leaf.value.any() and leaf.name in known and leaf.name not in still
    ]
    if zeros and still:
        yield (
            f"{' and '.join(zeros)}: all zeros, and so is the gradient of {' and '.join(still)}: "
            "a wrong factor in it cannot be seen"
        )


def _same_throughout(seen: Examination) -> Iterator[str]:
    """Units that start equal have equal gradients: which belongs to which makes no difference."""
    known = _known(seen)
    for leaf in seen.evaluator.leaves:
        true = known.get(leaf.name)
        if true is None or leaf.value.ndim < 2 or not leaf.value.any() or not true.value.any():
            continue
        for axis, length in enumerate(leaf.value.shape):
            if length > 1 and _same(leaf.value, 0, axis) and _same(true.value, true.error.max(), axis):
                yield (
                    f"{leaf.name} and its gradient are the same all along axis {axis}: a wrong order "
                    "along it cannot be seen"
                )


def _same(values: Array, error: float, axis: int) -> bool:
    first = values[(slice(None),) * axis + (slice(2),)]  # which settles it for most, with no pass over all
    return all(bool((np.abs(np.diff(v, axis=axis)) <= 2 * error).all()) for v in (first, values))


def _known(seen: Examination) -> dict[str, Estimate]:
    """The true gradient of each leaf of which some oracle knows all entries as sharply as a PASS has to."""
    found: dict[str, Estimate] = {}
    for answer in seen.answers:
        for estimate in answer.estimates:
            allowed = seen.sensitivity * np.abs(estimate.value).max(initial=0)
            if estimate.directions is None and (estimate.error <= allowed).all():
                found.setdefault(estimate.leaf, estimate)
    return found
