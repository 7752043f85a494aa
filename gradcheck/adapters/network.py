"""A network with a loss of its own: gradients of the loss by all parameters that the network holds.

loss(x, t) beside gradient(x, t)                   a dictionary or a sequence of gradients
loss(X, y) -> (loss, gradients)                    both at once
forward(X), loss(out, y), backward(X, y, out)      arguments by their names
backprop(x, y) -> (nabla_b, nabla_w)               with its cost, or through cost_derivative
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters.naming import given_names, input_names, is_label, positional_of, required_of
from gradcheck.adapters.objects import Manner, Pull, claim_of
from gradcheck.claim import Claim
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree

LOSSES = ("loss", "compute_loss", "calculate_loss", "cost", "compute_cost", "cost_function", "loss_function")
GRADIENTS = ("gradient", "gradients", "compute_gradient", "compute_gradients", "grad")
FORWARDS = ("forward", "feedforward", "feed_forward", "predict")
PREDICTIONS = (
    *("out", "output", "outputs", "o", "a", "al", "a2", "yhat", "y_hat", "pred", "y_pred", "prediction"),
    *("predictions", "predicted", "probs", "probabilities", "logits", "scores"),
)

Start = Callable[[Any, tuple[Tree, ...]], tuple[Tree, Pull]]


def is_network(target: Any, inputs: tuple[Tree, ...]) -> bool:
    """Whether an object has a loss of its own and gradients of it."""
    if isinstance(target, type):
        return False
    if callable(getattr(target, "backprop", None)):
        return True
    if _method(target, LOSSES) is None:
        return False
    if not callable(getattr(target, "forward", None)) or not callable(getattr(target, "backward", None)):
        return True
    return len(inputs) > len(positional_of(target.forward)) or any(
        map(is_label, required_of(target.backward))
    )


def from_network(
    network: Any,
    *inputs: Tree,
    loss: Callable[..., Any] | None = None,
    gradients: Callable[..., Any] | None = None,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """The gradients of a network's own loss, at its parameters; the inputs are data.

    Where its methods are called otherwise: loss(network, *inputs) -> number, and
    gradients(network, *inputs) -> whatever its backward returns, called after that loss on the same copy.
    """
    if not inputs:
        raise ClaimError(f"no inputs were given for {type(network).__name__}: pass its data, e.g. X, y")
    if loss is not None or gradients is not None:
        manner = _told(network, inputs, loss, gradients)
    elif callable(getattr(network, "backprop", None)):
        manner = _backprop(network, inputs)
    elif (method := _method(network, GRADIENTS)) is not None:
        manner = _beside(network, inputs, method)
    elif callable(getattr(network, "backward", None)):
        manner = _three(network, inputs)
    else:
        manner = _at_once(network, inputs)
    if names is not None:
        manner = dataclasses.replace(manner, names=given_names(names, len(inputs)))
    return claim_of(network, inputs, manner, reference)


def _method(target: Any, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if callable(getattr(target, name, None))), None)


def _manner(network: Any, called: str, names: tuple[str, ...], start: Start, **options: Any) -> Manner:
    return Manner(
        called=f"{type(network).__name__}.{called}", start=start, names=names, inputs_are_data=True, **options
    )


def _told(
    network: Any,
    inputs: tuple[Tree, ...],
    loss: Callable[..., Any] | None,
    gradients: Callable[..., Any] | None,
) -> Manner:
    """By functions of the user's: loss(network, *inputs) and gradients(network, *inputs)."""
    if loss is None or gradients is None:
        missing = "gradients" if gradients is None else "loss"
        raise ClaimError(
            f"{missing}= is missing: pass both loss= and gradients=, functions of (network, *inputs)"
        )
    names = input_names(loss, len(inputs) + 1, None)[1:]

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        return loss(run, *at), lambda _: _several(gradients(run, *at))

    return _manner(network, "gradients", names, start, takes_cotangent=False)


def _beside(network: Any, inputs: tuple[Tree, ...], method: str) -> Manner:
    """loss(x, t), or loss(output, t), beside gradient(x, t)."""
    names = input_names(getattr(network, method), len(inputs), None)

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        return _loss(run, names, at), lambda _: _several(getattr(run, method)(*at))

    return _manner(network, method, names, start, takes_cotangent=False)


def _loss(run: Any, names: tuple[str, ...], at: tuple[Tree, ...]) -> Any:
    """The loss by a method that takes the inputs, or the output in place of the first."""
    value, forward = _method(run, LOSSES), _method(run, FORWARDS)
    assert value is not None
    method = getattr(run, value)
    first = required_of(method)[:1]
    of_output = forward is not None and bool(first) and first[0].lower() != names[0].lower()
    return method(getattr(run, forward)(at[0]) if forward and of_output else at[0], *at[1:])


