"""Products, quotients, norms, statistics and other formulas of one line."""

from __future__ import annotations

import numpy as np

from benchmarks.gradients.case import Array, Formula

RNG = np.random.default_rng(12)


def normal(*shape: int) -> Array:
    return RNG.standard_normal(shape)


def positive(*shape: int) -> Array:
    return RNG.uniform(0.4, 2.5, shape)


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def horner(c: Array, x: Array) -> Array:
    value = 0 * x
    for coefficient in c[::-1]:
        value = value * x + coefficient
    return value


def horner_vjp(u: Array, c: Array, x: Array) -> tuple[Array, Array]:
    powers = x[None] ** np.arange(c.size)[:, None]
    slope = horner(c[1:] * np.arange(1, c.size), x)
    return powers @ u, u * slope


def cosine(x: Array, y: Array) -> Array:
    return (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())


def cosine_vjp(u: Array, x: Array, y: Array) -> tuple[Array, Array]:
    sizes, c = np.sqrt((x**2).sum() * (y**2).sum()), cosine(x, y)
    return u * (y / sizes - c * x / (x**2).sum()), u * (x / sizes - c * y / (y**2).sum())


def distances(x: Array, y: Array) -> Array:
    return ((x[:, None] - y[None]) ** 2).sum(axis=-1)


def distances_vjp(u: Array, x: Array, y: Array) -> tuple[Array, Array]:
    d = 2 * u[..., None] * (x[:, None] - y[None])
    return d.sum(axis=1), -d.sum(axis=0)


def rosenbrock(x: Array) -> Array:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_vjp(u: Array, x: Array) -> tuple[Array]:
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return (u * g,)


def rosenbrock_ends(u: Array, x: Array) -> tuple[Array]:
    """The neighbour's term is left out."""
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[-1] = 200 * (x[-1] - x[-2] ** 2)
    return (u * g,)


def reverse_cumsum(u: Array) -> Array:
    return np.cumsum(u[::-1])[::-1]


def smoothness_vjp(u: Array, x: Array) -> tuple[Array]:
    g, d = np.zeros_like(x), 2 * u * np.diff(x)
    g[1:] += d
    g[:-1] -= d
    return (g,)


