"""Whether a recorded forward is analytic, operation by operation, where its inputs go through it.

Only what is on the list counts: an operation that nobody has thought of is no analytic one.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# Elementwise and linear algebra: a power series in every operand that is a float.
ANALYTIC = frozenset(
    {"add", "add_any", "sub", "mul", "div", "neg", "integer_pow", "pow", "square", "one_minus_square"}
    | {"exp", "exp2", "log", "log1p", "expm1", "sqrt", "rsqrt", "logistic", "erf", "erfc", "digamma"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"}
    | {"reduce_sum", "reduce_prod", "cumsum", "cumprod", "dot_general", "conv_general_dilated"}
    | {"scatter-add", "scatter_add", "scatter-sub", "scatter_sub", "scatter-mul", "scatter_mul"}
    | {"lu", "triangular_solve", "cholesky"}  # the interpreter's own, which conjugate nothing
)
# Numbers are only moved about; where to, no float of the inputs decides.
MOVING = frozenset(
    {"broadcast_in_dim", "reshape", "transpose", "squeeze", "expand_dims", "rev", "concatenate", "pad"}
    | {"slice", "dynamic_slice", "dynamic_update_slice", "gather", "scatter", "select_n", "split"}
)
# What NumPy calls the operations that are met most.
NUMPY_WORDS = {
    "abs": "np.abs",
    "max": "np.maximum",
    "min": "np.minimum",
    "reduce_max": "np.max",
    "reduce_min": "np.min",
    "cummax": "np.maximum.accumulate",
    "cummin": "np.minimum.accumulate",
    "sign": "np.sign",
    "floor": "np.floor",
    "ceil": "np.ceil",
    "round": "np.round",
    "rem": "np.fmod",
    "clamp": "np.clip",
    "sort": "np.sort",
    "argmax": "np.argmax",
    "argmin": "np.argmin",
    "is_finite": "np.isfinite",
    "nextafter": "np.nextafter",
    "conj": "np.conj",
    "real": "np.real",
    "imag": "np.imag",
    "atan2": "np.arctan2",
    "cbrt": "np.cbrt",
    "fft": "np.fft",
    "eigh": "np.linalg.eigh",
    "eig": "np.linalg.eig",
    "svd": "np.linalg.svd",
    "qr": "np.linalg.qr",
    "complex": "complex numbers of its own",
    "lt": "a comparison",
    "le": "a comparison",
    "gt": "a comparison",
    "ge": "a comparison",
    "eq": "a comparison",
    "ne": "a comparison",
}


SITE = pathlib.Path(np.__file__).parents[1]
# Code between the user's line and the operation.
LIBRARIES = (
    *(f"{SITE / name}{os.sep}" for name in ("numpy", "jax", "jaxlib", "scipy")),
    f"{pathlib.Path(__file__).parents[1]}{os.sep}",
)
# Where the programs are that an operation runs.
INNER: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "scan": lambda params: (params["jaxpr"],),
    "while": lambda params: (params["cond_jaxpr"], params["body_jaxpr"]),
    "cond": lambda params: tuple(params["branches"]),
    "custom_linear_solve": lambda params: (params["jaxprs"].solve,),
}


class State(NamedTuple):
    """Whether a value depends on the inputs, and the first operation on its way that is not analytic."""

    depends: bool = False
    obstacle: str = ""


CONSTANT, SMOOTH = State(), State(depends=True)


def obstacle(trace: Any) -> str:
    """The first operation that keeps the recorded outputs from being analytic; empty where there is none.

    Guards do not count: they have decided which piece of the function was recorded.
    """
    jaxpr = trace.jaxpr.jaxpr
    states = _states(jaxpr, [SMOOTH] * len(jaxpr.invars))[: trace.outputs]
    return next((state.obstacle for state in states if state.obstacle), "")


def _states(jaxpr: Any, given: list[State]) -> list[State]:
    """The states of a jaxpr's results, from those of its arguments."""
    known = dict(zip(jaxpr.invars, given, strict=True))
    for equation in jaxpr.eqns:
        # Literals and constants of the trace are in no dictionary.
        operands = [CONSTANT if hasattr(v, "val") else known.get(v, CONSTANT) for v in equation.invars]
        known.update(zip(equation.outvars, _applied(equation, operands), strict=True))
    return [CONSTANT if hasattr(v, "val") else known.get(v, CONSTANT) for v in jaxpr.outvars]


def _applied(equation: Any, operands: list[State]) -> list[State]:
    """The states of what one equation computes."""
    from gradcheck.tracing.evaluate.graph import CALLS, IDENTITIES

    name, results = equation.primitive.name, equation.outvars
    found = next((state for state in operands if state.obstacle), None)
    depends = any(state.depends for state in operands)
    if name in CALLS:
        return _states(_open(equation.params[CALLS[name]]), operands)
    if found or not depends:
        return [found or CONSTANT] * len(results)
    if name in INNER:
        return [_at_worst(INNER[name](equation.params))] * len(results)
    if name == "convert_element_type":
        return [_converted(equation, variable) for variable in results]
    if name in ANALYTIC | MOVING | IDENTITIES:
        return [SMOOTH if _is_float(variable) else CONSTANT for variable in results]
    return [State(depends=True, obstacle=_named(equation))] * len(results)


def _at_worst(programs: Any) -> State:
    """The state of any result of a loop or branch, were all the floats that it reads to depend on inputs."""
    states = [
        state
        for program in map(_open, programs)
        for state in _states(program, [SMOOTH if _is_float(v) else CONSTANT for v in program.invars])
    ]
    return next((state for state in states if state.obstacle), SMOOTH)


def _converted(equation: Any, result: Any) -> State:
    """A change of type that keeps every digit is none."""
    if result.aval.dtype == equation.invars[0].aval.dtype or result.aval.dtype == np.float64:
        return SMOOTH
    kind = result.aval.dtype
    what = "complex numbers of its own" if kind.kind == "c" else f"a cast to {kind}"
    return State(depends=True, obstacle=what + _place(equation))


def _open(jaxpr: Any) -> Any:
    return getattr(jaxpr, "jaxpr", jaxpr)


def _is_float(variable: Any) -> bool:
    return np.dtype(variable.aval.dtype).kind in "fc"


def _named(equation: Any) -> str:
    name = equation.primitive.name
    return NUMPY_WORDS.get(name, f"the operation {name!r}") + _place(equation)


def _place(equation: Any) -> str:
    """The user's line that asked for an operation, as far as JAX has noted it."""
    noted = getattr(equation.source_info, "traceback", None)
    for frame in noted.frames if noted is not None else ():
        if not frame.file_name.startswith(LIBRARIES):
            return f", at {pathlib.Path(frame.file_name).name}:{frame.line_num}"
    return ""
