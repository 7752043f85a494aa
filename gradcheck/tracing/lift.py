"""A NumPy function run once with stand-ins, and recorded as a jaxpr that JAX can differentiate."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.tracing import leak
from gradcheck.tracing.frames import stand_ins_of, visited
from gradcheck.tracing.leak import Leak, raised_at, seen
from gradcheck.tracing.operations import stand_ins, values
from gradcheck.tracing.reach import Reach
from gradcheck.tracing.stand_in import StandIn, constant_tracer, is_stand_in
from gradcheck.tracing.substitutes import substituted
from gradcheck.tree import Tree, iter_leaves

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """What a function did to its inputs, at one point.

    jaxpr: closed; its inputs are those of the function, its outputs the function's leaves in order
    (as many as `values`, which holds them), then the guards, then the intermediates. Guards are
    values that decided what was done, such as the truth of an `if`: the trace holds wherever they are
    what they were. intermediates: what the user's code has a name for, with the name; a name may stand
    for several. times: how often that name was given to something there.
    """

    jaxpr: Any
    values: tuple[Array, ...]
    intermediates: tuple[str, ...]
    times: tuple[float, ...]

    @property
    def outputs(self) -> int:
        """How many outputs the function has."""
        return len(self.values)


def lift(function: Callable[..., Tree], *arrays: Array) -> Trace:
    """Record function(*arrays). Raises Leak where a derivative would be lost, or an operation has no twin.

    The function's own exceptions pass. Arrays are copied; NumPy's random state is afterwards what the
    function left it as.
    """
    import jax

    guards: list[Any] = []
    names: list[tuple[str, float]] = []
    reach = Reach(function)
    found: list[Any] = []

    def run(*tracers: Any) -> tuple[Any, ...]:
        ins = [StandIn(np.array(a), t, guard=guards.append) for a, t in zip(arrays, tracers, strict=True)]
        with substituted(reach, guards.append), visited() as frames:
            outputs = [leaf for _, leaf in iter_leaves(function(*ins))]
            # Without their frames, which hold this one, and it its callers' arrays.
            named = [(n.name, n.times, n.thing) for n in stand_ins_of(frames)]
        names.extend((name, times) for name, times, _ in named)
        found.extend(np.array(values(leaf)) for leaf in outputs)
        traced = [leaf.as_tracer() if is_stand_in(leaf) else constant_tracer(leaf) for leaf in outputs]
        return (*traced, *guards, *(thing.as_tracer() for *_, thing in named))

    with jax.enable_x64(True), _leaks() as leaks:
        try:
            jaxpr = jax.make_jaxpr(run)(*(np.asarray(a) for a in arrays))
        except Exception as error:
            if leaks:
                raise leaks[0] from error
            function(*(np.array(a) for a in arrays))  # raises what is the user's own
            raise Leak(f"{type(error).__name__}: {error}".splitlines()[0], raised_at(error)) from error
        finally:
            _cleanse(function)
    if leaks:
        raise leaks[0]
    return Trace(
        jaxpr=jaxpr,
        values=tuple(found),
        intermediates=tuple(name for name, _ in names),
        times=tuple(times for _, times in names),
    )


@contextlib.contextmanager
def _leaks() -> Iterator[list[Leak]]:
    """All leaks of this thread from now on, also those that somebody catches."""
    outer = getattr(seen, "leaks", None)
    seen.leaks, seen.deadline = [], time.monotonic() + leak.TRACE_SECONDS
    try:
        yield seen.leaks
    finally:
        seen.leaks, seen.deadline = outer if outer is not None else [], math.inf


def _cleanse(function: Callable[..., Any]) -> None:
    """Values for the stand-ins that a run has left in the user's objects and modules."""
    reach = Reach(function)
    for holder in (*reach.holders, *reach.namespaces):
        keys: Any = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            if stand_ins(holder[key]):
                holder[key] = values(holder[key])
