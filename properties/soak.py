"""One claim from one integer: a right gradient that must not be accused, or a wrong one that must be.

`right(seed)` and `wrong(seed)` draw them, `beyond(seed)` draws one that differences alone must see;
`.report()` judges. A right gradient is that of the smooth function underneath, to rounding, whatever
noise lies on top of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import check_gradients
from gradcheck.compare import relative
from gradcheck.examine import SENSITIVITY
from gradcheck.report import Report
from gradcheck.tree import Tree, iter_leaves, map_leaves
from gradcheck.verdict import LeafResult
from manual import column_major, row_major, squared
from manual.activations import ACTIVATIONS, Activation, activation_named
from manual.deep_column_major import DeepColumnMajor
from manual.deep_row_major import DeepRowMajor
from manual.initialisation import glorot
from manual.losses import OUTPUTS, SOFTMAX
from manual.types import Array, Arrays
from properties.elementary import KINKED, SMOOTH, Elementary, Scaled, scaled
from properties.problems import Problem

Rng = np.random.Generator
STREAMS = {"right": 0, "wrong": 1, "beyond": 2}  # what a seed is drawn for
FORMS = ("vjp", "function", "values", "pair")  # how a claim is handed over; the last three for one number
# May the forward be recorded, can it be, or are oracles named.
ACCESS = {
    "as written": "auto",
    "hidden": "auto",
    "differences": "finite-difference",
    "all": ("autodiff", "complex-step", "finite-difference"),
}
OFTEN = (0.35, 0.25, 0.3, 0.1)  # each is drawn
PLANTED = (-6.0, 0.0)  # decades of a planted error, relative to its leaf's largest entry
SMALLEST_ERROR = 1e-13  # what a right claim may be off by, where a limit is 0
OWN_SCALE = 16  # times an entry or a directional derivative that the largest one of the leaf may be
LARGEST = 1e5  # parameters of a problem with a planted error
NARROW = 0.1  # of the problems have inputs of half or single precision
UNFAITHFUL = 0.03  # of its size that an output may be off by in narrow arithmetic
NEWTON_STEPS = 60  # more than it takes to converge from anywhere
ITERATIONS = 400  # more than any tolerance takes, but in narrow arithmetic, which would go round for ever
# Largest entries that a width keeps, and a thousand times which it keeps as well.
REPRESENTABLE = {2: (1e-2, 10), 4: (1e-30, 1e30), 8: (0.0, np.inf)}

SMOOTH_ACTIVATIONS = tuple(g for g in ACTIVATIONS if "relu" not in g.name)
KINKED_ACTIVATIONS = tuple(g for g in ACTIVATIONS if "relu" in g.name)
WHOLE_LINE = tuple(f for f in SMOOTH if min(f.positive[1], f.negative[1]) >= 100)


@dataclass(frozen=True, kw_only=True)
class Question:
    """forward(inputs) -> array, and pullback(cotangent, inputs) -> its gradient in the form of the inputs.

    smooth: everything is float64 and nothing hides the derivative, so that it should be decided; from values
    alone it cannot be where `beneath`: an error that a PASS must see is less than their round-off.
    """

    family: str
    forward: Callable[[Any], Array]
    pullback: Callable[[Array, Any], Tree]
    inputs: Tree
    smooth: bool = True
    beneath: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question, and a claim that answers it; `leaf` and `entry` say where `error` was planted."""

    seed: int
    question: Question
    form: str
    access: str
    width: int = 8  # bytes of a claimed number
    leaf: int = 0
    entry: int = 0
    error: float = 0.0

    def report(self) -> Report:
        """What the checker says of it; the forward may overflow beside the point in silence."""
        oracles = ACCESS[self.access]
        with np.errstate(all="ignore"):
            target, claim = self._call()
            return check_gradients(target, self.question.inputs, oracles=oracles, seed=self.seed, **claim)

    def claimed(self, cotangent: Array, inputs: Tree) -> Tree:
        """The gradient in the width of the claim, with the planted error in its one entry."""
        position = itertools.count()

        def answer(_: str, gradient: Array) -> Array:
            if self.error and next(position) == self.leaf:
                # An addition, which can be recorded where a function returns its gradient with its value.
                spike = np.arange(gradient.size).reshape(gradient.shape) == self.entry
                gradient = gradient + self.error * np.abs(gradient).max() * spike
            return gradient if self.width == 8 else gradient.astype(f"f{self.width}")

        return map_leaves(answer, self.question.pullback(cotangent, inputs))

    def _call(self) -> tuple[Callable[[Any], Any], dict[str, Any]]:
        """The target, and the argument that carries the claim where the target does not."""
        one, inputs, forward = np.ones(()), self.question.inputs, self.question.forward
        if self.access == "hidden":
            forward = _unrecordable(forward)
        if self.form == "vjp":
            return forward, {"vjp": self.claimed}
        if self.form == "function":
            return forward, {"gradients": lambda x: self.claimed(one, x)}
        if self.form == "pair":
            return lambda x: (forward(x), self.claimed(one, x)), {"gradients": True}
        return forward, {
            "gradients": self.claimed(one, map_leaves(lambda _, leaf: leaf.astype(float), inputs))
        }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a case, small enough to be sent between processes.

    recorded: whether autodiff answered beside differences. limits: the detection limits of all leaves.
    beneath: whether values alone, which were all that was to be had, cannot show the derivative.
    """

    seed: int
    family: str
    smooth: bool
    verdict: str
    reason: str
    limits: tuple[float, ...] = ()
    recorded: bool = False
    beneath: bool = False
    parameters: int = 0
    error: float = 0.0


def judged(case: Case) -> Outcome:
    """The outcome of a case; an exception of the checker's is one of its own."""
    outcome = Outcome(
        seed=case.seed,
        family=case.question.family,
        smooth=case.question.smooth and case.width == 8,
        verdict="ERROR",
        reason="",
        parameters=sum(np.size(leaf) for _, leaf in iter_leaves(case.question.inputs)),
        error=case.error,
    )
    try:
        report = case.report()
    except Exception as error:  # noqa: BLE001 - a checker that raises has misjudged, and the rest is still asked
        return dataclasses.replace(outcome, reason=f"{type(error).__name__}: {error}")
    recorded = any(oracle.name == "autodiff" and oracle.available for oracle in report.oracles)
    return dataclasses.replace(
        outcome,
        verdict=report.verdict.value,
        reason=report.reason.value if report.reason else "",
        limits=tuple(leaf.detection_limit for leaf in report.leaves),
        recorded=recorded,
        beneath=case.question.beneath and not recorded,
    )


