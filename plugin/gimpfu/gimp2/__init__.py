"""The back end for GIMP 2.10: libgimp by ctypes (see host)."""

from __future__ import annotations

from . import facts
from .buffers import Buffers
from .database import Database
from .enums import constants
from .facts import is_display, is_item, is_rendered, kind_of_item, tile_height, tile_width
from .process import PlugInProcess
from .progress import progress_init, progress_install, progress_set_text, progress_uninstall, progress_update
from .registered import serve


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """See gimp.export_image. GTK is loaded only now."""
    from .export import export as export_in_dialog

    return export_in_dialog(image, drawable, format_name, capabilities)


def confirm(title: str, question: str) -> bool:
    """See gimpui.confirm. GTK is loaded only now."""
    from .dialog import confirm as confirm_in_dialog

    return confirm_in_dialog(title, question)


def start_toolkit() -> None:
    """Start GTK with GIMP's theme."""
    from .gtk import start

    start()


__all__ = [
    "Buffers", "Database", "PlugInProcess", "confirm", "constants", "export", "facts", "is_display", "is_item",
    "is_rendered", "kind_of_item", "progress_init", "progress_install", "progress_set_text", "progress_uninstall",
    "progress_update", "serve", "start_toolkit", "tile_height", "tile_width",
]  # fmt: skip
