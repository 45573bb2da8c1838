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
    y, x = (axis.astype(np.float32) for axis in np.ogrid[:height, :width])
    dx, dy = x - width / 2, y - height / 2
    angle = np.arctan2(dy, dx)
    radius = height * (0.3 + 0.02 * np.sin(9 * angle) + 0.008 * np.sin(57 * angle))
    alpha = np.rint(((radius - np.hypot(dx, dy)) / soft + 0.5).clip(0, 1) * 255).astype(np.uint8)
    waves = [0.3 + 0.2 * np.sin(x / width * a + y / height * b) for a, b in ((5, 3), (2, 7), (6, 1))]
    foreground = np.stack([wave + shift for wave, shift in zip(waves, (0.3, 0.0, 0.1), strict=True)], -1)
    squares = np.sin(x / height * 20) * np.sin(y / height * 20) > 0
    background = np.stack([0.1 + 0.1 * squares, 0.75 + 0.2 * squares, 0.9 - 0.3 * squares], -1)
    a = alpha[..., None] / np.float32(255)
    picture = a * foreground + (1 - a) * background
    return Scene(alpha, foreground.astype(np.float32), picture.astype(np.float32))


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
