"""What keeps Krita's own objects from ending too soon, or too late."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, TypeVar

from krita import Krita

from .qt import QtCore, sip

_T = TypeVar("_T")


def owned(listed: list[_T]) -> list[_T]:
    """What Krita gives in a list it lets nobody own: never freed, each would keep its closed document's pixels.

    A layer that an undo takes away meanwhile, in another thread, comes as None.
    """
    owned = [item for item in listed if item is not None]
    for item in owned:
        sip.transferback(item)
    return owned


class _Stay(QtCore.QObject):
    """Keeps windows from being closed, and closes them later."""

    def __init__(self, windows: list[Any]) -> None:
        super().__init__()
        self._windows = windows
        self._to_close: list[Any] = []
        for window in windows:
            window.installEventFilter(self)

    def eventFilter(self, window: Any, event: Any) -> bool:
        if event.type() != QtCore.QEvent.Type.Close:
            return False
        event.ignore()
        self._to_close.append(window)
        return True

    def end(self) -> None:
        """Close what was to be closed, from the event loop."""
        for window in self._windows:
            window.removeEventFilter(self)
        for window in self._to_close:
            QtCore.QTimer.singleShot(0, window.close)


@contextmanager
def windows_stay() -> Iterator[None]:
    """Within, no window of Krita's is closed: one that the user closes, or that quitting does, is closed afterwards.

    Krita 5.3 and later take clicks while they wait for their own threads, and abort where the window is gone then.
    """
    stay = _Stay([window.qwindow() for window in owned(Krita.instance().windows())])
    try:
        yield
    finally:
        stay.end()
