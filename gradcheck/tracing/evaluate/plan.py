"""A graph compiled to a list of steps, one NumPy call each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from gradcheck.tracing.evaluate.control import PROGRAMS
from gradcheck.tracing.evaluate.dimensions import Dimensions, resolve
from gradcheck.tracing.evaluate.elementwise import SIZELESS
from gradcheck.tracing.evaluate.graph import Graph, Node, build
from gradcheck.tracing.evaluate.movement import VIEWS
from gradcheck.tracing.evaluate.table import program
from gradcheck.tracing.evaluate.values import Arithmetic, Program, UnsupportedPrimitive, Value, exact


def compiled(jaxpr: Any, dtype: Any = None, *, number: Callable[[Any], Any] = exact) -> Plan:
    """A closed jaxpr as a function of arrays that NumPy alone evaluates.

    `dtype` is the arithmetic that carries every float64 of the trace (None: as declared). With object,
    `number` makes one of a Python float or integer; by default the exact `fractions.Fraction`. A primitive
    without a rule is executed by JAX, in the declared types only.
    """
    arithmetic = Arithmetic(None if dtype is None else np.dtype(dtype), number)
    with np.errstate(all="ignore"):
        graph = build(jaxpr.jaxpr, jaxpr.consts, arithmetic, Dimensions())
    plan = Plan(graph, Schedule.of(graph))
    if not graph.dimensions:
        plan.runner(tuple(graph.values[n].shape for n in graph.inputs))
    return plan


@dataclass(frozen=True)
class Plan:
    """Outputs as a function of inputs, in fresh arrays; one runner a tuple of input shapes."""

    graph: Graph
    schedule: Schedule
    runners: dict[tuple, Runner] = field(default_factory=dict, compare=False)

    def __call__(self, *arrays: Any) -> list[np.ndarray]:
        """The outputs, one array each. Raises ValueError for inputs of another number or shape."""
        graph = self.graph
        if len(arrays) != len(graph.inputs):
            raise ValueError(f"the trace takes {len(graph.inputs)} inputs, not {len(arrays)}")
        make = self.graph.arithmetic.array
        with np.errstate(all="ignore"):
            inputs = [make(x, graph.values[n].declared) for x, n in zip(arrays, graph.inputs, strict=True)]
            shapes = tuple([x.shape for x in inputs])
            runner = self.runners.get(shapes) or self.runner(shapes)
            slots = runner(inputs)
        return [finish(slots[slot]) for slot, finish in self.schedule.outputs]

    @property
    def equations(self) -> tuple[str, ...]:
        """The primitives that a call executes, in order."""
        return tuple(node.primitive.name for node in self.schedule.nodes)

    def runner(self, shapes: tuple) -> Runner:
        """The steps for inputs of these shapes, made once."""
        graph = self.graph
        templates = [graph.values[n].shape for n in graph.inputs]
        if any(len(a) != len(b) for a, b in zip(templates, shapes, strict=True)):
            raise ValueError(f"inputs of shapes {shapes} where the trace has {tuple(templates)}")
        sizes = graph.dimensions.sizes(templates, shapes)
        if [resolve(t, sizes) for t in templates] != list(shapes):
            raise ValueError(f"inputs of shapes {shapes} where the trace has {tuple(templates)}")
        self.runners[shapes] = specialised(graph, self.schedule, sizes)
        return self.runners[shapes]


class Runner(NamedTuple):
    """Slots with the constants in them, and steps (function, operands' slots, result's slot)."""

    slots: list[Any]
    inputs: int
    steps: list[tuple[Program, Callable[[list], Sequence], Any]]
    names: list[str]
    arithmetic: Arithmetic

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """All slots after the last step."""
        slots = self.slots.copy()
        slots[: self.inputs] = inputs
        step = None
        try:
            for step in self.steps:
                function, operands, result = step
                slots[result] = function(*operands(slots))
        except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
            self.explain(error, step)
            raise
        return slots

    def explain(self, error: Exception, step: Any) -> None:
        """The primitive's name in the message; a type that it does not know as UnsupportedPrimitive."""
        name = self.names[self.steps.index(step)]
        if self.arithmetic.real is not None and isinstance(error, TypeError | AttributeError):
            raise UnsupportedPrimitive(
                f"primitive {name!r} cannot be evaluated in {self.arithmetic.real}: {error}"
            ) from error
        error.add_note(f"while evaluating primitive {name!r} with NumPy")


@dataclass(frozen=True)
class Schedule:
    """Which nodes run when, and where their results are kept; it does not depend on sizes."""

    early: list[Node]
    nodes: list[Node]
    fixed: list[Program | None]
    distinct: tuple[list[Value], list[int]]
    constants: list[tuple[int, int]]
    places: list[tuple[Callable[[list], Sequence], Any]]
    outputs: list[tuple[int, Callable[[Any], np.ndarray]]]
    slots: int

    @classmethod
    def of(cls, graph: Graph) -> Schedule:
        """The constant nodes apart; a slot for every constant, and slots used again for other results."""
        early, nodes = divided(graph)
        allocated = Slots(graph, nodes)
        places = [allocated.place(i, node) for i, node in enumerate(nodes)]
        outputs = [(allocated.slot[n], finish) for n, finish in finishers(graph, nodes)]
        fixed = [
            bound(node, graph.values, graph.arithmetic, ()) if sizeless(node) else None for node in nodes
        ]
        order = {value: i for i, value in enumerate(dict.fromkeys(graph.values))}
        distinct = (list(order), [order[value] for value in graph.values])
        return cls(early, nodes, fixed, distinct, allocated.constants, places, outputs, allocated.count)


