"""A claim: at these inputs, this backward is the transposed Jacobian of this forward."""

from __future__ import annotations

import copy
import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from gradcheck.errors import ClaimError
from gradcheck.spread import given_as, handed
from gradcheck.tree import Tree, iter_leaves, map_leaves

Array = np.ndarray[Any, np.dtype[Any]]


class Constant:
    """An input, or a part of one, that carries no gradient; made by `constant`. A leaf of a tree."""

    def __init__(self, value: Tree) -> None:
        self.value = value


def constant(value: Tree) -> Constant:
    """Mark an input of `check_gradients`, or a part of one, as data: handed on, not differentiated."""
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
    disturbed(cotangent, inputs, others) -> (output, gradients) at inputs where the same functions, or the
    same object, have run on others first; None where nothing lasts from run to run.
    unrecorded: why no record of the forward would say anything; empty where one might.
    target: what the user passed, by which a later check of it is known.
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
    disturbed: Callable[[Tree, tuple[Tree, ...], tuple[Tree, ...]], tuple[Tree, Tree]] | None = None
    unrecorded: str = ""
    target: Any = field(default=None, repr=False, compare=False)

    def leaves(self) -> tuple[Leaf, ...]:
        """The differentiable arrays in order. Raises ClaimError for inputs that cannot be judged."""
        found: list[Leaf] = []
        for name, tree in zip(self.names, self.inputs, strict=True):
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

    def leaves_of_data(self) -> tuple[bool, ...]:
        """Of every differentiable leaf whether it belongs to the batch."""
        return tuple(
            position in self.data
            for position, (name, tree) in enumerate(zip(self.names, self.inputs, strict=True))
            for path, leaf in iter_leaves(tree, name)
            if is_float(path, leaf)
        )

    def __post_init__(self) -> None:
        if len(self.names) != len(self.inputs) or len(set(self.names)) != len(self.names):
            raise ClaimError(
                f"names={self.names!r} do not fit {len(self.inputs)} inputs: pass that many different names"
            )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out because it carries no gradient by itself: arrays of whole numbers and truths."""
        leaves = [
            found
            for name, tree in zip(self.names, self.inputs, strict=True)
            for found in iter_leaves(tree, name)
        ]
        return tuple(
            f"{path} is not differentiated: it holds {leaf.dtype}"
            for path, leaf in leaves
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iub"
        )

    def inputs_at(self, values: tuple[Array, ...], dtype: DTypeLike | None = None) -> tuple[Tree, ...]:
        """The inputs with the differentiable leaves replaced: copies, so that nothing of the user's moves.

        dtype: of the constant float arrays as well, where it is given.
        """
        left = iter(values)

        def fill(path: str, leaf: Any) -> Any:
            if is_float(path, leaf):
                return in_class_of(leaf, _own(next(left)))
            return copied(path, leaf, dtype)

        return tuple(map_leaves(fill, tree) for tree in self.inputs)

    def at(self, values: tuple[Array, ...]) -> Claim:
        """The same claim at other values of its leaves."""
        left = iter(values)
        moved = (
            map_leaves(
                lambda path, leaf: in_class_of(leaf, next(left)) if is_float(path, leaf) else leaf, tree
            )
            for tree in self.inputs
        )
        return dataclasses.replace(self, inputs=tuple(moved))

    @property
    def batch_size(self) -> int | None:
        """The number of examples, or None where the shapes leave it open.

        It is the one axis length that all data inputs share; where they share several, the one
        that no parameter has. Every data array must have it once, so that the axis is known.
        """
        shapes = [
            shape for i, tree in enumerate(self.inputs) if i in self.data for shape in array_shapes(tree)
        ]
        if all(len(shape) < 2 for shape in shapes):
            return None  # a vector alone may be examples or features
        shared = set[int].intersection(*map(set, shapes)) if shapes else set[int]()
        if len(shared) > 1:
            for i, tree in enumerate(self.inputs):
                if i not in self.data:
                    shared -= {length for shape in array_shapes(tree) for length in shape}
        if len(shared) != 1:
            return None
        (size,) = shared
        return size if all(shape.count(size) == 1 for shape in shapes) else None

    def with_examples(self, count: int) -> Claim:
        """The same claim on the first `count` of its `batch_size` examples."""
        size = self.batch_size

        def cut(path: str, leaf: Any) -> Any:
            if isinstance(leaf, Constant):
                return Constant(map_leaves(cut, leaf.value, path))
            shape = np.shape(leaf)
            return np.take(leaf, range(count), axis=shape.index(size)) if size in shape else leaf

        inputs = (map_leaves(cut, tree) if i in self.data else tree for i, tree in enumerate(self.inputs))
        return dataclasses.replace(self, inputs=tuple(inputs))


def _own(value: Any) -> Any:
    """A copy of an array; tracers and JAX's arrays, which nobody can write to, are handed on."""
    if isinstance(value, np.generic):
        return np.array(value)
    return value.copy() if isinstance(value, np.ndarray) else handed(value)


