"""gather and scatter: indexing by data, in every mode."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcheck.tracing.evaluate.values import OBJECT, Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]


class Layout(NamedTuple):
    """How windows of the operand are addressed, in common to gather and scatter.

    `mapped[k]` is the operand axis that component k of an index moves along, `paired` the (operand axis,
    index axis) that run together, `window` the operand axes that survive in a window, `sizes` its extent on
    every operand axis, `batch` the shape of the indices without their last axis.
    """

    shape: tuple[int, ...]
    batch: tuple[int, ...]
    mapped: tuple[int, ...]
    paired: tuple[tuple[int, int], ...]
    window: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def room(self) -> np.ndarray:
        """The largest start of a window along each mapped axis."""
        return np.array([self.shape[axis] - self.sizes[axis] for axis in self.mapped], np.intp)

    @property
    def addressed(self) -> tuple[int, ...]:
        """The operand axes whose position depends on the index."""
        return (*self.mapped, *(axis for axis, _ in self.paired))

    @property
    def pointwise(self) -> bool:
        """Windows are one entry thick along addressed axes, and whole along all others."""
        return all(
            self.sizes[axis] == (1 if axis in self.addressed else size)
            for axis, size in enumerate(self.shape)
        ) and not set(self.window) & set(self.addressed)

    def starts(self, indices: np.ndarray) -> dict[int, np.ndarray]:
        """Operand axis to the position there, one an index."""
        found = {axis: indices[..., k] for k, axis in enumerate(self.mapped)}
        for axis, index_axis in self.paired:
            column = (-1,) + (1,) * (len(self.batch) - index_axis - 1)
            found[axis] = np.arange(self.batch[index_axis]).reshape(column)
        return found

    def selection(self, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        """An index of every operand axis, broadcasting to the batch's shape and then the window's."""
        starts, rank = self.starts(indices), len(self.window)
        full = []
        for axis, size in enumerate(self.sizes):
            start = np.asarray(starts.get(axis, 0))
            start = np.broadcast_to(start, self.batch).reshape(self.batch + (1,) * rank)
            place = self.window.index(axis) if axis in self.window else rank
            along = np.arange(size).reshape((-1,) + (1,) * max(0, rank - place - 1)) if place < rank else 0
            full.append(start + along)
        return tuple(full)


def result_order(batch_rank: int, window_axes: Any) -> tuple[int, ...]:
    """The permutation from (batch, window) to a result whose window axes are at `window_axes`."""
    rank = batch_rank + len(window_axes)
    window = {axis: batch_rank + i for i, axis in enumerate(window_axes)}
    batch = iter(range(batch_rank))
    return tuple(window[axis] if axis in window else next(batch) for axis in range(rank))


def within(indices: np.ndarray, room: np.ndarray) -> Any:
    """Whether each index leaves its whole window inside the operand."""
    return np.all((indices >= 0) & (indices <= room), axis=-1)


def gather(params: Params, ins: Values, outs: Values) -> Program | None:
    """Windows of the operand, one an index; outside it they are moved inside or filled."""
    numbers, mode = params["dimension_numbers"], params["mode"].name
    if mode == "ONE_HOT":
        return None
    gone = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    layout = Layout(
        shape=ins[0].shape,
        batch=ins[1].shape[:-1],
        mapped=tuple(map(int, numbers.start_index_map)),
        paired=tuple(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)),
        window=tuple(axis for axis in range(len(ins[0].shape)) if axis not in gone),
        sizes=tuple(params["slice_sizes"]),
    )
    batch_rank = len(layout.batch)
    order = result_order(batch_rank, numbers.offset_dims)
    room = layout.room
    collect = collector(layout)
    if mode != "FILL_OR_DROP":
        return lambda x, indices: collect(x, inside(indices, room)).transpose(order)
    fill = filling(params["fill_value"], outs[0].dtype)

    def filled(x: Any, indices: Any) -> Any:
        good = within(indices, room)
        if good.all():
            return collect(x, indices).transpose(order)
        if not x.size:
            return np.full(outs[0].shape, fill, outs[0].dtype)
        found = np.array(collect(x, inside(indices, room)))
        found[~good] = fill
        return found.transpose(order)

    return filled


def inside(indices: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The nearest indices whose windows lie in the operand."""
    return np.minimum(np.maximum(indices, 0), room)


