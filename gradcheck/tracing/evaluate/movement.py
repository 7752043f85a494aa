"""Primitives that move entries without computing: shapes, slices, pads, orders."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]


def reshape(params: Params, ins: Values, outs: Values) -> Program:
    """The same entries in another shape; `dimensions` permutes the axes first."""
    order = params["dimensions"]
    if order is not None:
        return lambda x: x.transpose(order).reshape(outs[0].shape)
    return resized(params, ins, outs)


def resized(_params: Params, ins: Values, outs: Values) -> Program:
    """The same entries with axes of length one put in or taken out."""
    shape = outs[0].shape
    if ins[0].shape == shape:
        return lambda x: x
    return lambda x: x.reshape(shape)


def broadcast_in_dim(params: Params, ins: Values, outs: Values) -> Program:
    """Axis i of the operand becomes axis `broadcast_dimensions[i]`; the rest is repeated."""
    shape, dtype = outs[0].shape, outs[0].dtype
    aligned = [1] * len(shape)
    for size, axis in zip(ins[0].shape, params["broadcast_dimensions"], strict=True):
        aligned[axis] = size
    aligned = tuple(aligned)
    if aligned == shape:
        return lambda x: x.reshape(shape)

    def repeated(x: Any, *_sizes: Any) -> Any:
        out = np.empty(shape, dtype)
        out[...] = x.reshape(aligned)
        return out

    return repeated


def transpose(params: Params, _ins: Values, _outs: Values) -> Program:
    """Axes in another order."""
    order = tuple(int(axis) for axis in params["permutation"])
    return lambda x: x.transpose(order)


def reverse(params: Params, ins: Values, _outs: Values) -> Program:
    """Axes backwards."""
    axes = params["dimensions"]
    index = tuple(slice(None, None, -1 if axis in axes else 1) for axis in range(len(ins[0].shape)))
    return lambda x: x[index]


def concatenate(params: Params, _ins: Values, _outs: Values) -> Program:
    """Arrays one after the other."""
    axis = params["dimension"]
    return lambda *xs: np.concatenate(xs, axis=axis)


def stack(params: Params, _ins: Values, _outs: Values) -> Program:
    """Arrays beside each other along a new axis."""
    axis = params["axis"]
    return lambda *xs: np.stack(xs, axis=axis)


def unstack(params: Params, _ins: Values, _outs: Values) -> Program:
    """The layers along one axis."""
    axis = params["axis"]
    return lambda x: list(np.moveaxis(x, axis, 0))


def pad(params: Params, ins: Values, outs: Values) -> Program:
    """Entries before, after and between; negative amounts crop."""
    return padding(params["padding_config"], ins[0].shape, outs[0].shape, outs[0].dtype)


def padding(config: Any, shape: tuple, out_shape: tuple, dtype: np.dtype) -> Program:
    """A function (x, fill) -> x padded by (low, high, interior) an axis, of the given shapes."""
    source, target = [], []
    for size, out_size, (low, _high, interior) in zip(shape, out_shape, config, strict=True):
        step = interior + 1
        first = max(0, -(low // step))  # the first entry that is not cropped away
        last = min(size, -((low - out_size) // step))
        source.append(slice(first, max(first, last)))
        start = low + first * step
        target.append(
            slice(start, start + (last - first - 1) * step + 1, step) if last > first else slice(0, 0)
        )
    source, target = tuple(source), tuple(target)

    def padded(x: Any, fill: Any) -> Any:
        out = np.empty(out_shape, dtype)
        out[...] = fill
        out[target] = x[source]
        return out

    return padded


def static_slice(params: Params, _ins: Values, _outs: Values) -> Program:
    """x[start:limit:stride]."""
    starts, limits = params["start_indices"], params["limit_indices"]
    strides = params["strides"] or (1,) * len(starts)
    index = tuple(slice(*triple) for triple in zip(starts, limits, strides, strict=True))
    return lambda x: x[index]


def dynamic_slice(_params: Params, ins: Values, outs: Values) -> Program:
    """A window whose start is data, moved inside where it sticks out."""
    place = window(ins[0].shape, outs[0].shape)
    return lambda x, *starts: x[place(starts)]


def dynamic_update_slice(_params: Params, ins: Values, _outs: Values) -> Program:
    """A copy with a window overwritten, moved inside where it sticks out."""
    place = window(ins[0].shape, ins[1].shape)

    def updated(x: Any, update: Any, *starts: Any) -> Any:
        out = np.array(x)
        out[place(starts)] = update
        return out

    return updated


def window(shape: tuple, sizes: tuple) -> Program:
    """From start indices to slices of the given sizes inside `shape`."""
    room = [(whole - part, part) for whole, part in zip(shape, sizes, strict=True)]

    def place(starts: Any) -> tuple[slice, ...]:
        firsts = [min(max(int(start), 0), most) for start, (most, _) in zip(starts, room, strict=True)]
        return tuple(slice(first, first + part) for first, (_, part) in zip(firsts, room, strict=True))

    return place


def iota(params: Params, _ins: Values, outs: Values) -> Program:
    """Each entry's index along one axis."""
    shape, axis = outs[0].shape, params["dimension"]
    dtype = outs[0].declared if outs[0].dtype == object else outs[0].dtype
    column = (-1,) + (1,) * (len(shape) - axis - 1)
    return lambda *_sizes: np.array(np.broadcast_to(np.arange(shape[axis]).reshape(column), shape), dtype)