def in_class_of(like: Any, value: Any) -> Any:
    """An array in the class of another, such as np.matrix; tracers are in no class."""
    if type(like) is np.ndarray or not isinstance(like, np.ndarray) or type(value) is not np.ndarray:
        return value
    made = like.astype(value.dtype)
    made.view(np.ndarray)[...] = value
    return made


def array_shapes(tree: Tree) -> list[tuple[int, ...]]:
    """The shapes of an input's arrays, numbers left out."""
    leaves = [leaf for _, leaf in iter_leaves(tree)]
    inside = [shape for leaf in leaves if isinstance(leaf, Constant) for shape in array_shapes(leaf.value)]
    return inside + [np.shape(leaf) for leaf in leaves if not isinstance(leaf, Constant) and np.ndim(leaf)]


def is_float(name: str, leaf: Any) -> bool:
    """Whether a leaf is differentiated: real and complex floats are, integers, booleans, text and None not.

    Raises ClaimError for arrays of objects or text, and for masked ones.
    """
    if type(leaf) is np.ndarray and leaf.dtype.kind in "fc":
        return True  # most leaves by far, and the tests below are slow
    if leaf is None or isinstance(leaf, str | bytes | Constant):
        return False
    if isinstance(leaf, np.ma.MaskedArray):
        raise ClaimError(
            f"{name} is a masked array: pass its numbers, e.g. {name}.filled(0), and the mask as "
            "gradcheck.constant(...)"
        )
    dtype = dtype_of(leaf)
    if dtype.kind in "OUSV":
        raise ClaimError(
            f"{name} is an array of {dtype} ({leaf!r:.60}): pass numbers, e.g. "
            "np.asarray(x, dtype=float), or wrap data in gradcheck.constant(...)"
        )
    return dtype.kind in "fc"


def dtype_of(leaf: Any) -> np.dtype[Any]:
    """A leaf's dtype, as NumPy has it; arrays of JAX's are not fetched for it."""
    dtype = getattr(leaf, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) else np.asarray(leaf).dtype


def is_complex(leaf: Any) -> bool:
    """Whether a leaf is a complex number or array, JAX's and stand-ins among them."""
    return isinstance(leaf, complex) or getattr(getattr(leaf, "dtype", None), "kind", "") == "c"


def carries_gradient(tree: Tree, name: str = "an input") -> bool:
    """Whether any leaf of an input is differentiated."""
    return any(is_float(path, leaf) for path, leaf in iter_leaves(tree, name))


def copied(path: str, leaf: Any, dtype: DTypeLike | None = None) -> Any:
    """A leaf that the user's code may write to or draw from, without the user's own being touched."""
    if isinstance(leaf, Constant):
        return map_leaves(lambda inner, part: copied(inner, part, dtype), leaf.value, path)
    if isinstance(leaf, np.ndarray):
        if dtype is None or leaf.dtype.kind not in "fc":
            return leaf.copy()
        return leaf.astype(dtype if leaf.dtype.kind == "f" else np.result_type(dtype, np.complex64))
    if isinstance(leaf, np.random.Generator | np.random.RandomState | random.Random):
        return copy.deepcopy(leaf)
    return leaf


def _leaf(name: str, leaf: Any) -> Leaf:
    array = given_as(leaf)
    if array.dtype.kind == "c":  # NumPy's, JAX's and Python's have become two real leaves before
        raise ClaimError(f"{name} is complex, in a {type(leaf).__name__}: pass it as an array of NumPy's")
    # Float64 whatever was given: the narrower types are in it, and differences need the digits.
    value = array.astype(np.longdouble if array.dtype.itemsize > 8 else np.float64)
    if not np.isfinite(value).all():
        index = tuple(int(i) for i in np.unravel_index(np.argmax(~np.isfinite(value)), value.shape))
        at = f"{name}{list(index)}" if index else name
        raise ClaimError(
            f"{at} is {value[index]}: no gradient can be judged there. Pass finite values, or wrap an "
            "input that is not differentiated in gradcheck.constant(...)"
        )
    return Leaf(name=name, value=value, dtype=str(array.dtype))
