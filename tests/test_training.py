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
@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_units_that_are_equal_at_first_stay_equal_and_the_table_is_not_learned(network, table, sizes, weight):
    start = {name: np.full_like(value, weight) for name, value in network.initialise(sizes, 0).items()}
    trained = gradient_descent(network, start, table.X, table.Y, learning_rate=1.0, epochs=500)
    hidden = trained.params["W1"].T if network is row_major else trained.params["W1"]
    assert np.ptp(hidden, axis=0).max() <= 1e-13 * np.abs(hidden).max()
    assert not (network.predict(trained.params, table.X) == table.Y).all()
    moved = max(np.abs(trained.params[name] - value).max() for name, value in start.items())
    assert moved == 0 if weight == 0 else moved > 0.1  # at 0 the gradient of both tables is 0
