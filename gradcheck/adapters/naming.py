"""Names: of inputs, of functions, of the gradient that answers for a parameter, of labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from gradcheck.errors import ClaimError

# What people call the gradient of a parameter, by the parameter's own name.
GRADIENT_NAMES = (
    *("d{}", "dLd{}", "dL_d{}", "d_{}", "grad_{}", "grad{}", "gradient_{}", "nabla_{}"),
    *("{}_grad", "{}_grads", "{}_gradient", "{}_gradients"),
)
SHORT_NAMES = {"weights": ("W", "w"), "weight": ("W", "w"), "biases": ("b",), "bias": ("b",)}
LABELS = frozenset(
    (
        "y",
        "t",
        "y_true",
        "true",
        "ytrue",
        "label",
        "labels",
        "target",
        "targets",
        "actual",
        "truth",
        "y_train",
    )
)


def input_names(
    function: Callable[..., Any], count: int, names: tuple[str, ...] | list[str] | None
) -> tuple[str, ...]:
    """One name an input. Raises ClaimError where `names` are not as many, or repeat themselves."""
    if names is not None:
        return given_names(names, count)
    found: list[str] = []
    for parameter in signature_of(function):
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}[{i}]" for i in range(count - len(found))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            found.append(parameter.name)
    found = found[:count] if len(found) >= count else [f"inputs[{i}]" for i in range(count)]
    return tuple(found)


def signature_of(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """A function's parameters; none for compiled functions, which have no signature."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()


def positional_of(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """The parameters that can be given by position."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p for p in signature_of(function) if p.kind in positional)


def required_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the positional parameters that have no default."""
    return tuple(p.name for p in positional_of(function) if p.default is p.empty)


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


def gradient_names(name: str, *, unless: Any = ()) -> Iterator[str]:
    """What the gradient of something of this name may be called, likelier names first.

    unless: names that exist beside it, so that `dW` answers for `weights` only where there is no `W`.
    """
    hidden, bare = ("_", name[1:]) if name.startswith("_") else ("", name)
    stems = (bare, *(short for short in SHORT_NAMES.get(bare, ()) if hidden + short not in unless))
    for stem in stems:
        yield from (hidden + form.format(stem) for form in GRADIENT_NAMES)


def is_label(name: str) -> bool:
    """Whether an input of this name is what a loss compares with."""
    return name.lower() in LABELS
