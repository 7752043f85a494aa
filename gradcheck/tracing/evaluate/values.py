"""What a rule is told about its operands, and the arithmetic in which a trace is carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

OBJECT = np.dtype(object)
COMPLEX = {
    np.dtype(np.float16): np.dtype(np.complex64),
    np.dtype(np.float32): np.dtype(np.complex64),
    np.dtype(np.float64): np.dtype(np.complex128),
    np.dtype(np.longdouble): np.dtype(np.clongdouble),
}


class UnsupportedPrimitive(NotImplementedError):
    """A primitive of the trace has no rule in the arithmetic that was asked for."""


class Value(NamedTuple):
    """An operand or result of a primitive; `declared` is the jaxpr's dtype, `dtype` the one carried."""

    shape: tuple[int, ...]
    dtype: np.dtype
    declared: np.dtype

    @property
    def lifted(self) -> bool:
        """A value declared real, carried complex: order and rounding look at its real part."""
        return self.dtype.kind == "c" and self.declared.kind == "f"


Program = Callable[..., Any]
Rule = Callable[[dict[str, Any], tuple[Value, ...], tuple[Value, ...]], Program | None]


def exact(number: Any) -> Any:
    """The rational number that a finite float is; infinities and NaN stay floats."""
    number = number.item() if isinstance(number, np.generic) else number
    if isinstance(number, float) and not np.isfinite(number):
        return number
    return Fraction(number)


def boxed(value: Any, dtype: np.dtype) -> np.ndarray:
    """An array of `dtype` whatever NumPy made of a 0-d object array."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value, dtype=dtype)
    box = np.empty((), dtype=dtype)
    box[()] = value
    return box


@dataclass(frozen=True)
class Arithmetic:
    """Every float64 of the trace is carried as `real` (None: as declared), complex128 as its complex twin."""

    real: np.dtype | None = None
    number: Callable[[Any], Any] = exact

    def carried(self, declared: Any) -> Any:
        """The dtype in which a value declared as `declared` is held."""
        if self.real is None:
            return declared
        if self.real.kind in "cO" and declared in (np.complex64, np.complex128):
            raise UnsupportedPrimitive(f"{declared} values cannot be carried in {self.real}, only real ones")
        if declared == np.float64:
            return self.real
        if declared == np.complex128:
            return COMPLEX.get(self.real, self.real)
        return declared

    def array(self, value: Any, declared: Any) -> Any:
        """`value` as an array of the carried dtype; keys and other values of JAX's own stay as they are."""
        if not isinstance(declared, np.dtype):
            return value
        dtype = self.carried(declared)
        if dtype == OBJECT:
            return self.numbers(np.asarray(value))
        return np.asarray(value, dtype=dtype)

    def numbers(self, array: np.ndarray) -> np.ndarray:
        """An object array of exact numbers; one that holds objects already is left alone."""
        if array.dtype == OBJECT:
            return array
        return boxed(np.frompyfunc(self.number, 1, 1)(array), OBJECT)

    def finish(self, function: Program, outs: tuple[Value, ...], many: bool) -> Program:
        """`function` whose results are arrays of numbers, where object arithmetic would unpack them."""
        if self.real != OBJECT:
            return function

        def arrays(*operands: Any) -> Any:
            results = function(*operands)
            kept = [self._box(r, o) for r, o in zip(results if many else [results], outs, strict=True)]
            return kept if many else kept[0]

        return arrays

    def _box(self, result: Any, out: Value) -> np.ndarray:
        if out.dtype != OBJECT:
            return boxed(result, out.dtype)
        return self.numbers(boxed(result, getattr(result, "dtype", OBJECT)))
