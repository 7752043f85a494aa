"""Elementary functions of one variable with their derivatives, to be composed with any scale.

Every derivative is written so that it is right to rounding wherever its function is drawn: nothing
cancels but where the derivative crosses zero. `scaled` makes a f(b x) of a function f.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from manual.activations import sigmoid, sigmoid_derivative, softplus, tanh_derivative
from manual.types import Array

Function = Callable[[Array], Array]
Range = tuple[float, float]
Ties = tuple[tuple[float, float, float], ...]  # where, slope left of it, slope right of it

ANY = (1e-300, 1e300)
NEVER = (0.0, 0.0)
DECADES = 300  # of arguments, values and derivatives, to either side of 1
ORDINARY = (1e-2, 1e1)  # sizes at which a function is neither linear nor asymptotic
GRID = 2.0**16  # numbers below 64 on this grid have squares without rounding


@dataclass(frozen=True)
class Elementary:
    """f and f' element by element, for arguments of these sizes right and left of zero.

    ties: the kinks of f, where any slope between the one-sided ones is a subgradient; `derivative`
    answers for every other point.
    """

    name: str
    function: Function
    derivative: Function
    positive: Range = ANY
    negative: Range = ANY
    ties: Ties = ()

    def draw(self, rng: np.random.Generator, size: int, ordinary: bool) -> Array:
        """Arguments log-uniform in the domain, or in the part of it where they are of ordinary size."""
        sides = [(sign, side) for sign, side in ((1, self.positive), (-1, self.negative)) if side != NEVER]
        drawn = [sides[i] for i in rng.integers(len(sides), size=size)]
        return np.array([sign * _log_uniform(rng, side, ordinary) for sign, side in drawn])


@dataclass(frozen=True)
class Scaled:
    """x -> outer f(inner x), and its derivative."""

    f: Elementary
    outer: float = 1.0
    inner: float = 1.0

    def function(self, x: Array) -> Array:
        return self.outer * self.f.function(self.inner * x)

    def derivative(self, x: Array) -> Array:
        return self.outer * (self.inner * self.f.derivative(self.inner * x))


def scaled(f: Elementary, arguments: Array, rng: np.random.Generator) -> Scaled:
    """f between two powers of ten, drawn so that nothing at these arguments overflows or is subnormal.

    They leave x = arguments / inner, the value and the derivative within 300 decades of 1, and are 1
    themselves where nothing else does.
    """
    with np.errstate(over="ignore"):  # in the branch that `np.where` does not take
        value, slope = _decades(f.function(arguments)), _decades(f.derivative(arguments))
    inner = _exponent(rng, np.concatenate([-_decades(arguments), slope]))
    outer = _exponent(rng, np.concatenate([value, slope + inner]))
    return Scaled(f, 10.0**outer, 10.0**inner)


def _log_uniform(rng: np.random.Generator, side: Range, ordinary: bool) -> float:
    low, high = side
    if ordinary:
        low, high = max(low, min(ORDINARY[0], high)), min(high, max(ORDINARY[1], low))
    return float(np.clip(10 ** rng.uniform(np.log10(low), np.log10(high)), low, high))


def _decades(values: Array) -> Array:
    """log10 of the sizes of all values but zeros."""
    return np.log10(np.abs(values[values != 0]))


def _exponent(rng: np.random.Generator, sizes: Array) -> int:
    """A power of ten that leaves numbers of these sizes within range; 0 where none does."""
    low = np.ceil(-DECADES - sizes.min(initial=0))
    high = np.floor(DECADES - sizes.max(initial=0))
    return int(rng.integers(low, high + 1)) if low <= high else 0


def gaussian(y: Array) -> Array:
    """exp(-y^2) to rounding: y^2 itself is rounded, and a tail would magnify that by y^2."""
    coarse = np.rint(y * GRID) / GRID
    return np.exp(-coarse * coarse) * np.exp(-(y - coarse) * (y + coarse))


def density(y: Array) -> Array:
    """The normal density to rounding, as `gaussian`."""
    coarse = np.rint(y * GRID) / GRID
    return np.exp(-coarse * coarse / 2) * np.exp(-(y - coarse) * (y + coarse) / 2) / np.sqrt(2 * np.pi)


def sinc_derivative(y: Array) -> Array:
    """pi (cos t - sin t / t) / t with t = pi y; its series below 1, where the two cancel."""
    t = np.pi * y
    near = np.abs(t) < 1
    series = np.ones_like(t)
    for k in range(10, 0, -1):
        series = 1 - np.where(near, t * t, 0) / (2 * k * (2 * k + 3)) * series
    away = np.where(near, 1, t)
    return np.pi * np.where(near, -t / 3 * series, (np.cos(away) - np.sin(away) / away) / away)


def steps(*pieces: float) -> Function:
    """A derivative that is constant between kinks: slope, kink, slope, kink, ..., slope."""
    slopes, kinks = pieces[::2], pieces[1::2]
    return lambda y: np.array(slopes)[np.searchsorted(kinks, y)]


POWERS = (
    Elementary("square", lambda y: y**2, lambda y: 2 * y, (1e-150, 1e150), (1e-150, 1e150)),
    Elementary("cube", lambda y: y**3, lambda y: 3 * y**2, (1e-100, 1e100), (1e-100, 1e100)),
    Elementary("power 2.5", lambda y: y**2.5, lambda y: 2.5 * y**1.5, (1e-120, 1e120), NEVER),
    Elementary("power -0.25", lambda y: y**-0.25, lambda y: -0.25 * y**-1.25, (1e-239, 1e239), NEVER),
    Elementary("reciprocal", lambda y: 1 / y, lambda y: -1 / y / y, (1e-150, 1e150), (1e-150, 1e150)),
    Elementary("inverse square", lambda y: y**-2.0, lambda y: -2 * y**-3.0, (1e-99, 1e99), (1e-99, 1e99)),
    Elementary("sqrt", np.sqrt, lambda y: 0.5 / np.sqrt(y), ANY, NEVER),
    Elementary("cbrt", np.cbrt, lambda y: 1 / (3 * np.cbrt(y) ** 2)),
    Elementary("x |x|", lambda y: y * np.abs(y), lambda y: 2 * np.abs(y), (1e-150, 1e150), (1e-150, 1e150)),
    Elementary(
        "sqrt(1 + x^2)",
        lambda y: np.sqrt(1 + y * y),
        lambda y: y / np.hypot(1, y),
        (1e-300, 1e150),
        (1e-300, 1e150),
    ),
    Elementary("hypot(x, 3)", lambda y: np.hypot(y, 3), lambda y: y / np.hypot(y, 3)),
    Elementary(
        "x / (1 + x^2)",
        lambda y: y / (1 + y * y),
        lambda y: (1 - y) * (1 + y) / (1 + y * y) ** 2,
        (1e-300, 1e70),
        (1e-300, 1e70),
    ),
    Elementary("softsign", lambda y: y / (1 + np.abs(y)), lambda y: (1 + np.abs(y)) ** -2.0, (1e-300, 1e140)),
)

EXPONENTIALS = (
    Elementary("exp", np.exp, np.exp, (1e-300, 690), (1e-300, 690)),
    Elementary("exp2", np.exp2, lambda y: np.log(2) * np.exp2(y), (1e-300, 990), (1e-300, 990)),
    Elementary("expm1", np.expm1, np.exp, (1e-300, 690), (1e-300, 690)),
    Elementary("log", np.log, lambda y: 1 / y, ANY, NEVER),
    Elementary("log2", np.log2, lambda y: 1 / (np.log(2) * y), ANY, NEVER),
    Elementary("log10", np.log10, lambda y: 1 / (np.log(10) * y), (1e-299, 1e299), NEVER),
    Elementary("log1p", np.log1p, lambda y: 1 / (1 + y), ANY, (1e-300, 0.99)),
    Elementary("x log x", lambda y: y * np.log(y), lambda y: np.log(y) + 1, (1e-297, 1e297), NEVER),
    Elementary("xlogy", lambda y: special.xlogy(y, y), lambda y: np.log(y) + 1, (1e-297, 1e297), NEVER),
    Elementary(
        "binary entropy",
        lambda y: -y * np.log(y) - (1 - y) * np.log1p(-y),
        lambda y: np.log1p(-y) - np.log(y),
        (1e-297, 0.99),
        NEVER,
    ),
    Elementary("logit", lambda y: np.log(y / (1 - y)), lambda y: 1 / (y * (1 - y)), (1e-300, 0.99), NEVER),
    Elementary("logaddexp(x, 1)", lambda y: np.logaddexp(y, 1), lambda y: sigmoid(y - 1), ANY, (1e-300, 690)),
    Elementary(
        "gaussian", lambda y: np.exp(-y * y), lambda y: -2 * y * gaussian(y), (1e-299, 25), (1e-299, 25)
    ),
    Elementary(
        "elu",
        lambda y: np.where(y > 0, y, np.expm1(y)),
        lambda y: np.exp(np.minimum(y, 0)),
        ANY,
        (1e-300, 690),
    ),
)

TRIGONOMETRIC = (
    Elementary("sin", np.sin, np.cos, (1e-300, 1e4), (1e-300, 1e4)),
    Elementary("cos", np.cos, lambda y: -np.sin(y), (1e-300, 1e4), (1e-300, 1e4)),
    Elementary("tan", np.tan, lambda y: np.cos(y) ** -2.0, (1e-300, 1e2), (1e-300, 1e2)),
    Elementary(
        "arcsin", np.arcsin, lambda y: 1 / np.sqrt((1 - y) * (1 + y)), (1e-300, 0.999), (1e-300, 0.999)
    ),
    Elementary(
        "arccos", np.arccos, lambda y: -1 / np.sqrt((1 - y) * (1 + y)), (1e-300, 0.999), (1e-300, 0.999)
    ),
    Elementary("arctan", np.arctan, lambda y: 1 / (1 + y * y), (1e-300, 1e149), (1e-300, 1e149)),
    Elementary(
        "arctan2(x, 2)",
        lambda y: np.arctan2(y, 2),
        lambda y: 2 / (4 + y * y),
        (1e-300, 1e149),
        (1e-300, 1e149),
    ),
    Elementary("sinc", np.sinc, sinc_derivative, (1e-299, 1e1), (1e-299, 1e1)),
)

HYPERBOLIC = (
    Elementary("sinh", np.sinh, np.cosh, (1e-300, 690), (1e-300, 690)),
    Elementary("cosh", np.cosh, np.sinh, (1e-300, 690), (1e-300, 690)),
    Elementary("tanh", np.tanh, tanh_derivative, (1e-300, 300), (1e-300, 300)),
    Elementary("arcsinh", np.arcsinh, lambda y: 1 / np.hypot(1, y)),
    Elementary("arccosh", np.arccosh, lambda y: 1 / (np.sqrt(y - 1) * np.sqrt(y + 1)), (1.001, 1e300), NEVER),
    Elementary("arctanh", np.arctanh, lambda y: 1 / ((1 - y) * (1 + y)), (1e-300, 0.999), (1e-300, 0.999)),
    Elementary("sigmoid", sigmoid, sigmoid_derivative, (1e-300, 690), (1e-300, 690)),
    Elementary("logistic", lambda y: 1 / (1 + np.exp(-y)), sigmoid_derivative, (1e-300, 690), (1e-300, 690)),
    Elementary("softplus", softplus, sigmoid, ANY, (1e-300, 690)),
    Elementary(
        "silu", lambda y: y * sigmoid(y), lambda y: sigmoid(y) * (1 + y * sigmoid(-y)), ANY, (1e-300, 690)
    ),
)

SPECIAL = (
    Elementary("erf", special.erf, lambda y: 2 / np.sqrt(np.pi) * gaussian(y), (1e-300, 25), (1e-300, 25)),
    Elementary("erfc", special.erfc, lambda y: -2 / np.sqrt(np.pi) * gaussian(y), (1e-300, 25), (1e-300, 25)),
    Elementary(
        "gelu",
        lambda y: y * special.ndtr(y),
        lambda y: special.ndtr(y) + y * density(y),
        (1e-300, 30),
        (1e-300, 30),
    ),
    Elementary("lgamma", special.gammaln, special.digamma, (1e-297, 1e297), NEVER),
    Elementary("digamma", special.digamma, lambda y: special.polygamma(1, y), (1e-149, 1e297), NEVER),
    Elementary("i0", special.i0, special.i1, (1e-299, 680), (1e-299, 680)),
)

KINKED = (
    Elementary("abs", np.abs, steps(-1, 0, 1), ties=((0, -1, 1),)),
    Elementary("max(x, 0.7)", lambda y: np.maximum(y, 0.7), steps(0, 0.7, 1), ties=((0.7, 0, 1),)),
    Elementary("min(x, -2)", lambda y: np.minimum(y, -2), steps(1, -2, 0), ties=((-2, 1, 0),)),
    Elementary("relu", lambda y: np.maximum(y, 0), steps(0, 0, 1), ties=((0, 0, 1),)),
    Elementary("relu by where", lambda y: np.where(y > 0, y, 0), steps(0, 0, 1), ties=((0, 0, 1),)),
    Elementary("relu by mask", lambda y: y * (y > 0), steps(0, 0, 1), ties=((0, 0, 1),)),
    Elementary(
        "leaky relu", lambda y: np.where(y > 0, y, y / 128), steps(1 / 128, 0, 1), ties=((0, 1 / 128, 1),)
    ),
    Elementary("clip", lambda y: np.clip(y, -1, 1), steps(0, -1, 1, 1, 0), ties=((-1, 0, 1), (1, 1, 0))),
    Elementary(
        "hard sigmoid",
        lambda y: np.clip(y / 8 + 0.5, 0, 1),
        steps(0, -4, 0.125, 4, 0),
        ties=((-4, 0, 0.125), (4, 0.125, 0)),
    ),
    Elementary(
        "soft threshold",
        lambda y: np.sign(y) * np.maximum(np.abs(y) - 0.5, 0),
        steps(1, -0.5, 0, 0.5, 1),
        ties=((-0.5, 1, 0), (0.5, 0, 1)),
    ),
    Elementary(
        "huber",  # its slope is continuous, its curvature is not
        lambda y: np.where(np.abs(y) <= 1, y * y / 2, np.abs(y) - 0.5),
        lambda y: np.clip(y, -1, 1),
    ),
    Elementary(
        "exp(-|x|)",
        lambda y: np.exp(-np.abs(y)),
        lambda y: -np.sign(y) * np.exp(-np.abs(y)),
        (1e-300, 690),
        (1e-300, 690),
        ((0, 1, -1),),
    ),
)

SMOOTH = POWERS + EXPONENTIALS + TRIGONOMETRIC + HYPERBOLIC + SPECIAL
ELEMENTARY = SMOOTH + KINKED
