"""What stands behind the offline service: picture bytes in, the bytes of a PNG cut-out out."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, UnidentifiedImageError

from ..imaging.makers import Maker

Engine = Callable[[bytes], bytes]

MAX_BYTES = 10_000_000
MAX_SIDE = 4096


class EngineError(Exception):
    """An engine's failure on a picture, with the service's `code` for it."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message or code


def check(picture: bytes, max_bytes: float = MAX_BYTES) -> None:
    """Refuse what the service refuses: above 10 MB, above 4096 px, neither JPEG nor PNG. Raises EngineError."""
    if len(picture) > max_bytes:
        raise EngineError("exceed_max_filesize", f"The file is larger than {max_bytes} bytes")
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
            size = image.size
    except Image.DecompressionBombError as error:
        raise EngineError("error_exceed_max_image_size", "The picture has too many pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise EngineError("error_decode_image", "The picture is neither JPG nor PNG") from error
    if max(size) > MAX_SIDE:
        raise EngineError("error_exceed_max_image_size", f"{size[0]} x {size[1]} is above {MAX_SIDE} pixels")


def luma_key(picture: bytes) -> bytes:
    """An exactly known cut-out for tests: the darker, the more opaque.

    Alpha is ``round((255 - Y) / 51) * 51`` with Y the picture's luma (ITU-R 601, as in Pillow's mode "L"): six
    levels, so that flat areas keep their exact alpha through a JPEG. Raises EngineError `error_no_subject` where all
    of it would be transparent.
    """
    image = decode(picture)
    alpha = image.convert("L").point([round((255 - luma) / 51) * 51 for luma in range(256)])
    if alpha.getextrema()[1] == 0:
        raise EngineError("error_no_subject", "No subject was found")
    return cut_out(image, alpha)


def decode(picture: bytes) -> Image.Image:
    """The picture as RGB, fully read."""
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise EngineError("error_decode_image", "The picture could not be decoded") from error


def cut_out(image: Image.Image, alpha: Image.Image, maker: Maker | None = None) -> bytes:
    """RGBA PNG of an RGB picture and its alpha, both of one size, which says who made it."""
    image.putalpha(alpha)
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1, pnginfo=maker.as_chunks() if maker else None)
    return stream.getvalue()
