"""A contact sheet: one HTML file with each picture beside its cut-out, small, and nothing from elsewhere."""

from __future__ import annotations

import base64
import html
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any
from urllib.parse import quote

import numpy as np
import pyvips
from numpy.typing import NDArray

from .. import atomic, errors, language
from ..imaging import pictures
from ..imaging.pictures import Picture
from ..language import _, ngettext

SIDE = 256
"""The longer side of a small picture, in pixels."""
_SQUARE = 8
_QUALITY = 80
_PROFILE = "icc-profile-data"
_HEAD = Template(
    """<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Layerlift: $title</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 24px 16px; }
figure { margin: 0; min-width: 0; }
figure div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
a { color: inherit; }
img { width: 100%; height: 170px; object-fit: contain; background: #8882; display: block; }
figcaption { overflow-wrap: anywhere; margin-top: 4px; }
small { opacity: .7; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>$title</h1>
<main>
"""
)
_FIGURE = Template(
    """<figure><div><a href="$source"><img alt="$before_word" src="$before"></a>\
<a href="$target"><img alt="$after_word" src="$after"></a></div>\
<figcaption>$name <small>$note</small></figcaption></figure>
"""
)
_TAIL = Template(
    """</main>
<h2>$heading</h2>
<pre>$summary</pre>
</body>
</html>
"""
)


class Sheet:
    """Collects pictures on the disk as they come, and is written as a whole at the end of the `with` block, however
    that ends.

    Args:
        path: the file that it becomes; that of an earlier run is replaced.

    Raises:
        SetupError: ``disk``, where it can't be written: at the beginning of the block, or at its end.
    """

    def __init__(self, path: Path) -> None:
        self.summary = ""
        """What stands below the pictures."""
        self._path = path
        self._guard = threading.Lock()
        self._places: dict[int, tuple[int, int]] = {}
        self._closed = False
        self._error: OSError | None = None

    def __enter__(self) -> Sheet:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._spool = tempfile.TemporaryFile(dir=self._path.parent)
        except OSError as error:
            raise self._make_error(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._closed = True
            try:
                if self._error is not None:
                    raise self._error
                self._write()
            except OSError as found:
                raise self._make_error(found) from found
            finally:
                self._spool.close()

    def add(self, number: int, pair: tuple[Path, Path], before: Picture, after: Picture, note: str = "") -> None:
        """Adds a picture and its cut-out (or mask), the files of both, and a few words. What comes too late is let go.

        Args:
            number: its place on the sheet, whenever it comes.
        """
        source, target = pair
        figure = _FIGURE.substitute(
            source=self._address(source),
            target=self._address(target),
            before=_embed(before),
            after=_embed(after),
            # Translators: a picture before its background is removed.
            before_word=html.escape(_("before")),
            # Translators: a picture after its background is removed.
            after_word=html.escape(_("after")),
            name=html.escape(str(source)),
            note=html.escape(note),
        ).encode(errors="replace")
        with self._guard:
            if self._closed:
                return
            try:
                start = self._spool.seek(0, os.SEEK_END)
                self._spool.write(figure)
                self._places[number] = start, len(figure)
            except OSError as error:
                # The picture itself is well.
                self._error = error

    def _write(self) -> None:
        count = len(self._places)
        title = html.escape(ngettext("{count} picture", "{count} pictures", count).format(count=count))
        # Translators: the heading of a table of how many pictures are done, have failed, and so on.
        heading, summary = html.escape(_("Summary")), html.escape(self.summary)
        with atomic.replacing(self._path) as part, part.open("wb") as file:
            file.write(_HEAD.substitute(language=language.tag(), title=title).encode())
            for figure in self._figures():
                file.write(figure)
            file.write(_TAIL.substitute(heading=heading, summary=summary).encode(errors="replace"))

    def _figures(self) -> Iterator[bytes]:
        for number in sorted(self._places):
            start, length = self._places[number]
            self._spool.seek(start)
            yield self._spool.read(length)

    def _address(self, path: Path) -> str:
        try:
            relative = os.path.relpath(path, self._path.parent)
        except ValueError:  # another drive of Windows
            return html.escape(path.resolve().as_uri())
        return html.escape(quote(os.fsencode(Path(relative).as_posix())))

    def _make_error(self, error: OSError) -> errors.LayerliftError:
        return errors.make("disk", f"{self._path} ({error.strerror})")


def _embed(picture: Picture) -> str:
    """A small JPEG of the picture, on a checkerboard where it is transparent, as an address that holds it."""
    image = pictures.to_vips(np.ascontiguousarray(_shrink(picture)))
    data = image.jpegsave_buffer(Q=_QUALITY, strip=True)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _shrink(picture: Picture) -> NDArray[np.uint8]:
    """The picture's pixels (height, width, 3) in sRGB, at most `SIDE` a side."""
    image = pictures.to_vips(picture.pixels)
    try:
        profiled = image.copy()
        if picture.icc_profile is not None:
            profiled.set_type(pyvips.GValue.blob_type, _PROFILE, picture.icc_profile)
        pixels = _reduce(profiled)
    except pyvips.Error:
        # a profile that does not fit: the colours are taken for sRGB
        pixels = _reduce(image)
    if pixels.shape[2] == 3:
        return pixels
    height, width = pixels.shape[:2]
    rows, columns = np.arange(height)[:, None] // _SQUARE, np.arange(width) // _SQUARE
    board = np.where((rows + columns) % 2, 255.0, 204.0)[:, :, None]
    alpha = pixels[:, :, 3:] / 255.0
    return np.rint(pixels[:, :, :3] * alpha + board * (1 - alpha)).astype(np.uint8)


def _reduce(image: Any) -> NDArray[np.uint8]:
    """(height, width, 3 or 4)."""
    small = image.thumbnail_image(SIDE, height=SIDE, size="down", output_profile="srgb").colourspace("srgb")
    pixels: NDArray[np.uint8] = pictures.from_vips(small.cast("uchar")).astype(np.uint8, copy=False)
    return pixels
