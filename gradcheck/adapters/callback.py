"""Callbacks: Y, backprop = f(X), or layer.begin_update(X); dX = backprop(dY)."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.copies import copied
from gradcheck.adapters.naming import input_names
from gradcheck.adapters.objects import Manner, Pull, claim_of
from gradcheck.adapters.places import attributes
from gradcheck.claim import Claim, carries_gradient
from gradcheck.claim import copied as copied_leaf
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, map_leaves


def is_callback(target: Any, inputs: tuple[Tree, ...]) -> bool:
    """Whether a target, or its begin_update, gives (output, callable); found by running it once."""
    if callable(getattr(target, "begin_update", None)):
        return True
    if not callable(target):
        return False
    own = (map_leaves(copied_leaf, tree) for tree in inputs)
    run = target if isinstance(target, types.FunctionType) else copied(target)
    return _is_answer(run(*own))


def from_callback(
    target: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """What returns its output with a callable that takes the cotangent: a function, a layer, or its method.

    Of a layer, and of the layer that a method belongs to, the parameters are checked too.
    """
    method = "begin_update" if callable(getattr(target, "begin_update", None)) else "__call__"
    owner = target
    if isinstance(target, types.MethodType):
        owner, method = target.__self__, target.__name__
    function = owner if isinstance(owner, types.FunctionType) else getattr(owner, method)
    found = input_names(function, len(inputs), names)
    called = f"{getattr(owner, '__name__', type(owner).__name__)}'s callback"
    if isinstance(owner, types.FunctionType) or not attributes(owner):
        return _of_function(function, inputs, found, called, reference)

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        return _both(getattr(run, method)(*at), called)

    return claim_of(owner, inputs, Manner(called=called, start=start, names=found), reference)


def _of_function(
    function: Callable[..., Any],
    inputs: tuple[Tree, ...],
    names: tuple[str, ...],
    called: str,
    reference: Callable[..., Tree] | None,
) -> Claim:
    return Claim(
        name=called,
        forward=lambda *at: _both(function(*at), called)[0],
        vjp=lambda cotangent, *at: _both(function(*at), called)[1](cotangent),
        inputs=inputs,
        names=names,
        reference=reference,
        data=tuple(i for i, tree in enumerate(inputs) if not i or not carries_gradient(tree, names[i])),
    )


def _is_answer(result: Any) -> bool:
    pair = isinstance(result, tuple | list) and len(result) == 2
    return pair and callable(result[1]) and not callable(result[0])


def _both(result: Any, called: str) -> tuple[Tree, Pull]:
    if not _is_answer(result):
        raise ClaimError(
            f"{type(result).__name__} was returned where {called} is expected: return (output, backprop), "
            "where backprop(cotangent) gives the gradients"
        )
    return result[0], result[1]
