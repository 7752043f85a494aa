"""What a function's frame calls by name: local variables, entries of dictionaries, attributes of objects."""

from __future__ import annotations

import dis
import functools
import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.tracing.reach import LARGEST, is_users


@dataclass(frozen=True, kw_only=True)
class Named:
    """A thing that the user's code has a name for; holder: the frame, dictionary or object that has it."""

    name: str
    thing: Any
    holder: Any

    @property
    def times(self) -> float:
        """How often the name was given to something there, as far as one can see: infinitely, in a loop."""
        frame = self.holder if isinstance(self.holder, types.FrameType) else None
        return assignments(frame.f_code).get(self.name, 1) if frame else 1


def named_in(frame: types.FrameType) -> Iterator[Named]:
    """The local variables, what dictionaries among them hold by keys, and what objects have as attributes."""
    for name, thing in list(frame.f_locals.items()):
        yield Named(name=name, thing=thing, holder=frame)
        if isinstance(thing, Mapping):
            yield from entries(thing, name)
        elif is_users(type(thing).__module__) and hasattr(thing, "__dict__") and not isinstance(thing, type):
            for attribute, held in list(vars(thing).items()):
                yield Named(name=attribute, thing=held, holder=thing)
                if isinstance(held, Mapping):
                    yield from entries(held, attribute)


def entries(mapping: Mapping[Any, Any], name: str) -> Iterator[Named]:
    """What a dictionary holds: under text as it is, under numbers by the dictionary's own name."""
    if len(mapping) > LARGEST:
        return
    for key, held in list(mapping.items()):
        if isinstance(key, str):
            yield Named(name=key, thing=held, holder=mapping)
        elif isinstance(key, int):
            yield Named(name=f"{name}[{key}]", thing=held, holder=mapping)


@functools.lru_cache(maxsize=1024)
def assignments(code: types.CodeType) -> dict[str, float]:
    """How many times a function assigns each variable: one that it does in a loop, infinitely often."""
    instructions = list(dis.get_instructions(code))
    loops = [(int(i.argval), i.offset) for i in instructions if "JUMP_BACKWARD" in i.opname]
    times: dict[str, float] = dict.fromkeys(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], 1)
    for instruction in instructions:
        looped = any(first <= instruction.offset <= last for first, last in loops)
        for name in _stored(instruction):
            times[name] = math.inf if looped else times.get(name, 0) + 1
    return times


def _stored(instruction: dis.Instruction) -> tuple[str, ...]:
    """The variables that an instruction assigns; since Python 3.13 one may do two things."""
    if instruction.opname == "STORE_FAST_LOAD_FAST":
        return instruction.argval[:1]
    if instruction.opname == "STORE_FAST_STORE_FAST":
        return instruction.argval
    return (instruction.argval,) if instruction.opname in ("STORE_FAST", "STORE_DEREF") else ()
