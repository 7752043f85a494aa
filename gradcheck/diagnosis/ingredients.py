"""What a wrong line may have been made of: right cotangents, what the forward has names for, parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.first_wrong import SHORT, FirstWrong
from gradcheck.lines import Line, Unfolded
from gradcheck.verdict import LeafResult
from gradcheck.watch import watched_forward

M = "m"  # what the number of examples is called where the user's code has no name for it


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """One point: what a quantity should be, what was written, and all by name that it may be made of.

    cotangents: the names of right gradients, those of intermediates first. own: the name of the parameter
    whose gradient it is.
    """

    expected: Array
    written: Array
    operands: dict[str, Array]
    cotangents: tuple[str, ...]
    own: str | None


def ingredients_of(
    wrong: FirstWrong, backward: Unfolded, leaves: tuple[LeafResult, ...], m: int | None
) -> Ingredients | None:
    """Those of the first wrong quantity at the point of `backward`; None where it has none there."""
    seen, at = backward.seen, wrong.at
    names = {leaf.name: match[1] if (match := SHORT.search(leaf.name)) else leaf.name for leaf in leaves}
    lines = {line.name: line for line in backward.lines}
    if isinstance(at, Line):
        line = lines.get(at.name)
        if line is None:
            return None
        (expected,) = backward.derivatives_at([seen.evaluator.point], [line.variable])[0]
        written, own = line.written, None
    else:
        position = [leaf.name for leaf in leaves].index(at.name)
        written, own = seen.claimed.gradients[position], names[at.name]
        exact = [a for a in seen.answers if a.estimates and a.estimates[position].directions is None]
        if not exact:
            return None
        expected = exact[0].estimates[position].value
    cotangents = {name: lines[name].written for name in wrong.right if name in lines}
    gradients = {
        f"d{names[leaf.name]}": seen.claimed.gradients[i]
        for i, leaf in enumerate(leaves)
        if f"d{names[leaf.name]}" in wrong.right
    }
    operands = cotangents | gradients
    operands |= {names[leaf.name]: leaf.value for leaf in seen.evaluator.leaves if leaf.name in names}
    operands |= {line.by: line.value for line in backward.lines}
    for name, noted in watched_forward(seen.evaluator).items():
        operands.setdefault(name, noted.value)
    if m is not None and not any(v.ndim == 0 and v == m for v in operands.values()):
        operands[M] = np.array(float(m))
    return Ingredients(
        expected=expected,
        written=written,
        operands=operands,
        cotangents=(*cotangents, *gradients),
        own=own,
    )
