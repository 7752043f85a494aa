"""What a backward must honour besides numbers: write to nothing it is given, be linear in the cotangent,
and say the same twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.evaluator import Again, Arrays, Evaluator
from gradcheck.passes import everywhere, largest
from gradcheck.probes import COTANGENTS, Probe, generator, signed
from gradcheck.rounding import allowance, arithmetic

# A cotangent that many times as large, which a clipped gradient does not survive, by the bytes of a number.
LARGE = {2: 4, 4: 1024, 8: 1024}
UNSCALED = 1e-2  # of its size: closer than that to what it was, a gradient has not grown with the cotangent
MOVE = 0.2  # of its size that other data is off
LOST = 2.0**10  # times its rounding that two right sums of gradients may differ by
NO_DERIVATIVE = ("ignores-cotangent", "nonlinear-backward")  # what makes every other cause meaningless
Gradients = tuple[Array | None, ...]


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One rule broken. Codes are those of the list of mistakes."""

    code: str
    message: str
    remedy: str


def breaches(evaluator: Evaluator, probe: Probe, claimed: tuple[Array, ...]) -> tuple[Breach, ...]:
    """Every rule that the claim's functions break at the user's point; none are known of values."""
    if not evaluator.claim.repeatable:
        return ()
    with np.errstate(all="ignore"):
        again = evaluator.backward_again(probe.cotangents)
        return (*_mutations(evaluator, again), *_answers(Answers.of(evaluator, probe, claimed, again.found)))


def drawn_anew() -> tuple[Breach, ...]:
    """What to say of a forward that gave two outputs for the same inputs: no fault of its backward."""
    return (
        Breach(
            code="random-forward",
            message="the forward draws new random numbers at every call",
            remedy="draw the mask once and keep it in the cache, or seed the generator inside the forward",
        ),
    )


