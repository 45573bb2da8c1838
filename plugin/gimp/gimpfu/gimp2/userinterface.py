"""gimpui: what plug-ins with windows of their own need of libgimpui. GTK's widgets need PyGTK, which is no more."""

from __future__ import annotations


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    from .gtk import start

    start()
