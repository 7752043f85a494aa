"""Which arrays of an object are parameters: those beside which a run leaves a gradient."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.naming import gradient_names
from gradcheck.adapters.places import Place, attributes, contents, is_array, is_number
from gradcheck.errors import ClaimError

PARAMETERS = ("params", "parameters", "_params", "_parameters", "trainable_params", "trainable_parameters")
GRADIENTS = ("grads", "gradients", "_grads", "_gradients", "grad", "gradient")
MOST_ORDERS = 6  # arrays for which every order of returned gradients is tried


@dataclass(frozen=True)
class Source:
    """Where a run leaves a gradient: in the object, or in what the backward returned."""

    place: Place
    returned: bool = False

    def find(self, run: Any, returned: Any) -> Any:
        return self.place.find(returned if self.returned else run)

    def entry(self, key: Any) -> Source:
        return replace(self, place=self.place.entry(key))


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """An array or a number that an object holds, and where its gradients are afterwards.

    Several are added up: one array under two names is one parameter.
    """

    place: Place
    value: Any
    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        return self.place.name

    def gradient(self, run: Any, returned: Any) -> Any:
        """What a run left, each array counted once; the first that has another shape, where they differ."""
        found = [source.find(run, returned) for source in self.sources]
        parts = {id(part): part for part in found if part is not None}
        odd = [part for part in parts.values() if np.shape(part) != np.shape(self.value)]
        if odd or not parts:
            return odd[0] if odd else None
        return sum(parts.values()) if len(parts) > 1 else next(iter(parts.values()))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of an object's forward and backward, on a copy.

    run: the copy afterwards. returned: by its backward. kept: the places whose arrays and numbers forward
    left as they were. untouched: those that backward left in place as well. written: the places of arrays
    from before, whose entries forward changed.
    """

    run: Any
    output: Any
    returned: Any
    kept: frozenset[Place]
    untouched: frozenset[Place]
    written: frozenset[Place]


def held_beside(trial: Trial) -> list[Parameter]:
    """The parameters whose gradients are held beside them, or returned in a dictionary by their names.

    Sub-layers that share an array have a part of its gradient each; what an object around them holds is
    the whole of it.
    """
    found: dict[Any, tuple[int, Parameter]] = {}
    for holder, thing in contents(trial.run):
        for key, parameter in _of_holder(trial, holder, attributes(thing)).items():
            depth, known = found.get(key, (holder.depth, None))
            if depth == holder.depth:
                found[key] = depth, _both(known, parameter)
    return [parameter for _, parameter in found.values()]


def _of_holder(trial: Trial, holder: Place, held: dict[str, Any]) -> dict[Any, Parameter]:
    """The parameters among one object's attributes: in containers, then by paired names, then returned."""
    own = {id(value): name for name, value in held.items() if is_array(value)}
    found: dict[Any, Parameter] = {}
    for answers in (
        _contained(held, holder),
        _named(held, holder),
        _keyed(held, holder),
        _returned(trial, held, holder),
    ):
        new: dict[Any, Parameter] = {}
        for name, source, gradient in answers:
            for place, value, at in _paired(holder.attribute(name), held[name], source, gradient):
                if place in trial.kept:
                    # An entry of a list is called by the attribute that holds it too, where there is one.
                    alias = own.get(id(value)) if isinstance(held[name], list | tuple) else None
                    called = holder.attribute(alias) if alias else place
                    key = id(value) if is_array(value) else place
                    new[key] = _both(new.get(key), Parameter(place=called, value=value, sources=(at,)))
        found = new | found
    return found


def _both(known: Parameter | None, other: Parameter) -> Parameter:
    sources = (*known.sources, *other.sources) if known else other.sources
    return replace(known or other, sources=tuple(dict.fromkeys(sources)))


Answer = tuple[str, Source, Any]  # an attribute, where its gradient is, and what is there


def _contained(held: dict[str, Any], holder: Place) -> Iterator[Answer]:
    """The container of parameters beside the container of gradients."""
    pairs = itertools.product(PARAMETERS, GRADIENTS)
    found = [(name, answer) for name, answer in pairs if name in held and held.get(answer) is not None]
    return ((name, Source(holder.attribute(answer)), held[answer]) for name, answer in found[:1])


def _named(held: dict[str, Any], holder: Place) -> Iterator[Answer]:
    for name in held:
        for answer in gradient_names(name, unless=held):
            if held.get(answer) is not None and not callable(held[answer]):
                yield name, Source(holder.attribute(answer)), held[answer]
                break


def _keyed(held: dict[str, Any], holder: Place) -> Iterator[Answer]:
    """Attributes that a dictionary of gradients beside them answers for."""
    for container in GRADIENTS:
        if isinstance(held.get(container), Mapping):
            yield from _by_key(held, held[container], Source(holder.attribute(container)))


