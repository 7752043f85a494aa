"""torch: what its backward says of an autograd.Function, a Module or a function of tensors is the claim.

Tensors are NumPy arrays outside the claim and tensors again inside it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.naming import function_name, input_names
from gradcheck.adapters.paths import apart, judged_apart, scale_of
from gradcheck.adapters.slots import Slots
from gradcheck.adapters.torch_runs import SEED, UNRECORDED, TorchRun, as_array, the_torch
from gradcheck.claim import Claim, Constant, carries_gradient
from gradcheck.complex_parts import has_complex_inputs
from gradcheck.evaluator import Evaluator
from gradcheck.tree import Tree, iter_leaves, map_leaves


def is_torch(target: Any) -> bool:
    """Whether a target is a torch.nn.Module or a subclass of torch.autograd.Function."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "autograd"):  # absent, or on its way in
        return False
    return isinstance(target, torch.nn.Module) or (
        isinstance(target, type) and issubclass(target, torch.autograd.Function)
    )


def from_torch(
    target: Any,
    *inputs: Tree,
    names: tuple[str, ...] | list[str] | None = None,
    reference: Callable[..., Tree] | None = None,
) -> Claim:
    """torch's gradients of a Module by its inputs and parameters, of a Function or a function by its inputs.

    reference takes the inputs, and after them the parameters in the order of named_parameters().
    """
    parameters, frozen = _parameters(target)
    found = _input_names(target, len(inputs), names)
    pattern = tuple(map_leaves(as_array, tree) for tree in (*inputs, *parameters.values()))
    returned: list[Any] = []
    run = TorchRun(
        name=_name(target),
        target=_watched(target, returned) if isinstance(target, type) else target,
        slots=Slots(pattern),
        count=len(inputs),
        parameters=tuple(parameters),
        device=_device((*inputs, *parameters.values())),
        returned=returned,
    )
    run = run.at_home() if any(map(carries_gradient, pattern)) else run
    claim = Claim(
        name=run.name,
        forward=run.forward,
        vjp=run.vjp,
        inputs=pattern,
        names=(*found, *(f"parameter {name}" if name in found else name for name in parameters)),
        reference=reference,
        data=tuple(i for i in range(len(inputs)) if parameters or not carries_gradient(pattern[i])),
        unrecorded=UNRECORDED,
        not_checked=tuple(f"{name}: it has requires_grad=False" for name in frozen),
    )
    return _alone_and_together(claim, run) if isinstance(target, type) else claim


def _alone_and_together(claim: Claim, run: TorchRun) -> Claim:
    """A Function may answer otherwise where one input alone needs a gradient: then both are judged."""
    several = sum(map(carries_gradient, claim.inputs)) > 1
    if not several or has_complex_inputs(claim):
        return claim
    together, alone = (Evaluator(replace(claim, vjp=vjp)) for vjp in (run.vjp, run.vjp_alone))
    rng = np.random.default_rng(SEED)
    u = tuple(rng.standard_normal(out.shape).astype(out.dtype) for out in together.outputs)
    own, other = (evaluator.probe_backward(evaluator.point, u) for evaluator in (together, alone))
    same = not own or not other or not apart(own, other, scale_of(together, u))
    return claim if same else judged_apart(claim, [("lone", run.vjp_alone)])


def _parameters(target: Any) -> tuple[dict[str, Any], list[str]]:
    """The parameters of a Module that are trained, by name, and the names of the others."""
    named = dict(target.named_parameters()) if not isinstance(target, type) and is_torch(target) else {}
    trained = {name: parameter for name, parameter in named.items() if parameter.requires_grad}
    return trained, [name for name in named if name not in trained]


def _watched(op: Any, returned: list[Any]) -> Callable[..., Any]:
    """A Function's apply, which leaves in `returned` what its own backward returns."""
    torch = the_torch()
    if op.vjp is not torch.autograd.Function.vjp:  # the other name that a backward may have
        return op.apply

    def backward(ctx: Any, *cotangents: Any) -> Any:
        found = op.backward(ctx, *cotangents)
        returned[:] = [found]
        return found

    return type(op.__name__, (op,), {"backward": staticmethod(backward)}).apply


def _input_names(target: Any, count: int, names: tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    torch = the_torch()
    if isinstance(target, torch.nn.Module):
        return input_names(target.forward, count, names)
    if not isinstance(target, type):
        return input_names(target, count, names)
    with_context = target.setup_context is torch.autograd.Function.setup_context
    return input_names(
        functools.partial(target.forward, None) if with_context else target.forward, count, names
    )


def _name(target: Any) -> str:
    if isinstance(target, type):
        return f"{target.__name__}.backward"
    return f"{function_name(target, 'f')}'s backward"


def _device(trees: tuple[Tree, ...]) -> Any:
    """Where the first tensor lies."""
    torch = the_torch()
    leaves = [leaf for tree in trees for _, leaf in iter_leaves(tree)]
    found: list[Any] = [leaf.value if isinstance(leaf, Constant) else leaf for leaf in leaves]
    return next((leaf.device for leaf in found if isinstance(leaf, torch.Tensor)), torch.device("cpu"))
