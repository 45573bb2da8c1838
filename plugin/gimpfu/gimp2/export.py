"""The dialog that asks how an image is to be brought into a form that a file format can hold."""

from __future__ import annotations

import ctypes

from .gtk import start
from .libgimp import UI_SONAME, Library, encode


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """See the contract."""
    start()
    pointer = ctypes.POINTER(ctypes.c_int32)
    ask = Library(UI_SONAME).function(
        "gimp_export_image", ctypes.c_int, pointer, pointer, ctypes.c_char_p, ctypes.c_uint
    )
    image_id, drawable_id = ctypes.c_int32(image), ctypes.c_int32(drawable)
    answer = ask(image_id, drawable_id, encode(format_name), capabilities)
    return answer, image_id.value, drawable_id.value
