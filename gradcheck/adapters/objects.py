"""An object with a forward and something that takes a cotangent back through it, as a Claim.

The object itself is never run. Every evaluation works on a deep copy into which the values of the
parameters are put wherever it refers to them, in sub-layers as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.answers import Sources, data_by_name, input_sources
from gradcheck.adapters.copies import copied, drawn_since, random_state, replayed
from gradcheck.adapters.naming import required_of
from gradcheck.adapters.parameters import Parameter, Trial, held_beside, unanswered
from gradcheck.adapters.places import Place, contents, is_array, is_number
from gradcheck.claim import Claim, Constant, carries_gradient, is_float
from gradcheck.claim import copied as copied_leaf
from gradcheck.errors import ClaimError
from gradcheck.evaluator import noted
from gradcheck.tree import Tree, map_leaves

RESETS = (
    *("zero_grad", "zero_grads", "zero_gradients", "reset_grad", "reset_grads", "reset_gradients"),
    *("clear_grad", "clear_grads", "clear_gradients", "flush_gradients"),
)
ASKED = ("grad", "gradient", "gradients")  # what tells the gradients, and does not empty them
ASIDE = 1 - 2.0**-20  # times the inputs, in a second run: what changes with them is no parameter

Pull = Callable[[Tree], Any]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How an object is run.

    called: the backward, in messages. start(object, inputs) -> (output, pull), where pull(cotangent) is
    what the backward returns. names: one an input. takes_cotangent: False for the gradient of a number.
    inputs_are_data: whether inputs without a gradient are in order. not_checked: what it leaves out.
    """

    called: str
    start: Callable[[Any, tuple[Tree, ...]], tuple[Tree, Pull]]
    names: tuple[str, ...]
    takes_cotangent: bool = True
    inputs_are_data: bool = False
    not_checked: tuple[str, ...] = ()


def claim_of(
    target: Any, inputs: tuple[Tree, ...], manner: Manner, reference: Callable[..., Tree] | None = None
) -> Claim:
    """Gradients of the inputs and of every parameter that the object holds and a run answers for.

    reference takes the parameters by name: reference(x, W=W, b=b).
    """
    state, count = random_state(), len(inputs)
    with replayed(state):
        made, trial = _tried(target, inputs, manner)
        draws = drawn_since(state)
    found = held_beside(trial)
    sources, more = input_sources(
        trial, inputs, manner.names, manner.called, found, are_data=manner.inputs_are_data
    )
    found += more
    # To make parameters anew in every evaluation would be to draw them anew: the copy that has made them once
    # takes the object's place.
    lazy = any(parameter.place in made for parameter in found)
    with replayed(state):
        template = _run_once(target, inputs, manner) if lazy else target
    data = _data(trial, inputs, manner, sources)
    originals = tuple(parameter.place.find(template) for parameter in found)

    def fresh(values: tuple[Any, ...]) -> Any:
        arrays = {id(old): new for old, new in zip(originals, values, strict=True) if is_array(old)}
        run = copied(template, arrays)
        for parameter, value in zip(found, values, strict=True):
            if not is_array(parameter.value):
                parameter.place.put(run, value)
        _reset(run, found)
        return run

    def replaying() -> contextlib.AbstractContextManager[None]:
        return replayed(state) if draws else contextlib.nullcontext()

    def forward(*at: Tree) -> Tree:
        with replaying():
            return manner.start(fresh(at[count:]), at[:count])[0]

    def vjp(cotangent: Tree, *at: Tree) -> tuple[Any, ...]:
        with replaying():
            run = fresh(at[count:])
            returned = manner.start(run, at[:count])[1](cotangent)
        return answers(run, returned)

    def answers(run: Any, returned: Any) -> tuple[Any, ...]:
        of_inputs = (source.find(run, returned) if source else None for source in sources)
        return (*of_inputs, *(parameter.gradient(run, returned) for parameter in found))

    def disturbed(cotangent: Tree, at: tuple[Tree, ...], others: tuple[Tree, ...]) -> tuple[Tree, Tree]:
        """One object for two rounds; its gradients are emptied in between where that is left to the user."""
        run = fresh(at[count:])
        with replaying():
            manner.start(run, others[:count])[1](cotangent)
        if _empties(run):
            _reset(run, found)
        with replaying():
            output, pull = manner.start(run, at[:count])
            output = map_leaves(copied_leaf, output)
            returned = pull(cotangent)
        return output, answers(run, returned)

    def twin(*at: Tree) -> Tree:
        assert reference is not None
        return reference(*at[:count], **{p.name: v for p, v in zip(found, at[count:], strict=True)})

    own = (f"self.{p.name}" if p.name in manner.names else p.name for p in found)
    unseen = (f"{manner.names[i]}: {manner.called} answers with no gradient for it" for i in data)
    return Claim(
        name=manner.called,
        forward=forward,
        vjp=vjp,
        inputs=(*(Constant(x) if i in data else x for i, x in enumerate(inputs)), *originals),
        names=(*manner.names, *own),
        reference=twin if reference else None,
        takes_cotangent=manner.takes_cotangent,
        data=tuple(range(count)),
        disturbed=disturbed,
        not_checked=(*unseen, *manner.not_checked, *unanswered(trial, found)),
    )


