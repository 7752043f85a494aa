"""Imports, and the first check of a process, beside processes that only import JAX or NumPy."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

from rich.table import Table

PROCESSES = 9  # of each kind, in turns
CHECK = """
import numpy as np
from gradcheck import check_gradients
from manual import row_major
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((5, 3)), np.round(rng.random((5, 1)))
params = row_major.initialise((3, 4, 1), 0)
assert check_gradients(
    lambda params: row_major.loss(params, X, Y),
    params,
    gradients=lambda params: row_major.backward(params, row_major.forward(params, X), X, Y),
    {options}
)
"""
PROGRAMS = {  # and what each is held against
    "import numpy": ("import numpy", "import numpy"),
    "import gradcheck": ("import gradcheck", "import numpy"),
    "import jax": ("import jax", "import jax"),
    "first check": (CHECK.format(options=""), "import jax"),
    "first check, finite differences alone": (
        CHECK.format(options="oracles=('finite-difference',)"),
        "import numpy",
    ),
}


def processes() -> Table:
    """Processor seconds of whole processes, with all modules compiled as an installation leaves them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        rounds = [
            {name: _seconds(code, settings) for name, (code, _) in PROGRAMS.items()}
            for _ in range(1 + PROCESSES)
        ]
    found = {name: statistics.median(seconds[name] for seconds in rounds[1:]) for name in PROGRAMS}
    table = Table("process", "ms", "times", "of")
    for name, (_, beside) in PROGRAMS.items():
        table.add_row(name, f"{1e3 * found[name]:.0f}", f"{found[name] / found[beside]:.2f}", beside)
    return table


def _seconds(code: str, settings: dict[str, str]) -> float:
    before = _children()
    subprocess.run([sys.executable, "-c", code], env=settings, check=True, capture_output=True)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
