"""GEGL buffers and babl formats of GIMP 3, through introspection.

A format's name stands for its encoding in the drawable's own colour space, so that a profile changes no number, as on
GIMP 2.10.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .library import Babl, Gegl, Gimp

if TYPE_CHECKING:
    from ..contract.backend import Area

PALETTE = "indexed"


class Buffers:
    """See the contract."""

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
        """See the contract."""
        self._start()
        found = _drawable(drawable)
        return None if found is None else _encoding(found.get_format())

    def pixel_size(self, name: str) -> int:
        """See the contract."""
        self._start()
        return int(Babl.format_get_bytes_per_pixel(_format(name)))

    def open(self, drawable: int, shadow: bool) -> Buffer | None:
        """See the contract."""
        self._start()
        found = _drawable(drawable)
        if found is None:
            return None
        return Buffer(found.get_shadow_buffer() if shadow else found.get_buffer(), found.get_format())


class Buffer:
    """An open buffer of a drawable."""

    def __init__(self, gegl: Any, form: Any) -> None:
        self._gegl: Any = gegl
        self._name, self._encoding = str(Babl.get_name(form)), _encoding(form)
        self._space = Babl.format_get_space(form)

    def read(self, area: Area, form: str | None, size: int) -> bytes:
        """See the contract."""
        rectangle = Gegl.Rectangle.new(*area)
        pixels: bytes = self._gegl.get(rectangle, 1.0, self._chosen(form), Gegl.AbyssPolicy.NONE)
        return pixels

    def write(self, area: Area, form: str | None, pixels: Any) -> None:
        """See the contract."""
        data = pixels if isinstance(pixels, bytes) else bytes(pixels)
        self._gegl.set(Gegl.Rectangle.new(*area), self._chosen(form), data)

    def _chosen(self, form: str | None) -> str:
        """The name that babl finds the format by; one with a space is known by a name of its own once it is made."""
        if form is None or form == self._encoding:
            return self._name
        _format(form)
        return str(Babl.get_name(Babl.format_with_space(form, self._space)))

    def flush(self) -> None:
        """See the contract."""
        self._gegl.flush()

    def close(self) -> None:
        """See the contract."""
        self._gegl = None


def _format(name: str) -> Any:
    """A babl format; ValueError if there is none of that name, as asking for it would end the process."""
    if not Babl.format_exists(name):
        raise ValueError(f"babl has no format {name!r}")
    return Babl.format(name)


def _drawable(identity: int) -> Any:
    return Gimp.Item.get_by_id(identity) if Gimp.Item.id_is_drawable(identity) else None


def _encoding(form: Any) -> str:
    return PALETTE if Babl.format_is_palette(form) else str(Babl.format_get_encoding(form))
