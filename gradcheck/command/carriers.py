"""What in a file has a gradient of its own to judge, by the name that it goes by.

By their kind: objects with forward and backward, pairs of functions `NAME_forward` and `NAME_backward` (or
`forward` and `backward`), static ops and torch Functions, which are classes, torch Modules, and JAX functions
with rules of their own. By `NAME_inputs` beside them: anything else that can be called, and what is then
called `NAME_gradient` or `NAME_vjp` is its gradient. Nothing is taken for a gradient by its name alone: a
`sigmoid_grad` may well be a function of the sigmoid.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from gradcheck.adapters.jax_rules import rule_of
from gradcheck.adapters.op import static_methods
from gradcheck.adapters.torch_modules import is_torch

# What the gradient of NAME may be called, by the option of check_gradients that takes it.
BESIDE = {
    "gradients": ("{}_gradient", "{}_gradients", "{}_grad", "grad_{}"),
    "vjp": ("{}_vjp",),
}


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A target of check_gradients, and the options that what stands beside it makes."""

    target: Any
    options: Mapping[str, Any] = field(default_factory=dict)


def carriers(names: Mapping[str, Any], module: str) -> Iterator[tuple[str, Carrier]]:
    """All of a module's, in the order of the file."""
    for name, value in names.items():
        stem = name.removesuffix("forward")
        backward = names.get(f"{stem}backward")
        if stem != name and is_own(value, module) and callable(backward) and (not stem or stem[-1] == "_"):
            yield stem.rstrip("_") or name, Carrier(target=(value, backward))
        elif _by_kind(value, module):
            yield name, Carrier(target=value)
        elif f"{name}_inputs" in names and callable(value) and not isinstance(value, type | ModuleType):
            yield name, Carrier(target=value, options=_beside(name, names))


def needs_object(value: Any, module: str) -> bool:
    """Whether it is a class of the file, an object of which would be a carrier."""
    return (
        isinstance(value, type)
        and value.__module__ == module
        and not _by_kind(value, module)
        and (_has_both(value) or _is_module(value))
    )


def is_own(value: Any, module: str) -> bool:
    """Whether it is a function that the file defines: imported ones are another file's."""
    return inspect.isfunction(value) and value.__module__ == module


def _by_kind(value: Any, module: str) -> bool:
    if isinstance(value, ModuleType):
        return False
    if isinstance(value, type):
        return value.__module__ == module and (static_methods(value) or is_torch(value))
    if is_torch(value):
        return type(value).__module__.partition(".")[0] != "torch"  # torch has tests for its own
    return _has_both(value) or (getattr(value, "__module__", None) == module and _has_rule(value))


def _has_rule(value: Any) -> bool:
    """Whether it is a custom_vjp or a custom_jvp of JAX, which nothing can be where nobody imported JAX."""
    return hasattr(sys.modules.get("jax"), "custom_vjp") and rule_of(value) is not None


def _has_both(value: Any) -> bool:
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None))


def _is_module(kind: type) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.nn.Module)


def _beside(name: str, names: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """The gradient of a name, where the file has one."""
    found = {
        option: next((names[at] for form in forms if callable(names.get(at := form.format(name)))), None)
        for option, forms in BESIDE.items()
    }
    return {option: function for option, function in found.items() if function is not None}
