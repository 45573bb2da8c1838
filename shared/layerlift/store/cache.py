"""The results that came back, alphas and pictures: packed files in a folder of bounded size, the least recently used
going first."""

from __future__ import annotations

import os
import re
import struct
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import atomic

MAX_BYTES = 1_000_000_000
_ENDING = ".alpha"
_PICTURES = ".pictures"
_ENDINGS = (_ENDING, _PICTURES)
_SIZE = struct.Struct(">II")
_LENGTH = struct.Struct(">I")
_CHECKSUM = struct.Struct(">I")
"""A file is height and width, the alpha as raw deflate, and the CRC-32 of both: what is packed is summed sooner. One of
pictures is the files as they came, each after its length, and the CRC-32 of all."""
_OURS = re.compile(r"[0-9a-f]{64}")
"""The name of an alpha, a `journal.digest`: the folder may be one that the user has for other things."""
_RAW = -zlib.MAX_WBITS
_UNFINISHED = ".part"
_FORGOTTEN_SECONDS = 3600.0


class Cache:
    """Results by name. A name is written by one holder at a time: that of its claim in the journal.

    Args:
        folder: where they are; made where it is missing, for the user alone.
        max_bytes: what all files take together at most.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def path(self, name: str, ending: str = _ENDING) -> Path:
        return self._folder / f"{name}{ending}"

    def has(self, name: str) -> bool:
        """Whether there is a result of that name."""
        return any(self.path(name, ending).exists() for ending in _ENDINGS)

    def get(self, name: str) -> NDArray[np.uint8] | None:
        """The alpha (height, width) as it was put, read-only; None where it is not there or damaged."""
        try:
            packed = self._read(self.path(name))
            height, width = _SIZE.unpack_from(packed)
            flat = zlib.decompress(packed[_SIZE.size :], _RAW, height * width)
            return np.frombuffer(flat, np.uint8).reshape(height, width)
        except (OSError, ValueError, struct.error, zlib.error):
            return None

    def get_pictures(self, name: str) -> list[bytes] | None:
        """The files of pictures as they were put; None where they are not there or damaged."""
        try:
            packed = self._read(self.path(name, _PICTURES))
        except (OSError, ValueError):
            return None
        found = []
        while packed:
            (size,) = _LENGTH.unpack_from(packed)
            found.append(bytes(packed[_LENGTH.size : _LENGTH.size + size]))
            packed = packed[_LENGTH.size + size :]
        return found

    def _read(self, path: Path) -> memoryview:
        """What is packed in a file, which counts as used now. Raises OSError; ValueError where it is damaged."""
        data = path.read_bytes()
        packed = memoryview(data)[: -_CHECKSUM.size]
        if _CHECKSUM.pack(zlib.crc32(packed)) != data[-_CHECKSUM.size :]:
            raise ValueError(path.name)
        os.utime(path)
        return packed

    def put(self, name: str, alpha: NDArray[np.uint8]) -> None:
        """Writes an alpha (height, width) to the disk, and lets the least recently used go where there are too many.

        Raises:
            OSError: it can't be written.
        """
        packer = zlib.compressobj(1, wbits=_RAW)
        packed = _SIZE.pack(*alpha.shape) + packer.compress(np.ascontiguousarray(alpha).data) + packer.flush()
        self._write(self.path(name), packed)

    def put_pictures(self, name: str, pictures: Sequence[bytes]) -> None:
        """Writes files of pictures to the disk, as `put` does. Raises OSError."""
        self._write(self.path(name, _PICTURES), b"".join(_LENGTH.pack(len(data)) + data for data in pictures))

    def _write(self, path: Path, packed: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic.replacing(path, path.with_suffix(_UNFINISHED), synced=True) as part:
            part.write_bytes(packed + _CHECKSUM.pack(zlib.crc32(packed)))
        self._trim(path)

    def count(self) -> int:
        """How many results there are."""
        return len(self._files(*_ENDINGS))

    def clear(self) -> int:
        """Removes all results; returns how many there were."""
        found = self._files(*_ENDINGS)
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
        """Time of the last use, bytes and path of every result, oldest first. Other processes may remove some."""
        found = []
        for path in self._files(*_ENDINGS):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _files(self, *endings: str) -> list[Path]:
        found = self._folder.iterdir() if self._folder.is_dir() else ()
        return [path for path in found if path.suffix in endings and _OURS.fullmatch(path.stem)]