FORMULAS = (
    Formula(
        name="product of three",
        forward=lambda a, b, c: a * b * c,
        vjp=lambda u, a, b, c: (u * b * c, u * a * c, u * a * b),
        points={"": (normal(5), normal(5), normal(5))},
        mistakes={"a factor forgotten": lambda u, a, b, c: (u * b * c, u * c, u * a * b)},
    ),
    Formula(
        name="quotient",
        forward=lambda a, b: a / b,
        vjp=lambda u, a, b: (u / b, -u * a / b**2),
        points={"": (normal(3, 4), positive(3, 4))},
        mistakes={
            "sign of the denominator's": lambda u, a, b: (u / b, u * a / b**2),
            "square forgotten": lambda u, a, b: (u / b, -u * a / b),
        },
    ),
    Formula(
        name="used twice",
        forward=lambda x, y: x * y + np.sin(x),
        vjp=lambda u, x, y: (u * (y + np.cos(x)), u * x),
        points={"": (normal(6), normal(6))},
        mistakes={"only the last use": lambda u, x, y: (u * np.cos(x), u * x)},
    ),
    Formula(
        name="power",
        forward=lambda a, b: a**b,
        vjp=lambda u, a, b: (u * b * a ** (b - 1), u * a**b * np.log(a)),
        points={"": (positive(5), normal(5))},
        mistakes={"logarithm forgotten": lambda u, a, b: (u * b * a ** (b - 1), u * a**b)},
    ),
    Formula(
        name="dot product",
        forward=lambda x, y: x @ y,
        vjp=lambda u, x, y: (u * y, u * x),
        points={"": (normal(7), normal(7))},
        mistakes={"operands confused": lambda u, x, y: (u * x, u * y)},
    ),
    Formula(
        name="matrix product",
        forward=lambda a, b: a @ b,
        vjp=lambda u, a, b: (u @ b.T, a.T @ u),
        points={"square": (normal(4, 4), normal(4, 4))},
        mistakes={
            "transposes forgotten": lambda u, a, b: (u @ b, a @ u),
            "result transposed": lambda u, a, b: (u @ b.T, (a.T @ u).T),
        },
    ),
    Formula(
        name="quadratic form",
        forward=lambda x, a: x @ a @ x,
        vjp=lambda u, x, a: (u * (a + a.T) @ x, u * np.outer(x, x)),
        points={"": (normal(5), normal(5, 5))},
        mistakes={
            "as if symmetric": lambda u, x, a: (2 * u * a @ x, u * np.outer(x, x)),
            "one half": lambda u, x, a: (u * a @ x, u * np.outer(x, x)),
        },
    ),
    Formula(
        name="bilinear form",
        forward=lambda x, w, y: (x @ w * y).sum(axis=1),
        vjp=lambda u, x, w, y: (
            (u[:, None] * y) @ w.T, x.T @ (u[:, None] * y), u[:, None] * (x @ w)),
        points={"": (normal(6, 3), normal(3, 4), normal(6, 4))},
        mistakes={
            "cotangent ignored in one": lambda u, x, w, y: (
                (u[:, None] * y) @ w.T, x.T @ y, u[:, None] * (x @ w)),
        },
    ),
    Formula(
        name="polynomial",
        forward=horner,
        vjp=horner_vjp,
        points={"": (normal(5), normal(8))},
        mistakes={
            "exponents lost": lambda u, c, x: (horner_vjp(u, c, x)[0], u * horner(c[1:], x)),
            "coefficients reversed": lambda u, c, x: (
                horner_vjp(u, c, x)[0][::-1].copy(), horner_vjp(u, c, x)[1]),
        },
    ),
    Formula(
        name="2-norm",
        forward=lambda x: np.sqrt((x**2).sum()),
        vjp=lambda u, x: (u * x / np.sqrt((x**2).sum()),),
        points={"": (normal(4, 3),), "of 3000": (normal(3000),)},
        mistakes={
            "2 kept": lambda u, x: (2 * u * x / np.sqrt((x**2).sum()),),
            "square root of the sum forgotten": lambda u, x: (u * x / (x**2).sum(),),
        },
    ),
    Formula(
        name="1-norm",
        forward=lambda x: np.abs(x).sum(),
        vjp=lambda u, x: (u * np.sign(x),),
        points={"": (normal(9),)},
        mistakes={"x itself": lambda u, x: (u * x,)},
    ),
    Formula(
        name="3-norm",
        forward=lambda x: (np.abs(x) ** 3).sum() ** (1 / 3),
        vjp=lambda u, x: (u * x * np.abs(x) / (np.abs(x) ** 3).sum() ** (2 / 3),),
        points={"": (normal(6),)},
        mistakes={"outer derivative forgotten": lambda u, x: (3 * u * x * np.abs(x),)},
    ),
    Formula(
        name="mean",
        forward=lambda x: x.mean(axis=0),
        vjp=lambda u, x: (np.broadcast_to(u / len(x), x.shape).copy(),),
        points={"": (normal(5, 3),)},
        mistakes={"1/m missing": lambda u, x: (np.broadcast_to(u, x.shape).copy(),)},
    ),
    Formula(
        name="variance",
        forward=lambda x: x.var(),
        vjp=lambda u, x: (2 * u * (x - x.mean()) / x.size,),
        points={"": (normal(11) + 0.7,)},
        mistakes={
            "not centred": lambda u, x: (2 * u * x / x.size,),
            "of the sample": lambda u, x: (2 * u * (x - x.mean()) / (x.size - 1),),
        },
    ),
    Formula(
        name="standard deviation",
        forward=lambda x: x.std(),
        vjp=lambda u, x: (u * (x - x.mean()) / (x.size * x.std()),),
        points={"": (normal(11) + 0.7,)},
        mistakes={"root not differentiated": lambda u, x: (2 * u * (x - x.mean()) / x.size,)},
    ),
    Formula(
        name="cosine similarity",
        forward=cosine,
        vjp=cosine_vjp,
        points={"": (normal(6), normal(6))},
        mistakes={
            "sizes held fixed": lambda u, x, y: (
                u * y / np.sqrt((x**2).sum() * (y**2).sum()), cosine_vjp(u, x, y)[1]),
        },
    ),
    Formula(
        name="softmax",
        forward=softmax,
        vjp=lambda u, z: (softmax(z) * (u - (u * softmax(z)).sum(axis=-1, keepdims=True)),),
        points={"": (normal(3, 5),), "confident": (4 * normal(3, 5),)},
        mistakes={
            "diagonal only": lambda u, z: (u * softmax(z) * (1 - softmax(z)),),
            "sum over everything": lambda u, z: (softmax(z) * (u - (u * softmax(z)).sum()),),
        },
    ),
    Formula(
        name="log-softmax",
        forward=lambda z: z - z.max(axis=-1, keepdims=True) - np.log(
            np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)),
        vjp=lambda u, z: (u - softmax(z) * u.sum(axis=-1, keepdims=True),),
        points={"": (normal(3, 5),)},
        mistakes={"diagonal only": lambda u, z: (u * (1 - softmax(z)),)},
    ),
    Formula(
        name="logsumexp",
        forward=lambda z: z.max(axis=-1) + np.log(np.exp(z - z.max(axis=-1, keepdims=True)).sum(axis=-1)),
        vjp=lambda u, z: (u[:, None] * softmax(z),),
        points={"": (normal(4, 5),), "of hundreds": (200 * normal(4, 5),)},
        mistakes={"slope of the largest only": lambda u, z: (
            2 * u[:, None] * softmax(z) * (softmax(z) >= softmax(z).max(axis=-1, keepdims=True)),)},
    ),
    Formula(
        name="running sum",
        forward=np.cumsum,
        vjp=lambda u, x: (reverse_cumsum(u),),
        points={"": (normal(7),)},
        mistakes={"not reversed": lambda u, x: (np.cumsum(u),)},
    ),
    Formula(
        name="product of all",
        forward=np.prod,
        vjp=lambda u, x: (u * np.prod(x) / x,),
        points={"": (normal(5),)},
        mistakes={"not divided": lambda u, x: (np.full_like(x, u * np.prod(x)),)},
    ),
    Formula(
        name="outer product",
        forward=np.outer,
        vjp=lambda u, x, y: (u @ y, u.T @ x),
        points={"square": (normal(4), normal(4))},
        mistakes={"wrong axis": lambda u, x, y: (u.T @ y, u.T @ x)},
    ),
    Formula(
        name="row plus column",
        forward=lambda x, y: np.tanh(x[:, None] + y[None]),
        vjp=lambda u, x, y: (
            (u * (1 - np.tanh(x[:, None] + y[None]) ** 2)).sum(axis=1),
            (u * (1 - np.tanh(x[:, None] + y[None]) ** 2)).sum(axis=0)),
        points={"square": (normal(4), normal(4))},
        mistakes={"wrong axis": lambda u, x, y: (
            (u * (1 - np.tanh(x[:, None] + y[None]) ** 2)).sum(axis=0),
            (u * (1 - np.tanh(x[:, None] + y[None]) ** 2)).sum(axis=0))},
    ),
    Formula(
        name="weighted mean",
        forward=lambda w, x: (w * x).sum() / w.sum(),
        vjp=lambda u, w, x: (u * (x - (w * x).sum() / w.sum()) / w.sum(), u * w / w.sum()),
        points={"": (positive(6), normal(6))},
        mistakes={"denominator held fixed": lambda u, w, x: (u * x / w.sum(), u * w / w.sum())},
    ),
    Formula(
        name="geometric mean",
        forward=lambda x: np.exp(np.log(x).mean()),
        vjp=lambda u, x: (u * np.exp(np.log(x).mean()) / (x.size * x),),
        points={"": (positive(6),)},
        mistakes={"outer function forgotten": lambda u, x: (u / (x.size * x),)},
    ),
    Formula(
        name="entropy",
        forward=lambda p: -(p * np.log(p)).sum(),
        vjp=lambda u, p: (-u * (np.log(p) + 1),),
        points={"": (softmax(normal(6)),)},
        mistakes={"1 forgotten": lambda u, p: (-u * np.log(p),)},
    ),
    Formula(
        name="2 x 2 determinant",
        forward=lambda a: a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0],
        vjp=lambda u, a: (u * np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]]),),
        points={"": (normal(2, 2),)},
        mistakes={"adjugate not transposed": lambda u, a: (
            u * np.array([[a[1, 1], -a[0, 1]], [-a[1, 0], a[0, 0]]]),)},
    ),
    Formula(
        name="squared distances",
        forward=distances,
        vjp=distances_vjp,
        points={"": (normal(4, 3), normal(5, 3))},
        mistakes={"second sign": lambda u, x, y: (distances_vjp(u, x, y)[0], -distances_vjp(u, x, y)[1])},
    ),
    Formula(
        name="Rosenbrock",
        forward=rosenbrock,
        vjp=rosenbrock_vjp,
        points={"": (normal(6),), "of 1000": (normal(1000),)},
        mistakes={"a neighbour's term missing": rosenbrock_ends},
    ),
    Formula(
        name="Rastrigin",
        forward=lambda x: (x**2 - 10 * np.cos(2 * np.pi * x)).sum(),
        vjp=lambda u, x: (u * (2 * x + 20 * np.pi * np.sin(2 * np.pi * x)),),
        points={"": (normal(6),)},
        mistakes={"chain factor missing": lambda u, x: (u * (2 * x + 10 * np.sin(2 * np.pi * x)),)},
    ),
    Formula(
        name="smoothness",
        forward=lambda x: (np.diff(x) ** 2).sum(),
        vjp=smoothness_vjp,
        points={"": (normal(8),)},
        mistakes={"one neighbour only": lambda u, x: (np.append(0, 2 * u * np.diff(x)),)},
    ),
)  # fmt: skip
