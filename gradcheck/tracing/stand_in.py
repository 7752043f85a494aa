"""The stand-in for an array: NumPy computes its value, and JAX records what was done to it.

Every operation is carried out twice, by NumPy on the values and by jax.numpy on the tracers beside
them. Values keep NumPy's own semantics in everything that depends on them: branches, dtypes, shapes,
and memory. Two stand-ins whose values share memory are a base and its view, and a write to one of
them is seen by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradcheck.tracing.leak import Leak

Array = np.ndarray[Any, Any]


class StandIn(NDArrayOperatorsMixin):
    """An array, or a NumPy scalar, with a tracer beside it; the tracer is None for a constant.

    owner: the stand-in that owns the memory, for a view; None for one that does. version counts the
    writes to an owner's memory, and a view that is behind reads its tracer from its owner anew.
    """

    __slots__ = ("_tracer", "guard", "owner", "value", "version")

    def __init__(self, value: Any, tracer: Any = None, *, root: StandIn | None = None, guard: Any) -> None:
        self.value = value
        self._tracer = tracer
        self.owner = root
        self.version = root.version if root is not None else 0
        self.guard = guard  # tells the recorder of values that decide what the trace does next

    # -- the tracer, and writes to memory ---------------------------------------------------------

    @property
    def root(self) -> StandIn:
        """The stand-in that owns the memory: itself, or another."""
        return self if self.owner is None else self.owner

    @property
    def tracer(self) -> Any:
        """What JAX knows of this array now; None where nothing in it was computed from an input."""
        if self.version != self.root.version:
            self._tracer = gathered(self.root._tracer, self._positions()) if self.root.traced else None
            self.version = self.root.version
        return self._tracer

    @property
    def traced(self) -> bool:
        return self.tracer is not None

    def written(self, tracer: Any) -> None:
        """Take a new tracer for this whole array, whose value NumPy has written already."""
        import jax.numpy as jnp

        if self.root is self:
            self._tracer = tracer
        else:
            base: Any = self.root._tracer if self.root.traced else constant_tracer(self.root.value)
            flat = base.reshape(-1).at[self._positions().ravel()].set(jnp.ravel(tracer))
            self.root._tracer = flat.reshape(self.root.value.shape)
            self._tracer = tracer
        self.root.version += 1
        self.version = self.root.version

    def as_tracer(self) -> Any:
        """The tracer, or the value as a constant of the trace."""
        tracer = self.tracer
        return constant_tracer(self.value) if tracer is None else tracer

    def _positions(self) -> Array:
        """Where in the owner's flattened array each entry of this view stands."""
        owner = addresses(self.root.value).ravel()
        order = np.argsort(owner, kind="stable")
        return order[np.searchsorted(owner, addresses(self.value), sorter=order)]

    # -- NumPy's protocols ------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from gradcheck.tracing import operations

        return operations.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Callable[..., Any], _: Any, args: Any, options: Any) -> Any:
        from gradcheck.tracing import operations

        return operations.function(function, args, options)

    def __array__(self, *_: Any, **__: Any) -> Array:
        if self.traced:
            raise Leak("an array is taken out of the trace: its derivative would be lost")
        return np.asarray(self.value)

    @property
    def __class__(self) -> type:  # type: ignore[override] - isinstance(x, np.ndarray) is asked in many a forward
        return type(self.value)

    # -- what Python asks of an array -------------------------------------------------------------

    def known(self) -> Any:
        """The value, for a decision that the trace bakes in."""
        if self.traced:
            self.guard(self.tracer)
        return self.value

    def __bool__(self) -> bool:
        return bool(self.known())

    def __index__(self) -> int:
        return self.known().__index__()

    def __int__(self) -> int:
        return int(self.known())

    def __float__(self) -> float:
        if self.traced and self.value.dtype.kind in "fc":
            raise Leak("float() takes a number out of the trace: its derivative would be lost")
        return float(self.known())

    def __complex__(self) -> complex:
        if self.traced:
            raise Leak("complex() takes a number out of the trace: its derivative would be lost")
        return complex(self.value)

    def __hash__(self) -> int:
        if isinstance(self.value, np.ndarray):
            raise TypeError("unhashable type: 'numpy.ndarray'")
        if self.traced and self.value.dtype.kind in "fc":
            raise Leak("a number is looked up by its value, as in a cache: its derivative would be lost")
        return hash(self.known())

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.value)))

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())

    def __repr__(self) -> str:
        return repr(self._for_text())

    def __str__(self) -> str:
        return str(self._for_text())

    def __format__(self, form: str) -> str:
        return format(self._for_text(), form)

    def _for_text(self) -> Any:
        if self.traced and self.value.dtype.kind in "fc":
            raise Leak("a number becomes text, from which it may come back without its derivative")
        return self.known()

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, _: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        raise Leak("pickling takes an array out of the trace: its derivative would be lost")

    def __getitem__(self, index: Any) -> Any:
        from gradcheck.tracing import indexing

        return indexing.get(self, index)

    def __setitem__(self, index: Any, new: Any) -> None:
        from gradcheck.tracing import indexing

        indexing.put(self, index, new)

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self, digits)  # type: ignore[call-overload]

    def __divmod__(self, other: Any) -> Any:
        return np.divmod(self, other)

    def __getattr__(self, name: str) -> Any:
        from gradcheck.tracing import methods

        return methods.attribute(self, name)

    def __setattr__(self, name: str, new: Any) -> None:
        if name in StandIn.__slots__:
            object.__setattr__(self, name, new)
        else:
            from gradcheck.tracing import methods

            methods.set_attribute(self, name, new)


def _in_place(name: str) -> Callable[[StandIn, Any], Any]:
    ordinary = getattr(NDArrayOperatorsMixin, name)

    def operator(self: StandIn, other: Any) -> Any:
        # A NumPy scalar is immutable: x += 1 makes a new one.
        return NotImplemented if isinstance(self.value, np.generic) else ordinary(self, other)

    return operator


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(StandIn, f"__i{_name}__", _in_place(f"__i{_name}__"))


def constant_tracer(value: Any) -> Any:
    """A constant of the trace, which later writes to the array do not reach."""
    import jax.numpy as jnp

    return jnp.array(np.array(value))


def gathered(tracer: Any, positions: Array) -> Any:
    """The entries of a flattened tracer at known positions, in the shape of the positions."""
    from jax import lax

    return lax.gather(
        tracer.reshape(-1),
        np.asarray(positions)[..., None],
        lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,)),
        slice_sizes=(1,),
        mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def addresses(array: Any) -> Array:
    """The address of every entry of an array in memory."""
    start = array.__array_interface__["data"][0]
    found = np.full(array.shape, start, dtype=np.int64)
    for axis, (length, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        steps = np.arange(length, dtype=np.int64) * stride
        found += steps.reshape((-1,) + (1,) * (array.ndim - axis - 1))
    return found


def is_stand_in(thing: Any) -> bool:
    """Whether this is a stand-in, which `isinstance` cannot tell."""
    return type(thing) is StandIn
