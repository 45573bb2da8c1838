"""The one table of picture files: by what they are known, and what reads them. A new format is a line here."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """One kind of file."""

    suffixes: tuple[str, ...] = ()
    """Files of a folder with these names are pictures; any other file is one if it is named itself."""
    heads: tuple[bytes, ...] = ()
    """What its data begins with, where libvips reads it."""
    loader: str = ""
    """The operation of libvips."""
    pillow: tuple[str, ...] = ()
    """Pillow's names for it, where Pillow reads it. It knows far more, some by starting other programs."""


FORMATS = (
    Format((".jpg", ".jpeg"), (b"\xff\xd8\xff",), "jpegload_source"),
    Format((".png",), (b"\x89PNG\r\n\x1a\n",), "pngload_source"),
    Format((".tif", ".tiff"), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "tiffload_source"),
    Format((".webp",), (b"RIFF",), "webpload_source"),
    Format((".gif",), (b"GIF8",), "gifload_source"),
    Format((".bmp",), pillow=("BMP", "DIB")),
    Format(pillow=("TGA", "PPM")),
)
SUFFIXES = {suffix for known in FORMATS for suffix in known.suffixes}
RESULTS = (".jpg", ".png")
"""The suffixes of what the service returns."""
PILLOW = tuple(name for known in FORMATS for name in known.pillow)


def find_loader(head: bytes) -> str | None:
    """The operation of libvips for a file that begins so, None where Pillow has to read it."""
    found = _find(head)
    return found.loader if found else None


def find_suffix(head: bytes) -> str | None:
    """The usual suffix of a file that begins so, None where Pillow has to read it."""
    found = _find(head)
    return found.suffixes[0] if found else None


def _find(head: bytes) -> Format | None:
    return next((known for known in FORMATS if known.heads and head.startswith(known.heads)), None)
