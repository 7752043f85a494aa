"""The wrong line as it was written beside the right one, found among small edits of it.

Lines of NumPy are made of what is right: the cotangents before the wrong line, what the forward has names
for, and the parameters. One that gives what is due, and one that gives what was claimed, both here and on
fresh data, say what was written for what. Where several such pairs are as near to each other and mean
different mistakes, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.claim import Array
from gradcheck.diagnosis import Look
from gradcheck.diagnosis.edits import fitted, lines, same
from gradcheck.diagnosis.evidence import Finding
from gradcheck.diagnosis.expressions import (
    Expression,
    Minus,
    Plus,
    Product,
    Scaled,
    Slope,
    Summed,
    Times,
    Transposed,
    distance,
)
from gradcheck.diagnosis.ingredients import Ingredients, ingredients_of
from gradcheck.first_wrong import FirstWrong
from gradcheck.lines import Line, unfolded
from gradcheck.verdict import LeafResult, Verdict

SHARED = 3  # entries that two lines have in common which differ by a mask alone
MOST_EDITS = 2  # between the right line and the one that was written


@dataclass(frozen=True, kw_only=True)
class Slip:
    """The line that was written, the one that is right, and the code of the mistake."""

    written: Expression
    right: Expression
    code: str

    @property
    def cost(self) -> tuple[int, int]:
        """Edits first, then how much there is to read."""
        return distance(self.written, self.right), self.written.size + self.right.size


def with_lines(
    findings: tuple[Finding, ...],
    wrong: FirstWrong | None,
    leaves: tuple[LeafResult, ...],
    looks: tuple[Look, ...],
) -> tuple[Finding, ...]:
    """The findings with the first wrong line beside the right one; on its own where no rule has one."""
    if wrong is None or wrong.backward is None:
        return findings
    due = tuple(leaf.name for leaf in _made_from(wrong, leaves))
    if not due:
        return findings
    fresh = tuple(_fresh(wrong, leaves, looks))
    here = ingredients_of(wrong, wrong.backward, leaves, next((look.batch_size for look in looks), None))
    if here is None or not fresh:
        return findings
    slip = _slip(here, fresh)
    if slip is None:
        explained = any({*f.leaves} & {*due} for f in findings)
        masked = isinstance(wrong.at, Line) and not explained and all(map(masked_elsewhere, (here, *fresh)))
        return (*findings, _other_mask(wrong.name, due)) if masked else findings
    line = f"{wrong.name} = {slip.written} is written where {wrong.name} = {slip.right} is right"
    told = tuple(replace(f, line=line) if {*f.leaves} & {*due} else f for f in findings)
    return told if told != findings else (*findings, _of_its_own(slip, wrong.name, due, line))


def _of_its_own(slip: Slip, name: str, due: tuple[str, ...], line: str) -> Finding:
    missing = slip.code == "missing-activation"
    return Finding(
        code=slip.code,
        leaf=due[0],
        leaves=due,
        message=f"the factor {_slope(slip.right)} is missing in {name}"
        if missing
        else f"{name} is another line",
        remedy=f"write {name} = {slip.right}",
        value=None,
        confirmed=True,
        line=line,
    )


def masked_elsewhere(scene: Ingredients) -> bool:
    """Whether what was written is the right line but for which of its entries are zero, both ways."""
    written, due = scene.written, scene.expected
    if written.shape != due.shape:
        return False
    passed, passes = written != 0, due != 0
    both = passed & passes
    shared = int(both.sum()) >= SHARED and same(written * both, due * both)
    return shared and bool((passed & ~passes).any() and (passes & ~passed).any())


def _other_mask(name: str, due: tuple[str, ...]) -> Finding:
    return Finding(
        code="mask-not-applied",
        leaf=due[0],
        leaves=due,
        message=f"{name} is right but for its zeros, which are in other places: another mask was applied",
        remedy="multiply by the very mask that the forward multiplied by",
        value=None,
        confirmed=True,
        alternatives=("wrong-activation", "random-forward"),
    )


def _made_from(wrong: FirstWrong, leaves: tuple[LeafResult, ...]) -> list[LeafResult]:
    """The wrong leaves that the first wrong line makes so; itself, where it is a leaf."""
    if not isinstance(wrong.at, Line) or wrong.backward is None:
        return [leaf for leaf in leaves if leaf is wrong.at]
    lineage = wrong.backward.lineage
    above = set(lineage.ancestors(wrong.at.variable))
    pairs = zip(leaves, lineage.inputs, strict=True)
    return [leaf for leaf, v in pairs if v in above and leaf.verdict is Verdict.FAIL]


def _slip(here: Ingredients, fresh: tuple[Ingredients, ...]) -> Slip | None:
    if not np.isfinite(here.written).all() or not here.written.any():
        return None
    fixed = {name for name, v in here.operands.items() if np.array_equal(v, fresh[0].operands.get(name, v))}
    made = list(lines(here, fixed))
    right = [e for m in made for e in fitted(m, here.expected, here)]
    right = [e for e in right if all(_gives(e, scene, scene.expected) for scene in fresh)]
    if not right:
        return None
    written = [e for m in made for e in fitted(m, here.written, here)]
    written = [e for e in written if all(_gives(e, scene, scene.written) for scene in fresh)]
    slips = [Slip(written=w, right=r, code=c) for w in written for r in right if (c := code_of(w, r))]
    costs = [slip.cost for slip in slips]
    least = min(costs, default=(MOST_EDITS + 1, 0))
    best = [slip for slip, cost in zip(slips, costs, strict=True) if cost == least]
    one_code = len({slip.code for slip in best}) == 1
    return best[0] if one_code and least[0] <= MOST_EDITS else None


def _fresh(
    wrong: FirstWrong, leaves: tuple[LeafResult, ...], looks: tuple[Look, ...]
) -> Iterator[Ingredients]:
    for look in looks:
        backward = unfolded(look.seen) if look.seen is not None else None
        scene = ingredients_of(wrong, backward, leaves, look.batch_size) if backward is not None else None
        if scene is not None:
            yield scene


def _gives(line: Expression, scene: Ingredients, target: Array) -> bool:
    with np.errstate(all="ignore"):
        try:
            return same(line.value(scene.operands), target)
        except (KeyError, ValueError):  # a name that is not there, or shapes that do not fit
            return False


def code_of(written: Expression, right: Expression) -> str:
    """What the list of mistakes calls it to write one for the other; empty where it has no word."""
    if isinstance(written, Plus) or isinstance(right, Plus):
        bare = [line.left if isinstance(line, Plus) else line for line in (written, right)]
        same_penalty = (
            isinstance(written, Plus) and isinstance(right, Plus) and written.coefficient == right.coefficient
        )
        return code_of(bare[0], bare[1]) if same_penalty else "regulariser" if bare[0] == bare[1] else ""
    (wrong_number, wrong_line), (number, line) = _number(written), _number(right)
    if wrong_line == line:
        if wrong_number[0] != number[0] and wrong_number[1:] == number[1:]:
            return "sign"
        return "mean-for-sum" if isinstance(line, Summed) and wrong_number[2] else "factor"
    if wrong_number != number:
        return ""
    return _of_lines(wrong_line, line)


def _of_lines(written: Expression, right: Expression) -> str:
    if written == Transposed(right):
        return "transposed"
    if isinstance(right, Summed):
        if isinstance(written, Summed) and written.of == right.of:
            return "wrong-axis" if written.axis != right.axis else "keepdims"
        return "missing-batch-sum" if written == right.of else "wrong-operand"
    if isinstance(right, Product) and isinstance(written, Times) and not isinstance(written.right, Slope):
        return "elementwise-for-matrix"
    slope, other = _slope(right), _slope(written)
    if slope != other:
        if _without(right) != _without(written):
            return ""
        if slope is None or other is None:
            return (
                "output-delta"
                if isinstance(_without(right), Minus)
                else "missing-activation"
                if slope
                else ""
            )
        deferred = slope.kind == other.kind and slope.kind != "relu"
        return "derivative-at-activation" if deferred else "wrong-activation"
    return "wrong-operand"


def _slope(line: Expression) -> Slope | None:
    return line.right if isinstance(line, Times) and isinstance(line.right, Slope) else None


def _without(line: Expression) -> Expression:
    return line.left if isinstance(line, Times) and isinstance(line.right, Slope) else line


def _number(line: Expression) -> tuple[tuple[bool, str, bool], Expression]:
    """The number in front, as whether it is negative, what it is, and whether it divides; and the rest."""
    if isinstance(line, Scaled):
        return (line.negative, line.by, line.divided), line.of
    return (False, "1", False), line