def _data(trial: Trial, inputs: tuple[Tree, ...], manner: Manner, sources: Sources) -> list[int]:
    """The inputs that get no gradient though they could. Raises ClaimError where that is not in order."""
    names = manner.names
    without = [i for i, s in enumerate(sources) if s is None and carries_gradient(inputs[i], names[i])]
    labels = data_by_name(trial, inputs, names)
    missing = [names[i] for i in without if i not in labels]
    if not missing or manner.inputs_are_data:
        return without
    if trial.returned is None:
        raise ClaimError(
            f"{manner.called} returned None and left no gradient of {missing[0]}: return it, or set an "
            f"attribute such as self.d{missing[0]}"
        )
    raise ClaimError(
        f"{manner.called} returned no gradient for {', '.join(missing)}: return one gradient an input, in "
        f"a tuple, or wrap data in gradcheck.constant(...)"
    )


def _tried(target: Any, inputs: tuple[Tree, ...], manner: Manner) -> tuple[set[Place], Trial]:
    """Where the first forward makes arrays that stay, and one run of a copy.

    Another copy runs forward twice, to tell parameters from what a forward caches; some objects keep one
    cache for each forward, so that the run has but one.
    """
    twice, run = copied(target), copied(target)
    before = _held(twice)
    with noted(f"gradcheck: raised by the run of {manner.called} that looks for parameters"):
        output, pull = manner.start(run, tuple(_own(x) for x in inputs))
        held = _held(run)
        returned = pull(map_leaves(_ones, output))
        manner.start(twice, tuple(_own(x) for x in inputs))
        first = _held(twice)
        values = {place: np.array(value) for place, value in first.items()}
        with np.errstate(all="ignore"):  # the second run is our idea
            manner.start(twice, tuple(_own(x, aside=True) for x in inputs))
        second = _held(twice)
    kept = frozenset(at for at in first if _same(first[at], second.get(at), values[at]))
    after = _held(run)
    trial = Trial(
        run=run,
        output=output,
        returned=returned,
        kept=kept,
        untouched=frozenset(place for place in kept if after.get(place) is held.get(place)),
        written=frozenset(at for at in before if before[at] is second.get(at) and at not in kept),
    )
    made = {place for place in kept if is_array(first[place]) and first[place] is not before.get(place)}
    return made, trial


def _run_once(target: Any, inputs: tuple[Tree, ...], manner: Manner) -> Any:
    run = copied(target)
    manner.start(run, tuple(_own(x) for x in inputs))
    return run


def _held(run: Any) -> dict[Place, Any]:
    return {place: value for place, value in contents(run) if is_array(value) or is_number(value)}


def _same(first: Any, second: Any, value: Any) -> bool:
    """Whether a run left an array in place and its entries as they were, or a number as it was."""
    in_place = first is second or (is_number(first) and is_number(second))
    return in_place and np.array_equal(second, value, equal_nan=True)


def _own(tree: Tree, aside: bool = False) -> Tree:
    """An input that a run may write to, moved aside a little where that is asked for."""

    def own(path: str, leaf: Any) -> Any:
        mine = copied_leaf(path, leaf)
        move = aside and (is_array(mine) or is_number(mine))
        return (
            (mine * ASIDE).astype(mine.dtype) if move and is_array(mine) else mine * ASIDE if move else mine
        )

    return map_leaves(own, tree)


def _ones(path: str, leaf: Any) -> Any:
    return np.ones_like(leaf) if is_float(path, leaf) else leaf


def _empties(run: Any) -> bool:
    """Whether an object has methods for its gradients: then it adds them up on purpose, and its user empties
    them, as `zero_grad` does, or `inc_grad` and `set_grad` let one."""
    names = (name for kind in type(run).__mro__ for name, held in vars(kind).items() if callable(held))
    return any("grad" in name for name in names if name not in ASKED)


def _reset_method(run: Any) -> Callable[[], object] | None:
    method = next((m for name in RESETS if callable(m := getattr(run, name, None))), None)
    return method if method is not None and not required_of(method) else None


def _reset(run: Any, found: list[Parameter]) -> None:
    """Gradients of earlier runs away, by the object's own method or by zeros in their place.

    Many classes add to what is there; what they add in one run is their gradient.
    """
    method = _reset_method(run)
    if method is not None:
        method()
        return
    parameters = {id(parameter.place.find(run)) for parameter in found}
    for place in (source.place for p in found for source in p.sources if not source.returned):
        gradient = place.find(run)
        if is_array(gradient) and id(gradient) not in parameters:
            gradient[...] = 0
        elif is_number(gradient):
            place.put(run, 0.0)
