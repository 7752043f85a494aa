"""Lines of NumPy as values: each can be computed, printed and compared with another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.claim import Array

Operands = Mapping[str, Array]  # arrays and numbers by name


@dataclass(frozen=True)
class Expression:
    """A line of NumPy. `value` computes it; str() is what one types."""

    def value(self, operands: Operands) -> Array:
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The expressions that it is made of."""
        found = (getattr(self, field.name) for field in dataclasses.fields(self))
        return tuple(part for part in found if isinstance(part, Expression))

    @property
    def size(self) -> int:
        """How much there is to read."""
        return 1 + sum(part.size for part in self.parts)


@dataclass(frozen=True)
class Name(Expression):
    """An operand."""

    name: str

    def value(self, operands: Operands) -> Array:
        return operands[self.name]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Transposed(Expression):
    """The transpose."""

    of: Expression

    def value(self, operands: Operands) -> Array:
        return self.of.value(operands).T

    def __str__(self) -> str:
        return f"{_tight(self.of)}.T"


@dataclass(frozen=True)
class Product(Expression):
    """The matrix product."""

    left: Expression
    right: Expression

    def value(self, operands: Operands) -> Array:
        return self.left.value(operands) @ self.right.value(operands)

    def __str__(self) -> str:
        return f"{_tight(self.left)} @ {_tight(self.right)}"


@dataclass(frozen=True)
class Times(Expression):
    """The product entry by entry."""

    left: Expression
    right: Expression

    def value(self, operands: Operands) -> Array:
        return self.left.value(operands) * self.right.value(operands)

    def __str__(self) -> str:
        return f"{_factor(self.left)} * {_factor(self.right)}"


@dataclass(frozen=True)
class Minus(Expression):
    """The difference."""

    left: Expression
    right: Expression

    def value(self, operands: Operands) -> Array:
        return self.left.value(operands) - self.right.value(operands)

    def __str__(self) -> str:
        return f"{self.left} - {self.right}"


@dataclass(frozen=True)
class Plus(Expression):
    """The sum with a multiple of something; coefficient: a number, or the name of one."""

    left: Expression
    coefficient: float
    right: Expression

    def value(self, operands: Operands) -> Array:
        return self.left.value(operands) + self.coefficient * self.right.value(operands)

    def __str__(self) -> str:
        sign = "-" if self.coefficient < 0 else "+"
        return f"{self.left} {sign} {abs(self.coefficient):.6g} * {self.right}"


@dataclass(frozen=True)
class Summed(Expression):
    """The sum over an axis."""

    of: Expression
    axis: int
    keepdims: bool

    def value(self, operands: Operands) -> Array:
        return self.of.value(operands).sum(axis=self.axis, keepdims=self.keepdims)

    def __str__(self) -> str:
        return f"{_tight(self.of)}.sum(axis={self.axis}{', keepdims=True' if self.keepdims else ''})"


@dataclass(frozen=True)
class Scaled(Expression):
    """A multiple by plus or minus a number, or by a named one or its inverse."""

    of: Expression
    by: str
    divided: bool = False
    negative: bool = False

    def value(self, operands: Operands) -> Array:
        number = operands[self.by] if self.by in operands else np.array(float(self.by))
        scaled = self.of.value(operands) / number if self.divided else self.of.value(operands) * number
        return -scaled if self.negative else scaled

    def __str__(self) -> str:
        sign = "-" if self.negative else ""
        if self.by == "1":
            return f"{sign}{_factor(self.of)}"
        if self.divided:
            return f"{sign}{_factor(self.of)} / {self.by}"
        return f"{sign}{self.by} * {_factor(self.of)}"


@dataclass(frozen=True)
class Slope(Expression):
    """A derivative of an activation; kind: of which, form: how it is written of what stands in it."""

    kind: str
    form: str
    of: Expression

    def value(self, operands: Operands) -> Array:
        return FORMS[self.kind, self.form](self.of.value(operands))

    def __str__(self) -> str:
        return self.form.format(self.of)


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


# Of a kind of activation what people write for its derivative, right or wrong for what they put in.
FORMS: dict[tuple[str, str], Callable[[Array], Array]] = {
    ("sigmoid", "{0} * (1 - {0})"): lambda a: a * (1 - a),
    ("tanh", "(1 - {0}**2)"): lambda a: 1 - a**2,
    ("relu", "({0} > 0)"): lambda a: (a > 0).astype(float),
    ("sigmoid", "sigmoid({0}) * (1 - sigmoid({0}))"): lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
    ("tanh", "(1 - np.tanh({0})**2)"): lambda z: 1 - np.tanh(z) ** 2,
    ("sigmoid", "{0}"): lambda a: a,
    ("sigmoid", "(1 - {0})"): lambda a: 1 - a,
    ("tanh", "(1 - {0})"): lambda a: 1 - a,
}


def distance(one: Expression, other: Expression) -> int:
    """How many edits make one line of another: operands, operations or factors replaced, left out, put in."""
    if one == other:
        return 0
    if type(one) is type(other) and isinstance(one, Name | Slope):
        return 1
    found = [
        3,
        *(1 + distance(part, other) for part in one.parts),
        *(1 + distance(one, p) for p in other.parts),
    ]
    pairs = list(zip(one.parts, other.parts, strict=False))
    if len(one.parts) == len(other.parts) > 0:
        own = sum(getattr(one, f) != getattr(other, f, None) for f in _settings(one))
        changed = own if type(one) is type(other) else 1
        found.append(changed + sum(distance(a, b) for a, b in pairs))
    return min(found)


def _settings(expression: Expression) -> list[str]:
    """The fields that are no expressions."""
    names = (field.name for field in dataclasses.fields(expression))
    return [name for name in names if not isinstance(getattr(expression, name), Expression)]


def _tight(inner: Expression) -> str:
    return str(inner) if isinstance(inner, Name | Transposed) else f"({inner})"


def _factor(inner: Expression) -> str:
    return f"({inner})" if isinstance(inner, Minus | Plus | Product) else str(inner)
