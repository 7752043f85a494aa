"""Mistakes that can be made in any gradient, dealt out to the formulas in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from benchmarks.gradients.case import Array, Case, Formula

EACH = 2  # mistakes that every formula gets, of which the lists below supply one each


def typical_entry(gradient: Array) -> int:
    """The entry whose size is nearest to the root mean square."""
    size = np.abs(np.ravel(gradient))
    return int(np.argmin(np.abs(size - np.sqrt((size**2).mean()))))


def at_typical_entry(factor: float) -> Callable[[Array, Array], Array]:
    def spoil(gradient: Array, shape_of: Array) -> Array:
        factors = np.ones(np.size(gradient))
        factors[typical_entry(shape_of)] = factor
        return gradient * factors.reshape(np.shape(gradient))

    return spoil


def everywhere(factor: float) -> Callable[[Array, Array], Array]:
    return lambda gradient, shape_of: factor * gradient


# Each takes a gradient, and the gradient at the cotangent of ones, which says what entry is typical.
COARSE = {
    "sign": everywhere(-1.0),
    "doubled": everywhere(2.0),
    "one entry zeroed": at_typical_entry(0.0),
    "halved": everywhere(0.5),
    "one entry sign-flipped": at_typical_entry(-1.0),
    "zero": everywhere(0.0),
    "one entry doubled": at_typical_entry(2.0),
}
FINE = {
    "off by 1e-3": everywhere(1.001),
    "one entry off by 1e-3": at_typical_entry(1.001),
    "off by 1e-4": everywhere(1.0001),
    "one entry off by 1e-4": at_typical_entry(0.9999),
    "off by 1e-5": everywhere(0.99999),
    "one entry off by 1e-5": at_typical_entry(1.00001),
}


def spoilt(formulas: Iterable[Formula]) -> Iterator[Case]:
    """One coarse and one fine mistake in an input of each formula that is to be spoilt, in float64."""
    for turn, formula in enumerate(f for f in formulas if f.spoilt):
        point, inputs = next(iter(formula.points.items()))
        for kind in (COARSE, FINE):
            mistake = list(kind)[turn % len(kind)]
            which = turn % len(inputs)
            yield Case(
                name=", ".join(filter(None, (formula.name, point, f"input {which}", mistake))),
                forward=formula.forward,
                inputs=inputs,
                vjp=_spoilt_vjp(formula, inputs, which, kind[mistake]),
                right=False,
            )


def _spoilt_vjp(
    formula: Formula, inputs: tuple[Array, ...], which: int, spoil: Callable[[Array, Array], Array]
) -> Callable[..., tuple[Array, ...]]:
    steady = np.random.default_rng(17).uniform(0.5, 1.5, np.shape(formula.forward(*inputs)))
    typical = formula.vjp(steady, *inputs)[which]

    def vjp(u: Array, *values: Array) -> tuple[Array, ...]:
        gradients = list(formula.vjp(u, *values))
        gradients[which] = spoil(gradients[which], typical)
        return tuple(gradients)

    return vjp
