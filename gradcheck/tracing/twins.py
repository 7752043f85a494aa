"""Which function of JAX does what a function of NumPy or SciPy does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing.leak import Leak

Twin = Callable[..., Any]

REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "fmax": "nanmax",
    "fmin": "nanmin",
    "logical_and": "all",
    "logical_or": "any",
}
ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin"}
# Of ufunc.at: the update of jax.numpy that does the same, and what it does to the operand first.
UPDATES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "add": ("add", lambda new: new),
    "subtract": ("add", lambda new: -new),
    "multiply": ("multiply", lambda new: new),
    "divide": ("multiply", lambda new: 1 / new),
    "maximum": ("max", lambda new: new),
    "minimum": ("min", lambda new: new),
}
# Their results are whole numbers or truth values whose very shape depends on values.
BY_VALUE = ("nonzero", "flatnonzero", "argwhere", "where", "searchsorted", "digitize", "bincount")
# What jax.numpy hands on to lax as it is, once the operands have one dtype and one shape. Its functions are
# compiled one by one, which takes three times as long where each is met for the first time.
OF_LAX = {
    **{name: name for name in ("exp", "expm1", "log", "log1p", "sqrt", "square")},
    **{name: name for name in ("tanh", "sin", "cos", "sign")},
    **{"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg"},
    **{"maximum": "max", "minimum": "min", "absolute": "abs"},
}
# Where the names differ.
OTHER_NAMES = {"divide": "true_divide", "conjugate": "conj", "psi": "digamma"}


def of_ufunc(which: np.ufunc, method: str) -> Twin:
    """twin(operands, kinds, options) -> tracers, for a ufunc's call or method; Leak where there is none."""
    if method not in _METHODS:
        raise Leak(f"np.{which.__name__}.{method} cannot be recorded")
    return functools.partial(_METHODS[method], which)


def _called(which: np.ufunc, operands: Any, kinds: list[Any], options: dict[str, Any]) -> Any:
    """Operands are cast to the dtypes of the loop that NumPy takes."""
    twin = _call_twin(which)
    if which.signature is None and len(operands) == which.nin and "dtype" not in options:
        loop = which.resolve_dtypes((*kinds, *[None] * which.nout))[: which.nin]
        operands = [_in_dtype(t, d) for t, d in zip(operands, loop, strict=True)]
        if which.__name__ in OF_LAX and all(d.kind == "f" for d in loop) and not options:
            return _of_lax(OF_LAX[which.__name__], operands)
    return twin(*operands, **{k: v for k, v in options.items() if k not in ("casting", "order", "dtype")})


def _of_lax(name: str, operands: list[Any]) -> Any:
    from jax import lax

    shape = np.broadcast_shapes(*(t.shape for t in operands))
    spread = [
        t if t.shape == shape else lax.broadcast_in_dim(t, shape, range(len(shape) - t.ndim, len(shape)))
        for t in operands
    ]
    return getattr(lax, name)(*spread)


def _reduced(which: np.ufunc, operands: Any, _: list[Any], options: dict[str, Any]) -> Any:
    import jax
    import jax.numpy as jnp

    array, *rest = operands
    given = dict(zip(("axis", "dtype", "out", "keepdims", "initial", "where"), rest, strict=False)) | options
    axis = given.pop("axis", 0)
    given = {k: v for k, v in given.items() if v is not None and v is not np._NoValue}
    if which.__name__ == "logaddexp":
        return jax.scipy.special.logsumexp(array, axis=axis, keepdims=given.get("keepdims", False))
    if which.__name__ not in REDUCTIONS:
        raise Leak(f"np.{which.__name__}.reduce cannot be recorded")
    return getattr(jnp, REDUCTIONS[which.__name__])(array, axis=axis, **given)


