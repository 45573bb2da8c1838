"""Clean edge colours: what the subject's colour is where the old background shines through.

The method is multi-level foreground estimation (Germer, Uelwer, Conrad, Harmeling: "Fast Multi-Level Foreground
Estimation", 2020), in numpy at a reduced size, corrected by the picture's own pixels at full size.
A pixel I with alpha a is a mix, I = a F + (1 - a) B. Of all F and B those are sought that differ least from pixel to
pixel, above all where the alpha changes. For given means of the neighbours, F' and B', and s, the sum of their weights,
the best solution is F = F' + a r / (s + a^2 + (1 - a)^2), with the residual r = I - a F' - (1 - a) B'; B alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .pictures import Picture, Pixels, Report
from .tiles import Box, Enlarging, bilinear, grid, holding

Floats: TypeAlias = NDArray[np.float32]
Rectangle: TypeAlias = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

_SMALL_PIXELS = 1_000_000
TILE, _SMALL_TILE = 128, 96
_BLOCK_ROWS = 256
_SURROUNDINGS = 256
_SUMS: dict[str, Any] = {"uint8": np.uint16, "uint16": np.uint32, "float32": np.float32}
"""What holds a sum of a few samples of a dtype; of all others float64 does."""
_SMOOTHNESS = np.float32(1e-5)
_TINY = np.float32(1e-6)
_SMALL_SIDE = 32
_SMALL_ITERATIONS, _ITERATIONS = 10, 5


def clean_edges(
    picture: Picture, alpha: NDArray[np.uint8], report: Report = lambda fraction: None
) -> Iterator[tuple[Rectangle, Pixels]]:
    """The parts of a picture where `alpha` (height, width) is neither 0 nor 255, with the subject's own colours there.

    Yields each part's rectangle and its pixels (height, width, channels), in the picture's own dtype: at most one in
    each tile of a grid of `TILE`, row by row. All pixels whose alpha is 0 or 255, and the picture's own alpha channel,
    are bit for bit the picture's. The same input makes the same output. Samples are taken as they are, gamma or linear:
    integers reach from 0 to their dtype's largest value, floats as far as the picture's around the edges do. A pixel
    with a sample that is no finite number stays as it is, and tells nothing of others. The order of the colour channels
    does not matter.

    Args:
        report: is called with the fraction that is done, many times a second, and may raise to stop.
    """
    tiles = [box for box in grid((picture.width, picture.height), TILE) if _partial(box.of(alpha)).any()]
    if not tiles:
        return
    shrink = math.ceil(math.sqrt(alpha.size / _SMALL_PIXELS))
    dtype: Any = picture.pixels.dtype
    top = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    exact: Any = np.float64 if dtype in (np.uint32, np.float64) else np.float32
    window = _around(tiles, shrink).clipped((picture.width, picture.height))
    near_pixels = window.of(np.moveaxis(picture.pixels, 2, 0)).transpose(1, 2, 0)
    colours, small, visible = _reduce(Picture(near_pixels), window.of(alpha), shrink, top, report)
    limits = (0.0, 1.0) if dtype.kind != "f" else (min(0.0, float(colours.min())), max(1.0, float(colours.max())))
    estimate = _solve(colours, small, visible, limits, report)
    channels, height, width = colours.shape
    larger = Enlarging((width, height), (width * shrink, height * shrink), bilinear)
    for done, tile in enumerate(tiles):
        box = holding(_partial(tile.of(alpha))).moved(tile.left, tile.top)
        pixels = box.of(np.moveaxis(picture.pixels, 2, 0)).transpose(1, 2, 0).copy()
        near = box.of(alpha).reshape(-1)
        flat = pixels.reshape(-1, pixels.shape[2])
        partial = np.flatnonzero(_partial(near) & (dtype.kind != "f" or np.isfinite(flat).all(axis=1)))
        # numpy is slow where the last axis is short
        mixed = flat.T[:channels].take(partial, axis=1).astype(exact) / exact(top)
        both = larger.part(lambda part: part.of(estimate), box.within(window))
        foreground, background = both.reshape(2, channels, -1).take(partial, axis=2)
        a = near[partial] / exact(255)
        residual = mixed - a * foreground - (1 - a) * background
        clean = (foreground + residual * (a / (a * a + (1 - a) * (1 - a)))).clip(*limits) * exact(top)
        flat[partial, :channels] = (clean if dtype.kind == "f" else np.rint(clean)).T
        yield (box.left, box.top, *box.size), pixels
        report(0.5 + 0.5 * (done + 1) / len(tiles))


def _around(boxes: list[Box], shrink: int) -> Box:
    """What can tell of the colours in the boxes; whole pixels when it is made smaller from its corner."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    left, top = (max(0, min(sides) - _SURROUNDINGS) // shrink * shrink for sides in (lefts, tops))
    return Box(left, top, max(rights) + _SURROUNDINGS, max(bottoms) + _SURROUNDINGS)


