"""The user's world, left as it was found."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Restore the global random generators afterwards, and compute JAX's part in float64.

    The float64 scope holds for this thread only; JAX's configuration is not written to. JAX is
    not imported for it: a forward that imports JAX only when it runs has its own precision.
    """
    legacy, builtin = np.random.get_state(), random.getstate()
    try:
        with _float64_scope(), np.errstate():  # entered to be left: user code may set it for good
            yield
    finally:
        np.random.set_state(legacy)
        random.setstate(builtin)


def _float64_scope() -> contextlib.AbstractContextManager[object]:
    jax = sys.modules.get("jax")
    return jax.enable_x64(True) if jax is not None else contextlib.nullcontext()
