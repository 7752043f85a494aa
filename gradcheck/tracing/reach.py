"""Which modules' code a function may run, and which objects it may write to: found by walking it."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LIBRARIES = sys.stdlib_module_names | {
    *(
        "numpy",
        "scipy",
        "jax",
        "jaxlib",
        "gradcheck",
        "sklearn",
        "matplotlib",
        "pytest",
        "_pytest",
        "hypothesis",
    )
}
LARGEST = 1000  # entries of a container that is walked through


class Reach:
    """Namespaces of modules and attributes of objects that a function's code can get at.

    namespaces: globals of the user's functions. holders: dictionaries and lists of the user's in
    which a run may leave something.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.namespaces: list[dict[str, Any]] = []
        self.holders: list[Any] = []
        self._seen: dict[int, Any] = {}  # kept, so that no identity is used twice
        waiting = [function]
        while waiting:
            thing = waiting.pop()
            if id(thing) not in self._seen and not isinstance(thing, np.ndarray | str | bytes | int | float):
                self._seen[id(thing)] = thing
                waiting.extend(self._parts(thing))

    def _parts(self, thing: Any) -> Iterator[Any]:
        if isinstance(thing, types.FunctionType):
            yield from self._of_function(thing)
        elif isinstance(thing, types.MethodType):
            yield thing.__func__
            yield thing.__self__
        elif isinstance(thing, functools.partial):
            yield thing.func
            yield from thing.args
            yield from thing.keywords.values()
        elif isinstance(thing, staticmethod | classmethod):
            yield thing.__func__
        elif isinstance(thing, property):
            yield from (f for f in (thing.fget, thing.fset) if f is not None)
        elif isinstance(thing, type):
            if is_users(thing.__module__):
                for kind in thing.__mro__:
                    yield from vars(kind).values()
        elif isinstance(thing, list | tuple | set | frozenset):
            yield from self._of_container(thing, thing)
        elif isinstance(thing, dict):
            yield from self._of_container(thing, thing.values())
        elif isinstance(thing, types.ModuleType):
            if is_users(thing.__name__):
                self._add(vars(thing))
                yield from (v for v in vars(thing).values() if isinstance(v, types.FunctionType | type))
        elif is_users(type(thing).__module__):
            yield type(thing)
            if hasattr(thing, "__dict__"):
                self.holders.append(vars(thing))
                yield from vars(thing).values()
            call = getattr(type(thing), "__wrapped__", None) or getattr(thing, "__wrapped__", None)
            if call is not None:
                yield call

    def _of_function(self, function: types.FunctionType) -> Iterator[Any]:
        namespace = function.__globals__
        if is_users(namespace.get("__name__", "")):
            self._add(namespace)
            for name in _names(function.__code__):
                if name in namespace:
                    yield namespace[name]
        for cell in function.__closure__ or ():
            with_contents = _contents(cell)
            if with_contents is not None:
                yield with_contents
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()

    def _of_container(self, container: Any, items: Any) -> Iterator[Any]:
        if len(container) <= LARGEST:
            if isinstance(container, dict | list):
                self.holders.append(container)
            yield from items

    def _add(self, namespace: dict[str, Any]) -> None:
        if not any(known is namespace for known in self.namespaces):
            self.namespaces.append(namespace)


def is_users(module: str | None) -> bool:
    """Whether a module is neither of the standard library nor of the libraries that traces know."""
    return (module or "").split(".")[0] not in LIBRARIES


def _names(code: types.CodeType) -> Iterator[str]:
    """Global names in a function's code and in the functions written inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None
