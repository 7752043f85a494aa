"""The user's world is left as it was found."""

import random
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import check_gradients, constant

X = np.random.default_rng(0).standard_normal((3, 4))


def legacy_state() -> bytes:
    return np.random.get_state(legacy=True)[1].tobytes()  # type: ignore[index]


def world(given, data):
    """Everything that a check could have changed."""
    return (
        given.tobytes(),
        data["scale"].tobytes(),
        legacy_state(),
        random.getstate(),
        np.geterr(),
        list(warnings.filters),
        jax.config.read("jax_enable_x64"),
        jnp.asarray(X).dtype,
    )


def noisy_user_code(x, c):
    """Draws from every global generator, as a forward with dropout may."""
    np.random.rand(3)
    random.random()
    c["scale"][:] = 1.0  # writes into its data
    x *= 1.0
    return np.tanh(x) * c["scale"]


@pytest.mark.parametrize("reference", [None, lambda x, c: jnp.tanh(x) * c["scale"]], ids=["numpy", "jax"])
def test_nothing_of_the_users_is_changed(reference):
    given, data = X.copy(), {"scale": np.full(4, 1.0)}
    np.random.seed(5)
    random.seed(5)
    before = world(given, data)
    report = check_gradients(
        noisy_user_code,
        given,
        constant(data),
        vjp=lambda u, x, c: u * (1 - np.tanh(x) ** 2) * c["scale"],
        reference=reference,
    )
    assert report
    assert world(given, data) == before


def test_the_generators_are_restored_after_an_exception_too():
    def broken(x):
        np.random.rand()
        raise RuntimeError("mine")

    np.random.seed(1)
    state = legacy_state()
    with pytest.raises(RuntimeError, match="mine"):
        check_gradients(broken, X, gradients=lambda x: x)
    assert legacy_state() == state
    assert not jax.config.read("jax_enable_x64")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_through_a_probe(interrupt):
    def f(x):
        if not np.array_equal(x, X):
            raise interrupt
        return (x**2).sum()

    with pytest.raises(interrupt):
        check_gradients(f, X, gradients=lambda x: 2 * x)


def test_what_a_probe_raised_is_named_where_nothing_could_be_learned():
    def f(x):
        if not np.array_equal(x, X):
            raise ValueError("only at the first point")
        return sum(float(entry) ** 2 for entry in x.ravel())

    report = check_gradients(f, X, gradients=lambda x: 2 * x)
    assert report.reason is not None
    assert report.reason.value == "OUT_OF_DOMAIN"
    assert "at a probe the forward raised ValueError: only at the first point" in " ".join(
        str(report).split()
    )
