"""Symbolic dimensions: their places in shapes and parameters, and their sizes once inputs are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Dimension:
    """One symbolic size, by its number in `Dimensions`; equal only to itself."""

    __slots__ = ("expression", "number", "text", "variable", "variables")

    def __init__(self, number: int, expression: Any) -> None:
        self.number, self.expression, self.text = number, expression, str(expression)
        self.variables = frozenset(expression._get_vars())
        self.variable = self.variables == {self.text}

    def __repr__(self) -> str:
        return self.text


class Dimensions:
    """The symbolic sizes of a jaxpr, each held once."""

    def __init__(self) -> None:
        self.held: dict[Any, Dimension] = {}

    def __bool__(self) -> bool:
        return bool(self.held)

    def template(self, value: Any) -> tuple[Any, bool]:
        """`value` with a Dimension for every symbolic size in it, and whether there is one."""
        if isinstance(value, tuple | list):
            parts = [self.template(part) for part in value]
            if not any(symbolic for _, symbolic in parts):
                return value, False
            return rebuilt(value, [part for part, _ in parts]), True
        if isinstance(value, dict):
            parts = {key: self.template(part) for key, part in value.items()}
            return {key: part for key, (part, _) in parts.items()}, any(flag for _, flag in parts.values())
        if isinstance(value, int | np.integer | str | float) or not is_symbolic(value):
            return value, False
        return self.dimension(value), True

    def dimension(self, expression: Any) -> Dimension:
        """The one Dimension of an expression."""
        if expression not in self.held:
            self.held[expression] = Dimension(len(self.held), expression)
        return self.held[expression]

    @staticmethod
    def symbolic(shape: tuple) -> bool:
        """Whether a shape template holds a Dimension."""
        return any(type(size) is Dimension for size in shape)

    def sizes(self, templates: Sequence[tuple], shapes: Sequence[tuple]) -> list[int]:
        """The size of every dimension when inputs of the given templates have the given shapes."""
        known: dict[str, int] = {}
        given = []
        for template, shape in zip(templates, shapes, strict=True):
            for size, actual in zip(template, shape, strict=True):
                if type(size) is Dimension:
                    given.append((size, actual))
                    if size.variable:
                        known.setdefault(size.text, actual)
        self.solve([pair for pair in given if not pair[0].variable], known)
        missing = {name for size in self.held.values() for name in size.variables} - known.keys()
        if missing:
            raise ValueError(f"input shapes {tuple(shapes)} do not determine {', '.join(sorted(missing))}")
        sizes = [
            known[size.text] if size.variable else int(size.expression._evaluate(known))
            for size in self.held.values()
        ]
        for size, actual in given:
            if sizes[size.number] != actual:
                raise ValueError(f"input shapes {tuple(shapes)} contradict {size} = {sizes[size.number]}")
        return sizes

    @staticmethod
    def solve(given: list[tuple[Dimension, int]], known: dict[str, int]) -> None:
        """Adds the variables that enter a given size alone and linearly."""
        for size, actual in given * len(given):
            missing = [name for name in size.variables if name not in known]
            if len(missing) == 1:
                name = missing[0]
                at = [int(size.expression._evaluate({**known, name: value})) for value in (1, 2, 3)]
                slope = at[1] - at[0]
                if slope and at[2] - at[1] == slope:
                    known[name] = 1 + (actual - at[0]) // slope


def is_symbolic(value: Any) -> bool:
    """Whether a value is an expression in JAX's symbolic dimensions."""
    return hasattr(value, "_evaluate") and hasattr(value, "_get_vars")


def rebuilt(like: Any, parts: list) -> Any:
    """A sequence of the type of `like`, which may be a named tuple."""
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def resolve(value: Any, sizes: Sequence[int]) -> Any:
    """A template with the sizes put in."""
    if type(value) is Dimension:
        return sizes[value.number]
    if isinstance(value, tuple | list):
        return rebuilt(value, [resolve(part, sizes) for part in value])
    return value
