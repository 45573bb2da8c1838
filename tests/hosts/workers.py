"""The workers that run on this machine, as the system tells of them."""

from __future__ import annotations

import os
from pathlib import Path


def workers_of(home: Path) -> list[int]:
    """Processes whose state is kept in that folder but not the host itself."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(str(home)) in environment and b"layerlift.worker" in command:
            found.append(int(entry.name))
    return found
