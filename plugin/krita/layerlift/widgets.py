"""Parts that the plug-in's windows are made of. All texts are plain: they may hold names of layers and words of the
service."""

from __future__ import annotations

import html
from typing import Any, Callable

from .qt import QtCore, QtGui, QtWidgets


def mnemonic(text: str) -> str:
    """The text of a button as Qt has it, of one that GIMP could show, whose mnemonic stands behind an underscore."""
    return text.replace("&", "&&").replace("_", "&")


def label(text: str = "") -> Any:
    """A line of text."""
    made = QtWidgets.QLabel(text)
    made.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    return made


def paragraph() -> Any:
    """A text of several lines, which can be copied."""
    made = label()
    made.setWordWrap(True)
    made.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def write(shown: Any, text: str) -> None:
    """Put a text into a paragraph, all of which is seen then."""
    shown.setText(text)
    # A dialog grows for the smallest heights of its parts, not for the lines of a text.
    shown.setMinimumHeight(shown.heightForWidth(shown.width()))


def button(text: str, slot: Callable[[], object], tip: str) -> Any:
    """A button that Enter does not press where it has not the focus."""
    made = QtWidgets.QPushButton(text)
    # Else the first one would be what Enter presses.
    made.setAutoDefault(False)
    made.clicked.connect(lambda checked: slot())
    return explained(made, tip)


def explained(widget: Any, tip: str, *column: int) -> Any:
    """The widget, or the line of a list, with a tool tip, which Qt breaks into lines only where it is rich text."""
    widget.setToolTip(*column, f"<qt>{html.escape(tip)}</qt>")
    return widget


def open_page(address: str) -> None:
    """Show a page in the user's browser."""
    QtGui.QDesktopServices.openUrl(QtCore.QUrl(address))
