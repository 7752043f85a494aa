"""Primitives that reduce or accumulate along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import OBJECT, Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]
Reducer = Callable[[Params, Values, Values], Program]


def least(dtype: np.dtype) -> Any:
    """What a maximum starts from."""
    if dtype == OBJECT or dtype.kind in "fc":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def greatest(dtype: np.dtype) -> Any:
    """What a minimum starts from."""
    if dtype == OBJECT or dtype.kind in "fc":
        return np.inf
    return True if dtype.kind == "b" else np.iinfo(dtype).max


def fold(ufunc: np.ufunc) -> Reducer:
    """The sum, product or bitwise union over axes, in the operand's own type."""

    def rule(params: Params, _ins: Values, outs: Values) -> Program:
        axes, dtype, reduce = tuple(params["axes"]), outs[0].dtype, ufunc.reduce
        return lambda x: reduce(x, axes, dtype)

    return rule


def extreme(ufunc: np.ufunc, start: Program, beats: str) -> Reducer:
    """The largest or smallest over axes, `start` where there is none; NaN wins."""

    def rule(params: Params, ins: Values, _outs: Values) -> Program:
        axes, reduce = tuple(params["axes"]), ufunc.reduce
        if ins[0].lifted:
            return winner(beats, axes, len(ins[0].shape))
        if any(ins[0].shape[axis] == 0 for axis in axes):
            initial = start(ins[0].dtype)
            return lambda x: reduce(x, axes, initial=initial)
        return lambda x: reduce(x, axes)

    return rule


def winner(name: str, axes: tuple, rank: int) -> Program:
    """The complex entry whose real part is extreme."""
    find = getattr(np, name)
    kept = [axis for axis in range(rank) if axis not in axes]

    def pick(x: Any) -> Any:
        rows = x.transpose(*kept, *axes).reshape(*[x.shape[axis] for axis in kept], -1)
        place = find(rows.real, axis=-1)[..., None]
        return np.take_along_axis(rows, place, -1)[..., 0]

    return pick


def position(find: Program) -> Rule:
    """Where the largest or smallest is; the first of equals, the first NaN if there is one."""

    def rule(params: Params, ins: Values, outs: Values) -> Program:
        (axis,), dtype, lifted = params["axes"], outs[0].dtype, ins[0].lifted
        return lambda x: np.asarray(find(x.real if lifted else x, axis=axis)).astype(dtype)

    return rule


def running(ufunc: np.ufunc) -> Rule:
    """The reduction of everything up to here, or from here on."""

    def rule(params: Params, ins: Values, outs: Values) -> Program:
        axis, dtype, accumulate = params["axis"], outs[0].dtype, ufunc.accumulate
        if not params["reverse"]:
            return lambda x: accumulate(x, axis, dtype)
        back = tuple(slice(None, None, -1 if i == axis else 1) for i in range(len(ins[0].shape)))
        return lambda x: accumulate(x[back], axis, dtype)[back]

    return rule


SIMPLE: dict[str, tuple[Reducer, np.ufunc]] = {
    "add": (fold(np.add), np.add),
    "mul": (fold(np.multiply), np.multiply),
    "max": (extreme(np.maximum, least, "argmax"), np.maximum),
    "min": (extreme(np.minimum, greatest, "argmin"), np.minimum),
}


def general(params: Params, ins: Values, outs: Values) -> Program | None:
    """A reduction by one known primitive; other combiners are left to JAX."""
    body = params["jaxpr"]
    body = getattr(body, "jaxpr", body)
    name = body.eqns[0].primitive.name if len(body.eqns) == 1 else None
    if len(ins) != 2 or name not in SIMPLE or set(body.eqns[0].invars) != set(body.invars):
        return None
    rule, combine = SIMPLE[name]
    reduce = rule({"axes": params["dimensions"]}, ins[:1], outs)
    return lambda x, start: [combine(reduce(x), start)]


RULES: dict[str, Rule] = {
    "reduce_sum": fold(np.add),
    "reduce_prod": fold(np.multiply),
    "reduce_and": fold(np.bitwise_and),
    "reduce_or": fold(np.bitwise_or),
    "reduce_xor": fold(np.bitwise_xor),
    "reduce_max": extreme(np.maximum, least, "argmax"),
    "reduce_min": extreme(np.minimum, greatest, "argmin"),
    "argmax": position(np.argmax),
    "argmin": position(np.argmin),
    "cumsum": running(np.add),
    "cumprod": running(np.multiply),
    "cummax": running(np.maximum),
    "cummin": running(np.minimum),
    "cumlogsumexp": running(np.logaddexp),
    "reduce": general,
}
