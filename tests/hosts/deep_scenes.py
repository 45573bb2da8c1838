"""Pictures whose alpha and colours are known at every pixel, as samples of every depth, and the service's answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

Samples = NDArray[Any]

DELIVERED = 4096
STRIP = 16
TYPES = {"u8": "u1", "u16": "u2", "u32": "u4", "half": "f2", "float": "f4", "double": "f8"}


@dataclass(frozen=True)
class Scene:
    """`alpha` is (height, width) uint8; `foreground` and `picture` are (height, width, 3), 0 to 1."""

    alpha: NDArray[np.uint8]
    foreground: NDArray[np.float32]
    picture: NDArray[np.float32]


def scene(width: int, height: int, soft: float) -> Scene:
    """A shaggy disc of smooth colours, of which no two pixels are quite the same, before a chequered background.

    `soft` is how many pixels its edge is wide.
    """
    alpha = np.empty((height, width), np.uint8)
    foreground, picture = np.empty((2, height, width, 3), np.float32)
    x = np.arange(width, dtype=np.float32)[None]
    # What is worked on at a time fits into the processor's cache.
    for top in range(0, height, STRIP):
        rows = slice(top, top + STRIP)
        y = np.arange(height, dtype=np.float32)[rows, None]
        dx, dy = x - width / 2, y - height / 2
        angle = np.arctan2(dy, dx)
        radius = height * (0.3 + 0.02 * np.sin(9 * angle) + 0.008 * np.sin(57 * angle))
        alpha[rows] = np.rint(((radius - np.hypot(dx, dy)) / soft + 0.5).clip(0, 1) * 255)
        for colour, ((a, b), shift) in enumerate((((5, 3), 0.3), ((2, 7), 0.0), ((6, 1), 0.1))):
            foreground[rows, :, colour] = 0.3 + 0.2 * np.sin(x / width * a + y / height * b) + shift
        squares = np.sin(x / height * 20) * np.sin(y / height * 20) > 0
        opacity = alpha[rows] / np.float32(255)
        for colour, (base, step) in enumerate(((0.1, 0.1), (0.75, 0.2), (0.9, -0.3))):
            picture[rows, :, colour] = (1 - opacity) * (base + step * squares) + opacity * foreground[rows, :, colour]
    return Scene(alpha, foreground, picture)


def samples(values: NDArray[np.float32], word: str) -> Samples:
    """Values of 0 to 1 as samples of a babl type."""
    dtype = np.dtype(TYPES[word])
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.rint(values.astype(np.float64) * np.iinfo(dtype).max).astype(dtype)


def values(pixels: Samples) -> NDArray[np.float64]:
    """Samples as values of 0 to 1."""
    return pixels / (1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max))


def answer(alpha: NDArray[np.uint8]) -> bytes:
    """The service's PNG: white, with the alpha at no more than the size that the service delivers."""
    height, width = alpha.shape
    image = pyvips.Image.new_from_memory(alpha.tobytes(), width, height, 1, "uchar")
    if width > DELIVERED:
        image = image.resize(DELIVERED / width, vscale=round(height * DELIVERED / width) / height)
    white = (pyvips.Image.black(image.width, image.height, bands=3) + 255).cast("uchar")
    data: bytes = white.bandjoin(image).copy(interpretation="srgb").write_to_buffer(".png", compression=1)
    return data


def read(path: Path, form: str, width: int, height: int) -> Samples:
    """The pixels of a file in a babl format, (height, width, channels)."""
    return np.fromfile(path, TYPES[form.split()[-1]]).reshape(height, width, -1)
