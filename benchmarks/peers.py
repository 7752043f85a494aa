"""Gradient checkers side by side on one set of right and wrong gradients, each with its default settings.

python -m benchmarks.peers            some minutes; prints a table and our own misjudgements, asserts nothing
python -m benchmarks.peers --all      prints every checker's misjudgements

pip install --editable '.[peers]' brings the others; one that is missing is shown as not installed. Every
checker is given the same NumPy forward and backward, bit for bit, through its own door for hand-written
gradients: torch.autograd.Function, jax.custom_vjp around a callback, autograd's primitive and defvjp.
SciPy and the course's recipe differentiate one number: the output contracted with a fixed random cotangent.
"""

from __future__ import annotations

import collections
import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.gradients import CASES, Case
from benchmarks.gradients.truth import off_right
from gradcheck import Verdict, check_gradients

PLAIN_ERROR = 0.01  # of the largest entry: no tolerance in use is as wide
JACOBIAN_LIMIT = 2**24  # entries: slow torch holds several Jacobians, 128 MB each; larger is not for it
COURSE_STEP = 1e-5
READINGS = {  # of what a checker returns or raises; the others say right or wrong themselves
    "SciPy check_grad, error <= 1e-6": "the absolute error that it returns",
    "SciPy check_grad, relative error <= 1e-6": "the same over the length of the gradient",
    "course recipe, relative error < 1e-7": "h = 1e-5, |a - n| / max(|a|, |n|), as its notes want it",
    "course recipe, relative error < 1e-4": "the same, as its notes allow where there are kinks",
}


@dataclass
class Tally:
    """What one checker said of the cases: (verdict, right) to (case, why). seconds: None if not installed."""

    seconds: float | None = None
    said: dict[tuple[str, bool], list[tuple[Case, str]]] = field(
        default_factory=lambda: collections.defaultdict(list)
    )

    def count(self, verdict: str, right: bool) -> str:
        return str(len(self.said[verdict, right]))

    def plainly_wrong(self) -> str:
        """How many wrong gradients passed that no tolerance could excuse."""
        passed = [case for case, _ in self.said["right", False]]
        return str(sum(not case.smooth or off_right(case, CASES) >= PLAIN_ERROR for case in passed))

    def plainly_right(self) -> str:
        """How many right gradients were accused in double precision and at no kink."""
        accused = [case for case, _ in self.said["wrong", True]]
        return str(sum(case.smooth and case.inputs[0].dtype == np.float64 for case in accused))


def ours(case: Case) -> str:
    """Right, wrong or undecided, and the reason for the last."""
    report = check_gradients(case.forward, *case.inputs, vjp=case.vjp)
    if report.verdict is Verdict.UNDECIDED:
        return f"undecided {report.reason.value}" if report.reason else "undecided"
    return "right" if report.verdict is Verdict.PASS else "wrong"


def torch_gradcheck(case: Case, fast_mode: bool) -> str:
    """torch.autograd.gradcheck on a Function made of the case."""
    torch = import_module("torch")

    def tensor(value: Any) -> Any:
        return torch.tensor(np.array(value))

    class Claimed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            return tensor(case.forward(*(t.detach().numpy() for t in tensors)))

        @staticmethod
        def backward(ctx: Any, u: Any) -> Any:
            values = tuple(t.detach().numpy() for t in ctx.saved_tensors)
            gradients = case.vjp(u.numpy(), *values)
            return tuple(tensor(np.asarray(g, dtype=v.dtype)) for g, v in zip(gradients, values, strict=True))

    tensors = tuple(tensor(value).requires_grad_() for value in case.inputs)
    size = sum(value.size for value in case.inputs) * np.size(case.forward(*case.inputs))
    if not fast_mode and size > JACOBIAN_LIMIT:
        raise MemoryError(f"a Jacobian of {size} entries")
    agrees = torch.autograd.gradcheck(Claimed.apply, tensors, fast_mode=fast_mode, raise_exception=False)
    return "right" if agrees else "wrong"


