"""Primitive name to rule, and what happens to a primitive that is not in the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.control import RULES as CONTROL
from gradcheck.tracing.evaluate.elementwise import RULES as ELEMENTWISE
from gradcheck.tracing.evaluate.indexing import RULES as INDEXING
from gradcheck.tracing.evaluate.linear_algebra import RULES as LINEAR_ALGEBRA
from gradcheck.tracing.evaluate.movement import RULES as MOVEMENT
from gradcheck.tracing.evaluate.reductions import RULES as REDUCTIONS
from gradcheck.tracing.evaluate.special import RULES as SPECIAL
from gradcheck.tracing.evaluate.values import Arithmetic, Program, Rule, UnsupportedPrimitive, Value
from gradcheck.tracing.evaluate.windows import RULES as WINDOWS

TABLE: dict[str, Rule] = {
    **ELEMENTWISE,
    **SPECIAL,
    **MOVEMENT,
    **REDUCTIONS,
    **INDEXING,
    **WINDOWS,
    **LINEAR_ALGEBRA,
    **CONTROL,
}


def program(
    primitive: Any,
    params: dict[str, Any],
    ins: tuple[Value, ...],
    outs: tuple[Value, ...],
    arithmetic: Arithmetic,
) -> Program:
    """The function of arrays that computes `primitive`; of several results it returns a list."""
    rule = TABLE.get(primitive.name)
    function = rule(params, ins, outs) if rule else None
    if function is None:
        return by_jax(primitive, params, ins, outs)
    return arithmetic.finish(function, outs, primitive.multiple_results)


def by_jax(
    primitive: Any, params: dict[str, Any], ins: tuple[Value, ...], outs: tuple[Value, ...]
) -> Program:
    """JAX's own execution, in its double precision; another arithmetic is refused."""
    changed = next((v.dtype for v in (*ins, *outs) if v.dtype != v.declared), None)
    if changed is not None:
        raise UnsupportedPrimitive(
            f"primitive {primitive.name!r} has no rule in {changed}: evaluate the trace with dtype=None"
        )
    import jax

    def executed(*operands: Any) -> Any:
        with jax.enable_x64(True), jax.ensure_compile_time_eval():
            results = primitive.bind(*[jax.numpy.asarray(operand) for operand in operands], **params)
            return [_back(r) for r in results] if primitive.multiple_results else _back(results)

    return executed


def _back(array: Any) -> Any:
    """A writable NumPy array; random keys have no NumPy form and stay JAX's."""
    return np.array(array) if isinstance(array.dtype, np.dtype) else array
