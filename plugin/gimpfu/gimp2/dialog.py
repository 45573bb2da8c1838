"""GIMP's own windows, drawn with GTK 2: the dialog that asks for a procedure's values, forms, and others."""

from __future__ import annotations

import ctypes
import gettext
from typing import Any, Callable, Mapping, Sequence

from ..contract.database import Database
from ..contract.form import Form
from ..errors import CancelError
from ..parameters import Parameter
from ..procedures import Registration
from .facts import folder
from .fields import InvalidInput
from .form import CANCEL, Window, form_window
from .gtk import start
from .libgimp import UI_SONAME, Library, encode

OK, RESET = -5, 1


def ask(
    procedure: Registration, parameters: Sequence[Parameter], values: Sequence[Any], given: Sequence[Any], pdb: Database
) -> list[Any]:
    """Show the values, let the user change them, and return them; raises CancelError if the user backs out.

    `given` are the values that are not asked for.
    """
    ui = start(procedure.name)
    title = (procedure.label or procedure.name).replace("_", "").rstrip(" .\u2026")
    buttons = {OK: "gtk-ok", CANCEL: "gtk-cancel", RESET: _in_users_language("_Reset")}
    window = Window(ui, title, procedure.name, procedure.texts[0], parameters, buttons, OK, pdb.wrap)
    for parameter, value in zip(parameters, values):
        window[parameter.name] = value
    try:
        if procedure.on_dialog is not None:
            procedure.on_dialog(window, *given)
        return _converse(window, parameters, pdb)
    finally:
        window.destroy()


def _converse(window: Window, parameters: Sequence[Parameter], pdb: Database) -> list[Any]:
    while True:
        response = window.ask()
        if response == RESET:
            for parameter in parameters:
                window[parameter.name] = parameter.default
        elif response == OK:
            try:
                return [field.get() for field in window.fields.values()]
            except InvalidInput as invalid:
                pdb["gimp-message"](_in_users_language("Invalid input for '%s'") % invalid)
        else:
            raise CancelError("cancelled")


def _in_users_language(text: str) -> str:
    """A text that GIMP's own Python plug-ins have in the same place."""
    return gettext.translation("gimp20-python", folder("locale_directory"), fallback=True).gettext(text)


def form(
    title: str, rows: Sequence[Parameter], answers: Mapping[str, str], cancel: str, default: str | None,
    wrap: Callable[[int, int], Any],
) -> Form:  # fmt: skip
    """See the contract."""
    return form_window(start(), title, rows, answers, cancel, default, wrap)


def start_toolkit() -> None:
    """See the contract."""
    start()


def copy(text: str) -> None:
    """See the contract."""
    ui = start()
    clipboard = ui.gtk_clipboard_get(ui.gdk_atom_intern("CLIPBOARD", 0))
    ui.gtk_clipboard_set_text(clipboard, text, -1)
    ui.gtk_clipboard_store(clipboard)


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """See the contract."""
    start()
    pointer = ctypes.POINTER(ctypes.c_int32)
    ask_how = Library(UI_SONAME).function(
        "gimp_export_image", ctypes.c_int, pointer, pointer, ctypes.c_char_p, ctypes.c_uint
    )
    image_id, drawable_id = ctypes.c_int32(image), ctypes.c_int32(drawable)
    answer = ask_how(image_id, drawable_id, encode(format_name), capabilities)
    return answer, image_id.value, drawable_id.value
