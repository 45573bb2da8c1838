"""Every start that may be paid for, written down a second time: what is left of it where the journal is damaged.

Lines of JSON in a file that is only ever added to, so that nothing that was written before can be harmed. A line that
is cut off is passed over. A file that has grown large is put aside, and is forgotten when the next one has.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .entries import REMOVAL

NAME = "starts.jsonl"
LARGE_BYTES = 4_000_000
"""Of some 15,000 starts."""


@dataclass(frozen=True)
class Start:
    """A start of a removal that has not come to its end; `task_id` is None where nobody knows of a task. `time` is in
    seconds since 1970; `width` and `height` are those of the upload; `task` is the task's slug."""

    picture: str
    engine: str
    account: str
    width: int
    height: int
    time: float
    task_id: str | None = None
    task: str = REMOVAL


class Trace:
    """The starts of one user, which all processes add to. The methods that write raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        """The file that is added to."""
        self._before = self.path.with_name(f"{NAME}.before")

    def add_start(self, start: Start) -> None:
        """The run call comes next; this is on the disk when it returns."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size > LARGE_BYTES:
                self.path.replace(self._before)
        self._add(asdict(start), synced=True)

    def add_task(self, picture: str, task_id: str) -> None:
        """The service has named the task of a picture's start."""
        self._add({"picture": picture, "task_id": task_id})

    def add_end(self, picture: str) -> None:
        """Nothing is to be had from a picture's start any more, or it is here."""
        self._add({"picture": picture, "ended": True})

    def starts(self) -> dict[str, Start]:
        """The last start of each picture whose start has not ended, by the picture's `digest`."""
        found: dict[str, Start] = {}
        for path in (self._before, self.path):
            with contextlib.suppress(OSError):
                for line in path.read_bytes().splitlines():
                    _take(line, found)
        return found

    def _add(self, event: dict[str, object], *, synced: bool = False) -> None:
        # Of its own beginning: the line before may have been cut off.
        line = f"\n{json.dumps(event)}\n".encode()
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
            if synced:
                os.fsync(file)
        finally:
            os.close(file)


def _take(line: bytes, found: dict[str, Start]) -> None:
    try:
        event = json.loads(line)
        picture = str(event["picture"])
        if "ended" in event:
            found.pop(picture, None)
        elif "time" in event:
            found[picture] = Start(**event)
        elif picture in found:
            found[picture] = replace(found[picture], task_id=str(event["task_id"]))
    except (ValueError, TypeError, KeyError):
        return
