"""One torch function or Module run with NumPy arrays, and nothing of the user's changed by it."""

from __future__ import annotations

import contextlib
import copy
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.adapters.slots import Slots
from gradcheck.claim import Constant, carries_gradient
from gradcheck.tree import Tree, iter_leaves, map_leaves

UNRECORDED = "torch keeps a record of its own, which JAX cannot differentiate"
SEED = 0x746F7263  # every evaluation begins with it, so that dropout drops the same


@dataclass(frozen=True, kw_only=True)
class TorchRun:
    """A torch function or Module, called with NumPy arrays.

    slots: where the arrays that are differentiated sit: in its inputs, `count` of them, and in its
    parameters after those. narrow: the dtypes that it runs in, where it refuses float64. returned: what
    a Function's own backward returned last.

    A class: who walks through a claim's functions in search of NumPy code does not walk into torch.
    """

    name: str
    target: Callable[..., Any]
    slots: Slots
    count: int
    parameters: tuple[str, ...]
    device: Any
    narrow: tuple[Any, ...] = ()
    returned: list[Any] = field(default_factory=list)

    def forward(self, *inputs: Tree) -> Any:
        """The outputs that are floats, as NumPy arrays; what is written into an input stays in its array."""
        values, others = self.slots.taken(inputs)
        tensors = self._tensors(values)
        with self._in_its_world(values):
            outputs = self._outputs(tensors, others)
        for value, tensor in zip(values, tensors, strict=True):
            # What returns its input does as announced: torch calls that an operation in place.
            if (
                not self.narrow
                and all(out is not tensor for out in outputs)
                and isinstance(value, np.ndarray)
            ):
                value[...] = _array(tensor)
        found = list(map(_array, outputs))
        return found[0] if len(found) == 1 else found

    def vjp(self, cotangent: Tree, *inputs: Tree) -> Tree:
        """torch's gradients, None for what it leaves undefined. Where it refuses a Function's own gradients
        for their form, those are what is claimed.
        """
        values, others = self.slots.taken(inputs)
        try:
            found = self._gradients(cotangent, values, others, range(len(values)))
        except RuntimeError:
            if (own := self._misfit(values)) is None:
                raise
            return own
        return self.slots.gradients(found)

    def vjp_alone(self, cotangent: Tree, *inputs: Tree) -> Tree:
        """torch's gradients, each asked for where no other input needs one."""
        values, others = self.slots.taken(inputs)
        found = [self._gradients(cotangent, values, others, [i])[i] for i in range(len(values))]
        return self.slots.gradients(found)

    def at_home(self) -> TorchRun:
        """The same in the precision that it can run in."""
        values, _ = self.slots.taken(self.slots.pattern)
        narrow = replace(self, narrow=tuple(np.asarray(value).dtype for value in values))
        return narrow if not self._runs() and narrow._runs() else self

    def _runs(self) -> bool:
        values, others = self.slots.taken(self.slots.pattern)
        others = [other.value if isinstance(other, Constant) else other for other in others]
        wide = [np.asarray(v, np.result_type(np.asarray(v), np.float64)) for v in values]
        try:
            with self._in_its_world(wide):
                outputs = self._outputs(self._tensors(wide), others)
            self._gradients([np.ones(out.shape) for out in outputs], wide, others, range(len(wide)))
        except Exception:  # noqa: BLE001 - what fails in the user's own precision too is raised later
            return False
        return True

    def _gradients(
        self, cotangent: Tree, values: Sequence[Any], others: Sequence[Any], wanted: Sequence[int]
    ) -> list[Any]:
        torch = the_torch()
        self.returned.clear()
        leaves = self._tensors(values)
        asked = [leaves[i].requires_grad_() for i in wanted]
        with self._in_its_world(values):
            # Copies of the leaves, into which an operation in place may write.
            outputs = self._outputs([leaf.clone() for leaf in leaves], others)
            us = [torch.tensor(np.asarray(u), device=self.device) for _, u in iter_leaves(cotangent)]
            pairs = [(out, u.to(out.dtype)) for out, u in zip(outputs, us, strict=True) if out.requires_grad]
            found: Sequence[Any] = [None] * len(asked)
            if pairs:
                found = torch.autograd.grad(
                    [out for out, _ in pairs], asked, [u for _, u in pairs], allow_unused=True
                )
        by_leaf = dict(zip(wanted, found, strict=True))
        return [None if (g := by_leaf.get(i)) is None else _array(g) for i in range(len(leaves))]

    def _misfit(self, values: Sequence[Any]) -> Tree | None:
        """What a Function's own backward returned, where it has not the form of its inputs."""
        if not self.returned:
            return None
        returned = self.returned[0]
        found = list(returned) if isinstance(returned, tuple) else [returned]
        if len(found) != self.count:
            return tuple(map(_detached, found))
        own = [g for g, tree in zip(found, self.slots.pattern, strict=True) if carries_gradient(tree)]
        if len(own) != len(values):
            return None
        summed = [_summed(g, np.shape(value)) for g, value in zip(own, values, strict=True)]
        if all(g is None or np.shape(g) == np.shape(value) for g, value in zip(summed, values, strict=True)):
            return None
        return summed[0] if len(summed) == 1 else tuple(summed)

    def _outputs(self, tensors: Sequence[Any], others: Sequence[Any]) -> list[Any]:
        """The output tensors that are floats."""
        torch = the_torch()
        given = self.slots.filled(tensors, [self._other(other) for other in others])
        inputs, parameters = given[: self.count], given[self.count :]
        if isinstance(self.target, torch.nn.Module):
            run = _copied(self.target)
            if not self.narrow:
                run = run.double() if torch.get_default_dtype() == torch.float64 else run.float()
            named = dict(zip(self.parameters, parameters, strict=True))
            raw = torch.func.functional_call(run, named, inputs)
        else:
            raw = self.target(*inputs)
        leaves = [leaf for _, leaf in iter_leaves(raw) if isinstance(leaf, torch.Tensor)]
        return [leaf for leaf in leaves if leaf.is_floating_point() or leaf.is_complex()]

    def _tensors(self, values: Sequence[Any]) -> list[Any]:
        torch = the_torch()
        dtypes = self.narrow or (None,) * len(values)
        return [
            torch.tensor(np.asarray(v, dtype), device=self.device)
            for v, dtype in zip(values, dtypes, strict=True)
        ]

    def _other(self, tree: Tree) -> Tree:
        """Data as tensors, in the precision in which the rest is run."""
        torch = the_torch()

        def tensor(_: str, leaf: Any) -> Any:
            if not isinstance(leaf, np.ndarray):
                return leaf
            made = torch.tensor(leaf, device=self.device)
            return (
                made.to(torch.get_default_dtype()) if made.is_floating_point() and not self.narrow else made
            )

        return map_leaves(tensor, tree)

    @contextlib.contextmanager
    def _in_its_world(self, values: Sequence[Any]) -> Iterator[None]:
        """Gradients on, random numbers from the same seed, and new tensors in the precision of the values."""
        torch = the_torch()
        cuda = [self.device] if self.device.type == "cuda" else []
        before = torch.get_default_dtype()
        single = all(np.finfo(np.asarray(v).dtype).bits < 64 for v in values)
        try:
            with torch.random.fork_rng(cuda), torch.enable_grad():
                torch.random.default_generator.manual_seed(SEED)
                for device in cuda:
                    with torch.cuda.device(device):
                        torch.cuda.manual_seed(SEED)
                if not self.narrow:
                    torch.set_default_dtype(torch.float32 if single else torch.float64)
                yield
        finally:
            torch.set_default_dtype(before)


