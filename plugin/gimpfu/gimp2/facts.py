"""What libgimp 2.10 knows about itself, this GIMP and its folders."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, TypeVar

from .libgimp import LIBRARY, decode, encode, take_string

_TEXT, _INT = ctypes.c_char_p, ctypes.c_int
Fact = TypeVar("Fact")

version = tuple(LIBRARY.constant(f"gimp_{part}_version") for part in ("major", "minor", "micro"))
FOLDERS = {
    "directory": "gimp_directory",
    "data_directory": "gimp_data_directory",
    "locale_directory": "gimp_locale_directory",
    "sysconf_directory": "gimp_sysconf_directory",
    "plug_in_directory": "gimp_plug_in_directory",
}
_is_valid_display = LIBRARY.function("gimp_display_is_valid", _INT, ctypes.c_int32)
_is_layer, _is_channel, _is_vectors, _is_group, _is_text_layer, _is_valid = (
    LIBRARY.function("gimp_item_is_" + kind, _INT, ctypes.c_int32)
    for kind in ("layer", "channel", "vectors", "group", "text_layer", "valid")
)


def folder(name: str) -> str:
    """The path of one of `FOLDERS`."""
    return decode(LIBRARY.function(FOLDERS[name], _TEXT)()) or ""


def _fact(name: str, result: Any, kind: Callable[[Any], Fact]) -> Callable[[], Fact]:
    """A function without arguments that asks libgimp for one fact about this GIMP."""

    def fact() -> Fact:
        return kind(LIBRARY.function(name, result)())

    fact.__name__ = name
    fact.__doc__ = f"What libgimp's {name}() says."
    return fact


tile_width, tile_height = _fact("gimp_tile_width", _INT, int), _fact("gimp_tile_height", _INT, int)
gamma = _fact("gimp_gamma", ctypes.c_double, float)
show_tool_tips = _fact("gimp_show_tool_tips", _INT, bool)
show_help_button = _fact("gimp_show_help_button", _INT, bool)
check_size, check_type = _fact("gimp_check_size", _INT, int), _fact("gimp_check_type", _INT, int)
monitor_number = _fact("gimp_monitor_number", _INT, int)
wm_class, display_name = _fact("gimp_wm_class", _TEXT, decode), _fact("gimp_display_name", _TEXT, decode)
get_progname = _fact("gimp_get_progname", _TEXT, decode)
gtkrc = _fact("gimp_gtkrc", _TEXT, decode)
default_display = _fact("gimp_default_display", _INT, int)


def personal_rc_file(basename: str) -> str | None:
    """The path of a file in the user's GIMP folder."""
    return take_string(LIBRARY.function("gimp_personal_rc_file", ctypes.c_void_p, _TEXT)(encode(basename)))


def user_directory(type: int) -> str | None:
    """One of the user's own folders, by GLib's numbers."""
    return decode(LIBRARY.function("g_get_user_special_dir", _TEXT, _INT)(type))


def checks_get_shades(type: int) -> tuple[int, int]:
    """The two grays of a checkerboard type."""
    light, dark = ctypes.c_ubyte(), ctypes.c_ubyte()
    pointer = ctypes.POINTER(ctypes.c_ubyte)
    LIBRARY.function("gimp_checks_get_shades", None, _INT, pointer, pointer)(type, light, dark)
    return light.value, dark.value


def end_plug_in() -> None:
    """End this process as GIMP's plug-in."""
    LIBRARY.function("gimp_quit", None)()


def is_display(identity: int) -> bool:
    """Whether there is a display with this ID."""
    return bool(_is_valid_display(identity))


def is_item(identity: int) -> bool:
    """Whether there is a layer, channel or path with this ID."""
    return bool(_is_valid(identity))


def kind_of_item(identity: int) -> str | None:
    """What an ID stands for: "layer", "group", "channel" or "vectors"; None if there is no such item."""
    if _is_layer(identity):
        return "group" if _is_group(identity) else "layer"
    if _is_channel(identity):
        return "channel"
    return "vectors" if _is_vectors(identity) else None


def is_rendered(layer: int) -> bool:
    """Whether a layer is a group or a text."""
    return bool(_is_group(layer) or _is_text_layer(layer))
