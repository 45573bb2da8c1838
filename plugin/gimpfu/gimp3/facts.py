"""What libgimp 3 knows about itself, this GIMP and its folders."""

from __future__ import annotations

from typing import Any

from .arguments import channels, gegl_color
from .library import Gimp, Gio, GLib

version = (Gimp.MAJOR_VERSION, Gimp.MINOR_VERSION, Gimp.MICRO_VERSION)
FOLDERS = {
    "directory": Gimp.directory,
    "data_directory": Gimp.data_directory,
    "locale_directory": Gimp.locale_directory,
    "sysconf_directory": Gimp.sysconf_directory,
    # GIMP's own plug-ins are installed with its libraries.
    "plug_in_directory": lambda: GLib.build_filenamev([Gimp.installation_directory(), "lib", "gimp", "3.0"]),
}


def path_of(folder: Any) -> str:
    """The path of a folder that libgimp names as text or as a GFile."""
    return str((folder.get_path() if isinstance(folder, Gio.File) else folder) or "")


def folder(name: str) -> str:
    """The path of one of `FOLDERS`."""
    return path_of(FOLDERS[name]())


def tile_width() -> int:
    """The width of a tile."""
    return int(Gimp.tile_width())


def tile_height() -> int:
    """The height of a tile."""
    return int(Gimp.tile_height())


def gamma() -> float:
    """The display's gamma, of which GIMP 3 knows nothing: sRGB's."""
    return 2.2


def show_tool_tips() -> bool:
    """Whether tool tips are shown. GIMP 3 always does."""
    return True


def show_help_button() -> bool:
    """Whether dialogs have a help button."""
    return bool(Gimp.show_help_button())


def check_size() -> int:
    """The size of the checks that stand for transparency."""
    return int(Gimp.check_size())


def check_type() -> int:
    """The shades of the checks that stand for transparency."""
    return int(Gimp.check_type())


def monitor_number() -> int:
    """The monitor that GIMP is on."""
    return int(Gimp.monitor_number())


def wm_class() -> str | None:
    """The window class of GIMP's windows."""
    text: str | None = Gimp.wm_class()
    return text


def display_name() -> str | None:
    """The screen that GIMP is on."""
    return GLib.getenv("DISPLAY") or None


def get_progname() -> str | None:
    """The plug-in's own file."""
    text: str | None = Gimp.get_progname()
    return text


def gtkrc() -> str:
    """The file of GTK's settings, which GTK 3 has none of."""
    return ""


def default_display() -> int:
    """The ID of the display that the plug-in was started from; 0 if there is none."""
    display = Gimp.default_display()
    return 0 if display is None else int(display.get_id())


def personal_rc_file(basename: str) -> str:
    """The path of a file in the user's GIMP folder."""
    return str(GLib.build_filenamev([folder("directory"), basename]))


def user_directory(type: int) -> str | None:
    """One of the user's own folders, by GLib's numbers."""
    path: str | None = GLib.get_user_special_dir(GLib.UserDirectory(type))
    return path


def checks_get_shades(type: int) -> tuple[int, int]:
    """The two grays of a checkerboard type."""
    # The colours that go in stand for those of a custom type, which has no shades of its own.
    colors = Gimp.checks_get_colors(Gimp.CheckType(type), gegl_color("black"), gegl_color("black"))
    light, dark = (int(channels(color)[0] * 255 + 0.5) for color in colors)
    return light, dark


def end_plug_in() -> None:
    """End this process as GIMP's plug-in."""
    Gimp.quit()


def is_display(identity: int) -> bool:
    """Whether there is a display with this ID."""
    return bool(Gimp.Display.id_is_valid(identity))


def is_item(identity: int) -> bool:
    """Whether there is a layer, channel or path with this ID."""
    return bool(Gimp.Item.id_is_valid(identity))


def kind_of_item(identity: int) -> str | None:
    """What an ID stands for: "layer", "group", "channel" or "vectors"; None if there is no such item."""
    if Gimp.Item.id_is_layer(identity):
        return "group" if Gimp.Item.id_is_group_layer(identity) else "layer"
    if Gimp.Item.id_is_channel(identity):
        return "channel"
    return "vectors" if Gimp.Item.id_is_path(identity) else None


def is_rendered(layer: int) -> bool:
    """Whether a layer is anything but plain pixels (a group, text, vector or link layer), or has visible filters."""
    found = Gimp.Item.get_by_id(layer)
    return type(found) is not Gimp.Layer or any(effect.get_visible() for effect in found.get_filters())
