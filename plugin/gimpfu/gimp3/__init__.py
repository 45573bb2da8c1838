"""The back end for GIMP 3: libgimp through GObject introspection (see host)."""

from __future__ import annotations

from typing import Any

from . import facts
from .buffers import Buffers
from .database import Database
from .enums import constants
from .facts import is_display, is_item, is_rendered, kind_of_item, tile_height, tile_width
from .progress import progress_init, progress_install, progress_set_text, progress_uninstall, progress_update


def PlugInProcess(*arguments: Any) -> Any:
    """See process; it is loaded after the classic objects that it makes."""
    from .process import PlugInProcess as Process

    return Process(*arguments)


def serve(*arguments: Any) -> None:
    """See registered; it is loaded after the classic objects."""
    from .registered import serve as serve_registered

    serve_registered(*arguments)


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """EXPORT_IGNORE: GIMP 3's exporters bring an image into form themselves."""
    return 1, image, drawable


def confirm(title: str, question: str) -> bool:
    """See gimpui.confirm. GTK is loaded only now."""
    from .dialog import confirm as confirm_in_dialog

    return confirm_in_dialog(title, question)


def start_toolkit() -> None:
    """Start GTK with GIMP's theme."""
    from .dialog import start

    start()


__all__ = [
    "Buffers", "Database", "PlugInProcess", "confirm", "constants", "export", "facts", "is_display", "is_item",
    "is_rendered", "kind_of_item", "progress_init", "progress_install", "progress_set_text", "progress_uninstall",
    "progress_update", "serve", "start_toolkit", "tile_height", "tile_width",
]  # fmt: skip
