"""What a case is: a function, a point, and a gradient claimed there that is right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
Vjp = Callable[..., tuple[Array, ...]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A claim: `vjp(cotangent, *inputs)` is the gradient of <cotangent, forward> by every input.

    smooth: whether the function is differentiable at the point, twice. Where it has no first derivative,
    every subgradient is right.
    """

    name: str
    forward: Callable[..., Array]
    inputs: tuple[Array, ...]
    vjp: Vjp
    right: bool
    smooth: bool = True


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A function with its right gradient, mistakes that are made in that gradient, and points to check at.

    points: inputs by name; every mistake is wrong at each of them. spoilt: whether `spoil.py` may add
    mistakes that can be made in any gradient.
    """

    name: str
    forward: Callable[..., Array]
    vjp: Vjp
    points: Mapping[str, tuple[Array, ...]]
    mistakes: Mapping[str, Vjp] = field(default_factory=dict)
    spoilt: bool = True
    smooth: bool = True

    def cases(self) -> Iterator[Case]:
        """The right gradient and every mistake, at every point."""
        for point, inputs in self.points.items():
            for mistake, vjp in {"": self.vjp, **self.mistakes}.items():
                yield Case(
                    name=", ".join(filter(None, (self.name, point, mistake))),
                    forward=self.forward,
                    inputs=inputs,
                    vjp=vjp,
                    right=not mistake,
                    smooth=self.smooth,
                )


def of_one(derivative: Callable[[Array], Array]) -> Vjp:
    """The VJP of a function that acts on each entry by itself."""
    return lambda u, x: (u * derivative(x),)


def single(inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """The same inputs in float32."""
    return tuple(np.asarray(value, dtype=np.float32) for value in inputs)
