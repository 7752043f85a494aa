"""Any number of hidden layers with any activations, one example a column: Z_l = W_l A_{l-1} + b_l.

    A_0 = X (n0, m)   W_l (n_l, n_{l-1})   b_l (n_l, 1)   Y (n_L, m)

The output is sigmoid, the loss the mean binary cross-entropy. Every array is the transpose of its
twin in `deep_row_major.py`. Source: `slides`, with g1 for one hidden layer.
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
        params[f"W{layer}"] = rng.standard_normal((after, before))
        params[f"b{layer}"] = np.zeros((after, 1))
    return params


def forward(params: Arrays, X: Array, hidden: Sequence[Activation]) -> Arrays:
    """Every intermediate by name: Z1, A1, ..., ZL, AL, each (n_l, m). `hidden`: one a hidden layer.

    Z_l = W_l A_{l-1} + b_l    A_l = g_l(Z_l)    A_L = sigmoid(Z_L)
    """
    cache: Arrays = {}
    A = X
    for layer, g in enumerate((*[g.function for g in hidden], sigmoid), start=1):
        Z = params[f"W{layer}"] @ A + params[f"b{layer}"]
        A = g(Z)
        cache |= {f"Z{layer}": Z, f"A{layer}": A}
    return cache


def loss(params: Arrays, X: Array, Y: Array, hidden: Sequence[Activation]) -> Scalar:
    """Mean over the m examples of the cross-entropy summed over the outputs."""
    logits = forward(params, X, hidden)[f"Z{len(hidden) + 1}"]
    return binary_cross_entropy(logits, Y, m=X.shape[1])


def backward(params: Arrays, cache: Arrays, X: Array, Y: Array, hidden: Sequence[Activation]) -> Arrays:
    """Gradients of `loss`, in backward order.

        dZ_L = (A_L - Y) / m                (n_L, m)
        dW_l = dZ_l A_{l-1}.T               (n_l, n_{l-1})
        db_l = sum of dZ_l over axis 1      (n_l, 1)
        dA_{l-1} = W_l.T dZ_l               (n_{l-1}, m)
        dZ_{l-1} = dA_{l-1} * g'(Z_{l-1})   (n_{l-1}, m)

    Source: `slides`, summary for n examples, layer by layer. The 1/m sits in dZ_L (erratum E5).
    """
    last = len(hidden) + 1
    dZ = binary_cross_entropy_delta(cache[f"Z{last}"], Y, m=X.shape[1])
    gradients: Arrays = {f"dZ{last}": dZ}
    for layer in range(last, 0, -1):
        before = cache[f"A{layer - 1}"] if layer > 1 else X
        gradients[f"dW{layer}"] = dZ @ before.T
        gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True)
        if layer > 1:
            dA = params[f"W{layer}"].T @ dZ
            dZ = dA * hidden[layer - 2].derivative(cache[f"Z{layer - 1}"])
            gradients |= {f"dA{layer - 1}": dA, f"dZ{layer - 1}": dZ}
    return gradients
