"""The GEGL buffers of drawables: opened, read, written and flushed so that GIMP and the plug-in see the same pixels.

Unless a format is named, everything is seen in 8 bits per component in the drawable's own layout, whatever its
precision. Layers are Y, YA, RGB or RGBA with gamma, or palette indices. Masks and the selection are Y as GIMP keeps
them, linear (the classic interface bent them by a gamma, so that 128 was read as 188), and so are channels, but for
those of 8-bit images, which GIMP keeps with gamma.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Tuple, Union

from ..errors import GimpError
from .libgimp import LIBRARY, Library

if TYPE_CHECKING:
    from .pixels import Tile

Key = Tuple[int, bool]
TileKey = Tuple[int, bool, int, int]
Readable = Union[bytes, bytearray, memoryview]

RGB_IMAGE, RGBA_IMAGE, GRAY_IMAGE, GRAYA_IMAGE, INDEXED_IMAGE, INDEXEDA_IMAGE = range(6)
FORMATS = {RGB_IMAGE: b"R'G'B' u8", RGBA_IMAGE: b"R'G'B'A u8", GRAY_IMAGE: b"Y' u8", GRAYA_IMAGE: b"Y'A u8"}
GAMMA_CHANNEL = b"Y' u8"
MASK_FORMAT = b"Y u8"
# GEGL keeps the tiles of an open buffer in memory, up to half of the machine's.
OPEN_BYTES = 2**27


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


class PixelStore:
    """The buffers that are open, and what was written to them but not yet sent to GIMP.

    A buffer stays open while only pixels move, and not too many of them. Before any procedure that may change the
    drawable, `settle` sends what was written and closes all buffers, so that neither side sees old pixels.
    """

    def __init__(self) -> None:
        self._gegl: Gegl | None = None
        self._buffers: dict[Key, int] = {}
        self._formats: dict[int, int] = {}
        self._tiles: dict[TileKey, bytearray] = {}
        self._tile_owners: dict[TileKey, Tile] = {}
        self._dirty_tiles: set[TileKey] = set()
        self._written: set[Key] = set()
        self._moved = 0
        self._writable: set[int] = set()

    @property
    def gegl(self) -> Gegl:
        """GEGL, started when it is first needed."""
        if self._gegl is None:
            self._gegl = Gegl(LIBRARY)
        return self._gegl

    def _buffer(self, key: Key, size: int) -> int:
        """The buffer that so many bytes are to be moved from or to."""
        self._moved += size
        if self._moved > OPEN_BYTES:
            self._send()
            self._close()
            self._moved = size
        buffer = self._buffers.get(key)
        if buffer is None:
            get = self.gegl.get_shadow_buffer if key[1] else self.gegl.get_buffer
            buffer = get(key[0])
            if not buffer:
                raise GimpError(f"the drawable with ID {key[0]} has no pixels any more")
            self._buffers[key] = buffer
        return buffer

    def format_name(self, drawable: Any) -> str:
        """The babl format of the drawable's own pixels; reading and writing in it keeps every bit."""
        form = self.gegl.drawable_format(drawable.ID)
        if not form:
            raise GimpError(f"the drawable with ID {drawable.ID} has no pixels any more")
        name: bytes = self.gegl.name(form)
        return name.decode("utf-8")

    def bytes_per_pixel(self, name: str) -> int:
        """Of a babl format by its name; ValueError if there is no such format."""
        return int(self.gegl.pixel_size(self._named(name)))

    def _named(self, name: str) -> int:
        encoded = name.encode("utf-8")
        if not self.gegl.format_exists(encoded):
            raise ValueError(f"babl has no format {name!r}")  # asking for it would end the process
        return int(self.gegl.format(encoded))

    def _format(self, drawable: Any, name: str | None) -> int:
        if name is not None:
            return self._named(name)
        identity = drawable.ID
        if identity not in self._formats:
            gegl, kind = self.gegl, drawable.type
            if drawable.is_channel:
                has_gamma = gegl.name(gegl.drawable_format(identity)) == GAMMA_CHANNEL
                self._formats[identity] = gegl.format(GAMMA_CHANNEL if has_gamma else MASK_FORMAT)
            elif kind in FORMATS:
                self._formats[identity] = gegl.format(FORMATS[kind])
            else:
                self._formats[identity] = gegl.drawable_format(identity)
        return self._formats[identity]

    def read(
        self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, bpp: int, name: str | None = None
    ) -> bytes:
        """The pixels of a rectangle, row by row; `name` is a babl format's."""
        if self._dirty_tiles:
            self._write_tiles()
        form = self._format(drawable, name)
        return self._get((drawable.ID, shadow), form, Rectangle(x, y, width, height), bpp)

    def read_format(self, drawable_id: int, width: int, height: int, name: str) -> bytes:
        """All pixels in a babl format."""
        self.flush()
        form = self._named(name)
        return self._get((drawable_id, False), form, Rectangle(0, 0, width, height), self.gegl.pixel_size(form))

    def _get(self, key: Key, form: int, area: Rectangle, bpp: int) -> bytes:
        pixels: bytes = _new_bytes(None, area.width * area.height * bpp)
        self.gegl.read(self._buffer(key, len(pixels)), area, 1.0, form, _bytes_address(pixels), 0, 0)
        return pixels

    def write(
        self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, pixels: Any, name: str | None = None
    ) -> None:
        """Set the pixels of a rectangle from a bytes-like object of the right length; `name` is a babl format's."""
        if self._tiles:
            self._write_tiles()
            self._tiles.clear()
        self._check_writable(drawable)
        self._set(drawable, shadow, Rectangle(x, y, width, height), pixels, self._format(drawable, name))

    def _set(self, drawable: Any, shadow: bool, area: Rectangle, pixels: Any, form: int) -> None:
        key = (drawable.ID, shadow)
        view = memoryview(pixels)
        buffer = self._buffer(key, view.nbytes)
        if view.readonly:
            source: Any = pixels if isinstance(pixels, bytes) else view.tobytes()
            address = _bytes_address(source)
        else:
            source = (ctypes.c_char * view.nbytes).from_buffer(view)
            address = ctypes.addressof(source)
        self._written.add(key)
        self.gegl.write(buffer, area, 0, form, address, 0)

    def tile(self, tile: Tile) -> bytearray:
        """The pixels of a tile, to be looked at."""
        pixels = self._tiles.get(tile.key)
        if pixels is None:
            area = (tile.x, tile.y, tile.ewidth, tile.eheight)
            pixels = self._tiles[tile.key] = bytearray(self.read(tile.drawable, tile.shadow, *area, tile.bpp))
            self._tile_owners[tile.key] = tile
        return pixels

    def change_tile(self, tile: Tile, start: int, pixel: Readable) -> None:
        """Set one pixel of a tile; `start` counts bytes."""
        self._check_writable(tile.drawable)
        self.tile(tile)[start : start + tile.bpp] = pixel
        self._dirty_tiles.add(tile.key)

    def _check_writable(self, drawable: Any) -> None:
        """GIMP kills a plug-in that writes to a locked layer or a group, so it must not come to that."""
        if drawable.ID in self._writable:
            return
        if drawable.is_group:
            raise GimpError(f"the pixels of the layer group '{drawable.name}' can't be written")
        item = drawable.layer if drawable.is_layer_mask else drawable
        while item is not None:
            if item.lock_content:
                raise GimpError(f"'{item.name}' is locked: its pixels can't be written")
            item = item.parent
        self._writable.add(drawable.ID)

    def is_tile_dirty(self, tile: Tile) -> bool:
        """Whether the tile has changes that were not sent."""
        return tile.key in self._dirty_tiles

    def _write_tiles(self) -> None:
        dirty, self._dirty_tiles = self._dirty_tiles, set()
        for key in dirty:
            tile = self._tile_owners[key]
            area, form = Rectangle(tile.x, tile.y, tile.ewidth, tile.eheight), self._format(tile.drawable, None)
            self._set(tile.drawable, tile.shadow, area, self._tiles[key], form)

    def flush(self) -> None:
        """Send all that was written to GIMP."""
        if self._dirty_tiles:
            self._write_tiles()
        self._send()

    def _send(self) -> None:
        for key in self._written:
            self.gegl.flush(self._buffers[key])
        self._written.clear()

    def _close(self) -> None:
        for buffer in self._buffers.values():
            self.gegl.unref(buffer)
        self._buffers.clear()

    def settle(self, only_reads: bool = False) -> None:
        """Before a procedure is called: send what was written, and close the buffers unless it `only_reads`."""
        if self._written or self._dirty_tiles:
            self.flush()
        if not only_reads:
            self._writable.clear()
        if self._buffers and not only_reads:
            self._close()
            self._formats.clear()
            self._tiles.clear()
            self._tile_owners.clear()


STORE = PixelStore()
tile_size = LIBRARY.function("gimp_tile_width", ctypes.c_uint)