def jax_check_grads(case: Case) -> str:
    """jax.test_util.check_grads in reverse mode, of first order, with JAX's 64 bits switched on."""
    jax = import_module("jax")
    check_grads = import_module("jax.test_util").check_grads

    def shapes(values: Any) -> Any:
        return tuple(jax.ShapeDtypeStruct(np.shape(v), np.asarray(v).dtype) for v in values)

    (output,) = shapes([case.forward(*case.inputs)])

    def forward(*values: Any) -> Any:
        return jax.pure_callback(lambda *v: np.asarray(case.forward(*map(np.asarray, v))), output, *values)

    def backward(values: Any, u: Any) -> Any:
        def run(u: Any, *v: Any) -> Any:
            gradients = case.vjp(np.asarray(u), *map(np.asarray, v))
            return tuple(np.asarray(g, dtype=x.dtype) for g, x in zip(gradients, v, strict=True))

        return jax.pure_callback(run, shapes(case.inputs), u, *values)

    claimed = jax.custom_vjp(forward)
    claimed.defvjp(lambda *values: (forward(*values), values), backward)
    with jax.enable_x64(True):
        return unless_raised(
            lambda: check_grads(claimed, tuple(map(jax.numpy.asarray, case.inputs)), 1, ["rev"])
        )


def jax_check_vjp(case: Case) -> str:
    """jax.test_util.check_vjp, which takes a NumPy function and a VJP by themselves."""
    check_vjp = import_module("jax.test_util").check_vjp

    def forward(*values: Any) -> Any:
        return np.asarray(case.forward(*values))

    def vjp(*values: Any) -> Any:
        return forward(*values), lambda u: tuple(map(np.asarray, case.vjp(np.asarray(u), *values)))

    with import_module("jax").enable_x64(True):
        return unless_raised(lambda: check_vjp(forward, vjp, case.inputs))


def autograd_check_grads(case: Case) -> str:
    """autograd.test_util.check_grads in reverse mode, of first order: a NumPy VJP has no second."""
    extend = import_module("autograd.extend")
    check_grads = import_module("autograd.test_util").check_grads
    claimed = extend.primitive(case.forward)

    def entry(position: int) -> Callable[..., Any]:
        return lambda ans, *values: (
            lambda u: np.asarray(case.vjp(u, *values)[position], dtype=values[position].dtype)
        )

    every = tuple(range(len(case.inputs)))  # left alone, it checks the first argument only
    extend.defvjp(claimed, *map(entry, every))
    return unless_raised(lambda: check_grads(claimed, every, modes=["rev"], order=1)(*case.inputs))


def scipy_error(case: Case, relative: bool) -> str:
    """scipy.optimize.check_grad with its own step, its error held against 1e-6."""
    check_grad = import_module("scipy.optimize").check_grad
    value, gradient, start = as_one_number(case)
    size = float(np.linalg.norm(gradient(start))) if relative else 1.0
    return "right" if check_grad(value, gradient, start) <= 1e-6 * size else "wrong"


def course_recipe(case: Case, threshold: float) -> str:
    """Central differences of one step, entry by entry, and the largest relative error of any entry."""
    value, gradient, at = as_one_number(case)
    claimed, numeric = gradient(at), np.zeros(at.shape)
    for i in range(at.size):
        before = at[i]
        at[i] = before + COURSE_STEP
        above = value(at)
        at[i] = before - COURSE_STEP
        numeric[i] = (above - value(at)) / (2 * COURSE_STEP)
        at[i] = before
    larger = np.maximum(np.abs(claimed), np.abs(numeric))
    errors = np.abs(claimed - numeric) / np.where(larger > 0, larger, 1)
    return "right" if errors.max() < threshold else "wrong"


def as_one_number(case: Case) -> tuple[Callable[[Any], float], Callable[[Any], Any], Any]:
    """(value, gradient, point) of <u, forward> as functions of one vector, for a fixed random u."""
    output = np.asarray(case.forward(*case.inputs))
    rng = np.random.default_rng(20)
    u = (rng.choice([-1, 1], output.shape) * rng.uniform(0.5, 1.5, output.shape)).astype(output.dtype)
    ends = np.cumsum([np.size(value) for value in case.inputs])[:-1]

    def split(vector: Any) -> list[Any]:
        pieces = np.split(vector, ends)
        return [piece.reshape(np.shape(v)) for piece, v in zip(pieces, case.inputs, strict=True)]

    def value(vector: Any) -> float:
        return float(np.sum(u * case.forward(*split(vector))))

    def gradient(vector: Any) -> Any:
        return np.concatenate([np.ravel(g).astype(float) for g in case.vjp(u, *split(vector))])

    return value, gradient, np.concatenate([np.ravel(value) for value in case.inputs])


