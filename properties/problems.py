"""Random problems for the two-layer network, drawn as shapes and a seed.

The seed decides the numbers, so that a failing example shrinks to small shapes and prints as
one line. Everything is made row-major; `Problem.columns` is the same problem transposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from manual.types import Array, Arrays

Shape = tuple[int, int, int, int]  # m examples, n0 inputs, n1 hidden units, n2 outputs
LARGEST = 8  # of every dimension
SMALL = 5  # where every entry costs twenty forwards, and four different lengths are still to be had
SEEDS = st.integers(0, 2**32 - 1)

# Lengths that hide mistakes: equal ones hide transposes, ones hide sums and means.
DEGENERATE = ((1, 1, 1, 1), (1, 3, 4, 2), (4, 4, 4, 4), (5, 3, 4, 1), (2, 1, 1, 3))


@dataclass(frozen=True)
class Problem:
    """A network, a batch and its labels; all numbers follow from these few."""

    shape: Shape
    seed: int
    weight_scale: float = 1.0
    input_scale: float = 1.0
    soft_labels: bool = False
    saturated: bool = False

    @property
    def m(self) -> int:
        return self.shape[0]

    def _draw(self) -> tuple[Arrays, Array, Array]:
        m, n0, n1, n2 = self.shape
        rng = np.random.default_rng(self.seed)
        params: Arrays = {
            "W1": self.weight_scale * rng.standard_normal((n0, n1)),
            "b1": self.weight_scale * rng.standard_normal((1, n1)),
            "W2": self.weight_scale * rng.standard_normal((n1, n2)),
            "b2": self.weight_scale * rng.standard_normal((1, n2)),
        }
        if self.saturated:
            # Units pushed 40 to either side: sigmoid is 1 or 1e-17 there.
            params["b1"] += rng.choice([-40.0, 0.0, 40.0], (1, n1))
            params["b2"] += rng.choice([-40.0, 0.0, 40.0], (1, n2))
        Y: Array = rng.random((m, n2))
        if not self.soft_labels:
            Y = np.round(Y)
            Y.flat[:2] = (0, 1)[: Y.size]  # both labels, or a mistake in one branch of the loss is no mistake
        return params, self.input_scale * rng.standard_normal((m, n0)), Y

    @property
    def rows(self) -> tuple[Arrays, Array, Array]:
        """Parameters, X and Y with one example a row."""
        return self._draw()

    @property
    def columns(self) -> tuple[Arrays, Array, Array]:
        """Parameters, X and Y with one example a column."""
        params, X, Y = self._draw()
        return transposed(params), X.T, Y.T


def transposed(arrays: Arrays) -> Arrays:
    """Every array transposed."""
    return {name: value.T for name, value in arrays.items()}


def shapes(largest: int = LARGEST) -> st.SearchStrategy[Shape]:
    """(m, n0, n1, n2), pairwise different and m >= 3, so that no length hides a mistake."""
    lengths = st.integers(2, largest)
    return st.lists(lengths, min_size=4, max_size=4, unique=True).map(_examples_first)


def degenerate_shapes() -> st.SearchStrategy[Shape]:
    """Shapes in which some mistakes cannot be seen: m = 1, all ones, square, one output."""
    return st.sampled_from(DEGENERATE)


def _examples_first(lengths: list[int]) -> Shape:
    m = next(length for length in lengths if length >= 3)
    others = [length for length in lengths if length != m]
    return (m, others[0], others[1], others[2])


def problems(largest: int = LARGEST) -> st.SearchStrategy[Problem]:
    """Any shape, several scales, hard and soft labels, saturated units or none."""
    return st.builds(
        Problem,
        shape=st.one_of(shapes(largest), degenerate_shapes()),
        seed=SEEDS,
        weight_scale=st.sampled_from([1.0, 0.1, 10.0]),
        input_scale=st.sampled_from([1.0, 0.1, 10.0]),
        soft_labels=st.booleans(),
        saturated=st.booleans(),
    )


def of_order_one(shape: st.SearchStrategy[Shape]) -> st.SearchStrategy[Problem]:
    """Problems of these shapes whose numbers are all of order one."""
    return st.builds(Problem, shape=shape, seed=SEEDS, soft_labels=st.booleans())
