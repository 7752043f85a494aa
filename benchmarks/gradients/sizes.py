"""Up to ten thousand entries: one of them wrong, some wrong, all a little wrong, none right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.gradients.case import Array, Formula, Vjp, single
from benchmarks.gradients.scales import no_gradient

RNG = np.random.default_rng(16)


def sine_vjp(u: Array, x: Array) -> tuple[Array]:
    return (u * np.cos(x),)


def one_entry(factor: float) -> Vjp:
    """The gradient of the sine with one entry multiplied."""
    return lambda u, x: (
        u * np.cos(x) * np.where(np.arange(x.size) == x.size // 3, factor, 1).astype(x.dtype),
    )


def ninth(u: Array, x: Array) -> tuple[Array]:
    """Every ninth entry, 11 % of them, is zero."""
    return (u * np.cos(x) * (np.arange(x.size) % 9 > 0).astype(x.dtype),)


def times(factor: float) -> Vjp:
    return lambda u, x: (u * factor * np.cos(x),)


SINGLE_ENTRY = {
    "one entry zeroed": one_entry(0.0),
    "one entry sign-flipped": one_entry(-1.0),
    "one entry doubled": one_entry(2.0),
}
MANY = {"11 % of the entries zeroed": ninth, "12.8 % too large": times(1.128), "zero": no_gradient}


def _angles(n: int) -> Array:
    """Away from the roots of the cosine, so that no entry of the gradient is small."""
    return RNG.uniform(-1, 1, n)


def _sine(name: str, forward: Callable[[Array], Array], n: int, mistakes: dict[str, Vjp]) -> Formula:
    return Formula(
        name=f"{name} of {n}",
        forward=forward,
        vjp=sine_vjp,
        points={"": (_angles(n),)},
        mistakes=mistakes,
        spoilt=False,
    )


FORMULAS = (
    *(_sine("sines", np.sin, n, SINGLE_ENTRY) for n in (10, 300, 1000)),
    _sine("sines", np.sin, 10_000, SINGLE_ENTRY | MANY),
    *(_sine("sum of sines", lambda x: np.sin(x).sum(), n, SINGLE_ENTRY) for n in (10, 100, 1000)),
    _sine("sum of sines", lambda x: np.sin(x).sum(), 10_000, SINGLE_ENTRY | MANY),
    *(
        Formula(
            name=f"sines in float32, {n}",
            forward=np.sin,
            vjp=sine_vjp,
            points={"": single((_angles(n),))},
            mistakes={
                "zero": no_gradient,
                "doubled": times(2.0),
                "sign": times(-1.0),
                "one entry zeroed": one_entry(0.0),
            },
            spoilt=False,
        )
        for n in (500, 1000)
    ),
)
