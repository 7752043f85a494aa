"""How many of 100 random seeds learn the documents' tables by full-batch gradient descent.

python benchmarks/seeds.py        about two minutes; prints a table, asserts nothing
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.demo.agreement import three_ways
from gradcheck.reference import row_major_loss, summed_squared_error
from manual import boolean, row_major, squared, xor
from manual.training import gradient_descent
from manual.types import Array, Arrays

SEEDS = 100
EPOCHS = 5000
LEARNING_RATE = 1.0
CASES = (
    ("XOR, cross-entropy", row_major, row_major_loss, xor, (2, 2, 1)),
    ("XOR, cross-entropy", row_major, row_major_loss, xor, (2, 4, 1)),
    ("three inputs, squared error", squared, summed_squared_error, boolean, (3, 2, 1)),
    ("three inputs, squared error", squared, summed_squared_error, boolean, (3, 4, 1)),
)


def trained(network: Any, start: Arrays, X: Array, Y: Array) -> tuple[Arrays, bool]:
    """Where gradient descent is at the end, and whether every row of the table comes out right there."""
    found = gradient_descent(network, start, X, Y, learning_rate=LEARNING_RATE, epochs=EPOCHS).params
    return found, bool((network.predict(found, X) == Y).all())


def verdict(network: Any, twin: Any, params: Arrays, X: Array, Y: Array) -> str:
    """Of the hand-derived gradients at these parameters, by JAX and by differences."""
    gradients = network.backward(params, network.forward(params, X), X, Y)
    largest = max(np.abs(gradients["d" + name]).max() for name in params)
    return f"{three_ways(network, twin, params, X, Y, seed=0).verdict.value}, largest entry {largest:.1e}"


def main() -> None:
    """Print one row a case."""
    print(f"{EPOCHS} epochs, learning rate {LEARNING_RATE:g}, weights N(0, 1), biases 0, {SEEDS} seeds")
    for name, network, twin, table, sizes in CASES:
        ends = [trained(network, network.initialise(sizes, seed), table.X, table.Y) for seed in range(SEEDS)]
        zero = {key: np.zeros_like(value) for key, value in network.initialise(sizes, 0).items()}
        from_zero = SEEDS * trained(network, zero, table.X, table.Y)[1]  # no seed makes a difference
        learned = sum(right for _, right in ends)
        print(f"{name}, {sizes[1]} hidden units: {learned}; from zero weights {from_zero}")
        for seed, (params, right) in enumerate(ends):
            if not right:
                there = verdict(network, twin, params, table.X, table.Y)
                loss = float(network.loss(params, table.X, table.Y))
                print(
                    f"    seed {seed} is stuck at loss {loss:.4f}, which still creeps; gradient there {there}"
                )
                break


if __name__ == "__main__":
    main()
