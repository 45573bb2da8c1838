"""A cut-out to the layer's alpha."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from ..errors import make
from ..language import _
from . import foreground
from .guided import Alpha, Guide, Level, is_faithful, rising
from .pictures import Picture, Pixels, Report, decode_png, eight_bits
from .tiles import Box, Enlarging, Size, bicubic, fits, grid, holding, source

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TILE = 192
_CLEAN = 0.9
"""The part of a cut-out's progress that clean edges take."""
_LEVELS, _SMALLEST = 6, 32
_FAITHFUL, _TRUE = 0.24, 0.15
"""The ratios of p - q to p's finest octave up to which an alpha is taken at its word: as it came, and made smaller."""
_LEFT = 0.01
"""How much of p's detail, at the size that has most of it, must be left at the true resolution."""
_DOUBT = (4, 16)
"""Where the true resolution is not the alpha's own, the changes, of 255, between which the models come to be believed:
smaller ones are the picture's texture more often than the subject's."""
METHOD = b"guided 3"
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
        raise make("result_broken", _("no header"))
    width, height = struct.unpack(">II", data[16:24])
    if not fits((width, height), sent):
        # Translators: two sizes in pixels, of the picture that came and of the one that was sent.
        sizes = _("{width} x {height} for {sent_width} x {sent_height}")
        raise make("result_size", sizes.format(width=width, height=height, sent_width=sent[0], sent_height=sent[1]))
    try:
        alpha = decode_png(data).alpha
    except pyvips.Error:
        raise make("result_broken") from None
    if alpha is None:
        raise make("result_no_alpha")
    return np.ascontiguousarray(eight_bits(alpha))


def refine(alpha: Alpha, picture: Picture, report: Report = lambda fraction: None) -> Alpha:
    """The alpha (height, width) at the picture's size, with the picture as its guide (see `guided`).

    Where it does not change within two of its own pixels it stays exact, and so does all of it where it has the
    picture's size, and detail to match. The same input makes the same alpha.

    Args:
        report: is called with the fraction that is done, many times a second, and may raise to stop.
    """
    guide = Guide(picture)
    levels, true = _levels(alpha, guide, _part(report, 0, 0.5))
    if true == 0 and levels[0].size == guide.size:
        return alpha
    # what is taken at its word needs of the coarser level what `_levels` has modelled, and no more
    settled = len(levels) if true is None else true + 1
    for number in reversed(range(settled)):
        coarser = levels[number + 1] if number + 1 < len(levels) else None
        portion = _part(report, 0.5 + 0.05 / 2**number, 0.5 + 0.1 / 2**number)
        levels[number].settle(coarser, guide, portion, faithful=None if true is None else number == true)
    return _enlarge(levels[0], guide, _part(report, 0.6, 1), doubted=true != 0)


def _levels(alpha: Alpha, guide: Guide, report: Report) -> tuple[list[Level], int | None]:
    """The alpha at its own and at smaller sizes, fitted, and which of them is its true resolution.

    That is the first one that agrees with the picture, and has detail left. None where there is none. The last one is
    there to bear out the models of the others.
    """
    levels, true, detail = [Level(alpha)], None, 0.0
    tiles = levels[0].tiles if min(alpha.shape) >= _SMALLEST else []
    if not tiles:
        return levels, 0
    for number in range(_LEVELS):
        level = levels[-1]
        portion = _part(report, 1 - 0.5**number, 1 - 0.5 ** (number + 1))
        guide.reduce(level.size, _part(portion, 0, 0.3))
        sums = np.zeros(3)
        for done, box in enumerate(tiles):
            portion(0.3 + 0.7 * done / len(tiles))
            if true is None:
                sums += level.fit(box, guide)
            else:
                level.model(box, guide)
        if true is not None or number == _LEVELS - 1 or min(level.size) < _SMALLEST:
            break
        # without colours nobody can tell whether the alpha or the picture is to blame
        agrees = guide.is_gray(level.size) or is_faithful(sums, _TRUE if number else _FAITHFUL)
        detail = max(detail, float(sums[1]))
        if agrees and sums[1] > _LEFT * detail:
            true = number
            if level.size == guide.size:
                break
        levels.append(level.halved())
        tiles = _under(tiles, levels[-1])
    return levels, true


def _part(report: Report, begin: float, end: float) -> Report:
    """Tells a whole of one of its parts."""
    return lambda fraction: report(begin + (end - begin) * fraction)


