"""What the account has left when the work is done."""

from __future__ import annotations

from typing import Callable

from .common import protocol
from .qt import QtCore
from .worker import Worker


class Balance(QtCore.QObject):
    """Asks a worker of its own, once, and for a few seconds at most.

    Args:
        then: is given the units, None where nobody knows them in time.
    """

    def __init__(self, then: Callable[[float | None], None]) -> None:
        super().__init__()
        self._then: Callable[[float | None], None] | None = then
        self._worker = Worker()
        self._worker.ready.connect(lambda folder: self._worker.ask("balance", engine="youcam"))
        self._worker.answered.connect(lambda answer: self._tell(answer["units"]))
        self._worker.failed.connect(lambda kind, text, asked: self._tell(None))
        self._patience = QtCore.QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(lambda: self._tell(None))
        self._patience.start(int(protocol.PATIENCE_SECONDS * 1000))
        self._worker.start()

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
