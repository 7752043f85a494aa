"""Independent ways to the gradient. An oracle is a function (evaluator, probe) -> Answer."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck.errors import ClaimError
from gradcheck.evaluator import Evaluator
from gradcheck.oracles import autodiff, finite_difference
from gradcheck.oracles.base import Answer
from gradcheck.probes import Probe

Oracle = Callable[[Evaluator, Probe], Answer]

# The first one that judged a leaf entry by entry supplies the "expected" of the report.
ORACLES: tuple[tuple[str, Oracle], ...] = (
    (autodiff.NAME, autodiff.autodiff),
    (finite_difference.NAME, finite_difference.finite_difference),
)


def chosen(names: str | tuple[str, ...] | list[str]) -> tuple[Oracle, ...]:
    """The oracles of these names, or all for "auto". Raises ClaimError for a name that is none."""
    if names == "auto":
        return tuple(oracle for _, oracle in ORACLES)
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
    return tuple(oracle for name, oracle in ORACLES if name in wanted)