def right(seed: int) -> Case:
    """A right gradient from any family, in any form, with any access to the forward."""
    rng = _generator(seed, "right")
    weights = np.array([weight for _, weight in FAMILIES], dtype=float)
    family, _ = FAMILIES[rng.choice(len(FAMILIES), p=weights / weights.sum())]
    question = family(rng)
    width = 8
    if rng.random() < NARROW:
        width = int(rng.choice([2, 4]))
        question = _of_width(question, width)
    return Case(
        seed=seed,
        question=question,
        form=_form(rng, question),
        access=str(rng.choice(list(ACCESS), p=OFTEN)),
        width=_width(question, int(rng.choice([8, width]))),
    )


def wrong(seed: int, largest: float = LARGEST) -> Case:
    """A gradient of up to that many entries with an error of 1e-6 or more in one of them."""
    rng = _generator(seed, "wrong")
    question = _any(rng, SIZED)(rng, int(largest ** rng.uniform()))
    case = Case(seed=seed, question=question, form=_form(rng, question), access="as written")
    return _planted(case, rng, 10 ** rng.uniform(*PLANTED))


def beyond(seed: int) -> Case | None:
    """An error above what differences alone say they see in that leaf; None where they say nothing."""
    rng = _generator(seed, "beyond")
    question = _any(rng, BEYOND)(rng)
    sizes: list[float] = []  # the largest entry of the gradient of the leaf, at every call

    def watched(cotangent: Array, inputs: Tree) -> Tree:
        gradient = question.pullback(cotangent, inputs)
        sizes.append(float(np.abs([leaf for _, leaf in iter_leaves(gradient)][case.leaf]).max()))
        return gradient

    # Where a function returns its gradient too, the branches of that limit the steps: it is left out.
    form = _form(rng, question).replace("pair", "values")
    case = _planted(Case(seed=seed, question=question, form=form, access="differences"), rng, 0.0)
    leaf = dataclasses.replace(case, question=dataclasses.replace(question, pullback=watched)).report().leaves
    limit = _limit(leaf[case.leaf], sizes[0])
    return dataclasses.replace(case, error=limit * 10 ** rng.uniform(0, 3)) if limit else None


