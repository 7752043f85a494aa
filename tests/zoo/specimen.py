"""What a specimen is: a layer as people write it, how to check it, and mistakes made in its backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Convention = Literal[
    "functional",  # forward(x, w) -> (out, cache); backward(dout, cache) -> (dx, dw)
    "dictionaries",  # parameters["W1"], grads["dW1"]
    "attributes",  # W, and dW after backward(dout) -> dx
    "lists",  # params = [W, b], grads = [dW, db]
    "returns None",  # output, dinputs, weights, dweights
    "accumulating",  # parameters["W"] made at the first forward, gradients["W"] added up
    "derivative names",  # W, and dLdW after backward(dLdZ) -> dLdA
    "callback",  # Y, backprop = layer(X)
    "network",  # backprop(x, y) -> (nabla_b, nabla_w)
    "loss and gradient",  # f(theta) -> (J, grad)
    "static op",  # forward(ctx, x, w), backward(ctx, dout)
]


@dataclass(frozen=True)
class Call:
    """check_gradients(target, *inputs, **options)"""

    target: Any
    inputs: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A version that is wrong at exactly these leaves. code: of the kind of mistake."""

    code: str
    version: Any
    leaves: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.version.__name__


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A layer or loss with its right backward and wrong ones.

    right: the class or function that carries the gradient; call(version): how to check it, or a wrong
    version of it. not_checked: what a report must say it has no gradient for. other_subgradient: at a kink
    on purpose, where JAX takes another subgradient. not_recorded: why automatic differentiation cannot
    judge it, empty where it can.
    """

    name: str
    convention: Convention
    right: Any
    call: Callable[[Any], Call]
    wrong: tuple[Mistake, ...]
    not_checked: tuple[str, ...] = ()
    other_subgradient: bool = False
    not_recorded: str = ""


def of_input(
    name: str,
    convention: Convention,
    right: Any,
    call: Callable[[Any], Call],
    wrong: tuple[tuple[str, Any], ...],
    **more: Any,
) -> Specimen:
    """A specimen whose only leaf is its input. wrong: (code, version)."""
    leaf = "inputs" if convention == "returns None" else "x"
    mistakes = tuple(Mistake(code, version, (leaf,)) for code, version in wrong)
    return Specimen(name=name, convention=convention, right=right, call=call, wrong=mistakes, **more)


def numbers(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    """Entries of both signs, from 0.2 to 1.8 in size, no two of one size."""
    rng = np.random.default_rng(seed)
    total = math.prod(shape)
    sizes = 0.2 + 1.6 * (rng.permutation(total) + rng.uniform(0.2, 0.8, total)) / total
    return (sizes * rng.choice([-1.0, 1.0], total)).reshape(shape)


def positive(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    """Entries from 0.2 to 1.8, no two equal."""
    return np.abs(numbers(seed, *shape))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    """Along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
