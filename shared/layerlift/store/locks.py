"""Locks between processes, on files: the system frees one when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

_PAUSE_SECONDS = 0.1


def take(file: IO[bytes], *, wait: bool = False) -> None:
    """Takes the lock of an open file until that is closed, or raises OSError where another holds it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


class Lock:
    """Holds the lock of that name until `release`; also a context manager. The file goes with its last holder.

    Args:
        sleep: waits for that many seconds while another has it.

    Raises:
        OSError: the file can't be made.
    """

    def __init__(self, path: Path, sleep: Callable[[float], None]) -> None:
        self._path = path
        while True:
            # Not buffered: nothing is written, and closing must not fail.
            self._file = path.open("ab", buffering=0)
            try:
                if self._is_taken():
                    return
            except BaseException:
                self._file.close()
                raise
            self._file.close()
            sleep(_PAUSE_SECONDS)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Frees the lock; once more does nothing."""
        if not self._file.closed:
            # On Windows a file that is open stays; the next holder removes it.
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._file.close()

    def _is_taken(self) -> bool:
        try:
            take(self._file)
            # Its last holder may have removed the file before the lock was free.
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of that name at this moment."""
    try:
        with path.open("rb") as file:
            take(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
