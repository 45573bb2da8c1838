"""gimpui: what plug-ins with windows of their own need of GIMP's widgets. PyGTK, for GTK's own, is no more."""

from __future__ import annotations

from ..host import HOST


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    HOST.start_toolkit()
