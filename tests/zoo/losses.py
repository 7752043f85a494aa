"""Losses, as (J, gradient), as op and as pair; labels are indices, rows of 0 and 1, signs or numbers."""

# ruff: noqa: RUF059  a cache is unpacked whole, whatever is needed of it

import numpy as np

from gradcheck import constant
from tests.zoo.specimen import Call, Mistake, Specimen, numbers, positive, sigmoid, softmax

SCORES, CLASSES = numbers(0, 5, 4), np.array([2, 0, 3, 1, 0])
RETURNED = {"gradients": True}


def cross_entropy(scores, y):
    """Mean softmax cross-entropy with class indices."""
    m = len(y)
    p = softmax(scores)
    loss = -np.log(p[np.arange(m), y]).mean()
    dscores = p.copy()
    dscores[np.arange(m), y] -= 1
    return loss, dscores / m


def cross_entropy_sum(scores, y):
    loss, dscores = cross_entropy(scores, y)
    return loss, dscores * len(y)


def cross_entropy_first_column(scores, y):
    loss, _ = cross_entropy(scores, y)
    p = softmax(scores)
    p[:, y[0]] -= 1
    return loss, p / len(y)


class OneHotCrossEntropy:
    """Softmax with rows of 0 and 1; the labels given to the layer beforehand."""

    def __init__(self, t):
        self.t = t
        self.params, self.grads = [numbers(1, t.shape[1])], [np.zeros(t.shape[1])]

    def forward(self, x):
        self.y = softmax(x + self.params[0])
        return -np.sum(self.t * np.log(self.y)) / len(x)

    def backward(self, dout=1):
        dx = dout * (self.y - self.t) / len(self.t)
        self.grads[0][...] = dx.sum(axis=0)
        return dx


class OneHotLeftSide(OneHotCrossEntropy):
    def backward(self, dout=1):
        super().backward(dout)
        return -dout * self.t / self.y / len(self.t)


class OneHotMeanPrior(OneHotCrossEntropy):
    def backward(self, dout=1):
        dx = super().backward(dout)
        self.grads[0][...] = dx.mean(axis=0)
        return dx


class SoftmaxWithLoss:
    """Mean cross-entropy of scores and labels, both given to forward."""

    def forward(self, x, t):
        self.t, self.y = t, softmax(x)
        return -np.mean(np.log(self.y[np.arange(len(t)), t]))

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx * dout / len(self.t)


class SoftmaxWithLossPerClass(SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.t) / self.y.shape[1]


class SoftmaxWithLossIgnores(SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(1)


def smoothed_forward(x, t):
    """Cross-entropy against labels that keep a tenth for all classes."""
    soft = 0.9 * t + 0.1 / t.shape[1]
    p = softmax(x)
    return -(soft * np.log(p)).sum(axis=1), (p, soft, t)


def smoothed_backward(dout, cache):
    p, soft, t = cache
    return dout[:, None] * (p - soft), None


def smoothed_hard_labels(dout, cache):
    p, soft, t = cache
    return dout[:, None] * (p - t), None


def smoothed_sign(dout, cache):
    p, soft, t = cache
    return dout[:, None] * (soft - p), None


def binary_cross_entropy(z, y):
    """With logits: max(z, 0) - z y + log(1 + exp(-|z|)), the mean."""
    loss = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return loss.mean(), (sigmoid(z) - y) / z.size


def binary_cross_entropy_rows(z, y):
    loss, dz = binary_cross_entropy(z, y)
    return loss, dz * z.size / len(z)


def binary_cross_entropy_label_branch(z, y):
    loss, _ = binary_cross_entropy(z, y)
    return loss, y * (sigmoid(z) - 1) / z.size


def binary_cross_entropy_slope(z, y):
    loss, dz = binary_cross_entropy(z, y)
    return loss, dz * sigmoid(z) * (1 - sigmoid(z))


def hinge(W, x, y):
    """Multiclass support vector machine with a margin of 1: (J, dW)."""
    m = len(x)
    scores = x @ W
    margins = np.maximum(0, scores - scores[np.arange(m), y][:, None] + 1)
    margins[np.arange(m), y] = 0
    counts = (margins > 0).astype(float)
    counts[np.arange(m), y] = -counts.sum(axis=1)
    return margins.sum() / m + 0.05 * np.sum(W * W), x.T @ counts / m + 0.1 * W


def hinge_without_correct_class(W, x, y):
    m = len(x)
    loss, _ = hinge(W, x, y)
    scores = x @ W
    counts = (scores - scores[np.arange(m), y][:, None] + 1 > 0).astype(float)
    counts[np.arange(m), y] = 0
    return loss, x.T @ counts / m + 0.1 * W


def hinge_half_decay(W, x, y):
    loss, dW = hinge(W, x, y)
    return loss, dW - 0.05 * W


def huber(w, x, y, delta=0.8):
    """Squares for small residuals, a straight line for large ones."""
    r = x @ w - y
    small = np.abs(r) <= delta
    loss = np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).sum()
    return loss, x.T @ np.where(small, r, delta * np.sign(r))


