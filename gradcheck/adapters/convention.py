"""How a claim is to be read, where it is no VJP by its own convention."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from gradcheck.align import align
from gradcheck.claim import Claim, Constant, is_float
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, iter_leaves, map_leaves

CONVENTIONS = ("vjp", "mean-in-parameters")


def read_as(claim: Claim, convention: str) -> Claim:
    """The claim in its convention. Raises ClaimError for one that is not known."""
    if convention not in CONVENTIONS:
        known = " or ".join(map(repr, CONVENTIONS))
        raise ClaimError(f"convention={convention!r} is not known: pass {known}")
    return claim if convention == "vjp" else mean_in_parameters(claim)


def mean_in_parameters(claim: Claim) -> Claim:
    """A claim that has 1/m inside dW, db of every layer and none in dA, as a VJP: m dW, m db.

    m is the number of examples; parameters are the inputs that are not data. Where no input is known for
    data, the first is taken for it. Raises ClaimError where the shapes leave m open.
    """
    data = claim.data or (0,)
    known = dataclasses.replace(claim, data=data)
    size = known.batch_size
    parameters = [i for i in range(len(claim.inputs)) if i not in data]
    if size is None or not parameters:
        shapes = ", ".join(str(np.shape(leaf)) for leaf in _arrays(claim.inputs, data))
        raise ClaimError(
            f"convention='mean-in-parameters' needs the number of examples, and data of shape {shapes} "
            "leave it open: pass data of two or more axes, lengths that differ, and parameters beside it"
        )
    leaf, axis = _batch_axis(known, size)

    def vjp(cotangent: Tree, *inputs: Tree) -> tuple[Tree, ...]:
        m = np.shape(_arrays(inputs, data)[leaf])[axis]
        left = iter(align(claim, claim.vjp(cotangent, *inputs)))

        def scaled(position: int) -> Tree:
            times = m if position in parameters else 1
            return map_leaves(
                lambda path, at: _times(times, next(left)) if is_float(path, at) else None,
                claim.inputs[position],
            )

        return tuple(map(scaled, range(len(inputs))))

    return dataclasses.replace(known, vjp=vjp, disturbed=None)


def _batch_axis(claim: Claim, size: int) -> tuple[int, int]:
    """Which array of the data, and which axis of it, has the examples."""
    shapes = [np.shape(leaf) for leaf in _arrays(claim.inputs, claim.data)]
    return next((i, shape.index(size)) for i, shape in enumerate(shapes) if size in shape)


def _arrays(inputs: tuple[Tree, ...], data: tuple[int, ...]) -> list[Any]:
    """The leaves of the data, those of constants among them."""
    return [leaf for i in data for leaf in _opened(inputs[i])]


def _opened(tree: Tree) -> list[Any]:
    leaves = (leaf for _, leaf in iter_leaves(tree))
    return [
        part for leaf in leaves for part in (_opened(leaf.value) if isinstance(leaf, Constant) else [leaf])
    ]


def _times(m: int, gradient: Any) -> Any:
    if gradient is None or m == 1:
        return gradient
    return np.multiply(gradient, m)
