"""Layers of networks with forward and backward as courses teach them."""

from __future__ import annotations

import numpy as np

from benchmarks.gradients.activations import relu, sigmoid
from benchmarks.gradients.algebra import softmax
from benchmarks.gradients.case import Array, Formula, single

RNG = np.random.default_rng(14)
EPS = 1e-5


def normal(*shape: int) -> Array:
    return RNG.standard_normal(shape)


# --- dense layers, in rows X W and in columns W X


def dense(x: Array, w: Array, b: Array) -> Array:
    return x @ w + b


def dense_vjp(u: Array, x: Array, w: Array, _b: Array) -> tuple[Array, ...]:
    return u @ w.T, x.T @ u, u.sum(axis=0)


def column_vjp(u: Array, w: Array, x: Array, _b: Array) -> tuple[Array, ...]:
    return u @ x.T, w.T @ u, u.sum(axis=1, keepdims=True)


# --- a network of two layers with half the mean squared error

INPUT, TARGET = normal(6, 3), normal(6, 2)


def network(w1: Array, b1: Array, w2: Array, b2: Array) -> Array:
    return ((sigmoid(INPUT @ w1 + b1) @ w2 + b2 - TARGET) ** 2).sum() / (2 * len(INPUT))


def network_vjp(u: Array, w1: Array, b1: Array, w2: Array, b2: Array, mistake: str = "") -> tuple[Array, ...]:
    z = INPUT @ w1 + b1
    a = sigmoid(z)
    d2 = u * (a @ w2 + b2 - TARGET) / len(INPUT)
    slope = {
        "": a * (1 - a),
        "derivative at the activation": sigmoid(a) * (1 - sigmoid(a)),
        "z for a": z * (1 - z),
        "sigma' missing": np.ones_like(a),
        "tanh'": 1 - a**2,
    }
    back = w2 - 0.1 * a.T @ d2 if mistake == "updated weights" else w2
    d1 = (d2 @ back.T) * slope.get(mistake, slope[""])
    mean = 1 / len(INPUT) if mistake == "bias averaged" else 1
    return INPUT.T @ d1, mean * d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)


NETWORK_MISTAKES = (
    "derivative at the activation",
    "z for a",
    "sigma' missing",
    "tanh'",
    "updated weights",
    "bias averaged",
)

# --- normalisation


def normalise(x: Array, axis: int) -> tuple[Array, Array]:
    """What is left of x without mean and size along an axis, and 1 over that size."""
    centred = x - x.mean(axis=axis, keepdims=True)
    inverse = 1 / np.sqrt((centred**2).mean(axis=axis, keepdims=True) + EPS)
    return centred * inverse, inverse


def normalised_vjp(d: Array, x: Array, axis: int, mistake: str = "") -> Array:
    hat, inverse = normalise(x, axis)
    if mistake == "statistics held fixed":
        return d * inverse
    shift = 0 if mistake == "mean's term missing" else d.mean(axis=axis, keepdims=True)
    spread = 0 if mistake == "variance's term missing" else hat * (d * hat).mean(axis=axis, keepdims=True)
    return inverse * (d - shift - spread)


def batch_norm(x: Array, gamma: Array, beta: Array) -> Array:
    return gamma * normalise(x, 0)[0] + beta


def batch_norm_vjp(u: Array, x: Array, gamma: Array, _beta: Array, mistake: str = "") -> tuple[Array, ...]:
    return normalised_vjp(u * gamma, x, 0, mistake), (u * normalise(x, 0)[0]).sum(axis=0), u.sum(axis=0)


def layer_norm(x: Array, gamma: Array, beta: Array) -> Array:
    return gamma * normalise(x, 1)[0] + beta


def layer_norm_vjp(u: Array, x: Array, gamma: Array, _beta: Array, mistake: str = "") -> tuple[Array, ...]:
    return normalised_vjp(u * gamma, x, 1, mistake), (u * normalise(x, 1)[0]).sum(axis=0), u.sum(axis=0)


def rms(x: Array) -> Array:
    return np.sqrt((x**2).mean(axis=1, keepdims=True) + EPS)


def rms_norm_vjp(u: Array, x: Array, g: Array) -> tuple[Array, Array]:
    r, d = rms(x), u * g
    return d / r - x * (d * x).mean(axis=1, keepdims=True) / r**3, (u * x / r).sum(axis=0)


