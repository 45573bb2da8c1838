"""Pixels: gimp.PixelRgn, Tile and PixelFetcher, all over the drawable's GEGL buffer.

All see a drawable as the classic interface does, whatever its precision: 8 bits per component in its own layout. Layers
are Y, YA, RGB or RGBA with gamma, or palette indices. Masks and the selection are Y as GIMP keeps them, linear (the
classic interface bent them by a gamma, so that 128 was read as 188), and so are channels, but for those of 8-bit
images, which GIMP keeps with gamma.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Tuple, Union

from .colors import RGB
from .libgimp import LIBRARY, Library

Key = Tuple[int, bool]
TileKey = Tuple[int, bool, int, int]
Readable = Union[bytes, bytearray, memoryview]

RGB_IMAGE, RGBA_IMAGE, GRAY_IMAGE, GRAYA_IMAGE, INDEXED_IMAGE, INDEXEDA_IMAGE = range(6)
FORMATS = {RGB_IMAGE: b"R'G'B' u8", RGBA_IMAGE: b"R'G'B'A u8", GRAY_IMAGE: b"Y' u8", GRAYA_IMAGE: b"Y'A u8"}
BYTES_PER_PIXEL = (3, 4, 1, 2, 1, 2)
GAMMA_CHANNEL = b"Y' u8"
MASK_FORMAT = b"Y u8"
EDGE_NONE, EDGE_WRAP, EDGE_SMEAR, EDGE_BLACK, EDGE_BACKGROUND = range(5)


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

    A buffer stays open while only pixels move. Before any procedure that may change the drawable, `settle` sends what
    was written and closes all buffers, so that neither side sees old pixels.
    """

    def __init__(self) -> None:
        self._gegl: Gegl | None = None
        self._buffers: dict[Key, int] = {}
        self._formats: dict[int, int] = {}
        self._tiles: dict[TileKey, bytearray] = {}
        self._tile_owners: dict[TileKey, Tile] = {}
        self._dirty_tiles: set[TileKey] = set()
        self._written: set[Key] = set()

    @property
    def gegl(self) -> Gegl:
        """GEGL, started when it is first needed."""
        if self._gegl is None:
            self._gegl = Gegl(LIBRARY)
        return self._gegl

    def _buffer(self, key: Key) -> int:
        buffer = self._buffers.get(key)
        if buffer is None:
            get = self.gegl.get_shadow_buffer if key[1] else self.gegl.get_buffer
            buffer = get(key[0])
            if not buffer:
                raise RuntimeError(f"the drawable with ID {key[0]} has no pixels any more")
            self._buffers[key] = buffer
        return buffer

    def _format(self, drawable: Any) -> int:
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

    def read(self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, bpp: int) -> bytes:
        """The pixels of a rectangle, row by row."""
        if self._dirty_tiles:
            self._write_tiles()
        form = self._format(drawable)
        return self._get((drawable.ID, shadow), form, Rectangle(x, y, width, height), bpp)

    def read_format(self, drawable_id: int, width: int, height: int, name: str) -> bytes:
        """All pixels in a babl format."""
        self.flush()
        if not self.gegl.format_exists(name.encode("ascii")):
            raise ValueError(f"babl has no format {name!r}")  # asking for it would end the process
        form = self.gegl.format(name.encode("ascii"))
        return self._get((drawable_id, False), form, Rectangle(0, 0, width, height), self.gegl.pixel_size(form))

    def _get(self, key: Key, form: int, area: Rectangle, bpp: int) -> bytes:
        pixels: bytes = _new_bytes(None, area.width * area.height * bpp)
        self.gegl.read(self._buffer(key), area, 1.0, form, _bytes_address(pixels), 0, 0)
        return pixels

    def write(self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, pixels: Any) -> None:
        """Set the pixels of a rectangle from a bytes-like object of the right length."""
        if self._tiles:
            self._write_tiles()
            self._tiles.clear()
        self._set(drawable, shadow, x, y, width, height, pixels)

    def _set(self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, pixels: Any) -> None:
        key = (drawable.ID, shadow)
        form, buffer = self._format(drawable), self._buffer(key)
        view = memoryview(pixels)
        if view.readonly:
            source: Any = pixels if isinstance(pixels, bytes) else view.tobytes()
            address = _bytes_address(source)
        else:
            source = (ctypes.c_char * view.nbytes).from_buffer(view)
            address = ctypes.addressof(source)
        self._written.add(key)
        self.gegl.write(buffer, Rectangle(x, y, width, height), 0, form, address, 0)

    def tile(self, tile: Tile) -> bytearray:
        """The pixels of a tile; change them in place and tell `tile_changed`."""
        pixels = self._tiles.get(tile.key)
        if pixels is None:
            area = (tile.x, tile.y, tile.ewidth, tile.eheight)
            pixels = self._tiles[tile.key] = bytearray(self.read(tile.drawable, tile.shadow, *area, tile.bpp))
            self._tile_owners[tile.key] = tile
        return pixels

    def tile_changed(self, tile: Tile) -> None:
        """Remember to write this tile."""
        self._dirty_tiles.add(tile.key)

    def is_tile_dirty(self, tile: Tile) -> bool:
        """Whether the tile has changes that were not sent."""
        return tile.key in self._dirty_tiles

    def _write_tiles(self) -> None:
        for key in self._dirty_tiles:
            tile = self._tile_owners[key]
            self._set(tile.drawable, tile.shadow, tile.x, tile.y, tile.ewidth, tile.eheight, self._tiles[key])
        self._dirty_tiles.clear()

    def flush(self) -> None:
        """Send all that was written to GIMP."""
        if self._dirty_tiles:
            self._write_tiles()
        for key in self._written:
            self.gegl.flush(self._buffers[key])
        self._written.clear()

    def settle(self, only_reads: bool = False) -> None:
        """Before a procedure is called: send what was written, and close the buffers unless it `only_reads`."""
        if self._written or self._dirty_tiles:
            self.flush()
        if self._buffers and not only_reads:
            for buffer in self._buffers.values():
                self.gegl.unref(buffer)
            self._buffers.clear()
            self._formats.clear()
            self._tiles.clear()
            self._tile_owners.clear()


