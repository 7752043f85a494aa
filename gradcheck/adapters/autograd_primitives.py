"""Functions in autograd: what it says of their derivative, by `defvjp` or by its own rules, is the claim."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from gradcheck.adapters.naming import function_name, input_names
from gradcheck.adapters.slots import Slots
from gradcheck.claim import Claim, carries_gradient
from gradcheck.tree import Tree, iter_leaves


def from_autograd(
    target: Callable[..., Any],
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """autograd's gradient of a function, or of a primitive, by all its differentiated inputs at once.

    The forward is NumPy code like any other, and is recorded as such.
    """
    autograd, boxed = (importlib.import_module(name) for name in ("autograd", "autograd.builtins"))
    slots = Slots(inputs)

    def vjp(cotangent: Tree, *at: Tree) -> Tree:
        values, others = slots.taken(at)

        def outputs(values: Any) -> Any:
            return boxed.tuple([leaf for _, leaf in iter_leaves(target(*slots.filled(values, others)))])

        pull_back, _ = autograd.make_vjp(outputs)(tuple(values))
        return slots.gradients(pull_back(tuple(u for _, u in iter_leaves(cotangent))))

    return Claim(
        name=f"{function_name(target, 'f')}'s VJP",
        forward=target,
        vjp=vjp,
        inputs=inputs,
        names=input_names(
            getattr(target, "fun", target), len(inputs), names
        ),  # `primitive` hides the signature
        reference=reference,
        data=tuple(i for i, tree in enumerate(inputs) if not carries_gradient(tree)),
    )
