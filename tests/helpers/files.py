"""What tests ask of files."""

from __future__ import annotations

from pathlib import Path


def trace(path: Path) -> tuple[int, ...]:
    """What changes with every write to a file, and with no reading, which may move the time of its last access."""
    state = path.stat()
    return state.st_ino, state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns
