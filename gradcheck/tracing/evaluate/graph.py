"""A jaxpr as a flat list of nodes: calls inlined, equal expressions shared, needless ones left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.control import PROGRAMS, is_open
from gradcheck.tracing.evaluate.dimensions import Dimensions
from gradcheck.tracing.evaluate.elementwise import BROADCASTING
from gradcheck.tracing.evaluate.table import TABLE
from gradcheck.tracing.evaluate.values import Arithmetic, Value

# Primitives that stand for a jaxpr among their parameters.
CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "call": "call_jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
    "custom_lin": "call_jaxpr",
    "composite": "jaxpr",
}

# Primitives whose results are their operands, as far as numbers go.
IDENTITIES = frozenset(
    {"copy", "copy_p", "stop_gradient", "optimization_barrier", "name", "pvary", "device_put"}
    | {"sharding_constraint", "layout_constraint", "reshard", "pbroadcast"}
)

# Parameters that say nothing about values.
IGNORED = frozenset({"update_jaxpr", "update_consts", "accuracy", "sharding", "out_sharding", "weak_type"})


@dataclass(frozen=True, slots=True)
class Named:
    """Stands for a primitive where the graph makes an equation of its own."""

    name: str
    multiple_results: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One primitive to be evaluated: `inputs` and `outputs` number values of the graph.

    `symbolic` names the parameters that hold a Dimension, `graphs` those that hold a jaxpr.
    """

    primitive: Any
    params: dict[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    graphs: dict[str, Any]
    symbolic: tuple[str, ...]
    effects: bool = False


@dataclass(frozen=True)
class Graph:
    """Nodes in order, the values known beforehand, and which values are inputs and outputs."""

    values: list[Value]
    known: dict[int, Any]
    nodes: list[Node]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arithmetic: Arithmetic
    dimensions: Dimensions


def build(jaxpr: Any, constants: Sequence[Any], arithmetic: Arithmetic, dimensions: Dimensions) -> Graph:
    """The graph of an open jaxpr with its constants."""
    builder = Builder(arithmetic, dimensions)
    inputs = tuple(builder.new(var.aval) for var in jaxpr.invars)
    held = [builder.constant(c, var.aval) for c, var in zip(constants, jaxpr.constvars, strict=True)]
    outputs = tuple(builder.inline(jaxpr, held, inputs))
    nodes, _ = needed(builder.nodes, outputs)
    nodes, used = needed(turned(nodes, outputs, builder.values), outputs)
    known = {number: array for number, array in builder.known.items() if number in used}
    return Graph(builder.values, known, nodes, inputs, outputs, arithmetic, dimensions)


def needed(nodes: list[Node], outputs: Sequence[int]) -> tuple[list[Node], set[int]]:
    """The nodes on which an output or an effect depends, and the values they and the outputs read."""
    used, kept = set(outputs), []
    for node in reversed(nodes):
        if node.effects or not used.isdisjoint(node.outputs):
            used.update(node.inputs)
            kept.append(node)
    return kept[::-1], used


def turned(nodes: list[Node], outputs: Sequence[int], values: list[Value]) -> list[Node]:
    """The same with a matrix product that is only read transposed as the product of its operands in turn: the
    numbers of its result then lie in order, and need not be brought into it."""
    readers = Counter([*outputs, *(number for node in nodes for number in node.inputs)])
    products = {n.outputs[0]: n for n in nodes if is_product(n, values) and readers[n.outputs[0]] == 1}

    def changed(node: Node) -> Node:
        product = products.get(node.inputs[0]) if node.primitive.name == "transpose" else None
        if product is None or tuple(node.params["permutation"]) != (1, 0):
            return node
        contracted, batch = product.params["dimension_numbers"]
        params = {**product.params, "dimension_numbers": (contracted[::-1], batch)}
        return replace(product, params=params, inputs=product.inputs[::-1], outputs=node.outputs)

    return [changed(node) for node in nodes]


def is_product(node: Node, values: list[Value]) -> bool:
    """Whether a node multiplies two operands of each of which one axis is left, and none is a batch's."""
    if node.primitive.name != "dot_general":
        return False
    contracted, batch = node.params["dimension_numbers"]
    left = [len(values[n].shape) - len(axes) for n, axes in zip(node.inputs, contracted, strict=True)]
    return not any(batch) and left == [1, 1]


@dataclass
class Builder:
    """Collects nodes; `made` remembers equal expressions, `repeated` what a broadcast repeats."""

    arithmetic: Arithmetic
    dimensions: Dimensions
    values: list[Value] = field(default_factory=list)
    known: dict[int, Any] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    made: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    repeated: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    def new(self, aval: Any) -> int:
        """A value of the graph for a jaxpr's variable."""
        shape, _ = self.dimensions.template(tuple(aval.shape))
        self.values.append(Value(shape, self.arithmetic.carried(aval.dtype), aval.dtype))
        return len(self.values) - 1

    def constant(self, value: Any, aval: Any) -> int:
        """A value known beforehand; equal scalars are one."""
        array = self.arithmetic.array(value, aval.dtype)
        key = None
        if getattr(array, "shape", None) == () and isinstance(array, np.ndarray) and array.dtype != object:
            key = ("constant", array.dtype, array.tobytes(), str(aval.dtype))
            if key in self.made:
                return self.made[key][0]
        number = self.new(aval)
        self.known[number] = array
        if key:
            self.made[key] = (number,)
        return number

    def inline(self, jaxpr: Any, constants: Sequence[int], arguments: Sequence[int]) -> list[int]:
        """The jaxpr's nodes added; its results as values of this graph."""
        environment = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))

        def read(atom: Any) -> int:
            if hasattr(atom, "val"):  # a literal
                return self.constant(atom.val, atom.aval)
            return environment[atom]

        for equation in jaxpr.eqns:
            results = self.apply(equation, [read(atom) for atom in equation.invars])
            environment.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def call(self, jaxpr: Any, arguments: Sequence[int]) -> list[int]:
        """An open or closed jaxpr inlined."""
        if not hasattr(jaxpr, "consts"):
            return self.inline(jaxpr, [], arguments)
        pairs = zip(jaxpr.consts, jaxpr.jaxpr.constvars, strict=True)
        return self.inline(jaxpr.jaxpr, [self.constant(c, var.aval) for c, var in pairs], arguments)

    def apply(self, equation: Any, inputs: list[int]) -> Sequence[int]:
        """The results of one equation."""
        name = equation.primitive.name
        if name in CALLS:
            return self.call(equation.params[CALLS[name]], inputs)
        if name in IDENTITIES:
            return inputs
        if name == "custom_linear_solve":
            return self.solve(equation.params, inputs)
        same = self.unchanged(name, inputs, equation)
        if same is not None:
            return [same]
        params = equation.params
        if name in TABLE:
            params = {key: value for key, value in params.items() if key not in IGNORED}
        return self.add(equation.primitive, params, inputs, equation.outvars, bool(equation.effects))

    def add(
        self, primitive: Any, params: dict, inputs: list[int], outvars: Any, effects: bool
    ) -> Sequence[int]:
        """A node, or the results of an equal one."""
        name = primitive.name
        templates = {key: self.dimensions.template(value) for key, value in params.items()}
        params = {key: template for key, (template, _) in templates.items()}
        if name in BROADCASTING:
            inputs = self.unrepeated(inputs, self.dimensions.template(tuple(outvars[0].aval.shape))[0])
        key = None if effects else hashable((name, tuple(inputs), sorted(params.items())))
        if key is not None and key in self.made:
            return self.made[key]
        outputs = tuple(self.new(var.aval) for var in outvars)
        symbolic = tuple(parameter for parameter, (_, found) in templates.items() if found)
        graphs = {p: self.subgraphs(params[p]) for p in PROGRAMS.get(name, ()) if is_open(params)}
        self.nodes.append(Node(primitive, params, tuple(inputs), outputs, graphs, symbolic, effects))
        if name == "broadcast_in_dim" and len(inputs) == 1:
            self.repeated[outputs[0]] = (inputs[0], tuple(params["broadcast_dimensions"]))
        if key is not None:
            self.made[key] = outputs
        return outputs

    def subgraphs(self, jaxprs: Any) -> Any:
        """The graph of a closed jaxpr, or of each in a tuple."""
        if isinstance(jaxprs, tuple):
            return tuple(self.subgraphs(jaxpr) for jaxpr in jaxprs)
        return build(jaxprs.jaxpr, jaxprs.consts, self.arithmetic, self.dimensions)

    def solve(self, params: dict, inputs: list[int]) -> list[int]:
        """A linear solve by the solver that comes with it."""
        lengths = params["const_lengths"]
        first = lengths.matvec + lengths.vecmat
        right = first + lengths.solve + lengths.transpose_solve
        return self.call(params["jaxprs"].solve, [*inputs[first : first + lengths.solve], *inputs[right:]])

    def unchanged(self, name: str, inputs: list[int], equation: Any) -> int | None:
        """The operand that an equation returns as it is: a product with one, a quotient by one."""
        if name not in ("mul", "div") or equation.effects:
            return None
        shape, _ = self.dimensions.template(tuple(equation.outvars[0].aval.shape))
        pairs = [(0, 1), (1, 0)] if name == "mul" else [(0, 1)]
        for kept, other in pairs:
            if self.is_one(inputs[other]) and self.values[inputs[kept]].shape == shape:
                return inputs[kept]
        return None

    def is_one(self, number: int) -> bool:
        """A known scalar 1, also when a broadcast repeats it."""
        number, _ = self.repeated.get(number, (number, ()))
        array = self.known.get(number)
        return array is not None and self.values[number].shape == () and bool(array == 1)

    def unrepeated(self, inputs: list[int], shape: tuple) -> list[int]:
        """The operands without broadcasts that NumPy makes by itself."""
        inputs = list(inputs)
        for i, number in enumerate(inputs):
            if number in self.repeated and len(self.values[number].shape) == len(shape):
                source, axes = self.repeated[number]
                aligned = self.aligned(self.values[source].shape, axes, len(shape))
                others = [self.values[n].shape for j, n in enumerate(inputs) if j != i]
                if covers([*others, aligned], shape):
                    inputs[i] = self.reshaped(source, aligned)
        return inputs

    @staticmethod
    def aligned(shape: tuple, axes: tuple[int, ...], rank: int) -> tuple:
        """The shape with ones between, and none before, the axes that a broadcast keeps."""
        full: list[Any] = [1] * rank
        for size, axis in zip(shape, axes, strict=True):
            full[axis] = size
        return tuple(full[min(axes, default=rank) :])

    def reshaped(self, number: int, shape: tuple) -> int:
        """The value in another shape."""
        value = self.values[number]
        if value.shape == shape:
            return number
        key = ("reshaped", number, shape)
        if key not in self.made:
            self.values.append(value._replace(shape=shape))
            made = len(self.values) - 1
            self.nodes.append(Node(Named("squeeze"), {}, (number,), (made,), {}, ()))
            self.made[key] = (made,)
        return self.made[key][0]


def covers(shapes: list[tuple], shape: tuple) -> bool:
    """Whether NumPy's broadcasting of `shapes` gives `shape`."""
    return max(map(len, shapes)) == len(shape) and all(
        size == 1 or any(len(s) >= back and s[-back] == size for s in shapes)
        for back, size in zip(range(len(shape), 0, -1), shape, strict=True)
    )


def hashable(key: Any) -> Any:
    """A dictionary key equal for equal parameters, or None where there is none."""
    try:
        frozen = freeze(key)
        hash(frozen)
    except TypeError:
        return None
    return frozen


def freeze(value: Any) -> Any:
    """Lists and dictionaries as tuples; a float by its text, so that 0.0 is not -0.0."""
    if isinstance(value, dict):
        return tuple(sorted((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, *map(freeze, value))
    if isinstance(value, float | np.generic):
        return (type(value).__name__, str(value))
    return value
