"""What is derived of a recorded forward, as a program that NumPy runs; made once for all that are alike."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gradcheck.tracing.evaluate import Plan, compiled
from gradcheck.tracing.lift import Trace
from gradcheck.tracing.structure import Structure, structure

Avals = tuple[tuple[Any, ...], ...]  # abstract values of tuples of arrays
Run = Callable[..., list[Any]]  # (inputs, ...) -> outputs, by JAX: `evaluate_jaxpr` of one forward
Derivative = Callable[..., Any]  # (run, how many outputs are the function's, variables, *tuples of arrays)
PROGRAMS = 64  # kept of each kind, a few for each of the functions that are checked in turns
CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint")
CUSTOM_CALLS = ("custom_jvp_call", "custom_vjp_call")


def derived(
    trace: Trace, derivative: Derivative, given: Avals, places: tuple[int, ...] = (), dtype: Any = None
) -> Callable[..., list[Any]]:
    """What a derivative of the trace gives for arrays, in an arithmetic; made once for equal structures."""
    plan, constants = _plan(derivative, structure(trace), given, places, dtype), trace.jaxpr.consts
    return lambda *arrays: plan(*constants, *arrays)


@functools.lru_cache(maxsize=PROGRAMS)
def _plan(
    derivative: Derivative, shared: Structure, given: Avals, places: tuple[int, ...], dtype: Any
) -> Plan:
    return compiled(program(derivative, shared, given, places), dtype=dtype)


@functools.lru_cache(maxsize=PROGRAMS)
def program(derivative: Derivative, shared: Structure, given: Avals, places: tuple[int, ...] = ()) -> Any:
    """The closed jaxpr of a derivative, as a function of (constants, *what it is given).

    places: of variables of the structure that the derivative is about.
    """
    import jax

    variables = shared.variables
    wanted = tuple(variables[place] for place in places)

    def run(constants: Any, *arrays: Any) -> Any:
        forward = functools.partial(evaluate_jaxpr, shared.jaxpr, constants)
        return derivative(forward, shared.outputs, wanted, *arrays)

    with jax.enable_x64(True):
        return jax.make_jaxpr(run)(shared.constants, *given)


def evaluate_jaxpr(
    jaxpr: Any,
    constants: Any,
    inputs: Any,
    shifts: dict[Any, Any] | None = None,
    seen: Callable[..., None] | None = None,
    wanted: tuple[Any, ...] | None = None,
) -> list[Any]:
    """An open jaxpr run by JAX, calls inside it included, with shifts added to some of its variables.

    seen(primitive's name, params, operands, results) is told of every equation. wanted: the variables to
    return instead of the outputs.
    """
    shifts = shifts or {}
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))

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
            results = evaluate_jaxpr(inner.jaxpr, inner.consts, operands, seen=seen)
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
