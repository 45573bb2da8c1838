"""The workers that run on this machine, as the system tells of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from layerlift.store import locks

from .window import wait_for


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


def kill_workers(home: Path) -> None:
    """End them as a crash does. What the host has started stands for the worker, which dies after it: until then its
    folder is nobody else's to remove."""
    for process in workers_of(home):
        os.kill(process, signal.SIGKILL)
    work = home / "work"
    wait_for(lambda: not any(locks.is_held(lock) for lock in work.glob("*/.lock")), "the workers to be gone")
