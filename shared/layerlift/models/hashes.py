"""Files that are known by their hash alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PIECE = 1 << 20


def hash_file(path: Path, algorithm: str) -> str:
    """The hash of a file as the table of models has it: "sha256:...". Raises OSError."""
    found = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return f"{algorithm}:{found.hexdigest()}"


def is_of(path: Path, expected: str) -> bool:
    """Whether a file has that hash; False where it can't be read."""
    try:
        return hash_file(path, expected.partition(":")[0]) == expected
    except OSError:
        return False
