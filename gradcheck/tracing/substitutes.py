"""For the time of a trace: what stands for NumPy and SciPy in the modules whose code runs.

NumPy's protocols cover what is called with a stand-in. They do not cover an array that is allocated
empty and filled later, nor most of SciPy, so that the names by which the user's modules know
`numpy`, `scipy` and functions of them are bound to substitutes. Those act in the tracing thread only
and pass everything else on; all names are bound back afterwards, whatever happens.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.tracing import operations
from gradcheck.tracing.leak import Leak
from gradcheck.tracing.reach import Reach
from gradcheck.tracing.stand_in import StandIn, addresses, gathered, is_stand_in

Namespace = dict[str, Any]

current = threading.local()  # .guard is set while this thread traces


def active() -> bool:
    """Whether this thread is tracing."""
    return getattr(current, "guard", None) is not None


@contextlib.contextmanager
def substituted(reach: Reach, guard: Callable[[Any], None]) -> Iterator[None]:
    """Bind the substitutes in all namespaces that the function reaches."""
    bound: list[tuple[Namespace, str]] = []
    outer = getattr(current, "guard", None)
    try:
        for namespace in reach.namespaces:
            for name, thing in list(namespace.items()):
                if _bind(namespace, name, thing):
                    bound.append((namespace, name))
        current.guard = guard
        yield
    finally:
        current.guard = outer
        for namespace, name in bound:
            _release(namespace, name)


_lock = threading.Lock()
_bindings: dict[tuple[int, str], tuple[int, Any]] = {}  # how many traces use a binding, and what it was


def _bind(namespace: Namespace, name: str, thing: Any) -> bool:
    with _lock:
        key = (id(namespace), name)
        if key in _bindings:
            count, original = _bindings[key]
            _bindings[key] = (count + 1, original)
            return True
        replacement = substitute(thing)
        if replacement is thing:
            return False
        _bindings[key] = (1, thing)
        namespace[name] = replacement
        return True


def _release(namespace: Namespace, name: str) -> None:
    with _lock:
        count, original = _bindings.pop((id(namespace), name))
        if count > 1:
            _bindings[id(namespace), name] = (count - 1, original)
        else:
            namespace[name] = original


def substitute(thing: Any) -> Any:
    """What stands for a module or function of NumPy or SciPy; anything else is itself."""
    if isinstance(thing, types.ModuleType):
        return Module(thing) if thing.__name__.split(".")[0] in ("numpy", "scipy") else thing
    if thing is np.r_ or thing is np.c_:
        return _Pasted(thing, columns=thing is np.c_)
    try:
        known = OWN.get(thing)
    except TypeError:  # what cannot be hashed is no function
        return thing
    if known is not None:
        return _only_while_tracing(thing, known)
    if isinstance(thing, np.vectorize):
        return _only_while_tracing(thing, Vectorised(thing.pyfunc))
    of_scipy = (getattr(thing, "__module__", None) or "").startswith("scipy.")
    if of_scipy and callable(thing) and not isinstance(thing, type | np.ufunc):
        return _dispatching(thing)
    return thing


class Module:
    """A module of NumPy or SciPy with substitutes for some of its attributes."""

    def __init__(self, module: types.ModuleType) -> None:
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        return substitute(found) if active() else found

    def __setattr__(self, name: str, new: Any) -> None:
        setattr(self._module, name, new)

    def __dir__(self) -> list[str]:
        return dir(self._module)


def _only_while_tracing(original: Any, own: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original, updated=())
    def chosen(*args: Any, **options: Any) -> Any:
        return own(*args, **options) if active() else original(*args, **options)

    return chosen


def _dispatching(original: Callable[..., Any]) -> Callable[..., Any]:
    """A SciPy function, which knows no protocol, handed on as NumPy's are."""

    @functools.wraps(original)
    def chosen(*args: Any, **options: Any) -> Any:
        if active() and operations.stand_ins((args, options)):
            return operations.function(original, args, options)
        return original(*args, **options)

    return chosen


def constant(value: Any) -> StandIn:
    """An array of this trace that does not depend on its inputs yet."""
    return StandIn(value, guard=current.guard)


def _made(maker: Callable[..., Any]) -> Callable[..., Any]:
    """An allocation; shapes are known, and of arrays that are to be like others nothing but that matters."""

    def make(*args: Any, **options: Any) -> StandIn:
        if maker in (np.linspace, np.logspace) and operations.stand_ins((args, options)):
            return operations.function(maker, args, options)
        return constant(maker(*operations.values(args), **operations.values(options)))

    return make


def arange(*args: Any, **options: Any) -> Any:
    """np.arange, from a traced start and by a traced step too."""
    numbers = constant(np.arange(*operations.values(args), **operations.values(options)))
    if not any(s.traced for s in operations.stand_ins((args, options))):
        return numbers
    start = args[0] if len(args) > 1 else 0
    step = args[2] if len(args) > 2 else options.get("step", 1)
    return start + step * constant(np.arange(float(numbers.size)))


