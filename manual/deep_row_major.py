"""Any number of hidden layers with any activations, one example a row: Z_l = A_{l-1} W_l + b_l.

    A_0 = X (m, n0)   W_l (n_{l-1}, n_l)   b_l (1, n_l)   Y (m, n_L)

The output is sigmoid, the loss the mean binary cross-entropy. `row_major.py` is the case of one
sigmoid hidden layer written out. Source: `rowmajor`, three and four layers; `slides` with g1.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from manual.activations import Activation, sigmoid
from manual.losses import binary_cross_entropy, binary_cross_entropy_delta
from manual.types import Array, Arrays, Scalar


def initialise(sizes: Sequence[int], seed: int) -> Arrays:
    """Weights from N(0, 1) by the recorded seed, biases 0, for sizes n0, n1, ..., nL."""
    rng = np.random.default_rng(seed)
    params: Arrays = {}
    for layer, (before, after) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{layer}"] = rng.standard_normal((before, after))
        params[f"b{layer}"] = np.zeros((1, after))
    return params


def forward(params: Arrays, X: Array, hidden: Sequence[Activation]) -> Arrays:
    """Every intermediate by name: Z1, A1, ..., ZL, AL, each (m, n_l). `hidden`: one a hidden layer.

    Z_l = A_{l-1} W_l + b_l    A_l = g_l(Z_l)    A_L = sigmoid(Z_L)
    """
    cache: Arrays = {}
    A = X
    for layer, g in enumerate((*[g.function for g in hidden], sigmoid), start=1):
        Z = A @ params[f"W{layer}"] + params[f"b{layer}"]
        A = g(Z)
        cache |= {f"Z{layer}": Z, f"A{layer}": A}
    return cache


def loss(params: Arrays, X: Array, Y: Array, hidden: Sequence[Activation]) -> Scalar:
    """Mean over the m examples of the cross-entropy summed over the outputs."""
    logits = forward(params, X, hidden)[f"Z{len(hidden) + 1}"]
    return binary_cross_entropy(logits, Y, m=len(X))


def backward(params: Arrays, cache: Arrays, X: Array, Y: Array, hidden: Sequence[Activation]) -> Arrays:
    """Gradients of `loss`, in backward order.

        dZ_L = (A_L - Y) / m                (m, n_L)
        dW_l = A_{l-1}.T dZ_l               (n_{l-1}, n_l)
        db_l = sum of dZ_l over axis 0      (1, n_l)
        dA_{l-1} = dZ_l W_l.T               (m, n_{l-1})
        dZ_{l-1} = dA_{l-1} * g'(Z_{l-1})   (m, n_{l-1})

    Source: `rowmajor`, summary for four layers. The 1/m sits in dZ_L (erratum E8).
    """
    last = len(hidden) + 1
    dZ = binary_cross_entropy_delta(cache[f"Z{last}"], Y, m=len(X))
    gradients: Arrays = {f"dZ{last}": dZ}
    for layer in range(last, 0, -1):
        before = cache[f"A{layer - 1}"] if layer > 1 else X
        gradients[f"dW{layer}"] = before.T @ dZ
        gradients[f"db{layer}"] = dZ.sum(axis=0, keepdims=True)
        if layer > 1:
            dA = dZ @ params[f"W{layer}"].T
            dZ = dA * hidden[layer - 2].derivative(cache[f"Z{layer - 1}"])
            gradients |= {f"dA{layer - 1}": dA, f"dZ{layer - 1}": dZ}
    return gradients
