"""NumPy's ufuncs and functions on stand-ins: the value by NumPy, the tracer by its jax.numpy twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.tracing import twins
from gradcheck.tracing.frames import visit
from gradcheck.tracing.leak import Leak, watch_the_clock
from gradcheck.tracing.stand_in import StandIn, constant_tracer, gathered, is_stand_in

Tracer = Any
FIRST_POSITION = (
    1_000_003  # of entries that are moved about: no number that a function would put there itself
)


def ufunc(which: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Any ufunc and any of its methods, `out=` and `where=` included."""
    from gradcheck.tracing import in_place

    if method == "at":
        return in_place.at(which, *inputs)
    outs = options.pop("out", None)
    outs = outs if isinstance(outs, tuple) else (outs,) if outs is not None else ()
    plain, plain_options = values((inputs, options))
    traced = any(s.traced for s in stand_ins((inputs, options)))
    refuse_plain_outputs(which.__name__, outs, traced)
    # NumPy may be about to write into an operand: tracers are taken before.
    operands = as_tracers(inputs) if traced else ()
    before = [out.as_tracer() for out in outs if is_stand_in(out)] if traced else []
    given = {"out": tuple(value_of(out) for out in outs)} if outs else {}
    kinds = [as_kind(value) for value in plain]
    result = getattr(which, method)(*plain, **plain_options, **given)
    if not traced:
        return _settled(result, outs, None, inputs)
    where = options.pop("where", True) if method == "__call__" else True
    tracers = twins.of_ufunc(which, method)(operands, kinds, as_tracers(options))
    tracers = tuple(tracers) if isinstance(tracers, tuple | list) else (tracers,)
    if where is not True:
        tracers = _only_where(where, tracers, before, result)
    return _settled(result, outs, tracers, inputs)


def as_kind(value: Any) -> Any:
    """What NumPy's promotion goes by: a dtype, or the type of a Python number, which is weak."""
    return type(value) if type(value) in (int, float, complex) else np.asarray(value).dtype


