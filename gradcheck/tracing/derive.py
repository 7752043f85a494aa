"""What a trace gives, evaluated by NumPy: its value, its VJP and its JVP."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate import compiled
from gradcheck.tracing.lift import Trace

Arrays = tuple[np.ndarray[Any, Any], ...]
CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint")
CUSTOM_CALLS = ("custom_jvp_call", "custom_vjp_call")


@functools.lru_cache(maxsize=2)
def value_and_guards(trace: Trace) -> Callable[[Arrays], tuple[Arrays, Arrays]]:
    """arrays -> (outputs, guards): the trace holds wherever the guards are what they are at its point."""
    plan = compiled(trace.jaxpr)
    guards = len(trace.jaxpr.out_avals) - len(trace.intermediates)

    def run(arrays: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays)
        return tuple(found[: trace.outputs]), tuple(found[trace.outputs : guards])

    return run


@functools.lru_cache(maxsize=2)
def vjp(trace: Trace) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(arrays, cotangents) -> (outputs, one gradient an input)."""
    plan = compiled(vjp_jaxpr(trace))

    def run(arrays: Arrays, cotangents: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays, *cotangents)
        return tuple(found[: trace.outputs]), tuple(found[trace.outputs :])

    return run


def jvp(trace: Trace) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(arrays, tangents) -> (outputs, one derivative an output)."""
    import jax

    forward, inputs = _forward(trace), _inputs(trace)
    with jax.enable_x64(True):
        plan = compiled(jax.make_jaxpr(lambda at, along: jax.jvp(forward, at, along))(inputs, inputs))

    def run(arrays: Arrays, tangents: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays, *tangents)
        return tuple(found[: trace.outputs]), tuple(found[trace.outputs :])

    return run


@functools.lru_cache(maxsize=2)
def vjp_jaxpr(trace: Trace) -> Any:
    """The closed jaxpr of (inputs, cotangents) -> (outputs, gradients)."""
    import jax

    forward = _forward(trace)

    def pulled(at: Any, cotangents: Any) -> Any:
        # jax.vjp does the same one equation at a time, which takes twice as long.
        along = jax.linear_transpose(lambda *tangents: jax.jvp(forward, at, tangents)[1], *at)
        return forward(*at), along(cotangents)

    with jax.enable_x64(True):
        return jax.make_jaxpr(pulled)(_inputs(trace), tuple(trace.jaxpr.out_avals[: trace.outputs]))


def by_variables(trace: Trace, variables: tuple[Any, ...]) -> Any:
    """The closed jaxpr of (inputs, cotangents) -> (outputs, derivatives of <cotangents, outputs> by some of
    the trace's variables)."""
    import jax

    def pulled(at: Any, cotangents: Any) -> Any:
        def shifted(shifts: Any) -> Any:
            found = evaluate_jaxpr(trace.jaxpr, at, shifts=dict(zip(variables, shifts, strict=True)))
            return tuple(found[: trace.outputs])

        none = tuple(jax.numpy.zeros(variable.aval.shape, variable.aval.dtype) for variable in variables)
        outputs, pull_back = jax.vjp(shifted, none)
        return outputs, pull_back(cotangents)[0]

    with jax.enable_x64(True):
        return jax.make_jaxpr(pulled)(_inputs(trace), tuple(trace.jaxpr.out_avals[: trace.outputs]))


def values_of(trace: Trace, variables: tuple[Any, ...]) -> Any:
    """The closed jaxpr of inputs -> the values of some of the trace's variables."""
    import jax

    with jax.enable_x64(True):
        return jax.make_jaxpr(lambda at: tuple(evaluate_jaxpr(trace.jaxpr, at, wanted=variables)))(
            _inputs(trace)
        )


def evaluate_jaxpr(
    closed: Any,
    inputs: Any,
    shifts: dict[Any, Any] | None = None,
    seen: Callable[..., None] | None = None,
    wanted: tuple[Any, ...] | None = None,
) -> list[Any]:
    """A jaxpr run by JAX, calls inside it included, with shifts added to some of its variables.

    seen(primitive's name, params, operands, results) is told of every equation. wanted: the variables to
    return instead of the outputs.
    """
    jaxpr, shifts = closed.jaxpr, shifts or {}
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))

    def put(variable: Any, value: Any) -> None:
        known[variable] = value + shifts[variable] if variable in shifts else value

    def read(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else known[variable]  # literals bring their value

    for variable, value in zip(jaxpr.invars, inputs, strict=True):
        put(variable, value)
    for equation in jaxpr.eqns:
        operands = [read(variable) for variable in equation.invars]
        name = equation.primitive.name
        inner = equation.params.get("jaxpr") or equation.params.get("call_jaxpr")
        # Calls with a derivative of their own are opened only where nobody is about to differentiate them.
        if name in (CALLS if seen is None else CALLS + CUSTOM_CALLS) and hasattr(inner, "consts"):
            results = evaluate_jaxpr(inner, operands, seen=seen)
        else:
            given = equation.primitive.get_bind_params(equation.params)
            functions, params = given if isinstance(given, tuple) else ((), given)  # JAX before 0.9: a pair
            bound = equation.primitive.bind(*functions, *operands, **params)
            results = bound if equation.primitive.multiple_results else [bound]
            if seen is not None:
                seen(name, equation.params, operands, results)
        for variable, value in zip(equation.outvars, results, strict=True):
            put(variable, value)
    return [read(variable) for variable in (jaxpr.outvars if wanted is None else wanted)]


def _forward(trace: Trace) -> Callable[..., Any]:
    return lambda *at: tuple(evaluate_jaxpr(trace.jaxpr, at)[: trace.outputs])


def _inputs(trace: Trace) -> Any:
    return tuple(trace.jaxpr.in_avals)
