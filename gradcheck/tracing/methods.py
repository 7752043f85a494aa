"""Attributes and methods of arrays, each by the function that does the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing import operations
from gradcheck.tracing.leak import Leak
from gradcheck.tracing.stand_in import StandIn

KNOWN = ("shape", "ndim", "size", "dtype", "itemsize", "nbytes", "flags", "strides")
# Methods that np has under the same name, with the array first.
FUNCTIONS = (
    *("sum", "prod", "mean", "std", "var", "max", "min", "all", "any", "argmax", "argmin", "argsort"),
    *(
        "cumsum",
        "cumprod",
        "clip",
        "round",
        "dot",
        "trace",
        "diagonal",
        "take",
        "repeat",
        "compress",
        "choose",
    ),
    *("ravel", "squeeze", "swapaxes", "nonzero", "searchsorted", "partition", "argpartition"),
)


def attribute(array: StandIn, name: str) -> Any:
    """array.name; AttributeError where arrays have none."""
    if name in KNOWN:
        return getattr(array.value, name)
    if name in FUNCTIONS:
        return functools.partial(getattr(np, name), array)
    if name in OWN:
        return functools.partial(OWN[name], array)
    if name in PROPERTIES:
        return PROPERTIES[name](array)
    if name.startswith("__"):
        raise AttributeError(name)
    found = getattr(array.value, name)
    if array.traced and array.value.dtype.kind in "fc":
        return functools.partial(_lose, name) if callable(found) else _lose(name)
    return getattr(array.known(), name)


def set_attribute(array: StandIn, name: str, new: Any) -> None:
    """array.flat = ..., array.shape = ...; what else arrays let one set is refused."""
    if name == "flat":
        attribute(array, "reshape")(-1)[:] = new
    elif name == "shape":
        shaped = attribute(array, "reshape")(new)
        array.value, array.owner = shaped.value, None if shaped.root is array else shaped.root
        array._tracer, array.version = shaped._tracer, shaped.version
    else:
        raise Leak(f"setting {name} of an array cannot be recorded")


def _lose(name: str, *_: Any, **__: Any) -> Any:
    raise Leak(f"{name} takes numbers out of the trace: their derivative would be lost")


def _view(array: StandIn, *kinds: Any, **options: Any) -> Any:
    if (kinds and kinds != (np.ndarray,)) or options:
        raise Leak("view() reads the memory of an array under another dtype: its derivative would be lost")
    return array[...]


def _reshape(array: StandIn, *shape: Any, **options: Any) -> Any:
    given = shape[0] if len(shape) == 1 else shape
    return np.reshape(array, given, **options)  # type: ignore[call-overload]


def _transpose(array: StandIn, *axes: Any) -> Any:
    order = axes[0] if len(axes) == 1 and (axes[0] is None or not isinstance(axes[0], int)) else axes or None
    return np.transpose(array, order)  # type: ignore[call-overload]


def _copy(array: StandIn, *_: Any, **__: Any) -> Any:
    return StandIn(array.value.copy(), array.tracer, guard=array.guard)


def _flatten(array: StandIn, order: Any = "C") -> Any:
    return _copy(np.ravel(array, order))  # type: ignore[call-overload]


def _astype(array: StandIn, dtype: Any, *_: Any, copy: bool = True, **__: Any) -> Any:
    """Another dtype; fewer digits than before would round what the trace does not see."""
    new = np.dtype(dtype)
    if new == array.value.dtype and not copy:
        return array
    if (
        array.traced
        and array.value.dtype.kind == new.kind == "f"
        and new.itemsize < array.value.dtype.itemsize
    ):
        raise Leak(f"astype({new}) rounds an array to fewer digits, which the trace does not follow")
    tracer = array.tracer
    return StandIn(array.value.astype(new), None if tracer is None else tracer.astype(new), guard=array.guard)


def _fill(array: StandIn, number: Any) -> None:
    array[...] = number


def _sort(array: StandIn, axis: int = -1, **_: Any) -> None:
    array[...] = np.sort(array, axis=axis)  # type: ignore[call-overload]


def _put(array: StandIn, index: Any, new: Any, mode: str = "raise") -> None:
    operations.function(np.put, (array, index, new), {"mode": mode})


def _conjugate(array: StandIn) -> Any:
    return np.conjugate(array)  # type: ignore[call-overload]


OWN: dict[str, Callable[..., Any]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "copy": _copy,
    "flatten": _flatten,
    "astype": _astype,
    "fill": _fill,
    "sort": _sort,
    "put": _put,
    "conj": _conjugate,
    "conjugate": _conjugate,
    "view": _view,
}
PROPERTIES: dict[str, Callable[[StandIn], Any]] = {
    "T": np.transpose,
    "mT": lambda array: np.swapaxes(array, -1, -2),  # type: ignore[call-overload]
    "real": np.real,
    "imag": np.imag,
    "base": lambda array: None if array.root is array else array.root,
}


class _Flat:
    """x.flat: an iterator and an index over all entries in order."""

    def __init__(self, array: StandIn) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> Any:
        return np.ravel(self.array)[index]  # type: ignore[call-overload]

    def __setitem__(self, index: Any, new: Any) -> None:
        places = np.arange(self.array.value.size).reshape(self.array.value.shape)
        self.array[np.unravel_index(places.flat[index], places.shape)] = new

    def __iter__(self) -> Any:
        return iter(np.ravel(self.array))  # type: ignore[call-overload]

    def __len__(self) -> int:
        return self.array.value.size


PROPERTIES["flat"] = _Flat
