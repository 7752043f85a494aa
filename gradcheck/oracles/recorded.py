"""Gradients of the user's own NumPy forward: recorded once, differentiated by JAX, evaluated by NumPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.evaluator import Arrays, Evaluator
from gradcheck.oracles.remembered import Recording, beside, remember, remembered
from gradcheck.rounding import allowance

PERTURBED_COPIES = 2  # points of which the recorded forward must give at one what the user's own gives
AMPLIFIED = 2.0**16  # times its rounding that a right forward may be off by, where terms cancel in it

Place = tuple[Arrays, Arrays]  # a point, and the cotangents there


class NotRecorded(Exception):
    """Why a forward was not recorded, or its record is not believed; in words for the report."""


def recorded(evaluator: Evaluator, seed: int) -> Any:
    """The Trace of the user's forward at the evaluator's point, made once.

    Raises NotRecorded where the forward does something that a trace cannot follow, and where the trace
    does not give the forward's own outputs beside the point as well.
    """
    if "trace" not in evaluator.shared:
        try:
            if not evaluator.repeats:  # of what is drawn anew, one draw would be recorded for all
                raise NotRecorded("the forward gives two outputs for the same inputs")
            trace = _recorded(evaluator)
            remember(evaluator, Recording(trace=trace, guards=_believed(evaluator, trace, seed)))
            evaluator.shared["trace"] = trace
        except NotRecorded as reason:
            evaluator.shared["trace"] = reason
    if isinstance(evaluator.shared["trace"], NotRecorded):
        raise evaluator.shared["trace"]
    return evaluator.shared["trace"]


def recorded_before(evaluator: Evaluator, seed: int) -> bool:
    """Whether an earlier check's recording holds here; it is then used until it is `forgotten`."""
    trace = remembered(evaluator, seed) if evaluator.repeats else None
    if trace is not None:
        evaluator.shared["trace"] = trace
    return trace is not None


def forgotten(evaluator: Evaluator) -> None:
    """The forward will be recorded when a trace of it is next asked for."""
    evaluator.shared.pop("trace")


def vjps_by_trace(
    evaluator: Evaluator, places: list[Place], coarse: list[Arrays], seed: int
) -> tuple[list[tuple[Arrays, Arrays]], list[Arrays]]:
    """Outputs and gradients at each place, and gradients in single precision at each coarse point.

    Raises NotRecorded as `recorded` does.
    """
    from gradcheck.tracing.derive import vjp, vjp_in

    trace = recorded(evaluator, seed)
    run = vjp(trace)
    typed = [
        (point, tuple(u.astype(out.dtype) for u, out in zip(cotangents, trace.values, strict=True)))
        for point, cotangents in places
    ]
    return [run(*place) for place in typed], in_single(functools.partial(vjp_in, trace), coarse, typed[0][1])


def in_single(
    vjp_in: Callable[..., Callable[..., list[Any]]], coarse: list[Arrays], cotangents: Arrays
) -> list[Arrays]:
    """Gradients of a VJP in single precision; none where an operation of it knows no such thing.

    vjp_in(dtype=...): (*point, *cotangents) -> [*outputs, *gradients] in that arithmetic.
    """
    from gradcheck.tracing.evaluate import UnsupportedPrimitive

    if not coarse:
        return []
    try:
        plan = vjp_in(dtype=np.float32)
        us = tuple(u.astype(np.float32) for u in cotangents)
        return [tuple(plan(*point, *us)[len(cotangents) :]) for point in coarse]
    except UnsupportedPrimitive:
        return []


def in_extended(evaluator: Evaluator, place: Place, seed: int) -> Arrays:
    """The recorded forward's gradients in long double; () where that has no more digits, or an operation of
    it knows no such thing."""
    from gradcheck.tracing.derive import vjp_in
    from gradcheck.tracing.evaluate import UnsupportedPrimitive

    if np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant:
        return ()
    arrays = [value.astype(np.longdouble) for values in place for value in values]
    try:
        found = vjp_in(recorded(evaluator, seed), np.longdouble)(*arrays)
    except (NotRecorded, UnsupportedPrimitive):
        return ()
    return tuple(found[len(place[1]) :])


def _recorded(evaluator: Evaluator) -> Any:
    from gradcheck.tracing.lift import Leak, lift

    claim = evaluator.claim
    forward = claim.forward  # by a name of its own, from which the walk to the user's code sets out
    if evaluator.claim.unrecorded:
        raise NotRecorded(evaluator.claim.unrecorded)
    if any(value.dtype.itemsize > 8 for value in evaluator.point):
        raise NotRecorded("long double inputs are not recorded: JAX has no such type")
    try:
        trace = lift(lambda *values: forward(*claim.inputs_at(values)), *evaluator.point)
    except Leak as leak:
        raise NotRecorded(f"{leak.what}, at {leak.where}") from leak
    except Exception as error:
        # The forward runs on arrays; that it does not run on stand-ins is reported.
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise NotRecorded(f"the forward does not run on stand-ins for arrays, {why:.200}") from error
    if [value.shape for value in trace.values] != [out.shape for out in evaluator.outputs]:
        raise NotRecorded("the forward returns other shapes for stand-ins than for arrays")
    return trace


def _believed(evaluator: Evaluator, trace: Any, seed: int) -> Arrays:
    """The trace's guards; it is compared with the forward beside the point, where they are the same."""
    from gradcheck.tracing.derive import value_and_guards

    run = value_and_guards(trace)
    _, here = run(evaluator.point)
    for copy in range(PERTURBED_COPIES):
        point, own = beside(evaluator, seed, copy)
        found, guards = run(point)
        same_branches = all(np.array_equal(g, h) for g, h in zip(guards, here, strict=True))
        if own is not None and same_branches:
            for mine, theirs in zip(found, own, strict=True):
                off = np.abs(mine - theirs).max(initial=0, where=np.isfinite(theirs))
                largest = np.abs(theirs).max(initial=0, where=np.isfinite(theirs))
                if not off <= AMPLIFIED * allowance(theirs.dtype, largest):
                    raise NotRecorded(
                        f"the recorded forward is not the one that runs: off by {off:.3g} beside"
                    )
            break
    return here
