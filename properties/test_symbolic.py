"""The interpreter on symbolic traces gives what XLA gives on the same reference."""

from __future__ import annotations

import functools

import jax
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from properties import symbolic
from properties.problems import SEEDS
from properties.test_deep import POOL, DeepProblem

# XLA compiles for each of them: lengths that hide nothing, one example, and ones.
LENGTHS = ((5, 3, 4, 2), (1, 2, 3, 4))
ARCHITECTURES = POOL[::3]


@functools.cache
def xla(loss: symbolic.Loss):
    return jax.jit(jax.grad(loss))


@given(
    network=st.sampled_from(ARCHITECTURES),
    lengths=st.sampled_from(LENGTHS),
    seed=SEEDS,
)
def test_interpreter_and_xla_give_one_gradient(network, lengths, seed):
    m, first, middle, last = lengths
    sizes = (first, *[middle] * len(network.hidden), last)
    params, X, Y = DeepProblem(m=m, sizes=sizes, network=network, seed=seed).rows
    hidden = tuple(g.name for g in network.hidden)
    loss = symbolic.deep_loss(hidden, (network.output.name, network.decay), 0)
    with jax.enable_x64(True):
        expected = {name: np.asarray(value) for name, value in xla(loss)(params, X, Y).items()}
    unit = max(np.abs(value).max() for value in expected.values())
    found = symbolic.gradients(loss, 0, params, X, Y)
    for name, value in expected.items():
        assert found[name].shape == value.shape
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-13 * unit, err_msg=name)
