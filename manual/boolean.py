"""The three-input table of the `squared` document: x1 XOR x2, beside a third input that is always 1."""

import numpy as np

X = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])