STORE = PixelStore()
tile_size = LIBRARY.function("gimp_tile_width", ctypes.c_uint)


def _range(key: Any, start: int, length: int, axis: str) -> tuple[int, int]:
    """The (first, count) that a subscript stands for; positions count from the drawable's corner."""
    if isinstance(key, slice):
        end = start + length
        first, last = (0 if key.start is None else key.start), (end if key.stop is None else key.stop)
        first, last = (first + end if first < 0 else first), (last + end if last < 0 else last)
        if key.step not in (None, 1) or first >= last or last > end:
            raise IndexError(f"invalid {axis} slice")
        first = first or start
        if first < start:
            raise IndexError(f"{axis} subscript out of range")
        return first, last - first
    if not isinstance(key, int):
        raise TypeError(f"invalid {axis} subscript")
    if not start <= key < start + length:
        raise IndexError(f"{axis} subscript out of range")
    return key, 1


class PixelRgn:
    """The pixels of a rectangle of a drawable, or of its shadow: rgn[x, y] and rgn[x0:x1, y0:y1] are bytes.

    A region that reaches over the drawable's edge is cut there. What is written arrives at the next flush(),
    procedure call, or end of the run.
    """

    def __init__(self, drawable: Any, x: int, y: int, width: int, height: int,
                 dirty: bool = True, shadow: bool = False) -> None:  # fmt: skip
        self.drawable = drawable
        self.bpp = drawable.bpp
        self.dirty, self.shadow = bool(dirty), bool(shadow)
        self._limits = (drawable.width, drawable.height)
        self.resize(x, y, width, height)

    def resize(self, x: int, y: int, width: int, height: int) -> None:
        """Stand for another rectangle."""
        limit_x, limit_y = self._limits
        self.x, self.y = min(max(x, 0), limit_x - 1), min(max(y, 0), limit_y - 1)
        self.w = limit_x - self.x if width < 0 else min(width, limit_x - self.x)
        self.h = limit_y - self.y if height < 0 else min(height, limit_y - self.y)
        self.rowstride = self.w * self.bpp

    def _area(self, key: Any) -> tuple[int, int, int, int]:
        if not isinstance(key, tuple) or len(key) != 2:
            raise TypeError("subscript must be a 2-tuple")
        (x, width), (y, height) = _range(key[0], self.x, self.w, "x"), _range(key[1], self.y, self.h, "y")
        return x, y, width, height

    def __getitem__(self, key: Any) -> bytes:
        return STORE.read(self.drawable, self.shadow, *self._area(key), self.bpp)

    def __setitem__(self, key: Any, pixels: Any) -> None:
        x, y, width, height = self._area(key)
        size = memoryview(pixels).nbytes
        if size != width * height * self.bpp:
            needed = width * height * self.bpp
            raise TypeError(f"{size} bytes were assigned where {width} x {height} pixels need {needed}")
        STORE.write(self.drawable, self.shadow, x, y, width, height, pixels)

    def __len__(self) -> int:
        raise TypeError("Can't get size of pixel region")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<gimp.PixelRgn for drawable '{self.drawable.name}'>"


