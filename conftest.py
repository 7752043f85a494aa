"""What all tests share: what XLA has compiled for one of them is not compiled again for another."""

import os
import shutil
import tempfile

import pytest

FOLDER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """A folder for XLA's programs, which the workers and the commands that are run inherit.

    JAX forgets a program with the function that it was made of, and knows an equal one of another function
    only by such a folder. It lasts as long as the run, so that no run is judged by what another one left.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    config.stash[FOLDER] = tempfile.mkdtemp(prefix="gradcheck-xla-")
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": config.stash[FOLDER],
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    if FOLDER in config.stash:
        del os.environ["JAX_COMPILATION_CACHE_DIR"]
        shutil.rmtree(config.stash[FOLDER])