def _limit(leaf: LeafResult, largest: float) -> float:
    """The detection limit in units of the gradient's largest entry, 0 where there is none.

    Where no gradient is seen, a limit is on the scale of the function, which is another one.
    """
    gap = abs(leaf.claimed - leaf.expected)
    scale = gap / leaf.error if leaf.error else 0.0
    own = abs(leaf.expected) if leaf.worst_index is None else largest
    if leaf.remark or not np.isfinite(leaf.detection_limit) or scale > OWN_SCALE * own:
        return 0.0
    # Noise may make an entry of the estimate, to which the limit is relative, larger than any is.
    return max(leaf.detection_limit * max(1.0, relative(scale, own)), SMALLEST_ERROR)


def _generator(seed: int, purpose: str) -> Rng:
    return np.random.default_rng([STREAMS[purpose], seed])


def _form(rng: Rng, question: Question) -> str:
    with np.errstate(all="ignore"):
        single = np.shape(question.forward(question.inputs)) == ()
    return str(rng.choice(FORMS if single else FORMS[:1]))


def _planted(case: Case, rng: Rng, error: float) -> Case:
    leaves = [leaf for _, leaf in iter_leaves(case.question.inputs)]
    leaf = int(rng.integers(len(leaves)))
    return dataclasses.replace(case, leaf=leaf, entry=int(rng.integers(np.size(leaves[leaf]))), error=error)


# --- forms


def _unrecordable(forward: Callable[[Any], Array]) -> Callable[[Any], Array]:
    """The same numbers by way of Python's own floats, which no record can follow."""

    def numbers(_: str, leaf: Array) -> Array:
        return np.array([float(value) for value in np.ravel(leaf)]).reshape(np.shape(leaf))

    return lambda inputs: forward(map_leaves(numbers, inputs))


def _of_width(question: Question, width: int) -> Question:
    """The same question at a point in a narrower type; the gradient is that in float64 at these numbers."""
    sizes = np.abs(np.concatenate([np.ravel(leaf) for _, leaf in iter_leaves(question.inputs)]))
    if not all(_fits(size, width) for size in sizes[sizes > 0]):
        return question
    narrow = map_leaves(lambda _, leaf: leaf.astype(f"f{width}"), question.inputs)
    return dataclasses.replace(question, inputs=narrow, smooth=False)


def _fits(size: float, width: int) -> bool:
    low, high = REPRESENTABLE[width]
    return low <= size <= high


def _width(question: Question, width: int) -> int:
    """The bytes of a claimed number: fewer only where that rounds every gradient asked for, and no more."""
    with np.errstate(all="ignore"):
        output = np.asarray(question.forward(question.inputs))
        gradients = question.pullback(np.ones(output.shape), question.inputs)
    sizes = [float(np.abs(gradient).max(initial=0)) for _, gradient in iter_leaves(gradients)]
    return width if all(_fits(size, width) for size in sizes) else 8


# --- elementary functions


def _elementwise(rng: Rng, family: str, f: Scaled, x: Array, slope: Callable[[Array], Array]) -> Question:
    """f of an array, f of a number, or a weighted sum of f."""
    layout = rng.choice(["array", "number", "sum"])
    if layout == "number":
        x = np.array(x[0])
    if layout != "sum":
        return Question(family=family, forward=f.function, pullback=lambda u, x: u * slope(x), inputs=x)
    c = rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 2.0, x.shape)
    return Question(
        family=family,
        forward=lambda x: (c * f.function(x)).sum(),
        pullback=lambda u, x: u * (c * slope(x)),
        inputs=x,
    )


def elementary(rng: Rng) -> Question:
    """A smooth function at arguments of ordinary size, by itself."""
    f = _any(rng, SMOOTH)
    x = f.draw(rng, _length(rng), ordinary=True)
    return _elementwise(rng, "elementary", Scaled(f), x, f.derivative)


