"""The Qt that Krita itself carries: 5 in Krita 5, 6 in Krita 6. Never another: two in one process crash it."""

import pykrita

if getattr(pykrita, "qt_major_version", lambda: 5)() == 6:
    from PyQt6 import QtCore, QtGui, QtWidgets, sip
else:
    from PyQt5 import QtCore, QtGui, QtWidgets, sip

__all__ = ["QtCore", "QtGui", "QtWidgets", "languages", "sip"]


def languages() -> list[str]:
    """What Krita speaks: what its user has chosen in its menu, or else the system's languages, best first."""
    return [name.replace("-", "_") for name in QtCore.QLocale().uiLanguages()]
