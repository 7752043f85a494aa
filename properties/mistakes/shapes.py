"""Sums over the wrong examples or axes, and right numbers in the wrong shape or order."""

from __future__ import annotations

from manual.types import Array
from properties.mistakes.mutant import Line, Mutant
from properties.mistakes.network import Values


def turned(v: Values, g: Array) -> Array:
    return g.T


def other_order(v: Values, g: Array) -> Array:
    return g.T.reshape(g.shape)


def flat(v: Values, g: Array) -> Array:
    return g.ravel()


def across(dZ: str, keepdims: bool) -> Line:
    """A bias gradient summed over its units instead of the examples."""
    return lambda v, g: getattr(v, dZ).sum(axis=1 - v.examples, keepdims=keepdims)


def summed_over(examples: slice) -> dict[str, Line]:
    """Every parameter's gradient from some of the examples only."""
    return {
        "dW2": lambda v, g: v.weights(v.only(v.A1, examples), v.only(v.dZ2, examples)),
        "db2": lambda v, g: v.total(v.only(v.dZ2, examples)),
        "dW1": lambda v, g: v.weights(v.only(v.X, examples), v.only(v.dZ1, examples)),
        "db1": lambda v, g: v.total(v.only(v.dZ1, examples)),
    }


def first_row(v: Values, g: Array) -> Array:
    return v.only(v.dZ2, slice(0, 1))


SHAPES: tuple[Mutant, ...] = (
    Mutant("dW2 transposed", ("transposed",), {"dW2": turned}),
    Mutant("dW1 transposed", ("transposed",), {"dW1": turned}),
    Mutant("dW1 transposed, square", ("transposed",), {"dW1": turned}, equal=("n0", "n1")),
    Mutant("dW2 transposed, square", ("transposed",), {"dW2": turned}, equal=("n1", "n2")),
    Mutant("dW1 reshaped for transposed", ("reshaped",), {"dW1": other_order}),
    Mutant("dW2 flat", ("reshaped",), {"dW2": flat}),
    Mutant("db2 not summed", ("missing-batch-sum",), {"db2": lambda v, g: v.dZ2}),
    Mutant("db1 not summed", ("missing-batch-sum",), {"db1": lambda v, g: v.dZ1}),
    Mutant("no bias summed", ("missing-batch-sum",), {"db2": lambda v, g: v.dZ2, "db1": lambda v, g: v.dZ1}),
    Mutant("db2 summed over the units", ("wrong-axis",), {"db2": across("dZ2", keepdims=True)}),
    Mutant("db1 summed over the units", ("wrong-axis",), {"db1": across("dZ1", keepdims=True)}),
    Mutant("db1 summed over the units, flat", ("wrong-axis",), {"db1": across("dZ1", keepdims=False)}),
    Mutant("db2 without its axis of length 1", ("keepdims",), {"db2": flat}),
    Mutant("db1 without its axis of length 1", ("keepdims",), {"db1": flat}),
    Mutant("db1 a row for a column, or a column for a row", ("keepdims",), {"db1": turned}),
    Mutant("the last example alone", ("one-sample",), summed_over(slice(-1, None))),
    Mutant("the first example alone", ("one-sample",), summed_over(slice(0, 1))),
    Mutant("a loop that leaves out the last", ("one-sample",), summed_over(slice(0, -1))),
    Mutant("a loop that starts at 1", ("one-sample",), summed_over(slice(1, None))),
    Mutant("db2 of the first example", ("one-sample",), {"db2": first_row}),
)
