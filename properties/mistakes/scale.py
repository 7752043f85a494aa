"""Right formulas with a wrong number in front of them, or with no numbers at all."""

from __future__ import annotations

import numpy as np

from manual.types import Array
from properties.mistakes.mutant import Line, Mutant
from properties.mistakes.network import Values

PARAMETERS = ("dW2", "db2", "dW1", "db1")


def in_all(line: Line) -> dict[str, Line]:
    """The same mistake in the gradient of every parameter."""
    return dict.fromkeys(PARAMETERS, line)


def halved(v: Values, g: Array) -> Array:
    return g / 2


def doubled(v: Values, g: Array) -> Array:
    return 2 * g


def divided_by_m(v: Values, g: Array) -> Array:
    return g / v.m


def negated(v: Values, g: Array) -> Array:
    return -g


def zeros(v: Values, g: Array) -> Array:
    return np.zeros_like(g)


def one_entry_off(v: Values, g: Array) -> Array:
    """Right but for one part in a hundred thousand of the largest entry."""
    wrong = g.copy()
    wrong[np.unravel_index(np.argmax(np.abs(g)), g.shape)] *= 1 + 1e-5
    return wrong


# 1/m stands in the parameters' gradients, as in a common course, and not in dZ2.
COURSE: dict[str, Line] = {
    "dZ2": lambda v, g: v.m * g,
    "dW2": lambda v, g: v.weights(v.A1, v.dZ2) / v.m + v.decay * v.W2,
    "db2": divided_by_m,
    "dW1": lambda v, g: v.weights(v.X, v.dZ1) / v.m + v.decay * v.W1,
    "db1": divided_by_m,
}

SCALE: tuple[Mutant, ...] = (
    Mutant("1/m missing", ("factor",), {"dZ2": lambda v, g: v.m * g}),
    Mutant("1/m twice", ("factor",), {"dZ2": divided_by_m}),
    Mutant("m for 1/m", ("factor",), {"dZ2": lambda v, g: v.m**2 * g}),
    Mutant("2/m for 1/m", ("factor",), {"dZ2": doubled}),
    Mutant("1/2m for 1/m", ("factor",), {"dZ2": halved}),
    Mutant("mean over the outputs too", ("factor",), {"dZ2": lambda v, g: g / v.n_out}),
    Mutant("summed once for each output", ("factor",), {"dZ2": lambda v, g: v.n_out * g}),
    Mutant("2 in dW2 alone", ("factor",), {"dW2": doubled}),
    Mutant("1/2 in dW1 alone", ("factor",), {"dW1": halved}),
    Mutant("2 in the hidden delta", ("factor",), {"dZ1": doubled}),
    Mutant(
        "1/m missing in dW2 alone, and not in dZ2",
        ("factor",),
        COURSE | {"dW2": lambda v, g: g},
        also_first=("dW2",),
    ),
    Mutant(
        "1/m in dZ2 and again in every parameter",
        ("convention-1/m-in-parameters", "factor"),
        in_all(divided_by_m),
        also_first=(None,),
    ),
    Mutant("db2 averaged", ("mean-for-sum", "factor"), {"db2": divided_by_m}),
    Mutant("db1 averaged", ("mean-for-sum", "factor"), {"db1": divided_by_m}),
    Mutant("both biases averaged", ("mean-for-sum", "factor"), {"db2": divided_by_m, "db1": divided_by_m}),
    Mutant("y - a for a - y", ("sign",), {"dZ2": negated}),
    Mutant("sign of db2 alone", ("sign",), {"db2": negated}),
    Mutant("sign of the hidden delta", ("sign",), {"dZ1": negated}),
    Mutant("all zero", ("zero",), in_all(zeros)),
    Mutant("db1 left at zero", ("zero",), {"db1": zeros}),
    Mutant("0/0 where a label is 0", ("nonfinite",), {"dZ2": lambda v, g: g * (v.Y / v.Y)}),
    Mutant(
        "0/0 in dead units",
        ("nonfinite",),
        {"dZ1": lambda v, g: v.dA1 * v.A1 / v.activation(v.Z1)},
        hidden=("relu",),
    ),
    Mutant("one entry of dW1", (), {"dW1": one_entry_off}),
)
