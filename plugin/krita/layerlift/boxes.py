"""Boxes that tell the user something, or ask."""

from __future__ import annotations

from typing import Any

from .common.language import _
from .qt import QtCore, QtWidgets

CLOSE, CANCEL = QtWidgets.QMessageBox.StandardButton.Close, QtWidgets.QMessageBox.StandardButton.Cancel

ACTION = QtWidgets.QMessageBox.ButtonRole.ActionRole


class Box(QtWidgets.QMessageBox):
    """One that no key meant for the canvas answers: else a button's underlined letter presses it, also without Alt,
    and Krita underlines one on each.

    Args:
        default: the button that Enter presses: never one that costs something or opens something, as the key may be
            meant for the canvas.
    """

    def __init__(self, window: Any, text: str, default: Any = CLOSE) -> None:
        super().__init__(window)
        self.setWindowTitle(_("Remove Background"))
        # It may hold names of layers and words of the service.
        self.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.setText(text)
        self.setDefaultButton(self.addButton(default))
        self.finished.connect(self.deleteLater)

    def offer(self, text: str, role: Any = ACTION, stays: bool = False) -> Any:
        """Add a button; returns it. With `stays` the box is still there when it was pressed."""
        button = self.addButton(text, role)
        if stays:
            button.clicked.disconnect()
        return button

    def keyPressEvent(self, event: Any) -> None:
        """Enter is for the default button, Escape closes."""
        keys = QtCore.Qt.Key
        if event.key() in (keys.Key_Return, keys.Key_Enter, keys.Key_Escape):
            super().keyPressEvent(event)
