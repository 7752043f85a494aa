"""Gradients of a function in jax.numpy, by JAX and XLA."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.evaluator import Arrays, Evaluator, noted
from gradcheck.oracles.recorded import Place, in_single
from gradcheck.spread import handed, in_form_of, whole
from gradcheck.tree import iter_leaves


def vjps_by_xla(
    evaluator: Evaluator,
    function: Callable[..., Any],
    places: list[Place],
    coarse: list[Arrays],
) -> tuple[list[tuple[Arrays, Arrays]], list[Arrays]]:
    """JAX's outputs and gradients at each place, and gradients in single precision at each coarse point.

    No gradients where the outputs have other shapes than the cotangents.
    """
    import jax
    import jax.numpy as jnp

    from gradcheck.tracing.evaluate import compiled

    def forward(values: Any) -> list[Any]:
        outputs = function(*evaluator.claim.inputs_at(values))
        return [jnp.asarray(leaf) for _, leaf in iter_leaves(outputs)]

    def vjp(values: Any, cotangents: Any) -> tuple[list[Any], Any]:
        outputs, pull_back = jax.vjp(forward, values)
        if [out.shape for out in outputs] != [u.shape for u in cotangents]:
            return outputs, ()
        (gradients,) = pull_back(
            [jnp.asarray(u, out.dtype) for u, out in zip(cotangents, outputs, strict=True)]
        )
        return outputs, gradients

    def doubled(arrays: Arrays) -> Any:
        return tuple(jnp.asarray(handed(array), float) for array in arrays)

    def in_form(gradients: Any) -> Arrays:
        return tuple(in_form_of(at, g) for at, g in zip(evaluator.point, gradients, strict=False))

    def everywhere(run: Callable[..., Any]) -> list[tuple[Arrays, Arrays]]:
        with noted("gradcheck: raised where JAX differentiates; write that function in jax.numpy"):
            found = [run(*map(doubled, place)) for place in places]
        return [(tuple(map(whole, out)), in_form(gradients)) for out, gradients in found]

    with jax.enable_x64(True):
        try:
            run = evaluator.once("vjp of the reference", lambda: jax.jit(vjp))
            answers = everywhere(run)
        except jax.errors.ConcretizationTypeError:  # it branches on values, which only eager JAX knows
            return everywhere(vjp), []
        if not answers[0][1]:
            return answers, []
        if evaluator.is_spread:  # NumPy's arithmetic does not reach them
            us = tuple(u.astype(np.float32) for u in places[0][1])
            return answers, [in_form(run(tuple(map(handed, point)), us)[1]) for point in coarse]
        jaxpr = jax.make_jaxpr(vjp)(*map(doubled, places[0])) if coarse else None
    return answers, in_single(functools.partial(compiled, jaxpr), coarse, places[0][1])
