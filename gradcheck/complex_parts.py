"""Complex inputs and outputs as pairs of real ones, so that everything after the claim is real.

A complex leaf z is two leaves, z.real and z.imag. What its gradient means is a matter of convention:

    PyTorch    dL/da + i dL/db    of L = Re sum(conj(u) out), for a cotangent u
    JAX        dL/da - i dL/db    of L = Re sum(u out)

The second, asked with conj(u), is the conjugate of the first. A claim is read in one of the two.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.claim import Array, Claim, carries_gradient, is_complex, is_float
from gradcheck.tree import Tree, iter_leaves, map_leaves

Arrays = tuple[Array, ...]
Gradients = tuple[Array | None, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A complex array as two real ones."""

    real: Any
    imag: Any


class Reading(enum.Enum):
    """What a complex gradient by a + ib holds, and how a report says it."""

    PYTORCH = "dL/da + i dL/db, as in PyTorch"
    JAX = "dL/da - i dL/db, as in JAX"


@dataclass(frozen=True, kw_only=True)
class RealParts(Claim):
    """A claim about complex arrays as one about their real and imaginary parts.

    given: the claim as the user made it. reading: None until the claim has been looked at, and where both
    readings are the same.
    """

    given: Claim
    reading: Reading | None = None

    def read_as(self, reading: Reading | None) -> RealParts:
        """The same claim in one convention, which its name says."""
        return dataclasses.replace(
            self,
            reading=reading,
            vjp=_vjp(self.given, conjugated=reading is Reading.JAX),
            name=f"{self.given.name} (read as {reading.value})" if reading else self.given.name,
        )

    def as_given(self) -> Claim:
        """The user's claim at the inputs of this one."""
        return dataclasses.replace(self.given, inputs=tuple(map(joined, self.inputs)))

    def parts_of(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        """One gradient a real leaf, from one a leaf of the user's claim."""
        found: list[Any] = []
        leaves = [
            leaf for tree in self.as_given().inputs for _, leaf in iter_leaves(tree) if is_float("", leaf)
        ]
        for leaf, gradient in zip(leaves, gradients, strict=True):
            sign = -1 if self.reading is Reading.JAX else 1
            found += _halves(gradient, sign) if is_complex(leaf) else [gradient]
        return tuple(found)


def in_real_parts(claim: Claim) -> RealParts:
    """A claim some of whose inputs or outputs are complex, in no convention yet."""
    fields = {field.name: getattr(claim, field.name) for field in dataclasses.fields(Claim)}
    reference = claim.reference
    return RealParts(
        **fields
        | {
            "inputs": tuple(map(split, claim.inputs)),
            "forward": _between_parts(claim.forward),
            "reference": _between_parts(reference) if reference else None,
            "vjp": _vjp(claim, conjugated=False),
        },
        given=claim,
    )


def has_complex_inputs(claim: Claim) -> bool:
    """Whether any leaf that is differentiated is complex."""
    trees = zip(claim.names, claim.inputs, strict=True)
    return any(
        is_complex(leaf)
        for name, tree in trees
        if carries_gradient(tree, name)
        for _, leaf in iter_leaves(tree, name)
    )


def split(tree: Tree) -> Tree:
    """The tree with `Parts` for every complex array."""
    return map_leaves(
        lambda _, leaf: Parts(real=leaf.real, imag=leaf.imag) if is_complex(leaf) else leaf, tree
    )


def joined(tree: Tree) -> Tree:
    """The tree with a complex array for every `Parts`."""
    return map_leaves(
        lambda _, leaf: _one(leaf.real, leaf.imag) if isinstance(leaf, Parts) else leaf, tree, whole=Parts
    )


def _one(real: Any, imag: Any) -> Any:
    """real + i imag. Of tracers by that very formula; of numbers without the NaN it makes of infinity."""
    if not issubclass(type(real), np.ndarray | np.generic | float):  # stand-ins pass for arrays
        return real + 1j * imag
    made = np.empty(np.shape(real), np.result_type(np.asarray(real).dtype, np.complex64))
    made.real, made.imag = real, imag
    return made


def _between_parts(function: Callable[..., Tree]) -> Callable[..., Tree]:
    return lambda *inputs: split(function(*map(joined, inputs)))


def _vjp(claim: Claim, *, conjugated: bool) -> Callable[..., Tree]:
    def vjp(cotangent: Tree, *inputs: Tree) -> Tree:
        u = map_leaves(lambda _, leaf: np.conj(leaf) if conjugated else leaf, joined(cotangent))
        return claim.vjp(u, *map(joined, inputs))

    return vjp


def _halves(gradient: Any, sign: int) -> list[Any]:
    """The gradients by the real and by the imaginary part; what is no number is handed on as it is."""
    if gradient is None:
        return [None, None]
    try:
        array = np.asarray(gradient)
    except ValueError:  # lists of unequal length, which are refused where gradients are looked at
        return [gradient, gradient]
    return [np.real(array), sign * np.imag(array)] if array.dtype.kind in "fciu" else [gradient, gradient]


def fitting(
    gradients: dict[Reading, Gradients], point: Arrays, slopes: Callable[[Arrays], list[float]]
) -> Reading | None:
    """The reading whose gradients fit the function; None where both say the same.

    slopes(direction): derivatives of the function along a direction, of which some may be far off; the one
    that comes nearest to either reading decides. One direction is enough, in which the two differ as much as
    they can. Where no slope is finite, PyTorch's reading is taken.
    """
    (first, one), (second, other) = gradients.items()
    apart = [_gap(a, b, at) for a, b, at in zip(one, other, point, strict=True)]
    if not any(gap.any() for gap in apart):
        return None
    direction = tuple(
        np.sign(gap) * np.maximum(np.abs(at), np.abs(at).max(initial=0) or 1)
        for gap, at in zip(apart, point, strict=True)
    )
    claims = [_along(gradient, direction) for gradient in (one, other)]
    misses = [
        (abs(slope - claim), reading)
        for slope in slopes(direction)
        for claim, reading in zip(claims, (first, second), strict=True)
        if np.isfinite(slope)
    ]
    return min(misses, key=lambda miss: miss[0])[1] if misses else first


def _gap(one: Array | None, other: Array | None, at: Array) -> Array:
    """How two readings differ in one leaf; not at all where they are no gradients of it."""
    if one is None or other is None or one.shape != at.shape or other.shape != at.shape:
        return np.zeros(at.shape)
    return np.where(np.isfinite(one) & np.isfinite(other), one - other, 0)


def _along(gradients: Gradients, direction: Arrays) -> float:
    """The derivative that gradients claim along a direction, as far as they have the shapes for it."""
    return sum(
        float(np.sum(g * d, where=np.isfinite(g)))
        for g, d in zip(gradients, direction, strict=True)
        if g is not None and g.shape == d.shape
    )
