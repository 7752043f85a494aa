"""One mutant's network with its data, in one layout: whether the mistake shows there, and where first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck import Report, check_gradients, constant
from gradcheck.adapters import as_claim
from gradcheck.claim import Claim
from manual.types import Array, Arrays
from properties.mistakes.layouts import LAYOUTS, Layout
from properties.mistakes.mutant import Mutant, gradients
from properties.mistakes.network import LINES, Network
from properties.mistakes.rights import RIGHT
from properties.problems import DEGENERATE, SEEDS, Problem, Shape

VISIBLE = 1e-6  # relative error that a PASS in float64 must have been able to see
DECAY = 0.1  # of penalised weights
KEPT = 0.75  # of the units under dropout
LENGTHS = ("m", "n0", "n1", "n2")


@dataclass(frozen=True)
class Case:
    """A mutant's network on a problem. of_inputs: X is differentiated as well."""

    layout: Layout
    problem: Problem
    loss: str
    hidden: str
    penalised: bool
    dropped: bool
    of_inputs: bool

    @property
    def network(self) -> Network:
        return Network(
            layout=self.layout,
            loss=self.loss,
            hidden=self.hidden,
            decay=DECAY if self.penalised else 0.0,
            mask=self.layout.turned(self._mask()) if self.dropped else 1.0,
        )

    @property
    def data(self) -> tuple[Arrays, Array, Array]:
        """Parameters, X and Y, laid out."""
        params, X, Y = self.problem.rows
        if self.loss == "softmax":
            Y = np.eye(Y.shape[1])[np.arange(len(Y)) % Y.shape[1]]
        return self.layout.of_rows(params), self.layout.turned(X), self.layout.turned(Y)

    def _mask(self) -> Array:
        m, _, n1, _ = self.problem.shape
        return (np.random.default_rng(self.problem.seed).random((m, n1)) < KEPT) / KEPT

    def gradients(self, mutant: Mutant) -> Callable[[Arrays, Array, Array], Arrays]:
        return gradients(mutant, self.network, self.of_inputs)

    def call(self, mutant: Mutant, closed_over: bool = False) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments of `check_gradients`. closed_over: the data are no inputs, so that m is not known."""
        cost, gradients, (params, X, Y) = self.network.cost, self.gradients(mutant), self.data
        if closed_over and not self.of_inputs:
            called = (lambda params: cost(params, X, Y), params)
            return called, {"gradients": lambda params: gradients(params, X, Y)}
        x = X if self.of_inputs else constant(X)
        return (cost, params, x, constant(Y)), {"gradients": gradients, "names": ("params", "X", "Y")}

    def claim(self, mutant: Mutant) -> Claim:
        (target, *inputs), options = self.call(mutant)
        return as_claim(target, tuple(inputs), **options)

    def check(self, mutant: Mutant, closed_over: bool = False) -> Report:
        arguments, options = self.call(mutant, closed_over)
        return check_gradients(*arguments, **options)

    def errors(self, mutant: Mutant) -> dict[str, float]:
        """How wrong each quantity is, relative to its largest entry; infinite for a wrong shape."""
        right = self.gradients(RIGHT)(*self.data)
        wrong = self.gradients(mutant)(*self.data)
        return {name: _error(value, right[name]) for name, value in wrong.items()}

    def error(self, mutant: Mutant) -> float:
        """How wrong the worst gradient of an input or parameter is."""
        return max(e for name, e in self.errors(mutant).items() if name not in ("dZ2", "dA1", "dZ1"))

    def visible(self, mutant: Mutant) -> bool:
        return self.error(mutant) > VISIBLE

    def first_wrong(self, mutant: Mutant) -> set[str | None]:
        """The first quantity in backward order that is wrong here, and what else may be called so.

        None where every gradient that is asked for is right, whatever stands in between.
        """
        if not self.visible(mutant):
            return {None}
        errors = self.errors(mutant)
        return {next(name for name in LINES if errors.get(name, 0) > VISIBLE), *mutant.also_first}


def _error(wrong: Array, right: Array) -> float:
    if wrong.shape != right.shape or not np.isfinite(wrong).all():
        return float("inf")
    gap, size = float(np.abs(wrong - right).max()), float(np.abs(right).max())
    return gap / size if size else float("inf") if gap else 0.0


def case(
    mutant: Mutant,
    layout: Layout,
    shape: Shape,
    seed: int,
    loss: str = "",
    hidden: str = "",
    soft_labels: bool = False,
) -> Case:
    """A network in which the mistake can be made, in the shape next to this one in which its code runs."""
    lengths: dict[str, int] = dict(zip(LENGTHS, shape, strict=True))
    if mutant.equal:
        lengths |= dict.fromkeys(mutant.equal, lengths[mutant.equal[-1]])
    m, n0, n1, n2 = lengths.values()
    return Case(
        layout=layout,
        problem=Problem(shape=(m, n0, n1, n2), seed=seed, soft_labels=soft_labels),
        loss=loss or mutant.losses[0],
        hidden=hidden or mutant.hidden[0],
        penalised=mutant.penalised,
        dropped=mutant.dropped,
        of_inputs=mutant.of_inputs,
    )


def drawn(mutant: Mutant, layout: Layout, seed: int) -> Case:
    """A random case in which the shapes hide nothing but what the mutant's own code needs."""
    rng = np.random.default_rng(seed)
    lengths = [int(n) for n in rng.choice(np.arange(2, 9), 4, replace=False)]
    return case(
        mutant,
        layout,
        telling(lengths),
        seed,
        loss=str(rng.choice(mutant.losses)),
        hidden=str(rng.choice(mutant.hidden)),
        soft_labels=bool(rng.integers(2)),
    )


def telling(lengths: list[int]) -> Shape:
    """Four different lengths from 2 on as a shape with m and n_out at least 3: 2 can only be n0."""
    n0 = min(lengths)
    m, n1, n2 = (length for length in lengths if length != n0)
    return (m, n0, n1, n2)


@st.composite
def cases(draw: st.DrawFn, mutants: tuple[Mutant, ...], hiding: bool = False) -> tuple[Mutant, Case]:
    """A mutant and a case of it. hiding: in shapes that hide some mistakes."""
    mutant = draw(st.sampled_from(mutants))
    four = st.lists(st.integers(2, 5), min_size=4, max_size=4, unique=True)
    return mutant, case(
        mutant,
        draw(st.sampled_from(LAYOUTS)),
        draw(st.sampled_from(DEGENERATE)) if hiding else telling(draw(four)),
        draw(SEEDS),
        loss=draw(st.sampled_from(mutant.losses)),
        hidden=draw(st.sampled_from(mutant.hidden)),
        soft_labels=draw(st.booleans()),
    )
