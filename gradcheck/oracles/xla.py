"""Gradients of a function in jax.numpy, by JAX and XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.evaluator import Arrays, Evaluator, noted
from gradcheck.oracles.recorded import in_single
from gradcheck.tree import iter_leaves


def vjps_by_xla(
    evaluator: Evaluator,
    function: Callable[..., Any],
    points: list[Arrays],
    coarse: list[Arrays],
    cotangents: Arrays,
) -> tuple[list[tuple[Arrays, Arrays]], list[Arrays]]:
    """JAX's outputs and gradients at each point, and gradients in single precision at each coarse one.

    No gradients where the outputs have other shapes than the cotangents.
    """
    import jax
    import jax.numpy as jnp

    def forward(values: Any) -> list[Any]:
        outputs = function(*evaluator.claim.inputs_at(values))
        return [jnp.asarray(leaf) for _, leaf in iter_leaves(outputs)]

    def vjp(values: Any, cotangents: Any = cotangents) -> tuple[list[Any], Any]:
        outputs, pull_back = jax.vjp(forward, values)
        if [out.shape for out in outputs] != [u.shape for u in cotangents]:
            return outputs, ()
        (gradients,) = pull_back(
            [jnp.asarray(u, out.dtype) for u, out in zip(cotangents, outputs, strict=True)]
        )
        return outputs, gradients

    def everywhere(run: Callable[..., Any]) -> list[tuple[Arrays, Arrays]]:
        with noted("gradcheck: raised where JAX differentiates; write that function in jax.numpy"):
            found = [run(tuple(jnp.asarray(value, float) for value in point)) for point in points]
        return [(tuple(map(np.asarray, out)), tuple(map(np.asarray, gradients))) for out, gradients in found]

    with jax.enable_x64(True):
        try:
            answers = everywhere(jax.jit(vjp))
        except jax.errors.ConcretizationTypeError:  # it branches on values, which only eager JAX knows
            return everywhere(vjp), []
        if not answers[0][1]:
            return answers, []
        jaxpr = jax.make_jaxpr(vjp)(points[0], tuple(np.asarray(u, float) for u in cotangents))
    return answers, in_single(jaxpr, coarse, cotangents)
