"""What a file asks to have checked, and what it would take to check the rest.

Found are: functions named check_* that take nothing and return a Report; names bound to a Claim; and, with
inputs beside them, objects with forward and backward, and pairs of functions `NAME_forward` and
`NAME_backward` (or `forward` and `backward`). The inputs of NAME are `NAME_inputs`, or else `inputs`: a tuple
with one entry an input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradcheck.check import check_gradients
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.report import Report

Check = Callable[[int], Report]  # by its seed


@dataclass(frozen=True, kw_only=True)
class Found:
    """Checks by name, and what is left out: what to type for each, by its name.

    classes: those with forward and backward, of which an object may be among the checks.
    """

    checks: dict[str, Check]
    without_inputs: dict[str, str]
    classes: dict[str, str]


def discover(module: ModuleType) -> Found:
    """Everything in a module that can be checked without being told more, in the order of the file."""
    names = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    carriers = dict(_carriers(names, module.__name__))
    inputs = {name: _inputs_of(name, names) for name in carriers}
    checks = dict(_checks(names, module.__name__))
    checks |= {name: _on(carriers[name], at) for name, at in inputs.items() if at is not None}
    return Found(
        checks=checks,
        without_inputs={name: _no_inputs(name) for name, at in inputs.items() if at is None},
        classes={
            name: _no_object(name) for name, value in names.items() if _is_class(value, module.__name__)
        },
    )


def _checks(names: dict[str, Any], module: str) -> Iterator[tuple[str, Check]]:
    for name, value in names.items():
        if isinstance(value, Claim):
            yield name, _on(value, ())
        elif name.startswith("check_") and _is_own(value, module) and not _required(value):
            yield name, _called(name, value)


def _carriers(names: dict[str, Any], module: str) -> Iterator[tuple[str, Any]]:
    """Objects and pairs of functions that carry a backward."""
    for name, value in names.items():
        if name.endswith("forward") and _is_own(value, module):
            stem = name.removesuffix("forward")
            backward = names.get(f"{stem}backward")
            if callable(backward) and (not stem or stem.endswith("_")):
                yield stem.rstrip("_") or name, (value, backward)
        elif _has_both(value) and not isinstance(value, type | ModuleType):
            yield name, value


def _inputs_of(name: str, names: dict[str, Any]) -> tuple[Any, ...] | None:
    found = names.get(f"{name}_inputs", names.get("inputs"))
    return found if isinstance(found, tuple) or found is None else (found,)


def _on(target: Any, inputs: tuple[Any, ...]) -> Check:
    return lambda seed: check_gradients(target, *inputs, seed=seed)


def _called(name: str, function: Callable[[], Any]) -> Check:
    def check(_: int) -> Report:
        result = function()
        if not isinstance(result, Report):
            raise ClaimError(f"{name}() returned {result!r:.60}: return the report of check_gradients(...)")
        return result

    return check


def _is_own(value: Any, module: str) -> bool:
    """Whether it is a function that the file defines: imported ones are another file's."""
    return inspect.isfunction(value) and value.__module__ == module


def _required(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _has_both(value: Any) -> bool:
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None))


def _is_class(value: Any, module: str) -> bool:
    return isinstance(value, type) and value.__module__ == module and _has_both(value)


def _no_inputs(name: str) -> str:
    return f"{name} has no inputs: add to the file {name}_inputs = (x,), one entry an input"


def _no_object(name: str) -> str:
    lower = name.lower()
    return f"{name} is a class: add to the file {lower} = {name}(...) and {lower}_inputs = (x,)"
