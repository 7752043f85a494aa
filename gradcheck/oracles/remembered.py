"""Recordings of forwards that are checked again, used where they still give the very same numbers."""

from __future__ import annotations

import contextlib
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.probes import PERTURBATIONS, generator, signed, typical

PERTURBATION = 1e-4  # of an entry's size: beyond round-off, and seldom across a branch


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A Trace that was believed, and what its guards were then."""

    trace: Any
    guards: Arrays


# By the identity of what the user passed, which is compared with nothing; gone when that is.
_recordings: dict[int, tuple[weakref.ref[Any], Recording]] = {}


def remember(evaluator: Evaluator, recording: Recording) -> None:
    """Keep the recording of this target's forward for as long as somebody keeps the target.

    None that computes in fewer digits than double: what has changed in it may be rounded away.
    """
    if _is_narrow(recording.trace):
        return
    target = evaluator.claim.target
    key = id(target)
    with contextlib.suppress(TypeError):  # what takes no weak reference is recorded every time
        _recordings[key] = weakref.ref(target, lambda _: _recordings.pop(key, None)), recording


def remembered(evaluator: Evaluator, seed: int) -> Any:
    """The Trace of an earlier check of this target, None unless it says what the forward does now.

    It has to give the forward's outputs to the last bit, at the point and beside it, by the same branches:
    derivatives that differ by more than differences could see would show in them.
    """
    from gradcheck.tracing.derive import value_and_guards

    _, known = _recordings.get(id(evaluator.claim.target), (None, None))
    if known is None or not _fits(known.trace, evaluator):
        return None
    run = value_and_guards(known.trace)
    here = ((evaluator.point, evaluator.outputs),) if known.guards else ()  # outputs are compared there later
    for point, own in (*here, beside(evaluator, seed)):
        found, guards = run(point)
        if own is None or not (_same(found, own) and _same(guards, known.guards)):
            return None
    return known.trace


def beside(evaluator: Evaluator, seed: int, copy: int = 0) -> tuple[Arrays, Arrays | None]:
    """A point at which every entry is off by a ten-thousandth of its size, and the forward's outputs there.

    copy: which of several such points.
    """
    rng = generator(seed, PERTURBATIONS)
    *_, point = (tuple(_moved(v, rng) for v in evaluator.point) for _ in range(copy + 1))
    return point, evaluator.once(f"beside by seed {seed}, copy {copy}", lambda: evaluator.probe(point))


def _moved(value: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    return value + PERTURBATION * signed(rng, value.shape) * np.maximum(np.abs(value), typical(value))


def _fits(trace: Any, evaluator: Evaluator) -> bool:
    given = [(aval.shape, aval.dtype) for aval in trace.jaxpr.in_avals]
    return given == [(value.shape, value.dtype) for value in evaluator.point]


def _is_narrow(trace: Any) -> bool:
    made = [variable.aval for equation in trace.jaxpr.eqns for variable in equation.outvars]
    return any(np.issubdtype(aval.dtype, np.floating) and aval.dtype.itemsize < 8 for aval in made)


def _same(some: Arrays, others: Arrays) -> bool:
    """To the last bit, and finite: of two functions that are no numbers beside the point nothing is known."""
    return all(np.isfinite(a).all() and np.array_equal(a, b) for a, b in zip(some, others, strict=True))
