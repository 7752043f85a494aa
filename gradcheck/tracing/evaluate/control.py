"""Loops and branches. The parameters hold programs: functions from a list of arrays to a list of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.tracing.evaluate.values import Program, Rule, Value

Params = dict[str, Any]
Values = tuple[Value, ...]

# Which parameters of which primitive are jaxprs, to be turned into programs.
PROGRAMS = {"scan": ("jaxpr",), "while": ("cond_jaxpr", "body_jaxpr"), "cond": ("branches",)}


def cond(params: Params, _ins: Values, _outs: Values) -> Program:
    """The branch whose number is given, the nearest one for a number out of range."""
    branches = params["branches"]
    last = len(branches) - 1
    return lambda index, *operands: branches[min(max(int(index), 0), last)](operands)


def while_loop(params: Params, _ins: Values, _outs: Values) -> Program:
    """The body repeated as long as the condition holds."""
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    first = params["cond_nconsts"]
    second = first + params["body_nconsts"]

    def loop(*operands: Any) -> Any:
        test_constants, body_constants, state = operands[:first], operands[first:second], operands[second:]
        while test([*test_constants, *state])[0]:
            state = body([*body_constants, *state])
        return list(state)

    return loop


def is_open(params: Params) -> bool:
    """Whether the programs inside a primitive are to be run here."""
    return "ft_in" not in params


def scan(params: Params, _ins: Values, outs: Values) -> Program | None:
    """The body once for each slice of the inputs, its state handed on and its results stacked.

    JAX from 0.12 on describes the operands in another way; its scans are left to JAX.
    """
    if not is_open(params):
        return None
    body, length = params["jaxpr"], params["length"]
    constants, carried = params["num_consts"], params["num_carry"]
    order = range(length)[::-1] if params["reverse"] else range(length)

    def loop(*operands: Any) -> Any:
        fixed, state = operands[:constants], operands[constants : constants + carried]
        series = operands[constants + carried :]
        stacks = [np.empty(out.shape, out.dtype) for out in outs[carried:]]
        for i in order:
            results = body([*fixed, *state, *[x[i] for x in series]])
            state = results[:carried]
            for stack, result in zip(stacks, results[carried:], strict=True):
                stack[i] = result
        return [*state, *stacks]

    return loop


RULES: dict[str, Rule] = {"cond": cond, "while": while_loop, "scan": scan}
