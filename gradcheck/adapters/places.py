"""Where an object holds its arrays: ways that can be followed, written through and named as in Python."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

NO_HOLDERS = (
    *(types.ModuleType, type, types.FunctionType, types.MethodType, types.BuiltinFunctionType),
    *(np.ndarray, np.generic, Mapping, list, tuple),
)


@dataclass(frozen=True)
class Place:
    """The way from an object to something that it holds, by attributes and by keys of containers.

    steps: (whether it is an attribute, its name or key), one after the other.
    """

    steps: tuple[tuple[bool, Any], ...] = ()

    def attribute(self, name: str) -> Place:
        return Place((*self.steps, (True, name)))

    def entry(self, key: Any) -> Place:
        return Place((*self.steps, (False, key)))

    @property
    def name(self) -> str:
        """`layers[0].W`, `params['W']`: what stands behind the object's own name and a dot."""
        return "".join(f".{key}" if is_name else f"[{key!r}]" for is_name, key in self.steps).lstrip(".")

    @property
    def depth(self) -> int:
        """How many objects are passed on the way."""
        return sum(is_name for is_name, _ in self.steps)

    def find(self, root: Any) -> Any:
        """What is there, None where the way ends before."""
        for is_name, key in self.steps:
            try:
                root = getattr(root, key) if is_name else root[key]
            except (AttributeError, LookupError, TypeError):
                return None
        return root

    def put(self, root: Any, value: Any) -> None:
        """Put a value there."""
        *way, (is_name, key) = self.steps
        holder = Place(tuple(way)).find(root)
        if is_name:
            object.__setattr__(holder, key, value)  # frozen dataclasses among them: it is a copy
        else:
            holder[key] = value


def contents(root: Any) -> Iterator[tuple[Place, Any]]:
    """All that an object holds, itself first and outer things before inner ones; each holder once."""
    waiting: deque[tuple[Place, Any]] = deque([(Place(), root)])
    seen: set[int] = set()
    while waiting:
        place, thing = waiting.popleft()
        inside = _inside(place, thing)
        if inside and id(thing) in seen:
            continue
        seen.add(id(thing))
        yield place, thing
        waiting.extend(inside)


def _inside(place: Place, thing: Any) -> list[tuple[Place, Any]]:
    if isinstance(thing, Mapping):
        return [(place.entry(key), child) for key, child in thing.items()]
    if isinstance(thing, list | tuple):
        return [(place.entry(i), child) for i, child in enumerate(thing)]
    return [(place.attribute(name), child) for name, child in attributes(thing).items()]


def attributes(thing: Any) -> dict[str, Any]:
    """An object's own attributes, in slots or not; none for what holds nothing of the user's."""
    if isinstance(thing, NO_HOLDERS):
        return {}
    declared = [kind.__dict__.get("__slots__", ()) for kind in type(thing).__mro__]
    slots = [name for names in declared for name in ((names,) if isinstance(names, str) else names)]
    slots = [name for name in slots if name not in ("__dict__", "__weakref__")]
    return {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(
        thing, "__dict__", {}
    )


def is_array(value: Any) -> bool:
    """Whether something is an array of floats, real or complex."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


def is_number(value: Any) -> bool:
    """Whether something is a single float."""
    return isinstance(value, float | np.floating)