def over_scales(rng: Rng) -> Question:
    """a f(b x) with x, f and f' anywhere in 600 decades, all arguments of one size or each of its own."""
    f = _any(rng, SMOOTH)
    y = f.draw(rng, _length(rng), ordinary=bool(rng.random() < 0.5))
    if rng.random() < 0.5:
        near = y[0] * rng.uniform(0.9, 1.0, y.shape)
        with np.errstate(all="ignore"):
            y = np.where(np.isfinite(f.function(near)), near, y[0])  # not all domains reach down to zero
    g = scaled(f, y, rng)
    question = _elementwise(rng, "elementary over 600 decades", g, y / g.inner, g.derivative)
    return dataclasses.replace(question, beneath=_beneath(g, y[: question.inputs.size]))


def _beneath(g: Scaled, y: Array) -> bool:
    """Whether the values' round-off, over steps as long as g varies over, is a larger error of some entry's
    derivative than a PASS must have seen, relative to the largest. Where g ends at 0 it varies over y."""
    over = 0.0 if 0.0 in (g.f.positive[1], g.f.negative[1]) else 1.0
    with np.errstate(all="ignore"):
        size = np.abs(g.function(y / g.inner)).sum()
        largest = np.abs(g.derivative(y / g.inner)).max()
        varies_over = np.maximum(np.abs(y), over) / g.inner
        return bool((np.finfo(float).eps * size / varies_over > SENSITIVITY[8] * largest).any())


def beside_kinks(rng: Rng) -> Question:
    """A function with kinks, at arguments where it has none."""
    f = _any(rng, KINKED)
    x = f.draw(rng, _length(rng), ordinary=True)
    question = _elementwise(rng, "beside kinks", Scaled(f), x, f.derivative)
    return dataclasses.replace(question, smooth=False)


def at_ties(rng: Rng) -> Question:
    """A function with kinks, at them in some entries; the claim is any slope between the one-sided two."""
    f = _any(rng, tuple(f for f in KINKED if f.ties))
    y = f.draw(rng, _length(rng), ordinary=True)
    at, left, right = f.ties[rng.integers(len(f.ties))]
    y[: rng.integers(1, y.size + 1)] = at
    g = Scaled(f, *(10.0 ** rng.integers(-12, 13, 2)))
    x = y / g.inner
    tied = x[0]
    if g.inner * tied != at:  # rounded beside the kink
        g, x, tied = Scaled(f), y, at
    between = left + rng.choice([0.0, 1.0, 0.5, rng.random()]) * (right - left)

    def slope(x: Array) -> Array:
        return np.where(x == tied, g.outer * (g.inner * between), g.derivative(x))

    return dataclasses.replace(_elementwise(rng, "at ties", g, x, slope), smooth=False)


def stiff(rng: Rng) -> Question:
    """Functions that vary over a thousandth of their argument, or by decades over all of it."""
    rate = float(10 ** rng.uniform(0.5, 1.5))
    f = _any(
        rng,
        (
            Elementary("stiff exp", lambda x: np.exp(rate * x), lambda x: rate * np.exp(rate * x)),
            Elementary("sin(1000 x)", lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
            Elementary("oscillation", lambda x: np.cos(rate * x), lambda x: -rate * np.sin(rate * x)),
            Elementary("pole", lambda x: 1 / (x - 3.5), lambda x: -((x - 3.5) ** -2.0)),
            Elementary(
                "Runge",
                lambda x: 1 / (1 + (rate * x) ** 2),
                lambda x: -2 * rate * (rate * x) / (1 + (rate * x) ** 2) ** 2,
            ),
        ),
    )
    x = rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 3.0, _length(rng))
    return _elementwise(rng, "stiff and oscillating", Scaled(f), x, f.derivative)


def vectors(rng: Rng) -> Question:
    """A f(B x): every output depends on every input."""
    f = _any(rng, WHOLE_LINE)
    n, k, p = rng.integers(1, 7, 3)
    A, B = rng.standard_normal((p, k)), rng.standard_normal((k, n))
    return Question(
        family="vector outputs",
        forward=lambda x: A @ f.function(B @ x),
        pullback=lambda u, x: B.T @ (f.derivative(B @ x) * (A.T @ u)),
        inputs=rng.standard_normal(n),
    )


