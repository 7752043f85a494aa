"""Functions that write into an array: ufunc.at, copyto, put, place, putmask, fill_diagonal, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing import twins
from gradcheck.tracing.leak import Leak
from gradcheck.tracing.operations import (
    as_tracers,
    mapped,
    refuse_plain_outputs,
    settle,
    stand_ins,
    value_of,
    values,
)
from gradcheck.tracing.stand_in import gathered, is_stand_in

# They write into their first argument; the position of the values that they write.
WRITERS = {"copyto": 1, "put": 2, "place": 2, "putmask": 2, "fill_diagonal": 1, "put_along_axis": 2}


def write(which: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """np.copyto, put, place, putmask, fill_diagonal, put_along_axis: told by where each entry comes from."""
    import jax.numpy as jnp

    target, *rest = args
    traced = any(s.traced for s in stand_ins((args, options)))
    refuse_plain_outputs(which.__name__, (target,), traced)
    if not is_stand_in(target):
        return which(*values(args), **values(options))
    sources = [s for s in stand_ins((rest, options)) if s.value.dtype.kind == "f"]
    size = target.value.size
    starts = size + np.cumsum([0] + [s.value.size for s in sources])
    constants: list[Any] = []

    def coded(thing: Any) -> Any:
        for source, start in zip(sources, starts, strict=False):
            if thing is source:
                return np.arange(start, start + source.value.size).reshape(source.value.shape)
        return thing.value

    def constant(thing: Any) -> Any:
        # Numbers that are written as they are get positions behind all others.
        array = np.asarray(thing)
        constants.append(array.ravel())
        first = starts[-1] + sum(c.size for c in constants[:-1])
        return np.arange(first, first + array.size).reshape(array.shape)

    where_values_stand = WRITERS[which.__name__]
    codes = np.arange(size).reshape(target.value.shape)
    arguments = [
        constant(a) if i == where_values_stand and not is_stand_in(a) else mapped(a, coded)
        for i, a in enumerate(args)
    ]
    before = target.as_tracer()
    which(codes, *arguments[1:], **mapped(options, coded))
    which(*values(args), **values(options))
    if traced:
        parts = [
            jnp.ravel(before),
            *(jnp.ravel(s.as_tracer()) for s in sources),
            *map(jnp.asarray, constants),
        ]
        target.written(gathered(jnp.concatenate([p.astype(before.dtype) for p in parts]), codes))
    else:
        settle(target, None)
    return None


def at(which: np.ufunc, target: Any, index: Any, other: Any = None) -> None:
    """ufunc.at, where jax.numpy's indexed updates have a twin."""
    import jax.numpy as jnp

    traced = any(s.traced for s in stand_ins((target, other)))
    refuse_plain_outputs(f"{which.__name__}.at", (target,), traced)
    index, operands = values(index), () if other is None else (value_of(other),)
    if not traced:
        which.at(value_of(target), index, *operands)
        return
    before = target.as_tracer()
    positions = np.arange(target.value.size).reshape(target.value.shape)[index]
    which.at(target.value, index, *operands)
    if which.__name__ not in twins.UPDATES:
        raise Leak(f"np.{which.__name__}.at cannot be recorded")
    name, changed = twins.UPDATES[which.__name__]
    new = changed(jnp.broadcast_to(jnp.asarray(as_tracers(other)), positions.shape).ravel())
    update = getattr(before.reshape(-1).at[positions.ravel()], name)
    target.written(update(new.astype(before.dtype)).reshape(target.value.shape))
