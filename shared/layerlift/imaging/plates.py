"""Results of the service's other tasks as layers: brought to a layer's size, with its alpha, or without its subject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pictures import Picture, eight_bits

GROWN = 0.01
"""How far a subject's edge, its shadow and its glow reach beyond its alpha, as a part of the picture's longer side."""


def grow(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask that covers all that is not wholly transparent, and some more around it.

    Args:
        alpha: (height, width) uint8.

    Returns (height, width) uint8: 255 where it covers the picture, else 0. It is grown by a square, in one pass for
    rows and one for columns.
    """
    covered = alpha > 0
    radius = max(2, round(GROWN * max(alpha.shape)))
    for axis in (0, 1):
        sums = np.cumsum(covered, axis=axis, dtype=np.int32)
        length = alpha.shape[axis]
        places = np.arange(length)
        last = np.take(sums, np.minimum(places + radius, length - 1), axis=axis)
        before = np.take(sums, np.maximum(places - radius - 1, 0), axis=axis)
        before[(slice(None), slice(0, radius + 1)) if axis else slice(0, radius + 1)] = 0
        covered = last > before
    return covered.astype(np.uint8) * np.uint8(255)


def fill(colours: NDArray[np.uint8], hidden: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours, with what is hidden filled in smoothly from around it, by the pull-push method of Gortler et al.
    (The Lumigraph, 1996): means of what is known at ever smaller sizes, brought back up where nothing is known.

    Args:
        colours: (height, width, 3) uint8.
        hidden: (height, width) uint8, 0 where the colours are known.
    """
    if not hidden.any() or hidden.all():
        return colours
    known = (hidden == 0).astype(np.float32)
    filled = _pull_push(colours * known[..., None], known)
    return np.where(hidden[..., None] > 0, np.rint(filled).clip(0, 255).astype(np.uint8), colours)


def _pull_push(colours: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours that are multiplied with their weights, with all that lacks to a weight of 1 filled in."""
    height, width = weights.shape
    least, most = np.float32(1e-6), np.float32(1)
    if height == width == 1:
        mean: NDArray[np.float32] = colours / weights[..., None].clip(least)
        return mean
    sums = _halved(np.concatenate([colours, weights[..., None]], axis=2))
    sums *= np.minimum(most, sums[..., 3:]) / np.maximum(sums[..., 3:], least)
    smaller = _pull_push(sums[..., :3], sums[..., 3])
    parts = [
        Image.fromarray(smaller[..., part]).resize((width, height), Image.Resampling.BILINEAR) for part in range(3)
    ]
    around = np.stack([np.asarray(part, np.float32) for part in parts], axis=2)
    filled: NDArray[np.float32] = colours + (most - weights[..., None]) * around
    return filled


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of 2 x 2 values."""
    height, width, _parts = values.shape
    padded: NDArray[np.float32] = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    rows: NDArray[np.float32] = padded[::2] + padded[1::2]
    halved: NDArray[np.float32] = rows[:, ::2] + rows[:, 1::2]
    return halved


def as_layer(
    result: Picture, layer: Picture, size: tuple[int, int], *, keeps_alpha: bool, without_subject: bool
) -> NDArray[np.uint8]:
    """A result as (height, width, 4) uint8, RGB with alpha that is not multiplied in.

    Args:
        result: what the service has made of a layer that was put on white.
        layer: that layer.
        size: width and height that it is to have.
        keeps_alpha: whether it has the layer's alpha, so that the white is taken out of its colours again.
        without_subject: whether what the layer's alpha covers is filled in from around it.
    """
    pixels = eight_bits(result.pixels)
    own = pixels[..., -1] if result.alpha is not None else None
    colours = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., :1].repeat(3, axis=2)
    alpha = None if layer.alpha is None else eight_bits(layer.pixels)[..., -1]
    if without_subject and alpha is not None:
        covered = np.asarray(Image.fromarray(grow(alpha)).resize(colours.shape[1::-1], Image.Resampling.NEAREST))
        colours = fill(colours, covered)
    colours = _resized(colours, size)
    if keeps_alpha and alpha is not None:
        own = _resized(alpha, size)
        colours = _off_white(colours, own)
    elif own is not None:
        own = _resized(own, size)
    opaque = np.full(colours.shape[:2], 255, np.uint8) if own is None else own
    return np.dstack([colours, opaque])


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _off_white(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours that, put on white with this alpha, look like these."""
    soft = (alpha > 0) & (alpha < 255)
    found = colours.copy()
    shares = alpha[soft][:, None] / np.float32(255)
    found[soft] = np.rint(((colours[soft] - 255 * (1 - shares)) / shares).clip(0, 255)).astype(np.uint8)
    return found
