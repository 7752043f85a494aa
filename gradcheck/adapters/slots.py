"""The differentiated arrays of some inputs taken out of their containers, and others put in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gradcheck.claim import carries_gradient, is_float
from gradcheck.tree import Tree, children, map_leaves


@dataclass(frozen=True)
class Slots:
    """Where the differentiated arrays sit in inputs built like `pattern`, the inputs that the user gave.

    A Constant of the pattern stands for whatever is in its place, unwrapped, when a function is called.
    """

    pattern: tuple[Tree, ...]

    def taken(self, inputs: tuple[Tree, ...]) -> tuple[list[Any], list[Any]]:
        """The differentiated leaves of inputs, and everything else that they hold."""
        found: tuple[list[Any], list[Any]] = ([], [])
        for like, tree in zip(self.pattern, inputs, strict=True):
            for leaf, part in _pairs(like, tree):
                found[not is_float("", leaf)].append(part)
        return found

    def filled(self, floats: Iterable[Any], others: Iterable[Any]) -> tuple[Tree, ...]:
        """Inputs with these leaves, in the order in which `taken` gives them."""
        left, right = iter(floats), iter(others)
        return tuple(
            map_leaves(lambda path, leaf: next(left if is_float(path, leaf) else right), like)
            for like in self.pattern
        )

    def gradients(self, floats: Iterable[Any]) -> Tree:
        """Gradients in the containers of the inputs, as a backward returns them: None for what has none."""
        _, others = self.taken(self.pattern)
        trees = self.filled(floats, [None] * len(others))
        wanted = [tree for like, tree in zip(self.pattern, trees, strict=True) if carries_gradient(like)]
        return wanted[0] if len(wanted) == 1 else tuple(wanted)


def _pairs(like: Tree, tree: Tree) -> Iterator[tuple[Any, Any]]:
    """(leaf, part) for every leaf of a pattern and what is in its place."""
    left = children(like, "")
    if left is None:
        yield like, tree
        return
    for (_, _, child), (_, _, part) in zip(left, children(tree, "") or (), strict=True):
        yield from _pairs(child, part)
