"""What a user hands on where something is wrong that only the makers can mend."""

from __future__ import annotations

import platform

from . import host
from .common.installed import version
from .common.language import _
from .qt import QtCore, QtWidgets

REPORTED = ("report", "reinstall")
"""The kinds of errors with which that is so."""


def copy(text: str) -> None:
    """Put a text that was told, and what it was told by, on the clipboard."""
    made = [
        f"Layerlift {version()}",
        f"Krita {host.version()}",
        f"Qt {QtCore.qVersion()}",
        f"Python {platform.python_version()}",
        platform.platform(),
    ]
    QtWidgets.QApplication.clipboard().setText("\n".join([text, "", *made, ""]))
    host.tell(_("The report is on the clipboard."))
