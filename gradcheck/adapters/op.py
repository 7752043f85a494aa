"""A static op: forward(ctx, *args) and backward(ctx, dout) of a class that holds nothing itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.naming import input_names, required_of
from gradcheck.claim import Claim, carries_gradient
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree


class Context:
    """What stands for ctx: it keeps what save_for_backward is given, and any attribute."""

    def __init__(self, count: int) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * count

    def save_for_backward(self, *values: Any) -> None:
        self.saved_tensors = values

    @property
    def saved_values(self) -> tuple[Any, ...]:
        return self.saved_tensors


def static_methods(target: Any) -> bool:
    """Whether a class, or the class of an object, has a static forward and a static backward."""
    kind = target if isinstance(target, type) else type(target)
    found = (inspect.getattr_static(kind, name, None) for name in ("forward", "backward"))
    return all(isinstance(method, staticmethod) for method in found)


def is_op(target: Any) -> bool:
    """Whether static forward and backward both begin with a context; without one they are a pair."""
    if not static_methods(target):
        return False
    first, second = required_of(target.forward)[:1], required_of(target.backward)[:1]
    return first == second and first != () and first[0].lower() in ("ctx", "context", "self", "cls", "_")


def from_op(
    op: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """One gradient, or None, an argument; a backward of several outputs takes one cotangent for each."""
    if not inputs:
        raise ClaimError(f"no inputs were given: pass the arguments of {_name(op)}.forward after ctx")
    called = f"{_name(op)}.backward"
    found = input_names(lambda *at: at, len(inputs), names or _names(op, len(inputs)))

    def vjp(cotangent: Tree, *at: Tree) -> tuple[Any, ...]:
        ctx = Context(len(at))
        several = isinstance(op.forward(ctx, *at), tuple)
        gradients = op.backward(ctx, *cotangent) if several else op.backward(ctx, cotangent)
        given = tuple(gradients) if isinstance(gradients, tuple | list) else (gradients,)
        due = sum(carries_gradient(tree, name) for name, tree in zip(found, at, strict=True))
        if len(given) not in (due, len(at)):
            raise ClaimError(
                f"{called} returned {len(given)} gradients for {len(at)} arguments ({', '.join(found)}): "
                "return one gradient an argument, None for one that has none"
            )
        return given

    return Claim(
        name=called,
        forward=lambda *at: op.forward(Context(len(at)), *at),
        vjp=vjp,
        inputs=inputs,
        names=found,
        reference=reference,
        data=tuple(i for i, tree in enumerate(inputs) if not i or not carries_gradient(tree, found[i])),
    )


def _name(op: Any) -> str:
    return op.__name__ if isinstance(op, type) else type(op).__name__


def _names(op: Any, count: int) -> tuple[str, ...]:
    """The forward's own names for its arguments, without ctx."""
    return input_names(op.forward, count + 1, None)[1:]