def unit_rows(x: Array) -> Array:
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True))


def unit_rows_vjp(u: Array, x: Array) -> tuple[Array]:
    n, y = np.sqrt((x**2).sum(axis=1, keepdims=True)), unit_rows(x)
    return ((u - y * (u * y).sum(axis=1, keepdims=True)) / n,)


# --- convolution and pooling along one axis


def windows(x: Array, width: int) -> Array:
    return np.stack([x[i : i + width] for i in range(len(x) - width + 1)])


def convolve(x: Array, k: Array, b: Array) -> Array:
    return windows(x, len(k)) @ k + b


def convolve_vjp(u: Array, x: Array, k: Array, _b: Array) -> tuple[Array, ...]:
    dx = np.zeros_like(x)
    for i, ui in enumerate(u):
        dx[i : i + len(k)] += ui * k
    return dx, windows(x, len(k)).T @ u, u.sum()


def convolve_overwritten(u: Array, x: Array, k: Array, _b: Array) -> tuple[Array, ...]:
    """The windows overlap, and each overwrites what the one before it has left."""
    dx = np.zeros_like(x)
    for i, ui in enumerate(u):
        dx[i : i + len(k)] = ui * k
    return dx, windows(x, len(k)).T @ u, u.sum()


def convolve_flipped(u: Array, x: Array, k: Array, b: Array) -> tuple[Array, ...]:
    return convolve_vjp(u, x, k[::-1], b)[0], *convolve_vjp(u, x, k, b)[1:]


def pool(x: Array) -> Array:
    return x.reshape(-1, 3).max(axis=1)


def pool_vjp(u: Array, x: Array) -> tuple[Array]:
    rows = x.reshape(-1, 3)
    return ((u[:, None] * (rows == rows.max(axis=1, keepdims=True))).ravel(),)


# --- attention


def attention(q: Array, k: Array, v: Array) -> Array:
    return softmax(q @ k.T / np.sqrt(q.shape[1])) @ v


def attention_vjp(u: Array, q: Array, k: Array, v: Array, mistake: str = "") -> tuple[Array, ...]:
    scale = 1 if mistake == "scale missing" else 1 / np.sqrt(q.shape[1])
    s = softmax(q @ k.T / np.sqrt(q.shape[1]))
    ds = u @ v.T
    row = 0 if mistake == "softmax's diagonal" else (ds * s).sum(axis=1, keepdims=True)
    dz = s * (ds * (1 - s) if mistake == "softmax's diagonal" else ds - row) * scale
    dk = dz @ q if mistake == "scores not transposed" else dz.T @ q
    return dz @ k, dk, s.T @ u


# --- recurrence


def cell(x: Array, h: Array, wx: Array, wh: Array, b: Array) -> Array:
    return np.tanh(x @ wx + h @ wh + b)


def cell_vjp(u: Array, x: Array, h: Array, wx: Array, wh: Array, b: Array) -> tuple[Array, ...]:
    d = u * (1 - cell(x, h, wx, wh, b) ** 2)
    return d @ wx.T, d @ wh.T, x.T @ d, h.T @ d, d.sum(axis=0)


def cell_confused(u: Array, x: Array, h: Array, wx: Array, wh: Array, b: Array) -> tuple[Array, ...]:
    d = u * (1 - cell(x, h, wx, wh, b) ** 2)
    return d @ wx.T, d @ wh, x.T @ d, h.T @ d, d.sum(axis=0)


def states(xs: Array, wx: Array, wh: Array) -> list[Array]:
    found = [np.zeros(wh.shape[0])]
    for x in xs:
        found.append(np.tanh(x @ wx + found[-1] @ wh))
    return found


def through_time(u: Array, xs: Array, wx: Array, wh: Array, mistake: str = "") -> tuple[Array, ...]:
    hs, dh = states(xs, wx, wh), u
    dxs, dwx, dwh = np.zeros_like(xs), np.zeros_like(wx), np.zeros_like(wh)
    for t in reversed(range(len(xs))):
        d = dh * (1 - hs[t + 1] ** 2)
        dxs[t] = d @ wx.T
        dwx += np.outer(xs[t], d)
        dwh = np.outer(hs[t], d) + (0 if mistake == "last step only" else dwh)
        dh = np.zeros_like(dh) if mistake == "truncated" else d @ wh.T
    return dxs, dwx, dwh