def _accumulated(which: np.ufunc, operands: Any, _: list[Any], options: dict[str, Any]) -> Any:
    import jax.numpy as jnp
    from jax import lax

    array, *rest = operands
    axis = options.get("axis", rest[0] if rest else 0) % np.ndim(array)
    name = ACCUMULATIONS.get(which.__name__)
    if name is None:
        raise Leak(f"np.{which.__name__}.accumulate cannot be recorded")
    return getattr(jnp if name in ("cumsum", "cumprod") else lax, name)(array, axis=axis)


def _outer(which: np.ufunc, operands: Any, _: list[Any], __: dict[str, Any]) -> Any:
    import jax.numpy as jnp

    left, right = map(jnp.asarray, operands)
    return _call_twin(which)(left.reshape(left.shape + (1,) * right.ndim), right)


def _reduced_at(which: np.ufunc, operands: Any, _: list[Any], options: dict[str, Any]) -> Any:
    import jax.numpy as jnp

    array, indices, *rest = operands
    axis = options.get("axis", rest[0] if rest else 0)
    array, ends = jnp.moveaxis(array, axis, 0), [*np.asarray(indices)[1:], array.shape[axis]]
    parts = [
        _reduced(which, [array[first:end] if first < end else array[first : first + 1]], [], {"axis": 0})
        for first, end in zip(np.asarray(indices), ends, strict=True)
    ]
    return jnp.moveaxis(jnp.stack(parts), 0, axis)


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _called,
    "reduce": _reduced,
    "accumulate": _accumulated,
    "outer": _outer,
    "reduceat": _reduced_at,
}


def _call_twin(which: np.ufunc) -> Twin:
    import jax
    import jax.numpy as jnp

    name = OTHER_NAMES.get(which.__name__, which.__name__)
    if name == "i0":
        return _i0()
    if hasattr(jnp, name):
        return getattr(jnp, name)
    if hasattr(jax.scipy.special, name):
        return getattr(jax.scipy.special, name)
    raise Leak(f"{which.__name__} cannot be recorded, it has no twin in jax.numpy")


@functools.cache
def _i0() -> Twin:
    """I_0 with the derivative I_1, which JAX has as a difference of numbers near 1 that loses its digits."""
    import jax

    special = jax.scipy.special
    bessel = jax.custom_jvp(special.i0)
    bessel.defjvps(lambda rate, _, x: rate * special.i1(x))
    return bessel


def _in_dtype(tracer: Any, dtype: Any) -> Any:
    if isinstance(tracer, int | float | complex | np.ndarray | np.generic | list | tuple):
        return np.asarray(tracer, dtype=dtype)
    return tracer if tracer.dtype == dtype else tracer.astype(dtype)


def of_function(which: Callable[..., Any]) -> Twin | None:
    """The twin of a NumPy or SciPy function with the same arguments, or None."""
    import jax
    import jax.numpy as jnp

    module = getattr(which, "__module__", "") or ""
    own = _own_functions()
    if module.startswith("scipy") and f"scipy.{which.__name__}" in own:
        return own[f"scipy.{which.__name__}"]
    if which.__name__ in own:
        return own[which.__name__]
    homes: list[Any] = []
    if module.startswith("scipy"):
        part = [*module.split("."), ""][1]
        homes = [getattr(jax.scipy, part, None), *([jnp.fft] if part == "fft" else [jax.nn])]
    elif ".linalg" in module:
        homes = [jnp.linalg]
    elif ".fft" in module:
        homes = [jnp.fft]
    elif module.startswith("numpy"):
        homes = [jnp]
    return next((getattr(home, which.__name__) for home in homes if hasattr(home, which.__name__)), None)


