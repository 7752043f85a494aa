"""The JAX reference: a second path, in float64, that leaves JAX's configuration alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import reference
from manual import column_major, row_major

LAYOUTS = pytest.mark.parametrize(
    ("network", "loss"),
    [(row_major, reference.row_major_loss), (column_major, reference.column_major_loss)],
    ids=["row-major", "column-major"],
)


def problem(network):
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((6, 3)), rng.random((6, 2))
    params = {name: value + 0.1 for name, value in network.initialise((3, 4, 2), seed=0).items()}
    return (params, X, Y) if network is row_major else (params, X.T, Y.T)


@LAYOUTS
def test_jax_agrees_with_the_hand_derivation_and_is_another_path(network, loss):
    params, X, Y = problem(network)
    hand = network.backward(params, network.forward(params, X), X, Y)
    found = reference.gradients(loss, params, X, Y)
    for name, value in found.items():
        assert value.dtype == np.float64
        np.testing.assert_allclose(hand["d" + name], value, rtol=0, atol=1e-12 * np.abs(value).max())
    # Were they one computation, they would agree to the last bit.
    assert any(not np.array_equal(hand["d" + name], found[name]) for name in found)


@LAYOUTS
def test_the_reference_computes_the_same_loss(network, loss):
    params, X, Y = problem(network)
    with jax.enable_x64(True):
        value = float(loss({name: jnp.asarray(v) for name, v in params.items()}, X, Y))
    assert value == pytest.approx(float(network.loss(params, X, Y)), rel=1e-14)


def test_jax_stays_in_the_precision_it_was_in():
    assert not jax.config.read("jax_enable_x64")
    params, X, Y = problem(row_major)
    reference.gradients(reference.row_major_loss, params, X, Y)
    assert not jax.config.read("jax_enable_x64")
    assert jnp.asarray(X).dtype == jnp.float32


@pytest.mark.parametrize("z", [-700.0, -40.0, 0.0, 40.0, 700.0])
def test_the_references_sigmoid_has_an_exact_derivative_in_both_tails(z):
    with jax.enable_x64(True):
        slope = float(jax.grad(reference.sigmoid)(jnp.asarray(z)))
    assert slope == pytest.approx(np.exp(-abs(z)) / (1 + np.exp(-abs(z))) ** 2, rel=1e-14, abs=0)
