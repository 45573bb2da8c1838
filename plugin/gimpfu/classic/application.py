"""The classic `gimp` module: the classes of all GIMP objects, and what concerns GIMP itself."""

from __future__ import annotations

import copyreg
from typing import Any, Callable, Sequence

from ..errors import GimpError as error
from ..host import FACTS, HOST
from ..values import types
from ..values.colors import RGB
from ..values.parasites import Parasite, encode_data
from .images import Display, Image, delete, display_by_id, image_list
from .items import Channel, Drawable, GroupLayer, Item, Layer
from .objects import call, find_parasite, list_items, made_by, pdb, wrap
from .pixels import PixelFetcher, PixelRgn, Tile
from .pixelstore import STORE
from .vectors import Vectors, VectorsBezierStroke, VectorsStroke

PROCESS = HOST.make_process(pdb, STORE.settle)
main = PROCESS.main
install_procedure, install_temp_proc = PROCESS.install_procedure, PROCESS.install_temp_proc
uninstall_temp_proc = PROCESS.uninstall_temp_proc
menu_register, domain_register = PROCESS.menu_register, PROCESS.domain_register
register_load_handler, register_save_handler = PROCESS.register_load_handler, PROCESS.register_save_handler
register_magic_load_handler = PROCESS.register_magic_load_handler
progress_init, progress_update, progress_set_text = HOST.progress_init, HOST.progress_update, HOST.progress_set_text
progress_install, progress_uninstall = HOST.progress_install, HOST.progress_uninstall
version = FACTS.version


def __getattr__(name: str) -> str:
    if name not in FACTS.FOLDERS:
        raise AttributeError(f"gimp has no {name!r}")
    return FACTS.folder(name)


# Messages


def message(text: Any) -> None:
    """Show a message: in a box or the error console, on standard error without a window."""
    call("gimp-message", text)


# Data that lives as long as GIMP


def set_data(identifier: str, data: bytes | str) -> None:
    """Keep bytes in GIMP for this session."""
    content = encode_data(data)
    call("gimp-procedural-db-set-data", identifier, len(content), content)


def get_data(identifier: str) -> bytes:
    """The bytes kept under this name; gimp.error if there are none."""
    return bytes(call("gimp-procedural-db-get-data", identifier)[1])


def parasite_find(name: str) -> Parasite | None:
    """The parasite that GIMP itself holds, or None."""
    return find_parasite("", name)


def parasite_attach(parasite: Parasite) -> None:
    """Give GIMP itself a parasite; a persistent one outlives the session."""
    call("gimp-attach-parasite", parasite)


def attach_new_parasite(name: str, flags: int, data: bytes | str) -> None:
    """Make a parasite and give it to GIMP. A zero byte follows the data, as in the classic module."""
    parasite_attach(Parasite(name, flags, encode_data(data) + b"\0"))


def parasite_detach(name: str) -> None:
    """Take a parasite off GIMP."""
    call("gimp-detach-parasite", name)


def parasite_list() -> tuple[str, ...]:
    """The names of GIMP's own parasites."""
    return tuple(call("gimp-get-parasite-list")[1])


# Colours, gradients and fonts of the context


