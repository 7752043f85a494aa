"""Networks of one to four hidden layers with one wrong line: that line is named, and nothing in a right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import Report, Verdict, check_gradients, constant
from manual.activations import ACTIVATIONS
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.losses import OUTPUTS
from manual.types import Array, Arrays
from properties.problems import SEEDS, transposed
from properties.test_deep import labels

# gelu is no line of NumPy: math.erfc takes its numbers out of the record.
RECORDED = tuple(g for g in ACTIVATIONS if g.name not in ("gelu", "identity"))
M = 4
Wrong = Callable[[Array, Array], Array]  # from the right value of a line and what it is made of


@dataclass(frozen=True)
class Slip:
    """One wrong line: what it makes of the right value, and the line before it where that matters."""

    name: str
    line: Callable[..., Array]
    lines: tuple[str, ...]  # kinds of line that it can be made in


SLIPS = (
    Slip("factor", lambda right, before: 2 * right, ("dZ", "dW", "db", "dA")),
    Slip("sign", lambda right, before: -right, ("dZ", "dW", "db", "dA")),
    Slip("1/m again", lambda right, before: right / M, ("dZ", "dW", "db", "dA")),
    Slip("zero", lambda right, before: np.zeros_like(right), ("dZ", "dW", "db", "dA")),
    Slip("transposed", lambda right, before: right.T, ("dW",)),
    Slip("missing activation", lambda right, before: before, ("dZ",)),
    Slip("activation twice", lambda right, before: right * right / np.where(before == 0, 1, before), ("dZ",)),
    Slip("W for W.T", lambda right, before: before, ("dA",)),
    Slip("first example only", lambda right, before: before, ("db",)),
)


@dataclass(frozen=True)
class Slipped:
    """A deep network, its data, and the line that goes wrong; sizes are equal where a slip needs it."""

    network: DeepRowMajor
    sizes: tuple[int, ...]
    seed: int
    slip: Slip | None
    where: str
    columns: bool

    def data(self) -> tuple[Arrays, Array, Array]:
        rng = np.random.default_rng(self.seed)
        params = self.network.initialise(self.sizes, self.seed)
        for name in params:
            params[name] = rng.standard_normal(params[name].shape)
        X = rng.standard_normal((M, self.sizes[0]))
        return params, X, labels(rng, self.network.output, (M, self.sizes[-1]))

    def backward(self, params: Arrays, X: Array, Y: Array) -> Arrays:
        """The lecture's backward in rows, one line of it wrong and everything after made of that."""
        net, cache = self.network, self.network.forward(params, X) | {"A0": X}
        found: Arrays = {}

        def put(name: str, right: Array, before: Array) -> Array:
            found[name] = self.slip.line(right, before) if self.slip and name == self.where else right
            return found[name]

        delta = net.output.delta(cache[f"Z{net.last}"], Y, net.EXAMPLES)
        dZ = put(f"dZ{net.last}", delta, delta * cache[f"A{net.last}"])
        for layer in range(net.last, 0, -1):
            W, A = params[f"W{layer}"], cache[f"A{layer - 1}"]
            put(f"dW{layer}", A.T @ dZ + net.decay * W, A.T @ dZ)
            put(f"db{layer}", dZ.sum(axis=0, keepdims=True), dZ[:1])
            if layer > 1:
                dA = put(f"dA{layer - 1}", dZ @ W.T, dZ @ W if W.shape[0] == W.shape[1] else 3 * dZ @ W.T)
                slope = net.hidden[layer - 2].derivative(cache[f"Z{layer - 1}"])
                dZ = put(f"dZ{layer - 1}", dA * slope, dA)
        return found

    def report(self) -> Report:
        params, X, Y = self.data()
        if not self.columns:
            return check_gradients(
                self.network.loss, params, constant(X), constant(Y), gradients=self.backward
            )
        net = self.network
        twin = DeepColumnMajor(hidden=net.hidden, output=net.output, decay=net.decay)
        return check_gradients(
            twin.loss,
            transposed(params),
            constant(X.T),
            constant(Y.T),
            gradients=lambda p, X, Y: transposed(self.backward(transposed(p), X.T, Y.T)),
        )


@st.composite
def slipped(draw: st.DrawFn, wrong: bool = True) -> Slipped:
    depth = draw(st.integers(1, 4), label="hidden layers")
    hidden = tuple(draw(st.sampled_from(RECORDED)) for _ in range(depth))
    network = DeepRowMajor(
        hidden=hidden, output=draw(st.sampled_from(OUTPUTS)), decay=draw(st.sampled_from((0.0, 0.3)))
    )
    width = draw(st.integers(2, 3))
    square = draw(st.booleans())
    sizes = (width,) * (depth + 2) if square else tuple(draw(st.integers(2, 4)) for _ in range(depth + 2))
    slip = draw(st.sampled_from(SLIPS)) if wrong else None
    kind = draw(st.sampled_from(slip.lines)) if slip else "dZ"
    lowest, highest = 1, depth if kind == "dA" or (slip and "activation" in slip.name) else depth + 1
    return Slipped(
        network=network,
        sizes=sizes,
        seed=draw(SEEDS),
        slip=slip,
        where=f"{kind}{draw(st.integers(lowest, highest))}",
        columns=draw(st.booleans()),
    )


def visible(problem: Slipped) -> bool:
    """Whether the line differs from the right one, and what is made of it does in some parameter."""
    params, X, Y = problem.data()
    right = Slipped(problem.network, problem.sizes, problem.seed, None, "", False).backward(params, X, Y)
    wrong = problem.backward(params, X, Y)
    changed = {
        name
        for name, value in right.items()
        if wrong[name].shape != value.shape
        or np.abs(wrong[name] - value).max() > 1e-6 * (np.abs(value).max() + np.abs(wrong[name]).max())
    }
    return problem.where in changed and any("W" in name or "b" in name for name in changed)


@given(problem=slipped())
def test_the_wrong_line_is_the_first_wrong_one(problem: Slipped):
    report = problem.report()
    if report.verdict is Verdict.FAIL and visible(problem):
        assert report.first_wrong == problem.where, report
    elif not visible(problem):
        assert report.verdict is not Verdict.FAIL, report


@given(problem=slipped(wrong=False))
def test_a_right_backward_has_no_first_wrong_line(problem: Slipped):
    report = problem.report()
    assert report.verdict is not Verdict.FAIL, report
    assert report.first_wrong is None
