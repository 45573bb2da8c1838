"""GEGL buffers and babl formats of GIMP 2.10, through libgimp."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

from .libgimp import LIBRARY, Library

if TYPE_CHECKING:
    from ..contract.backend import Area


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

    def find_format(self, name: str) -> int:
        """The address of a babl format; ValueError if there is none of that name."""
        encoded = name.encode("utf-8")
        if not self.format_exists(encoded):
            raise ValueError(f"babl has no format {name!r}")  # asking for it would end the process
        return int(self.format(encoded))


_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.restype, _new_bytes.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)
_bytes_address = ctypes.pythonapi.PyBytes_AsString
_bytes_address.restype, _bytes_address.argtypes = ctypes.c_void_p, (ctypes.py_object,)


class Buffers:
    """See the contract."""

    def __init__(self) -> None:
        self._started: Gegl | None = None

    @property
    def _gegl(self) -> Gegl:
        if self._started is None:
            self._started = Gegl(LIBRARY)
        return self._started

    def format_of(self, drawable: int) -> str | None:
        """See the contract."""
        form = self._gegl.drawable_format(drawable)
        return self._gegl.name(form).decode("utf-8") if form else None

    def pixel_size(self, name: str) -> int:
        """See the contract."""
        return int(self._gegl.pixel_size(self._gegl.find_format(name)))

    def open(self, drawable: int, shadow: bool) -> Buffer | None:
        """See the contract."""
        gegl = self._gegl
        pointer = (gegl.get_shadow_buffer if shadow else gegl.get_buffer)(drawable)
        return Buffer(gegl, pointer, drawable) if pointer else None


class Buffer:
    """An open buffer of a drawable."""

    def __init__(self, gegl: Gegl, pointer: int, drawable: int) -> None:
        self._gegl, self._pointer, self._drawable = gegl, pointer, drawable

    def read(self, area: Area, form: str | None, size: int) -> bytes:
        """See the contract."""
        pixels: bytes = _new_bytes(None, size)
        rectangle = Rectangle(*area)
        self._gegl.read(self._pointer, rectangle, 1.0, self._chosen(form), _bytes_address(pixels), 0, 0)
        return pixels

    def write(self, area: Area, form: str | None, pixels: Any) -> None:
        """See the contract."""
        view = memoryview(pixels)
        if view.readonly:
            source: Any = pixels if isinstance(pixels, bytes) else view.tobytes()
            address = _bytes_address(source)
        else:
            source = (ctypes.c_char * view.nbytes).from_buffer(view)
            address = ctypes.addressof(source)
        self._gegl.write(self._pointer, Rectangle(*area), 0, self._chosen(form), address, 0)

    def _chosen(self, form: str | None) -> int:
        return int(self._gegl.drawable_format(self._drawable)) if form is None else self._gegl.find_format(form)

    def flush(self) -> None:
        """See the contract."""
        self._gegl.flush(self._pointer)

    def close(self) -> None:
        """See the contract."""
        self._gegl.unref(self._pointer)
