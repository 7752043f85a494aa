"""Names for inputs: the user's, else those of the function's own parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gradcheck.errors import ClaimError


def input_names(
    function: Callable[..., Any], count: int, names: tuple[str, ...] | list[str] | None
) -> tuple[str, ...]:
    """One name an input. Raises ClaimError where `names` are not as many, or repeat themselves."""
    if names is not None:
        return given_names(names, count)
    found: list[str] = []
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # compiled functions have no signature
        parameters = ()
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}[{i}]" for i in range(count - len(found))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            found.append(parameter.name)
    found = found[:count] if len(found) >= count else [f"inputs[{i}]" for i in range(count)]
    return tuple(found)


def given_names(names: object, count: int) -> tuple[str, ...]:
    """The names that the user passed. Raises ClaimError where they are not `count` different ones."""
    given = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, list | tuple) else ()
    if not all(isinstance(name, str) for name in given) or len(given) != count or len(set(given)) != count:
        wanted = "1 input: pass one name" if count == 1 else f"{count} inputs: pass {count} different names"
        raise ClaimError(f"names={names!r} do not fit {wanted}")
    return given


def function_name(function: Callable[..., Any], role: str) -> str:
    """How messages call a function; a lambda, which has no name, goes by its role."""
    name = getattr(function, "__name__", type(function).__name__)
    return role if name == "<lambda>" else name
