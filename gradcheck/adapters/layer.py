"""A layer object: forward(x) -> out, backward(dout) -> dx, and dW beside W.

The layer itself is never run. Every evaluation works on a deep copy into which the values of
its parameters are put wherever it refers to them, in sub-layers as well.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.claim import Claim, Constant
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, map_leaves

GRADIENT_NAMES = ("d{}", "dLd{}", "grad_{}", "{}_grad")  # of a parameter's own name


def is_layer(target: Any) -> bool:
    """Whether a target is an object with a forward method. Raises ClaimError where backward is missing."""
    if not callable(getattr(target, "forward", None)):
        return False
    if not callable(getattr(target, "backward", None)):
        raise ClaimError(
            f"{type(target).__name__} has forward but no backward: there is no gradient to check. "
            "Give it backward(dout) -> dx"
        )
    return True


def from_layer(
    layer: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """Gradients of x and of every parameter that the layer holds beside a gradient of its name.

    reference takes the parameters by name: reference(x, W=W, b=b).
    """
    if len(inputs) != 1:
        raise ClaimError(
            f"{len(inputs)} inputs were given for a layer: pass the one array that forward takes"
        )
    kind = type(layer).__name__
    arrays = _float_arrays(layer)
    after = _after_backward(layer, inputs[0])
    pairs = {name: gradient for name in arrays if (gradient := _gradient_name(name, after)) is not None}
    originals = [arrays[name] for name in pairs]

    def substituted(values: tuple[Any, ...]) -> Any:
        return copy.deepcopy(layer, {id(old): new for old, new in zip(originals, values, strict=True)})

    def forward(x: Tree, *values: Any) -> Tree:
        return substituted(values).forward(x)

    def vjp(cotangent: Tree, x: Tree, *values: Any) -> tuple[Any, ...]:
        run = substituted(values)
        run.forward(x)
        dx = run.backward(cotangent)
        return (dx, *(getattr(run, gradient) for gradient in pairs.values()))

    return Claim(
        name=f"{kind}.backward",
        forward=forward,
        vjp=vjp,
        inputs=(inputs[0], *originals),
        names=(_input_name(names), *pairs),
        reference=reference and (lambda x, *values: reference(x, **dict(zip(pairs, values, strict=True)))),
        data=(0,),
        not_checked=tuple(
            f"{name}: no {' or '.join(form.format(name) for form in GRADIENT_NAMES)} after backward"
            for name in arrays
            if name not in pairs and name not in pairs.values()
        ),
    )


def _input_name(names: tuple[str, ...] | list[str] | None) -> str:
    if names is None:
        return "x"
    if len(names) != 1 or isinstance(names, str):
        raise ClaimError(
            f"names={names!r} do not fit 1 input: parameters are named by the layer, pass names=('x',)"
        )
    return names[0]


def _float_arrays(layer: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }


def _after_backward(layer: Any, x: Tree) -> dict[str, Any]:
    """The attributes of a copy that has run forward and backward once, on a zero cotangent."""
    trial = copy.deepcopy(layer)
    x = x.value if isinstance(x, Constant) else x
    out = trial.forward(copy.deepcopy(x))
    if out is None:
        raise ClaimError(f"{type(layer).__name__}.forward returned None: return the array it computes")
    trial.backward(map_leaves(lambda _, leaf: np.zeros_like(leaf), out))
    return vars(trial)


def _gradient_name(name: str, attributes: dict[str, Any]) -> str | None:
    """The attribute that holds a parameter's gradient after backward, if any does."""
    return next((g for form in GRADIENT_NAMES if attributes.get(g := form.format(name)) is not None), None)
