"""Functions that JAX, torch or autograd differentiate by themselves: which of them, if any, does."""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from gradcheck.adapters.autograd_primitives import from_autograd
from gradcheck.adapters.jax_functions import from_jax
from gradcheck.adapters.torch_modules import from_torch, is_torch
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, iter_leaves

FRAMEWORKS = ("torch", "autograd", "jax")
# What these call says nothing about the user's function: JAX knows of torch, for one.
LIBRARIES = {*FRAMEWORKS, "numpy", "scipy"} | sys.stdlib_module_names
NESTED = 6  # calls of functions by functions that are looked through


def from_framework(
    target: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
    order: int = 1,
) -> Claim | None:
    """The claim that a framework's derivative of the target is right; None for a target of no framework.

    order: 2 for the derivative of the gradient, which JAX alone is asked for.
    """
    framework = _framework(target, inputs)
    if order != 1 and framework != "jax":
        raise ClaimError(
            f"order={order!r} is for functions in JAX: leave it out, or write the function in JAX"
        )
    if framework == "jax":
        return from_jax(target, *inputs, names=names, reference=reference, order=order)
    if framework == "torch":
        return from_torch(target, *inputs, names=names, reference=reference)
    if framework == "autograd":
        return from_autograd(target, *inputs, names=names, reference=reference)
    return None


def _framework(target: Any, inputs: tuple[Tree, ...]) -> str | None:
    """Told by what the target is, then by whose arrays it is given, then by what its code calls."""
    if is_torch(target):
        return "torch"
    if isinstance(target, type) or not callable(target) or callable(getattr(target, "backward", None)):
        return None
    roots = [_roots(leaf) for tree in inputs for _, leaf in iter_leaves(tree)]
    given = (package for package in ("torch", "jax") if any(package in found for found in roots))
    return next(given, None) or _nearest(target)


def _nearest(target: Any) -> str | None:
    """The framework that a function's code names, or that of the functions which it calls."""
    level = [target]
    for _ in range(NESTED):
        found = {root for thing in level for root in _roots(thing)}
        known = [package for package in FRAMEWORKS if package in found and package in sys.modules]
        if known:
            return known[0]
        level = [part for thing in level for part in _parts(thing)]
    return None


def _roots(thing: Any) -> set[str]:
    """The packages that a thing and its type come from."""
    own = getattr(thing, "__module__", None)
    module = thing.__name__ if isinstance(thing, types.ModuleType) else own
    found = {str(name).split(".")[0] for name in (module, type(thing).__module__)}
    return found | ({"jax"} if "jaxlib" in found else set())


def _parts(thing: Any) -> Iterator[Any]:
    """What a function's code may call: its globals, its closure, the modules that it imports."""
    if isinstance(thing, functools.partial):
        yield thing.func
    elif isinstance(thing, types.MethodType):
        yield thing.__func__
    elif isinstance(thing, types.FunctionType) and str(thing.__module__).split(".")[0] not in LIBRARIES:
        for name in _names(thing.__code__):
            # What is no global is a builtin, or a module that the function itself imports.
            yield thing.__globals__[name] if name in thing.__globals__ else types.ModuleType(name)
        yield from (cell.cell_contents for cell in thing.__closure__ or () if _assigned(cell))
    elif callable(thing) and not isinstance(thing, type | types.FunctionType):
        yield type(thing).__call__  # an object that is called as a function


def _names(code: types.CodeType) -> Iterator[str]:
    """The globals and the imports in a function's code and in the functions written inside it."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "IMPORT_NAME"):  # not attributes, which go by any name
            yield instruction.argval
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


def _assigned(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that its function has not bound yet
        return False
