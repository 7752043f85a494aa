"""A loss whose backward takes its predictions again: forward(y_pred, y_true), backward(dvalues, y_true).

What stands first there is no cotangent. The value is calculate(y_pred, y_true), the mean over the examples,
where there is such a method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.naming import input_names, is_label, required_of
from gradcheck.adapters.objects import Manner, Pull, claim_of
from gradcheck.adapters.places import attributes
from gradcheck.claim import Claim
from gradcheck.tree import Tree


def is_loss(target: Any) -> bool:
    """Whether an object's backward takes predictions and labels."""
    if not all(callable(getattr(target, name, None)) for name in ("forward", "backward")):
        return False
    wanted, own = required_of(target.backward), required_of(target.forward)
    again = "dvalues" in wanted[:1] or (callable(getattr(target, "calculate", None)) and wanted == own)
    return len(wanted) == 2 and is_label(wanted[1]) and wanted[1] in own and again


def from_loss(
    loss: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """The gradient of a loss by its predictions; where its forward sets an output, it is handed that back."""
    method = "calculate" if callable(getattr(loss, "calculate", None)) else "forward"
    own = input_names(loss.forward, len(inputs), names)

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        value = getattr(run, method)(*at)
        predictions = at[0] if attributes(run).get("output") is None else run.output
        return value, lambda _: run.backward(predictions, *at[1:])

    called = f"{type(loss).__name__}.backward"
    manner = Manner(called=called, start=start, names=own, takes_cotangent=False)
    return claim_of(loss, inputs, manner, reference)
