"""gimpui: what plug-ins with windows of their own need of libgimpui. GTK's widgets need PyGTK, which is no more."""

from __future__ import annotations

import ctypes
from typing import Any

from .arguments import DRAWABLE, IMAGE
from .gtk import start
from .libgimp import UI_SONAME, Library, encode
from .objects import wrap


def gimp_ui_init() -> None:
    """Start GTK with GIMP's theme."""
    start()


def export(image: Any, drawable: Any, format_name: str | None, capabilities: int) -> tuple[int, Any, Any]:
    """See gimp.export_image."""
    start()
    pointer = ctypes.POINTER(ctypes.c_int32)
    ask = Library(UI_SONAME).function(
        "gimp_export_image", ctypes.c_int, pointer, pointer, ctypes.c_char_p, ctypes.c_uint
    )
    image_id, drawable_id = ctypes.c_int32(image.ID), ctypes.c_int32(drawable.ID)
    answer = ask(image_id, drawable_id, encode(format_name), capabilities)
    return answer, wrap(IMAGE, image_id.value), wrap(DRAWABLE, drawable_id.value)
