"""A mistake: a few lines of the right backward written wrongly, all that follows computed from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from manual.types import Array, Arrays
from properties.mistakes.layouts import LAYOUTS
from properties.mistakes.network import HIDDEN, LINES, LOSSES, Network, Values

# A wrong line, given what there is so far and what the right line makes of it.
Line = Callable[[Values, Array], Array]


@dataclass(frozen=True, eq=False)
class Mutant:
    """A mistake by name, written once for all layouts.

    codes: of the list of mistakes, each of which names it rightly; none where no cause should be named.
    lines: what is written wrongly. also_first: besides the first line whose value is wrong, what may be
    called so. losses, hidden: where the mistake can be made. penalised, dropped, of_inputs: the network
    has weight decay, has dropout, is differentiated by X. equal: the lengths that must be equal for the
    wrong code to run.
    """

    name: str
    codes: tuple[str, ...]
    lines: Mapping[str, Line] = field(repr=False)
    also_first: tuple[str | None, ...] = ()
    losses: tuple[str, ...] = LOSSES
    hidden: tuple[str, ...] = HIDDEN
    penalised: bool = False
    dropped: bool = False
    of_inputs: bool = False
    equal: tuple[str, ...] = ()


def backward(network: Network, wrong: Mapping[str, Line], params: Arrays, X: Array, Y: Array) -> Arrays:
    """Every quantity of the backward in order, dX among them, by the right lines and the wrong ones."""
    v = network.values(params, X, Y)
    with np.errstate(all="ignore"):
        for name, line in LINES.items():
            right = line(v)
            setattr(v, name, wrong[name](v, right) if name in wrong else right)
    return {name: getattr(v, name) for name in LINES}


PLAIN = Network(layout=LAYOUTS[0], loss="cross-entropy", hidden="sigmoid", decay=0.0, mask=1.0)


def gradients(
    mutant: Mutant, network: Network = PLAIN, of_inputs: bool = False
) -> Callable[[Arrays, Array, Array], Arrays]:
    """A mutant as the `gradients=` of a cost over (params, X, Y): dZ2, dA1 and dZ1 beside the parameters'."""

    def gradients(params: Arrays, X: Array, Y: Array) -> Arrays:
        found = backward(network, mutant.lines, params, X, Y)
        return {name: value for name, value in found.items() if name != "dX" or of_inputs}

    return gradients
