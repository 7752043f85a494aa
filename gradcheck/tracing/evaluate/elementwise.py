"""Primitives that act entry by entry. Operands may be smaller than the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import OBJECT, Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]


def always(function: Program) -> Rule:
    """The rule of a primitive that one NumPy function computes, whatever its parameters."""
    return lambda _params, _ins, _outs: function


def on_real(function: Program) -> Rule:
    """`function` of the real part where a real trace is carried in complex numbers."""

    def rule(_params: Params, ins: Values, outs: Values) -> Program:
        if not ins[0].lifted:
            return function
        dtype = outs[0].dtype
        return lambda x: function(x.real).astype(dtype)

    return rule


def comparison(function: Program) -> Rule:
    """`function` of the real parts where a real trace is carried in complex numbers."""

    def rule(_params: Params, ins: Values, _outs: Values) -> Program:
        return (lambda x, y: function(x.real, y.real)) if ins[0].lifted else function

    return rule


def extremum(function: Program, beats: Program) -> Rule:
    """The larger or smaller of two values; NaN wins."""

    def chosen(x: Any, y: Any) -> Any:
        return np.where(beats(x.real, y.real) | (x.real != x.real), x, y)

    return lambda _params, ins, _outs: chosen if ins[0].lifted else function


def total_less(x: Any, y: Any) -> Any:
    """x before y in the total order -inf < -0 < 0 < inf < NaN."""
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype.kind == "f":
        zeros = (x == y) & np.signbit(x) & ~np.signbit(y)
        return (x < y) | zeros | ((y != y) & (x == x))
    return x < y


def absolute(_params: Params, ins: Values, _outs: Values) -> Program:
    """The modulus; of a real number carried in complex, its analytic continuation."""
    return (lambda x: np.where(x.real < 0, -x, x)) if ins[0].lifted else np.abs


def divide(_params: Params, ins: Values, _outs: Values) -> Program:
    """True division of inexact numbers; integers truncate, and divide by zero to all ones."""
    return truncated_quotient if ins[0].dtype.kind in "iu" else np.true_divide


def truncated_quotient(x: Any, y: Any) -> Any:
    """x / y rounded towards zero."""
    quotient = np.floor_divide(x, y)
    inexact = (np.multiply(quotient, y) != x) & ((x < 0) != (y < 0))
    quotient = np.where(inexact, quotient + 1, quotient).astype(quotient.dtype)
    return np.where(y == 0, np.bitwise_not(np.zeros_like(quotient)), quotient)


def remainder(_params: Params, ins: Values, _outs: Values) -> Program:
    """The remainder with the sign of the dividend; an integer's by zero is the dividend."""
    if ins[0].dtype.kind in "iu":
        return lambda x, y: np.where(y == 0, x, np.fmod(x, y))
    return np.fmod


def power(_params: Params, ins: Values, outs: Values) -> Program:
    """x ** y, the exponent brought to the base's type first."""
    dtype = outs[0].dtype
    if dtype == OBJECT or ins[0].dtype == ins[1].dtype:
        return np.power
    return lambda x, y: np.power(x, y.astype(dtype))


def static_power(params: Params, _ins: Values, outs: Values) -> Program:
    """x ** y for a fixed integer y, by repeated squaring."""
    y, dtype = params["y"], outs[0].dtype
    if y == 0:
        return lambda x: np.ones(np.shape(x), dtype)
    if y == 1:
        return np.positive if dtype.kind != "b" else np.copy
    if y == 2:
        return np.square
    if y == -1:
        return inverse
    if y < 0:
        return lambda x: inverse(repeated_product(x, -y))
    return lambda x: repeated_product(x, y)


def inverse(x: Any) -> Any:
    """1 / x; np.reciprocal knows no objects."""
    return np.true_divide(1, x) if x.dtype != OBJECT else 1 / x


def repeated_product(x: Any, y: int) -> Any:
    """x multiplied by itself, y > 1 factors."""
    result = None
    while y:
        if y & 1:
            result = x if result is None else np.multiply(result, x)
        y >>= 1
        if y:
            x = np.square(x)
    return result