def unless_raised(check: Callable[[], None]) -> str:
    """What a checker that raises AssertionError says of a wrong gradient."""
    try:
        check()
    except AssertionError:
        return "wrong"
    return "right"


CHECKERS: tuple[tuple[str, str, Callable[[Case], str]], ...] = (
    ("gradcheck (this project)", "gradcheck", ours),
    ("torch gradcheck, slow", "torch", lambda case: torch_gradcheck(case, False)),
    ("torch gradcheck, fast_mode", "torch", lambda case: torch_gradcheck(case, True)),
    ("JAX check_grads", "jax", jax_check_grads),
    ("JAX check_vjp", "jax", jax_check_vjp),
    ("autograd check_grads", "autograd", autograd_check_grads),
    ("SciPy check_grad, error <= 1e-6", "scipy", lambda case: scipy_error(case, False)),
    ("SciPy check_grad, relative error <= 1e-6", "scipy", lambda case: scipy_error(case, True)),
    ("course recipe, relative error < 1e-7", "numpy", lambda case: course_recipe(case, 1e-7)),
    ("course recipe, relative error < 1e-4", "numpy", lambda case: course_recipe(case, 1e-4)),
)


def tally(check: Callable[[Case], str], cases: tuple[Case, ...] = CASES) -> Tally:
    """Run a checker on every case; whatever it raises but a verdict means that it could not take the case."""
    found = Tally()
    np.random.seed(0)  # which autograd draws from
    with contextlib.redirect_stdout(io.StringIO()):
        quietly(check, cases[0])  # what it imports and compiles once is not counted
        began = time.perf_counter()
        for case in cases:
            verdict, _, why = quietly(check, case).partition(" ")
            found.said[verdict, case.right].append((case, why))
        found.seconds = time.perf_counter() - began
    return found


def quietly(check: Callable[[Case], str], case: Case) -> str:
    """One verdict, without the warnings that checkers and overflowing probes print."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return check(case)
        except Exception as error:  # noqa: BLE001 - whatever a checker makes of a case belongs in the table
            return f"refused {type(error).__name__}: {error}".splitlines()[0]


def row(name: str, found: Tally) -> tuple[str, ...]:
    if found.seconds is None:
        return name, "not installed"
    refused = len(found.said["refused", False]) + len(found.said["refused", True])
    return (
        name,
        found.count("wrong", False),
        found.count("right", False),
        found.plainly_wrong(),
        found.count("wrong", True),
        found.plainly_right(),
        found.count("undecided", False),
        found.count("undecided", True),
        str(refused),
        f"{found.seconds:.0f}",
    )


def misjudged(found: Tally) -> list[tuple[str, str]]:
    """(what was said, case) for all that was not judged as it is."""
    words = {
        ("wrong", True): "right, accused",
        ("right", False): "wrong, passed",
        ("undecided", True): "right, undecided",
        ("undecided", False): "wrong, undecided",
        ("refused", True): "right, not taken",
        ("refused", False): "wrong, not taken",
    }
    return [
        (said, f"{case.name} ({why})" if why else case.name)
        for key, said in words.items()
        for case, why in found.said[key]
    ]


def main() -> None:
    """Print one row a checker, the readings, and the misjudgements, of ours or of all."""
    console = Console(soft_wrap=True)
    wrong = sum(not case.right for case in CASES)
    table = Table(
        "checker",
        f"{wrong} wrong: seen",
        "passed",
        "passed, off by 1 %",
        f"{len(CASES) - wrong} right: accused",
        "accused, float64 and smooth",
        "undecided, wrong",
        "undecided, right",
        "not taken",
        "seconds",
    )
    tallies = {}
    for name, package, check in CHECKERS:
        tallies[name] = tally(check) if find_spec(package) else Tally()
        table.add_row(*row(name, tallies[name]))
    console.print(table)
    for name, reading in READINGS.items():
        console.print(f"{name}: {reading}")
    for name in tallies if "--all" in sys.argv[1:] else [CHECKERS[0][0]]:
        for said, case in misjudged(tallies[name]):
            console.print(escape(f"{name}: {said}: {case}"))


if __name__ == "__main__":
    main()
