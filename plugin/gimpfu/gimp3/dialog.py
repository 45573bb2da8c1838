"""The dialog that asks for a procedure's values, and other windows: GIMP's own. GTK is loaded when one opens."""

# mypy: disable-error-code="import-untyped, import-not-found"
from __future__ import annotations

from typing import Any

import gi

from .. import parameters as pf
from ..errors import error

# The names of labels that stand for themselves, and that these have neither markup nor a mnemonic.
LABEL = "gimpfu-label-"
PLAIN = (False, False)


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


def export(image: int, drawable: int, format_name: str | None, capabilities: int) -> tuple[int, int, int]:
    """EXPORT_IGNORE: GIMP 3's exporters bring an image into form themselves."""
    return 1, image, drawable


def _close(dialog: Any, gtk: Any) -> None:
    """Close a dialog at once: what the plug-in does next may take long, and leaves GTK no time."""
    display = dialog.get_display()
    dialog.destroy()
    while gtk.events_pending():
        gtk.main_iteration()
    display.sync()


def confirm(title: str, question: str) -> bool:
    """See the contract."""
    ui, gtk = start()
    dialog = gtk.MessageDialog(
        title=title, text=question, message_type=gtk.MessageType.QUESTION, buttons=gtk.ButtonsType.OK_CANCEL
    )
    dialog.set_default_response(gtk.ResponseType.OK)
    ui.window_set_transient(dialog)
    try:
        return bool(dialog.run() == gtk.ResponseType.OK)
    finally:
        _close(dialog, gtk)


def ask(procedure: Any, config: Any, declared: Any) -> bool:
    """Let the user choose the values, which the config then holds; False if they back out."""
    ui, gtk = start(declared.name)
    title = (declared.label or declared.name).replace("_", "").rstrip(" .\u2026")
    dialog = ui.ProcedureDialog.new(procedure, config, title)
    names = []
    if declared.documentation[0]:
        dialog.get_label(LABEL, declared.documentation[0], *PLAIN).set_line_wrap(True)
        names.append(LABEL)
    for argument in declared.arguments:
        if argument.kind == pf.PF_DISPLAY:
            continue  # there is nothing to choose
        if argument.kind == pf.PF_TEXT:
            dialog.get_label(LABEL + argument.name, argument.shown.description.replace("_", ""), *PLAIN)
            dialog.get_widget(argument.name, gtk.TextView)
            names.append(LABEL + argument.name)
        elif argument.kind == pf.PF_SLIDER:
            dialog.get_scale_entry(argument.name, 1.0)
        names.append(argument.name)
    dialog.fill(names)
    try:
        return bool(dialog.run())
    finally:
        _close(dialog, gtk)