def reciprocal_root(x: Any) -> Any:
    """1 / sqrt(x)."""
    return np.true_divide(1, np.sqrt(x))


def logistic(x: Any) -> Any:
    """1 / (1 + exp(-x)); exp overflows to infinity where the result is 0."""
    return 1 / (1 + np.exp(-x))


def log_of_one_plus(_params: Params, ins: Values, _outs: Values) -> Program:
    """log(1 + x). NumPy's for complex numbers loses the real part of a small x: it takes |1 + x| first."""
    if ins[0].dtype.kind != "c":
        return np.log1p

    def accurate(x: Any) -> Any:
        small = np.abs(x) < 0.5
        re, im = np.where(small, x.real, 0), np.where(small, x.imag, 0)
        size = np.log1p(re * (2 + re) + im**2) / 2
        return np.where(small, size + 1j * np.arctan2(im, 1 + re), np.log1p(x))

    return accurate


def rounding(params: Params, ins: Values, outs: Values) -> Program | None:
    """Halves to even, or away from zero."""
    to_even = params["rounding_method"].name == "TO_NEAREST_EVEN"
    return on_real(np.rint if to_even else round_away)({}, ins, outs)


def round_away(x: Any) -> Any:
    """The nearest integer, halves away from zero; adding 0.5 would round 0.49999999999999994 up."""
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(np.ones_like(x), x), whole)


def select(_params: Params, ins: Values, _outs: Values) -> Program:
    """The case whose number the predicate gives."""
    if len(ins) == 2:
        return lambda _which, case: np.array(case)
    if ins[0].dtype == np.bool_:
        where = np.where
        return lambda which, no, yes: where(which, yes, no)
    return lambda which, *cases: np.choose(which, cases)


def clamp(_params: Params, ins: Values, _outs: Values) -> Program:
    """min(max(x, low), high); a NaN stays."""
    if ins[1].lifted:
        return lambda low, x, high: np.where(x.real < low.real, low, np.where(x.real > high.real, high, x))
    return lambda low, x, high: np.minimum(np.maximum(x, low), high)


def convert(_params: Params, ins: Values, outs: Values) -> Program:
    """A change of type: floats to integers truncate, saturate and make 0 of NaN; complex to real drops."""
    source, target = ins[0].dtype, outs[0].dtype
    if target == OBJECT or source == target:
        return lambda x: x
    if target == np.bool_:
        return lambda x: x != 0
    if source.kind == "c" and target.kind != "c":
        part = Value((), np.real(np.empty(0, source)).dtype, ins[0].declared)
        narrow = convert({}, (part,), outs)
        return lambda x: narrow(x.real)
    if source.kind == "f" and target.kind in "iu":
        return lambda x: saturated(x, target)
    return lambda x: x.astype(target)


def saturated(x: Any, target: np.dtype) -> Any:
    """Truncation to an integer type whose ends catch what lies beyond them."""
    info = np.iinfo(target)
    whole = np.asarray(x, dtype=np.promote_types(x.dtype, np.float64))
    low, high = whole <= info.min, whole >= info.max
    inside = np.where(low | high | np.isnan(whole), 0, whole).astype(target)
    return np.where(high, target.type(info.max), np.where(low, target.type(info.min), inside))


def make_complex(_params: Params, _ins: Values, outs: Values) -> Program:
    """re + i im, without the arithmetic that would turn an infinity into NaN."""
    shape, dtype = outs[0].shape, outs[0].dtype

    def joined(re: Any, im: Any) -> Any:
        out = np.empty(shape, dtype)
        out.real, out.imag = re, im
        return out

    return joined


def conjugate(_params: Params, _ins: Values, outs: Values) -> Program:
    """The complex conjugate, complex also of a real operand."""
    dtype = outs[0].dtype
    return lambda x: np.conjugate(x).astype(dtype)