def _sums(rng: Rng, size: int) -> Question:
    """Very many entries of one smooth function."""
    f = _any(rng, SMOOTH)
    return _elementwise(rng, "many entries", Scaled(f), f.draw(rng, size, ordinary=True), f.derivative)


def _any(rng: Rng, table: tuple[Any, ...]) -> Any:
    return table[rng.integers(len(table))]


def _length(rng: Rng) -> int:
    return int(rng.choice([1, 2, 3, 5, 8, 12]))


# --- networks


def _network(family: str, net: Any, params: Arrays, X: Array, Y: Array, smooth: bool = True) -> Question:
    """The loss of one of the hand-derived networks over its parameters."""

    def pullback(cotangent: Array, params: Arrays) -> Arrays:
        gradients = net.backward(params, net.forward(params, X), X, Y)
        return {name: cotangent * gradients["d" + name] for name in params}

    return Question(
        family=family,
        forward=lambda params: net.loss(params, X, Y),
        pullback=pullback,
        inputs=params,
        smooth=smooth,
    )


def network(rng: Rng) -> Question:
    """The two-layer networks in both layouts and in index notation, all numbers of order one."""
    problem = Problem(_shape(rng), _seed(rng), soft_labels=_coin(rng))
    return _two_layers("two-layer network", _any(rng, (row_major, column_major, squared)), problem)


def saturated(rng: Rng) -> Question:
    """The same with weights and inputs small and large, and units pushed far to either side.

    Without the index notation, whose yhat - y is what the document prints and cancels there.
    """
    w, x = (float(rng.choice([0.1, 1.0, 10.0])) for _ in range(2))
    problem = Problem(_shape(rng), _seed(rng), w, x, _coin(rng), saturated=_coin(rng))
    question = _two_layers("two-layer network, saturated", _any(rng, (row_major, column_major)), problem)
    return dataclasses.replace(question, smooth=False)


def _two_layers(family: str, net: Any, problem: Problem) -> Question:
    params, X, Y = problem.columns if net is column_major else problem.rows
    if net is squared:
        params = {name: value.ravel() if name[0] == "b" else value.T for name, value in params.items()}
    return _network(family, net, params, X, Y)


def deep(rng: Rng, activations: tuple[Activation, ...] = SMOOTH_ACTIVATIONS) -> Question:
    """Any number of hidden layers with any smooth activations and outputs, in both layouts."""
    kind = DeepRowMajor if _coin(rng) else DeepColumnMajor
    hidden = tuple(_any(rng, activations) for _ in range(rng.integers(1, 4)))
    net = kind(hidden=hidden, output=_any(rng, OUTPUTS), decay=float(rng.choice([0.0, 0.1])))
    sizes, m = rng.integers(2, 6, len(hidden) + 2).tolist(), int(rng.integers(1, 6))
    params: Arrays = {
        name: value + 0.1 * rng.standard_normal(value.shape)
        for name, value in net.initialise(sizes, _seed(rng)).items()
    }
    X, Y = rng.standard_normal((m, sizes[0])), rng.random((m, sizes[-1]))
    Y = Y / Y.sum(axis=1, keepdims=True) if net.output is SOFTMAX else np.round(Y)
    return _network("deep network", net, params, *((X, Y) if kind is DeepRowMajor else (X.T, Y.T)))


def deep_relu(rng: Rng) -> Question:
    """The same with units that have kinks, which the data does not hit but steps may cross."""
    question = deep(rng, KINKED_ACTIVATIONS)
    return dataclasses.replace(question, family="deep network, relu", smooth=False)


def relu_at_ties(rng: Rng) -> Question:
    """One example whose hidden units all sit at 0 exactly: whole numbers add up without rounding."""
    net = DeepRowMajor(hidden=(_any(rng, KINKED_ACTIVATIONS),))
    units = int(rng.integers(1, 4))
    X, W1 = rng.choice([-2.0, -1.0, 1.0, 2.0], (1, 2)), rng.integers(-3, 4, (2, units)).astype(float)
    W2 = rng.choice([-1.0, 1.0], (units, 1)) * rng.uniform(0.5, 2.0, (units, 1))
    params = {"W1": W1, "b1": -X @ W1, "W2": W2, "b2": rng.standard_normal((1, 1))}
    return _network("relu network at ties", net, params, X, rng.random((1, 1)), smooth=False)


