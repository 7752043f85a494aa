"""Wrong formulas: deltas, derivatives of activations, operands, penalties, masks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual.types import Array
from properties.mistakes.mutant import Line, Mutant
from properties.mistakes.network import SLOPES, Values

RATE = 0.1  # of the step that was taken too early
PENALTY = 0.01  # of weights that the loss does not penalise
SMOOTH = ("sigmoid", "tanh")
Slope = Callable[[Values], Array | float]


def hidden_slope(slope: Slope) -> dict[str, Line]:
    """Something else for the derivative of the hidden activation."""
    return {"dZ1": lambda v, g: v.dA1 * slope(v)}


def output_slope(slope: Slope) -> dict[str, Line]:
    """Something else for the derivative of the output."""
    return {"dZ2": lambda v, g: v.error * slope(v) / v.m}


def through_stepped(v: Values, g: Array) -> Array:
    return v.inputs(v.W2 - RATE * v.dW2, v.dZ2)


def through_stepped_in_place(v: Values, g: Array) -> Array:
    v.W2 -= RATE * v.dW2
    return v.inputs(v.W2, v.dZ2)


DELTAS: tuple[Mutant, ...] = (
    Mutant(
        "(a - y) a (1 - a) with cross-entropy",
        ("output-delta",),
        output_slope(lambda v: v.A2 * (1 - v.A2)),
        losses=("cross-entropy",),
    ),
    Mutant(
        "dA2 for dZ2 with cross-entropy",
        ("output-delta", "missing-activation"),
        output_slope(lambda v: 1 / (v.A2 * (1 - v.A2))),
        losses=("cross-entropy",),
    ),
    Mutant(
        "a - y with squared error",
        ("output-delta", "missing-activation"),
        output_slope(lambda v: 1.0),
        losses=("squared",),
    ),
    Mutant(
        "sigma'(a) at the output",
        ("derivative-at-activation",),
        output_slope(lambda v: SLOPES["sigmoid"](v.A2)),
        losses=("squared",),
    ),
    Mutant(
        "z (1 - z) at the output",
        ("derivative-at-activation",),
        output_slope(lambda v: v.Z2 * (1 - v.Z2)),
        losses=("squared",),
    ),
    Mutant(
        "tanh' at the output",
        ("wrong-activation",),
        output_slope(lambda v: 1 - v.A2**2),
        losses=("squared",),
    ),
    Mutant(
        "s (1 - s) for the Jacobian of softmax",
        ("softmax-diagonal",),
        {"dZ2": lambda v, g: -v.Y * (1 - v.A2) / v.m},
        losses=("softmax",),
    ),
    Mutant(
        "no term for y = 0",
        ("label-branch",),
        {"dZ2": lambda v, g: -v.Y * (1 - v.A2) / v.m},
        losses=("cross-entropy",),
    ),
    Mutant(
        "no term for y = 1",
        ("label-branch",),
        {"dZ2": lambda v, g: (1 - v.Y) * v.A2 / v.m},
        losses=("cross-entropy",),
    ),
)

SLOPE: tuple[Mutant, ...] = (
    Mutant(
        "f'(a) for f'(z)",
        ("derivative-at-activation",),
        hidden_slope(lambda v: v.slope(v.A1)),
        hidden=SMOOTH,
    ),
    Mutant(
        "z (1 - z) for a (1 - a)",
        ("derivative-at-activation",),
        hidden_slope(lambda v: v.Z1 * (1 - v.Z1)),
        hidden=("sigmoid",),
    ),
    Mutant(
        "1 - z^2 for 1 - a^2",
        ("derivative-at-activation",),
        hidden_slope(lambda v: 1 - v.Z1**2),
        hidden=("tanh",),
    ),
    Mutant(
        "a for a (1 - a)",
        ("derivative-at-activation",),
        hidden_slope(lambda v: v.A1),
        hidden=("sigmoid",),
    ),
    Mutant(
        "1 - a for f'",
        ("derivative-at-activation", "wrong-activation"),
        hidden_slope(lambda v: 1 - v.A1),
        hidden=SMOOTH,
    ),
    Mutant(
        "tanh' for the activation's own",
        ("wrong-activation",),
        hidden_slope(lambda v: 1 - v.A1**2),
        hidden=("sigmoid", "relu"),
    ),
    Mutant(
        "sigmoid' for the activation's own",
        ("wrong-activation",),
        hidden_slope(lambda v: SLOPES["sigmoid"](v.Z1)),
        hidden=("tanh", "relu"),
    ),
    Mutant(
        "ReLU' for the activation's own",
        ("wrong-activation",),
        hidden_slope(lambda v: SLOPES["relu"](v.Z1)),
        hidden=SMOOTH,
    ),
    Mutant(
        "ReLU mask of the gradient",
        ("wrong-activation",),
        hidden_slope(lambda v: SLOPES["relu"](v.dA1)),
        hidden=("relu",),
    ),
    Mutant("sigma' left out", ("missing-activation",), hidden_slope(lambda v: 1.0), hidden=SMOOTH),
    Mutant(
        "ReLU mask left out",
        ("missing-activation", "mask-not-applied"),
        hidden_slope(lambda v: 1.0),
        hidden=("relu",),
    ),
    Mutant(
        "sigma' left out in dW1 alone",
        ("missing-activation", "wrong-operand"),
        {"dW1": lambda v, g: v.weights(v.X, v.dA1)},
    ),
)

PENALTIES: tuple[Mutant, ...] = (
    Mutant(
        "penalty missing",
        ("regulariser",),
        {"dW2": lambda v, g: g - v.decay * v.W2, "dW1": lambda v, g: g - v.decay * v.W1},
        penalised=True,
    ),
    Mutant(
        "penalty missing in dW1", ("regulariser",), {"dW1": lambda v, g: g - v.decay * v.W1}, penalised=True
    ),
    Mutant(
        "penalty doubled",
        ("regulariser",),
        {"dW2": lambda v, g: g + v.decay * v.W2, "dW1": lambda v, g: g + v.decay * v.W1},
        penalised=True,
    ),
    Mutant(
        "penalty halved in dW2",
        ("regulariser",),
        {"dW2": lambda v, g: g - v.decay / 2 * v.W2},
        penalised=True,
    ),
    Mutant(
        "penalty divided by m",
        ("regulariser",),
        {
            "dW2": lambda v, g: g + (1 / v.m - 1) * v.decay * v.W2,
            "dW1": lambda v, g: g + (1 / v.m - 1) * v.decay * v.W1,
        },
        penalised=True,
    ),
    Mutant("penalty on b2", ("regulariser",), {"db2": lambda v, g: g + v.decay * v.b2}, penalised=True),
    Mutant("a penalty that the loss has not", ("regulariser",), {"dW1": lambda v, g: g + PENALTY * v.W1}),
    Mutant(
        "the penalty overwrites dW2", ("overwrites",), {"dW2": lambda v, g: v.decay * v.W2}, penalised=True
    ),
)

OPERANDS: tuple[Mutant, ...] = (
    Mutant("W2 stepped before dA1", ("updated-weights",), {"dA1": through_stepped}),
    Mutant(
        "W2 stepped in place before dA1", ("updated-weights", "mutates"), {"dA1": through_stepped_in_place}
    ),
    Mutant("dW2 for W2 in dA1", ("wrong-operand",), {"dA1": lambda v, g: v.inputs(v.dW2, v.dZ2)}),
    Mutant(
        "W2 for its transpose in dA1",
        ("wrong-operand",),
        {"dA1": lambda v, g: v.inputs(v.W2.T, v.dZ2)},
        equal=("n1", "n2"),
    ),
    Mutant(
        "W1 for W2 in dA1",
        ("wrong-operand",),
        {"dA1": lambda v, g: v.inputs(v.W1, v.dZ2)},
        equal=("n0", "n1", "n2"),
    ),
    Mutant(
        "X for A1 in dW2",
        ("wrong-operand",),
        {"dW2": lambda v, g: v.weights(v.X, v.dZ2)},
        equal=("n0", "n1"),
    ),
    Mutant(
        "A2 for A1 in dW2",
        ("wrong-operand",),
        {"dW2": lambda v, g: v.weights(v.A2, v.dZ2)},
        equal=("n1", "n2"),
    ),
    Mutant("Z1 for A1 in dW2", ("wrong-operand",), {"dW2": lambda v, g: v.weights(v.Z1, v.dZ2)}),
    Mutant(
        "A1 for X in dW1",
        ("wrong-operand",),
        {"dW1": lambda v, g: v.weights(v.A1, v.dZ1)},
        equal=("n0", "n1"),
    ),
    Mutant(
        "dA1 for dZ1 in db1",
        ("missing-activation", "wrong-operand"),
        {"db1": lambda v, g: v.total(v.dA1)},
    ),
    Mutant(
        "Z2 for A2 in dZ2",
        ("wrong-operand",),
        {"dZ2": lambda v, g: (v.Z2 - v.Y) * v.slope_out / v.m},
    ),
    Mutant(
        "* for @ in dA1",
        ("elementwise-for-matrix",),
        {"dA1": lambda v, g: v.inputs(v.W2, v.dZ2, np.multiply)},
        equal=("m", "n1", "n2"),
    ),
    Mutant(
        "* for @ in dW2",
        ("elementwise-for-matrix",),
        {"dW2": lambda v, g: v.weights(v.A1, v.dZ2, np.multiply)},
        equal=("m", "n1", "n2"),
    ),
    Mutant(
        "dX from dA1",
        ("input-gradient", "wrong-operand", "missing-activation"),
        {"dX": lambda v, g: v.inputs(v.W1, v.dA1)},
        of_inputs=True,
    ),
    Mutant(
        "dX with f' once more",
        ("input-gradient",),
        {"dX": lambda v, g: v.inputs(v.W1, v.dZ1 * v.slope(v.Z1))},
        of_inputs=True,
    ),
    Mutant(
        "dX without 1/m",
        ("input-gradient", "factor"),
        {"dX": lambda v, g: v.m * g},
        of_inputs=True,
    ),
)

MASKS: tuple[Mutant, ...] = (
    Mutant(
        "dropout's mask not applied",
        ("mask-not-applied",),
        {"dZ1": lambda v, g: v.dA1 * v.slope(v.Z1)},
        dropped=True,
    ),
    Mutant(
        "1/(1 - p) missing",
        ("random-forward", "factor"),
        {"dZ1": lambda v, g: v.dA1 * (v.mask > 0) * v.slope(v.Z1)},
        dropped=True,
    ),
    Mutant(
        "another mask than the forward's",
        ("random-forward", "mask-not-applied"),
        {"dZ1": lambda v, g: v.dA1 * np.roll(v.mask, 1) * v.slope(v.Z1)},
        dropped=True,
    ),
    Mutant(
        "A1 before dropout in dW2",
        ("wrong-operand", "mask-not-applied"),
        {"dW2": lambda v, g: v.weights(v.activation(v.Z1), v.dZ2)},
        dropped=True,
    ),
    Mutant(
        "a (1 - a) of the dropped a",
        ("derivative-at-activation", "wrong-operand"),
        {"dZ1": lambda v, g: v.dA1 * v.mask * v.A1 * (1 - v.A1)},
        hidden=("sigmoid",),
        dropped=True,
    ),
)

FORMULAS = DELTAS + SLOPE + PENALTIES + OPERANDS + MASKS