def sizeless(node: Node) -> bool:
    """Whether one function serves all sizes, so that it is made once."""
    return node.primitive.name in SIZELESS and not node.symbolic


def divided(graph: Graph) -> tuple[list[Node], list[Node]]:
    """The nodes that depend on constants only, and the others."""
    known = set(graph.known)
    early, late = [], []
    for node in graph.nodes:
        if known.issuperset(node.inputs) and not node.effects:
            known.update(node.outputs)
            early.append(node)
        else:
            late.append(node)
    return early, late


class Slots:
    """Gives every value a place in a list; a place whose value was read for the last time is free again."""

    def __init__(self, graph: Graph, nodes: list[Node]) -> None:
        self.slot = {number: i for i, number in enumerate(graph.inputs)}
        self.count = len(graph.inputs)
        made = {number for node in nodes for number in node.outputs}
        read = [*(n for node in nodes for n in node.inputs), *graph.outputs]
        self.constants = []
        for number in dict.fromkeys(read):
            if number not in self.slot and number not in made:
                self.constants.append((number, self.fresh(number)))
        self.last = {n: i for i, node in enumerate(nodes) for n in node.inputs if n in made}
        self.kept = set(graph.outputs)
        self.free: list[int] = []

    def fresh(self, number: int) -> int:
        """A new place."""
        self.slot[number] = self.count
        self.count += 1
        return self.count - 1

    def place(self, step: int, node: Node) -> tuple[Callable[[list], Sequence], Any]:
        """How a node's operands are read and where its results go."""
        slots = [self.slot[number] for number in node.inputs]
        get = (
            itemgetter(*slots)
            if len(slots) > 1
            else itemgetter(slice(slots[0], slots[0] + 1) if slots else slice(0))
        )
        self.free += [
            self.slot[n]
            for n in dict.fromkeys(node.inputs)
            if self.last.get(n) == step and n not in self.kept
        ]
        if not node.primitive.multiple_results:
            if self.free:
                self.slot[node.outputs[0]] = self.free.pop()
                return get, self.slot[node.outputs[0]]
            return get, self.fresh(node.outputs[0])
        first = self.count
        for number in node.outputs:
            self.fresh(number)
        return get, slice(first, self.count)


def finishers(graph: Graph, nodes: list[Node]) -> list[tuple[int, Callable[[Any], np.ndarray]]]:
    """For every output whether it must be copied: it may share memory with an input or a constant."""
    maker = {number: node for node in nodes for number in node.outputs}
    seen: set[int] = set()
    result = []
    for number in graph.outputs:
        root, fresh = number, number not in seen
        while fresh and root in maker:
            name = maker[root].primitive.name
            fresh = name not in PROGRAMS
            if name not in VIEWS or not fresh:
                break
            root = maker[root].inputs[0]
            fresh = root not in seen
        shared = not fresh or root not in maker
        seen.update((number, root))
        plain = isinstance(graph.values[number].declared, np.dtype)
        result.append((number, (np.array if shared else np.asarray) if plain else _same))
    return result


def _same(value: Any) -> Any:
    return value


def specialised(graph: Graph, schedule: Schedule, sizes: Sequence[int]) -> Runner:
    """The steps with every size put in, and the constants computed."""
    values = graph.values
    if sizes:
        kinds, which = schedule.distinct
        sized = [Value(resolve(kind.shape, sizes), kind.dtype, kind.declared) for kind in kinds]
        values = [sized[i] for i in which]
    known = dict(graph.known)
    for node in schedule.early:
        function = bound(node, values, graph.arithmetic, sizes)
        with np.errstate(all="ignore"):
            results = function(*[known[number] for number in node.inputs])
        results = results if node.primitive.multiple_results else [results]
        known.update(zip(node.outputs, results, strict=True))
    slots: list[Any] = [None] * schedule.slots
    for number, slot in schedule.constants:
        slots[slot] = known[number]
    steps = [
        (fixed or bound(node, values, graph.arithmetic, sizes), get, result)
        for node, fixed, (get, result) in zip(schedule.nodes, schedule.fixed, schedule.places, strict=True)
    ]
    names = [node.primitive.name for node in schedule.nodes]
    return Runner(slots, len(graph.inputs), steps, names, graph.arithmetic)


def bound(node: Node, values: list[Value], arithmetic: Arithmetic, sizes: Sequence[int]) -> Program:
    """The function of a node for these sizes."""
    params = node.params
    if node.symbolic:
        params = {**params, **{key: resolve(params[key], sizes) for key in node.symbolic}}
    if node.graphs:
        params = {**params, **{key: subprograms(g, sizes) for key, g in node.graphs.items()}}
    ins = tuple([values[n] for n in node.inputs])
    outs = tuple([values[n] for n in node.outputs])
    return program(node.primitive, params, ins, outs, arithmetic)


def subprograms(graph: Any, sizes: Sequence[int]) -> Any:
    """The program of a graph inside a loop or branch, or of each in a tuple."""
    if isinstance(graph, tuple):
        return tuple(subprograms(part, sizes) for part in graph)
    schedule = Schedule.of(graph)
    runner = specialised(graph, schedule, sizes)
    places = [slot for slot, _ in schedule.outputs]

    def run(inputs: Sequence[Any]) -> list[Any]:
        slots = runner(inputs)
        return [slots[place] for place in places]

    return run