def _returned(trial: Trial, held: dict[str, Any], holder: Place) -> Iterator[Answer]:
    """The outermost object's, in the dictionary that its backward returned."""
    if not isinstance(trial.returned, Mapping) or holder.steps:
        return
    whole = Source(Place(), returned=True)
    yield from ((name, whole, trial.returned) for name in held if name in PARAMETERS)
    yield from _by_key(held, trial.returned, whole)


def _by_key(held: dict[str, Any], gradients: Mapping[Any, Any], source: Source) -> Iterator[Answer]:
    for name in held:
        for answer in (*gradient_names(name, unless=held), name):
            if gradients.get(answer) is not None:
                yield name, source.entry(answer), gradients[answer]
                break


def _paired(place: Place, value: Any, source: Source, gradient: Any) -> Iterator[tuple[Place, Any, Source]]:
    """(place, value, source of its gradient) for each array of a container, or for one that is none."""
    if gradient is None:
        return
    if is_array(value) or is_number(value):
        if not isinstance(gradient, Mapping):
            yield place, value, source
    elif isinstance(value, Mapping) and isinstance(gradient, Mapping):
        for key, child in value.items():
            names = (*gradient_names(key, unless=value), key) if isinstance(key, str) else (key,)
            answer = next((name for name in names if name in gradient), None)
            if answer is not None:
                yield from _paired(place.entry(key), child, source.entry(answer), gradient[answer])
    elif isinstance(value, list | tuple) and isinstance(gradient, list | tuple) and gradient:
        if len(value) != len(gradient):
            where = source.place.name or "what was returned"
            raise ClaimError(
                f"{len(gradient)} gradients are in {where} for {len(value)} parameters in {place.name}: "
                "put one there for each, None where there is none"
            )
        for i, child in enumerate(value):
            yield from _paired(place.entry(i), child, source.entry(i), gradient[i])


def in_order(trial: Trial, positions: range, known: list[Parameter]) -> list[Parameter] | None:
    """The parameters that a backward answered for at these positions of the sequence it returned.

    The order is that of the attributes, or of another one that the shapes fit where they do not fit that.
    None where gradients are not as many as the arrays, or containers of arrays, that have none yet.
    """
    loose = _loose(trial, known)
    single = [leaf for place, value in loose for leaf in _arrays(place, value)]
    free = next((some for some in (loose, single) if len(some) == len(positions)), None)
    if free is None:
        return None
    gradients = [trial.returned[i] for i in positions]
    orders = itertools.permutations(free) if len(free) <= MOST_ORDERS else (free,)
    fitting = (o for o in orders if all(_fits(value, g) for (_, value), g in zip(o, gradients, strict=True)))
    return [
        Parameter(place=at, value=array, sources=(source,))
        for (place, value), i in zip(next(fitting, free), positions, strict=True)
        for at, array, source in _paired(
            place, value, Source(Place().entry(i), returned=True), trial.returned[i]
        )
    ]


def _loose(trial: Trial, known: list[Parameter]) -> list[tuple[Place, Any]]:
    """The outermost object's arrays, and containers of arrays, that nothing answers for yet."""
    seen = _accounted(trial, known)
    found: list[tuple[Place, Any]] = []
    for name, value in attributes(trial.run).items():
        inside = _arrays(Place().attribute(name), value)
        if inside and all(place in trial.kept and id(array) not in seen for place, array in inside):
            found.append((Place().attribute(name), value))
            seen |= {id(array) for _, array in inside}
    return found


def _accounted(trial: Trial, known: list[Parameter]) -> set[int]:
    """The arrays that are parameters or gradients of them."""
    gradients = (source.find(trial.run, trial.returned) for p in known for source in p.sources)
    return {id(parameter.value) for parameter in known} | {id(gradient) for gradient in gradients}


def _arrays(place: Place, value: Any) -> list[tuple[Place, Any]]:
    """The arrays of a container, or one that is in none; objects are not walked into."""
    if is_array(value):
        return [(place, value)]
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if _is_sequence(value) else ()
    return [leaf for key, child in pairs for leaf in _arrays(place.entry(key), child)]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _fits(value: Any, gradient: Any) -> bool:
    """Whether a gradient has the shape of an array, or the arrays' shapes of a list."""
    if _is_sequence(value):
        same = _is_sequence(gradient) and len(gradient) == len(value)
        return same and all(map(_fits, value, gradient))
    return isinstance(value, Mapping) or (
        not _is_sequence(gradient) and np.shape(gradient) == np.shape(value)
    )


def unanswered(trial: Trial, known: list[Parameter]) -> Iterator[str]:
    """What looks like a parameter, being left as it was by the run, and has no gradient."""
    accounted = _accounted(trial, known)
    for parameter in held_beside(replace(trial, kept=trial.written)):
        yield f"{parameter.name}: forward changes its entries, as it does those of what it caches"
    for place, value in contents(trial.run):
        still = place in trial.kept and place in trial.untouched
        if is_array(value) and still and id(value) not in accounted:
            accounted.add(id(value))
            is_name, key = place.steps[-1]
            beside = f"d{key}" if is_name or isinstance(key, str) else f"{key} among gradients"
            yield f"{place.name}: no {beside} or the like after backward"
