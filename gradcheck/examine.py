"""One look at a claim at one point: run it, ask the oracles, lay their answers beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array, Claim
from gradcheck.compare import Comparison, compare
from gradcheck.evaluator import Evaluator
from gradcheck.oracles import Oracle
from gradcheck.oracles.base import Answer, flat
from gradcheck.probes import draw_probe


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that was seen at one point.

    claimed: one gradient a leaf in whatever shape it was given, zeros for None. comparisons: by
    leaf, then by oracle; none for a gradient of the wrong shape. answers is empty, and nothing
    compared, where the user's own point gives an output that is not finite.
    """

    evaluator: Evaluator
    claimed: tuple[Array, ...]
    answers: tuple[Answer, ...]
    comparisons: tuple[tuple[Comparison, ...], ...]


def examine(claim: Claim, oracles: tuple[Oracle, ...], seed: int) -> Examination:
    """Judge nothing yet: gather the claimed gradients and each oracle's estimates of them."""
    evaluator = Evaluator(claim)
    probe = draw_probe(evaluator, seed)
    claimed = tuple(
        np.zeros(leaf.value.shape) if gradient is None else gradient
        for leaf, gradient in zip(
            evaluator.leaves, evaluator.backward(evaluator.point, probe.cotangents), strict=True
        )
    )
    finite = all(np.isfinite(out).all() for out in evaluator.outputs)
    answers = tuple(oracle(evaluator, probe) for oracle in oracles) if finite else ()
    function_scale = (
        float(np.abs(flat(probe.cotangents)) @ np.abs(flat(evaluator.outputs))) if finite else 0.0
    )
    comparisons = tuple(
        tuple(
            compare(gradient, answer, position, function_scale, leaf.value)
            for answer in answers
            if answer.estimates
        )
        if gradient.shape == leaf.value.shape
        else ()
        for position, (leaf, gradient) in enumerate(zip(evaluator.leaves, claimed, strict=True))
    )
    return Examination(evaluator=evaluator, claimed=claimed, answers=answers, comparisons=comparisons)
