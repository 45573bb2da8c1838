"""The workers that run on this machine, as the system tells of them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def workers_of(home: Path) -> list[int]:
    """Processes whose state is kept in that folder but not the host itself."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            # Of few processes both must be read, and tests ask this all the time.
            command = (entry / "cmdline").read_bytes()
            if b"layerlift.worker" in command and os.fsencode(str(home)) in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
