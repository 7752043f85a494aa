"""Independent ways to the gradient. An oracle is a function (evaluator, probe) -> Answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradcheck.errors import ClaimError
from gradcheck.evaluator import Evaluator
from gradcheck.oracles import autodiff, complex_step, finite_difference
from gradcheck.oracles.base import Answer
from gradcheck.probes import Probe

Oracle = Callable[[Evaluator, Probe], Answer]

# The first one that judged a leaf entry by entry supplies the "expected" of the report.
ORACLES: tuple[tuple[str, Oracle], ...] = (
    (autodiff.NAME, autodiff.autodiff),
    (complex_step.NAME, complex_step.complex_step),
    (finite_difference.NAME, finite_difference.finite_difference),
)
# What "auto" asks. Complex steps see nothing that these two miss together: they settle what the two dispute.
AUTO = (autodiff.NAME, finite_difference.NAME)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The oracles to ask, in order.

    by_name: the user named them, and wants all that each can say. places: wrong entries of large leaves
    are to be searched for. known: leaves of which differences need say no more than along one line.
    """

    oracles: tuple[Oracle, ...]
    by_name: bool
    places: bool = True
    known: frozenset[int] = frozenset()


def chosen(names: str | tuple[str, ...] | list[str]) -> Asked:
    """The oracles of these names, or those of "auto". Raises ClaimError for a name that is none."""
    if names == "auto":
        return Asked(oracles=tuple(oracle for name, oracle in ORACLES if name in AUTO), by_name=False)
    known = dict(ORACLES)
    wanted = (names,) if isinstance(names, str) else names
    if (
        not isinstance(wanted, list | tuple)
        or not wanted
        or not all(name in known for name in map(str, wanted))
    ):
        raise ClaimError(
            f"oracles={names!r} names no oracle that exists: choose from {', '.join(map(repr, known))}"
        )
    return Asked(oracles=tuple(oracle for name, oracle in ORACLES if name in wanted), by_name=True)
