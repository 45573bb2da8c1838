"""Clean edge colours: what the subject's colour is where the old background shines through.

The method is multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling: "Fast Multi-Level Foreground
Estimation", 2020), in numpy at a reduced size, corrected by the picture's own pixels at full size.
A pixel I with alpha a is a mix, I = a F + (1 - a) B. Of all F and B those are sought that differ least from pixel to
pixel, above all where the alpha changes. For given means of the neighbours, F' and B', and s, the sum of their weights,
the best solution is F = F' + a r / (s + a^2 + (1 - a)^2), with the residual r = I - a F' - (1 - a) B'; B alike.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import pyvips
from numpy.typing import NDArray

from .pictures import Picture, to_vips

Floats: TypeAlias = NDArray[np.float32]

_SMALL_PIXELS = 1_000_000
_TILE = 512
_SMOOTHNESS = np.float32(1e-5)
_TINY = np.float32(1e-6)
_SMALL_SIDE = 32
_SMALL_ITERATIONS, _ITERATIONS = 10, 5


def clean_edges(picture: Picture, alpha: NDArray[np.uint8]) -> Picture:
    """The picture with the subject's own colours where `alpha` (height, width) is neither 0 nor 255.

    All other pixels, and the picture's own alpha channel, stay bit for bit. The same input makes the same output.
    """
    band = (alpha > 0) & (alpha < 255)
    if not band.any():
        return picture
    shrink = math.ceil(math.sqrt(alpha.size / _SMALL_PIXELS))
    larger = _enlarged(_estimated(picture, alpha, shrink), shrink, picture.width, picture.height)
    pixels = picture.pixels.copy()
    scale = np.float32(np.iinfo(pixels.dtype).max)
    channels = larger.bands // 2
    for top in range(0, picture.height, _TILE):
        for left in range(0, picture.width, _TILE):
            tile = np.s_[top : top + _TILE, left : left + _TILE]
            here = band[tile]
            if not here.any():
                continue
            both = _floats(larger.crop(left, top, here.shape[1], here.shape[0]))[here]
            foreground, background = both[:, :channels], both[:, channels:]
            a = (alpha[tile][here] / np.float32(255))[:, None]
            residual = pixels[tile][here][:, :channels] / scale - a * foreground - (1 - a) * background
            clean = foreground + residual * (a / (a * a + (1 - a) * (1 - a)))
            pixels[tile][here, :channels] = np.rint(clean.clip(0, 1) * scale).astype(pixels.dtype)
    return Picture(pixels, picture.icc_profile)


def _estimated(picture: Picture, alpha: NDArray[np.uint8], shrink: int) -> Floats:
    """The channels of the foreground, then of the background (height, width, 2 channels), 0 to 1, reduced in size."""
    small = _shrunk(to_vips(alpha[..., None]), shrink) / np.float32(255)
    top = np.iinfo(picture.pixels.dtype).max
    image = to_vips(picture.pixels)
    if picture.alpha is None:
        colours = _shrunk(image, shrink) / np.float32(top)
        visible = np.ones_like(small)
    else:
        # hidden colours must not take part
        own = _shrunk(image.premultiply(max_alpha=top), shrink) / np.float32(top)
        visible = own[..., -1:]
        colours = own[..., :-1] / np.maximum(visible, _TINY)
    planes = [np.ascontiguousarray(np.moveaxis(part, -1, 0)) for part in (colours, small, visible)]
    estimate = _solved(*planes)
    return np.ascontiguousarray(np.moveaxis(estimate.reshape(-1, *small.shape[:2]), 0, -1))


def _solved(image: Floats, alpha: Floats, visible: Floats) -> Floats:
    """Foreground and background (2, channels, height, width) of an image (channels, height, width), coarse to fine."""
    levels = [(image, alpha, visible)]
    while max(levels[-1][0].shape[1:]) > 1:
        colours, a, v = levels[-1]
        weight = _halved(v)
        smaller = _halved(colours * v)
        smaller /= np.maximum(weight, _TINY)
        levels.append((smaller, _halved(a), weight))
    estimate: Any = np.stack([levels[-1][0]] * 2)
    for colours, a, v in reversed(levels):
        height, width = a.shape[1:]
        estimate = estimate.repeat(2, axis=2)[:, :, :height].repeat(2, axis=3)[..., :width]
        rounds = _SMALL_ITERATIONS if max(height, width) <= _SMALL_SIDE else _ITERATIONS
        estimate = _relaxed(np.ascontiguousarray(estimate), colours, a, v, rounds)
    result: Floats = estimate
    return result


def _relaxed(estimate: Floats, image: Floats, alpha: Floats, visible: Floats, rounds: int) -> Floats:
    """Jacobi iterations on one level."""
    across = _SMOOTHNESS + np.abs(np.diff(alpha[0], axis=1))
    down = _SMOOTHNESS + np.abs(np.diff(alpha[0], axis=0))
    total = np.full(alpha.shape[1:], _SMOOTHNESS, np.float32)
    total[:, 1:] += across
    total[:, :-1] += across
    total[1:] += down
    total[:-1] += down
    own = _SMOOTHNESS / total
    left, right = across / total[:, 1:], across / total[:, :-1]
    above, below = down / total[1:], down / total[:-1]
    mix = np.stack([alpha, 1 - alpha])
    gain = visible * mix / (total + visible * (mix * mix).sum(axis=0))
    for _ in range(rounds):
        mean = estimate * own
        mean[..., 1:] += estimate[..., :-1] * left
        mean[..., :-1] += estimate[..., 1:] * right
        mean[..., 1:, :] += estimate[..., :-1, :] * above
        mean[..., :-1, :] += estimate[..., 1:, :] * below
        residual = image - (mean * mix).sum(axis=0)
        mean += gain * residual
        estimate = np.clip(mean, 0, 1, out=mean)
    return estimate


def _halved(planes: Floats) -> Floats:
    """Means of 2 x 2 pixels; the last row and column are repeated where a side is odd."""
    odd = [(0, 0), (0, planes.shape[1] % 2), (0, planes.shape[2] % 2)]
    even = np.pad(planes, odd, mode="edge")
    half = np.float32(0.25)
    result: Floats = (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) * half
    return result


def _shrunk(image: Any, shrink: int) -> Floats:
    return _floats(image.cast("float").shrink(shrink, shrink, ceil=True))


def _enlarged(layers: Floats, times: int, width: int, height: int) -> Any:
    """A libvips image, computed where it is asked for."""
    rows, columns, channels = layers.shape
    image = pyvips.Image.new_from_memory(layers.data, columns, rows, channels, "float")
    return image.resize(times, kernel="linear").crop(0, 0, width, height)


def _floats(image: Any) -> Floats:
    flat: Floats = np.frombuffer(image.write_to_memory(), np.float32)
    return flat.reshape(image.height, image.width, image.bands)