class Tile:
    """A square of gimp.tile_width() pixels, less at the edges: tile[index] and tile[x, y] are bytes."""

    def __init__(self, drawable: Any, shadow: bool, row: int, col: int) -> None:
        self.drawable, self.shadow = drawable, bool(shadow)
        self.key = (drawable.ID, self.shadow, row, col)
        size = tile_size()
        self.x, self.y = col * size, row * size
        self.bpp = drawable.bpp
        self.ewidth, self.eheight = min(size, drawable.width - self.x), min(size, drawable.height - self.y)
        self.tile_num = row * (-(-drawable.width // size)) + col

    @classmethod
    def at(cls, drawable: Any, shadow: bool, row: int, col: int) -> Tile | None:
        """The tile in this row and column, None beyond the edge."""
        rows, columns = -(-drawable.height // tile_size()), -(-drawable.width // tile_size())
        return cls(drawable, shadow, row, col) if 0 <= row < rows and 0 <= col < columns else None

    @property
    def dirty(self) -> bool:
        """Whether there are changes that were not sent to GIMP."""
        return STORE.is_tile_dirty(self)

    def flush(self) -> None:
        """Send the changes to GIMP."""
        STORE.flush()

    def _offset(self, key: Any) -> int:
        if isinstance(key, tuple):
            x, y = key
            if not (0 <= x < self.ewidth and 0 <= y < self.eheight):
                raise IndexError("index out of range")
            return int((x + y * self.ewidth) * self.bpp)
        if not isinstance(key, int):
            raise TypeError("tile subscript not int or 2-tuple")
        if not 0 <= key < len(self):
            raise IndexError("index out of range")
        return int(key * self.bpp)

    def __len__(self) -> int:
        return int(self.ewidth * self.eheight)

    def __getitem__(self, key: Any) -> bytes:
        start = self._offset(key)
        return bytes(STORE.tile(self)[start : start + self.bpp])

    def __setitem__(self, key: Any, pixel: Readable) -> None:
        start = self._offset(key)
        if len(pixel) != self.bpp:
            raise TypeError(f"pixel must be {self.bpp} bytes")
        STORE.tile(self)[start : start + self.bpp] = pixel
        STORE.tile_changed(self)

    def __repr__(self) -> str:
        return "<gimp.Tile for drawable '{}'{}>".format(self.drawable.name, " (shadow)" if self.shadow else "")


class PixelFetcher:
    """Single pixels anywhere, also beyond the edge, where `edge_mode` says what is there: fetcher[x, y] is bytes."""

    def __init__(self, drawable: Any, shadow: bool = False, bg_color: Any = (0.0, 0.0, 0.0, 1.0),
                 edge_mode: int = EDGE_NONE) -> None:  # fmt: skip
        self.drawable, self.shadow = drawable, bool(shadow)
        self.bpp, self.edge_mode = drawable.bpp, int(edge_mode)
        self._size, self._tile_size = (drawable.width, drawable.height), tile_size()
        self._tiles: dict[tuple[int, int], Tile] = {}
        self.bg_color = bg_color

    @property
    def bg_color(self) -> RGB:
        """What PIXEL_FETCHER_EDGE_BACKGROUND shows beyond the edge."""
        return self._bg_color

    @bg_color.setter
    def bg_color(self, color: Any) -> None:
        self._bg_color = RGB.of(color)
        red, green, blue, alpha = self._bg_color
        gray = int(self._bg_color.luminance() * 255 + 0.5)
        self._background = bytes({1: (gray,), 2: (gray, alpha), 3: (red, green, blue)}.get(
            self.bpp, (red, green, blue, alpha)))  # fmt: skip

    def _tile(self, x: int, y: int) -> Tile:
        place = (y // self._tile_size, x // self._tile_size)
        tile = self._tiles.get(place)
        if tile is None:
            tile = self._tiles[place] = Tile(self.drawable, self.shadow, *place)
        return tile

    def get_pixel(self, x: int, y: int) -> bytes:
        """The pixel at (x, y)."""
        width, height = self._size
        if not (0 <= x < width and 0 <= y < height):
            if self.edge_mode == EDGE_WRAP:
                x, y = x % width, y % height
            elif self.edge_mode == EDGE_SMEAR:
                x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            else:
                return self._background if self.edge_mode == EDGE_BACKGROUND else bytes(self.bpp)
        return self._tile(x, y)[x % self._tile_size, y % self._tile_size]

    def put_pixel(self, x: int, y: int, pixel: Readable) -> None:
        """Set the pixel at (x, y); beyond the edge nothing happens."""
        if len(pixel) != self.bpp:
            raise TypeError(f"pixel must be {self.bpp} bytes")
        if 0 <= x < self._size[0] and 0 <= y < self._size[1]:
            self._tile(x, y)[x % self._tile_size, y % self._tile_size] = pixel

    def __getitem__(self, key: tuple[int, int]) -> bytes:
        return self.get_pixel(*key)

    def __setitem__(self, key: tuple[int, int], pixel: Readable) -> None:
        self.put_pixel(*key, pixel)

    def __repr__(self) -> str:
        return "<gimp.PixelFetcher for drawable '{}'{}>".format(self.drawable.name, " (shadow)" if self.shadow else "")