def _one_color(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values


def get_foreground() -> RGB:
    """The foreground colour."""
    color: RGB = call("gimp-context-get-foreground")
    return color


def set_foreground(*color: Any) -> None:
    """Set the foreground colour: one colour, or three or four channels."""
    call("gimp-context-set-foreground", _one_color(color))


def get_background() -> RGB:
    """The background colour."""
    color: RGB = call("gimp-context-get-background")
    return color


def set_background(*color: Any) -> None:
    """Set the background colour: one colour, or three or four channels."""
    call("gimp-context-set-background", _one_color(color))


def context_push() -> None:
    """Save the context: colours, brush, and so on."""
    call("gimp-context-push")


def context_pop() -> None:
    """Restore the context that was saved last."""
    call("gimp-context-pop")


def gradients_get_list(filter: str | None = None) -> tuple[str, ...]:
    """The names of all gradients that match the regular expression."""
    return tuple(call("gimp-gradients-get-list", filter or "")[1])


def context_get_gradient() -> str:
    """The name of the active gradient."""
    return str(call("gimp-context-get-gradient"))


def context_set_gradient(name: str) -> None:
    """Make a gradient the active one."""
    call("gimp-context-set-gradient", name)


gradients_get_gradient, gradients_set_gradient = context_get_gradient, context_set_gradient


def _samples(values: Sequence[float]) -> list[tuple[float, ...]]:
    return [tuple(values[i : i + 4]) for i in range(0, len(values), 4)]


def gradient_get_uniform_samples(name: str, count: int, reverse: bool = False) -> list[tuple[float, ...]]:
    """The gradient's colours (r, g, b, a) at evenly spaced places."""
    return _samples(call("gimp-gradient-get-uniform-samples", name, count, int(reverse))[1])


def gradient_get_custom_samples(name: str, places: Sequence[float], reverse: bool = False) -> list[tuple[float, ...]]:
    """The gradient's colours (r, g, b, a) at these places, 0 to 1."""
    return _samples(call("gimp-gradient-get-custom-samples", name, len(places), places, int(reverse))[1])


def gradients_sample_uniform(count: int, reverse: bool = False) -> list[tuple[float, ...]]:
    """Evenly spaced colours of the active gradient."""
    return gradient_get_uniform_samples(context_get_gradient(), count, reverse)


def gradients_sample_custom(places: Sequence[float], reverse: bool = False) -> list[tuple[float, ...]]:
    """The active gradient's colours at these places."""
    return gradient_get_custom_samples(context_get_gradient(), places, reverse)


def fonts_refresh() -> None:
    """Look for new fonts."""
    call("gimp-fonts-refresh")


def fonts_get_list(filter: str | None = None) -> tuple[str, ...]:
    """The names of all fonts that match the regular expression."""
    return tuple(call("gimp-fonts-get-list", filter or "")[1])


# GIMP and its windows


def quit() -> None:
    """End this plug-in."""
    FACTS.end_plug_in()


def exit(force: bool = False) -> None:
    """End GIMP."""
    call("gimp-quit", int(force))


def displays_flush() -> None:
    """Redraw what has changed."""
    call("gimp-displays-flush")


def displays_reconnect(old_image: Image, new_image: Image) -> None:
    """Show another image in all displays of one."""
    call("gimp-displays-reconnect", old_image, new_image)


def tile_cache_size(kilobytes: int) -> None:
    """Accepted for old plug-ins: pixels are cached by GEGL here."""


def tile_cache_ntiles(count: int) -> None:
    """Accepted for old plug-ins: pixels are cached by GEGL here."""


tile_width, tile_height = FACTS.tile_width, FACTS.tile_height
gamma, show_tool_tips, show_help_button = FACTS.gamma, FACTS.show_tool_tips, FACTS.show_help_button
check_size, check_type, monitor_number = FACTS.check_size, FACTS.check_type, FACTS.monitor_number
wm_class, display_name, get_progname = FACTS.wm_class, FACTS.display_name, FACTS.get_progname
gtkrc, personal_rc_file, user_directory = FACTS.gtkrc, FACTS.personal_rc_file, FACTS.user_directory
checks_get_shades = FACTS.checks_get_shades
extension_ack, extension_enable = PROCESS.extension_ack, PROCESS.extension_enable
extension_process = PROCESS.extension_process


def default_display() -> Display | None:
    """The display that the plug-in was started from."""
    identity = FACTS.default_display()
    return display_by_id(identity) if identity > 0 else None


# Export


def export_image(
    image: Image, drawable: Drawable | None = None, format_name: str | None = None, capabilities: int = -1
) -> tuple[int, Image, Drawable]:
    """Ask the user how to bring an image into a form that a file format can hold.

    Returns EXPORT_CANCEL, EXPORT_IGNORE or EXPORT_EXPORT, and the image and drawable to write: copies after
    EXPORT_EXPORT.
    """
    if capabilities == -1:
        raise TypeError("capabilities must combine EXPORT_CAN_HANDLE_ and EXPORT_NEEDS_ALPHA values")
    drawable = drawable or image.active_drawable
    if drawable is None:
        raise ValueError("the image has no active drawable, and none was given")
    answer, image_id, drawable_id = HOST.dialogs().export(image.ID, drawable.ID, format_name, capabilities)
    return answer, Image.by_id(image_id), wrap(types.ITEM, drawable_id)


# Paths


def vectors_import_from_file(image: Image, svg_file: str, merge: bool = False, scale: bool = False) -> list[Any]:
    """The paths of an SVG file, added to the image."""
    return list_items("gimp-vectors-import-from-file", image, svg_file, int(merge), int(scale))


def vectors_import_from_string(
    image: Image, svg_string: str | bytes, merge: bool = False, scale: bool = False
) -> list[Any]:
    """The paths of SVG text, added to the image."""
    length = len(encode_data(svg_string))
    return list_items("gimp-vectors-import-from-string", image, svg_string, length, int(merge), int(scale))


# GIMP objects by their ID, as in gimpshelf and elsewhere, where they are pickled by it

_KIND_NAMES: dict[str, type[Item]] = {"layer": Layer, "group": GroupLayer, "channel": Channel, "vectors": Vectors}
_KINDS: dict[int, type[Item]] = {}


def item_by_id(identity: int) -> Item | None:
    """The object for an item; what kind of item an ID stands for never changes, so it is asked for once."""
    kind = _KINDS.get(identity)
    if kind is None:
        name = FACTS.kind_of_item(identity)
        if name is None:
            return None
        kind = _KINDS[identity] = _KIND_NAMES[name]
    item: Item = kind.by_id(identity)
    return item


made_by(item_by_id, types.ITEM, types.DRAWABLE, types.LAYER, types.CHANNEL, types.SELECTION, types.VECTORS)


def _id2image(identity: int) -> Image | None:
    return next((image for image in image_list() if identity == image.ID), None)


def _id2drawable(identity: int) -> Item | None:
    return Item.from_id(identity)


_id2vectors = _id2drawable


def _id2display(identity: int) -> Display | None:
    return display_by_id(identity) if FACTS.is_display(identity) else None


_BY_ID: dict[type, Callable[[int], Any]] = {
    Image: _id2image,
    Display: _id2display,
    **dict.fromkeys(_KIND_NAMES.values(), _id2drawable),
}


def _reduced(thing: Any) -> tuple[Callable[[int], Any], tuple[int]]:
    return _BY_ID[type(thing)], (thing.ID,)


for _kind in _BY_ID:
    copyreg.pickle(_kind, _reduced)

__all__ = [
    "Channel", "Display", "Drawable", "GroupLayer", "Image", "Item", "Layer", "Parasite", "PixelFetcher", "PixelRgn",
    "Tile", "Vectors", "VectorsBezierStroke", "VectorsStroke", "delete", "domain_register", "error", "image_list",
    "install_procedure", "install_temp_proc", "main", "menu_register", "pdb", "progress_init", "progress_install",
    "progress_set_text", "progress_uninstall", "progress_update", "register_load_handler",
    "register_magic_load_handler", "register_save_handler", "uninstall_temp_proc",
]  # fmt: skip