def _mutations(evaluator: Evaluator, backward: Again) -> Iterator[Breach]:
    forward = evaluator.again.written
    others = tuple(name for name in backward.written if name not in forward)
    for function, written in (("forward", forward), ("backward", others)):
        if written:
            yield Breach(
                code="mutates",
                message=f"the {function} writes into {' and '.join(written)}",
                remedy="compute on a copy, e.g. x = x.copy(), or without `out=`, `+=` and `x[...] =`",
            )


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The backward asked again: claimed is what it said of `cotangents` at first, again the second time, and
    second what it says of `other`, where it is handed a cotangent.

    unit: of rounding, for a leaf's gradient of size 1. residue: what is left of sums
    as large as the function that cancel.
    """

    evaluator: Evaluator
    cotangents: Arrays
    other: Arrays
    second: Gradients
    claimed: tuple[Array, ...]
    again: Gradients
    unit: float
    residue: float
    seed: int

    @classmethod
    def of(cls, evaluator: Evaluator, probe: Probe, claimed: tuple[Array, ...], again: Gradients) -> Answers:
        """The cotangent of the check, and another one."""
        rng = generator(probe.seed, COTANGENTS)
        other = tuple(signed(rng, u.shape) for u in probe.cotangents)
        asked = evaluator.claim.takes_cotangent
        second = evaluator.backward(evaluator.point, other) if asked else again
        kinds = [
            arithmetic(g, s)
            for g, s in zip(claimed, second, strict=True)
            if s is not None and s.shape == g.shape
        ]
        kinds += [array.dtype.type for array in evaluator.outputs]
        unit = max(allowance(np.dtype(kind), 1.0) for kind in kinds)
        size = sum(
            float(np.abs(u * o).sum()) for u, o in zip(probe.cotangents, evaluator.outputs, strict=True)
        )
        return cls(
            evaluator=evaluator,
            cotangents=probe.cotangents,
            other=other,
            second=second,
            claimed=claimed,
            again=again,
            unit=LOST * unit,
            residue=size,
            seed=probe.seed,
        )

    def to(self, cotangents: Arrays) -> Gradients:
        """What the backward says of these."""
        return self.evaluator.backward(self.evaluator.point, cotangents)

    def beside(self) -> Arrays:
        """Other data: the leaves of the batch moved, all others as they are."""
        rng = generator(self.seed, COTANGENTS)
        moved = self.evaluator.claim.leaves_of_data()
        return tuple(
            value * (1 + MOVE * signed(rng, value.shape)) if moves else value
            for value, moves in zip(self.evaluator.point, moved, strict=True)
        )

    def disturbed(self) -> Gradients:
        """What the backward says after a run on other data; () where nothing lasts."""
        return self.evaluator.disturbed_backward(self.beside(), self.cotangents)

    def undisturbed(self) -> bool:
        """Whether a run on other data changes nothing."""
        found = self.disturbed()
        return not found or self.same(found, self.claimed, self.residue)

    def same(self, found: Gradients, expected: tuple[Array, ...], residue: float) -> bool:
        """Whether gradients are equal but for rounding."""
        return all(g is None or self._close(g, e, residue) for g, e in zip(found, expected, strict=True))

    def _close(self, found: Array, expected: Array, residue: float) -> bool:
        if found.shape != expected.shape:
            return False
        bar = self.unit * (largest(expected) + residue)
        return everywhere(lambda f, e: (np.abs(f - e) <= bar) | ~np.isfinite(e), found, expected)


def _answers(ask: Answers) -> Iterator[Breach]:
    evaluator = ask.evaluator
    if not evaluator.repeats:
        return  # a forward that draws anew has no fixed gradient, which is no fault of the backward
    if not ask.same(ask.again, ask.claimed, 0.0):
        yield Breach(
            code="accumulates",
            message="the backward gives another answer the second time, for the same arguments",
            remedy="start each gradient from zero, and keep no state between calls",
        )
    elif all(np.isfinite(g).all() for g in ask.claimed) and not ask.undisturbed():
        yield _kept(ask)
    elif ask.evaluator.claim.takes_cotangent and all(np.isfinite(g).all() for g in ask.claimed):
        yield from _linear(ask)


def _kept(ask: Answers) -> Breach:
    """What a run on other data has left behind, by what it does to the next answer."""
    beside, found = ask.beside(), ask.disturbed()
    other = ask.evaluator.probe_backward(beside, ask.cotangents)
    if other and _added(ask, found, other):
        return Breach(
            code="accumulates",
            message="gradients are added to those of the run before, and nothing starts them anew",
            remedy="start each gradient from zero in backward, or give the class a method zero_grad()",
        )
    return Breach(
        code="stale-cache",
        message="the backward uses what a run on other data has left behind",
        remedy="cache in every forward, and hand the cache to the backward that belongs to it",
    )


def _added(ask: Answers, found: Gradients, other: Gradients) -> bool:
    """Whether every gradient is as it was, or that and the other run's."""
    return all(
        ask.same((f,), (g,), ask.residue) or (o is not None and ask.same((f,), (g + o,), ask.residue))
        for f, g, o in zip(found, ask.claimed, other, strict=True)
    )


def _linear(ask: Answers) -> Iterator[Breach]:
    large = LARGE[min(8, *(out.dtype.itemsize for out in ask.evaluator.outputs))]
    scaled = ask.to(tuple(large * u for u in ask.cotangents))
    unscaled = replace(ask, unit=min(ask.unit, UNSCALED))
    if any(g.any() for g in ask.claimed) and unscaled.same(scaled, ask.claimed, 0.0):
        yield Breach(
            code="ignores-cotangent",
            message="the backward returns the same whatever gradient comes in",
            remedy="multiply by the incoming gradient",
        )
    elif not (
        ask.same(scaled, tuple(large * g for g in ask.claimed), large * ask.residue) and _additive(ask)
    ):
        yield Breach(
            code="nonlinear-backward",
            message="the backward is not linear in the incoming gradient",
            remedy="clip or rescale gradients where they are used, not inside the backward",
        )


def _additive(ask: Answers) -> bool:
    """backward(u + v) against backward(u) + backward(v), and backward(0) against 0."""
    second = ask.second
    both = ask.to(tuple(u + v for u, v in zip(ask.cotangents, ask.other, strict=True)))
    nothing = ask.to(tuple(0 * u for u in ask.cotangents))
    sums = tuple(g + (0 if s is None else s) for g, s in zip(ask.claimed, second, strict=True))
    sizes = max(
        (float(np.abs(g).max(initial=0)) for g in (*ask.claimed, *second) if g is not None), default=0.0
    )
    return ask.same(both, sums, ask.residue + sizes) and all(z is None or not np.any(z) for z in nothing)
