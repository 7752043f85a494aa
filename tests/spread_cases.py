"""Checks of a two-layer network whose weights lie over a mesh of devices, or in one process's NumPy.

python spread_cases.py whole|mesh|eight CASE,CASE... [PROCESSES, WHICH ONE, ADDRESS]: a line of JSON a case.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from gradcheck import check_gradients, constant

WIDTH, HIDDEN, EXAMPLES = 18, 64, 5  # leaves that are not taken entry by entry on one device either
WRONG = (7, 33)  # an entry of W1, in a piece that no device of the first process holds of two


def forward(params, data):
    hidden = jnp.tanh(data @ params["W1"])
    return ((hidden @ params["W2"].T) ** 2).sum()


def backward(cotangent, params, data, factor=1.0, at=None):
    hidden = jnp.tanh(data @ params["W1"])
    d_out = 2 * cotangent * (hidden @ params["W2"].T)
    d_hidden = (d_out @ params["W2"]) * (1 - hidden**2)
    dw1 = data.T @ d_hidden
    if at is not None:
        dw1 = dw1.at[at].multiply(factor)
    return {"W1": dw1, "W2": d_out.T @ hidden}


def planted(cotangent, params, data):
    return backward(cotangent, params, data, 1 + 1e-4, WRONG)


def drawn():
    rng = np.random.default_rng(3)
    shapes = {"W1": (WIDTH, HIDDEN), "W2": (WIDTH, HIDDEN)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return params, rng.standard_normal((EXAMPLES, WIDTH))


def over_mesh(params):
    mesh = jax.make_mesh((len(jax.devices()),), ("model",), axis_types=(AxisType.Auto,))
    sharding = NamedSharding(mesh, PartitionSpec(None, "model"))

    def placed(value):
        return jax.make_array_from_callback(value.shape, sharding, lambda part: value[part])

    with jax.enable_x64(True):
        return {name: placed(value) for name, value in params.items()}


@jax.custom_vjp
def ruled(x):
    return (jnp.tanh(x) ** 2).sum()


def slope(u, x, factor: Any = 1.0):
    return u * factor * 2 * jnp.tanh(x) * (1 - jnp.tanh(x) ** 2)


def off(u, x):
    factors = np.ones(x.shape)
    factors[WRONG] += 1e-4
    return slope(u, x, factors)


ruled.defvjp(lambda x: (ruled(x), x), lambda x, u: (off(u, x),))


def with_types(params):
    """A mesh whose axes are part of every type, as `jax.make_mesh` makes one unless it is told otherwise."""
    mesh = jax.make_mesh((len(jax.devices()),), ("model",), axis_types=(AxisType.Explicit,))
    with jax.set_mesh(mesh):
        x = jax.device_put(jnp.float32(params["W1"]), NamedSharding(mesh, PartitionSpec(None, "model")))
        yield "with types", check_gradients(jax.jit(ruled), x, vjp=slope)
        yield "with types, by its own rule", check_gradients(ruled, x)


def together(*_):
    raise AssertionError("an array over several devices was brought together")


def cases(params, data) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "right", {"vjp": backward}
    yield "one entry", {"vjp": planted}
    yield "differences alone", {"vjp": backward, "oracles": ("finite-difference",)}
    with jax.enable_x64(True):
        values = backward(1.0, params, data)
    yield "values", {"gradients": values}


def told(name, report):
    sys.stdout.write(json.dumps({"case": name, "report": json.loads(report.to_json())}) + "\n")
    sys.stdout.flush()


def main(kind, asked, *distributed):
    if distributed:
        count, which, address = distributed
        jax.distributed.initialize(address, int(count), int(which))
    params, data = drawn()
    if kind != "whole":
        params, plain = over_mesh(params), params
        whole = type(params["W1"]).__array__
        type(params["W1"]).__array__ = lambda self, *rest, **more: (
            whole(self, *rest, **more) if self.is_fully_replicated else together()
        )
        for name, report in with_types(plain) if kind == "eight" else ():
            told(name, report)
    for name, options in cases(params, data):
        if name not in asked.split(","):
            continue
        report = check_gradients(forward, params, constant(data), names=("params", "X"), **options)
        told(name, report)


if __name__ == "__main__":
    main(*sys.argv[1:])
