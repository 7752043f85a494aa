"""Reading and writing by index. Everything but plain slices goes by positions, as NumPy resolves them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.tracing.leak import Leak
from gradcheck.tracing.operations import settle, wrapped
from gradcheck.tracing.stand_in import StandIn, gathered, is_stand_in


def get(array: StandIn, index: Any) -> Any:
    """array[index]: a view where NumPy makes one."""
    index = _known(index)
    value = array.value[index]
    if not array.traced:
        return wrapped(value, None, [array])
    return wrapped(value, _read(array, index), [array])


def put(array: StandIn, index: Any, new: Any) -> None:
    """array[index] = new; of entries that are named twice the last one stays, as in NumPy."""
    import jax.numpy as jnp

    index = _known(index)
    traced_new = is_stand_in(new) and new.traced
    if isinstance(new, list | tuple):
        from gradcheck.tracing.substitutes import array as make

        new = make(new)
        traced_new = is_stand_in(new) and new.traced
    before = array.as_tracer() if array.traced or traced_new else None
    source = new.as_tracer() if is_stand_in(new) else new
    array.value[index] = new.value if is_stand_in(new) else new
    if before is None:
        settle(array, None)
        return
    positions = np.arange(array.value.size).reshape(array.value.shape)[index]
    source = jnp.asarray(source)
    extra = source.ndim - positions.ndim
    if extra > 0:
        source = source.reshape(source.shape[extra:])
    if source.dtype.kind == before.dtype.kind == "f" and source.dtype.itemsize > before.dtype.itemsize:
        raise Leak(f"numbers of {source.dtype} are rounded to the {before.dtype} of the array they go into")
    source = jnp.broadcast_to(source, positions.shape).astype(before.dtype).ravel()
    flat, kept = positions.ravel(), slice(None)
    if not _is_plain(index):
        unique, last = np.unique(flat[::-1], return_index=True)
        if unique.size < flat.size:
            flat, kept = unique, flat.size - 1 - last
    updated = before.reshape(-1).at[flat].set(source[kept], unique_indices=True, mode="promise_in_bounds")
    settle(array, updated.reshape(array.value.shape))


def _read(array: StandIn, index: Any) -> Any:
    if not _is_plain(index):
        positions = np.arange(array.value.size).reshape(array.value.shape)[index]
        return gathered(array.tracer, positions)
    return _sliced(array.tracer, index if isinstance(index, tuple) else (index,))


def _is_plain(index: Any) -> bool:
    """Whether an index has whole numbers, slices, None and an ellipsis only."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, slice)
        or (isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool_))
        for part in parts
    )


def _sliced(tracer: Any, index: tuple[Any, ...]) -> Any:
    """Basic indexing as one slice, one reversal and one reshape."""
    from jax import lax

    named = sum(part is not None and part is not Ellipsis for part in index)
    rest = (slice(None),) * (tracer.ndim - named)
    at = next((i for i, part in enumerate(index) if part is Ellipsis), None)
    full = index + rest if at is None else index[:at] + rest + index[at + 1 :]
    starts, stops, steps, reverse, shape = [], [], [], [], []
    axis = 0
    for part in full:
        if part is None:
            shape.append(1)
            continue
        length = tracer.shape[axis]
        if isinstance(part, slice):
            picked = range(length)[part]
            first, last = (picked[0], picked[-1]) if len(picked) else (0, -1)
            if picked.step < 0:
                first, last = last, first
                if len(picked):
                    reverse.append(axis)
            starts.append(first if len(picked) else 0)
            stops.append(last + 1 if len(picked) else 0)
            steps.append(abs(picked.step))
            shape.append(len(picked))
        else:
            first = range(length)[part]
            starts.append(first)
            stops.append(first + 1)
            steps.append(1)
        axis += 1
    if starts != [0] * tracer.ndim or stops != list(tracer.shape) or any(step != 1 for step in steps):
        tracer = lax.slice(tracer, starts, stops, steps)
    tracer = lax.rev(tracer, reverse) if reverse else tracer
    return tracer if tracer.shape == tuple(shape) else tracer.reshape(shape)


def _known(index: Any) -> Any:
    """An index with values for stand-ins; each of them is a decision of the trace."""
    if is_stand_in(index):
        return index.known()
    if isinstance(index, tuple):
        return tuple(_known(part) for part in index)
    if isinstance(index, list):
        return [_known(part) for part in index]
    if isinstance(index, slice):
        return slice(_known(index.start), _known(index.stop), _known(index.step))
    return index
