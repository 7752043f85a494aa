"""The IDX files of MNIST: a header of big-endian numbers, then one byte a pixel or a label."""

from __future__ import annotations

import gzip
import math
import pathlib
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

GZIP = b"\x1f\x8b"  # how every gzip file begins, and no IDX file
IMAGES, LABELS = 0x00000803, 0x00000801  # magic numbers: unsigned bytes in three dimensions, in one


def read_images(path: pathlib.Path) -> NDArray[np.float64]:
    """(m, pixels) in [0, 1]. ValueError for a file that is no IDX file of images, empty, or cut short."""
    images = _read(path, IMAGES, "images")
    if not images.size:
        raise ValueError(
            f"{path} holds images of shape {images.shape}: pass at least one, of at least one pixel"
        )
    return images.reshape(len(images), -1) / 255


def read_labels(path: pathlib.Path) -> NDArray[np.uint8]:
    """(m,) digits 0 to 9. ValueError for a file that is no IDX file of labels, or is cut short."""
    labels = _read(path, LABELS, "labels")
    if labels.max(initial=0) > 9:
        raise ValueError(f"{path} holds the label {labels.max()}: pass the labels of digits, 0 to 9")
    return labels


def _read(path: pathlib.Path, magic: int, what: str) -> NDArray[np.uint8]:
    content = _unpacked(path)
    dimensions = magic & 0xFF
    header = 4 * (1 + dimensions)
    if len(content) < header:
        raise ValueError(
            f"{path} has {len(content)} bytes, fewer than the {header} of an IDX header of {what}: "
            "it is truncated or damaged, download it again"
        )
    found, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    if found != magic:
        raise ValueError(
            f"{path} begins with {found:#010x}, IDX {what} begin with {magic:#010x}: "
            f"pass MNIST's file of {what} under this name"
        )
    if len(content) != header + math.prod(shape):
        raise ValueError(
            f"{path} has {len(content) - header} bytes of {what} where its header {tuple(shape)} "
            f"announces {math.prod(shape)}: it is truncated or damaged, download it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _unpacked(path: pathlib.Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(GZIP):  # the name may say otherwise: browsers unpack without renaming
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged gzip file, or is cut short: download it again") from error
