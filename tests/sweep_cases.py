"""Cases of a sweep: right and wrong layers, and what a process can come to instead of a verdict."""

import functools
import os
import pathlib
import signal
import tempfile
import time
from typing import Any

import numpy as np

from gradcheck import Claim, check_gradients


class Dense:
    def __init__(self, inputs, outputs, rng):
        self.W, self.b = rng.standard_normal((inputs, outputs)), rng.standard_normal(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, self.summed(dout)
        return dout @ self.W.T

    def summed(self, dout):
        return dout.sum(axis=0)


class MeanInBias(Dense):
    def summed(self, dout):
        return dout.mean(axis=0)


def dense(kind, shape, seed):
    rng = np.random.default_rng(seed)
    return check_gradients(kind(*shape, rng), rng.standard_normal((3, shape[0])), seed=seed)


def square(x):
    return x**2


def square_vjp(cotangent, x):
    return 2 * x * cotangent


def ones(cotangent, x):
    return cotangent


def claim(vjp=square_vjp):
    return Claim(name="square", forward=square, vjp=vjp, inputs=(np.array([1.0, 2.0, 3.0]),), names=("x",))


def without_jax():
    return check_gradients(claim(), oracles=("finite-difference",))


def raises():
    raise RuntimeError("no such data set")


def leaves():
    os._exit(1)


def sleeps():
    time.sleep(3600)


def no_report():
    return 7


def counted(folder, kind):
    """Leaves a file for each time that it is run."""
    descriptor, _ = tempfile.mkstemp(prefix=f"{kind.__name__}-", dir=folder)
    os.close(descriptor)
    return dense(kind, (2, 2), 0)


def hangs_once(folder):
    """The first time, it leaves its process's number and never ends."""
    number = pathlib.Path(folder, "number")
    if not number.exists():
        number.write_text(str(os.getpid()))
        time.sleep(3600)
    return dense(Dense, (2, 2), 0)


def ends_its_worker_once(marker):
    """The first time, it takes the worker with it that runs it."""
    if not pathlib.Path(marker).exists():
        pathlib.Path(marker).touch()
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(1)
    return dense(Dense, (2, 2), 0)


LAYERS: dict[str, Any] = {
    f"{kind.__name__} {shape} seed {seed}": functools.partial(dense, kind, shape, seed)
    for kind in (Dense, MeanInBias)
    for shape in ((4, 2), (2, 5))
    for seed in (1,)
}
MIXED: dict[str, Any] = LAYERS | {
    "claim": claim(),
    "made": claim,
    "raises": raises,
    "leaves": leaves,
    "no report": no_report,
}
VERDICTS = {
    "Dense (4, 2) seed 1": "PASS",
    "Dense (2, 5) seed 1": "PASS",
    "MeanInBias (4, 2) seed 1": "FAIL",
    "MeanInBias (2, 5) seed 1": "FAIL",
    "claim": "PASS",
    "made": "PASS",
    "raises": "ERROR",
    "leaves": "ERROR",
    "no report": "ERROR",
}
HANGING: dict[str, Any] = {"sleeps": sleeps, "raises": raises, "without JAX": without_jax}
LIMIT = 5.0  # seconds: the others of these need none to speak of, on a busy machine as well
