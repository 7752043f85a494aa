"""A layer object: forward(x) -> out, backward(dout) -> dx, and dW beside W.

The layer itself is never run. Every evaluation works on a deep copy into which the values of
its parameters are put wherever it refers to them, in sub-layers as well.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.naming import given_names
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, iter_leaves, map_leaves

GRADIENT_NAMES = ("d{}", "dLd{}", "grad_{}", "{}_grad")  # of a parameter's own name


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """An array that a layer holds, and the attributes that hold its gradient after backward."""

    name: str
    value: np.ndarray[Any, Any]
    gradients: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one run of forward and backward did to a layer's attributes.

    kept: those it left in place; what it sets is its cache and its gradients. filled: those that
    hold something afterwards.
    """

    kept: set[str]
    filled: set[str]


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
    trial = _trial(layer, inputs[0])
    found = _parameters(layer, trial)
    originals = [parameter.value for parameter in found]
    names = (*(given_names(names, 1) if names is not None else ("x",)), *(p.name for p in found))

    def substituted(values: tuple[Any, ...]) -> Any:
        return _copied(layer, {id(old): new for old, new in zip(originals, values, strict=True)})

    def forward(x: Tree, *values: Any) -> Tree:
        return substituted(values).forward(x)

    def vjp(cotangent: Tree, x: Tree, *values: Any) -> tuple[Any, ...]:
        run = substituted(values)
        run.forward(x)
        dx = run.backward(cotangent)
        return (dx, *(_gradient(run, parameter) for parameter in found))

    def twin(x: Tree, *values: Any) -> Tree:
        assert reference is not None
        return reference(x, **{p.name: value for p, value in zip(found, values, strict=True)})

    return Claim(
        name=f"{type(layer).__name__}.backward",
        forward=forward,
        vjp=vjp,
        inputs=(inputs[0], *originals),
        names=names,
        reference=twin if reference else None,
        data=(0,),
        not_checked=tuple(_unchecked(layer, trial, found)),
    )


def _parameters(layer: Any, trial: Trial) -> list[Parameter]:
    """The arrays that a run leaves in place and beside which it leaves a gradient."""
    found: dict[int, Parameter] = {}
    for name, value in _arrays(_attributes(layer)).items():
        gradient = next(
            (form.format(name) for form in GRADIENT_NAMES if form.format(name) in trial.filled), None
        )
        if gradient is None or name not in trial.kept:
            continue
        # One array under two names is one parameter, and its gradients add up.
        known = found.get(id(value))
        gradients = (*known.gradients, gradient) if known else (gradient,)
        found[id(value)] = Parameter(name=known.name if known else name, value=value, gradients=gradients)
    return list(found.values())


def _gradient(run: Any, parameter: Parameter) -> Any:
    """What a run left as the gradient of a parameter, each array counted once."""
    parts = {id(part): part for part in (getattr(run, name) for name in parameter.gradients)}
    return sum(parts.values()) if len(parts) > 1 else next(iter(parts.values()))


def _unchecked(layer: Any, trial: Trial, found: list[Parameter]) -> Iterator[str]:
    """What may be a parameter and is not among those found."""
    known = {id(parameter.value) for parameter in found}
    gradients = {name for parameter in found for name in parameter.gradients}
    for name, value in _attributes(layer).items():
        if name not in trial.kept or name in gradients:
            continue
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f" and id(value) not in known:
                yield f"{name}: no {' or '.join(form.format(name) for form in GRADIENT_NAMES)} after backward"
        elif _arrays(_attributes(value)):
            yield f"{name}: the parameters of layers inside a layer are not looked for"
        else:
            for path, leaf in iter_leaves(value, name):
                if path != name and isinstance(leaf, np.ndarray) and id(leaf) not in known:
                    yield f"{path}: parameters in containers are not looked for"


def _trial(layer: Any, x: Tree) -> Trial:
    """Forward and backward once, on a copy and a zero cotangent."""
    run = _copied(layer, {})
    before = dict(_attributes(run))
    out = run.forward(copy.deepcopy(x))
    if out is None:
        raise ClaimError(f"{type(layer).__name__}.forward returned None: return the array it computes")
    run.backward(map_leaves(lambda _, leaf: np.zeros_like(leaf), out))
    after = _attributes(run)
    return Trial(
        kept={name for name, value in before.items() if after.get(name) is value},
        filled={name for name, value in after.items() if value is not None},
    )


def _copied(layer: Any, replaced: dict[int, Any]) -> Any:
    """A deep copy with arrays replaced wherever they are referred to; modules are shared."""
    shared = {id(v): v for v in _attributes(layer).values() if isinstance(v, types.ModuleType)}
    return copy.deepcopy(layer, shared | replaced)


def _attributes(thing: Any) -> dict[str, Any]:
    """An object's own attributes, in slots or not."""
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(
        thing, "__dict__", {}
    )


def _arrays(attributes: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: value
        for name, value in attributes.items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
