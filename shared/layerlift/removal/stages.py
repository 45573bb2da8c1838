"""How far a removal is, as its user sees it."""

from __future__ import annotations

import enum
from collections.abc import Callable

from .cancelling import Cancel


class Stage(enum.Enum):
    """The steps that a user sees. Reading, which may come once more after the wait, cleaning and writing are not
    `remove`'s."""

    READ = "read"
    PREPARE = "prepare"
    UPLOAD = "upload"
    WAITING = "waiting"
    DOWNLOAD = "download"
    REFINE = "refine"
    CLEAN = "clean"
    WRITE = "write"


Report = Callable[[Stage, float, str], None]
"""Is called with the stage, the fraction of it that is done, and a text with details ("" where there are none)."""


def ignore(stage: Stage, fraction: float, text: str) -> None:
    """Reports to nobody."""


class Progress:
    """Reports on a removal whose user may leave: raises `Cancelled` then, or, where it is paid for, says no more."""

    def __init__(self, report: Report, cancel: Cancel) -> None:
        self._report = report
        self._cancel = cancel

    def tell(self, stage: Stage, fraction: float, text: str = "") -> None:
        """How much of a stage is done."""
        self._cancel.check()
        if not self._cancel.requested:
            self._report(stage, min(1.0, fraction), text)
