"""Where a backward leaves the gradient of each input: in what it returns, or in attributes that it sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.naming import gradient_names, is_label
from gradcheck.adapters.parameters import Parameter, Source, Trial, in_order
from gradcheck.adapters.places import Place, attributes
from gradcheck.claim import carries_gradient
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree, children

INPUT_GRADIENTS = ("dinputs", "dinput", "dx", "dX", "grad_input", "input_grad", "input_gradient")
Sources = list[Source | None]  # one an input, None for one without a gradient


def input_sources(
    trial: Trial,
    inputs: tuple[Tree, ...],
    names: tuple[str, ...],
    called: str,
    known: list[Parameter],
    *,
    are_data: bool,
) -> tuple[Sources, list[Parameter]]:
    """Where each input's gradient is, and the parameters that are answered for behind them, by position.

    are_data: a sequence that is returned answers for parameters alone.
    """
    due = [
        i for i, (name, tree) in enumerate(zip(names, inputs, strict=True)) if carries_gradient(tree, name)
    ]
    returned = trial.returned
    if isinstance(returned, Mapping) and not (len(due) == 1 and isinstance(inputs[due[0]], Mapping)):
        return [_keyed(returned, name) if i in due else None for i, name in enumerate(names)], []
    if returned is None:
        return _held(trial, names, due, known), []
    sequence = isinstance(returned, list | tuple)
    if not sequence or (len(inputs) == 1 and children(inputs[0], "") is not None):
        whole = Source(Place(), returned=True)
        return [whole if due and i == due[0] else None for i in range(len(inputs))], []
    for positions in ((),) if are_data else (range(len(inputs)), due):
        more = in_order(trial, range(len(positions), len(returned)), known)
        if len(returned) == len(positions) or (more and len(returned) > len(positions)):
            places = {i: Source(Place().entry(k), returned=True) for k, i in enumerate(positions) if i in due}
            return [places.get(i) for i in range(len(inputs))], more or []
    wanted = ", ".join(names[i] for i in due)
    raise ClaimError(
        f"{called} returned {len(returned)} gradients for {wanted or 'no input that carries one'}"
        f"{_and_parameters(known)}: return one gradient an input, and leave those of parameters beside them, "
        "e.g. self.dW beside self.W"
    )


def _and_parameters(known: list[Parameter]) -> str:
    return f", and left those of {', '.join(p.name for p in known)} beside them" if known else ""


def _keyed(returned: Mapping[Any, Any], name: str) -> Source | None:
    found = next((key for key in (*gradient_names(name), name) if returned.get(key) is not None), None)
    return Source(Place().entry(found), returned=True) if found is not None else None


def _held(trial: Trial, names: tuple[str, ...], due: list[int], known: list[Parameter]) -> Sources:
    """Attributes that hold the gradients of inputs after a backward that returned None."""
    held = attributes(trial.run)
    taken = {source.place for parameter in known for source in parameter.sources}
    found: Sources = [None] * len(names)
    for i in due:
        candidates = (*gradient_names(names[i]), *(INPUT_GRADIENTS if i == due[0] else ()))
        places = (Place().attribute(name) for name in candidates if held.get(name) is not None)
        place = next((place for place in places if place not in taken), None)
        found[i] = Source(place) if place else None
    return found


def data_by_name(trial: Trial, inputs: tuple[Tree, ...], names: tuple[str, ...]) -> list[int]:
    """The inputs that a loss compares with: of such names, where the output has fewer axes than the first."""
    if not isinstance(trial.output, np.ndarray | float | np.number) or not isinstance(inputs[0], np.ndarray):
        return []
    lower = np.ndim(trial.output) < inputs[0].ndim
    return [i for i, name in enumerate(names) if i and lower and is_label(name)]
