"""A cut-out to the layer's alpha."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pyvips
from numpy.typing import NDArray

from . import foreground
from .errors import make
from .guided import Alpha, Guide, Level, is_faithful
from .pictures import Picture, decode_png
from .tiles import Box, Size, grid, source

Report: TypeAlias = Callable[[float], None]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BLOCK_ROWS = 256
_TILE = 256
_LEVELS, _SMALLEST = 5, 16
_FAITHFUL = 0.15
METHOD = b"guided 1"
"""Names what `refine` does: a kept alpha is of use only to the method that made it."""


def decode(data: bytes, sent: tuple[int, int]) -> NDArray[np.uint8]:
    """The alpha (height, width) of the service's PNG; `sent` is the (width, height) of the picture that was uploaded.

    All that the header tells is checked before anything is decoded.
    Raises ServiceError: `result_not_picture`, `result_size` (more pixels than were sent, or another aspect),
    `result_no_alpha`, `result_broken`.
    """
    if not data.startswith(_SIGNATURE):
        raise make("result_not_picture")
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise make("result_broken", "no header")
    width, height = struct.unpack(">II", data[16:24])
    _check_size(width, height, *sent)
    try:
        alpha = decode_png(data).alpha
    except pyvips.Error:
        raise make("result_broken") from None
    if alpha is None:
        raise make("result_no_alpha")
    if alpha.dtype == np.uint16:
        return ((alpha.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)
    return np.ascontiguousarray(alpha, np.uint8)


def refine(alpha: Alpha, picture: Picture, report: Report = lambda fraction: None) -> Alpha:
    """The alpha (height, width) at the picture's size, with the picture as its guide (see `guided`).

    Where it does not change within two of its own pixels it stays exact, and so does all of it where it has the
    picture's size, and detail to match. The same input makes the same alpha.

    Args:
        report: is told the fraction that is done, many times a second, and may raise to stop.
    """
    guide = Guide(picture)
    levels = [Level(alpha)]
    tiles, faithful = levels[0].tiles(), True
    for number in range(_LEVELS):
        sums = np.zeros(3)
        for done, box in enumerate(tiles):
            sums += levels[-1].fit(box, guide)
            report((number + done / len(tiles)) / (number + 2) * 0.5)
        if number == 0:
            faithful = is_faithful(sums, _FAITHFUL)
            if faithful and levels[0].size == guide.size:
                return alpha
        doubtful = [] if faithful else levels[-1].doubtful()
        if not doubtful or min(levels[-1].size) < 2 * _SMALLEST:
            break
        levels.append(levels[-1].halved())
        tiles = _under(doubtful, levels[-1])
    coarser = None
    for level in reversed(levels):
        level.settle(coarser, faithful=faithful)
        coarser = level
    levels[0].finish()
    return _enlarged(levels[0], guide, report)


def _under(boxes: list[Box], level: Level) -> list[Box]:
    """The level's tiles that are under boxes of the level above, or near them."""
    near = np.zeros(level.alpha.shape, bool)
    for left, top, right, bottom in boxes:
        near[max(0, top // 2 - 4) : bottom // 2 + 5, max(0, left // 2 - 4) : right // 2 + 5] = True
    return [box for box in level.tiles() if box.of(near).any()]


def _enlarged(level: Level, guide: Guide, report: Report) -> Alpha:
    """The models of the finest level applied to the picture."""
    width, height = guide.size
    out = np.empty((height, width), np.uint8)
    boxes = list(grid(guide.size, _TILE))
    for done, box in enumerate(boxes):
        near, _ = source(box, guide.size, level.size, 2)
        value = level.value(near, 1)
        if value is not None:
            box.of(out)[:] = value
            continue
        models = level.enlarged(box, guide.size)
        alpha = (models[:3] * guide.planes(box)).sum(axis=0)
        alpha += models[3]
        alpha *= 255
        box.of(out)[:] = np.rint(alpha.clip(0, 255))
        _keep_exact(box.of(out), box, level, guide.size)
        report(0.5 + 0.5 * done / len(boxes))
    return out


def _keep_exact(out: Alpha, box: Box, level: Level, size: Size) -> None:
    """Puts the alpha's own value back where that is the same in all of the 5 x 5 pixels around."""
    around = source(box, size, level.size, 3)[0]
    alpha = np.pad(around.of(level.alpha), 2, mode="edge")
    lowest, highest = (_extreme_of_25(alpha, extreme) for extreme in (np.minimum, np.maximum))
    rows, columns = (
        (np.arange(first, last) * 2 + 1) * count // (2 * whole) - start
        for first, last, count, whole, start in (
            (box.top, box.bottom, level.size[1], size[1], around.top),
            (box.left, box.right, level.size[0], size[0], around.left),
        )
    )
    exact = (lowest == highest)[rows][:, columns]
    np.copyto(out, lowest[rows][:, columns], where=exact)


def _extreme_of_25(alpha: Alpha, extreme: Any) -> Alpha:
    """The lowest or highest of 5 x 5 pixels, without the 2 outermost."""
    for axis in (0, 1):
        views = np.lib.stride_tricks.sliding_window_view(alpha, 5, axis=axis)
        alpha = functools.reduce(extreme, (views[..., step] for step in range(5)))
    return alpha


def cut_out(picture: Picture, alpha: Alpha, *, clean_edges: bool, report: Report = lambda fraction: None) -> Picture:
    """The picture with its own alpha times `alpha`, and with the subject's own colours where that is partial."""
    result = multiply(picture, alpha)
    if clean_edges:
        colours = picture.pixels.shape[2] - (picture.alpha is not None)
        for (x, y, width, height), pixels in foreground.clean_edges(picture, alpha, report):
            result.pixels[y : y + height, x : x + width, :colours] = pixels[..., :colours]
    return result


def multiply(picture: Picture, alpha: NDArray[np.uint8]) -> Picture:
    """The picture with its own alpha times `alpha` (height, width), rounded to the nearest at the picture's depth.

    Colours stay bit for bit.
    """
    pixels, own = picture.pixels, picture.alpha
    height, width, channels = pixels.shape
    colours = channels if own is None else channels - 1
    out = np.empty((height, width, colours + 1), pixels.dtype)
    for top in range(0, height, _BLOCK_ROWS):
        rows = slice(top, top + _BLOCK_ROWS)
        for channel in range(colours):  # much faster than one assignment of all
            out[rows, :, channel] = pixels[rows, :, channel]
        if own is not None:
            product = own[rows].astype(np.uint32)
            product *= alpha[rows]
            product += 127
            product //= 255
            out[rows, :, colours] = product
        elif pixels.dtype == np.uint16:
            np.multiply(alpha[rows], 257, out=out[rows, :, colours], dtype=np.uint16)
        else:
            out[rows, :, colours] = alpha[rows]
    return Picture(out, picture.icc_profile)


def _check_size(width: int, height: int, sent_width: int, sent_height: int) -> None:
    one_pixel = max(sent_width, sent_height)
    same_aspect = abs(height * sent_width - width * sent_height) <= one_pixel
    if not (0 < width <= sent_width and 0 < height <= sent_height and same_aspect):
        raise make("result_size", f"{width} x {height} for {sent_width} x {sent_height}")
