"""Networks with lists of weights, one column at a time: backprop(x, y) -> (nabla_b, nabla_w)."""

import numpy as np

from tests.zoo.specimen import Call, Mistake, Specimen, numbers, sigmoid, softmax


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Network:
    """Sigmoid layers and half the squared error."""

    def __init__(self, sizes):
        self.num_layers = len(sizes)
        pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
        self.biases = [numbers(i, k, 1) for i, (k, _) in enumerate(pairs)]
        self.weights = [numbers(10 + i, k, n) for i, (k, n) in enumerate(pairs)]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def cost(self, x, y):
        return 0.5 * np.sum((self.feedforward(x) - y) ** 2)

    def cost_derivative(self, output_activations, y):
        return output_activations - y

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for layer in range(2, self.num_layers):
            delta = np.dot(self.weights[-layer + 1].T, delta) * sigmoid_prime(zs[-layer])
            nabla_b[-layer] = delta
            nabla_w[-layer] = np.dot(delta, activations[-layer - 1].T)
        return nabla_b, nabla_w


class NetworkWithoutOutputSlope(Network):
    """The error of cross-entropy with the cost of squares."""

    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        nabla_b[-1] = self.feedforward(x) - y
        return nabla_b, nabla_w


class NetworkSign(Network):
    def cost_derivative(self, output_activations, y):
        return y - output_activations


class CrossEntropyNetwork:
    """Tanh layers, a sigmoid, and binary cross-entropy; written without loops over earlier layers."""

    def __init__(self, n, n_hidden, n_out):
        self.weights = [numbers(20, n_hidden, n), numbers(21, n_out, n_hidden)]
        self.biases = [numbers(22, n_hidden, 1), numbers(23, n_out, 1)]

    def feedforward(self, a):
        hidden = np.tanh(self.weights[0] @ a + self.biases[0])
        return sigmoid(self.weights[1] @ hidden + self.biases[1])

    def cost(self, x, y):
        a = self.feedforward(x)
        return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

    def backprop(self, x, y):
        hidden = np.tanh(self.weights[0] @ x + self.biases[0])
        output = sigmoid(self.weights[1] @ hidden + self.biases[1])
        delta2 = output - y
        delta1 = self.weights[1].T @ delta2 * (1 - hidden**2)
        return [delta1, delta2], [delta1 @ x.T, delta2 @ hidden.T]


class CrossEntropySquashedTwice(CrossEntropyNetwork):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        hidden = np.tanh(self.weights[0] @ x + self.biases[0])
        nabla_b[0] = nabla_b[0] / (1 - hidden**2) * hidden * (1 - hidden)
        return nabla_b, nabla_w


class CrossEntropyOneLabelOnly(CrossEntropyNetwork):
    """The half of the cost for labels 0 forgotten."""

    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        nabla_w[1] = nabla_w[1] * (y == 1)
        return nabla_b, nabla_w


class SoftmaxNetwork:
    """A rectified layer, softmax, and the log-likelihood."""

    def __init__(self, n, n_hidden, n_out):
        self.weights = [numbers(24, n_hidden, n), numbers(25, n_out, n_hidden)]
        self.biases = [numbers(26, n_hidden, 1), numbers(27, n_out, 1)]

    def feedforward(self, a):
        hidden = np.maximum(self.weights[0] @ a + self.biases[0], 0)
        z = self.weights[1] @ hidden + self.biases[1]
        return softmax(z.T).T

    def cost(self, x, y):
        return -np.sum(y * np.log(self.feedforward(x)))

    def backprop(self, x, y):
        hidden = np.maximum(self.weights[0] @ x + self.biases[0], 0)
        delta2 = self.feedforward(x) - y
        delta1 = self.weights[1].T @ delta2 * (hidden > 0)
        return [delta1, delta2], [delta1 @ x.T, delta2 @ hidden.T]


class SoftmaxWrongOperand(SoftmaxNetwork):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return nabla_b, [self.weights[1].T @ nabla_b[1] @ x.T, nabla_w[1]]


class SoftmaxDiagonal(SoftmaxNetwork):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        a = self.feedforward(x)
        nabla_b[1] = -y / a * a * (1 - a)
        return nabla_b, nabla_w


class DecayedNetwork(Network):
    """Sigmoid layers, half the squared error, and weight decay."""

    lmbda = 0.2

    def cost(self, x, y):
        return super().cost(x, y) + self.lmbda / 2 * sum(np.sum(w**2) for w in self.weights)

    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return nabla_b, [nw + self.lmbda * w for nw, w in zip(nabla_w, self.weights, strict=True)]


class DecayedBiases(DecayedNetwork):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return [nb + self.lmbda * b for nb, b in zip(nabla_b, self.biases, strict=True)], nabla_w


class DecayedDouble(DecayedNetwork):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        nabla_w[0] += self.lmbda * self.weights[0]
        return nabla_b, nabla_w


X = numbers(0, 4, 1)
TARGET = np.array([[1.0], [0], [0]])

SPECIMENS = (
    Specimen(
        name="network, squared error",
        convention="network",
        right=Network,
        call=lambda network: Call(network([4, 2, 1, 3]), (X, TARGET)),
        not_checked=("x", "y"),
        wrong=(
            Mistake("output-delta", NetworkWithoutOutputSlope, ("biases[2]",)),
            Mistake(
                "sign",
                NetworkSign,
                ("biases[0]", "biases[1]", "biases[2]", "weights[0]", "weights[1]", "weights[2]"),
            ),
        ),
    ),
    Specimen(
        name="network, cross-entropy",
        convention="network",
        right=CrossEntropyNetwork,
        call=lambda network: Call(network(4, 2, 3), (X, TARGET)),
        not_checked=("x", "y"),
        wrong=(
            Mistake("wrong-activation", CrossEntropySquashedTwice, ("biases[0]",)),
            Mistake("label-branch", CrossEntropyOneLabelOnly, ("weights[1]",)),
        ),
    ),
    Specimen(
        name="network, softmax",
        convention="network",
        right=SoftmaxNetwork,
        call=lambda network: Call(network(4, 5, 3), (X, TARGET)),
        not_checked=("x", "y"),
        wrong=(
            Mistake("missing-activation", SoftmaxWrongOperand, ("weights[0]",)),
            Mistake("softmax-diagonal", SoftmaxDiagonal, ("biases[1]",)),
        ),
    ),
    Specimen(
        name="network, weight decay",
        convention="network",
        right=DecayedNetwork,
        call=lambda network: Call(network([4, 2, 3]), (X, TARGET)),
        not_checked=("x", "y"),
        wrong=(
            Mistake("regulariser", DecayedBiases, ("biases[0]", "biases[1]")),
            Mistake("regulariser", DecayedDouble, ("weights[0]",)),
        ),
    ),
)
