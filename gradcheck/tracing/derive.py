"""What a trace gives, evaluated by NumPy: its value, its VJP and its JVP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing.lift import Trace
from gradcheck.tracing.programs import Run, derived
from gradcheck.tracing.structure import structure, variables_of

Arrays = tuple[np.ndarray[Any, Any], ...]


def value_and_guards(trace: Trace) -> Callable[[Arrays], tuple[Arrays, Arrays]]:
    """arrays -> (outputs, guards): the trace holds wherever the guards are what they are at its point."""
    plan = derived(trace, opened, (structure(trace).inputs,))
    guards = len(trace.jaxpr.out_avals) - len(trace.intermediates)

    def run(arrays: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays)
        return tuple(found[: trace.outputs]), tuple(found[trace.outputs : guards])

    return run


def vjp(trace: Trace) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(arrays, cotangents) -> (outputs, one gradient an input)."""
    return _in_two(trace, vjp_in(trace))


def vjp_in(trace: Trace, dtype: Any = None) -> Callable[..., list[Any]]:
    """(*arrays, *cotangents) -> [*outputs, *gradients] in an arithmetic; None for the one declared."""
    shared = structure(trace)
    return derived(trace, pulled, (shared.inputs, shared.results), dtype=dtype)


def jvp(trace: Trace) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(arrays, tangents) -> (outputs, one derivative an output)."""
    inputs = structure(trace).inputs
    return _in_two(trace, derived(trace, _pushed, (inputs, inputs)))


def by_variables(trace: Trace, variables: tuple[Any, ...], dtype: Any = None) -> Callable[..., list[Any]]:
    """(*inputs, *cotangents) -> [*outputs, *derivatives of <cotangents, outputs> by some of the trace's
    variables]."""
    shared = structure(trace)
    given = (shared.inputs, shared.results)
    return derived(trace, _by_variables, given, _places(trace, variables), dtype)


def values_of(trace: Trace, variables: tuple[Any, ...]) -> Callable[..., list[Any]]:
    """inputs -> the values of some of the trace's variables."""
    return derived(trace, _wanted, (structure(trace).inputs,), _places(trace, variables))


def opened(run: Run, _: int, __: Any, at: Any) -> Any:
    """All outputs, with no calls on the way."""
    return tuple(run(at))


def pulled(run: Run, outputs: int, _: Any, at: Any, cotangents: Any) -> Any:
    """(outputs, gradients)."""
    import jax

    forward = _forward(run, outputs)
    # jax.vjp does the same one equation at a time, which takes twice as long.
    along = jax.linear_transpose(lambda *tangents: jax.jvp(forward, at, tangents)[1], *at)
    return forward(*at), along(cotangents)


def _pushed(run: Run, outputs: int, _: Any, at: Any, tangents: Any) -> Any:
    import jax

    return jax.jvp(_forward(run, outputs), at, tangents)


def _by_variables(run: Run, outputs: int, variables: Any, at: Any, cotangents: Any) -> Any:
    import jax

    def shifted(shifts: Any) -> Any:
        found = run(at, shifts=dict(zip(variables, shifts, strict=True)))
        return tuple(found[:outputs])

    none = tuple(jax.numpy.zeros(variable.aval.shape, variable.aval.dtype) for variable in variables)
    results, pull_back = jax.vjp(shifted, none)
    return results, pull_back(cotangents)[0]


def _wanted(run: Run, _: int, variables: Any, at: Any) -> Any:
    return tuple(run(at, wanted=variables))


def _forward(run: Run, outputs: int) -> Callable[..., Any]:
    return lambda *at: tuple(run(at)[:outputs])


def _places(trace: Trace, variables: tuple[Any, ...]) -> tuple[int, ...]:
    number = {variable: place for place, variable in enumerate(variables_of(trace.jaxpr.jaxpr))}
    return tuple(number[variable] for variable in variables)


def _in_two(
    trace: Trace, plan: Callable[..., list[Any]]
) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    def run(arrays: Arrays, others: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays, *others)
        return tuple(found[: trace.outputs]), tuple(found[trace.outputs :])

    return run
