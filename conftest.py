"""What all tests share: what XLA has compiled for one of them is not compiled again for another."""

import os
import shutil
import tempfile

import pytest

VARIABLE = "JAX_COMPILATION_CACHE_DIR"
FOLDER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """A folder for XLA's programs, which the commands that tests run inherit.

    JAX forgets a program with the function that it was made of, and knows an equal one of another function
    only by such a folder. It lasts as long as the run, so that no run is judged by what another one left.
    Each worker has its own, inside that of the run: JAX writes into it without a lock.
    """
    of_the_run = os.environ[VARIABLE] if hasattr(config, "workerinput") else None
    folder = tempfile.mkdtemp(prefix="gradcheck-xla-", dir=of_the_run)
    config.stash[FOLDER] = folder
    os.environ |= {
        VARIABLE: folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[FOLDER])
