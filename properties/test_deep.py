"""Any number of hidden layers, any activations, every output, with and without weight decay.

JAX traces each architecture once, so those are drawn from a pool; shapes are symbolic and free.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import check_gradients, constant
from gradcheck.report import Report
from gradcheck.verdict import Verdict
from manual import row_major
from manual.activations import ACTIVATIONS, SIGMOID, Activation
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.initialisation import zero
from manual.losses import OUTPUTS, SOFTMAX, Output
from manual.training import gradient_descent
from manual.types import Array, Arrays, Network
from properties import symbolic
from properties.effort import one_in
from properties.problems import LARGEST, SEEDS, transposed

HIDDEN: tuple[tuple[Activation, ...], ...] = (
    *((g,) for g in ACTIVATIONS),
    *((first, second) for first, second in zip(ACTIVATIONS, ACTIVATIONS[::-1], strict=True)),
    ACTIVATIONS[:3],
    ACTIVATIONS[3:6],
    (SIGMOID,) * 3,
    ACTIVATIONS[1:5],
    ACTIVATIONS[3:],
    ACTIVATIONS[:4],
)
DECAYS = (0.0, 0.3)
# Every output meets every number of layers, and so does weight decay; not every pair of the two does.
POOL = tuple(
    DeepRowMajor(hidden=hidden, output=output, decay=decay)
    for hidden, output, decay in zip(HIDDEN, itertools.cycle(OUTPUTS), itertools.cycle(DECAYS), strict=False)
)


def test_every_output_and_decay_meets_every_number_of_layers():
    depths = range(1, 5)
    assert {(len(n.hidden), n.output.name) for n in POOL} == {(d, o.name) for d in depths for o in OUTPUTS}
    assert {(len(n.hidden), n.decay) for n in POOL} == {(d, decay) for d in depths for decay in DECAYS}


def columns_of(network: DeepRowMajor) -> DeepColumnMajor:
    return DeepColumnMajor(hidden=network.hidden, output=network.output, decay=network.decay)


@dataclass(frozen=True)
class DeepProblem:
    """m examples through a network of the given sizes; the numbers follow from the seed."""

    m: int
    sizes: tuple[int, ...]
    network: DeepRowMajor
    seed: int

    @property
    def rows(self) -> tuple[Arrays, Array, Array]:
        rng = np.random.default_rng(self.seed)
        params = self.network.initialise(self.sizes, self.seed)
        for name in params:
            if name.startswith("b"):
                params[name] = rng.standard_normal(params[name].shape)
        X = rng.standard_normal((self.m, self.sizes[0]))
        return params, X, labels(rng, self.network.output, (self.m, self.sizes[-1]))


def labels(rng: np.random.Generator, output: Output, shape: tuple[int, int]) -> Array:
    """Soft labels; for a softmax they sum to 1."""
    return rng.dirichlet(np.ones(shape[1]), shape[0]) if output is SOFTMAX else rng.random(shape)


@st.composite
def deep_problems(draw: st.DrawFn, largest: int = LARGEST) -> DeepProblem:
    network = draw(st.sampled_from(POOL), label="network")
    lengths = st.integers(1, largest)
    sizes = draw(st.tuples(*[lengths] * (len(network.hidden) + 2)), label="sizes")
    return DeepProblem(m=draw(lengths), sizes=sizes, network=network, seed=draw(SEEDS))


def hand(network: Network, params: Arrays, X: Array, Y: Array) -> Arrays:
    return network.backward(params, network.forward(params, X), X, Y)


@given(problem=deep_problems())
def test_hand_derived_gradients_are_those_of_jax_in_both_layouts(problem: DeepProblem):
    params, X, Y = problem.rows
    network = problem.network
    names, output = tuple(g.name for g in network.hidden), (network.output.name, network.decay)
    rows = hand(network, params, X, Y)
    columns = hand(columns_of(network), transposed(params), X.T, Y.T)
    by_rows = symbolic.deep_gradients(names, output, params, X, Y, examples=0)
    by_columns = symbolic.deep_gradients(names, output, transposed(params), X.T, Y.T, examples=1)
    largest = max(np.abs(value).max() for value in by_rows.values())
    for name, expected in by_rows.items():
        # Deep sums cancel: a leaf is judged in units of the whole gradient.
        np.testing.assert_allclose(rows["d" + name], expected, rtol=0, atol=1e-12 * largest)
        np.testing.assert_allclose(columns["d" + name], by_columns[name], rtol=0, atol=1e-12 * largest)
        np.testing.assert_allclose(columns["d" + name].T, rows["d" + name], rtol=0, atol=1e-12 * largest)


def judged(problem: DeepProblem, oracle: str) -> Report:
    params, X, Y = problem.rows
    network = problem.network
    return check_gradients(
        network.loss,
        params,
        constant(X),
        constant(Y),
        gradients=lambda params, X, Y: hand(network, params, X, Y),
        oracles=oracle,
    )


@one_in(3)
@given(problem=deep_problems(largest=3))
def test_finite_differences_never_accuse_a_deep_network(problem: DeepProblem):
    report = judged(problem, "finite-difference")
    assert report.verdict is not Verdict.FAIL, report


@one_in(2)
@given(problem=deep_problems())
def test_the_recorded_forward_of_a_deep_network_gives_its_gradient(problem: DeepProblem):
    report = judged(problem, "autodiff")
    # `math.erfc` of a number takes it out of the trace: the check has no oracle left then, and says so.
    lost = any(g.name == "gelu" for g in problem.network.hidden)
    assert report.verdict is (Verdict.UNDECIDED if lost else Verdict.PASS), report


@given(problem=deep_problems(), data=st.data())
def test_the_gradient_of_a_batch_is_the_weighted_mean_of_its_parts(problem: DeepProblem, data: st.DataObject):
    params, X, Y = problem.rows
    network, m = problem.network, problem.m
    cut = data.draw(st.integers(0, m), label="first part")
    parts = [(part, len(X[part]) / m) for part in (slice(cut), slice(cut, m)) if len(X[part])]
    whole = hand(network, params, X, Y)
    largest = max(np.abs(value).max() for value in whole.values())
    for name in params:
        mean = sum(share * hand(network, params, X[part], Y[part])["d" + name] for part, share in parts)
        np.testing.assert_allclose(mean, whole["d" + name], rtol=0, atol=1e-12 * largest)


@given(problem=deep_problems(), data=st.data())
def test_permuting_the_units_of_a_layer_permutes_their_gradients(problem: DeepProblem, data: st.DataObject):
    params, X, Y = problem.rows
    layer = data.draw(st.integers(1, len(problem.network.hidden)), label="layer")
    order = np.random.default_rng(problem.seed).permutation(problem.sizes[layer])

    def permuted(arrays: Arrays) -> Arrays:
        names = {f"W{layer}": np.s_[:, order], f"b{layer}": np.s_[:, order], f"W{layer + 1}": np.s_[order]}
        return {name: value[names[name]] if name in names else value for name, value in arrays.items()}

    whole = hand(problem.network, params, X, Y)
    moved = hand(problem.network, permuted(params), X, Y)
    largest = max(np.abs(value).max() for value in whole.values())
    for name, value in permuted({name: whole["d" + name] for name in params}).items():
        np.testing.assert_allclose(moved["d" + name], value, rtol=0, atol=1e-12 * largest)


@given(problem=deep_problems(largest=4))
def test_from_zero_weights_the_units_of_every_hidden_layer_stay_equal_for_ever(problem: DeepProblem):
    """`slides`, "Random Initialization": each step keeps what the last one left equal."""
    _, X, Y = problem.rows
    network = problem.network
    start = network.initialise(problem.sizes, problem.seed, zero)
    trained = gradient_descent(network, start, X, Y, learning_rate=0.1, epochs=20).params
    for layer in range(1, len(network.hidden) + 1):
        units = np.concatenate([trained[f"W{layer}"], trained[f"b{layer}"], trained[f"W{layer + 1}"].T])
        largest = np.abs(units).max()
        assert np.ptp(units, axis=1).max() <= 1e-13 * largest


# At z and at g(z) these have the same derivative: no mistake to see.
BLIND = ("identity", "relu", "leaky_relu")


@pytest.mark.parametrize(
    "network",
    [network for network in POOL if network.hidden[-1].name not in BLIND],
    ids=lambda network: "-".join(g.name for g in network.hidden),
)
def test_a_derivative_taken_at_the_activation_is_convicted(network):
    last_hidden = len(network.hidden)
    problem = DeepProblem(m=5, sizes=(3, *range(4, 4 + last_hidden), 2), network=network, seed=1)
    params, X, Y = problem.rows

    def wrong(params, X, Y):
        cache = network.forward(params, X)
        return network.backward(params, cache | {f"Z{last_hidden}": cache[f"A{last_hidden}"]}, X, Y)

    report = check_gradients(network.loss, params, constant(X), constant(Y), gradients=wrong)
    assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize("network", [n for n in POOL if n.decay], ids=lambda n: n.output.name)
def test_a_forgotten_penalty_is_convicted(network):
    sizes = (3, *range(4, 4 + len(network.hidden)), 2)
    params, X, Y = DeepProblem(m=5, sizes=sizes, network=network, seed=2).rows
    without = DeepRowMajor(hidden=network.hidden, output=network.output)
    report = check_gradients(
        network.loss, params, constant(X), constant(Y), gradients=lambda *at: hand(without, *at)
    )
    wrong = {leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL}
    assert wrong == {f"params['{name}']" for name in params if name.startswith("W")}


def test_one_sigmoid_hidden_layer_is_the_two_layer_network():
    network = DeepRowMajor(hidden=(SIGMOID,))
    params, X, Y = DeepProblem(m=5, sizes=(3, 4, 2), network=network, seed=3).rows
    shallow = hand(row_major, params, X, Y)
    deep = hand(network, params, X, Y)
    assert deep.keys() == shallow.keys()
    for name, value in shallow.items():
        np.testing.assert_array_equal(deep[name], value)
