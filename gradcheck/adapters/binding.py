"""What a backward is called with, by its signature: the cotangent, the cache, inputs by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradcheck.adapters.naming import is_label, required_of, signature_of
from gradcheck.errors import ClaimError
from gradcheck.tree import Tree

CACHES = ("cache", "caches", "ctx")


@dataclass(frozen=True, kw_only=True)
class Backward:
    """A backward and what it wants.

    called: its name in messages. names: those of the forward's inputs. required: its own arguments
    that have no default.
    """

    function: Callable[..., Any]
    called: str
    names: tuple[str, ...]
    required: tuple[str, ...]
    takes_cotangent: bool

    @property
    def wanted(self) -> tuple[str, ...]:
        """What it takes beside the cotangent."""
        return self.required[1 if self.takes_cotangent else 0 :]

    @property
    def others(self) -> tuple[str, ...]:
        """What it takes that is no input by its name."""
        return tuple(name for name in self.wanted if name not in self.names)

    def __call__(self, cotangent: Tree, result: Any, inputs: tuple[Tree, ...]) -> Any:
        """What it returns for a cotangent, after a forward that returned `result`."""
        given = (cotangent,) if self.takes_cotangent else ()
        if self.others and not self.has_cache(result):
            return self.function(*given, *inputs)
        known = dict(zip(self.names, inputs, strict=True))
        return self.function(*given, *(known[n] if n in known else result[1] for n in self.wanted))

    def has_cache(self, result: Any) -> bool:
        """Whether a forward's result is an output and a cache. Raises ClaimError where that is open."""
        pair = type(result) in (tuple, list) and len(result) == 2
        if pair and self.wanted and not self.others:
            raise ClaimError(
                f"the forward returned two values and {self.called} takes {', '.join(self.wanted)}, as "
                "inputs are named: if the second one is a cache, call that argument cache; or pass vjp="
            )
        if pair and len(self.others) == 1:
            return True
        by_position = not pair and len(self.others) == len(self.wanted) == len(self.names)
        if self.others and not by_position:
            raise ClaimError(
                f"{self.called} takes {', '.join(self.required)}, and {self.others[-1]} is neither an input "
                f"of the forward ({', '.join(self.names)}) nor a cache that it returns: return (out, cache) "
                "from the forward, or pass f with vjp=lambda cotangent, *inputs: ..."
            )
        return False


def backward_of(function: Callable[..., Any], called: str, names: tuple[str, ...]) -> Backward:
    """A backward bound to the inputs of its forward."""
    required = required_of(function)
    by_name = len(required) > 1 and all(name in names for name in required)
    label = len(required) == 1 and required[0] in names[1:] and is_label(required[0])
    without = by_name or label or (bool(required) and required[0] in CACHES)
    if not required:
        without = not any(map(_takes_one, signature_of(function)))
    return Backward(
        function=function, called=called, names=names, required=required, takes_cotangent=not without
    )


def _takes_one(parameter: inspect.Parameter) -> bool:
    """Whether an optional argument is for a cotangent: one that is 1, or nothing, by default."""
    return parameter.kind is parameter.VAR_POSITIONAL or (
        parameter.kind is not parameter.KEYWORD_ONLY
        and (
            parameter.default is None or (type(parameter.default) in (int, float) and parameter.default == 1)
        )
    )
