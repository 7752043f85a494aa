"""Functions of one number, entry by entry, and the derivatives that are taken for theirs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.gradients.case import Array, Formula, of_one, single

RNG = np.random.default_rng(11)
SIGNED = 1.5 * RNG.standard_normal((4, 3))
POSITIVE = RNG.uniform(0.3, 3.0, (4, 3))
C = math.sqrt(2 / math.pi)

Scalar = Callable[[Array], Array]


@dataclass(frozen=True)
class Activation:
    """f, its derivative, and what people write instead of it. at: the numbers to check it at."""

    name: str
    f: Scalar
    derivative: Scalar
    mistakes: dict[str, Scalar]
    at: Array = field(default_factory=lambda: SIGNED)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(x: Array) -> Array:
    return sigmoid(x) * (1 - sigmoid(x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


def gelu_inner(x: Array) -> Array:
    return np.tanh(C * (x + 0.044715 * x**3))


def gelu_slope(x: Array, cubic: float = 3 * 0.044715) -> Array:
    t = gelu_inner(x)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * C * (1 + cubic * x**2)


def exact_gelu_slope(x: Array) -> Array:
    """That of x Phi(x), of which GELU by tanh is an approximation."""
    cumulative = 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return cumulative + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def mish_slope(x: Array) -> Array:
    t = np.tanh(softplus(x))
    return t + x * (1 - t**2) * sigmoid(x)


ACTIVATIONS = (
    Activation("relu", relu, lambda x: x > 0, {"mask left out": np.ones_like, "value for slope": relu}),
    Activation(
        "leaky relu",
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1, 0.01),
        {"leak forgotten": lambda x: x > 0, "another leak": lambda x: np.where(x > 0, 1, 0.02)},
    ),
    Activation(
        "elu",
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
        {"value for slope": lambda x: np.where(x > 0, 1, np.expm1(np.minimum(x, 0)))},
    ),
    Activation(
        "sigmoid",
        sigmoid,
        sigmoid_slope,
        {
            "derivative at the activation": lambda x: sigmoid_slope(sigmoid(x)),
            "tanh's derivative": lambda x: 1 - sigmoid(x) ** 2,
            "1 - a left out": sigmoid,
        },
    ),
    Activation(
        "tanh",
        np.tanh,
        lambda x: 1 - np.tanh(x) ** 2,
        {
            "sigmoid's derivative": lambda x: np.tanh(x) * (1 - np.tanh(x)),
            "square forgotten": lambda x: 1 - np.tanh(x),
            "derivative at the activation": lambda x: 1 - np.tanh(np.tanh(x)) ** 2,
        },
    ),
    Activation("softplus", softplus, sigmoid, {"sign of x": lambda x: sigmoid(-x)}),
    Activation(
        "swish",
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) + x * sigmoid_slope(x),
        {
            "second term missing": sigmoid,
            "x left out": lambda x: sigmoid(x) + sigmoid_slope(x),
        },
    ),
    Activation(
        "gelu",
        lambda x: 0.5 * x * (1 + gelu_inner(x)),
        gelu_slope,
        {
            "inner cubic not differentiated": lambda x: gelu_slope(x, 0.0),
            "inner factor 3 lost": lambda x: gelu_slope(x, 0.044715),
            "slope of the exact form": exact_gelu_slope,
        },
    ),
    Activation(
        "mish",
        lambda x: x * np.tanh(softplus(x)),
        mish_slope,
        {"chain factor missing": lambda x: np.tanh(softplus(x)) + x / np.cosh(softplus(x)) ** 2},
    ),
    Activation(
        "softsign",
        lambda x: x / (1 + np.abs(x)),
        lambda x: 1 / (1 + np.abs(x)) ** 2,
        {"square forgotten": lambda x: 1 / (1 + np.abs(x))},
    ),
    Activation(
        "hard sigmoid",
        lambda x: np.clip(x / 6 + 0.5, 0, 1),
        lambda x: (np.abs(x) < 3) / 6,
        {"clip ignored": lambda x: np.full_like(x, 1 / 6), "slope 1": lambda x: np.abs(x) < 3},
        2.5 * SIGNED,
    ),
    Activation(
        "log-sigmoid", lambda x: -softplus(-x), lambda x: sigmoid(-x), {"sigmoid for 1 - sigmoid": sigmoid}
    ),
    Activation("absolute value", np.abs, np.sign, {"sign forgotten": np.ones_like}),
    Activation("sine", np.sin, np.cos, {"sign": lambda x: -np.cos(x), "not differentiated": np.sin}),
    Activation("cosine", np.cos, lambda x: -np.sin(x), {"sign": np.sin}),
    Activation("exponential", np.exp, np.exp, {"power rule": lambda x: x * np.exp(x - 1)}),
    Activation("gaussian", lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2)),
               {"2 lost": lambda x: -x * np.exp(-(x**2)), "chain factor missing": lambda x: np.exp(-(x**2))}),
    Activation("logarithm", np.log, lambda x: 1 / x, {"of base 10": lambda x: 1 / (x * math.log(10))},
               POSITIVE),
    Activation("root", np.sqrt, lambda x: 0.5 / np.sqrt(x), {"1/2 lost": lambda x: 1 / np.sqrt(x)}, POSITIVE),
    Activation("square", lambda x: x**2, lambda x: 2 * x, {"2 lost": lambda x: x}),
    Activation("cube", lambda x: x**3, lambda x: 3 * x**2, {"exponent not lowered": lambda x: 3 * x**3}),
    Activation("power 2.5", lambda x: x**2.5, lambda x: 2.5 * x**1.5,
               {"factor lost": lambda x: x**1.5}, POSITIVE),
    Activation("reciprocal", lambda x: 1 / x, lambda x: -1 / x**2, {"sign": lambda x: 1 / x**2}, POSITIVE),
    Activation("arctangent", np.arctan, lambda x: 1 / (1 + x**2), {"root": lambda x: 1 / np.sqrt(1 + x**2)}),
    Activation("log1p", np.log1p, lambda x: 1 / (1 + x), {"1 lost": lambda x: 1 / x}, POSITIVE),
    Activation("expm1", np.expm1, np.exp, {"1 kept": np.expm1}),
    Activation("tangent", np.tan, lambda x: 1 / np.cos(x) ** 2, {"square forgotten": lambda x: 1 / np.cos(x)},
               POSITIVE / 3),
)  # fmt: skip
SINGLE = ("relu", "sigmoid", "tanh", "softplus", "gelu", "sine", "logarithm", "square")


def formulas() -> tuple[Formula, ...]:
    """All in float64, and the common ones in float32 too, where 1e-3 cannot be told from right."""
    double = tuple(_formula(activation, "", (activation.at,)) for activation in ACTIVATIONS)
    common = (activation for activation in ACTIVATIONS if activation.name in SINGLE)
    return double + tuple(_formula(activation, "float32", single((activation.at,))) for activation in common)


def _formula(activation: Activation, point: str, inputs: tuple[Array, ...]) -> Formula:
    fine = point == "float32" and activation.name == "gelu"
    return Formula(
        name=activation.name,
        forward=activation.f,
        vjp=of_one(activation.derivative),
        points={point: inputs},
        mistakes={} if fine else {name: of_one(wrong) for name, wrong in activation.mistakes.items()},
        spoilt=not point,
    )
