"""Derivative rules that users wrote for JAX: which one a function is, and the function without any."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.tree import Tree

RULES = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
CALLS = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint")
BODIES = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # the parameter that holds what one of these calls


@dataclass(frozen=True)
class Rule:
    """The custom_vjp or custom_jvp that a function is, under jit and partial.

    bound: the arguments that stand before the inputs already.
    """

    custom: Any
    bound: tuple[Any, ...] = ()

    @property
    def static(self) -> tuple[int, ...]:
        """The positions of the inputs that it does not differentiate."""
        return tuple(i - len(self.bound) for i in self.custom.nondiff_argnums if i >= len(self.bound))

    def misfit(self, inputs: Sequence[Tree], cotangents: Sequence[Any]) -> Tree | None:
        """What a custom_vjp's own backward returns, where it has not the form of the inputs."""
        import jax

        if not hasattr(self.custom, "bwd"):
            return None
        arguments = (*self.bound, *inputs)
        fixed = self.custom.nondiff_argnums
        output, residual = self.custom.fwd(*arguments)
        cotangent = jax.tree.unflatten(jax.tree.structure(output), cotangents)
        returned = self.custom.bwd(*(arguments[i] for i in fixed), residual, cotangent)
        expected = [argument for i, argument in enumerate(arguments) if i not in fixed]
        if [np.shape(g) for g in jax.tree.leaves(returned)] == [
            np.shape(x) for x in jax.tree.leaves(expected)
        ]:
            return None
        return (
            returned[0] if isinstance(returned, tuple) and len(returned) == len(expected) == 1 else returned
        )


def rule_of(target: Any) -> Rule | None:
    """The rule that a function is; None where it has none, or has some further inside."""
    import jax

    bound: tuple[Any, ...] = ()
    while not isinstance(target, jax.custom_vjp | jax.custom_jvp):
        if isinstance(target, functools.partial) and not target.keywords:
            bound, target = (*target.args, *bound), target.func
        elif isinstance(target, jax.stages.Wrapped):
            target = getattr(target, "__wrapped__", None)
        else:
            return None
    return Rule(target, bound)


def has_rules(jaxpr: Any) -> bool:
    """Whether JAX would take some derivative in a jaxpr from a custom_vjp or a custom_jvp of a user's."""
    return any(
        _of_a_user(equation) or any(map(has_rules, _inside(equation.params))) for equation in jaxpr.eqns
    )


def _of_a_user(equation: Any) -> bool:
    """Whether an equation has a rule that did not come with JAX. Those of JAX handle what its primitives
    get wrong, as at softplus(0), and are JAX's derivative as much as they are.
    """
    import jax

    if equation.primitive.name not in RULES:
        return False
    rule = _source(equation.params.get("jvp_jaxpr_fun") or equation.params.get("bwd"))
    if rule.endswith("custom_derivatives.py"):  # made by `defjvps`, from rules that are not told
        rule = _source(_body(equation.params).jaxpr)
    return not rule.startswith(str(pathlib.Path(jax.__file__).parent))


def _source(function: Any) -> str:
    """The file of a function that JAX has traced, empty where it has forgotten."""
    debug = getattr(function, "debug_info", None)
    place = getattr(debug, "func_src_info", None) or ""
    return place.rpartition(" at ")[2].rpartition(":")[0]


def run_without_rules(closed: Any, inputs: Sequence[Any]) -> list[Any]:
    """What a closed jaxpr computes, differentiated by JAX's own rules alone."""
    jaxpr = closed.jaxpr
    known: dict[Any, Any] = dict(
        zip((*jaxpr.constvars, *jaxpr.invars), (*closed.consts, *inputs), strict=True)
    )

    def read(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else known[variable]  # literals bring their value

    for equation in jaxpr.eqns:
        operands = [read(variable) for variable in equation.invars]
        known.update(zip(equation.outvars, _results(equation, operands), strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _results(equation: Any, operands: list[Any]) -> Sequence[Any]:
    primitive, params = equation.primitive, equation.params
    if primitive.name in CALLS or _of_a_user(equation):
        return run_without_rules(_body(params), operands)
    given = primitive.get_bind_params({key: _stripped(value) for key, value in params.items()})
    functions, options = given if isinstance(given, tuple) else ((), given)  # JAX before 0.9: a pair
    bound = primitive.bind(*functions, *operands, **options)
    return bound if primitive.multiple_results else [bound]


def _stripped(param: Any) -> Any:
    """A parameter of a primitive, such as the body of a loop, without the rules inside it."""
    import jax
    from jax.extend.core import ClosedJaxpr

    if isinstance(param, tuple) and any(isinstance(part, ClosedJaxpr) for part in param):
        return tuple(map(_stripped, param))
    if not isinstance(param, ClosedJaxpr) or not has_rules(param.jaxpr):
        return param
    return jax.make_jaxpr(lambda *inputs: run_without_rules(param, inputs))(*param.in_avals)


def _body(params: dict[str, Any]) -> Any:
    """The closed jaxpr that a call calls."""
    from jax.extend.core import ClosedJaxpr

    jaxpr = next(params[key] for key in BODIES if key in params)
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())


def _inside(params: dict[str, Any]) -> list[Any]:
    """The jaxprs among the parameters of a primitive."""
    parts = [p for value in params.values() for p in (value if isinstance(value, tuple) else (value,))]
    return [getattr(p, "jaxpr", p) for p in parts if hasattr(getattr(p, "jaxpr", p), "eqns")]
