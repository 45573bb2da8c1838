"""GEGL buffers and babl formats of GIMP 2.10, through libgimp."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Tuple

from .libgimp import LIBRARY, Library

Area = Tuple[int, int, int, int]


class Rectangle(ctypes.Structure):
    """GeglRectangle."""

    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int)]


class Gegl:
    """The GEGL, babl and libgimp functions that move pixels. Making one starts GEGL."""

    def __init__(self, library: Library) -> None:
        function, pointer = library.function, ctypes.c_void_p
        rectangle = ctypes.POINTER(Rectangle)
        self.init = function("gegl_init", None, pointer, pointer)
        self.format = function("babl_format", pointer, ctypes.c_char_p)
        self.pixel_size = function("babl_format_get_bytes_per_pixel", ctypes.c_int, pointer)
        self.format_exists = function("babl_format_exists", ctypes.c_int, ctypes.c_char_p)
        self.name = function("babl_get_name", ctypes.c_char_p, pointer)
        self.get_buffer = function("gimp_drawable_get_buffer", pointer, ctypes.c_int32)
        self.get_shadow_buffer = function("gimp_drawable_get_shadow_buffer", pointer, ctypes.c_int32)
        self.drawable_format = function("gimp_drawable_get_format", pointer, ctypes.c_int32)
        self.read = function(
            "gegl_buffer_get", None, pointer, rectangle, ctypes.c_double, pointer, pointer, ctypes.c_int, ctypes.c_int
        )
        self.write = function("gegl_buffer_set", None, pointer, rectangle, ctypes.c_int, pointer, pointer, ctypes.c_int)
        self.flush = function("gegl_buffer_flush", None, pointer)
        self.unref = function("g_object_unref", None, pointer)
        self._start()

    def _start(self) -> None:
        # Loading all of GEGL's operations takes most of a second, and buffers need none of them.
        folder = os.environ.get("GEGL_PATH")
        os.environ["GEGL_PATH"] = os.devnull
        try:
            self.init(None, None)
        finally:
            if folder is None:
                del os.environ["GEGL_PATH"]
            else:
                os.environ["GEGL_PATH"] = folder


_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.restype, _new_bytes.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)
_bytes_address = ctypes.pythonapi.PyBytes_AsString
_bytes_address.restype, _bytes_address.argtypes = ctypes.c_void_p, (ctypes.py_object,)


class Buffers:
    """Opens, reads and writes drawables' buffers. GEGL is started when it is first needed."""

    def __init__(self) -> None:
        self._started: Gegl | None = None

    @property
    def _gegl(self) -> Gegl:
        if self._started is None:
            self._started = Gegl(LIBRARY)
        return self._started

    def format_of(self, drawable: int) -> str | None:
        """The babl format of a drawable's own pixels; None if there is no such drawable."""
        form = self._gegl.drawable_format(drawable)
        return self._gegl.name(form).decode("utf-8") if form else None

    def pixel_size(self, name: str) -> int:
        """Bytes per pixel of a babl format; ValueError if there is none of that name."""
        return int(self._gegl.pixel_size(self._format(name)))

    def _format(self, name: str) -> int:
        encoded = name.encode("utf-8")
        if not self._gegl.format_exists(encoded):
            raise ValueError(f"babl has no format {name!r}")  # asking for it would end the process
        return int(self._gegl.format(encoded))

    def open(self, drawable: int, shadow: bool) -> Buffer | None:
        """A drawable's buffer, or that of its shadow; None if there is no such drawable."""
        gegl = self._gegl
        pointer = (gegl.get_shadow_buffer if shadow else gegl.get_buffer)(drawable)
        return Buffer(gegl, pointer, drawable) if pointer else None

    def read(self, buffer: Buffer, area: Area, form: str | None, size: int) -> bytes:
        """The `size` bytes of an area, in a babl format, or without one in the drawable's own."""
        pixels: bytes = _new_bytes(None, size)
        gegl, rectangle = buffer.gegl, Rectangle(*area)
        gegl.read(buffer.pointer, rectangle, 1.0, self._chosen(buffer, form), _bytes_address(pixels), 0, 0)
        return pixels

    def write(self, buffer: Buffer, area: Area, form: str | None, pixels: Any) -> None:
        """Set the pixels of an area from a bytes-like object of the right size."""
        view = memoryview(pixels)
        if view.readonly:
            source: Any = pixels if isinstance(pixels, bytes) else view.tobytes()
            address = _bytes_address(source)
        else:
            source = (ctypes.c_char * view.nbytes).from_buffer(view)
            address = ctypes.addressof(source)
        buffer.gegl.write(buffer.pointer, Rectangle(*area), 0, self._chosen(buffer, form), address, 0)

    def _chosen(self, buffer: Buffer, form: str | None) -> int:
        return int(buffer.gegl.drawable_format(buffer.drawable)) if form is None else self._format(form)


class Buffer:
    """An open buffer of a drawable."""

    def __init__(self, gegl: Gegl, pointer: int, drawable: int) -> None:
        self.gegl, self.pointer, self.drawable = gegl, pointer, drawable

    def flush(self) -> None:
        """Send what was written to GIMP."""
        self.gegl.flush(self.pointer)

    def close(self) -> None:
        """Let go of the buffer and of its cached tiles."""
        self.gegl.unref(self.pointer)