def _at_once(network: Any, inputs: tuple[Tree, ...]) -> Manner:
    """loss(X, y) -> (loss, gradients)."""
    value = _method(network, LOSSES)
    assert value is not None
    called = f"{type(network).__name__}.{value}"

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        result = getattr(run, value)(*at)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise ClaimError(
                f"{called} returned no gradient ({type(result).__name__}), and there is no method "
                f"{' or '.join(GRADIENTS[:2])} beside it: {_explicit(network, inputs)}"
            )
        return result[0], lambda _: _several(result[1])

    names = input_names(getattr(network, value), len(inputs), None)
    return _manner(network, value, names, start, takes_cotangent=False)


def _three(network: Any, inputs: tuple[Tree, ...]) -> Manner:
    """forward(X), a loss of the output and the labels, and a backward, called by their arguments' names."""
    value = _method(network, LOSSES)
    assert value is not None
    own = required_of(network.forward)
    taken = len(own)
    labels = [
        name
        for name in (*required_of(getattr(network, value)), *required_of(network.backward))
        if is_label(name)
    ]
    if taken >= len(inputs) or not labels:
        raise ClaimError(
            f"{type(network).__name__}.{value} compares with labels that were not given: "
            f"{_explicit(network, inputs)}"
        )
    names = (*own, *(labels[0] if i == taken else f"inputs[{i}]" for i in range(taken, len(inputs))))

    def arguments(method: str, at: tuple[Tree, ...], output: Tree) -> list[Any]:
        wanted = required_of(getattr(network, method))
        known = dict(zip(own, at, strict=False))
        given: list[Any] = []
        for name in wanted:
            if name in known:
                given.append(known[name])
            elif is_label(name):
                given.append(at[taken])
            elif name.lower() in PREDICTIONS or (len(wanted) == 2 and any(map(is_label, wanted))):
                given.append(output)
            else:
                raise ClaimError(
                    f"{type(network).__name__}.{method} takes {', '.join(wanted)}, and what {name} is cannot "
                    f"be told: {_explicit(network, inputs)}"
                )
        return given

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        output = run.forward(*at[:taken])
        number = getattr(run, value)(*arguments(value, at, output))
        return number, lambda _: run.backward(*arguments("backward", at, output))

    return _manner(network, "backward", names, start, takes_cotangent=False)


def _backprop(network: Any, inputs: tuple[Tree, ...]) -> Manner:
    """backprop(x, y) -> (nabla_b, nabla_w), with a cost.fn(output, y), a loss, or the derivative of one."""
    names = input_names(network.backprop, len(inputs), None)
    forward = _method(network, FORWARDS)
    cost = next((name for name in ("cost", "loss") if hasattr(getattr(network, name, None), "fn")), None)
    if not (forward and cost) and _method(network, LOSSES) is None:
        return _by_derivative(network, inputs, names, forward)

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        if forward and cost:
            number = getattr(run, cost).fn(getattr(run, forward)(at[0]), *at[1:])
        else:
            number = _loss(run, names, at)
        return number, lambda _: run.backprop(*at)

    return _manner(network, "backprop", names, start, takes_cotangent=False)


def _by_derivative(
    network: Any, inputs: tuple[Tree, ...], names: tuple[str, ...], forward: str | None
) -> Manner:
    """backprop as a VJP of the forward: what it asks for as the derivative of the cost is the cotangent."""
    if forward is None or not callable(getattr(network, "cost_derivative", None)):
        raise ClaimError(
            f"{type(network).__name__}.backprop has no cost beside it whose gradient it could be: "
            f"{_explicit(network, inputs)}"
        )

    def start(run: Any, at: tuple[Tree, ...]) -> tuple[Tree, Pull]:
        def pull(cotangent: Tree) -> Any:
            run.cost_derivative = lambda *_: cotangent
            return run.backprop(*at)

        return getattr(run, forward)(at[0]), pull

    unseen = ("cost_derivative: the cost that it is the derivative of is not there",)
    return _manner(network, "backprop", names, start, not_checked=unseen)


def _several(returned: Any) -> Any:
    """Gradients in a sequence, also where there is one only."""
    return (returned,) if isinstance(returned, np.ndarray) else returned


def _explicit(network: Any, inputs: tuple[Tree, ...]) -> str:
    data = ", ".join(("X", "y", "z")[: len(inputs)]) if len(inputs) <= 3 else "*inputs"
    return (
        f"say how with gradcheck.adapters.from_network({type(network).__name__.lower()}, {data}, "
        "loss=lambda network, *inputs: ..., gradients=lambda network, *inputs: ...)"
    )
