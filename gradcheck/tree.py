"""Nested containers of arrays: walk them, name their leaves, rebuild them.

A container is a mapping, a list, a tuple (named or not) or a dataclass object; anything
else is a leaf. Leaves are named by their path as Python writes it: `params['W1']`, `[0].b`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

Tree = Any


def children(tree: Tree, name: str) -> list[tuple[str, Any, Tree]] | None:
    """(path, key, child) for each child of a container, None for a leaf."""
    if isinstance(tree, np.ndarray):
        return None  # most trees by far are single arrays, and the tests below are slow
    if isinstance(tree, Mapping):
        return [(f"{name}[{key!r}]", key, child) for key, child in tree.items()]
    if isinstance(tree, list | tuple):
        fields = getattr(tree, "_fields", None)
        paths = [f".{field}" for field in fields] if fields else [f"[{i}]" for i in range(len(tree))]
        return [(name + path, i, child) for i, (path, child) in enumerate(zip(paths, tree, strict=True))]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        keys = [field.name for field in dataclasses.fields(tree)]
        return [(f"{name}.{key}", key, getattr(tree, key)) for key in keys]
    return None


def map_leaves(
    function: Callable[[str, Any], Any], tree: Tree, name: str = "", *, whole: type | tuple[type, ...] = ()
) -> Tree:
    """The same containers with function(path, leaf) for every leaf, in order; `whole` types are leaves."""
    found = None if whole and isinstance(tree, whole) else children(tree, name)
    if found is None:
        return function(name, tree)
    new = {key: map_leaves(function, child, path, whole=whole) for path, key, child in found}
    if isinstance(tree, MutableMapping):
        copied = copy.copy(tree)  # keeps the class, and what a defaultdict makes of new keys
        copied.update(new)
        return copied
    if isinstance(tree, Mapping):
        return new
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*new.values())
    if isinstance(tree, list | tuple):
        return type(tree)(new.values())
    copied = copy.copy(tree)
    for key, value in new.items():
        object.__setattr__(copied, key, value)  # frozen or not, and fields that __init__ does not take
    return copied


def iter_leaves(tree: Tree, name: str = "") -> Iterator[tuple[str, Any]]:
    """(path, leaf) for every leaf, in the order of `map_leaves`."""
    found = children(tree, name)
    if found is None:
        yield name, tree
        return
    for path, _, child in found:
        yield from iter_leaves(child, path)
