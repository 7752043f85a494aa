"""What gradient descent with the hand-derived gradients learns, and from which weights."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.demo.agreement import three_ways
from gradcheck.report import Report
from manual import boolean, initialisation, row_major, slides, squared, xor
from manual.activations import SIGMOID, activation_named
from manual.deep_row_major import DeepRowMajor
from manual.training import gradient_descent, mini_batches
from manual.types import Array, Arrays, Network

LEARNING_RATE = 1.0
EPOCHS = 3000
SEEDS = 16  # whose training is kept: two chapters begin at the same ones
TANH_RATE = 0.3  # tanh units are four times as steep as sigmoid ones at 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: where it began, the loss before each epoch and at the end, and what came of it.

    right: how many of the rows of the table come out right. unit_difference: the largest difference
    between the activations of two hidden units at the end; 0 means that they are one unit still.
    """

    start: str
    losses: list[float]
    right: int
    of: int
    unit_difference: float


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Some trainings of one network on one table, and what they teach; a check of where one got stuck."""

    title: str
    runs: tuple[Run, ...]
    remark: str
    stuck: Report | None = None


def shallow(seed: int) -> Lesson:
    """Random weights and zero biases, three seeds."""
    return Lesson(
        title="XOR by gradient descent, two hidden units, weights from N(0, 1)",
        runs=tuple(replace(_random(s)[0], start=f"seed {s}") for s in range(seed, seed + 3)),
        remark="Each epoch: W = W - learning rate * dL/dW, and B likewise.",
    )


def exclusive_or(seed: int) -> Lesson:
    """From random, zero and equal weights, and from the next seed that gets stuck."""
    from gradcheck import reference

    start = row_major.initialise((2, 2, 1), seed)
    random, _ = _random(seed)
    zero, _ = _xor("zero", {name: np.zeros_like(value) for name, value in start.items()})
    equal, _ = _xor("equal units", _equal_units(start, row_major.EXAMPLES))
    other, stuck, end = _first_stuck(seed)
    report = three_ways(row_major, reference.row_major_loss, end, xor.X, xor.Y, seed)
    return Lesson(
        title="XOR by gradient descent, two hidden units",
        runs=tuple({run.start: run for run in (random, zero, equal, stuck)}.values()),
        remark=(
            "At zero weights the gradient for XOR is exactly 0, so that nothing ever moves. Units that are "
            "equal at first, the second a copy of the first, do move, but get the same gradient in every "
            "epoch: they stay one unit, and one unit cannot learn XOR. Random weights break the tie, yet "
            f"about one seed in four gets stuck, as {other} does: it creeps along a valley without a "
            "minimum, in which the weights grow and the loss falls ever more slowly, for most such seeds "
            "toward ln(2)/2 = 0.347. The gradient there is right all the same:"
        ),
        stuck=report,
    )


def initialisations(seed: int) -> Lesson:
    """The same network from weights of four variances."""
    network = slides.network(activation_named("tanh"))
    starts = {
        "N(0, 1)": initialisation.unit,
        "1/n_in (LeCun; there 'Xavier')": initialisation.lecun,
        "2/(n_in+n_out) (Glorot)": initialisation.glorot,
        "zero": initialisation.zero,
    }
    weights = {name: network.initialise((2, 4, 1), seed, variance) for name, variance in starts.items()}
    weights["equal units"] = _equal_units(weights["N(0, 1)"], network.EXAMPLES)
    return Lesson(
        title="XOR with four tanh units, by variance of the first weights",
        runs=tuple(
            _learn(name, network, params, xor.X.T, xor.Y.T, TANH_RATE)[0] for name, params in weights.items()
        ),
        remark=(
            "What is equal at first stays equal for ever: four copies of a unit are one hidden unit, four "
            "times. At zero weights that is not even needed: with tanh units the gradient for XOR is exactly "
            "0 there."
        ),
    )


def layers(seed: int) -> Lesson:
    """The update rules of `rowmajor` for three and for four layers."""
    three = DeepRowMajor(hidden=(SIGMOID,))
    four = DeepRowMajor(hidden=(activation_named("tanh"), SIGMOID))
    table = boolean.X, boolean.Y
    return Lesson(
        title="the three-input table, sizes 3-4-1 and 3-4-4-1",
        runs=(
            _learn("three layers", three, three.initialise((3, 4, 1), seed), *table)[0],
            _learn("four layers", four, four.initialise((3, 4, 4, 1), seed), *table)[0],
        ),
        remark="Each epoch: W_l = W_l - learning rate * dW_l, and beta_l likewise, for every layer.",
    )


def squared_error(seed: int) -> Lesson:
    """Full batches, mini-batches and zero weights."""
    start = squared.initialise((3, 4, 1), seed)
    zero = {name: np.zeros_like(value) for name, value in start.items()}
    steps = mini_batches(
        squared, start, boolean.X, boolean.Y, learning_rate=LEARNING_RATE, batch_size=2, seed=seed
    )
    walked = list(itertools.chain([start], itertools.islice(steps, EPOCHS)))
    losses = [float(squared.loss(params, boolean.X, boolean.Y)) for params in walked]
    return Lesson(
        title="the three-input table with squared error, four hidden units",
        runs=(
            _learn(f"batch, seed {seed}", squared, start, boolean.X, boolean.Y)[0],
            _run(f"mini-batches of 2, seed {seed}", squared, walked[-1], losses, boolean.X, boolean.Y),
            _learn("zero", squared, zero, boolean.X, boolean.Y)[0],
        ),
        remark="A mini-batch steps twice an epoch here, over examples shuffled anew by the recorded seed.",
    )


def _first_stuck(seed: int) -> tuple[int, Run, Arrays]:
    """The first seed from the given one on whose training gets stuck, and where that is."""
    while True:
        run, end = _random(seed)
        if run.right < run.of:
            return seed, run, end
        seed += 1


def _equal_units(params: Arrays, examples: int) -> Arrays:
    """The same weights with every hidden unit a copy of the first."""
    unit_axis = {"W1": 1 - examples, "b1": 1 - examples, "W2": examples}
    copies = {
        name: np.zeros_like(params[name]) + params[name].take([0], axis) for name, axis in unit_axis.items()
    }
    return params | copies


@functools.lru_cache(maxsize=SEEDS)
def _random(seed: int) -> tuple[Run, Arrays]:
    """XOR from the random weights of a seed, and where that ends."""
    return _xor(f"random, seed {seed}", row_major.initialise((2, 2, 1), seed))


def _xor(start: str, params: Arrays) -> tuple[Run, Arrays]:
    return _learn(start, row_major, params, xor.X, xor.Y)


def _learn(
    start: str, network: Network, params: Arrays, X: Array, Y: Array, learning_rate: float = LEARNING_RATE
) -> tuple[Run, Arrays]:
    trained = gradient_descent(network, params, X, Y, learning_rate=learning_rate, epochs=EPOCHS)
    return _run(start, network, trained.params, trained.losses, X, Y), trained.params


def _run(start: str, network: Network, params: Arrays, losses: list[float], X: Array, Y: Array) -> Run:
    _, hidden, *_, outputs = network.forward(params, X).values()
    return Run(
        start=start,
        losses=losses,
        right=int(((outputs >= 0.5) == Y).sum()),
        of=Y.size,
        unit_difference=float(np.ptp(hidden, axis=1 - network.EXAMPLES).max()),
    )
