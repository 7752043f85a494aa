"""A claim: at these inputs, this backward is the transposed Jacobian of this forward."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, iter_leaves, map_leaves

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Constant:
    """An input that carries no gradient, such as the data X of a loss; made by `constant`."""

    value: Tree


def constant(value: Tree) -> Constant:
    """Mark an input of `check_gradients` as data: handed to the forward, not differentiated."""
    return Constant(value)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One differentiable array of the inputs.

    name: its path (`params['W1']`); value: a float64 copy (long double stays as it is);
    dtype: the dtype the user gave.
    """

    name: str
    value: Array
    dtype: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """At `inputs`, `vjp` is the transposed Jacobian of `forward`.

    name: how messages call the backward. forward(*inputs) -> output, an array or a container
    of arrays. vjp(cotangent, *inputs) -> the gradients, in any form that `align.py` reads.
    names: one an input. reference: the same forward in jax.numpy, or None.
    takes_cotangent: False where vjp answers for the cotangent 1 whatever it is given.
    repeatable: False where the gradients are values, true at `inputs` only.
    data: positions of inputs that hold the batch. not_checked: what was seen and left out.
    """

    name: str
    forward: Callable[..., Tree]
    vjp: Callable[..., Tree]
    inputs: tuple[Tree, ...]
    names: tuple[str, ...]
    reference: Callable[..., Tree] | None = None
    takes_cotangent: bool = True
    repeatable: bool = True
    data: tuple[int, ...] = ()
    not_checked: tuple[str, ...] = ()

    def leaves(self) -> tuple[Leaf, ...]:
        """The differentiable arrays in order. Raises ClaimError for inputs that cannot be judged."""
        found: list[Leaf] = []
        for name, tree in zip(self.names, self.inputs, strict=True):
            if not isinstance(tree, Constant):
                found += [_leaf(path, leaf) for path, leaf in iter_leaves(tree, name) if is_float(path, leaf)]
        if not found:
            raise ClaimError(
                f"nothing here carries a gradient: there is no floating-point array in "
                f"{', '.join(self.names)}. Pass floats, e.g. x.astype(float)"
            )
        if all(leaf.value.size == 0 for leaf in found):
            raise ClaimError(
                f"every input is empty: {found[0].name} has shape {found[0].value.shape}. "
                "Pass at least one array with entries"
            )
        return tuple(found)

    def inputs_at(self, values: tuple[Array, ...]) -> tuple[Tree, ...]:
        """The inputs with the differentiable leaves replaced: copies, so that nothing of the user's moves."""
        left = iter(values)

        def fill(path: str, leaf: Any) -> Any:
            return next(left).copy() if is_float(path, leaf) else copied(path, leaf)

        return tuple(
            map_leaves(copied, tree.value) if isinstance(tree, Constant) else map_leaves(fill, tree)
            for tree in self.inputs
        )

    def at(self, values: tuple[Array, ...]) -> Claim:
        """The same claim at other values of its leaves."""
        moved = tuple(
            Constant(tree) if isinstance(old, Constant) else tree
            for old, tree in zip(self.inputs, self.inputs_at(values), strict=True)
        )
        return dataclasses.replace(self, inputs=moved)

    @property
    def batch_size(self) -> int | None:
        """The number of examples, or None where the shapes leave it open.

        It is the one axis length that all data inputs share; where they share several, the one
        that no parameter has. Every data array must have it once, so that the axis is known.
        """
        shapes = [shape for i, tree in enumerate(self.inputs) if i in self.data for shape in _shapes(tree)]
        shared = set[int].intersection(*map(set, shapes)) if shapes else set[int]()
        if len(shared) > 1:
            for i, tree in enumerate(self.inputs):
                if i not in self.data:
                    shared -= {length for shape in _shapes(tree) for length in shape}
        if len(shared) != 1:
            return None
        (size,) = shared
        return size if all(shape.count(size) == 1 for shape in shapes) else None

    def with_examples(self, count: int) -> Claim:
        """The same claim on the first `count` of its `batch_size` examples."""
        size = self.batch_size

        def cut(_: str, leaf: Any) -> Any:
            shape = np.shape(leaf)
            return np.take(leaf, range(count), axis=shape.index(size)) if size in shape else leaf

        def shorten(tree: Tree) -> Tree:
            if isinstance(tree, Constant):
                return Constant(map_leaves(cut, tree.value))
            return map_leaves(cut, tree)

        inputs = (shorten(tree) if i in self.data else tree for i, tree in enumerate(self.inputs))
        return dataclasses.replace(self, inputs=tuple(inputs))


def _shapes(tree: Tree) -> list[tuple[int, ...]]:
    """The shapes of an input's arrays, numbers left out."""
    tree = tree.value if isinstance(tree, Constant) else tree
    return [np.shape(leaf) for _, leaf in iter_leaves(tree) if np.ndim(leaf)]


def is_float(name: str, leaf: Any) -> bool:
    """Whether a leaf is differentiated: floats are, integers, booleans, text and None are not.

    Raises ClaimError for arrays of objects, text or complex numbers.
    """
    if leaf is None or isinstance(leaf, str | bytes):
        return False
    array = np.asarray(leaf)
    if array.dtype.kind in "OUSV":
        raise ClaimError(
            f"{name} is an array of {array.dtype} ({leaf!r:.60}): pass numbers, e.g. "
            "np.asarray(x, dtype=float), or wrap data in gradcheck.constant(...)"
        )
    if array.dtype.kind == "c":
        raise ClaimError(
            f"{name} is complex ({array.dtype}): pass its real and its imaginary part as two inputs"
        )
    return array.dtype.kind == "f"


def carries_gradient(tree: Tree) -> bool:
    """Whether any leaf of an input is differentiated."""
    if isinstance(tree, Constant):
        return False
    return any(is_float(name, leaf) for name, leaf in iter_leaves(tree))


def copied(_: str, leaf: Any) -> Any:
    """A copy of an array, and anything else as it is."""
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _leaf(name: str, leaf: Any) -> Leaf:
    array = np.asarray(leaf)
    # Float64 whatever was given: the narrower types are in it, and differences need the digits.
    value = array.astype(np.longdouble if array.dtype.itemsize > 8 else np.float64)
    if not np.isfinite(value).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        at = f"{name}{list(index)}" if index else name
        raise ClaimError(
            f"{at} is {value[index]}: no gradient can be judged there. Pass finite values, or wrap an "
            "input that is not differentiated in gradcheck.constant(...)"
        )
    return Leaf(name=name, value=value, dtype=str(array.dtype))