def huber_squares(w, x, y):
    loss, _ = huber(w, x, y)
    return loss, x.T @ (x @ w - y)


def huber_unsigned(w, x, y, delta=0.8):
    loss, _ = huber(w, x, y)
    r = x @ w - y
    return loss, x.T @ np.where(np.abs(r) <= delta, r, delta)


class MeanSquares:
    @staticmethod
    def forward(ctx, prediction, target):
        ctx.save_for_backward(prediction - target)
        return np.mean((prediction - target) ** 2)

    @staticmethod
    def backward(ctx, dout):
        (difference,) = ctx.saved_tensors
        d = dout * 2 * difference / difference.size
        return d, -d


class MeanSquaresNoTwo(MeanSquares):
    @staticmethod
    def backward(ctx, dout):
        d, _ = MeanSquares.backward(ctx, dout)
        return d / 2, -d / 2


class MeanSquaresBatchOnly(MeanSquares):
    @staticmethod
    def backward(ctx, dout):
        (difference,) = ctx.saved_tensors
        _, dtarget = MeanSquares.backward(ctx, dout)
        return dout * 2 * difference / len(difference), dtarget


class MeanSquaresTargetSign(MeanSquares):
    @staticmethod
    def backward(ctx, dout):
        d, _ = MeanSquares.backward(ctx, dout)
        return d, d


class KullbackLeibler:
    """sum of p (log p - log q) for rows p and q of positive numbers."""

    @staticmethod
    def forward(ctx, p, q):
        ctx.save_for_backward(p, q)
        return (p * np.log(p / q)).sum(axis=1)

    @staticmethod
    def backward(ctx, dout):
        p, q = ctx.saved_tensors
        return dout[:, None] * (np.log(p / q) + 1), -dout[:, None] * p / q


class KullbackLeiblerNoOne(KullbackLeibler):
    @staticmethod
    def backward(ctx, dout):
        p, q = ctx.saved_tensors
        _, dq = KullbackLeibler.backward(ctx, dout)
        return dout[:, None] * np.log(p / q), dq


class KullbackLeiblerInverse(KullbackLeibler):
    @staticmethod
    def backward(ctx, dout):
        p, q = ctx.saved_tensors
        dp, _ = KullbackLeibler.backward(ctx, dout)
        return dp, -dout[:, None] * q / p


def cosine_forward(a, b):
    """The cosine between rows."""
    la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosine = np.einsum("mi,mi->m", a, b) / (la * lb)
    return cosine, (a, b, la[:, None], lb[:, None], cosine[:, None])


def cosine_backward(dout, cache):
    a, b, la, lb, cosine = cache
    dout = dout[:, None]
    return dout * (b / (la * lb) - cosine * a / la**2), dout * (a / (la * lb) - cosine * b / lb**2)


def cosine_constant_length(dout, cache):
    a, b, la, lb, cosine = cache
    _, db = cosine_backward(dout, cache)
    return dout[:, None] * b / (la * lb), db


def cosine_other_length(dout, cache):
    a, b, la, lb, cosine = cache
    da, _ = cosine_backward(dout, cache)
    return da, dout[:, None] * (a / (la * lb) - cosine * b / la**2)


def contrastive(a, b, same, margin=2.5):
    """Pairs that belong together pulled, others pushed until a margin: (J, (da, db))."""
    distance = np.sqrt(((a - b) ** 2).sum(axis=1))
    short = np.maximum(margin - distance, 0)
    loss = (same * distance**2 + (1 - same) * short**2).mean() / 2
    slope = (same * distance - (1 - same) * short) / len(a)
    da = (slope / distance)[:, None] * (a - b)
    return loss, (da, -da)


def contrastive_pulls_all(a, b, same, margin=2.5):
    loss, _ = contrastive(a, b, same)
    distance = np.sqrt(((a - b) ** 2).sum(axis=1))
    slope = (same * distance + (1 - same) * np.maximum(margin - distance, 0)) / len(a)
    da = (slope / distance)[:, None] * (a - b)
    return loss, (da, -da)


def contrastive_one_side(a, b, same):
    loss, (da, _) = contrastive(a, b, same)
    return loss, (da, da)


