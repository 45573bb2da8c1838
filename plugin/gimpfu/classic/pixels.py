"""Pixels as the classic interface has them: gimp.PixelRgn, Tile and PixelFetcher (see pixelstore for the layouts)."""

from __future__ import annotations

from typing import Any

from ..values.colors import RGB
from .pixelstore import STORE, Readable, TilePlace, tile_size

BYTES_PER_PIXEL = (3, 4, 1, 2, 1, 2)
EDGE_NONE, EDGE_WRAP, EDGE_SMEAR, EDGE_BLACK, EDGE_BACKGROUND = range(5)


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
    procedure call, or end of the run. With a `format`, the bytes are in that babl format: in the drawable's own,
    `Drawable.format`, they are the very pixels.
    """

    def __init__(self, drawable: Any, x: int, y: int, width: int, height: int,
                 dirty: bool = True, shadow: bool = False, format: str | None = None) -> None:  # fmt: skip
        self.drawable = drawable
        self.format = format
        self.bpp = drawable.bpp if format is None else STORE.bytes_per_pixel(format)
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
        return STORE.read(self.drawable, self.shadow, *self._area(key), self.bpp, self.format)

    def __setitem__(self, key: Any, pixels: Any) -> None:
        x, y, width, height = self._area(key)
        size = memoryview(pixels).nbytes
        if size != width * height * self.bpp:
            needed = width * height * self.bpp
            raise TypeError(f"{size} bytes were assigned where {width} x {height} pixels need {needed}")
        STORE.write(self.drawable, self.shadow, x, y, width, height, pixels, self.format)

    def __len__(self) -> int:
        raise TypeError("Can't get size of pixel region")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<gimp.PixelRgn for drawable '{self.drawable.name}'>"


class Tile(TilePlace):
    """A square of gimp.tile_width() pixels, less at the edges: tile[index] and tile[x, y] are bytes."""

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
        STORE.change_tile(self, start, pixel)

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