def the_torch() -> Any:
    """torch, which only those who use it have."""
    return importlib.import_module("torch")


def _copied(module: Any) -> Any:
    """A deep copy; what a run has left in it, and torch does not copy, without its history."""
    torch = the_torch()
    held = [value for part in module.modules() for value in vars(part).values()]
    history = [v for v in held if isinstance(v, torch.Tensor) and not v.is_leaf]
    return copy.deepcopy(module, {id(value): value.detach().clone() for value in history})


def _summed(gradient: Any, shape: tuple[int, ...]) -> Any:
    """A gradient as torch takes it: summed where it was broadcast; as it is, where that does not fit."""
    torch = the_torch()
    if not isinstance(gradient, torch.Tensor):
        return gradient
    try:
        return _array(gradient.sum_to_size(shape))
    except RuntimeError:
        return _array(gradient)


def _detached(gradient: Any) -> Any:
    return _array(gradient) if hasattr(gradient, "detach") else gradient


def _array(tensor: Any) -> Any:
    """A tensor's numbers, bfloat16 as float32."""
    torch = the_torch()
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def as_array(path: str, leaf: Any) -> Any:
    """A tensor as a NumPy array of its own, also inside a constant; anything else as it is."""
    torch = the_torch()
    if isinstance(leaf, Constant):
        return Constant(map_leaves(as_array, leaf.value, path))
    return _array(leaf).copy() if isinstance(leaf, torch.Tensor) else leaf
