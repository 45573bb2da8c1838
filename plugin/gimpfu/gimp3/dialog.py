"""GIMP's own windows: the dialog that asks for a procedure's values, forms, and others. Each loads GTK."""

# mypy: disable-error-code="import-untyped, import-not-found"
from __future__ import annotations

from typing import Any, Mapping, Sequence

import gi

from ..contract.database import Wrap
from ..contract.form import Form
from ..errors import error
from ..parameters import Parameter


def start(program: str = "gimpfu") -> tuple[Any, Any]:
    """Start GTK with GIMP's theme: GimpUi and Gtk; raises gimpfu.error where there is no display."""
    gi.require_version("Gtk", "3.0")
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi, Gtk

    if not Gtk.init_check([])[0]:
        raise error("The dialog needs a display. Run the procedure with RUN-NONINTERACTIVE and all its values.")
    GimpUi.init(program)
    return GimpUi, Gtk


def start_toolkit() -> None:
    """See the contract."""
    start()


def copy(text: str) -> None:
    """See the contract."""
    _, gtk = start()
    from gi.repository import Gdk

    clipboard = gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
    clipboard.set_text(text, -1)
    clipboard.store()


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """EXPORT_IGNORE: GIMP 3's exporters bring an image into form themselves."""
    return 1, image, drawable


def form(
    title: str, rows: Sequence[Parameter], answers: Mapping[str, str], cancel: str, default: str | None, wrap: Wrap
) -> Form:
    """See the contract."""
    ui, gtk = start()
    from .form import FormWindow

    return FormWindow(ui, gtk, title, rows, answers, cancel, default)


def ask(procedure: Any, config: Any, declared: Any, given: Sequence[Any], wrap: Wrap) -> bool:
    """Let the user choose the values, which the config then holds; False if they back out.

    `given` are the values that are not asked for.
    """
    ui, gtk = start(declared.name)
    from .form import ProcedureWindow

    window = ProcedureWindow(ui, gtk, procedure, config, declared, wrap)
    try:
        if declared.on_dialog is not None:
            declared.on_dialog(window, *given)
        return bool(window.ask())
    finally:
        window.destroy()
