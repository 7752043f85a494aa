"""Any number of hidden layers with any activations, one example a column: Z_l = W_l A_{l-1} + b_l.

    A_0 = X (n0, m)   W_l (n_l, n_{l-1})   b_l (n_l, 1)   Y (n_L, m)

Every array is the transpose of its twin in `deep_row_major.py`.
Source: `slides`, with g1 for one hidden layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from manual import initialisation
from manual.activations import Activation
from manual.losses import CROSS_ENTROPY, Output
from manual.types import Array, Arrays, Scalar, floats
from manual.validation import check_decay, check_hidden, check_sizes


@dataclass(frozen=True, kw_only=True)
class DeepColumnMajor:
    """A network by its hidden activations, its output, and the L2 penalty on its weights.

    decay: lambda of the penalty (lambda / 2) sum of all W_l^2; biases go free. ValueError for a hidden
    layer that is no Activation, or a decay that is negative or not finite.
    """

    hidden: tuple[Activation, ...]
    output: Output = CROSS_ENTROPY
    decay: float = 0.0
    EXAMPLES: int = field(default=1, init=False)  # the axis that numbers them

    def __post_init__(self) -> None:
        check_hidden(self.hidden)
        check_decay(self.decay)

    @property
    def last(self) -> int:
        """L, the number of the output layer."""
        return len(self.hidden) + 1

    def initialise(
        self, sizes: Sequence[int], seed: int, variance: initialisation.Variance = initialisation.unit
    ) -> Arrays:
        """Weights of the given variance by the recorded seed, biases 0, for sizes n0, n1, ..., nL."""
        check_sizes(sizes, layers=self.last + 1)
        return initialisation.column_major(sizes, seed, variance)

    def forward(self, params: Arrays, X: Array) -> Arrays:
        """Every intermediate by name: Z1, A1, ..., ZL, AL, each (n_l, m).

        Z_l = W_l A_{l-1} + b_l    A_l = g_l(Z_l)    A_L = sigmoid(Z_L), or softmax(Z_L)
        """
        cache: Arrays = {}
        A = floats(X)
        for layer, g in enumerate(self.hidden, start=1):
            Z = params[f"W{layer}"] @ A + params[f"b{layer}"]
            A = g.function(Z)
            cache |= {f"Z{layer}": Z, f"A{layer}": A}
        Z = params[f"W{self.last}"] @ A + params[f"b{self.last}"]
        return cache | {f"Z{self.last}": Z, f"A{self.last}": self.output.activation(Z, self.EXAMPLES)}

    def loss(self, params: Arrays, X: Array, Y: Array) -> Scalar:
        """Mean over the m examples of the output's loss, plus the penalty (equation B7)."""
        Z = self.forward(params, X)[f"Z{self.last}"]
        penalty = sum(np.sum(params[f"W{layer}"] ** 2) for layer in range(1, self.last + 1))
        return self.output.loss(Z, Y, self.EXAMPLES) + self.decay / 2 * penalty

    def backward(self, params: Arrays, cache: Arrays, X: Array, Y: Array) -> Arrays:
        """Gradients of `loss`, in backward order.

            dZ_L = (A_L - Y) / m                    (n_L, m)
            dW_l = dZ_l A_{l-1}.T + lambda W_l      (n_l, n_{l-1})
            db_l = sum of dZ_l over axis 1          (n_l, 1)
            dA_{l-1} = W_l.T dZ_l                   (n_{l-1}, m)
            dZ_{l-1} = dA_{l-1} * g'(Z_{l-1})       (n_{l-1}, m)

        Equations G12 to G17 layer by layer, with B8 for the penalty. The 1/m sits in dZ_L (erratum E5),
        where squared error has the factor 2 sigmoid'(Z_L) as well (equation Q14).
        """
        dZ = self.output.delta(cache[f"Z{self.last}"], Y, self.EXAMPLES)
        gradients: Arrays = {f"dZ{self.last}": dZ}
        for layer in range(self.last, 0, -1):
            W, before = params[f"W{layer}"], cache[f"A{layer - 1}"] if layer > 1 else X
            gradients[f"dW{layer}"] = dZ @ before.T + self.decay * W
            gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True)
            if layer > 1:
                dA = W.T @ dZ
                dZ = dA * self.hidden[layer - 2].derivative(cache[f"Z{layer - 1}"])
                gradients |= {f"dA{layer - 1}": dA, f"dZ{layer - 1}": dZ}
        return gradients
