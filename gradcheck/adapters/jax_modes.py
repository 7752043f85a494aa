"""One JAX function, and the ways that JAX has to its derivative: reverse mode, forward mode, vmap."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.jax_rules import Rule, has_rules, run_without_rules
from gradcheck.adapters.paths import apart
from gradcheck.adapters.slots import Slots
from gradcheck.claim import Constant, dtype_of
from gradcheck.spread import whole
from gradcheck.tree import Tree, iter_leaves

STREAM = 0x6A6178  # of the cotangents and tangents that are drawn here
COPIES = 3  # points that are vectorised over
MOVE = 1e-2  # of an entry's size, from one of them to the next
BATCH = 256  # tangents that forward mode takes at a time

OWN = "the gradient claimed is JAX's own, which only values of the function can judge"
NO_PRIMAL = "JAX cannot differentiate the function without the rules that were written for it"
Primal = Callable[[Sequence[Any], Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class JaxFunction:
    """A function in JAX, called with NumPy arrays.

    slots: where the arrays that are differentiated sit in its inputs. rule: the rule that it is, if it
    is one itself. narrow: the dtypes that it runs in, where it refuses float64. without_rules: what it
    computes, in JAX, by primitives alone; None where it has no rules, or JAX cannot do without them.
    unrecorded: why no trace of it would say anything.

    A class: who walks through a claim's functions in search of NumPy code does not walk into JAX.
    """

    function: Callable[..., Any]
    slots: Slots
    rule: Rule | None = None
    narrow: tuple[Any, ...] = ()
    without_rules: Primal | None = None
    unrecorded: str = OWN

    def forward(self, *inputs: Tree) -> Any:
        """The outputs that are floats, as NumPy arrays."""
        values, others = self.slots.taken(inputs)
        with self._precision():
            run = self._compiled if self._compiled and self._as_given(others) else self.outputs
            outputs = [whole(out) for out in run(self._placed(values), others)]
        return outputs[0] if len(outputs) == 1 else outputs

    def vjp(self, cotangent: Tree, *inputs: Tree) -> Tree:
        """Reverse mode; what a custom_vjp's own backward returns, where JAX refuses that for its form."""
        values, others = self.slots.taken(inputs)
        with self._precision():
            arrays = self._arrays(values)
            outputs, pull_back = self.pulled_back(arrays, others)
            us = _cast(cotangent, outputs)
            try:
                return self.slots.gradients(pull_back(us))
            except (TypeError, ValueError):
                found = self.rule.misfit(self.slots.filled(arrays, others), us) if self.rule else None
                if found is None:
                    raise
                return found

    def forward_mode(self, cotangent: Tree, *inputs: Tree) -> Tree:
        """The gradient that forward mode gives along the columns of a reflection I - 2 w w^T / |w|^2.

        Tangents that are neither unit vectors nor along one another show also a rule that is not linear.
        """
        import jax
        import jax.numpy as jnp
        from jax.flatten_util import ravel_pytree

        values, others = self.slots.taken(inputs)
        with self._precision():
            at, unravel = ravel_pytree(self._arrays(values))
            w = jnp.asarray(np.random.default_rng(STREAM).uniform(0.5, 1.5, at.size), at.dtype)
            weight = 2 / (w @ w)

            def along(k: Any) -> Any:
                tangent = jnp.zeros_like(w).at[k].set(1) - weight * w[k] * w
                outputs, moves = jax.jvp(lambda v: self.outputs(unravel(v), others), (at,), (tangent,))
                return sum(jnp.vdot(u, d) for u, d in zip(_cast(cotangent, outputs), moves, strict=True))

            slopes = jax.lax.map(along, jnp.arange(at.size), batch_size=BATCH)
            return self.slots.gradients(unravel(slopes - weight * (w @ slopes) * w))

    def pushed(self, tangents: Sequence[Any], *inputs: Tree) -> list[Any]:
        """Forward mode along one tangent a leaf: how each output moves."""
        import jax
        import jax.numpy as jnp

        values, others = self.slots.taken(inputs)
        with self._precision():
            at = self._arrays(values)
            along = [jnp.asarray(v, x.dtype) for v, x in zip(tangents, at, strict=True)]
            return [
                np.asarray(d) for d in jax.jvp(lambda *v: self.outputs(v, others), tuple(at), tuple(along))[1]
            ]

    def vmapped(self, cotangent: Tree, *inputs: Tree) -> Tree:
        """Reverse mode at several points at once, of which this one is the first."""
        import jax
        import jax.numpy as jnp

        values, others = self.slots.taken(inputs)

        def one(values: Any, cotangents: Any) -> Any:
            outputs, pull_back = self.pulled_back(values, others)
            return pull_back(_cast(cotangents, outputs))

        def several(array: Any, factor: Callable[[int], float]) -> Any:
            return jnp.stack([array * factor(k) for k in range(COPIES)])

        with self._precision():
            points = [several(v, lambda k: 1 + MOVE * k) for v in self._arrays(values)]
            us = [several(jnp.asarray(u), lambda k: (-2) ** k) for _, u in iter_leaves(cotangent)]
            found = jax.jit(jax.vmap(one))(points, us)
        return self.slots.gradients(gradient[0] for gradient in found)

    def reference(self, *inputs: Tree) -> list[Any]:
        """The outputs by primitives alone, for JAX to differentiate by itself."""
        assert self.without_rules is not None
        values, others = self.slots.taken(inputs)
        with self._precision():
            return self.without_rules(self._arrays(values), others)

    def outputs(self, values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
        """The outputs that are floats, in JAX."""
        import jax
        import jax.numpy as jnp

        leaves = map(jnp.asarray, jax.tree.leaves(self.function(*self.slots.filled(values, others))))
        return [out for out in leaves if jnp.issubdtype(out.dtype, jnp.inexact)]

    def pulled_back(self, values: Sequence[Any], others: Sequence[Any]) -> tuple[list[Any], Any]:
        """The outputs, and the function from cotangents to gradients."""
        import jax

        return jax.vjp(lambda *v: self.outputs(v, others), *values)

    def at_home(self) -> JaxFunction:
        """The same function in the precision that it can run in, with what it computes without rules."""
        values, _ = self._given
        dtypes = tuple(dtype_of(value) for value in values)
        narrow = replace(self, narrow=dtypes)
        runs = self
        if any(dtype.itemsize < 8 for dtype in dtypes) and tried(self._some_gradient)[0] is None:
            runs = narrow if tried(narrow._some_gradient)[0] is not None else self
        return replace(runs, **runs._primal())

    def gradient(self) -> JaxFunction:
        """The gradient along a random cotangent as a function."""

        def of(outputs: Primal) -> Primal:
            def gradient(values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
                import jax

                found, pull_back = jax.vjp(lambda *v: outputs(v, others), *values)
                rng = np.random.default_rng(STREAM)
                return list(
                    pull_back([jax.numpy.asarray(rng.standard_normal(o.shape), o.dtype) for o in found])
                )

            return gradient

        slots, own = self.slots, of(self.outputs)
        return replace(
            self,
            function=lambda *inputs: own(*slots.taken(inputs)),
            rule=None,
            without_rules=of(self.without_rules) if self.without_rules else None,
        )

    def _primal(self) -> dict[str, Any]:
        """The fields that say what the function is without rules."""
        import jax

        def without_rules(values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
            closed = jax.make_jaxpr(lambda *v: self.outputs(v, others))(*values)
            return run_without_rules(closed, values)

        values, others = self._given
        with self._precision():
            closed, _ = tried(
                lambda: jax.make_jaxpr(lambda *v: self.outputs(v, others))(*self._arrays(values))
            )
            if closed is None or not has_rules(closed.jaxpr):
                return {}
            _, why_not = tried(lambda: self._some_gradient(without_rules))
        return (
            {"unrecorded": f"{NO_PRIMAL}: {in_a_line(why_not)}"}
            if why_not
            else {"without_rules": without_rules}
        )

    def _some_gradient(self, outputs: Primal | None = None) -> Any:
        """The shape of a gradient at the user's point, to see whether there is one."""
        import jax
        import jax.numpy as jnp

        values, others = self._given

        def gradient(values: Sequence[Any]) -> Any:
            found, pull_back = jax.vjp(lambda *v: (outputs or self.outputs)(v, others), *values)
            return pull_back(list(map(jnp.ones_like, found)))

        with self._precision():
            kinds = self.narrow or [np.result_type(dtype_of(v), np.float64) for v in values]
            given = zip(values, kinds, strict=True)
            return jax.eval_shape(gradient, [jax.ShapeDtypeStruct(np.shape(v), kind) for v, kind in given])

    @functools.cached_property
    def _given(self) -> tuple[list[Any], list[Any]]:
        """The user's own values, and everything else that the inputs hold."""
        values, others = self.slots.taken(self.slots.pattern)
        return values, [other.value if isinstance(other, Constant) else other for other in others]

    @functools.cached_property
    def _compiled(self) -> Primal | None:
        """The function compiled for its own data; None where that is refused, or gives something else."""
        import jax

        values, others = self._given
        compiled = jax.jit(lambda v: self.outputs(v, others))
        plain = self.outputs(self._arrays(values), others)
        fast, _ = tried(lambda: compiled(self._arrays(values)))
        if fast is None or apart(list(map(whole, plain)), list(map(whole, fast))):
            return None
        return lambda values, _: compiled(values)

    def _as_given(self, others: Sequence[Any]) -> bool:
        return all(
            a is b or (isinstance(a, np.ndarray) and np.array_equal(a, b))
            for a, b in zip(others, self._given[1], strict=True)
        )

    def _arrays(self, values: Sequence[Any]) -> list[Any]:
        import jax.numpy as jnp

        return [jnp.asarray(value) for value in self._placed(values)]

    def _placed(self, values: Sequence[Any]) -> list[Any]:
        """Values in the dtypes the function runs in, on the devices and in the shards of the user's own."""
        import jax
        import jax.numpy as jnp

        placed = list(values)
        if self.narrow:
            placed = [jnp.asarray(value, dtype) for value, dtype in zip(values, self.narrow, strict=True)]
        for i, like in enumerate(self._given[0]):
            if getattr(like, "committed", False) and type(values[i]) is np.ndarray:
                placed[i] = jax.device_put(placed[i], like.sharding)
        return placed

    def _precision(self) -> contextlib.AbstractContextManager[object]:
        import jax

        return jax.enable_x64(False) if self.narrow else contextlib.nullcontext()


def _cast(cotangent: Tree, outputs: Sequence[Any]) -> list[Any]:
    """The cotangent's leaves in the outputs' dtypes."""
    import jax.numpy as jnp

    us = [u for _, u in iter_leaves(cotangent)]
    return [jnp.asarray(u, out.dtype) for u, out in zip(us, outputs, strict=True)]


def tried(run: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """What a call returns, or what it raised: JAX may have no such mode for a function."""
    try:
        return run(), None
    except Exception as error:  # noqa: BLE001 - whatever JAX or the user's rule raises is the answer
        return None, error


def in_a_line(error: Exception | None) -> str:
    """An exception as a report shows it."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
