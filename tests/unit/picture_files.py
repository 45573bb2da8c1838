"""Writers of picture files whose every sample is known: ground truth that shares no code with the product."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

_PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(pixels: Any, *, interlaced: bool = False, chunks: bytes = b"", colour_type: int | None = None) -> bytes:
    """A PNG of (height, width, channels) in 8 or 16 bits; `chunks` stand before the pixels."""
    height, width, channels = pixels.shape
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"))
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes if x < width for row in big_endian[y::dy, x::dx])
    kind = _PNG_COLOUR_TYPES[channels] if colour_type is None else colour_type
    header = struct.pack(">IIBBBBB", width, height, pixels.dtype.itemsize * 8, kind, 0, 0, interlaced)
    ihdr, idat = png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + ihdr + chunks + idat + png_chunk(b"IEND", b"")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises an RGBA picture of this size and holds a few bytes."""
    body = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    idat = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", body) + idat + png_chunk(b"IEND", b"")


def png_samples(data: bytes) -> Any:
    """The samples (height, width, channels) of a PNG whose rows are stored plain or with the Sub filter."""
    width, height, bits, kind = struct.unpack(">IIBB", data[16:26])
    channels = {value: key for key, value in _PNG_COLOUR_TYPES.items()}[kind]
    position, compressed = 8, b""
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            compressed += data[position + 8 : position + 8 + length]
        position += 12 + length
    step = channels * bits // 8
    rows = np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(height, 1 + width * step)
    assert set(rows[:, 0].tolist()) <= {0, 1}
    plain = rows[:, 1:].reshape(height, width, step).copy()
    for row, kind_of_filter in zip(plain, rows[:, 0], strict=True):
        if kind_of_filter == 1:
            row[:] = np.cumsum(row, axis=0, dtype=np.uint8)
    samples = plain.view(">u2") if bits == 16 else plain
    return samples.astype(np.uint16 if bits == 16 else np.uint8)


def tiff(
    pixels: Any,
    *,
    order: str = "<",
    deflate: bool = False,
    photometric: int | None = None,
    sample_format: int = 1,
    profile: bytes | None = None,
    orientation: int = 1,
) -> bytes:
    """A TIFF of (height, width, channels) of any sample type, in two strips."""
    height, width, channels = pixels.shape
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    half = (height + 1) // 2
    strips = [part.tobytes() for part in (stored[:half], stored[half:]) if len(part)]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    kind = (1 if channels < 3 else 2) if photometric is None else photometric
    offsets, position = [], 8
    for strip in strips:
        offsets.append(position)
        position += len(strip) + len(strip) % 2
    bits = pixels.dtype.itemsize * 8
    entries: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [bits] * channels),
        (259, "H", [8 if deflate else 1]),
        (262, "H", [kind]),
        (273, "I", offsets),
        (274, "H", [orientation]),
        (277, "H", [channels]),
        (278, "I", [half]),
        (279, "I", [len(strip) for strip in strips]),
        (284, "H", [1]),
    ]
    if channels in (2, 4) and kind < 5:
        entries.append((338, "H", [2]))
    entries.append((339, "H", [sample_format] * channels))
    if profile is not None:
        entries.append((34675, "B", list(profile)))
    directory, extra = struct.pack(order + "H", len(entries)), b""
    extra_start = position + 2 + 12 * len(entries) + 4
    for tag, code, values in entries:
        packed = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(packed) > 4:
            packed += bytes(len(packed) % 2)
            where, extra = struct.pack(order + "I", extra_start + len(extra)), extra + packed
        else:
            where = packed.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, {"B": 7, "H": 3, "I": 4}[code], len(values)) + where
    body = b"".join(strip + bytes(len(strip) % 2) for strip in strips)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "I", position) + body + directory + bytes(4) + extra


def noise(height: int, width: int, channels: int, dtype: Any = np.uint8, seed: int = 0) -> Any:
    """Samples that use the whole range of the type."""
    limit = int(np.iinfo(dtype).max) + 1
    return np.random.default_rng(seed).integers(0, limit, (height, width, channels), dtype=dtype)
