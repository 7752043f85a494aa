"""Copies of the user's object: it is never run itself, and every run draws the same random numbers."""

from __future__ import annotations

import contextlib
import copy
import random
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.adapters.places import contents
from gradcheck.errors import ClaimError

State = tuple[Any, Any]


def copied(target: Any, replaced: dict[int, Any] | None = None) -> Any:
    """A deep copy with arrays replaced wherever they are referred to; modules are shared."""
    shared = {id(held): held for _, held in contents(target) if isinstance(held, types.ModuleType)}
    try:
        return copy.deepcopy(target, shared | (replaced or {}))
    except TypeError as error:  # what cannot be pickled cannot be copied: locks, files, generators
        raise ClaimError(
            f"{type(target).__name__} cannot be copied ({error}): take that out of it, give it "
            "__deepcopy__, or pass functions, e.g. check_gradients(f, x, vjp=vjp)"
        ) from error


def random_state() -> State:
    """Where the global random generators stand."""
    return np.random.get_state(), random.getstate()


def drawn_since(state: State) -> bool:
    """Whether anything has been drawn from the global random generators."""
    (_, keys, *rest), builtin = state
    (_, now, *at), other = random_state()
    return rest != at or builtin != other or not np.array_equal(keys, now)


@contextlib.contextmanager
def replayed(state: State) -> Iterator[None]:
    """Draw what is drawn from a given state on, so that a dropout mask is the same in every run."""
    outer = random_state()
    try:
        _set(state)
        yield
    finally:
        _set(outer)


def _set(state: State) -> None:
    np.random.set_state(state[0])
    random.setstate(state[1])
