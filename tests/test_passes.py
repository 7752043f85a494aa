"""Passes by blocks say what whole ones do, to the last bit."""

import numpy as np
import pytest

from gradcheck.passes import BLOCK, LARGE, blockwise, everywhere, largest, most, where_most

SIZES = [7, LARGE + 5, LARGE + BLOCK]


def drawn(size, seed=0):
    return np.random.default_rng(seed).standard_normal(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_entry_by_entry(size, order):
    a, b = (np.asarray(drawn(2 * size, seed).reshape(2, size), order=order) for seed in (0, 1))
    quotient, narrow = blockwise(lambda a, b: (a / b, (a * b).astype(np.float32)), a, b)
    np.testing.assert_array_equal(quotient, a / b)
    np.testing.assert_array_equal(narrow, (a * b).astype(np.float32))
    assert narrow.dtype == np.float32


def test_a_number_beside_a_large_array():
    (found,) = blockwise(lambda a, b: (a * b,), drawn(LARGE), np.array(3.0))
    np.testing.assert_array_equal(found, 3 * drawn(LARGE))


@pytest.mark.parametrize("size", SIZES)
def test_what_holds_everywhere_but_at_the_end(size):
    values = np.abs(drawn(size))
    assert everywhere(lambda v: v >= 0, values)
    values[-1] = -1
    assert not everywhere(lambda v: v >= 0, values)


@pytest.mark.parametrize("size", SIZES)
def test_the_largest(size):
    values = drawn(size)
    values[-1] = -100
    assert most(np.square, values) == 1e4
    assert largest(values) == 100
    assert where_most(np.square, values) == size - 1
    assert where_most(np.zeros_like, values) == 0
    values[0], values[1] = np.inf, np.nan
    assert np.isnan(most(np.abs, values))
    assert largest(values) == 100
    assert largest(values[:0]) == 0