class _Pasted:
    """np.r_ and np.c_ of arrays and numbers."""

    def __init__(self, original: Any, columns: bool) -> None:
        self.original, self.columns = original, columns

    def __getitem__(self, items: Any) -> Any:
        items = items if isinstance(items, tuple) else (items,)
        if not active() or not operations.stand_ins(items) or any(isinstance(i, slice | str) for i in items):
            return self.original[items]
        parts = [np.atleast_1d(array(item)) for item in items]
        if self.columns:
            parts = [part[:, None] if part.ndim == 1 else part for part in parts]
        return np.concatenate(parts, axis=-1)


def ndenumerate(thing: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Every index with its entry."""
    return ((index, thing[index]) for index in np.ndindex(np.shape(thing)))


def _refused(*_: Any, **__: Any) -> Any:
    raise Leak("np.random.shuffle cannot be recorded: index with a permutation")


def full(shape: Any, fill_value: Any, dtype: Any = None, *_: Any, **__: Any) -> Any:
    """np.full, of a traced number too."""
    if not is_stand_in(fill_value):
        return constant(np.full(operations.values(shape), fill_value, dtype))
    made = constant(np.empty(operations.values(shape), dtype or fill_value.value.dtype))
    made[...] = fill_value
    return made


def full_like(array: Any, fill_value: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Any:
    """np.full_like, of a traced number too."""
    like = operations.value_of(array)
    return full(np.shape(like) if shape is None else shape, fill_value, dtype or np.asarray(like).dtype)


def array(thing: Any, dtype: Any = None, *_: Any, copy: Any = True, ndmin: int = 0, **__: Any) -> Any:
    """np.array of numbers, arrays and nested lists, among them stand-ins."""
    found = operations.stand_ins(thing)
    if not found:
        return constant(np.array(thing, dtype=dtype, ndmin=ndmin))
    if is_stand_in(thing):
        made = thing if dtype is None else thing.astype(dtype)
        made = made.copy() if copy and made is thing else made
        made = made if isinstance(made.value, np.ndarray) else _array_of_scalar(made)
    else:
        made = np.stack([array(item, dtype) for item in thing])  # type: ignore[arg-type]
    return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)


def _array_of_scalar(number: StandIn) -> StandIn:
    return StandIn(np.array(number.value), number.tracer, guard=number.guard)


def asarray(thing: Any, dtype: Any = None, *_: Any, **__: Any) -> Any:
    """np.asarray: the same array where it is one of this dtype already."""
    if is_stand_in(thing) and isinstance(thing.value, np.ndarray) and dtype in (None, thing.value.dtype):
        return thing
    if isinstance(thing, np.ndarray) and not is_stand_in(thing):
        return np.asarray(thing, dtype=dtype)
    return array(thing, dtype)


def ascontiguousarray(thing: Any, dtype: Any = None, **_: Any) -> Any:
    """np.ascontiguousarray: a copy only where the array is not contiguous."""
    made = asarray(thing, dtype)
    return made if made.flags.c_contiguous else made.copy()


def as_strided(array: Any, shape: Any = None, strides: Any = None, **_: Any) -> Any:
    """as_strided: a view by address, whatever the strides."""
    from numpy.lib.stride_tricks import as_strided as numpys

    if not is_stand_in(array):
        return numpys(array, shape, strides)
    value = numpys(array.value, operations.values(shape), operations.values(strides))
    if not array.traced:
        return StandIn(value, root=array.root, guard=array.guard)
    owner = addresses(array.root.value).ravel()
    order = np.argsort(owner, kind="stable")
    positions = order[np.searchsorted(owner, addresses(value), sorter=order)]
    return StandIn(value, gathered(array.root.tracer, positions), root=array.root, guard=array.guard)


class Vectorised:
    """np.vectorize of a function that runs on stand-ins one entry at a time."""

    def __init__(self, function: Callable[..., Any], *_: Any, **__: Any) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        """The function of every entry of the broadcast arguments."""
        spread = np.broadcast_arrays(*[array(arg) for arg in args])
        flat = [list(arg.reshape(-1)) for arg in spread]
        return array([self.function(*entries) for entries in zip(*flat, strict=True)]).reshape(
            spread[0].shape
        )


OWN: dict[Any, Callable[..., Any]] = {
    getattr(np, name): _made(getattr(np, name))
    for name in (
        *("zeros", "ones", "empty", "eye", "identity", "tri", "zeros_like", "ones_like", "empty_like"),
        *("linspace", "logspace"),
    )
} | {
    np.arange: arange,
    np.full: full,
    np.full_like: full_like,
    np.array: array,
    np.asarray: asarray,
    np.asanyarray: asarray,
    np.ascontiguousarray: ascontiguousarray,
    np.lib.stride_tricks.as_strided: as_strided,
    np.vectorize: Vectorised,
    np.ndenumerate: ndenumerate,
    np.random.shuffle: _refused,
}
