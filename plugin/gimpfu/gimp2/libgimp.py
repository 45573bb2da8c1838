"""The C side: libgimp 2.10, opened by ctypes, and the structures that cross the border.

Field order and sizes follow libgimp/gimp.h and libgimpcolor/gimpcolortypes.h of GIMP 2.10.
"""

from __future__ import annotations

import ctypes
from typing import Any

SONAME = "libgimp-2.0.so.0"
UI_SONAME = "libgimpui-2.0.so.0"


class RGB(ctypes.Structure):
    """GimpRGB: four doubles, 0 to 1."""

    _fields_ = [("r", ctypes.c_double), ("g", ctypes.c_double), ("b", ctypes.c_double), ("a", ctypes.c_double)]


class Parasite(ctypes.Structure):
    """GimpParasite: named bytes that GIMP keeps with an image, an item or itself."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    ]


class ParamData(ctypes.Union):
    """GimpParamData: one argument or return value."""

    _fields_ = [
        ("int32", ctypes.c_int32),
        ("int16", ctypes.c_int16),
        ("int8", ctypes.c_uint8),
        ("float", ctypes.c_double),
        ("string", ctypes.c_char_p),
        ("pointer", ctypes.c_void_p),
        ("color", RGB),
        ("parasite", Parasite),
    ]


class Param(ctypes.Structure):
    """GimpParam: a PDB type and its value."""

    _fields_ = [("type", ctypes.c_int), ("data", ParamData)]


class ParamDef(ctypes.Structure):
    """GimpParamDef: how a procedure declares one argument or return value."""

    _fields_ = [("type", ctypes.c_int), ("name", ctypes.c_char_p), ("description", ctypes.c_char_p)]


InitCallback = ctypes.CFUNCTYPE(None)
RunCallback = ctypes.CFUNCTYPE(
    None,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.POINTER(Param),
    ctypes.POINTER(ctypes.c_int),
    ctypes.POINTER(ctypes.POINTER(Param)),
)


class PlugInInfo(ctypes.Structure):
    """GimpPlugInInfo: the four callbacks of a plug-in; each may be NULL."""

    _fields_ = [("init", InitCallback), ("quit", InitCallback), ("query", InitCallback), ("run", RunCallback)]


class Library:
    """A shared library and, through it, all that it depends on (dlsym looks there too)."""

    def __init__(self, soname: str) -> None:
        try:
            self._handle = ctypes.CDLL(soname)
        except OSError as failure:
            raise ImportError(f"gimpfu needs GIMP 2.10, but {soname} can't be opened: {failure}") from failure

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        """The C function `name` with its types declared; without them 64-bit pointers would be cut."""
        function = self._handle[name]
        function.restype = result
        function.argtypes = arguments
        return function

    def constant(self, name: str) -> int:
        """The value of an exported `const guint`."""
        return ctypes.c_uint.in_dll(self._handle, name).value


LIBRARY = Library(SONAME)
g_free = LIBRARY.function("g_free", None, ctypes.c_void_p)
g_strfreev = LIBRARY.function("g_strfreev", None, ctypes.c_void_p)


def encode(text: object) -> bytes | None:
    """What GIMP calls a string: UTF-8 without zero bytes; None is NULL, bytes pass as they are."""
    if text is None:
        return None
    data = text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise TypeError("a string for GIMP can't hold a zero byte")
    return data


def decode(data: bytes | None) -> str | None:
    """Text from GIMP. File names that are not UTF-8 survive the round trip as surrogates."""
    return None if data is None else data.decode("utf-8", "surrogateescape")


def take_string(address: int | None) -> str | None:
    """The text at a char* that we own; frees it."""
    if not address:
        return None
    text = decode(ctypes.string_at(address))
    g_free(address)
    return text


def take_strings(address: int | None, count: int) -> list[str]:
    """The texts of a char** that we own; frees it."""
    if not address:
        return []
    pointers = (ctypes.c_char_p * count).from_address(address)
    texts = [decode(pointer) or "" for pointer in pointers]
    g_strfreev(address)
    return texts
