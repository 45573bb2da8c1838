"""Private folders for the pixels that hosts and workers hand each other."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import atomic
from ..language import _
from ..store import locks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOCK = ".lock"
_PREFIX = "layerlift-"
"""A folder of this name with a lock in it is ours. The root may be in a folder that the user has for other things."""


def make(root: Path) -> Folder:
    """A folder in `root`, or among the temporary files where nothing can be written there; raises OSError."""
    try:
        return Folder(root)
    except OSError:
        user = "" if sys.platform == "win32" else f"-{os.getuid()}"
        return Folder(Path(tempfile.gettempdir()) / f"layerlift{user}")


class Folder:
    """A private folder that is removed with its worker, or by the next one when that one was killed."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a folder that all users share another one may have made it first, to see what is put there.
        if sys.platform != "win32" and {root.lstat().st_uid, root.stat().st_uid} != {os.getuid()}:
            raise PermissionError(errno.EPERM, _("belongs to another user"), str(root))
        with (root / _LOCK).open("wb") as gate:
            locks.take(gate, wait=True)
            _sweep(root)
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
            self._lock = (self.path / _LOCK).open("wb")
            locks.take(self._lock)

    def remove(self) -> None:
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Removes the folders whose workers are gone: nobody holds their lock."""
    for folder in root.glob(f"{_PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink():
            try:
                with (folder / _LOCK).open("rb") as file:
                    locks.take(file)
            except OSError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


def write(path: Path, parts: Iterable[NDArray[np.generic]]) -> None:
    """A file of the samples, whole or not at all."""
    # Not by `tofile`, which says nothing when the disk is full.
    with atomic.replacing(path) as unfinished, unfinished.open("wb") as file:
        for part in parts:
            file.write(part.data if part.flags.c_contiguous else part.tobytes())
