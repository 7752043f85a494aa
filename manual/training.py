"""Gradient descent with the hand-written gradients, for either layout."""

from dataclasses import dataclass

from manual.types import Array, Arrays, Network


@dataclass(frozen=True, kw_only=True)
class Training:
    """Parameters after the last epoch, and the loss before each epoch and at the end."""

    params: Arrays
    losses: list[float]


def descend(params: Arrays, gradients: Arrays, learning_rate: float) -> Arrays:
    """theta - learning_rate * d(loss)/d(theta) for every parameter (`shallow`, section 3)."""
    return {name: value - learning_rate * gradients["d" + name] for name, value in params.items()}


def gradient_descent(
    network: Network, params: Arrays, X: Array, Y: Array, *, learning_rate: float, epochs: int
) -> Training:
    """Full-batch gradient descent; the given parameters are left as they are."""
    losses = [float(network.loss(params, X, Y))]
    for _ in range(epochs):
        gradients = network.backward(params, network.forward(params, X), X, Y)
        params = descend(params, gradients, learning_rate)
        losses.append(float(network.loss(params, X, Y)))
    return Training(params=params, losses=losses)
