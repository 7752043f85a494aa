"""Several ways to one gradient: where they lead to different ones, each is judged by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.claim import Array, Claim, carries_gradient
from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.rounding import allowance
from gradcheck.tree import Tree

AMPLIFIED = 2.0**16  # times its rounding that two right ways to one gradient may be apart
Vjp = Callable[..., Tree]


def judged_apart(claim: Claim, ways: Sequence[tuple[str, Vjp]]) -> Claim:
    """One claim in which each input stands once for the claim's own way, and once for every other one.

    ways: (word, vjp); the word goes before the names of its inputs, as in "vmapped x".
    """
    count, size = len(ways) + 1, len(claim.inputs)

    def parts(inputs: tuple[Tree, ...]) -> list[tuple[Tree, ...]]:
        return [inputs[k * size : (k + 1) * size] for k in range(count)]

    def several(function: Callable[..., Tree]) -> Callable[..., Tree]:
        return lambda *inputs: [function(*part) for part in parts(inputs)]

    def vjp(cotangents: Any, *inputs: Tree) -> tuple[Any, ...]:
        own = [claim.vjp, *(way for _, way in ways)]
        answers = zip(own, cotangents, parts(inputs), strict=True)
        return tuple(g for run, u, part in answers for g in _each(claim, run(u, *part)))

    return dataclasses.replace(
        claim,
        forward=several(claim.forward),
        reference=several(claim.reference) if claim.reference else None,
        vjp=vjp,
        inputs=claim.inputs * count,
        names=(*claim.names, *(f"{word} {name}" for word, _ in ways for name in claim.names)),
        data=tuple(position + k * size for k in range(count) for position in claim.data),
    )


def _each(claim: Claim, gradients: Tree) -> Sequence[Tree]:
    """One gradient an input that carries one, from what `Slots.gradients` makes of them."""
    return (gradients,) if sum(map(carries_gradient, claim.inputs)) == 1 else gradients


def scale_of(evaluator: Evaluator, cotangents: Arrays) -> float:
    """What a gradient of this function could be: <|u|, |f|> over |x|. One that cancels rounds like that."""
    pairs = zip(cotangents, evaluator.outputs, strict=True)
    size = max(float(np.abs(value).max(initial=0)) for value in evaluator.point)
    return sum(float(np.vdot(np.abs(u), np.abs(out))) for u, out in pairs) / max(1.0, size)


def apart(own: Sequence[Array | None], other: Sequence[Array | None], scale: float = 0.0) -> bool:
    """Whether two lots of arrays differ by more than the rounding of what is as large as they are, or as
    `scale`; None counts as zeros.
    """
    return any(_differ(a, b, scale) for a, b in zip(own, other, strict=True))


def _differ(own: Array | None, other: Array | None, scale: float) -> bool:
    a, b = (np.zeros(()) if g is None else g for g in (own, other))
    if own is not None and other is not None and a.shape != b.shape:
        return True
    largest = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0), scale)
    bar = AMPLIFIED * allowance(np.result_type(a, b), float(largest))
    return bool((np.abs(a - b) > bar).any())
