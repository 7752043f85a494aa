"""The chapters of the demo: the five documents, and what everybody does next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradcheck.demo.agreement as agreement
import gradcheck.demo.training as training


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One document: how its network is judged, and what it learns; both from a seed."""

    id: str
    title: str
    judge: Callable[[int], agreement.Reports]
    learn: Callable[[int], training.Lesson] | None = None


CHAPTERS = (
    Chapter(
        id="shallow",
        title="one hidden layer, column-major, binary cross-entropy",
        judge=agreement.shallow,
        learn=training.shallow,
    ),
    Chapter(
        id="xor",
        title="the same network on XOR",
        judge=agreement.exclusive_or,
        learn=training.exclusive_or,
    ),
    Chapter(
        id="slides",
        title="any hidden activation g1, column-major",
        judge=agreement.general_activations,
        learn=training.initialisations,
    ),
    Chapter(
        id="rowmajor",
        title="three layers, four layers, row-major",
        judge=agreement.three_and_four_layers,
        learn=training.layers,
    ),
    Chapter(
        id="squared",
        title="squared error in index notation",
        judge=agreement.index_notation,
        learn=training.squared_error,
    ),
    Chapter(
        id="beside",
        title="softmax with cross-entropy, weight decay: in none of the documents",
        judge=agreement.beside,
    ),
)
