"""Locks between processes, on files: the system frees one when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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


@contextmanager
def held(path: Path, sleep: Callable[[float], None]) -> Iterator[None]:
    """Holds the lock of that name, after waiting by `sleep` for whoever has it. The file goes with its last holder.

    Raises:
        OSError: the file can't be made.
    """
    while True:
        # Not buffered: nothing is written, and closing must not fail.
        file = path.open("ab", buffering=0)
        try:
            take(file)
            if _is_at(path, file):
                break
        except OSError:
            file.close()
            sleep(_PAUSE_SECONDS)
        except BaseException:
            file.close()
            raise
        else:
            file.close()
    try:
        yield
    finally:
        # On Windows a file that others have open stays; the next holder removes it.
        with contextlib.suppress(OSError):
            path.unlink()
        file.close()


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


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether the path still names the file: its last holder may have removed it before the lock was free."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False
