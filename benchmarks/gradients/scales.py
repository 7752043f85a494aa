"""Large and small arguments, values and gradients, and where the checkers of today are known to err."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.gradients.case import Array, Formula, Vjp, of_one, single

RNG = np.random.default_rng(15)
NORMAL = RNG.standard_normal(6)
NUMBERS = RNG.uniform(0.5, 2.0, 6)


def scaled_sine(c: float) -> Callable[[Array], Array]:
    return lambda x: c * np.sin(x)


def scaled_cosine(c: float) -> Vjp:
    return of_one(lambda x: c * np.cos(x))


def bowl(x: Array) -> Array:
    """A sum of sines that a parabola drowns."""
    return 0.5e6 * (x**2).sum() + np.sin(x).sum()


def bowl_vjp(sine: float) -> Vjp:
    return lambda u, x: (u * (1e6 * x + sine * np.cos(x)),)


def no_gradient(_u: Array, *inputs: Array) -> tuple[Array, ...]:
    return tuple(np.zeros_like(x) for x in inputs)


def _powers() -> list[Formula]:
    """x^2 and sqrt(x) with a wrong factor at arguments of fifteen powers of ten."""
    return [
        Formula(
            name=f"{name} at {size:g}",
            forward=f,
            vjp=of_one(derivative),
            points={"": (size * NUMBERS,)},
            mistakes={"0.1 % too large": of_one(lambda x, d=derivative: 1.001 * d(x))},
            spoilt=False,
        )
        for name, f, derivative, sizes in (
            ("square", np.square, lambda x: 2 * x, (1e-8, 1e-6, 1e-3, 1e3, 1e6, 1e7)),
            ("root", np.sqrt, lambda x: 0.5 / np.sqrt(x), (1e-8, 1e-4, 1e4, 1e7)),
            ("logarithm", np.log, lambda x: 1 / x, (1e-8, 1e-3, 1e7)),
            ("cube", lambda x: x**3, lambda x: 3 * x**2, (1e-5, 1e4)),
        )
        for size in sizes
    ]


def _sines() -> list[Formula]:
    """c sin(x): a zero gradient is within an absolute tolerance where c is small."""
    return [
        Formula(
            name=f"{c:g} sin(x)",
            forward=scaled_sine(c),
            vjp=scaled_cosine(c),
            points={"": (NORMAL,)},
            mistakes={"zero": no_gradient, "5 times too large": scaled_cosine(5 * c)},
            spoilt=False,
        )
        for c in (1e-9, 1e-7, 1e-6, 5e-5, 1e-3, 1e4, 1e7)
    ]


FORMULAS = (
    *_powers(),
    *_sines(),
    Formula(
        name="sine beside a million",
        forward=lambda x: np.sin(x) + 1e6,
        vjp=of_one(np.cos),
        points={"": (NORMAL,)},
        mistakes={"sign": of_one(lambda x: -np.cos(x)), "1 % too large": of_one(lambda x: 1.01 * np.cos(x))},
        spoilt=False,
    ),
    Formula(
        name="1e-9 of a sum of sines",
        forward=lambda x: 1e-9 * np.sin(x).sum(),
        vjp=lambda u, x: (1e-9 * u * np.cos(x),),
        points={"": (NORMAL,)},
        mistakes={"zero": no_gradient},
        spoilt=False,
    ),
    Formula(
        name="sum of squares at a million",
        forward=lambda x: (x**2).sum(),
        vjp=lambda u, x: (2 * u * x,),
        points={"": (1e6 * NORMAL,)},
        mistakes={"0.1 % too small": lambda u, x: (1.998 * u * x,)},
        spoilt=False,
    ),
    Formula(
        name="sines under a parabola",
        forward=bowl,
        vjp=bowl_vjp(1.0),
        points={"": (NORMAL,)},
        mistakes={"sign of the small term": bowl_vjp(-1.0), "small term tenfold": bowl_vjp(10.0)},
        spoilt=False,
    ),
    Formula(
        name="linear",
        forward=lambda x: x @ np.arange(1.0, 7.0),
        vjp=lambda u, x: (u * np.arange(1.0, 7.0),),
        points={"": (NORMAL,), "at 1e7": (1e7 * NORMAL,), "at 1e-8": (1e-8 * NORMAL,)},
        mistakes={"1e-4 too large": lambda u, x: (1.0001 * u * np.arange(1.0, 7.0),)},
        spoilt=False,
    ),
    Formula(
        name="one number",
        forward=lambda x: np.sin(x) * x,
        vjp=lambda u, x: (u * (np.sin(x) + x * np.cos(x)),),
        points={"0-d": (np.array(0.7),), "of length 1": (np.array([0.7]),)},
        mistakes={"a term missing": lambda u, x: (u * x * np.cos(x),)},
        spoilt=False,
    ),
    Formula(
        name="entries of all sizes",
        forward=lambda x: (x**3).sum(),
        vjp=lambda u, x: (3 * u * x**2,),
        points={"": (np.array([1e-3, 1e-1, 1.0, 10.0, 300.0]),)},
        mistakes={"the largest off by 1e-4": lambda u, x: (3 * u * x**2 * [1, 1, 1, 1, 1.0001],)},
        spoilt=False,
    ),
    Formula(
        name="two inputs of two sizes",
        forward=lambda a, b: np.exp(a / 1e4) * np.sin(1e4 * b),
        vjp=lambda u, a, b: (
            u * np.exp(a / 1e4) * np.sin(1e4 * b) / 1e4, 1e4 * u * np.exp(a / 1e4) * np.cos(1e4 * b)),
        points={"": (1e4 * NORMAL, 1e-4 * NORMAL[::-1].copy())},
        mistakes={"the small one zero": lambda u, a, b: (
            np.zeros_like(a), 1e4 * u * np.exp(a / 1e4) * np.cos(1e4 * b))},
        spoilt=False,
    ),
    Formula(
        name="variance far from zero",
        forward=lambda x: x.var(),
        vjp=lambda u, x: (2 * u * (x - x.mean()) / x.size,),
        points={"": (1e4 + NORMAL,)},
        mistakes={"of the sample": lambda u, x: (2 * u * (x - x.mean()) / (x.size - 1),)},
        spoilt=False,
    ),
    Formula(
        name="squares in float32",
        forward=lambda x: x**2,
        vjp=of_one(lambda x: 2 * x),
        points={f"at {size:g}": single((size * NUMBERS,)) for size in (1e-4, 1e4)},
        mistakes={"1 % too large": of_one(lambda x: 2.02 * x), "sign": of_one(lambda x: -2 * x)},
        spoilt=False,
    ),
)  # fmt: skip
