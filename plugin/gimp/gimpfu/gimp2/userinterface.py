"""gimpui: what plug-ins that open their own windows need of libgimpui. GTK's own widgets need PyGTK, which is no more."""
from __future__ import annotations


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    from .gtk import start

    start()
