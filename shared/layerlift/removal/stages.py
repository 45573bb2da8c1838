"""How far a removal is, as its user sees it."""

from __future__ import annotations

import enum
from collections.abc import Callable

from ..language import N_
from .cancelling import Cancel


class Stage(enum.Enum):
    """The steps that a user sees. Reading, which may come once more after the wait, cleaning and writing are not
    `remove`'s."""

    # Translators: the stages of a removal, in short, at the end of a line of progress: a picture's file is read.
    READ = N_("read")
    # Translators: a stage of a removal: the picture is prepared for the upload.
    PREPARE = N_("prepare")
    # Translators: a stage of a removal.
    UPLOAD = N_("upload")
    # Translators: a stage of a removal: the service is at work.
    WAITING = N_("waiting")
    # Translators: a stage of a removal.
    DOWNLOAD = N_("download")
    # Translators: a stage of a removal: the cut-out's edges are brought to the picture's full size.
    REFINE = N_("refine")
    # Translators: a stage of a removal: the old background's colour is taken out of soft edges.
    CLEAN = N_("clean")
    # Translators: a stage of a removal: the cut-out's file is written.
    WRITE = N_("write")


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
