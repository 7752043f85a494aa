"""A line of NumPy as MathML: the formula on a page is the very expression that is executed.

Letters are the lectures': a digit in a name is its layer, a leading d a derivative of the loss. `@` is
written side by side, `*` between arrays as an open circle with a dot, einsum as a sum over its indices.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from markupsafe import Markup

LOOSE, SUM, PRODUCT, TIGHT = range(4)  # how strongly a formula holds together
FUNCTIONS = {"sigmoid": "σ", "softmax": "softmax", "log": "log"}
LETTERS = {"decay": "λ"}
# Numbers of examples and units, and a rate, which no circle is written beside.
SCALARS = re.compile(r"[mn]\d?|decay")


def equation(name: str, expression: str, indices: str = "", above: bool = False) -> Markup:
    """name = expression in MathML.

    indices: those of the left side, where the expression has some. above: layers are written (1), above,
    as goes with indices below. ValueError for an expression that has no way to be written.
    """
    writer = _Writer(above)
    right = writer.write(ast.parse(expression, mode="eval").body, LOOSE)
    left = writer.name(name, indices or _result_of_einsum(expression))
    return _tag("math", _row(left, _operator("="), right), displaystyle="true")


class _Writer:
    def __init__(self, above: bool) -> None:
        self.above = above

    def write(self, node: ast.expr, around: int) -> Markup:
        """A node, in parentheses where what stands around it holds more strongly."""
        written, own = self._written(node)
        return _fenced(written) if own < around else written

    def name(self, name: str, indices: str = "") -> Markup:
        """W1 as W with a 1; with indices as well where they are given."""
        if name in LETTERS:
            return _tag("mi", LETTERS[name])
        if name.endswith("_derivative"):
            function = name.removesuffix("_derivative")
            return _row(self._function(function), _tag("mo", "′", lspace="0"))
        found = re.fullmatch(r"(d?)([A-Za-z]+?)(hat)?(\d?)", name)
        if found is None:
            raise ValueError(f"{name} is no letter with a layer: write it as W1 or dW1")
        d, letters, hat, layer = found.groups()
        letter = _tag("mi", letters)
        letter = _tag("mover", letter, _operator("^")) if hat else letter
        letter = _row(_tag("mi", d, mathvariant="normal"), letter) if d else letter
        below = _tag("mi", indices) if indices else Markup()
        if not layer:
            return _tag("msub", letter, below) if indices else letter
        if self.above and not SCALARS.fullmatch(name):
            number = _row(_operator("("), _tag("mn", layer), _operator(")"))
            return _tag("msubsup", letter, below, number) if indices else _tag("msup", letter, number)
        return _tag("msub", letter, _tag("mn", layer))

    def _written(self, node: ast.expr) -> tuple[Markup, int]:
        match node:
            case ast.Constant(value=value):
                return _tag("mn", str(value)), TIGHT
            case ast.Name(id=name):
                return self.name(name), TIGHT
            case ast.Attribute(value=value, attr="T"):
                return _tag("msup", self.write(value, TIGHT), _tag("mi", "T", mathvariant="normal")), TIGHT
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _row(_operator("−"), self.write(operand, PRODUCT)), SUM
            case ast.BinOp():
                return self._binary(node)
            case ast.Call():
                return self._call(node)
        raise ValueError(f"{ast.unparse(node)} has no way to be written as a formula")

    def _binary(self, node: ast.BinOp) -> tuple[Markup, int]:
        left, right = node.left, node.right
        match node.op:
            case ast.Add() | ast.Sub():
                sign = _operator("+" if isinstance(node.op, ast.Add) else "−")
                return _row(self.write(left, SUM), sign, self._beside(left, right)), SUM
            case ast.MatMult():
                return _row(self.write(left, PRODUCT), _space(), self.write(right, TIGHT)), PRODUCT
            case ast.Mult():
                number = _is_number(left) or _is_number(right)
                sign = _space() if number else _operator("⊙")
                tight = PRODUCT if _is_sum(right) else TIGHT
                return _row(self.write(left, PRODUCT), sign, self.write(right, tight)), PRODUCT
            case ast.Div():
                return self._quotient(left, right)
            case ast.Pow():
                return _tag("msup", self.write(left, TIGHT), self.write(right, LOOSE)), TIGHT
        raise ValueError(f"{ast.unparse(node)} has no way to be written as a formula")

    def _beside(self, left: ast.expr, right: ast.expr) -> Markup:
        """What is added; an array beside a sum over indices has the last of them, as NumPy broadcasts it."""
        if isinstance(right, ast.Name) and _is_sum(left):
            return self.name(right.id, _result_of_einsum(ast.unparse(left))[-1])
        return self.write(right, PRODUCT)

    def _quotient(self, over: ast.expr, under: ast.expr) -> tuple[Markup, int]:
        """A fraction; of a long product or a sum with a sign, 1 over the divisor in front of it."""
        if isinstance(over, ast.UnaryOp):
            return _row(_operator("−"), self._quotient(over.operand, under)[0]), SUM
        if isinstance(over, ast.Call) or (isinstance(over, ast.BinOp) and isinstance(over.op, ast.MatMult)):
            one = _tag("mfrac", _tag("mn", "1"), self.write(under, LOOSE))
            return _row(one, _space(), self.write(over, PRODUCT)), PRODUCT
        return _tag("mfrac", self.write(over, LOOSE), self.write(under, LOOSE)), TIGHT

    def _call(self, node: ast.Call) -> tuple[Markup, int]:
        match node:
            case ast.Call(func=ast.Attribute(attr="einsum"), args=[ast.Constant(value=str(spec)), *operands]):
                return self._einsum(spec, operands), PRODUCT
            case ast.Call(func=ast.Attribute(attr="full"), args=[_, value]):
                return self._written(value)  # one value for every entry
            case ast.Call(func=ast.Attribute(attr="sum", value=ast.Name(id="np")), args=[summed]):
                return _row(_operator("∑"), self.write(summed, PRODUCT)), PRODUCT
            case ast.Call(func=ast.Attribute(attr="sum", value=summed), keywords=keywords):
                axis = next(ast.unparse(keyword.value) for keyword in keywords if keyword.arg == "axis")
                over = _tag("munder", _operator("∑"), _tag("mtext", f"axis {axis}"))
                return _row(over, self.write(summed, PRODUCT)), PRODUCT
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[argument]):
                return _row(self._function(name), _fenced(self.write(argument, LOOSE))), TIGHT
        raise ValueError(f"{ast.unparse(node)} has no way to be written as a formula")

    def _function(self, name: str) -> Markup:
        if name.endswith("_derivative"):
            return self.name(name)
        return _tag("mi", FUNCTIONS[name]) if name in FUNCTIONS else self.name(name)

    def _einsum(self, spec: str, operands: list[ast.expr]) -> Markup:
        inputs, result = spec.split("->")
        summed = sorted(set(inputs) - set(result) - {","}, key=inputs.index)
        factors = [self._indexed(*pair) for pair in zip(operands, inputs.split(","), strict=True)]
        over = _tag("munder", _operator("∑"), _tag("mi", ",".join(summed)))
        return _row(over, *_between(factors)) if summed else _row(*_between(factors))

    def _indexed(self, operand: ast.expr, indices: str) -> Markup:
        """An operand with its indices; those it is taken at stand among them."""
        if isinstance(operand, ast.Subscript):
            places = operand.slice.elts if isinstance(operand.slice, ast.Tuple) else [operand.slice]
            rest = iter(indices)
            taken = "".join(next(rest) if isinstance(at, ast.Slice) else ast.unparse(at) for at in places)
            return self._indexed(operand.value, taken + "".join(rest))
        if isinstance(operand, ast.Name):
            return self.name(operand.id, indices)
        return _tag("msub", _fenced(self.write(operand, LOOSE)), _tag("mi", indices))


def _result_of_einsum(expression: str) -> str:
    found = re.search(r"einsum\(['\"][a-z,]+->([a-z]*)", expression)
    return found[1] if found else ""


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    if _is_sum(node):
        return True  # its factors are numbers with indices
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and bool(SCALARS.fullmatch(node.id)))


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "einsum"


def _between(factors: list[Markup]) -> Iterable[Markup]:
    for number, factor in enumerate(factors):
        if number:
            yield _space()
        yield factor


def _tag(tag: str, *content: Markup | str, **attributes: str) -> Markup:
    named = Markup().join(Markup(' {}="{}"').format(*pair) for pair in attributes.items())
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), named, Markup().join(content))


def _row(*content: Markup) -> Markup:
    return _tag("mrow", *content)


def _operator(sign: str) -> Markup:
    return _tag("mo", sign)


def _space() -> Markup:
    return Markup('<mspace width="0.22em"/>')


def _fenced(content: Markup) -> Markup:
    return _row(_operator("("), content, _operator(")"))