@functools.cache
def _own_functions() -> dict[str, Twin]:
    """Twins of which jax.numpy has none, or one that takes other arguments."""
    import jax
    import jax.numpy as jnp

    def clip(x: Any, a_min: Any = None, a_max: Any = None, **bounds: Any) -> Any:
        low, high = bounds.get("min", a_min), bounds.get("max", a_max)
        x = x if low is None else jnp.maximum(x, low)
        return x if high is None else jnp.minimum(x, high)

    def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
        length = max(int(np.max(x, initial=-1)) + 1, minlength)
        return jnp.zeros(length, weights.dtype).at[x].add(weights)

    def in_floats(twin: Twin) -> Twin:
        """jax.numpy averages truth values and whole numbers in single precision."""

        def averaged(x: Any, *args: Any, **options: Any) -> Any:
            x = jnp.asarray(x)
            return twin(x.astype(float) if x.dtype.kind in "biu" else x, *args, **options)

        return averaged

    def symmetric(x: Any, lower: bool) -> Any:
        """LAPACK reads one triangle, and of a complex one's diagonal the real part: the rest is no input."""
        half = jnp.tril(x) if lower else jnp.triu(x)
        return half + jnp.conj(jnp.swapaxes(half, -1, -2)) - jnp.real(half * jnp.eye(x.shape[-1]))

    def cholesky(x: Any, *, upper: bool = False) -> Any:
        return jnp.linalg.cholesky(symmetric(x, lower=not upper), upper=upper)

    def eigh(x: Any, UPLO: str = "L") -> Any:
        return jnp.linalg.eigh(symmetric(x, lower=UPLO.upper() == "L"))

    def eigvalsh(x: Any, UPLO: str = "L") -> Any:
        return jnp.linalg.eigvalsh(symmetric(x, lower=UPLO.upper() == "L"))

    def scipy_cholesky(x: Any, lower: bool = False, *_: Any, **__: Any) -> Any:
        return jnp.linalg.cholesky(symmetric(x, lower), upper=not lower)

    def scipy_eigh(
        x: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, **rest: Any
    ) -> Any:
        if b is not None or rest:
            raise NotImplementedError("a generalised problem or a part of the spectrum")
        found = jnp.linalg.eigh(symmetric(x, lower))
        return found[0] if eigvals_only else found

    def cho_solve(factor: Any, b: Any, *_: Any, **__: Any) -> Any:
        return jax.scipy.linalg.cho_solve((factor[0], bool(factor[1])), b)

    def scipy_softmax(x: Any, axis: Any = None) -> Any:
        return jax.nn.softmax(x, axis=axis)

    def scipy_log_softmax(x: Any, axis: Any = None) -> Any:
        return jax.nn.log_softmax(x, axis=axis)

    return {
        "clip": clip,
        "i0": _i0(),
        "bincount": bincount,
        "cholesky": cholesky,
        "eigh": eigh,
        "eigvalsh": eigvalsh,
        "scipy.cholesky": scipy_cholesky,
        "scipy.eigh": scipy_eigh,
        "scipy.cho_solve": cho_solve,
        "scipy.softmax": scipy_softmax,
        "scipy.log_softmax": scipy_log_softmax,
        "scipy.logsumexp": jax.scipy.special.logsumexp,
    } | {name: in_floats(getattr(jnp, name)) for name in ("mean", "std", "var", "average", "median")}


@functools.cache
def composed() -> dict[str, Callable[..., Any]]:
    """Functions of NumPy that are made of others here, because they call the user's or go by values."""

    def unique(
        x: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False
    ) -> Any:
        _, index, inverse, counts = np.unique(x.known(), True, True, True)
        asked = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
        found = (np.ravel(x)[index], *(array for wanted, array in asked if wanted))
        return found if len(found) > 1 else found[0]

    def apply_along_axis(function: Any, axis: int, x: Any, *args: Any, **options: Any) -> Any:
        rows = np.moveaxis(x, axis, -1)
        shape = rows.shape[:-1]
        results = [function(rows[index], *args, **options) for index in np.ndindex(shape)]
        stacked = np.stack(results).reshape(shape + np.shape(results[0]))
        extra = stacked.ndim - len(shape)
        return np.moveaxis(stacked, range(len(shape), stacked.ndim), range(axis, axis + extra))

    return {"unique": unique, "apply_along_axis": apply_along_axis}
