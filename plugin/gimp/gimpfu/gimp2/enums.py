"""gimpenums: every constant of GIMP, read from the library itself, and the names of older versions."""

from __future__ import annotations

import ctypes
from typing import Iterator

from .libgimp import LIBRARY

MISCELLANEOUS = {
    "PARASITE_PERSISTENT": 1,
    "PARASITE_UNDOABLE": 2,
    "PARASITE_ATTACH_PARENT": 0x80 << 8,
    "PARASITE_PARENT_PERSISTENT": 1 << 8,
    "PARASITE_PARENT_UNDOABLE": 2 << 8,
    "PARASITE_ATTACH_GRANDPARENT": 0x80 << 16,
    "PARASITE_GRANDPARENT_PERSISTENT": 1 << 16,
    "PARASITE_GRANDPARENT_UNDOABLE": 2 << 16,
    "UNIT_PIXEL": 0,
    "UNIT_INCH": 1,
    "UNIT_MM": 2,
    "UNIT_POINT": 3,
    "UNIT_PICA": 4,
    "MIN_IMAGE_SIZE": 1,
    "MAX_IMAGE_SIZE": 524288,
    "MIN_RESOLUTION": 5e-3,
    "MAX_RESOLUTION": 1048576.0,
    "MAX_MEMSIZE": 1 << 42,
    "PIXEL_FETCHER_EDGE_NONE": 0,
    "PIXEL_FETCHER_EDGE_WRAP": 1,
    "PIXEL_FETCHER_EDGE_SMEAR": 2,
    "PIXEL_FETCHER_EDGE_BLACK": 3,
    "PIXEL_FETCHER_EDGE_BACKGROUND": 4,
    "EXPORT_CAN_HANDLE_RGB": 1,
    "EXPORT_CAN_HANDLE_GRAY": 2,
    "EXPORT_CAN_HANDLE_INDEXED": 4,
    "EXPORT_CAN_HANDLE_BITMAP": 8,
    "EXPORT_CAN_HANDLE_ALPHA": 16,
    "EXPORT_CAN_HANDLE_LAYERS": 32,
    "EXPORT_CAN_HANDLE_LAYERS_AS_ANIMATION": 64,
    "EXPORT_CAN_HANDLE_LAYER_MASKS": 128,
    "EXPORT_NEEDS_ALPHA": 256,
    "EXPORT_CANCEL": 0,
    "EXPORT_IGNORE": 1,
    "EXPORT_EXPORT": 2,
    "TRUE": True,
    "FALSE": False,
}


class EnumValue(ctypes.Structure):
    """GEnumValue."""

    _fields_ = [("value", ctypes.c_int), ("name", ctypes.c_char_p), ("nick", ctypes.c_char_p)]


class EnumClass(ctypes.Structure):
    """GEnumClass; GIMP has no flags among the types that it lists."""

    _fields_ = [
        ("g_type", ctypes.c_size_t),
        ("minimum", ctypes.c_int),
        ("maximum", ctypes.c_int),
        ("n_values", ctypes.c_uint),
        ("values", ctypes.POINTER(EnumValue)),
    ]


_start = LIBRARY.function("gimp_enums_init", None)
_type_names = LIBRARY.function(
    "gimp_enums_get_type_names", ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_int)
)
_type_by_name = LIBRARY.function("g_type_from_name", ctypes.c_size_t, ctypes.c_char_p)
_class_of = LIBRARY.function("g_type_class_ref", ctypes.c_void_p, ctypes.c_size_t)
_older_names = LIBRARY.function("g_type_get_qdata", ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint)
_quark = LIBRARY.function("g_quark_from_static_string", ctypes.c_uint, ctypes.c_char_p)
OLDER_NAMES = b"gimp-compat-enum"
EXTRA_TYPES = ("gimp_check_size_get_type", "gimp_check_type_get_type")


def _enum_types() -> Iterator[int]:
    """The GTypes of all enums, each followed by the type that holds its names of older versions."""
    _start()
    for getter in EXTRA_TYPES:
        yield LIBRARY.function(getter, ctypes.c_size_t)()
    count = ctypes.c_int()
    names, older = _type_names(ctypes.byref(count)), _quark(OLDER_NAMES)
    for name in names[: count.value]:
        enum_type = _type_by_name(name)
        yield enum_type
        yield _older_names(enum_type, older)


def _library_constants() -> Iterator[tuple[str, int]]:
    for enum_type in _enum_types():
        if enum_type:
            enum = EnumClass.from_address(_class_of(enum_type))
            for value in enum.values[: enum.n_values]:
                name = value.name.decode("ascii")
                yield (name[5:] if name.startswith("GIMP_") else name), value.value


def constants() -> dict[str, float]:
    """All constants by their classic names, without GIMP_ in front; about a millisecond."""
    table: dict[str, float] = dict(MISCELLANEOUS)
    table.update(_library_constants())
    return table
