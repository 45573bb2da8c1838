"""A cut-out to the layer's alpha."""

from __future__ import annotations

import struct

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from .errors import make
from .pictures import Picture, decode_png

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BLOCK_ROWS = 256
METHOD = b"bicubic"
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


def refine(alpha: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The alpha at the layer's size (height, width), bicubic; the very same where the size fits already."""
    if alpha.shape == (height, width):
        return alpha
    return np.asarray(Image.fromarray(alpha).resize((width, height), Image.Resampling.BICUBIC))


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
