"""Values on their way to and from the procedural database: Python objects on one side, GimpParam on the other.

A classic plug-in passes and receives an array right after its count, as the C library does.
"""

from __future__ import annotations

import ctypes
from typing import Any, Iterable, Sequence

from ..values.colors import RGB
from ..values.parasites import Parasite
from ..values.types import (
    COLOR,
    COLORARRAY,
    FLOAT,
    FLOATARRAY,
    INT8,
    INT8ARRAY,
    INT16,
    INT16ARRAY,
    INT32,
    INT32ARRAY,
    OBJECTS,
    PARASITE,
    STATUS,
    STRING,
    STRINGARRAY,
    ParameterDefinition,
    type_name,
)
from .libgimp import RGB as CRGB
from .libgimp import Parasite as CParasite
from .libgimp import decode, encode

ARRAYS = {
    INT32ARRAY: ctypes.c_int32,
    INT16ARRAY: ctypes.c_int16,
    INT8ARRAY: ctypes.c_uint8,
    FLOATARRAY: ctypes.c_double,
}


class Packer:
    """Fills GimpParam structures; holds what they point to, so keep it as long as they are used."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def pack(self, params: Any, definitions: Sequence[ParameterDefinition], values: Iterable[Any]) -> None:
        """Write `values` into the array `params`. A value that doesn't fit raises TypeError."""
        for param, definition, value in zip(params, definitions, values):
            param.type = definition.type
            try:
                self._set(param.data, definition.type, value)
            except (TypeError, ValueError, OverflowError, ctypes.ArgumentError) as failure:
                raise TypeError(
                    f"{definition.name} must be {type_name(definition.type)}, not {value!r} ({failure})"
                ) from None

    def _set(self, data: Any, pdb_type: int, value: Any) -> None:
        if pdb_type == INT32:
            data.int32 = int(value)
        elif pdb_type in OBJECTS:
            data.int32 = -1 if value is None else self._identity(value, pdb_type)
        elif pdb_type == FLOAT:
            data.float = float(value)
        elif pdb_type == STRING:
            data.string = self._keep(encode(value))
        elif pdb_type == COLOR:
            data.color = _color(value)
        elif pdb_type in ARRAYS:
            data.pointer = self._array(ARRAYS[pdb_type], value)
        elif pdb_type == STRINGARRAY:
            texts = [encode(text) for text in value]
            data.pointer = self._address((ctypes.c_char_p * len(texts))(*texts))
        elif pdb_type == COLORARRAY:
            colors = [_color(color) for color in value]
            data.pointer = self._address((CRGB * len(colors))(*colors))
        elif pdb_type == PARASITE:
            data.parasite = self._parasite(value)
        elif pdb_type == INT16:
            data.int16 = int(value)
        elif pdb_type == INT8:
            data.int8 = int(value)
        elif pdb_type == STATUS:
            data.int32 = int(value)
        else:
            raise TypeError(f"unknown type {pdb_type}")

    def _keep(self, value: Any) -> Any:
        self._kept.append(value)
        return value

    def _address(self, array: Any) -> int:
        return ctypes.addressof(self._keep(array))

    def _array(self, c_type: Any, value: Any) -> int:
        if c_type is ctypes.c_uint8 and isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            return self._address((c_type * len(data)).from_buffer_copy(data) if data else (c_type * 1)())
        convert = float if c_type is ctypes.c_double else int
        numbers = [convert(number) for number in value]
        return self._address((c_type * len(numbers))(*numbers))

    def _parasite(self, value: Any) -> CParasite:
        if not isinstance(value, Parasite):
            raise TypeError("not a gimp.Parasite")
        name = encode(value.name)
        data = ctypes.create_string_buffer(value.data, len(value.data) or 1)
        self._kept += [name, data]
        return CParasite(name, value.flags, len(value.data), ctypes.addressof(data))

    @staticmethod
    def _identity(value: Any, pdb_type: int) -> int:
        if pdb_type not in getattr(value, "pdb_types", ()):
            raise TypeError("wrong kind of object")
        return int(value.ID)


def _color(value: Any) -> CRGB:
    return CRGB(*RGB.of(value).values.values())


def _rgb(color: CRGB) -> RGB:
    return RGB(color.r, color.g, color.b, color.a)


def _taken_parasite(parasite: CParasite) -> Parasite | None:
    if parasite.name is None:
        return None
    data = ctypes.string_at(parasite.data, parasite.size) if parasite.size else b""
    return Parasite(decode(parasite.name) or "", parasite.flags, data)


def unpack(params: Any, count: int, wrap: Any) -> tuple[Any, ...]:
    """The Python values of `count` GimpParams; `wrap(pdb_type, id)` makes the GIMP objects."""
    values: list[Any] = []
    for index in range(count):
        values.append(_get(params[index], values[-1] if values else 0, wrap))
    return tuple(values)


def _get(param: Any, previous: Any, wrap: Any) -> Any:
    pdb_type, data = param.type, param.data
    if pdb_type in (INT32, STATUS):
        return data.int32
    if pdb_type in OBJECTS:
        return wrap(pdb_type, data.int32)
    if pdb_type == FLOAT:
        return data.float
    if pdb_type == STRING:
        return decode(data.string)
    if pdb_type == COLOR:
        return _rgb(data.color)
    if pdb_type == PARASITE:
        return _taken_parasite(data.parasite)
    if pdb_type == INT16:
        return data.int16
    if pdb_type == INT8:
        return data.int8
    if not data.pointer or previous < 1:
        return ()
    if pdb_type == INT8ARRAY:
        return tuple(ctypes.string_at(data.pointer, previous))
    if pdb_type in ARRAYS:
        return tuple((ARRAYS[pdb_type] * previous).from_address(data.pointer))
    if pdb_type == STRINGARRAY:
        return tuple(decode(text) or "" for text in (ctypes.c_char_p * previous).from_address(data.pointer))
    if pdb_type == COLORARRAY:
        return tuple(_rgb(color) for color in (CRGB * previous).from_address(data.pointer))
    raise TypeError(f"GIMP returned a value of the unknown type {pdb_type}")