def _wide(rng: Rng, size: int) -> Question:
    """A deep network of about that many parameters that is not saturated."""
    n1 = 1 + int(np.sqrt(size) * rng.uniform(0.1, 1.0))
    n2 = int(rng.integers(1, 11))
    sizes, m = (1 + size // n1, n1, n2), int(rng.integers(2, 9))
    g = activation_named(
        str(rng.choice(["sigmoid", "tanh", "softplus"]))
    )  # a vectorized gelu is not recorded
    net = DeepRowMajor(hidden=(g,), output=_any(rng, OUTPUTS[:2]))
    params = net.initialise(sizes, _seed(rng), variance=glorot)
    return _network("wide network", net, params, rng.standard_normal((m, sizes[0])), rng.random((m, n2)))


def _regression(rng: Rng, size: int) -> Question:
    """Mean squared error of a linear model."""
    m = int(rng.integers(2, 9))
    X, y = rng.standard_normal((m, size)) / np.sqrt(size), rng.standard_normal(m)
    return Question(
        family="regression",
        forward=lambda w: ((X @ w - y) ** 2).mean(),
        pullback=lambda u, w: u * (2 / m * X.T @ (X @ w - y)),
        inputs=rng.standard_normal(size),
    )


def _shape(rng: Rng) -> tuple[int, int, int, int]:
    m, n0, n1, n2 = rng.integers(1, 6, 4).tolist()
    return m, n0, n1, n2


def _seed(rng: Rng) -> int:
    return int(rng.integers(2**32))


def _coin(rng: Rng) -> bool:
    return bool(rng.random() < 0.5)


# --- noise on top


def noisy(rng: Rng) -> Question:
    """Relative noise of 1e-12 to 1e-3 that is a function of the bits of the inputs, so that it repeats."""
    question, size, salt = _any(rng, UNDERNEATH)(rng), 10 ** rng.uniform(-12, -3), _seed(rng).to_bytes(4)

    def forward(inputs: Tree) -> Array:
        output = question.forward(inputs)
        bits = b"".join(np.asarray(leaf).tobytes() for _, leaf in iter_leaves(inputs))
        drawn = np.random.default_rng(int.from_bytes(hashlib.blake2b(salt + bits, digest_size=8).digest()))
        return output * (1 + size * drawn.uniform(-1, 1, np.shape(output)))

    return dataclasses.replace(question, family="noise in the bits", forward=forward, smooth=False)


def random(rng: Rng) -> Question:
    """Relative noise of 1e-12 to 1e-3 that is another one at every call."""
    question, size, drawn = (
        _any(rng, UNDERNEATH)(rng),
        10 ** rng.uniform(-12, -3),
        np.random.default_rng(_seed(rng)),
    )

    def forward(inputs: Tree) -> Array:
        output = question.forward(inputs)
        return output * (1 + size * drawn.uniform(-1, 1, np.shape(output)))

    return dataclasses.replace(question, family="random noise", forward=forward, smooth=False)


def cancelling(rng: Rng) -> Question:
    """A large number added, in whose rounding the digits of the function are lost."""
    question, large = _any(rng, UNDERNEATH)(rng), float(rng.choice([-1, 1]) * 10 ** rng.uniform(2, 12))
    return dataclasses.replace(
        question,
        family="cancellation",
        forward=lambda inputs: question.forward(inputs) + large,
        smooth=False,
    )


def narrow_inside(rng: Rng) -> Question:
    """The forward computes in single or half precision and returns that, or its number in float64."""
    if rng.random() < 0.3:
        return _narrow_network(rng)
    question, back = _any(rng, (elementary, vectors, stiff))(rng), _coin(rng)
    dtype = f"f{rng.choice([2, 4])}"
    if not _faithful(question, dtype):
        dtype = "f4"

    def forward(x: Array) -> Array:
        return np.asarray(question.forward(x.astype(dtype))).astype("f8" if back else dtype)

    return dataclasses.replace(question, family="narrow arithmetic", forward=forward, smooth=False)


def _narrow_network(rng: Rng) -> Question:
    """A network in single precision; the gradient is that in float64 for its rounded data."""
    problem, net, back = Problem(_shape(rng), _seed(rng)), _any(rng, (row_major, column_major)), _coin(rng)
    params, X, Y = problem.columns if net is column_major else problem.rows
    X, Y = X.astype("f4"), Y.astype("f4")

    def forward(params: Arrays) -> Array:
        loss = net.loss({name: value.astype("f4") for name, value in params.items()}, X, Y)
        return np.asarray(loss).astype("f8" if back else "f4")

    question = _network("narrow arithmetic", net, params, X.astype(float), Y.astype(float), smooth=False)
    return dataclasses.replace(question, forward=forward)


def _faithful(question: Question, dtype: str) -> bool:
    """Whether the forward in that arithmetic is still about the function whose gradient is claimed.

    The sine of 1000 x is not, in numbers of three digits.
    """
    with np.errstate(all="ignore"):
        right, narrow = question.forward(question.inputs), question.forward(question.inputs.astype(dtype))
    return bool(np.abs(narrow - right).max() <= UNFAITHFUL * np.abs(right).max())


# --- solvers


def solver(rng: Rng) -> Question:
    """Kepler's equation E - e sin E = x solved to a tolerance of 1e-12 to 1e-3, by one of four methods."""
    e, tolerance = float(rng.uniform(0.1, 0.9)), float(10 ** rng.uniform(-12, -3))
    method = _any(rng, (_bisected, _bracketed, _iterated, _newton))
    return Question(
        family=f"solver, {method.__name__[1:]}",
        forward=lambda x: method(x, e, tolerance),
        pullback=lambda u, x: u / (1 - e * np.cos(_newton(x, e, 0.0))),
        inputs=rng.uniform(-3, 3, _length(rng)),
        smooth=False,
    )


def _halved(low: Array, x: Array, e: float, tolerance: float) -> Array:
    width = 4.0
    while width > tolerance:
        width /= 2
        middle = low + width
        low = np.where(middle - e * np.sin(middle) < x, middle, low)
    return low


def _bisected(x: Array, e: float, tolerance: float) -> Array:
    """Between whole numbers: the result is on a grid, and jumps."""
    return _halved(np.floor(x) - 1.5, x, e, tolerance)


def _bracketed(x: Array, e: float, tolerance: float) -> Array:
    """From a bracket around x: between jumps the result moves with x at slope 1."""
    return _halved(x - 1.5, x, e, tolerance)


def _iterated(x: Array, e: float, tolerance: float) -> Array:
    """E = x + e sin E until it changes by less than the tolerance."""
    found = x
    for _ in range(ITERATIONS):
        before, found = found, x + e * np.sin(found)
        if np.abs(found - before).max() <= tolerance:
            break
    return found


def _newton(x: Array, e: float, tolerance: float) -> Array:
    """By Newton's method in steps of 1 at most; to rounding for a tolerance of 0."""
    found = x + e * np.sin(x)
    for _ in range(NEWTON_STEPS):
        change = (found - e * np.sin(found) - x) / (1 - e * np.cos(found))
        found = found - np.clip(change, -1, 1)
        if np.abs(change).max() <= tolerance:
            break
    return found


# How often each is drawn; the last ones are what noise is planted on, and what errors are planted in.
FAMILIES = (
    (elementary, 10),
    (over_scales, 16),
    (beside_kinks, 5),
    (at_ties, 10),
    (stiff, 8),
    (vectors, 8),
    (network, 8),
    (saturated, 6),
    (deep, 6),
    (deep_relu, 4),
    (relu_at_ties, 2),
    (noisy, 8),
    (random, 4),
    (cancelling, 6),
    (narrow_inside, 5),
    (solver, 5),
)
UNDERNEATH = (elementary, vectors, network, stiff)
SIZED = (_sums, _wide, _regression)
BEYOND = (elementary, stiff, network, vectors, cancelling, noisy, lambda rng: _any(rng, SIZED)(rng, 3000))