def collector(layout: Layout) -> Program:
    """(operand, good indices) -> the windows, batch axes first."""
    if not layout.pointwise:
        return lambda x, indices: x[layout.selection(indices)]
    rest = [axis for axis in range(len(layout.shape)) if axis not in layout.addressed]
    order = (*layout.addressed, *rest)
    if len(layout.mapped) == 1 and not layout.paired:
        return lambda x, indices: x.transpose(order)[indices[..., 0]]
    addressed = layout.addressed

    def collect(x: Any, indices: Any) -> Any:
        starts = layout.starts(indices)
        if not addressed:
            return np.array(np.broadcast_to(x, layout.batch + x.shape))
        return x.transpose(order)[tuple(starts[axis] for axis in addressed)]

    return collect


def filling(value: Any, dtype: np.dtype) -> Any:
    """What stands where an index points outside: NaN, or the end of an integer type."""
    if value is not None:
        return value
    if dtype == OBJECT or dtype.kind in "fc":
        return np.nan
    if dtype.kind == "b":
        return True
    return np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max


def scatter(combine: np.ufunc | None) -> Rule:
    """A copy of the operand in which windows are combined with updates; those that stick out are dropped."""

    def rule(params: Params, ins: Values, _outs: Values) -> Program | None:
        numbers, mode = params["dimension_numbers"], getattr(params["mode"], "name", "FILL_OR_DROP")
        if len(ins) != 3 or mode == "ONE_HOT":
            return None
        layout, order = scatter_layout(numbers, ins)
        write = writer(layout, combine, unique=params["unique_indices"])
        room, clip = layout.room, mode == "CLIP"

        def scattered(x: Any, indices: Any, updates: Any) -> Any:
            out = np.array(x)
            updates = updates.transpose(order)
            if not out.size or not updates.size:
                return out
            if clip:
                write(out, inside(indices, room), updates, None)
            else:
                good = within(indices, room)
                write(out, indices, updates, None if good.all() else good)
            return out

        return scattered

    return rule


def scatter_layout(numbers: Any, ins: Values) -> tuple[Layout, tuple[int, ...]]:
    """The layout of a scatter, and the permutation that puts the updates' batch axes first."""
    gone = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    window = tuple(axis for axis in range(len(ins[0].shape)) if axis not in gone)
    extent = [ins[2].shape[axis] for axis in numbers.update_window_dims]
    sizes = [1] * len(ins[0].shape)
    for axis, size in zip(window, extent, strict=True):
        sizes[axis] = size
    layout = Layout(
        shape=ins[0].shape,
        batch=ins[1].shape[:-1],
        mapped=tuple(map(int, numbers.scatter_dims_to_operand_dims)),
        paired=tuple(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True)),
        window=window,
        sizes=tuple(sizes),
    )
    batch_axes = [axis for axis in range(len(ins[2].shape)) if axis not in numbers.update_window_dims]
    return layout, (*batch_axes, *numbers.update_window_dims)


def writer(layout: Layout, combine: np.ufunc | None, *, unique: bool) -> Program:
    """(out, indices, updates, good or None) -> out changed in place."""

    def write(out: Any, indices: Any, updates: Any, good: Any) -> None:
        if layout.pointwise and layout.addressed:
            rest = [axis for axis in range(out.ndim) if axis not in layout.addressed]
            target = out.transpose(*layout.addressed, *rest)
            starts = layout.starts(indices)
            where = tuple(np.broadcast_to(starts[axis], layout.batch) for axis in layout.addressed)
        else:
            target = out
            where = np.broadcast_arrays(*layout.selection(indices)) if out.ndim else ()
        if good is not None:
            where, updates = tuple(part[good] for part in where), updates[good]
        if out.ndim == 0:
            accumulate(target, updates, combine)
        elif combine is None:
            target[tuple(where)] = updates
        elif unique:
            target[tuple(where)] = combine(target[tuple(where)], updates)
        else:
            combine.at(target, tuple(where), updates)

    return write


def accumulate(target: Any, updates: Any, combine: np.ufunc | None) -> None:
    """Updates of a single number, one after the other."""
    for update in updates.reshape(-1):
        target[()] = update if combine is None else combine(target[()], update)


RULES: dict[str, Rule] = {
    "gather": gather,
    "scatter": scatter(None),
    "scatter-add": scatter(np.add),
    "scatter-sub": scatter(np.subtract),
    "scatter-mul": scatter(np.multiply),
    "scatter-min": scatter(np.minimum),
    "scatter-max": scatter(np.maximum),
}
