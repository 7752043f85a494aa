"""Special functions, from SciPy (which JAX brings), imported when a trace holds one."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import Program, Rule, UnsupportedPrimitive, Value

# Where SciPy and XLA differ: at this point the value is this one.
POLES = {"gammaln": (-np.inf, np.inf)}


def with_poles(function: Program, point: float, value: float) -> Program:
    """`function` but `value` at `point`."""
    return lambda x: np.where(x == point, value, function(x)).astype(x.dtype)


def scipy_function(primitive: str, name: str) -> Rule:
    """`scipy.special.name` in float64 or less."""

    def rule(_params: dict[str, Any], ins: tuple[Value, ...], outs: tuple[Value, ...]) -> Program:
        dtype = outs[0].dtype
        if dtype.kind not in "fc" or ins[0].dtype in (np.longdouble, np.clongdouble):
            raise UnsupportedPrimitive(f"primitive {primitive!r} is known in float64 only, not in {dtype}")
        function = getattr(importlib.import_module("scipy.special"), name)
        if name in POLES:
            function = with_poles(function, *POLES[name])
        if dtype.itemsize >= 4:
            return function
        return lambda x: function(x).astype(dtype)

    return rule


RULES: dict[str, Rule] = {
    primitive: scipy_function(primitive, name)
    for primitive, name in {
        "erf": "erf",
        "erfc": "erfc",
        "erf_inv": "erfinv",
        "lgamma": "gammaln",
        "digamma": "digamma",
    }.items()
}
