"""What a recorded forward costs: the first check, and then each gradient in units of the forward itself.

python -m benchmarks.tracing        half a minute; prints tables, asserts nothing
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.timing import interleaved
from gradcheck.tracing.derive import vjp
from gradcheck.tracing.lift import lift
from manual.activations import SIGMOID
from manual.deep_row_major import DeepRowMajor

NETWORKS = {  # sizes and examples, by number of parameters
    "21": ((3, 4, 1), 5),
    "23 860": ((784, 30, 10), 100),
    "2 385 010": ((784, 3000, 10), 100),
}
FIRST_CHECKS = 5
FIRST_CHECK = """
import time, jax, numpy as np
from manual import row_major
from gradcheck import check_gradients, constant
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((5, 3)), np.round(rng.random((5, 1)))
params = row_major.initialise((3, 4, 1), 0)
def gradients(params, X, Y):
    return row_major.backward(params, row_major.forward(params, X), X, Y)
for _ in range(2):
    began = time.perf_counter()
    report = check_gradients(
        row_major.loss, params, constant(X), constant(Y), gradients=gradients, oracles="autodiff"
    )
    print(1e3 * (time.perf_counter() - began))
assert report
"""


def first_checks() -> list[tuple[float, float]]:
    """Milliseconds of the first and of the second check in a fresh process that has imported JAX.

    The modules are compiled to bytecode, as an installation leaves them: one process more does that.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        settings = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        for _ in range(1 + FIRST_CHECKS):
            command = [sys.executable, "-c", FIRST_CHECK]
            done = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
            first, second = map(float, done.stdout.split())
            found.append((first, second))
    return found[1:]


def steady(sizes: tuple[int, ...], examples: int) -> tuple[float, float]:
    """Seconds of a forward, and the ratio to it of outputs and gradients by the recorded trace."""
    rng = np.random.default_rng(0)
    network = DeepRowMajor(hidden=(SIGMOID,))
    params = network.initialise(sizes, 0)
    X, Y = rng.standard_normal((examples, sizes[0])), np.round(rng.random((examples, sizes[-1])))
    names, arrays = tuple(params), tuple(params.values())

    def forward(*values: Any) -> Any:
        return network.loss(dict(zip(names, values, strict=True)), X, Y)

    run = vjp(lift(forward, *arrays))
    cotangents = (np.ones(()),)
    plain, traced = interleaved(lambda: forward(*arrays), lambda: run(arrays, cotangents))
    return plain, traced / plain


def main() -> None:
    """Print both tables."""
    console = Console()
    checks = first_checks()
    console.print(
        f"check of the two-layer network by autodiff alone, JAX imported, median of {len(checks)} processes: "
        f"first {statistics.median(c[0] for c in checks):.0f} ms, "
        f"second {statistics.median(c[1] for c in checks):.0f} ms"
    )
    table = Table("parameters", "forward", "value and gradient, in forwards")
    for name, (sizes, examples) in NETWORKS.items():
        seconds, ratio = steady(sizes, examples)
        table.add_row(name, f"{1e6 * seconds:,.0f} us", f"{ratio:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