def arithmetic_shift(_params: Params, ins: Values, _outs: Values) -> Program:
    """A shift to the right that repeats the first bit, also of an unsigned number."""
    dtype = ins[0].dtype
    if dtype.kind == "i":
        return np.right_shift
    signed = np.dtype(f"i{dtype.itemsize}")
    return lambda x, y: np.right_shift(x.view(signed), y.view(signed)).view(dtype)


def logical_shift(_params: Params, ins: Values, _outs: Values) -> Program:
    """A shift to the right that fills with zeros."""
    dtype = ins[0].dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return lambda x, y: np.right_shift(x.view(unsigned), y.view(unsigned)).view(dtype)


def count_bits(_params: Params, ins: Values, _outs: Values) -> Program:
    """The number of ones among the bits."""
    dtype = ins[0].dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return lambda x: np.bitwise_count(x.view(unsigned)).astype(dtype)


def reinterpret(_params: Params, ins: Values, outs: Values) -> Program | None:
    """The same bits read as another type of the same width; other widths are left to JAX."""
    dtype = outs[0].dtype
    if ins[0].dtype != ins[0].declared or dtype.itemsize != ins[0].dtype.itemsize:
        return None
    return lambda x: x.view(dtype)


def reduce_precision(params: Params, ins: Values, _outs: Values) -> Program | None:
    """Rounding to fewer bits, where a type of NumPy has them; a wider arithmetic is left as it is."""
    bits = (params["exponent_bits"], params["mantissa_bits"])
    held = ins[0].declared
    if bits[0] >= 11 and bits[1] >= 52:
        return lambda x: x
    narrow = {(8, 23): np.float32, (5, 10): np.float16}.get(bits)
    if narrow is None or held.kind != "f" or held != ins[0].dtype:
        return None
    return lambda x: x.astype(narrow).astype(held)


DIRECT: dict[str, Program] = {
    "add": np.add,
    "add_any": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "rsqrt": reciprocal_root,
    "cbrt": np.cbrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "logistic": logistic,
    "square": np.square,
    "one_minus_square": lambda x: (1 - x) * (1 + x),  # of JAX from 0.12 on
    "nextafter": np.nextafter,
    "is_finite": np.isfinite,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.bitwise_not,
    "shift_left": np.left_shift,
    "real": np.real,
    "imag": np.imag,
}

RULES: dict[str, Rule] = {
    **{name: always(function) for name, function in DIRECT.items()},
    "sign": on_real(np.sign),
    "floor": on_real(np.floor),
    "ceil": on_real(np.ceil),
    "round": rounding,
    "abs": absolute,
    "max": extremum(np.maximum, np.greater_equal),
    "min": extremum(np.minimum, np.less_equal),
    "eq": comparison(np.equal),
    "ne": comparison(np.not_equal),
    "lt": comparison(np.less),
    "le": comparison(np.less_equal),
    "gt": comparison(np.greater),
    "ge": comparison(np.greater_equal),
    "lt_to": comparison(total_less),
    "le_to": comparison(lambda x, y: ~total_less(y, x)),
    "eq_to": comparison(lambda x, y: ~(total_less(x, y) | total_less(y, x))),
    "log1p": log_of_one_plus,
    "div": divide,
    "rem": remainder,
    "pow": power,
    "integer_pow": static_power,
    "select_n": select,
    "clamp": clamp,
    "convert_element_type": convert,
    "complex": make_complex,
    "conj": conjugate,
    "shift_right_arithmetic": arithmetic_shift,
    "shift_right_logical": logical_shift,
    "population_count": count_bits,
    "bitcast_convert_type": reinterpret,
    "reduce_precision": reduce_precision,
}

# Their function depends on types and fixed parameters only, not on sizes.
SIZELESS = frozenset(RULES) - {"complex"}

# Those that accept operands smaller than the result, so that a broadcast before them need not be carried out.
BROADCASTING = frozenset(RULES) - {"convert_element_type", "bitcast_convert_type", "reduce_precision"}
