"""Arrays that lie spread over several devices: NumPy's functions reach them where they are.

A leaf that no single device holds is never brought together. Its numbers stay in the user's own
sharding, arithmetic on them is jax.numpy's, and only what is reduced to one number comes back.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class Spread(np.lib.mixins.NDArrayOperatorsMixin):
    """A jax.Array over several devices in the place of a NumPy array of the same shape.

    What NumPy's functions make of it lies on the same devices; entries and 0-d results are NumPy's. Writing
    into it, by an index or `out=`, replaces the array and leaves the user's as it is. sharding: the one in
    which the user's functions take it.
    Raises TypeError where NumPy asks for the numbers themselves.
    """

    def __init__(self, array: Any, sharding: Any) -> None:
        self.array, self.sharding = array, sharding

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"an array of shape {self.shape} over several devices is not brought together")

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *operands: Any, out: Any = (), where: Any = True, **options: Any
    ) -> Any:
        import jax.numpy as jnp

        if method != "__call__":
            return NotImplemented
        found = self._run(getattr(jnp, ufunc.__name__), *operands)
        if not out:
            return found.astype(options["dtype"]) if "dtype" in options else found
        chosen = found if where is True else self._run(jnp.where, where, found, out[0])
        out[0].array = chosen.astype(out[0].dtype).array
        return out[0]

    def __array_function__(self, function: Any, _: Any, args: Any, options: dict[str, Any]) -> Any:
        import jax.numpy as jnp

        given = {name: value for name, value in options.items() if value is not np._NoValue}
        return self._run(OWN.get(function.__name__) or getattr(jnp, function.__name__), *args, **given)

    def __getitem__(self, key: Any) -> Any:
        return self._run(operator.getitem, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        import jax.numpy as jnp

        def written(array: Any, value: Any) -> Any:
            return array.at[key].set(value)

        if isinstance(key, Spread):
            self.array = self._run(jnp.where, key, value, self).astype(self.dtype).array
        else:
            self.array = self._run(written, self, value).array

    def astype(self, dtype: Any, **_: Any) -> Spread:
        return self._run(lambda array: array.astype(dtype), self)

    def copy(self) -> Spread:
        return Spread(self.array, self.sharding)

    def any(self, **options: Any) -> Any:
        return np.any(self, **options)  # type: ignore[call-overload]

    def all(self, **options: Any) -> Any:
        return np.all(self, **options)  # type: ignore[call-overload]

    def max(self, **options: Any) -> Any:
        return np.max(self, **options)  # type: ignore[call-overload]

    def sum(self, **options: Any) -> Any:
        return np.sum(self, **options)  # type: ignore[call-overload]

    def like(self, other: Any) -> Spread:
        """Another array, NumPy's or JAX's, on these devices where it has this shape."""
        placed = self._placed(other) if np.shape(other) == self.shape else _over_all(self.array, other)
        return Spread(placed, self.sharding)

    def _run(self, function: Callable[..., Any], *operands: Any, **options: Any) -> Any:
        """What a function of jax.numpy makes of operands, whatever mesh the user has set."""
        import jax

        with jax.set_mesh(self.array.sharding.mesh):
            given = {name: self._beside(value) for name, value in options.items()}
            found = function(*map(self._beside, operands), **given)
            return Spread(found, self.sharding) if found.ndim else np.asarray(found)[()]

    def _beside(self, operand: Any) -> Any:
        """What jax.numpy takes in the place of an operand."""
        if isinstance(operand, Spread):
            return operand.array
        if isinstance(operand, list | tuple) and any(isinstance(part, Spread) for part in operand):
            return [self._beside(part) for part in operand]
        return self._placed(operand) if np.shape(operand) == self.shape else operand

    def _placed(self, other: Any) -> Any:
        """An array of this shape in this sharding: every device is given its own part of it."""
        import jax

        if not isinstance(other, np.ndarray):
            return jax.device_put(other, self.array.sharding)
        return jax.make_array_from_callback(self.shape, self.array.sharding, lambda part: other[part])


def is_spread(leaf: Any) -> bool:
    """Whether a leaf is an array of JAX's that no single device holds."""
    jax = sys.modules.get("jax")
    return (
        jax is not None
        and isinstance(leaf, jax.Array)
        and not isinstance(leaf, jax.core.Tracer)
        and not leaf.is_fully_replicated
    )


def given_as(leaf: Any) -> Any:
    """A differentiable leaf as NumPy's functions take it: an array of NumPy's, or one that stays spread."""
    return Spread(_freely(leaf), leaf.sharding) if is_spread(leaf) else np.asarray(leaf)


def handed(value: Any) -> Any:
    """A value as the user's functions take it."""
    if not isinstance(value, Spread):
        return value
    import jax

    return jax.device_put(value.array, value.sharding)


def in_form_of(leaf: Any, result: Any) -> Any:
    """What JAX computed for a leaf: spread as that is, or whole as NumPy's."""
    return leaf.like(result) if isinstance(leaf, Spread) else whole(result)


def whole(array: Any) -> Any:
    """An output, or what belongs to a leaf that is whole, as NumPy's, wherever JAX has left it."""
    return np.asarray(_over_all(array, array) if is_spread(array) else array)


def _freely(array: Any) -> Any:
    """The same array in a mesh over which JAX, and not the user, decides how results lie."""
    import jax

    mesh = array.sharding.mesh
    free = jax.sharding.Mesh(mesh.devices, mesh.axis_names)
    return jax.device_put(array, jax.sharding.NamedSharding(free, array.sharding.spec))


def _over_all(like: Any, array: Any) -> Any:
    """An array that is whole on each of the devices over which another one lies."""
    import jax

    everywhere = jax.sharding.NamedSharding(_freely(like).sharding.mesh, jax.sharding.PartitionSpec())
    return jax.jit(lambda x: x, out_shardings=everywhere)(_freely(array) if is_spread(array) else array)


def _vdot(left: Any, right: Any) -> Any:
    """Without a vector of all entries, for which they would be brought together."""
    return (left * right).sum()


def _argmax(values: Any) -> Any:
    """The first of the largest entries in the flattened array, axis by axis for the same reason."""
    import jax.numpy as jnp

    largest = jnp.isnan(values) if jnp.isnan(values).any() else values == values.max()
    index = []
    while largest.ndim:
        rest = tuple(range(1, largest.ndim))
        index.append(int(jnp.argmax(largest.any(axis=rest))))
        largest = largest[index[-1]]
    return np.ravel_multi_index(index, values.shape)


OWN: dict[str, Callable[..., Any]] = {"vdot": _vdot, "argmax": _argmax}