def empty(_params: Params, _ins: Values, outs: Values) -> Program:
    """An array whose entries do not matter; zeros, so that two runs are equal."""
    shape, dtype = outs[0].shape, outs[0].dtype
    return lambda *_sizes: np.zeros(shape, dtype)


def split(params: Params, _ins: Values, _outs: Values) -> Program:
    """Consecutive pieces of one axis."""
    axis, ends = params["axis"], np.cumsum((0, *params["sizes"])).tolist()
    lead = (slice(None),) * axis
    indices = [(*lead, slice(*piece)) for piece in pairwise(ends)]
    return lambda x: [x[index] for index in indices]


def tile(params: Params, _ins: Values, outs: Values) -> Program:
    """The array repeated side by side."""
    repeats, shape = params["reps"], outs[0].shape
    return lambda x: np.tile(x, repeats).reshape(shape)


def sort(params: Params, ins: Values, _outs: Values) -> Program:
    """All operands in the order of the first `num_keys`, stable; NaN last."""
    axis, keys = params["dimension"], params["num_keys"]
    if len(ins) == 1 and not ins[0].lifted:
        return lambda x: [np.sort(x, axis=axis, kind="stable")]

    def ordered(*xs: Any) -> Any:
        ranks = [x.real if value.lifted else x for x, value in zip(xs, ins, strict=True)][:keys]
        if keys == 1:
            order = np.argsort(ranks[0], axis=axis, kind="stable")
        else:
            order = np.lexsort(ranks[::-1], axis=axis)
        return [np.take_along_axis(x, order, axis) for x in xs]

    return ordered


def top_k(params: Params, ins: Values, outs: Values) -> Program:
    """The k largest, largest first, and where they were; the first of equals first."""
    axis, k, index = params["axis"], params["k"], outs[1].dtype
    lifted, size = ins[0].lifted, ins[0].shape[params["axis"]]

    def largest(x: Any) -> Any:
        rank = np.flip(x.real if lifted else x, axis)
        order = size - 1 - np.flip(np.argsort(rank, axis=axis, kind="stable"), axis)
        order = np.take(order, range(k), axis=axis)
        return [np.take_along_axis(x, order, axis), order.astype(index)]

    return largest


def dimension(params: Params, _ins: Values, outs: Values) -> Program:
    """The size of a symbolic dimension, once it is known."""
    dtype, size = outs[0].dtype, params["dim"]
    return lambda: np.asarray(size, dtype)


RULES: dict[str, Rule] = {
    "reshape": reshape,
    "squeeze": resized,
    "expand_dims": resized,
    "broadcast_in_dim": broadcast_in_dim,
    "transpose": transpose,
    "rev": reverse,
    "concatenate": concatenate,
    "stack": stack,
    "unstack": unstack,
    "pad": pad,
    "slice": static_slice,
    "dynamic_slice": dynamic_slice,
    "dynamic_update_slice": dynamic_update_slice,
    "iota": iota,
    "empty": empty,
    "empty2": empty,
    "split": split,
    "tile": tile,
    "sort": sort,
    "top_k": top_k,
    "dim_as_value": dimension,
}

# Their results may share memory with their first operand.
VIEWS = frozenset(
    {"reshape", "squeeze", "expand_dims", "broadcast_in_dim", "transpose", "rev", "slice", "dynamic_slice"}
    | {"split", "unstack", "convert_element_type", "bitcast_convert_type", "reduce_precision", "real", "imag"}
)
