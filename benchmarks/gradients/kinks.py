"""Points at a kink and beside one: every subgradient is right, and what is none is wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.gradients.activations import relu
from benchmarks.gradients.case import Array, Case, Formula, Vjp, of_one

AT_ZERO = np.array([0.0, 1.0, -2.0, 0.0])
WEIGHTS = np.array([[0.5, -1.0], [1.5, 2.0], [-0.7, 0.3]])


def with_slope(ordinary: Callable[[Array], Array], at_kink: float) -> Vjp:
    """The ordinary derivative, and this one where x is 0."""
    return of_one(lambda x: np.where(x == 0, at_kink, ordinary(x)))


def shared_maximum(u: Array, x: Array, share: Callable[[Array], Array]) -> tuple[Array]:
    """The gradient of the maximum goes to what ties for it, in shares."""
    return (u * share((x == x.max()).astype(float)),)


def first(ties: Array) -> Array:
    return (np.arange(ties.size) == np.argmax(ties)).astype(float)


# Function, its derivative beside the kink, right slopes at the kink and wrong ones.
AT = (
    ("relu", relu, lambda x: x > 0, (0.0, 0.5, 1.0), (7.0, -0.5, 2.0)),
    ("absolute value", np.abs, np.sign, (0.0, 1.0, -1.0, 0.3), (7.0, -1.5)),
    (
        "leaky relu",
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1, 0.01),
        (0.01, 1.0),
        (-0.2, 1.3),
    ),
    (
        "relu beside a parabola",
        lambda x: 100 * x**2 + relu(x),
        lambda x: 200 * x + (x > 0),
        (0.0, 1.0),
        (3.0, -2.0),
    ),
)
TIES = np.array([1.0, 3.0, 3.0, -1.0])
MAXIMUM = (  # of a vector whose largest entry occurs twice
    ("to the first", first, True),
    ("in halves", lambda ties: ties / ties.sum(), True),
    ("to all in full", lambda ties: ties, False),
    ("to none", lambda ties: 0 * ties, False),
    ("to a third one", lambda ties: np.array([1.0, 0, 0, 0]), False),
)


def cases() -> list[Case]:
    """Slopes at the kink by name, then shares of a tied maximum."""
    found = [
        Case(
            name=f"{name} at 0, slope {slope:g}",
            forward=f,
            inputs=(AT_ZERO,),
            vjp=with_slope(ordinary, slope),
            right=slope in right,
            smooth=False,
        )
        for name, f, ordinary, right, wrong in AT
        for slope in right + wrong
    ]
    found += [
        Case(
            name=f"maximum with a tie, {name}",
            forward=np.max,
            inputs=(TIES,),
            vjp=lambda u, x, share=share: shared_maximum(u, x, share),
            right=right,
            smooth=False,
        )
        for name, share, right in MAXIMUM
    ]
    return found


def unit_at_zero(x: Array) -> Array:
    """The first hidden unit is exactly at its kink, as where weights and biases begin at 0."""
    return relu(x @ WEIGHTS)


FORMULAS = (
    *(
        Formula(
            name=f"{name} {offset:g} from its kink",
            forward=f,
            vjp=of_one(derivative),
            points={"": (np.array([offset, 1.0, -offset, -2.0]),)},
            mistakes={"7 there": of_one(lambda x, d=derivative, o=offset: np.where(x == o, 7, d(x)))},
            spoilt=False,
        )
        for name, f, derivative in (("relu", relu, lambda x: x > 0), ("absolute value", np.abs, np.sign))
        for offset in (1e-10, 1e-6, 1e-3)
    ),
    Formula(
        name="relu of small numbers",
        forward=relu,
        vjp=of_one(lambda x: x > 0),
        points={"": (np.array([1e-3, 1.0, -1e-3]),)},
        mistakes={"a threshold of 0.01": of_one(lambda x: x > 0.01)},
        spoilt=False,
    ),
    Formula(
        name="relu layer",
        forward=unit_at_zero,
        vjp=lambda u, x: ((u * (x @ WEIGHTS > 0)) @ WEIGHTS.T,),
        points={"at the origin": (np.zeros((2, 3)),)},
        mistakes={"10 times the weights": lambda u, x: (10 * u @ WEIGHTS.T,)},
        spoilt=False,
        smooth=False,
    ),
    Formula(
        name="1-norm with zero weights",
        forward=lambda w: ((w - 1) ** 2).sum() + 0.1 * np.abs(w).sum(),
        vjp=lambda u, w: (u * (2 * (w - 1) + 0.1 * np.sign(w)),),
        points={"": (np.array([0.0, 0.5, 0.0, -1.2]),)},
        mistakes={"penalty tenfold": lambda u, w: (u * (2 * (w - 1) + np.where(w < 0, -1.0, 1.0)),)},
        spoilt=False,
        smooth=False,
    ),
    Formula(
        name="hinge at its margin",
        forward=lambda z: np.maximum(0, 1 - z).sum(),
        vjp=lambda u, z: (-u * (z < 1),),
        points={"": (np.array([1.0, 0.2, 3.0]),)},
        mistakes={"sign": lambda u, z: (u * (z <= 1),)},
        spoilt=False,
        smooth=False,
    ),
    Formula(
        name="clip at its bound",
        forward=lambda x: np.clip(x, -1, 1),
        vjp=of_one(lambda x: np.abs(x) < 1),
        points={"": (np.array([1.0, 0.3, -1.0, 2.0]),)},
        mistakes={"sign there": of_one(lambda x: np.where(np.abs(x) == 1, -1, np.abs(x) < 1))},
        spoilt=False,
        smooth=False,
    ),
    Formula(
        name="Huber at its joint",
        forward=lambda r: np.where(np.abs(r) < 1, r**2 / 2, np.abs(r) - 0.5),
        vjp=of_one(lambda r: np.clip(r, -1, 1)),
        points={"": (np.array([1.0, -1.0, 0.4, 3.0]),)},
        mistakes={"factor 2 inside": of_one(lambda r: np.where(np.abs(r) < 1, 2 * r, np.sign(r)))},
        spoilt=False,
        smooth=False,  # it has a derivative there, and no second one
    ),
    Formula(
        name="root of a square",
        forward=lambda x: np.sqrt(x**2),
        vjp=of_one(np.sign),
        points={"at 0": (np.array([0.0, 1.5]),)},
        mistakes={"2 there": of_one(lambda x: np.where(x == 0, 2, np.sign(x)))},
        spoilt=False,
        smooth=False,
    ),
)