def lstm(z: Array, c: Array) -> Array:
    """One step from the four pre-activations, stacked."""
    i, f, o, g = sigmoid(z[0]), sigmoid(z[1]), sigmoid(z[2]), np.tanh(z[3])
    return o * np.tanh(f * c + i * g)


def lstm_vjp(u: Array, z: Array, c: Array, mistake: str = "") -> tuple[Array, Array]:
    i, f, o, g = sigmoid(z[0]), sigmoid(z[1]), sigmoid(z[2]), np.tanh(z[3])
    t = np.tanh(f * c + i * g)
    dc = u * o if mistake == "tanh of the cell not differentiated" else u * o * (1 - t**2)
    dg = g * (1 - g) if mistake == "a sigmoid for the candidate" else 1 - g**2
    gates = (dc * g * i * (1 - i), dc * c * f * (1 - f), u * t * o * (1 - o), dc * i * dg)
    return np.stack(gates), dc * f


# --- lookup, masks, gates, shortcuts

TOKENS = np.array([2, 0, 2, 4, 2, 1])
KEPT = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1.0]])


def lookup_vjp(u: Array, table: Array) -> tuple[Array]:
    d = np.zeros_like(table)
    np.add.at(d, TOKENS, u)
    return (d,)


def lookup_overwritten(u: Array, table: Array) -> tuple[Array]:
    d = np.zeros_like(table)
    d[TOKENS] = u
    return (d,)


def shortcut_vjp(u: Array, x: Array, w: Array, path: float = 1.0) -> tuple[Array, Array]:
    d = u * (x @ w > 0)
    return path * u + d @ w.T, x.T @ d


