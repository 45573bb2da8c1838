"""The GEGL buffers of drawables: opened, read, written and flushed so that GIMP and the plug-in see the same pixels.

Unless a format is named, everything is seen in 8 bits per component in the drawable's own layout, whatever its
precision. Layers are Y, YA, RGB or RGBA with gamma, or palette indices. Masks and the selection are Y as GIMP keeps
them, linear (the classic interface bent them by a gamma, so that 128 was read as 188), and so are channels, but for
those of 8-bit images, which GIMP keeps with gamma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Tuple, Union

from ..errors import GimpError
from ..host import FACTS, HOST

if TYPE_CHECKING:
    from ..contract.backend import Area, Buffer

Key = Tuple[int, bool]
TileKey = Tuple[int, bool, int, int]
Readable = Union[bytes, bytearray, memoryview]

RGB_IMAGE, RGBA_IMAGE, GRAY_IMAGE, GRAYA_IMAGE, INDEXED_IMAGE, INDEXEDA_IMAGE = range(6)
FORMATS = {RGB_IMAGE: "R'G'B' u8", RGBA_IMAGE: "R'G'B'A u8", GRAY_IMAGE: "Y' u8", GRAYA_IMAGE: "Y'A u8"}
GAMMA_CHANNEL = "Y' u8"
MASK_FORMAT = "Y u8"
# GEGL keeps the tiles of an open buffer in memory, up to half of the machine's.
OPEN_BYTES = 2**27

tile_size = FACTS.tile_width


class TilePlace:
    """Where a tile lies in a drawable or its shadow: tiles are squares of tile_size() pixels, less at the edges."""

    def __init__(self, drawable: Any, shadow: bool, row: int, col: int) -> None:
        self.drawable, self.shadow = drawable, bool(shadow)
        self.key = (drawable.ID, self.shadow, row, col)
        size = tile_size()
        self.x, self.y = col * size, row * size
        self.bpp = drawable.bpp
        self.ewidth, self.eheight = min(size, drawable.width - self.x), min(size, drawable.height - self.y)
        self.tile_num = row * (-(-drawable.width // size)) + col


class PixelStore:
    """The buffers that are open, and what was written to them but not yet sent to GIMP.

    A buffer stays open while only pixels move, and not too many of them. Before any procedure that may change the
    drawable, `settle` sends what was written and closes all buffers, so that neither side sees old pixels.
    """

    def __init__(self) -> None:
        self._host = HOST.make_buffers()
        self._buffers: dict[Key, Buffer] = {}
        self._formats: dict[int, str | None] = {}
        self._tiles: dict[TileKey, bytearray] = {}
        self._tile_owners: dict[TileKey, TilePlace] = {}
        self._dirty_tiles: set[TileKey] = set()
        self._written: set[Key] = set()
        self._moved = 0
        self._writable: set[int] = set()

    def _buffer(self, key: Key, size: int) -> Buffer:
        """The buffer that so many bytes are to be moved from or to."""
        self._moved += size
        if self._moved > OPEN_BYTES:
            self._send()
            self._close()
            self._moved = size
        buffer = self._buffers.get(key)
        if buffer is None:
            buffer = self._host.open(*key)
            if buffer is None:
                raise GimpError(f"the drawable with ID {key[0]} has no pixels any more")
            self._buffers[key] = buffer
        return buffer

    def format_name(self, drawable: Any) -> str:
        """The babl format of the drawable's own pixels; reading and writing in it keeps every bit."""
        name = self._host.format_of(drawable.ID)
        if name is None:
            raise GimpError(f"the drawable with ID {drawable.ID} has no pixels any more")
        return name

    def bytes_per_pixel(self, name: str) -> int:
        """Of a babl format by its name; ValueError if there is no such format."""
        return self._host.pixel_size(name)

    def _format(self, drawable: Any, name: str | None) -> str | None:
        """The format to see a drawable in: the named one, or its 8-bit layout; None is its own, of an indexed one."""
        if name is not None:
            return name
        identity = drawable.ID
        if identity not in self._formats:
            if drawable.is_channel:
                has_gamma = self._host.format_of(identity) == GAMMA_CHANNEL
                self._formats[identity] = GAMMA_CHANNEL if has_gamma else MASK_FORMAT
            else:
                self._formats[identity] = FORMATS.get(drawable.type)
        return self._formats[identity]

    def read(
        self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, bpp: int, name: str | None = None
    ) -> bytes:
        """The pixels of a rectangle, row by row; `name` is a babl format's."""
        if self._dirty_tiles:
            self._write_tiles()
        form = self._format(drawable, name)
        size = width * height * bpp
        return self._buffer((drawable.ID, shadow), size).read((x, y, width, height), form, size)

    def read_format(self, drawable_id: int, width: int, height: int, name: str) -> bytes:
        """All pixels in a babl format."""
        self.flush()
        size = width * height * self.bytes_per_pixel(name)
        return self._buffer((drawable_id, False), size).read((0, 0, width, height), name, size)

    def write(
        self, drawable: Any, shadow: bool, x: int, y: int, width: int, height: int, pixels: Any, name: str | None = None
    ) -> None:
        """Set the pixels of a rectangle from a bytes-like object of the right length; `name` is a babl format's."""
        if self._tiles:
            self._write_tiles()
            self._tiles.clear()
        self._check_writable(drawable)
        self._set(drawable, shadow, (x, y, width, height), pixels, self._format(drawable, name))

    def _set(self, drawable: Any, shadow: bool, area: Area, pixels: Any, form: str | None) -> None:
        key = (drawable.ID, shadow)
        buffer = self._buffer(key, memoryview(pixels).nbytes)
        self._written.add(key)
        buffer.write(area, form, pixels)

    def tile(self, tile: TilePlace) -> bytearray:
        """The pixels of a tile, to be looked at."""
        pixels = self._tiles.get(tile.key)
        if pixels is None:
            area = (tile.x, tile.y, tile.ewidth, tile.eheight)
            pixels = self._tiles[tile.key] = bytearray(self.read(tile.drawable, tile.shadow, *area, tile.bpp))
            self._tile_owners[tile.key] = tile
        return pixels

    def change_tile(self, tile: TilePlace, start: int, pixel: Readable) -> None:
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

    def is_tile_dirty(self, tile: TilePlace) -> bool:
        """Whether the tile has changes that were not sent."""
        return tile.key in self._dirty_tiles

    def _write_tiles(self) -> None:
        dirty, self._dirty_tiles = self._dirty_tiles, set()
        for key in dirty:
            tile = self._tile_owners[key]
            area, form = (tile.x, tile.y, tile.ewidth, tile.eheight), self._format(tile.drawable, None)
            self._set(tile.drawable, tile.shadow, area, self._tiles[key], form)

    def flush(self) -> None:
        """Send all that was written to GIMP."""
        if self._dirty_tiles:
            self._write_tiles()
        self._send()

    def _send(self) -> None:
        for key in self._written:
            self._buffers[key].flush()
        self._written.clear()

    def _close(self) -> None:
        for buffer in self._buffers.values():
            buffer.close()
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
