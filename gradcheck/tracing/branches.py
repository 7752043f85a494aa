"""The branch signature of a trace: which way every comparison, maximum, sort and step went."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tracing.derive import Arrays
from gradcheck.tracing.lift import Trace
from gradcheck.tracing.programs import Derivative, Run, derived
from gradcheck.tracing.structure import structure

Decision = Callable[[dict[str, Any], list[Any], list[Any]], Any]


COMPARED = ("lt", "le", "gt", "ge", "eq", "ne", "max", "min")
SIGNED = ("sign", "abs")
STAIRCASES = ("floor", "ceil", "round", "rem", "convert_element_type")  # what quantises


def signature(trace: Trace, leave_out: tuple[str, ...] = ()) -> Callable[[Arrays], Arrays]:
    """arrays -> one array of whole numbers or truth values a decision, in the order of the trace.

    Two points with one signature lie in one smooth piece of the function, but for the primitives left out.
    """
    run = turning(trace, leave_out)
    return lambda arrays: run(arrays)[0]


def turning(trace: Trace, leave_out: tuple[str, ...] = ()) -> Callable[[Arrays], tuple[Arrays, Arrays]]:
    """arrays -> (signature, margins): of each decision numbers whose zeros are where it turns out otherwise;
    none where it hangs on more than one number."""
    plan = derived(trace, _decisions(leave_out), (structure(trace).inputs,))

    def run(arrays: Arrays) -> tuple[Arrays, Arrays]:
        found = plan(*arrays)
        return tuple(found[::2]), tuple(found[1::2])

    return run


@functools.cache
def _decisions(leave_out: tuple[str, ...]) -> Derivative:
    def decisions(run: Run, _: int, __: Any, inputs: Any) -> tuple[Any, ...]:
        found: list[Any] = []

        def seen(name: str, params: dict[str, Any], operands: list[Any], results: list[Any]) -> None:
            decision = DECISIONS.get(name)
            if decision is not None and name not in leave_out and _is_float(operands[0]):
                found.extend((decision(params, operands, results), _margin(name, operands)))

        run(inputs, seen=seen)
        return tuple(found)

    return decisions


def _margin(name: str, operands: list[Any]) -> Any:
    import jax.numpy as jnp

    if name in COMPARED:
        return operands[0] - operands[1]
    return operands[0] if name in SIGNED else jnp.zeros(0)


def _is_float(operand: Any) -> bool:
    return np.dtype(operand.dtype).kind == "f"


def _winner(_: dict[str, Any], operands: list[Any], __: list[Any]) -> Any:
    import jax.numpy as jnp

    left, right = operands
    return jnp.sign(left - right)


def _attained(params: dict[str, Any], operands: list[Any], results: list[Any]) -> Any:
    import jax.numpy as jnp

    return operands[0] == jnp.expand_dims(results[0], params["axes"])


def _order(params: dict[str, Any], operands: list[Any], _: list[Any]) -> Any:
    import jax.numpy as jnp

    return jnp.argsort(operands[0], axis=params["dimension"])


def _sign(_: dict[str, Any], operands: list[Any], __: list[Any]) -> Any:
    import jax.numpy as jnp

    return jnp.sign(operands[0])


def _itself(_: dict[str, Any], __: list[Any], results: list[Any]) -> Any:
    return results[0]


def _record(_: dict[str, Any], operands: list[Any], results: list[Any]) -> Any:
    return operands[0] == results[0]


def _whole(_: dict[str, Any], operands: list[Any], __: list[Any]) -> Any:
    import jax.numpy as jnp

    return jnp.trunc(operands[0] / operands[1])


def _cast(params: dict[str, Any], _: list[Any], results: list[Any]) -> Any:
    import jax.numpy as jnp

    # To another float nothing is decided; to whole numbers or truth values it is.
    return results[0] if np.dtype(params["new_dtype"]).kind in "iub" else jnp.zeros(())


def _clamped(_: dict[str, Any], operands: list[Any], __: list[Any]) -> Any:
    import jax.numpy as jnp

    low, middle, high = operands
    return jnp.sign(middle - low) + jnp.sign(middle - high)


DECISIONS: dict[str, Decision] = (
    dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "sign", "floor", "ceil", "round"), _itself)
    | dict.fromkeys(("argmax", "argmin", "is_finite"), _itself)
    | dict.fromkeys(("max", "min"), _winner)
    | dict.fromkeys(("reduce_max", "reduce_min"), _attained)
    | dict.fromkeys(("cummax", "cummin"), _record)
    | {"abs": _sign, "sort": _order, "rem": _whole, "clamp": _clamped, "convert_element_type": _cast}
)