def _partial(alpha: NDArray[np.uint8]) -> NDArray[np.bool_]:
    # one comparison: 0 and 255 are the two that wrap around to the largest values
    result: NDArray[np.bool_] = (alpha - np.uint8(1)) < 254
    return result


def _reduce(
    picture: Picture, alpha: NDArray[np.uint8], shrink: int, top: float, report: Report
) -> tuple[Floats, Floats, Floats]:
    """Colours (channels, h, w) in units of `top`, `alpha` and the picture's own alpha (1, h, w each), made smaller."""
    parts = []
    rows = max(1, _BLOCK_ROWS // shrink) * shrink
    for first in range(0, picture.height, rows):
        pixels = picture.pixels[first : first + rows]
        weight: Any = None
        if pixels.dtype.kind == "f":
            pixels = pixels.astype(np.float32)
            finite = np.isfinite(pixels).all(axis=2, keepdims=True)
            if not finite.all():
                pixels, weight = np.where(finite, pixels, np.float32(0)), finite.astype(np.float32)
        small = _shrink(alpha[first : first + rows, :, None], shrink) / np.float32(255)
        colours, visible = _shrink(pixels, shrink) / np.float32(top), np.ones_like(small)
        if picture.alpha is not None:
            colours, visible = colours[:-1], colours[-1:]
            if pixels[..., -1].min() < top:
                weight = pixels[..., -1:] / np.float32(top)
            pixels = pixels[..., :-1]
        elif weight is not None:
            visible = _shrink(weight, shrink)
        if weight is not None:
            # hidden colours, and what is no number, must not take part
            colours = _shrink(pixels * weight, shrink) / np.maximum(visible, _TINY) / np.float32(top)
        parts.append((colours, small, visible))
        report(0.3 * first / picture.height)
    colours, small, visible = (np.concatenate(planes, axis=1) for planes in zip(*parts, strict=True))
    return colours, small, visible


def _solve(image: Floats, alpha: Floats, visible: Floats, limits: tuple[float, float], report: Report) -> Floats:
    """Foreground and background (2, channels, height, width) of an image (channels, height, width), coarse to fine.

    They are right where the alpha is partial; elsewhere they may be those of a coarser level.
    """
    levels = [(image, alpha, visible)]
    while max(levels[-1][0].shape[1:]) > 1:
        colours, a, v = levels[-1]
        weight = _halve(v)
        smaller = _halve(colours * v)
        smaller /= np.maximum(weight, _TINY)
        levels.append((smaller, _halve(a), weight))
    estimate = np.stack([levels[-1][0]] * 2)
    for colours, a, v in reversed(levels):
        height, width = a.shape[1:]
        coarse = estimate.repeat(2, axis=2)[:, :, :height].repeat(2, axis=3)[..., :width]
        estimate = coarse.copy()
        rounds = _SMALL_ITERATIONS if max(height, width) <= _SMALL_SIDE else _ITERATIONS
        for box in grid((width, height), _SMALL_TILE):
            # no pixel hears of one that is farther away than there are rounds
            around = box.grown(rounds + 1).clipped((width, height))
            near = around.of(a)
            if near.max() > 0 and near.min() < 1:
                parts = [around.of(part) for part in (coarse, colours, a, v)]
                box.of(estimate)[:] = box.within(around).of(_relax(*parts, limits=limits, rounds=rounds))
                report(0.3 + 0.2 * height * width / alpha.size)
    return estimate


def _relax(
    estimate: Floats, image: Floats, alpha: Floats, visible: Floats, *, limits: tuple[float, float], rounds: int
) -> Floats:
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
        estimate = np.clip(mean, *limits, out=mean)
    return estimate


def _halve(planes: Floats) -> Floats:
    """Means of 2 x 2 pixels; the last row and column are repeated where a side is odd."""
    odd = [(0, 0), (0, planes.shape[1] % 2), (0, planes.shape[2] % 2)]
    even = np.pad(planes, odd, mode="edge") if any(map(any, odd)) else planes
    half = np.float32(0.25)
    result: Floats = (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) * half
    return result


def _shrink(pixels: Any, shrink: int) -> Floats:
    """Means (channels, h, w) of `shrink` x `shrink` pixels (height, width, channels); at the far edges, of fewer."""
    sums = pixels[::shrink].astype(_SUMS.get(pixels.dtype.name, np.float64))
    for row in range(1, shrink):
        more = pixels[row::shrink]
        sums[: len(more)] += more
    # a channel at a time: numpy is slow where the last axis is short
    sums = np.moveaxis(sums, 2, 0)
    means = np.ascontiguousarray(sums[..., ::shrink], np.float32)
    for column in range(1, shrink):
        more = sums[..., column::shrink]
        means[..., : more.shape[2]] += more
    rows, columns = (np.minimum(shrink, side - np.arange(0, side, shrink)) for side in pixels.shape[:2])
    means /= np.multiply.outer(rows, columns).astype(np.float32)
    return means