def triplet_forward(anchor, near, far):
    """max(|anchor - near|^2 - |anchor - far|^2 + 1, 0)"""
    out = ((anchor - near) ** 2).sum(axis=1) - ((anchor - far) ** 2).sum(axis=1) + 1
    return np.maximum(out, 0), (anchor, near, far, out)


def triplet_backward(dout, cache):
    anchor, near, far, out = cache
    d = 2 * (dout * (out > 0))[:, None]
    return d * (far - near), d * (near - anchor), d * (anchor - far)


def triplet_always(dout, cache):
    anchor, near, far, out = cache
    d = 2 * dout[:, None]
    return d * (far - near), d * (near - anchor), d * (anchor - far)


def triplet_anchor_once(dout, cache):
    anchor, near, far, out = cache
    _, dnear, dfar = triplet_backward(dout, cache)
    return -dnear, dnear, dfar


def focal(z, y, gamma=2.0):
    """Binary cross-entropy weighted by (1 - p of the true class)^gamma."""
    sign = 2 * y - 1
    p = sigmoid(sign * z)
    loss = -((1 - p) ** gamma * np.log(p)).mean()
    return loss, sign * (1 - p) ** gamma * (gamma * p * np.log(p) - (1 - p)) / z.size


def focal_constant_weight(z, y, gamma=2.0):
    loss, _ = focal(z, y)
    sign = 2 * y - 1
    p = sigmoid(sign * z)
    return loss, -sign * (1 - p) ** gamma * (1 - p) / z.size


def focal_without_sign(z, y):
    loss, dz = focal(z, y)
    return loss, (2 * y - 1) * dz


def gaussian_nll(mean, log_variance, y):
    """(J, (gradients)) of a normal density with its own variance for every example."""
    r = y - mean
    loss = 0.5 * (log_variance + r**2 * np.exp(-log_variance)).sum()
    return loss, (-r * np.exp(-log_variance), 0.5 * (1 - r**2 * np.exp(-log_variance)))


def gaussian_nll_no_half(mean, log_variance, y):
    loss, (dmean, dlog_variance) = gaussian_nll(mean, log_variance, y)
    return loss, (dmean, 2 * dlog_variance)


def gaussian_nll_deviation(mean, log_variance, y):
    loss, (_, dlog_variance) = gaussian_nll(mean, log_variance, y)
    return loss, (-(y - mean) * np.exp(-log_variance / 2), dlog_variance)


PATH = (0, 2, 0, 1, 0)  # the labels 2 and 1 with blanks around them


def path_sums(y):
    """Probabilities of all beginnings and all ends of the path: (alpha, beta), each (steps, places)."""
    steps, places = len(y), len(PATH)
    alpha, beta = np.zeros((steps, places)), np.zeros((steps, places))
    alpha[0, :2] = y[0, PATH[0]], y[0, PATH[1]]
    beta[-1, -2:] = 1
    for t in range(1, steps):
        for s, label in enumerate(PATH):
            skip = s > 1 and label and label != PATH[s - 2]
            alpha[t, s] = alpha[t - 1, max(s - (2 if skip else 1), 0) : s + 1].sum() * y[t, label]
    for t in range(steps - 2, -1, -1):
        for s, label in enumerate(PATH):
            skip = s + 2 < places and label and label != PATH[s + 2]
            for u in range(s, min(s + (3 if skip else 2), places)):
                beta[t, s] += beta[t + 1, u] * y[t + 1, PATH[u]]
    return alpha, beta


def ctc(scores):
    """Connectionist temporal classification: any number of repeats, blanks optional."""
    y = softmax(scores)
    alpha, beta = path_sums(y)
    total = alpha[-1, -2] + alpha[-1, -1]
    occupied = np.zeros_like(y)
    for s, label in enumerate(PATH):
        occupied[:, label] += alpha[:, s] * beta[:, s] / total
    return -np.log(total), y - occupied


def ctc_last_blank(scores):
    loss, _ = ctc(scores)
    y = softmax(scores)
    alpha, beta = path_sums(y)
    occupied = np.zeros_like(y)
    for s, label in enumerate(PATH):
        occupied[:, label] = alpha[:, s] * beta[:, s] / np.exp(-loss)
    return loss, y - occupied


def ctc_of_probabilities(scores):
    loss, gradient = ctc(scores)
    return loss, gradient - softmax(scores)


# Dictionaries: a regression and a factorisation.

HOUSES, SOLD = numbers(0, 6, 4), np.array([1, 0, 0, 1, 1, 0])
LOGISTIC = {"w": numbers(1, 4), "b": np.array(0.3)}


