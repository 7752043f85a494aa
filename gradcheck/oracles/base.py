"""What every oracle answers with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The gradient of <cotangent, output> by one leaf as an oracle sees it, with its own error bar.

    directions: (k, *leaf shape), and then `value` holds k directional derivatives in units of
    output per unit step; or None, and `value` is the gradient itself in the leaf's shape.
    error: how far `value` can be wrong, same shape; inf where nothing could be learned.
    bend: at a kink, how much larger the slope ahead is than the one behind. ripple: the part of `error` that
    jumps of the function make; both None where nobody asked.
    own_error: the same where entries do not share the rounding of the leaf's largest; None where not known.
    kink: where the one-sided slopes differ; value +- error is then the interval between them.
    """

    leaf: str
    directions: Array | None
    value: Array
    error: Array
    kink: Array
    own_error: Array | None = None
    bend: Array | None = None
    ripple: Array | None = None

    @property
    def lines(self) -> Array:
        """The directions; raises where the estimate is entry by entry."""
        if self.directions is None:
            raise ValueError(f"{self.leaf} was estimated entry by entry: it has no directions")
        return self.directions

    def with_lines(self, more: Estimate) -> Estimate:
        """The same estimate along more directions."""
        names = ("directions", "value", "error", "kink", "ripple", "bend")
        pairs = {name: (getattr(self, name), getattr(more, name)) for name in names}
        return replace(self, **{name: np.concatenate(pair) for name, pair in pairs.items()})

    def widened(self, more: Array) -> Estimate:
        """The same entry by entry estimate, each entry's error bar wider by so much."""
        own = None if self.own_error is None else self.own_error + more
        return replace(self, error=self.error + more, own_error=own)

    def project(self, gradient: Array) -> Array:
        """A gradient in the form of this estimate's `value`."""
        if self.directions is None:
            return gradient
        return np.array([np.vdot(direction, gradient) for direction in self.directions])

    def project_error(self, error: Array) -> Array:
        """The error bar of `project(gradient)` for a gradient known to within `error`."""
        if self.directions is None:
            return error
        return np.array([np.vdot(np.abs(direction), error) for direction in self.directions])

    def spread(self, error: float) -> Array:
        """The same for a gradient of which each entry is known to within `error`."""
        if self.directions is None:
            return np.array(error)
        return np.array([error * np.abs(direction).sum() for direction in self.directions])


TOGETHER = "all together"  # stands for a leaf's name where all leaves move at once


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that one oracle said: an estimate a leaf, or none and the reason in `why_not`.

    together: the derivative along one line through all leaves, where that was all it was asked.
    evaluations: calls of the forward, or of the reference, that it took.
    forward_disagrees: the oracle's own forward gives another output than the user's, so that
    its estimates are of another function and must not be used; `why_not` says by how much.
    failure: what the user's forward raised at a point that the oracle chose, if anything.
    noisy: the forward gave two outputs for the same inputs.
    """

    oracle: str
    estimates: tuple[Estimate, ...] = ()
    together: Estimate | None = None
    why_not: str = ""
    evaluations: int = 0
    forward_disagrees: bool = False
    failure: str = ""
    noisy: bool = False


def along(answer: Answer, line: Arrays) -> Estimate | None:
    """An answer as one derivative along a line through all leaves; None where it knows too little."""
    if answer.together is not None:
        return answer.together
    if not answer.estimates or any(estimate.directions is not None for estimate in answer.estimates):
        return None
    pairs = list(zip(answer.estimates, line, strict=True))
    return Estimate(
        leaf=TOGETHER,
        directions=None,
        value=np.array([sum(float(np.vdot(direction, e.value)) for e, direction in pairs)]),
        error=np.array([sum(float(np.vdot(np.abs(direction), e.error)) for e, direction in pairs)]),
        kink=np.array([any(e.kink.any() for e, _ in pairs)]),
    )


def flat(arrays: Arrays) -> Array:
    """All entries of all arrays as one float64 vector."""
    return np.concatenate([np.asarray(array, dtype=np.float64).ravel() for array in arrays])