def _under(tiles: list[Box], level: Level) -> list[Box]:
    """The level's tiles that are under tiles of the level above, or near them."""
    near = np.zeros(level.alpha.shape, bool)
    for left, top, right, bottom in tiles:
        near[max(0, top // 2 - 4) : bottom // 2 + 5, max(0, left // 2 - 4) : right // 2 + 5] = True
    return [box for box in level.tiles if box.of(near).any()]


def _enlarge(level: Level, guide: Guide, report: Report, *, doubted: bool) -> Alpha:
    """The models of a level applied to the picture, and the alpha, bicubic, where there is none."""
    out = level.resized(guide.size, Image.Resampling.BICUBIC, 2, _part(report, 0, 0.3))
    tiles = [tile.scaled(level.size, guide.size) for tile in level.tiles]
    boxes = [box.moved(tile.left, tile.top) for tile in tiles for box in grid(tile.size, _TILE)]
    larger = Enlarging(level.size, guide.size, bicubic)
    for done, box in enumerate(boxes):
        report(0.3 + 0.7 * done / len(boxes))
        part = source(box, guide.size, level.size, 2)[0]
        changed = _nearest(level.changing(part) * level.is_modelled(part), part, box, level.size, guide.size)
        if changed.any():
            inner = holding(changed > 0)
            whole = inner.moved(box.left, box.top)
            models = larger.part(level.models.of, whole)
            change = (models[:3] * guide.planes(whole, guide.size)).sum(axis=0)
            change += models[3]
            change *= 255
            change -= models[4] * whole.of(out)
            change *= inner.of(changed)
            if doubted:
                change *= rising(np.abs(change), *_DOUBT)
            change += whole.of(out)
            whole.of(out)[:] = np.rint(change.clip(0, 255))
    return out


def _nearest(values: NDArray[Any], part: Box, box: Box, original: Size, size: Size) -> NDArray[Any]:
    """The values of a part of the original at the nearest pixels of a box of a picture of `size`."""
    rows = (np.arange(box.top, box.bottom) * 2 + 1) * original[1] // (2 * size[1]) - part.top
    columns = (np.arange(box.left, box.right) * 2 + 1) * original[0] // (2 * size[0]) - part.left
    return values[rows][:, columns]


def cut_out(picture: Picture, alpha: Alpha, *, clean_edges: bool, report: Report = lambda fraction: None) -> Picture:
    """The picture with its own alpha times `alpha`, and with the subject's own colours where that is partial."""
    height, width, channels = picture.pixels.shape
    out: Any = np.empty((height, width, channels + (picture.alpha is None)), picture.pixels.dtype)
    top = 0
    for band in cut_bands(picture, alpha, clean_edges=clean_edges, report=report):
        out[top : top + len(band)] = band
        top += len(band)
    return Picture(out, picture.icc_profile)


def cut_bands(
    picture: Picture, alpha: Alpha, *, clean_edges: bool, report: Report = lambda fraction: None
) -> Iterator[Pixels]:
    """What `cut_out` makes of a picture and its alpha (height, width), in bands of rows from the top.

    The product of the alphas is rounded to the nearest at the picture's depth. Colours stay bit for bit but where they
    are cleaned. A picture of floats has an alpha of its own.

    Args:
        report: is called with the fraction that is done, many times a second, and may raise to stop.
    """
    most = 0.0

    def tell(fraction: float) -> None:
        nonlocal most
        most = max(most, fraction)
        report(most)

    colours = picture.pixels.shape[2] - (picture.alpha is not None)
    clean: Iterator[tuple[foreground.Rectangle, Pixels]] = iter(())
    if clean_edges:
        clean = foreground.clean_edges(picture, alpha, lambda fraction: tell(_CLEAN * fraction))
    part = next(clean, None)
    for top in range(0, picture.height, foreground.TILE):
        rows = slice(top, top + foreground.TILE)
        band = _multiply(Picture(picture.pixels[rows]), alpha[rows])
        while part is not None and part[0][1] < top + len(band):
            (x, y, width, height), pixels = part
            band[y - top : y - top + height, x : x + width, :colours] = pixels[..., :colours]
            part = next(clean, None)
        yield band
        tell(min(1.0, (top + len(band)) / picture.height))


def _multiply(picture: Picture, alpha: Alpha) -> Any:
    own = picture.alpha
    if own is not None:
        out: Any = np.array(picture.pixels)
        out[..., -1] = _product(own, alpha)
        return out
    height, width, colours = picture.pixels.shape
    out = np.empty((height, width, colours + 1), picture.pixels.dtype)
    for channel in range(colours):  # much faster than one assignment of all
        out[..., channel] = picture.pixels[..., channel]
    np.multiply(alpha, np.iinfo(out.dtype).max // 255, out=out[..., colours], dtype=out.dtype)
    return out


def _product(own: Pixels, alpha: Alpha) -> NDArray[Any]:
    if own.dtype.kind == "f":
        return own * (alpha / 255)
    dtype: Any = own.dtype
    top = np.iinfo(dtype).max
    product: NDArray[Any]
    if own.min() == top:  # the same, and sooner
        product = np.multiply(alpha, top // 255, dtype=dtype)
        return product
    wide: Any = np.uint64 if own.dtype == np.uint32 else np.uint32
    product = own.astype(wide)
    product *= alpha
    product += 127
    product //= 255
    return product
