"""A value used more than once: its gradient is the sum over all uses, and one of them goes wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from gradcheck.diagnosis.scene import Cause, Hypothesis, Scene
from gradcheck.diagnosis.sites import PRODUCTS, Unit, closing, inside, roots
from gradcheck.tracing.edited import Edge
from gradcheck.tracing.flat import Flat

SUMS = frozenset({"add", "sub", "add_any", "select_n", "max", "min"})
MEANS = frozenset({"reduce_sum", "reduce_max", "reduce_min"})
ROUND = 1e-9  # relative: how near a fitted number must be to a round one to be that
MANY = 200  # hypotheses of this kind, beyond which none is tried


def paths(scene: Scene, units: tuple[Unit, ...]) -> Iterator[Hypothesis]:
    """Every use of a value that has several, and every term of a sum, left out or multiplied."""
    edges = _edges(scene.record, units)
    for edge in edges if len(edges) <= MANY else ():
        yield Hypothesis(
            cause=_named(scene.record, edge),
            predict=lambda s, edge=edge: s.run({edge: 0.0})[0],
            slots=(edge,),
            fitted=True,
        )
    yield from _only_one(scene.record, edges if len(edges) <= MANY else [])


def _edges(record: Flat, units: tuple[Unit, ...]) -> list[Edge]:
    """The uses that matter: those inside a function with a name are nobody's paths."""
    hidden = {
        record.makers[r]
        for unit in units
        if unit.kind in ("sigmoid", "tanh", "relu")
        for e in inside(record, unit)
        for r in e.results
    }
    found = []
    for i, equation in enumerate(record.equations):
        if equation in hidden or not record.active.intersection(equation.results):
            continue
        for place, operand in enumerate(equation.operands):
            together = equation.name in SUMS and len(_moving(record, i)) > 1
            if operand in record.active and (together or len(_ways(record, operand)) > 1):
                found.append(Edge(i, place))
    return found


def _moving(record: Flat, equation: int) -> list[int]:
    return [o for o in record.equations[equation].operands if o in record.active]


def _ways(record: Flat, value: int) -> list[tuple[int, int]]:
    """The uses of a value through which a derivative passes."""
    return [
        (i, place)
        for i, place in record.uses.get(value, [])
        if record.active.intersection(record.equations[i].results)
    ]


def _only_one(record: Flat, edges: list[Edge]) -> Iterator[Hypothesis]:
    """All uses but one left out, where there are more than two."""
    for value in dict.fromkeys(record.equations[e.equation].operands[e.place] for e in edges):
        ways = [Edge(*way) for way in _ways(record, value)]
        for kept in (ways[0], ways[-1]) if len(ways) > 2 else ():
            dropped = tuple(edge for edge in ways if edge != kept)
            kinds = {_kind(record, edge)[0] for edge in dropped}
            cause = Cause(
                code="missing-centring" if kinds == {"missing-centring"} else "overwrites",
                message=f"of the {len(ways)} uses of {_called(record, value)} only one is in its gradient",
                remedy="add the gradients of all uses: += instead of =",
            )
            yield Hypothesis(
                cause=lambda *_, cause=cause: cause,
                predict=lambda s, dropped=dropped: s.run(dict.fromkeys(dropped, 0.0))[0],
                slots=dropped,
            )


def _called(record: Flat, value: int) -> str:
    return record.names.get(value, "a value")


def _named(record: Flat, edge: Edge) -> Callable[[float, int | None], Cause | None]:
    """The cause by how often a path is in the gradient: once is right."""
    equation = record.equations[edge.equation]
    value = equation.operands[edge.place]
    code, what = _kind(record, edge)
    where = f"{what} ({_called(record, value)} in {equation.name})" if value in record.names else what

    def cause(times: float, batch_size: int | None) -> Cause | None:
        if times == 0:
            return Cause(
                code=code,
                message=f"{where} is missing in the gradient",
                remedy="add its part: the gradient of a value is the sum over all its uses",
                value=0.0,
            )
        if times == -1:
            return Cause(
                code="sign",
                message=f"{where} has the wrong sign in the gradient",
                remedy="negate that part only",
                value=-1.0,
            )
        number = _number(times, batch_size)
        return Cause(
            code="regulariser" if code == "regulariser" else "factor",
            message=f"{where} is in the gradient {number} times",
            remedy=f"divide that part by {number}"
            if abs(times) > 1
            else f"multiply that part by {1 / times:.6g}",
            value=times,
        )

    return cause


def _number(times: float, batch_size: int | None) -> str:
    if batch_size and batch_size > 2:
        for power, name in ((1, "m"), (-1, "1/m")):
            if math.isclose(times, batch_size**power, rel_tol=ROUND):
                return f"{times:.6g} (it may be {name})"
    return f"{times:.6g}"


def _kind(record: Flat, edge: Edge) -> tuple[str, str]:
    """What sort of path it is, for its code and for the message."""
    equation = record.equations[edge.equation]
    value, root, moving = equation.operands[edge.place], roots(record), _moving(record, edge.equation)
    chain = _chain(record, edge)
    if any(_penalty(record, number) for number in chain):
        return "regulariser", "the penalty on the parameters"
    terms = equation.name in SUMS and len(moving) > 1 and len({root[o] for o in moving}) == 1
    if terms and closing(record, root[value]):
        return "label-branch", "one of the terms of the loss"
    if any(_recentres(record, number, value) for number in chain):
        return "missing-centring", "the path through a sum or mean"
    return "overwrites", "one of the paths"


def _chain(record: Flat, edge: Edge) -> list[int]:
    """The value that goes in, and those that follow as long as each has a single use."""
    found = [record.equations[edge.equation].operands[edge.place]]
    ways = [(edge.equation, edge.place)]
    while len(ways) == 1 and len(record.equations[ways[0][0]].results) == 1:
        found += record.equations[ways[0][0]].results
        ways = _ways(record, found[-1])
    return found


def _penalty(record: Flat, value: int) -> bool:
    """Whether a number is made of parameters without any product of matrices, and then added to another."""
    if record.shapes[value] != ():
        return False
    before = _before(record, value)
    users = [record.equations[i] for i, _ in _ways(record, value)]
    return (
        not any(e.name in PRODUCTS and before.intersection(e.results) for e in record.equations)
        and any(e.name in PRODUCTS for e in record.equations)
        and any(e.name in SUMS and len(record.active.intersection(e.operands)) > 1 for e in users)
    )


def _before(record: Flat, value: int) -> set[int]:
    """The values that this one depends on."""
    found = {value}
    for equation in reversed(record.equations):
        if found.intersection(equation.results):
            found.update(equation.operands)
    return found


def _recentres(record: Flat, summed: int, value: int) -> bool:
    """Whether a sum is taken from, or divides, what it was summed from."""
    if record.makers.get(summed) is None or record.makers[summed].name not in MEANS:
        return False
    later, shape = _until_product(record, summed), record.shapes[value]
    return any(
        e.name in ("sub", "div", "mul")
        and later.intersection(e.operands)
        and any(o not in later and o in record.active and record.shapes[o] == shape for o in e.operands)
        for e in record.equations
    )


def _until_product(record: Flat, value: int) -> set[int]:
    """The values that depend on this one and not on a product of matrices that it goes into."""
    found = {value}
    for equation in record.equations:
        if equation.name not in PRODUCTS and found.intersection(equation.operands):
            found.update(equation.results)
    return found
