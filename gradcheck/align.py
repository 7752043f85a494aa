"""From whatever a backward returned to one raw gradient a differentiable leaf.

Gradients come bare, in tuples, in the containers of the inputs or in dictionaries keyed as
lectures do (`dW1` or `W1` for `W1`). Shapes and numbers are not looked at here: those are
mistakes to report, while a gradient that answers for no input is a misuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.claim import Claim, carries_gradient, is_float
from gradcheck.complex_parts import RealParts
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, children


def align(claim: Claim, gradients: Tree) -> tuple[Any, ...]:
    """One raw gradient (or None) a leaf of `claim.leaves()`, in that order.

    Raises ClaimError for too few, too many or misnamed gradients.
    """
    if isinstance(claim, RealParts):
        return claim.parts_of(align(claim.as_given(), gradients))
    wanted = [
        (name, tree) for name, tree in zip(claim.names, claim.inputs, strict=True) if carries_gradient(tree)
    ]
    split = [_only(claim, wanted[0], gradients)] if len(wanted) == 1 else _several(claim, wanted, gradients)
    found: list[Any] = []
    for (name, tree), gradient in zip(wanted, split, strict=True):
        found += _by_leaf(name, tree, gradient)
    return tuple(found)


def _only(claim: Claim, wanted: tuple[str, Tree], gradients: Tree) -> Tree:
    """The gradient of the only differentiable input: bare, in a sequence of all inputs', or by its name."""
    name, tree = wanted
    if _fits(tree, gradients):
        return gradients
    if isinstance(gradients, list | tuple) and len(gradients) in (1, len(claim.inputs)):
        inner = gradients[0] if len(gradients) == 1 else _drop_constants(claim, gradients)[0]
        if inner is None or _fits(tree, inner) or isinstance(gradients, tuple):
            return inner
    if isinstance(gradients, tuple) and children(tree, name) is None:
        raise ClaimError(
            f"{claim.name} returned {len(gradients)} gradients for 1 input: return the gradient alone"
        )
    if isinstance(gradients, Mapping) and children(tree, name) is None:
        return _by_key(gradients, name, f"{claim.name}'s dictionary", {name})
    return gradients


def _fits(tree: Tree, gradient: Any) -> bool:
    """Whether something has the form of an input's gradient: its containers, and its arrays' shapes."""
    found = children(tree, "")
    if found is None:
        return gradient is None or (not isinstance(gradient, Mapping) and _shape(gradient) == np.shape(tree))
    if isinstance(tree, list | tuple):
        same = isinstance(gradient, list | tuple) and len(gradient) == len(tree)
        return same and all(_fits(child, gradient[key]) for _, key, child in found if carries_gradient(child))
    return isinstance(gradient, Mapping | type(tree))


def _shape(value: Any) -> tuple[int, ...] | None:
    try:
        return np.shape(value)
    except ValueError:  # lists of unequal length have none
        return None


def _several(claim: Claim, wanted: list[tuple[str, Tree]], gradients: Tree) -> list[Any]:
    """One gradient tree a differentiable input."""
    if isinstance(gradients, Mapping):
        known = {name for name, _ in wanted}
        return [
            gradients
            if isinstance(tree, Mapping) and name not in gradients and f"d{name}" not in gradients
            else _by_key(gradients, name, f"{claim.name}'s dictionary", known)
            for name, tree in wanted  # a dictionary of parameters may be answered for in the same one
        ]
    names = ", ".join(name for name, _ in wanted)
    if not isinstance(gradients, list | tuple):
        raise ClaimError(
            f"{claim.name} returned one {type(gradients).__name__} where {len(wanted)} gradients are due "
            f"({names}): return a tuple, one gradient an input"
        )
    if len(gradients) == len(wanted):
        return list(gradients)
    if len(gradients) == len(claim.inputs):
        return _drop_constants(claim, gradients)
    raise ClaimError(
        f"{claim.name} returned {len(gradients)} gradients for {len(wanted)} inputs ({names}): "
        "return one gradient an input, None for one that is zero"
    )


def _drop_constants(claim: Claim, gradients: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [g for tree, g in zip(claim.inputs, gradients, strict=True) if carries_gradient(tree)]


def _by_leaf(name: str, tree: Tree, gradient: Any) -> list[Any]:
    """One raw gradient a differentiable leaf of one input, in the order of its leaves."""
    found = children(tree, name)
    if found is None:
        return [gradient] if is_float(name, tree) else []
    aligned: list[Any] = []
    for path, key, child in found:
        if carries_gradient(child):
            part = None if gradient is None else _part(name, tree, gradient, key)
            aligned += _by_leaf(path, child, part)
    return aligned


def _part(name: str, tree: Tree, gradient: Any, key: Any) -> Any:
    """The part of a container's gradient that answers for one of its keys."""
    if isinstance(tree, list | tuple):
        if isinstance(gradient, list | tuple) and len(gradient) == len(tree):
            return gradient[key]
        size = f" of length {len(gradient)}" if isinstance(gradient, list | tuple) else ""
        raise ClaimError(
            f"the gradient of {name} is a {type(gradient).__name__}{size} where a {type(tree).__name__} "
            f"of length {len(tree)} is due: return gradients in the containers of the inputs"
        )
    if isinstance(gradient, Mapping):
        known = {key for _, key, _ in children(tree, name) or ()}
        return _by_key(gradient, key, f"the gradient of {name}", known)
    if isinstance(gradient, type(tree)):
        return getattr(gradient, key)  # a dataclass answers for a dataclass
    raise ClaimError(
        f"the gradient of {name} is a {type(gradient).__name__} where a {type(tree).__name__} is due: "
        f"return a dict with the key {key!r} or {f'd{key}'!r}"
    )


def _by_key(gradients: Mapping[Any, Any], key: Any, what: str, known: set[Any]) -> Any:
    """gradients['d' + key], as lectures name it, or gradients[key].

    known: the keys of the inputs, since dx may be an input beside x.
    """
    for candidate in (f"d{key}", key):
        if candidate in gradients and (candidate == key or candidate not in known):
            return gradients[candidate]
    raise ClaimError(
        f"{what} has no entry for {key!r} (keys: {', '.join(map(str, gradients)) or 'none'}): "
        f"name it {f'd{key}'!r} or {key!r}"
    )
