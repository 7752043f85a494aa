"""What the documents say is learned, learned with the hand-written gradients."""

import numpy as np
import pytest

from manual import boolean, row_major, squared, xor
from manual.training import gradient_descent


def learned(network, table, sizes, seed, epochs=3000):
    start = network.initialise(sizes, seed)
    trained = gradient_descent(network, start, table.X, table.Y, learning_rate=1.0, epochs=epochs)
    return bool((network.predict(trained.params, table.X) == table.Y).all())


@pytest.mark.parametrize(
    ("network", "table", "sizes"),
    [(row_major, xor, (2, 4, 1)), (squared, boolean, (3, 4, 1))],
    ids=["xor", "three inputs"],
)
def test_the_table_is_learned_with_four_hidden_units(network, table, sizes):
    assert [learned(network, table, sizes, seed) for seed in range(5)] == [True] * 5


@pytest.mark.parametrize(
    ("network", "table", "sizes"),
    [(row_major, xor, (2, 3, 1)), (squared, boolean, (3, 3, 1))],
    ids=["xor", "three inputs"],
)
def test_from_zero_weights_hidden_units_stay_equal_and_nothing_is_learned(network, table, sizes):
    zero = {name: np.zeros_like(value) for name, value in network.initialise(sizes, 0).items()}
    trained = gradient_descent(network, zero, table.X, table.Y, learning_rate=1.0, epochs=500)
    hidden = trained.params["W1"].T if network is row_major else trained.params["W1"]
    assert (hidden == hidden[0]).all()
    assert not (network.predict(trained.params, table.X) == table.Y).all()
