"""The alphas that came back: packed files in a folder of bounded size, the least recently used going first."""

from __future__ import annotations

import os
import re
import struct
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import atomic

MAX_BYTES = 1_000_000_000
_ENDING = ".alpha"
_SIZE = struct.Struct(">II")
_CHECKSUM = struct.Struct(">I")
"""A file is height and width, the alpha as raw deflate, and the CRC-32 of both: what is packed is summed sooner."""
_OURS = re.compile(r"[0-9a-f]{64}")
"""The name of an alpha, a `journal.digest`: the folder may be one that the user has for other things."""
_RAW = -zlib.MAX_WBITS
_UNFINISHED = ".part"
_FORGOTTEN_SECONDS = 3600.0


class Cache:
    """Alphas by name. A name is written by one holder at a time: that of its claim in the journal.

    Args:
        folder: where they are; made where it is missing, for the user alone.
        max_bytes: what all files take together at most.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def path(self, name: str) -> Path:
        return self._folder / f"{name}{_ENDING}"

    def get(self, name: str) -> NDArray[np.uint8] | None:
        """The alpha (height, width) as it was put, read-only; None where it is not there or damaged."""
        path = self.path(name)
        try:
            data = path.read_bytes()
            packed = memoryview(data)[: -_CHECKSUM.size]
            if _CHECKSUM.pack(zlib.crc32(packed)) != data[-_CHECKSUM.size :]:
                return None
            height, width = _SIZE.unpack_from(packed)
            flat = zlib.decompress(packed[_SIZE.size :], _RAW, height * width)
            alpha = np.frombuffer(flat, np.uint8).reshape(height, width)
            os.utime(path)
        except (OSError, ValueError, struct.error, zlib.error):
            return None
        return alpha

    def put(self, name: str, alpha: NDArray[np.uint8]) -> None:
        """Writes an alpha (height, width) to the disk, and lets the least recently used go where there are too many.

        Raises:
            OSError: it can't be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        packer = zlib.compressobj(1, wbits=_RAW)
        packed = _SIZE.pack(*alpha.shape) + packer.compress(np.ascontiguousarray(alpha).data) + packer.flush()
        with atomic.replacing(self.path(name), self._folder / f"{name}{_UNFINISHED}", synced=True) as part:
            part.write_bytes(packed + _CHECKSUM.pack(zlib.crc32(packed)))
        self._trim(self.path(name))

    def count(self) -> int:
        """How many alphas there are."""
        return len(self._files(_ENDING))

    def clear(self) -> int:
        """Removes all alphas; returns how many there were."""
        found = self._files(_ENDING)
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def size(self) -> int:
        """Bytes that all files take."""
        return sum(size for _, size, _ in self._by_age())

    def _trim(self, newest: Path) -> None:
        files = self._by_age()
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._max_bytes:
                break
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size
        # Left by processes that were killed while they wrote.
        for path in self._files(_UNFINISHED):
            try:
                if path.stat().st_mtime < time.time() - _FORGOTTEN_SECONDS:
                    path.unlink()
            except OSError:
                continue

    def _by_age(self) -> list[tuple[float, int, Path]]:
        """Time of the last use, bytes and path of every alpha, oldest first. Other processes may remove some."""
        found = []
        for path in self._files(_ENDING):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _files(self, ending: str) -> list[Path]:
        found = self._folder.glob(f"*{ending}") if self._folder.is_dir() else ()
        return [path for path in found if _OURS.fullmatch(path.stem)]
