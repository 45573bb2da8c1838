"""gimpui: what plug-ins with windows of their own need of GIMP's widgets. PyGTK, for GTK's own, is no more."""

from __future__ import annotations

from ..contract.database import RUN_NONINTERACTIVE
from ..host import HOST
from .application import PROCESS


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    HOST.dialogs().start_toolkit()


def confirm(title: str, question: str) -> bool:
    """Ask the user whether to go on, in a box of GIMP's own look: OK or Cancel.

    A procedure that runs with RUN_NONINTERACTIVE goes on unasked. Raises gimpfu.error where there is no display. The
    classic module had no such thing: plug-ins asked by PyGTK.
    """
    return PROCESS.run_mode == RUN_NONINTERACTIVE or HOST.dialogs().confirm(title, question)
