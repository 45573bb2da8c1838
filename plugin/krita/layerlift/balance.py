"""What the account has left when the work is done."""

from __future__ import annotations

from typing import Callable

from .common import protocol
from .qt import QtCore
from .worker import Worker

ASKED = "balance"
"""What was asked of the worker before may still be answered."""


class Balance(QtCore.QObject):
    """Asks the worker that has done it, once, and for a few seconds at most.

    Args:
        worker: is closed then.
        then: is given the units, None where nobody knows them in time.
    """

    def __init__(self, worker: Worker, then: Callable[[float | None], None]) -> None:
        super().__init__()
        self._then: Callable[[float | None], None] | None = then
        self._worker = worker
        worker.answered.connect(lambda answer: self._tell(answer["units"]) if answer["id"] == ASKED else None)
        worker.failed.connect(lambda kind, text, asked: self._tell(None) if asked in ("", ASKED) else None)
        self._patience = QtCore.QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(lambda: self._tell(None))
        self._patience.start(int(protocol.PATIENCE_SECONDS * 1000) if worker.is_running() else 0)
        if worker.is_running():
            worker.ask(ASKED, engine="youcam")

    def stop(self) -> None:
        """Ask no more, and tell nobody."""
        self._then = None
        self._patience.stop()
        self._worker.close()

    def _tell(self, units: float | None) -> None:
        then = self._then
        self.stop()
        if then is not None:
            then(units)
