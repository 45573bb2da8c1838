"""gimpenums: every constant of GIMP, read from the library itself, and the names of older versions."""

from __future__ import annotations

import ctypes
from typing import Iterator

from ..values.constants import NOT_IN_ENUMS
from .libgimp import LIBRARY


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
    table: dict[str, float] = dict(NOT_IN_ENUMS)
    table.update(_library_constants())
    return table
