"""GEGL buffers and babl formats of GIMP 3, through introspection.

A format's name stands for its encoding in the drawable's own colour space, so that a profile changes no number, as on
GIMP 2.10.
"""

from __future__ import annotations

import os
from typing import Any, Tuple

from .library import Babl, Gegl, Gimp

Area = Tuple[int, int, int, int]
PALETTE = "indexed"


class Buffers:
    """Opens, reads and writes drawables' buffers."""

    def __init__(self) -> None:
        self._started = False

    def _start(self) -> None:
        if self._started:
            return
        # Without this, formats and buffers crash the plug-in; the operations take most of its time, and no buffer
        # needs one.
        folder = os.environ.get("GEGL_PATH")
        os.environ["GEGL_PATH"] = os.devnull
        try:
            Gegl.init(None)
        finally:
            if folder is None:
                del os.environ["GEGL_PATH"]
            else:
                os.environ["GEGL_PATH"] = folder
        self._started = True

    def format_of(self, drawable: int) -> str | None:
        """The babl encoding of a drawable's own pixels; None if there is no such drawable."""
        self._start()
        found = _drawable(drawable)
        return None if found is None else _encoding(found.get_format())

    def pixel_size(self, name: str) -> int:
        """Bytes per pixel of a babl format; ValueError if there is none of that name."""
        self._start()
        if not Babl.format_exists(name):
            raise ValueError(f"babl has no format {name!r}")  # asking for it would end the process
        return int(Babl.format_get_bytes_per_pixel(Babl.format(name)))

    def open(self, drawable: int, shadow: bool) -> Buffer | None:
        """A drawable's buffer, or that of its shadow; None if there is no such drawable."""
        self._start()
        found = _drawable(drawable)
        if found is None:
            return None
        return Buffer(found.get_shadow_buffer() if shadow else found.get_buffer(), found.get_format())

    def read(self, buffer: Buffer, area: Area, form: str | None, size: int) -> bytes:
        """The `size` bytes of an area, in a babl format, or without one in the drawable's own."""
        name = self._chosen(buffer, form)
        pixels: bytes = buffer.gegl.get(Gegl.Rectangle.new(*area), 1.0, name, Gegl.AbyssPolicy.NONE)
        return pixels

    def write(self, buffer: Buffer, area: Area, form: str | None, pixels: Any) -> None:
        """Set the pixels of an area from a bytes-like object of the right size."""
        data = pixels if isinstance(pixels, bytes) else bytes(pixels)
        buffer.gegl.set(Gegl.Rectangle.new(*area), self._chosen(buffer, form), data)

    def _chosen(self, buffer: Buffer, form: str | None) -> str:
        """The name that babl finds the format by; one with a space is known by a name of its own once it is made."""
        if form is None or form == buffer.encoding:
            return buffer.name
        self.pixel_size(form)
        return str(Babl.get_name(Babl.format_with_space(form, buffer.space)))


class Buffer:
    """An open buffer of a drawable."""

    def __init__(self, gegl: Any, form: Any) -> None:
        self.gegl: Any = gegl
        self.name, self.encoding = str(Babl.get_name(form)), _encoding(form)
        self.space = Babl.format_get_space(form)

    def flush(self) -> None:
        """Send what was written to GIMP."""
        self.gegl.flush()

    def close(self) -> None:
        """Let go of the buffer and of its cached tiles."""
        self.gegl = None


def _drawable(identity: int) -> Any:
    return Gimp.Item.get_by_id(identity) if Gimp.Item.id_is_drawable(identity) else None


def _encoding(form: Any) -> str:
    return PALETTE if Babl.format_is_palette(form) else str(Babl.format_get_encoding(form))