def logistic_cost(parameters):
    a = sigmoid(HOUSES @ parameters["w"] + parameters["b"])
    return -np.mean(SOLD * np.log(a) + (1 - SOLD) * np.log(1 - a))


def logistic_gradients(parameters):
    dz = sigmoid(HOUSES @ parameters["w"] + parameters["b"]) - SOLD
    return {"dw": HOUSES.T @ dz / len(dz), "db": dz.mean(), "dz": dz / len(dz)}


def logistic_gradients_missing_mean(parameters):
    grads = logistic_gradients(parameters)
    return {"dw": grads["dw"], "db": grads["db"] * len(HOUSES), "dz": grads["dz"]}


def logistic_gradients_label_sign(parameters):
    grads = logistic_gradients(parameters)
    return {"dw": -grads["dw"], "db": grads["db"], "dz": grads["dz"]}


RATINGS, RATED = numbers(5, 4, 5), (np.add.outer(np.arange(4), np.arange(5)) % 3 != 1).astype(float)
FACTORS = {"U": numbers(6, 4, 2), "V": numbers(7, 5, 2)}


def factorisation_cost(parameters):
    error = RATED * (parameters["U"] @ parameters["V"].T - RATINGS)
    return 0.5 * np.sum(error**2) + 0.05 * sum(np.sum(p**2) for p in parameters.values())


def factorisation_gradients(parameters):
    U, V = parameters["U"], parameters["V"]
    error = RATED * (U @ V.T - RATINGS)
    return {"U": error @ V + 0.1 * U, "V": error.T @ U + 0.1 * V}


def factorisation_unrated(parameters):
    U, V = parameters["U"], parameters["V"]
    error = U @ V.T - RATINGS
    return factorisation_gradients(parameters) | {"V": error.T @ U + 0.1 * V}


def factorisation_without_decay(parameters):
    U, V = parameters["U"], parameters["V"]
    return factorisation_gradients(parameters) | {"U": RATED * (U @ V.T - RATINGS) @ V}


POINTS, TARGETS = numbers(1, 6, 4), numbers(2, 6)
BITS = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]])