def function(which: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Any function that NumPy dispatches, and SciPy's where there is a twin."""
    from gradcheck.tracing import in_place

    name = which.__name__
    if name in in_place.WRITERS:
        return in_place.write(which, args, options)
    if name in twins.composed():
        return twins.composed()[name](*args, **options)
    found = stand_ins((args, options))
    outs = (options["out"],) if options.get("out") is not None else ()
    traced = any(s.traced for s in found if not any(s is out for out in outs))
    refuse_plain_outputs(name, outs, traced)
    plain_args, plain_options = values((args, options))
    result = which(*plain_args, **plain_options)
    if not traced:
        return _settled(result, outs, None, found)
    options = {key: value for key, value in options.items() if key != "out"}
    tracers = _by_twin(which, args, options, result)
    return _settled(result, outs, tracers, found)


def _by_twin(which: Callable[..., Any], args: Any, options: Any, result: Any) -> tuple[Tracer, ...] | None:
    """The tracers of a function's results; None where they carry no derivative.

    A function without a twin, or whose twin takes these arguments differently, may only move
    numbers about, which a run on their positions tells; otherwise it cannot be recorded.
    """
    results = result if isinstance(result, tuple | list) else (result,)
    twin = twins.of_function(which)
    if all(np.asarray(value).dtype.kind in "biu" for value in results) and (
        twin is None or which.__name__ in twins.BY_VALUE
    ):
        for source in stand_ins((args, options)):
            source.known()
        return None
    why = "it has no twin in jax.numpy"
    # A twin may want arrays where NumPy takes lists.
    for prepared in (lambda tree: tree, _arrays):
        if twin is None:
            break
        try:
            found = twin(*prepared(as_tracers(args)), **prepared(as_tracers(options)))
            found = tuple(found) if isinstance(found, tuple | list) else (found,)
            if [np.shape(t) for t in found] == [np.shape(value) for value in results]:
                return found
            why = "its twin in jax.numpy returns other shapes"
        except Exception as error:  # noqa: BLE001 - the twin's refusal, which the leak names
            why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    moved = _moved(which, args, options, results)
    if moved is None:
        raise Leak(f"{which.__name__} cannot be recorded, {why}")
    return moved


def _arrays(tree: Any) -> Any:
    """Arguments with arrays for lists, at the top level only."""
    import jax.numpy as jnp

    if isinstance(tree, dict):
        return {key: jnp.asarray(item) if isinstance(item, list) else item for key, item in tree.items()}
    return tuple(jnp.asarray(item) if isinstance(item, list) else item for item in tree)


def _moved(
    which: Callable[..., Any], args: Any, options: Any, results: Sequence[Any]
) -> tuple[Tracer, ...] | None:
    """The tracers of a function that only moves entries about; None where it does more."""
    sources = [s for s in stand_ins((args, options)) if s.value.dtype.kind == "f"]
    starts = FIRST_POSITION + np.cumsum([0] + [s.value.size for s in sources])
    positions = {
        id(s): np.arange(start, start + s.value.size, dtype=np.int64).reshape(s.value.shape)
        for s, start in zip(sources, starts, strict=False)
    }
    swap = lambda s: positions.get(id(s), s.value)  # noqa: E731
    try:
        coded = which(*mapped(args, swap), **mapped(options, swap))
    except Exception:  # noqa: BLE001 - a function that refuses positions does more than move numbers
        return None
    coded = coded if isinstance(coded, tuple | list) else (coded,)
    everything = np.concatenate([np.ravel(s.value) for s in sources]) if sources else np.zeros(0)
    tracer = None
    found = []
    for raw, number in zip(coded, results, strict=True):
        code, value = np.asarray(raw) - FIRST_POSITION, np.asarray(number)
        if (
            code.dtype.kind != "i"
            or code.shape != value.shape
            or (code.size and code.max() >= everything.size)
        ):
            return None
        if code.size and (code.min() < 0 or not np.array_equal(everything[code], value, equal_nan=True)):
            return None
        if tracer is None:
            import jax.numpy as jnp

            tracer = jnp.concatenate([jnp.ravel(s.as_tracer()) for s in sources])
        found.append(gathered(tracer, code))
    return tuple(found)


def _only_where(where: Any, tracers: tuple[Any, ...], before: list[Any], result: Any) -> tuple[Any, ...]:
    import jax.numpy as jnp

    results = result if isinstance(result, tuple) else (result,)
    old = before or [constant_tracer(value) for value in results]
    return tuple(jnp.where(as_tracers(where), new, o) for new, o in zip(tracers, old, strict=True))


def _settled(result: Any, outs: tuple[Any, ...], tracers: tuple[Any, ...] | None, sources: Any) -> Any:
    """Results as stand-ins: written into `out=`, or new ones, views of what they share memory with."""
    if outs:
        for position, out in enumerate(outs):
            if is_stand_in(out):
                settle(out, None if tracers is None else tracers[position])
        return outs[0] if len(outs) == 1 else outs
    found = stand_ins(sources)
    if isinstance(result, tuple | list):
        made = [wrapped(v, None if tracers is None else tracers[i], found) for i, v in enumerate(result)]
        return made if isinstance(result, list) else _like(result, made)
    return wrapped(result, None if tracers is None else tracers[0], found)


def settle(target: StandIn, tracer: Any) -> None:
    """What NumPy has written into a stand-in's value is written into its tracer as well."""
    if tracer is None and not target.root.traced:
        target.root.version += 1
        return
    new = constant_tracer(target.value) if tracer is None else tracer
    if new.dtype.kind == target.value.dtype.kind == "f" and new.dtype.itemsize > target.value.dtype.itemsize:
        raise Leak(
            f"numbers of {new.dtype} are rounded to the {target.value.dtype} of the array they go into"
        )
    target.written(_cast(new, target.value))


def wrapped(value: Any, tracer: Any, sources: Sequence[StandIn]) -> Any:
    """A stand-in for a computed value, a view where it shares memory with one of its sources."""
    if not isinstance(value, np.ndarray | np.generic):
        return value
    watch_the_clock()
    visit()
    guard = sources[0].guard if sources else None
    root = next((s.root for s in sources if _shares(value, s.value)), None)
    if isinstance(tracer, bool | int):
        tracer = None  # a flag that a twin returns beside arrays
    if tracer is not None:
        if tuple(np.shape(tracer)) != value.shape:
            raise Leak(f"jax.numpy returns shape {np.shape(tracer)} where NumPy returns {value.shape}")
        tracer = _cast(tracer, value)
    return StandIn(value, tracer, root=root, guard=guard)


def _shares(value: Any, source: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and isinstance(source, np.ndarray)
        and (value.base is not None or value is source)
        and np.may_share_memory(value, source)
    )


def _cast(tracer: Any, value: Any) -> Any:
    """A tracer in the dtype that NumPy gave the value; losing float digits on the way is a leak."""
    import jax.numpy as jnp

    tracer = jnp.asarray(tracer)
    return tracer if tracer.dtype == value.dtype else tracer.astype(value.dtype)


def _like(result: tuple[Any, ...], made: list[Any]) -> Any:
    """The same kind of tuple, named ones as well."""
    return type(result)(*made) if hasattr(result, "_fields") else tuple(made)


def refuse_plain_outputs(name: str, outs: tuple[Any, ...], traced: bool) -> None:
    """A traced result must not go into an array that the trace does not know."""
    if traced and any(isinstance(out, np.ndarray) and not is_stand_in(out) for out in outs):
        raise Leak(f"{name} writes into an array that was made outside the trace")


def stand_ins(tree: Any) -> list[StandIn]:
    """All stand-ins in some nested arguments."""
    if is_stand_in(tree):
        return [tree]
    if isinstance(tree, tuple | list):
        return [s for item in tree for s in stand_ins(item)]
    if isinstance(tree, dict):
        return [s for item in tree.values() for s in stand_ins(item)]
    return []


def mapped(tree: Any, change: Callable[[StandIn], Any]) -> Any:
    """Nested arguments with something else for every stand-in."""
    if is_stand_in(tree):
        return change(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(item, change) for item in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(mapped(item, change) for item in tree)
    if isinstance(tree, dict):
        return {key: mapped(item, change) for key, item in tree.items()}
    return tree


def value_of(thing: Any) -> Any:
    """The value of a stand-in, and anything else as it is."""
    return thing.value if is_stand_in(thing) else thing


def values(tree: Any) -> Any:
    """Nested arguments with values for stand-ins."""
    return mapped(tree, lambda s: s.value)


def as_tracers(tree: Any) -> Any:
    """Nested arguments with tracers for stand-ins, and copies of the arrays that are constants.

    Copies, because user code may write to them later, and a trace holds its constants by reference.
    """
    if is_stand_in(tree):
        constant = tree.value if isinstance(tree.value, np.generic) else np.array(tree.value)
        return constant if tree.tracer is None else tree.tracer
    if isinstance(tree, np.ndarray):
        return tree.copy()
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(as_tracers, tree))
    if isinstance(tree, tuple | list):
        return type(tree)(map(as_tracers, tree))
    if isinstance(tree, dict):
        return {key: as_tracers(item) for key, item in tree.items()}
    return tree
