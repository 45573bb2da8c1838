"""What Python users have for a picture: a path, bytes, a file, a Pillow image, an array, or a `Picture`."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import make
from ..language import _
from . import pictures
from .pictures import Picture

Source: TypeAlias = (
    str | os.PathLike[str] | bytes | BinaryIO | Image.Image | NDArray[np.uint8] | NDArray[np.uint16] | Picture
)


class Reader:
    """Reads a source, more than once where that is asked for; of a file object the bytes are kept for that.

    Args:
        again: whether the cut-out of a cut-out is wanted.
    """

    def __init__(self, source: Source, again: bool) -> None:
        self._source: Any = source
        self._again = again

    def read(self) -> Picture:
        """The picture, with the pixels of arrays and Pillow images as they lie.

        Raises:
            PictureError: ``not_a_picture``, ``is_cut_out``, and what `pictures.read` raises.
        """
        if not isinstance(self._source, (str, os.PathLike)) and hasattr(self._source, "read"):
            self._source = _bytes(self._source)
        source = bytes(self._source) if isinstance(self._source, (bytearray, memoryview)) else self._source
        if isinstance(source, (Picture, np.ndarray)):
            return _from_array(source)
        if not isinstance(source, (str, os.PathLike, bytes, Image.Image)):
            raise make("not_a_picture", type(source).__name__)
        if not self._again and pictures.is_cut_out(source):
            raise make("is_cut_out")
        if isinstance(source, Image.Image):
            return _from_pillow(source)
        return pictures.decode(source) if isinstance(source, bytes) else pictures.read(source)


def _bytes(file: Any) -> bytes:
    """What is left to be read of a file."""
    try:
        data = file.read()
    except OSError as error:
        raise make("picture_unreadable", error.strerror or str(error)) from error
    except ValueError as error:  # it is closed, or text that can't be decoded
        raise make("not_a_picture", str(error)) from error
    if not isinstance(data, bytes):
        raise make("not_a_picture", _("a file that reads {type}, not bytes").format(type=type(data).__name__))
    return data


def _from_pillow(image: Image.Image) -> Picture:
    try:
        # Translators: stands where a file's name stands else, as in "the image has CMYK colours".
        return pictures.from_pillow(image, _("the image"))
    except pictures.PILLOW_ERRORS as error:
        raise make("picture_unreadable", str(error)) from error


def _from_array(source: Any) -> Picture:
    """An array (height, width) or (height, width, channels), in the machine's byte order."""
    pixels = source.pixels if isinstance(source, Picture) else source
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise make("not_a_picture", _("an array of {type}").format(type=pixels.dtype.name))
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise make("not_a_picture", _("an array of shape {shape}").format(shape=pixels.shape))
    if pixels.shape[0] * pixels.shape[1] > pictures.MAX_PIXELS:
        raise make("picture_too_large", f"{pixels.shape[1]} x {pixels.shape[0]}")
    native = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
    profile = source.icc_profile if isinstance(source, Picture) else None
    return Picture(native.reshape(*native.shape[:2], -1), profile)