SPECIMENS = (
    Specimen(
        name="cross-entropy, indices",
        convention="loss and gradient",
        right=cross_entropy,
        call=lambda loss: Call(loss, (SCORES, CLASSES), RETURNED),
        wrong=(
            Mistake("factor", cross_entropy_sum, ("scores",)),
            Mistake("wrong-operand", cross_entropy_first_column, ("scores",)),
        ),
    ),
    Specimen(
        name="cross-entropy, one-hot",
        convention="lists",
        right=OneHotCrossEntropy,
        call=lambda layer: Call(layer(np.eye(4)[CLASSES]), (SCORES,)),
        wrong=(
            Mistake("wrong-activation", OneHotLeftSide, ("x",)),
            Mistake("mean-for-sum", OneHotMeanPrior, ("params[0]",)),
        ),
        not_checked=("t",),
    ),
    Specimen(
        name="cross-entropy, layer",
        convention="attributes",
        right=SoftmaxWithLoss,
        call=lambda layer: Call(layer(), (SCORES, CLASSES)),
        wrong=(
            Mistake("factor", SoftmaxWithLossPerClass, ("x",)),
            Mistake("ignores-cotangent", SoftmaxWithLossIgnores, ("x",)),
        ),
    ),
    Specimen(
        name="cross-entropy, smoothed",
        convention="functional",
        right=smoothed_backward,
        call=lambda backward: Call((smoothed_forward, backward), (SCORES, constant(np.eye(4)[CLASSES]))),
        wrong=(
            Mistake("forward-differs", smoothed_hard_labels, ("x",)),
            Mistake("sign", smoothed_sign, ("x",)),
        ),
    ),
    Specimen(
        name="binary cross-entropy",
        convention="loss and gradient",
        right=binary_cross_entropy,
        call=lambda loss: Call(loss, (numbers(0, 4, 3), BITS), RETURNED),
        wrong=(
            Mistake("factor", binary_cross_entropy_rows, ("z",)),
            Mistake("label-branch", binary_cross_entropy_label_branch, ("z",)),
            Mistake("output-delta", binary_cross_entropy_slope, ("z",)),
        ),
    ),
    Specimen(
        name="hinge",
        convention="loss and gradient",
        right=hinge,
        call=lambda loss: Call(loss, (numbers(3, 4, 3), constant(numbers(4, 5, 4)), CLASSES % 3), RETURNED),
        wrong=(
            Mistake("label-branch", hinge_without_correct_class, ("W",)),
            Mistake("regulariser", hinge_half_decay, ("W",)),
        ),
    ),
    Specimen(
        name="Huber",
        convention="loss and gradient",
        right=huber,
        call=lambda loss: Call(loss, (numbers(3, 4), constant(POINTS), constant(TARGETS)), RETURNED),
        wrong=(
            Mistake("forward-differs", huber_squares, ("w",)),
            Mistake("sign", huber_unsigned, ("w",)),
        ),
    ),
    Specimen(
        name="mean squares",
        convention="static op",
        right=MeanSquares,
        call=lambda op: Call(op, (numbers(0, 4, 3), numbers(1, 4, 3))),
        wrong=(
            Mistake("factor", MeanSquaresNoTwo, ("prediction", "target")),
            Mistake("factor", MeanSquaresBatchOnly, ("prediction",)),
            Mistake("sign", MeanSquaresTargetSign, ("target",)),
        ),
    ),
    Specimen(
        name="Kullback-Leibler",
        convention="static op",
        right=KullbackLeibler,
        call=lambda op: Call(op, (positive(0, 3, 5), positive(1, 3, 5))),
        wrong=(
            Mistake("overwrites", KullbackLeiblerNoOne, ("p",)),
            Mistake("wrong-operand", KullbackLeiblerInverse, ("q",)),
        ),
    ),
    Specimen(
        name="cosine similarity",
        convention="functional",
        right=cosine_backward,
        call=lambda backward: Call((cosine_forward, backward), (numbers(0, 3, 5), numbers(1, 3, 5))),
        wrong=(
            Mistake("missing-centring", cosine_constant_length, ("a",)),
            Mistake("wrong-operand", cosine_other_length, ("b",)),
        ),
    ),
    Specimen(
        name="contrastive",
        convention="loss and gradient",
        right=contrastive,
        call=lambda loss: Call(loss, (numbers(0, 4, 3), numbers(1, 4, 3), np.array([1, 0, 1, 0])), RETURNED),
        wrong=(
            Mistake("sign", contrastive_pulls_all, ("a", "b")),
            Mistake("sign", contrastive_one_side, ("b",)),
        ),
    ),
    Specimen(
        name="triplet",
        convention="functional",
        right=triplet_backward,
        call=lambda backward: Call(
            (triplet_forward, backward), (numbers(0, 5, 3), numbers(1, 5, 3), numbers(2, 5, 3))
        ),
        wrong=(
            Mistake("mask-not-applied", triplet_always, ("anchor", "near", "far")),
            Mistake("overwrites", triplet_anchor_once, ("anchor",)),
        ),
    ),
    Specimen(
        name="focal",
        convention="loss and gradient",
        right=focal,
        call=lambda loss: Call(loss, (numbers(0, 4, 3), BITS), RETURNED),
        wrong=(
            Mistake("overwrites", focal_constant_weight, ("z",)),
            Mistake("sign", focal_without_sign, ("z",)),
        ),
    ),
    Specimen(
        name="Gaussian likelihood",
        convention="loss and gradient",
        right=gaussian_nll,
        call=lambda loss: Call(loss, (numbers(0, 5), numbers(1, 5), constant(numbers(2, 5))), RETURNED),
        wrong=(
            Mistake("factor", gaussian_nll_no_half, ("log_variance",)),
            Mistake("wrong-operand", gaussian_nll_deviation, ("mean",)),
        ),
    ),
    Specimen(
        name="connectionist temporal classification",
        convention="loss and gradient",
        right=ctc,
        call=lambda loss: Call(loss, (numbers(0, 4, 3),), RETURNED),
        wrong=(
            Mistake("overwrites", ctc_last_blank, ("scores",)),
            Mistake("missing-activation", ctc_of_probabilities, ("scores",)),
        ),
    ),
    Specimen(
        name="logistic regression",
        convention="dictionaries",
        right=logistic_gradients,
        call=lambda grads: Call(logistic_cost, (LOGISTIC,), {"gradients": grads}),
        wrong=(
            Mistake("factor", logistic_gradients_missing_mean, ("parameters['b']",)),
            Mistake("sign", logistic_gradients_label_sign, ("parameters['w']",)),
        ),
    ),
    Specimen(
        name="matrix factorisation",
        convention="dictionaries",
        right=factorisation_gradients,
        call=lambda grads: Call(factorisation_cost, (FACTORS,), {"gradients": grads}),
        wrong=(
            Mistake("mask-not-applied", factorisation_unrated, ("parameters['V']",)),
            Mistake("regulariser", factorisation_without_decay, ("parameters['U']",)),
        ),
    ),
)
