"""A claim run on copies: flat arrays in, flat arrays out, every call counted."""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.align import align
from gradcheck.claim import Array, Claim, Constant, Leaf, copied, dtype_of, in_class_of, is_complex
from gradcheck.complex_parts import Parts, Reading, RealParts, fitting, in_real_parts, split
from gradcheck.deadline import deadline
from gradcheck.errors import ClaimError, ShapeChanged
from gradcheck.spread import Spread, in_form_of, is_spread, whole
from gradcheck.tree import Tree, iter_leaves, map_leaves

Arrays = tuple[Array, ...]

SINGLE_SECONDS = 10  # for a backward in single precision, which is no slower than in double
READING_SEED = 0x636F6D70  # of the cotangent that the reading of a complex gradient is chosen with
READING_STEPS = (2.0**-8, 2.0**-17, 2.0**-26)  # of the inputs' size; one of them will tell two readings apart


@dataclass(frozen=True, kw_only=True)
class Again:
    """A function of the user's run once more on the same arrays: its arrays, and which it was handed and
    wrote into."""

    found: tuple[Any, ...]
    written: tuple[str, ...]


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
        if isinstance(self.claim, RealParts) and self.claim.reading is None:
            self.claim = self._in_one_reading(self.claim)

    @property
    def is_spread(self) -> bool:
        """Whether any input lies over several devices, data among them."""
        return any(
            is_spread(part)
            for tree in self.claim.inputs
            for _, leaf in iter_leaves(tree)
            for _, part in iter_leaves(leaf.value if isinstance(leaf, Constant) else leaf)
        )

    def once(self, what: str, made: Callable[[], Any]) -> Any:
        """What has been made under this name before, or is made now; in `shared`."""
        if what not in self.shared:
            self.shared[what] = made()
        return self.shared[what]

    def forward(self, values: Arrays) -> Arrays:
        """The output's leaves at these values, as float arrays of their own."""
        return self._run(self.claim.inputs_at(values))

    def _run(self, inputs: tuple[Tree, ...]) -> Arrays:
        outputs = _outputs(self._call(inputs))
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
        return self._gradients(self.answer(values, cotangents))

    def _gradients(self, raw: Tree) -> tuple[Array | None, ...]:
        aligned = align(self.claim, raw)
        return tuple(_gradient(leaf, g) for leaf, g in zip(self.leaves, aligned, strict=True))

    def answer(self, values: Arrays, cotangents: Arrays) -> Tree:
        """What the user's backward returns at these values, as it is."""
        return self._answer_on(self._cotangent(cotangents), self.claim.inputs_at(values))

    def _answer_on(self, cotangent: Tree, inputs: tuple[Tree, ...]) -> Tree:
        self.backwards += 1
        with noted(f"gradcheck: raised by backward evaluation {self.backwards}"):
            return self.claim.vjp(cotangent, *inputs)

    def probe_backward(self, values: Arrays, cotangents: Arrays) -> tuple[Array | None, ...]:
        """`backward` at a point that we chose and not the user: () where it raises."""
        try:
            with np.errstate(all="ignore"):
                return self.backward(values, cotangents)
        except Exception:  # noqa: BLE001 - the user's code may refuse our point, which is then no evidence
            return ()

    def disturbed_backward(self, others: Arrays, cotangents: Arrays) -> tuple[Array | None, ...]:
        """`backward` at the point after a run at other values; () where nothing lasts, or that run raises.

        Also where the output is another one, as that of a layer which draws its own numbers: such a state is
        its own.
        """
        if self.claim.disturbed is None:
            return ()
        at, beside = self.claim.inputs_at(self.point), self.claim.inputs_at(others)
        self.backwards += 1
        try:
            with np.errstate(all="ignore"):
                output, raw = self.claim.disturbed(self._cotangent(cotangents), at, beside)
        except Exception:  # noqa: BLE001 - the user's code may refuse our values, which shows nothing
            return ()
        same = all(np.array_equal(a, b) for a, b in zip(_outputs(output), self.outputs, strict=True))
        return self._gradients(raw) if same else ()

    def single_backward(self, cotangents: Arrays) -> tuple[Array | None, ...]:
        """`backward` at the point in float32, () where the user's code refuses that.

        It shows how the claim rounds. Where it does not run, the claim is granted its plain rounding.
        """
        try:
            return self._gradients(self.single_answer(cotangents))
        except Exception:  # noqa: BLE001 - single precision was our idea, and the user's code may refuse it
            return ()

    def single_answer(self, cotangents: Arrays) -> Tree:
        """`answer` at the point in float32, or whatever the user's code raises at that."""
        values = tuple(value.astype(np.float32) for value in self.point)
        left = iter(cotangents)
        cotangent = map_leaves(lambda _, __: np.array(next(left), dtype=np.float32), self._raw)
        self.backwards += 1
        with deadline(SINGLE_SECONDS):  # what iterates until nothing moves may never end in fewer digits
            return self.claim.vjp(cotangent, *self.claim.inputs_at(values, np.float32))

    @functools.cached_property
    def again(self) -> Again:
        """The forward at the user's point for the second time."""
        return _watched(self._handed(), lambda handed: self._run(tuple(handed.values())))

    @property
    def repeats(self) -> bool:
        """Whether the forward says the same twice."""
        pairs = zip(self.again.found, self.outputs, strict=True)
        return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)

    def backward_again(self, cotangents: Arrays) -> Again:
        """The backward at the user's point once more."""
        handed = self._handed() | {"the incoming gradient": self._cotangent(cotangents)}

        def call(handed: dict[str, Tree]) -> tuple[Array | None, ...]:
            *inputs, cotangent = handed.values()
            return self._gradients(self._answer_on(cotangent, tuple(inputs)))

        return _watched(handed, call)

    def _handed(self) -> dict[str, Tree]:
        return dict(zip(self.claim.names, self.claim.inputs_at(self.point), strict=True))

    def _cotangent(self, cotangents: Arrays) -> Tree:
        """Cotangents in the containers and dtypes of the outputs, in arrays of their own."""
        left = iter(cotangents)
        return map_leaves(
            lambda _, leaf: in_class_of(leaf, np.array(next(left), dtype=dtype_of(leaf))), self._raw
        )

    def _in_one_reading(self, claim: RealParts) -> Claim:
        """The claim in the convention that fits the function here, which nobody has to name."""
        rng = np.random.default_rng(READING_SEED)
        u = tuple(np.ones(out.shape) for out in self.outputs)
        if claim.takes_cotangent:
            u = tuple(rng.choice([-1.0, 1.0], o.shape) * rng.uniform(0.5, 1.5, o.shape) for o in u)
        gradients = {}
        for reading in Reading:
            self.claim = claim.read_as(reading)
            gradients[reading] = self.backward(self.point, u)
        with np.errstate(all="ignore"):  # steps go where numbers overflow, and do not count then
            return claim.read_as(fitting(gradients, self.point, lambda line: self._slopes(u, line)))

    def _slopes(self, cotangents: Arrays, direction: Arrays) -> list[float]:
        """Rough derivatives of <cotangents, outputs> along a direction, by several steps."""
        found = []
        for step in READING_STEPS:
            above, below = (
                self.probe(tuple(v + side * step * d for v, d in zip(self.point, direction, strict=True)))
                for side in (1, -1)
            )
            if above is not None and below is not None:
                changes = zip(cotangents, above, below, strict=True)
                found.append(sum(float(np.vdot(u, a - b)) for u, a, b in changes) / (2 * step))
        return found

    def _call(self, inputs: tuple[Tree, ...]) -> Tree:
        self.forwards += 1
        with noted(f"gradcheck: raised by forward evaluation {self.forwards}"):
            return self.claim.forward(*inputs)

    def _first_forward(self) -> Arrays:
        raw = self._call(self.claim.inputs_at(self.point))
        if any(is_complex(leaf) for _, leaf in iter_leaves(raw)):
            self.claim, raw = in_real_parts(self.claim), split(raw)
        self._raw = map_leaves(copied, raw)
        found = _outputs(self._raw)
        if not found or all(out.size == 0 for out in found):
            raise ClaimError("the forward returned nothing to differentiate: return an array with entries")
        if not self.claim.takes_cotangent and isinstance(self._raw, Parts):
            raise ClaimError(
                "gradients= answers for one real number, the forward returns complex ones: pass vjp=, or a "
                "forward that returns a real loss, e.g. its real part"
            )
        if not self.claim.takes_cotangent and [out.size for out in found] != [1]:
            shapes = ", ".join(str(out.shape) for out in found)
            raise ClaimError(
                f"gradients= answers for one number, the forward returns an array of shape {shapes}: "
                "pass vjp=, or a forward that returns the loss"
            )
        return found


