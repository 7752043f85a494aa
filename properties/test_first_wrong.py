"""Networks of one to four hidden layers with one wrong line: that line is named, and no right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradcheck import Report, Verdict, check_gradients, constant
from manual.activations import ACTIVATIONS
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.losses import OUTPUTS
from manual.types import Array, Arrays
from properties.effort import one_in
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

    @property
    def in_layout(self) -> DeepRowMajor | DeepColumnMajor:
        net = self.network
        columns = DeepColumnMajor(hidden=net.hidden, output=net.output, decay=net.decay)
        return columns if self.columns else net

    def backward(self, params: Arrays, X: Array, Y: Array) -> Arrays:
        """The lecture's backward, one line of it wrong and everything after made of that."""
        net = self.in_layout
        cache = net.forward(params, X) | {"A0": X}
        found: Arrays = {}

        def put(name: str, right: Array, before: Array) -> Array:
            found[name] = self.slip.line(right, before) if self.slip and name == self.where else right
            return found[name]

        def inputs(W: Array, dZ: Array) -> Array:
            return W.T @ dZ if self.columns else dZ @ W.T

        delta = net.output.delta(cache[f"Z{net.last}"], Y, net.EXAMPLES)
        dZ = put(f"dZ{net.last}", delta, delta * cache[f"A{net.last}"])
        for layer in range(net.last, 0, -1):
            W, A = params[f"W{layer}"], cache[f"A{layer - 1}"]
            dW = dZ @ A.T if self.columns else A.T @ dZ
            put(f"dW{layer}", dW + net.decay * W, dW)
            first = dZ[:, :1] if self.columns else dZ[:1]
            put(f"db{layer}", dZ.sum(axis=net.EXAMPLES, keepdims=True), first)
            if layer > 1:
                right = inputs(W, dZ)
                dA = put(f"dA{layer - 1}", right, inputs(W.T, dZ) if W.shape[0] == W.shape[1] else 3 * right)
                slope = net.hidden[layer - 2].derivative(cache[f"Z{layer - 1}"])
                dZ = put(f"dZ{layer - 1}", dA * slope, dA)
        return found

    def report(self) -> Report:
        params, X, Y = self.in_its_layout()
        data = (constant(X), constant(Y))
        return check_gradients(self.in_layout.loss, params, *data, gradients=self.backward)

    def in_its_layout(self) -> tuple[Arrays, Array, Array]:
        params, X, Y = self.data()
        return (transposed(params), X.T, Y.T) if self.columns else (params, X, Y)


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
    data = problem.in_its_layout()
    wrong, right = problem.backward(*data), replace(problem, slip=None).backward(*data)
    changed = {name for name, value in right.items() if not near(wrong[name], value)}
    return problem.where in changed and any("W" in name or "b" in name for name in changed)


def near(wrong: Array, right: Array) -> bool:
    size = np.abs(right).max() + np.abs(wrong).max()
    return wrong.shape == right.shape and bool(np.abs(wrong - right).max() <= 1e-6 * size)


@one_in(10)
@given(problem=slipped())
def test_the_wrong_line_is_the_first_wrong_one(problem: Slipped):
    report = problem.report()
    if report.verdict is Verdict.FAIL and visible(problem):
        assert report.first_wrong == problem.where, str(report)
    elif not visible(problem):
        assert report.verdict is not Verdict.FAIL, str(report)


@one_in(8)
@given(problem=slipped(wrong=False))
def test_a_right_backward_has_no_first_wrong_line(problem: Slipped):
    report = problem.report()
    assert report.verdict is not Verdict.FAIL, report
    assert report.first_wrong is None
