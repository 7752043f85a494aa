"""Sliding windows: convolution, pooling and the derivatives of pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.movement import padding
from gradcheck.tracing.evaluate.reductions import greatest, least
from gradcheck.tracing.evaluate.values import Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]


def padded_shape(shape: tuple, config: Any) -> tuple[int, ...]:
    """The shape after (low, high, interior) padding."""
    return tuple(
        max(0, low + high + size + max(0, size - 1) * interior)
        for size, (low, high, interior) in zip(shape, config, strict=True)
    )


def sliding(x: np.ndarray, sizes: Any, strides: Any, dilations: Any, counts: Any) -> np.ndarray:
    """A view of the last axes of x: leading axes, the window's position, the entry inside the window."""
    lead = x.ndim - len(sizes)
    steps = x.strides[lead:]
    shape = (*x.shape[:lead], *counts, *sizes)
    moves = [step * stride for step, stride in zip(steps, strides, strict=True)]
    inner = [step * dilation for step, dilation in zip(steps, dilations, strict=True)]
    if 0 in shape:
        return np.empty(shape, x.dtype)
    return np.lib.stride_tricks.as_strided(x, shape, (*x.strides[:lead], *moves, *inner), writeable=False)


def convolution(params: Params, ins: Values, outs: Values) -> Program:
    """Windows of the padded input, multiplied with the kernel as one matrix a group."""
    spec = params["dimension_numbers"]
    dtype = outs[0].dtype
    features, batches = params["feature_group_count"], params["batch_group_count"]
    config = [(0, 0, 0)] * 2 + [
        (low, high, dilation - 1)
        for (low, high), dilation in zip(params["padding"], params["lhs_dilation"], strict=True)
    ]
    source = tuple(ins[0].shape[axis] for axis in spec.lhs_spec)
    kernel = tuple(ins[1].shape[axis] for axis in spec.rhs_spec)
    result = tuple(outs[0].shape[axis] for axis in spec.out_spec)
    grown = padded_shape(source, config)
    expand = padding(config, source, grown, dtype)
    geometry = (kernel[2:], params["window_strides"], params["rhs_dilation"], result[2:])
    back = tuple(int(axis) for axis in np.argsort(spec.out_spec))
    groups = max(features, batches)
    rank = len(kernel) - 2

    def convolved(x: Any, w: Any) -> Any:
        x = expand(x.transpose(spec.lhs_spec).astype(dtype, copy=False), 0)
        w = w.transpose(spec.rhs_spec).astype(dtype, copy=False)
        patches = sliding(x, *geometry)  # (N, C, positions, window)
        patches = grouped(patches, groups, batched=batches > 1)  # (G, N', C', positions, window)
        places = range(3, 3 + rank)
        patches = patches.transpose(0, 1, *places, 2, *range(3 + rank, 3 + 2 * rank))
        rows = patches.shape[1] * int(np.prod(result[2:]))
        inner = kernel[1] * int(np.prod(kernel[2:]))
        columns = w.reshape(groups, kernel[0] // groups, inner)
        out = np.matmul(patches.reshape(groups, rows, inner), columns.transpose(0, 2, 1))
        out = out.reshape(groups, patches.shape[1], *result[2:], kernel[0] // groups)
        out = out.transpose(1, 0, out.ndim - 1, *range(2, 2 + rank)).reshape(result)
        return out.transpose(back)

    return convolved


def grouped(patches: np.ndarray, groups: int, *, batched: bool) -> np.ndarray:
    """A leading axis of groups, split off the batch or off the features."""
    size = patches.shape
    if batched:
        return patches.reshape(groups, size[0] // groups, *size[1:])
    return np.moveaxis(patches.reshape(size[0], groups, size[1] // groups, *size[2:]), 1, 0)


def frame(params: Params, shape: tuple) -> tuple[list, tuple]:
    """The padding of a window reduction's operand, and its shape after it."""
    dilation = params.get("base_dilation") or (1,) * len(shape)
    config = [(low, high, step - 1) for (low, high), step in zip(params["padding"], dilation, strict=True)]
    return config, padded_shape(shape, config)


def windows_of(params: Params, shape: tuple, counts: tuple, dtype: np.dtype, fill: Any) -> Program:
    """A function from the operand to its padded windows, flattened on the last axis."""
    config, grown = frame(params, shape)
    expand = padding(config, shape, grown, dtype)
    sizes, rank = params["window_dimensions"], len(shape)
    dilation = params.get("window_dilation") or (1,) * rank
    flat = int(np.prod(sizes))

    def patches(x: Any) -> Any:
        view = sliding(expand(x, fill), sizes, params["window_strides"], dilation, counts)
        return view.reshape(*counts, flat)

    return patches


def pooling(ufunc: np.ufunc, start: Program) -> Rule:
    """The reduction of each window; padding counts as `start`."""

    def rule(params: Params, ins: Values, outs: Values) -> Program | None:
        if ins[0].lifted and ufunc is not np.add:
            return None
        patches = windows_of(params, ins[0].shape, outs[0].shape, ins[0].dtype, start(ins[0].dtype))
        dtype = outs[0].dtype
        return lambda x, *_start: ufunc.reduce(patches(x), -1, dtype)

    return rule


def nothing(_dtype: np.dtype) -> int:
    """What a sum starts from."""
    return 0


def chooser(params: Params, operand: Value, counts: tuple) -> Program:
    """A function from the operand to the place of each window's winner, the first of equals."""
    largest = params["select_prim"].name == "ge"
    fill = (least if largest else greatest)(operand.dtype)
    patches = windows_of(params, operand.shape, counts, operand.dtype, fill)
    find = np.argmax if largest else np.argmin
    return lambda x: find(patches(x), axis=-1)


def select_and_gather_add(params: Params, ins: Values, outs: Values) -> Program | None:
    """The entries of the first operand where the second wins its window: a pooling's tangent."""
    if ins[1].lifted:
        return None
    choose = chooser(params, ins[1], outs[0].shape)
    patches = windows_of(params, ins[0].shape, outs[0].shape, ins[0].dtype, 0)
    return lambda tangent, x: np.take_along_axis(patches(tangent), choose(x)[..., None], -1)[..., 0]


def select_and_scatter_add(params: Params, ins: Values, _outs: Values) -> Program | None:
    """Each window's cotangent added where the operand wins: a pooling's pullback."""
    source, operand = ins
    if operand.lifted:
        return None
    choose = chooser(params, operand, source.shape)
    config, grown = frame(params, operand.shape)
    numbers = np.arange(int(np.prod(grown))).reshape(grown)
    sizes, rank = params["window_dimensions"], len(grown)
    flat = sliding(numbers, sizes, params["window_strides"], (1,) * rank, source.shape).reshape(
        *source.shape, -1
    )
    crop = tuple(slice(low, low + size) for size, (low, _, _) in zip(operand.shape, config, strict=True))

    def scattered(cotangent: Any, x: Any) -> Any:
        out = np.zeros(numbers.size, operand.dtype)
        places = np.take_along_axis(flat, choose(x)[..., None], -1)[..., 0]
        np.add.at(out, places.reshape(-1), cotangent.reshape(-1))
        return out.reshape(grown)[crop]

    return scattered


RULES: dict[str, Rule] = {
    "conv_general_dilated": convolution,
    "reduce_window_sum": pooling(np.add, nothing),
    "reduce_window_max": pooling(np.maximum, least),
    "reduce_window_min": pooling(np.minimum, greatest),
    "select_and_gather_add": select_and_gather_add,
    "select_and_scatter_add": select_and_scatter_add,
}
