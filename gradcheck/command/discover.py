"""What a file asks to have checked, and what it would take to check the rest.

Found are: functions named check_* that take nothing and return a Report; names bound to a Claim; and, with
inputs beside them, what carries a gradient. The inputs of NAME are `NAME_inputs`, or else `inputs`: a tuple
with one entry an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import isfunction, signature
from types import ModuleType
from typing import Any

from gradcheck.check import check_gradients
from gradcheck.claim import Claim
from gradcheck.command.carriers import Carrier, carriers, is_own, needs_object
from gradcheck.errors import ClaimError
from gradcheck.report import Report

Check = Callable[[int], Report]  # by its seed


@dataclass(frozen=True, kw_only=True)
class Found:
    """Checks by name, and what is left out: what to type for each, by its name.

    classes: those of which an object may be among the checks.
    """

    checks: dict[str, Check]
    without_inputs: dict[str, str]
    classes: dict[str, str]


def discover(module: ModuleType) -> Found:
    """Everything in a module that can be checked without being told more, in the order of the file."""
    own = module.__name__
    names = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    carrying = dict(carriers(names, own))
    inputs = {name: _inputs_of(name, names) for name in carrying}
    checks = dict(_checks(names, own))
    checks |= {name: _on(name, carrying[name], at) for name, at in inputs.items() if at is not None}
    return Found(
        checks=checks,
        without_inputs={name: _no_inputs(name) for name, at in inputs.items() if at is None},
        classes={name: _no_object(name) for name, value in names.items() if needs_object(value, own)},
    )


def _checks(names: dict[str, Any], module: str) -> Iterator[tuple[str, Check]]:
    for name, value in names.items():
        if isinstance(value, Claim):
            yield name, _on(name, Carrier(target=value), ())
        elif name.startswith("check_") and is_own(value, module) and not _required(value):
            yield name, _called(name, value)


def _inputs_of(name: str, names: dict[str, Any]) -> tuple[Any, ...] | None:
    found = names.get(f"{name}_inputs", names.get("inputs"))
    return found if isinstance(found, tuple) or found is None else (found,)


def _on(name: str, carrier: Carrier, inputs: tuple[Any, ...]) -> Check:
    def check(seed: int) -> Report:
        try:
            return check_gradients(carrier.target, *inputs, **carrier.options, seed=seed)
        except ClaimError as error:
            if isfunction(carrier.target) and not carrier.options:
                error.add_note(
                    f"in a file it is called {name}_gradient(*inputs), or {name}_vjp(cotangent, *inputs)"
                )
            raise

    return check


def _called(name: str, function: Callable[[], Any]) -> Check:
    def check(_: int) -> Report:
        result = function()
        if not isinstance(result, Report):
            raise ClaimError(f"{name}() returned {result!r:.60}: return the report of check_gradients(...)")
        return result

    return check


def _required(function: Callable[..., Any]) -> bool:
    parameters = signature(function).parameters.values()
    return any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _no_inputs(name: str) -> str:
    return f"{name} has no inputs: add to the file {name}_inputs = (x,), one entry an input"


def _no_object(name: str) -> str:
    lower = name.lower()
    return f"{name} is a class: add to the file {lower} = {name}(...) and {lower}_inputs = (x,)"
