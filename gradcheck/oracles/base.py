"""What every oracle answers with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Arrays


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The gradient of <cotangent, output> by one leaf as an oracle sees it, with its own error bar.

    directions: (k, *leaf shape), and then `value` holds k directional derivatives in units of
    output per unit step; or None, and `value` is the gradient itself in the leaf's shape.
    error: how far `value` can be wrong, same shape; inf where nothing could be learned.
    kink: where the one-sided slopes differ; value +- error is then the interval between them.
    """

    leaf: str
    directions: Array | None
    value: Array
    error: Array
    kink: Array

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


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that one oracle said: an estimate a leaf, or none and the reason in `why_not`.

    evaluations: calls of the forward, or of the reference, that it took.
    forward_disagrees: the oracle's own forward gives another output than the user's, so that
    its estimates are of another function and must not be used; `why_not` says by how much.
    failure: what the user's forward raised at a point that the oracle chose, if anything.
    noisy: the forward gave two outputs for the same inputs.
    """

    oracle: str
    estimates: tuple[Estimate, ...] = ()
    why_not: str = ""
    evaluations: int = 0
    forward_disagrees: bool = False
    failure: str = ""
    noisy: bool = False


def flat(arrays: Arrays) -> Array:
    """All entries of all arrays as one float64 vector."""
    return np.concatenate([np.asarray(array, dtype=np.float64).ravel() for array in arrays])
