"""A claim run on copies: flat arrays in, flat arrays out, every call counted."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.align import align
from gradcheck.claim import Array, Claim, copied
from gradcheck.errors import ClaimError, ShapeChanged
from gradcheck.tree import Tree, iter_leaves, map_leaves

Arrays = tuple[Array, ...]


class Evaluator:
    """Runs a claim's forward and backward at any values of its leaves.

    The user's arrays are never handed out and results are copied at once, so that a forward
    may write into its arguments, return a view of them or reuse its output buffer.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.leaves = claim.leaves()
        self.point: Arrays = tuple(leaf.value for leaf in self.leaves)
        self.forwards = 0
        self.backwards = 0
        self.failures: list[str] = []
        self.shared: dict[str, Any] = {}  # what one oracle has learnt of the forward and another one may use
        self._raw: Tree = None  # the first output, for the containers and dtypes of cotangents
        self.outputs = self._first_forward()
        self.is_jax = any(type(leaf).__module__.startswith("jax") for _, leaf in iter_leaves(self._raw))

    def forward(self, values: Arrays) -> Arrays:
        """The output's leaves at these values, as float arrays of their own."""
        outputs = _outputs(self._call(values))
        shapes, before = [out.shape for out in outputs], [out.shape for out in self.outputs]
        if shapes != before:
            raise ShapeChanged(
                f"the forward returned shapes {before} first and {shapes} on other values of the same "
                "inputs: it has no derivative. Pass a forward whose output shape is fixed"
            )
        return outputs

    def probe(self, values: Arrays) -> Arrays | None:
        """`forward` at a point that we chose and not the user: None where it raises, kept in `failures`."""
        try:
            with np.errstate(all="ignore"):
                return self.forward(values)
        except ShapeChanged:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code may refuse our point; it is reported
            self.failures.append(f"{type(error).__name__}: {error}")
            return None

    def backward(self, values: Arrays, cotangents: Arrays) -> tuple[Array | None, ...]:
        """The claimed gradient of every leaf: None where None was claimed, in whatever shape it has."""
        left = iter(cotangents)
        cotangent = map_leaves(
            lambda _, leaf: np.asarray(next(left), dtype=np.asarray(leaf).dtype), self._raw
        )
        self.backwards += 1
        with noted(f"gradcheck: raised by backward evaluation {self.backwards}"):
            raw = self.claim.vjp(cotangent, *self.claim.inputs_at(values))
        aligned = align(self.claim, raw)
        return tuple(_gradient(leaf.name, g) for leaf, g in zip(self.leaves, aligned, strict=True))

    def single_backward(self, cotangents: Arrays) -> tuple[Array | None, ...]:
        """`backward` at the point in float32, () where the user's code refuses that.

        It shows how the claim rounds. Where it does not run, the claim is granted its plain rounding.
        """
        values = tuple(value.astype(np.float32) for value in self.point)
        left = iter(cotangents)
        cotangent = map_leaves(lambda _, __: np.asarray(next(left), dtype=np.float32), self._raw)
        self.backwards += 1
        try:
            raw = self.claim.vjp(cotangent, *self.claim.inputs_at(values, np.float32))
            return tuple(_gradient("", g) for g in align(self.claim, raw))
        except Exception:  # noqa: BLE001 - single precision was our idea, and the user's code may refuse it
            return ()

    def _call(self, values: Arrays) -> Tree:
        self.forwards += 1
        with noted(f"gradcheck: raised by forward evaluation {self.forwards}"):
            return self.claim.forward(*self.claim.inputs_at(values))

    def _first_forward(self) -> Arrays:
        self._raw = map_leaves(copied, self._call(self.point))
        found = _outputs(self._raw)
        if not found or all(out.size == 0 for out in found):
            raise ClaimError("the forward returned nothing to differentiate: return an array with entries")
        if not self.claim.takes_cotangent and [out.size for out in found] != [1]:
            shapes = ", ".join(str(out.shape) for out in found)
            raise ClaimError(
                f"gradients= answers for one number, the forward returns an array of shape {shapes}: "
                "pass vjp=, or a forward that returns the loss"
            )
        return found


@contextlib.contextmanager
def noted(note: str) -> Iterator[None]:
    """Pass exceptions through unchanged, with a note that says where they come from."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def _outputs(raw: Tree) -> Arrays:
    return tuple(_output(path, leaf) for path, leaf in iter_leaves(raw, "output"))


def _output(path: str, leaf: Any) -> Array:
    """One output leaf as an array of its own. Raises ClaimError for what is no float array."""
    if leaf is None:
        raise ClaimError(f"the forward returned None as {path}: return the array it computes")
    if isinstance(leaf, str | bytes | types.GeneratorType):
        raise ClaimError(
            f"the forward returned a {type(leaf).__name__} as {path} ({leaf!r:.40}): return an array"
        )
    array = np.array(leaf)
    if array.dtype.kind != "f":
        raise ClaimError(
            f"the forward returned {array.dtype} values as {path}: a gradient needs real floats. "
            "Return floats only, e.g. out.astype(float)"
        )
    return array


def _gradient(name: str, raw: Any) -> Array | None:
    """A claimed gradient as a float array of its own; integers count as floats."""
    if raw is None:
        return None
    try:
        array = np.array(raw)
    except ValueError as error:  # NumPy's words for lists of unequal length
        raise ClaimError(
            f"the gradient of {name} is no array ({raw!r:.60}): return an array of floats"
        ) from error
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise ClaimError(f"the gradient of {name} is {array.dtype} ({raw!r:.60}): return an array of floats")
    return array