def _watched(handed: dict[str, Tree], call: Callable[[dict[str, Tree]], Any]) -> Again:
    """What a call comes to, and the names of the arrays among those it is handed that it writes into."""
    arrays = [
        (path, leaf)
        for name, tree in handed.items()
        for path, leaf in iter_leaves(tree, name)
        if isinstance(leaf, np.ndarray)
    ]
    before = [leaf.tobytes() for _, leaf in arrays]
    with np.errstate(all="ignore"):
        found = call(handed)
    changed = (p for (p, leaf), old in zip(arrays, before, strict=True) if leaf.tobytes() != old)
    return Again(found=found, written=tuple(changed))


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
    if isinstance(leaf, np.ma.MaskedArray):
        raise ClaimError(f"the forward returned a masked array as {path}: return its numbers, filled")
    array = np.array(whole(leaf))
    if array.dtype.kind != "f":
        raise ClaimError(
            f"the forward returned {array.dtype} values as {path}: a gradient needs real floats. "
            "Return floats only, e.g. out.astype(float)"
        )
    return array


def _gradient(leaf: Leaf, raw: Any) -> Array | None:
    """A claimed gradient as a float array of its own; integers count as floats."""
    if raw is None:
        return None
    name = leaf.name
    try:
        over_devices = isinstance(leaf.value, Spread) or is_spread(raw)
        array = in_form_of(leaf.value, raw) if over_devices else np.array(raw)
    except ValueError as error:  # NumPy's words for lists of unequal length
        raise ClaimError(
            f"the gradient of {name} is no array ({raw!r:.60}): return an array of floats"
        ) from error
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind == "c":
        if np.imag(array).any():
            raise ClaimError(f"the gradient of {name}, which is real, is {array.dtype}: return its real part")
        array = np.real(array).copy()
    if array.dtype.kind != "f":
        raise ClaimError(f"the gradient of {name} is {array.dtype} ({raw!r:.60}): return an array of floats")
    return array
