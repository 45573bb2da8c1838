"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, part: Path | None = None, *, private: bool = False, synced: bool = False) -> Iterator[Path]:
    """Gives an empty file, which takes the place of `path` when the block ends well, and else is removed.

    Args:
        part: where it is, on the same disk; by default beside `path`, hidden, with a name of its own.
        private: whether only the user can read it; else whoever can read the user's new files.
        synced: whether it is on the disk before it takes the place.

    Raises OSError.
    """
    # Not of the file's own name, to which nothing may fit any more.
    part = part or path.with_name(f".layerlift-{secrets.token_hex(8)}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666))
    try:
        yield part
        if synced:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # Windows keeps what is still open; what went wrong first is what is to be heard
            part.unlink(missing_ok=True)
        raise