SMALL_DENSE = (normal(5, 3), normal(3, 4), normal(4))
FORMULAS = (
    Formula(
        name="dense layer",
        forward=dense,
        vjp=dense_vjp,
        points={
            "": SMALL_DENSE,
            "float32": single(SMALL_DENSE),
            "5000 weights": (normal(16, 100), normal(100, 50), normal(50)),
        },
        mistakes={
            "bias averaged": lambda u, x, w, b: (u @ w.T, x.T @ u, u.mean(axis=0)),
            "weights averaged": lambda u, x, w, b: (u @ w.T, x.T @ u / len(x), u.sum(axis=0)),
        },
    ),
    Formula(
        name="square dense layer",
        forward=dense,
        vjp=dense_vjp,
        points={"": (normal(4, 4), normal(4, 4), normal(4))},
        mistakes={
            "W for its transpose": lambda u, x, w, b: (u @ w, x.T @ u, u.sum(axis=0)),
            "dW transposed": lambda u, x, w, b: (u @ w.T, u.T @ x, u.sum(axis=0)),
            "wrong axis": lambda u, x, w, b: (u @ w.T, x.T @ u, u.sum(axis=1)),
        },
    ),
    Formula(
        name="dense layer in columns",
        forward=lambda w, x, b: w @ x + b,
        vjp=column_vjp,
        points={"": (normal(4, 3), normal(3, 5), normal(4, 1))},
        mistakes={"bias averaged": lambda u, w, x, b: (
            u @ x.T, w.T @ u, u.mean(axis=1, keepdims=True))},
    ),
    Formula(
        name="two-layer network",
        forward=network,
        vjp=network_vjp,
        points={"": (normal(3, 4), normal(4), normal(4, 2), normal(2))},
        mistakes={name: (lambda u, *ws, name=name: network_vjp(u, *ws, mistake=name))
                  for name in NETWORK_MISTAKES},
    ),
    Formula(
        name="batch normalisation",
        forward=batch_norm,
        vjp=batch_norm_vjp,
        points={"": (normal(6, 3), normal(3), normal(3)),
                "32 by 20": (normal(32, 20), normal(20), normal(20))},
        mistakes={name: (lambda u, *xs, name=name: batch_norm_vjp(u, *xs, mistake=name))
                  for name in ("mean's term missing", "variance's term missing", "statistics held fixed")},
    ),
    Formula(
        name="layer normalisation",
        forward=layer_norm,
        vjp=layer_norm_vjp,
        points={"": (normal(4, 6), normal(6), normal(6)),
                "float32": single((normal(4, 6), normal(6), normal(6)))},
        mistakes={name: (lambda u, *xs, name=name: layer_norm_vjp(u, *xs, mistake=name))
                  for name in ("mean's term missing", "variance's term missing")},
    ),
    Formula(
        name="RMS normalisation",
        forward=lambda x, g: g * x / rms(x),
        vjp=rms_norm_vjp,
        points={"": (normal(4, 6), normal(6))},
        mistakes={"size held fixed": lambda u, x, g: (u * g / rms(x), rms_norm_vjp(u, x, g)[1])},
    ),
    Formula(
        name="unit rows",
        forward=unit_rows,
        vjp=unit_rows_vjp,
        points={"": (normal(4, 5),)},
        mistakes={"projection missing": lambda u, x: (u / np.sqrt((x**2).sum(axis=1, keepdims=True)),)},
    ),
    Formula(
        name="convolution",
        forward=convolve,
        vjp=convolve_vjp,
        points={"": (normal(9), normal(3), np.array(0.2)), "of 400": (normal(400), normal(7), np.array(0.2))},
        mistakes={"kernel flipped": convolve_flipped, "overlaps overwritten": convolve_overwritten},
    ),
    Formula(
        name="max pooling",
        forward=pool,
        vjp=pool_vjp,
        points={"": (normal(12),)},
        mistakes={"to every entry": lambda u, x: (np.repeat(u, 3),)},
    ),
    Formula(
        name="average pooling",
        forward=lambda x: x.reshape(-1, 3).mean(axis=1),
        vjp=lambda u, x: (np.repeat(u, 3) / 3,),
        points={"": (normal(12),)},
        mistakes={"1/3 missing": lambda u, x: (np.repeat(u, 3),)},
    ),
    Formula(
        name="attention",
        forward=attention,
        vjp=attention_vjp,
        points={"": (normal(4, 3), normal(4, 3), normal(4, 2))},
        mistakes={name: (lambda u, *xs, name=name: attention_vjp(u, *xs, mistake=name))
                  for name in ("scale missing", "softmax's diagonal", "scores not transposed")},
    ),
    Formula(
        name="recurrent cell",
        forward=cell,
        vjp=cell_vjp,
        points={"": (normal(5, 2), normal(5, 3), normal(2, 3), normal(3, 3), normal(3))},
        mistakes={"recurrent weights not transposed": cell_confused},
    ),
    Formula(
        name="recurrence of four steps",
        forward=lambda xs, wx, wh: states(xs, wx, wh)[-1],
        vjp=through_time,
        points={"": (normal(4, 2), normal(2, 3), normal(3, 3))},
        mistakes={name: (lambda u, *xs, name=name: through_time(u, *xs, mistake=name))
                  for name in ("truncated", "last step only")},
    ),
    Formula(
        name="LSTM step",
        forward=lstm,
        vjp=lstm_vjp,
        points={"": (normal(4, 5), normal(5))},
        mistakes={name: (lambda u, *xs, name=name: lstm_vjp(u, *xs, mistake=name))
                  for name in ("tanh of the cell not differentiated", "a sigmoid for the candidate")},
    ),
    Formula(
        name="lookup",
        forward=lambda table: table[TOKENS],
        vjp=lookup_vjp,
        points={"": (normal(5, 3),)},
        mistakes={"repeats overwritten": lookup_overwritten},
    ),
    Formula(
        name="dropout with a fixed mask",
        forward=lambda x: x * KEPT / 0.7,
        vjp=lambda u, x: (u * KEPT / 0.7,),
        points={"": (normal(3, 4),)},
        mistakes={"1/(1-p) missing": lambda u, x: (u * KEPT,), "mask missing": lambda u, x: (u / 0.7,)},
    ),
    Formula(
        name="gate",
        forward=lambda a, b: a * sigmoid(b),
        vjp=lambda u, a, b: (u * sigmoid(b), u * a * sigmoid(b) * (1 - sigmoid(b))),
        points={"": (normal(3, 4), normal(3, 4))},
        mistakes={"gate's slope missing": lambda u, a, b: (u * sigmoid(b), u * a)},
    ),
    Formula(
        name="shortcut",
        forward=lambda x, w: x + relu(x @ w),
        vjp=shortcut_vjp,
        points={"": (normal(5, 4), normal(4, 4))},
        mistakes={"shortcut forgotten": lambda u, x, w: shortcut_vjp(u, x, w, 0.0),
                  "mask forgotten": lambda u, x, w: (u + u @ w.T, x.T @ u)},
    ),
)  # fmt: skip
