"""The dialog that asks for a procedure's values, and other windows, drawn with GTK 2 in GIMP's own look."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence

from ..contract.database import Database
from ..errors import CancelError
from ..parameters import Parameter
from ..procedures import Registration
from .fields import Field, InvalidInput, make_fields
from .gtk import Toolkit, start
from .libgimp import UI_SONAME, Library, encode

OK, CANCEL, RESET = -5, -6, 1
EXPAND, FILL = 1, 4
QUESTION_CHARACTERS = 60
LABEL_COLUMN, FIELD_COLUMN = 0, 1


def ask(procedure: Registration, parameters: Sequence[Parameter], values: Sequence[Any], pdb: Database) -> list[Any]:
    """Show the values, let the user change them, and return them; raises CancelError if the user backs out."""
    ui = start(procedure.name)
    title = (procedure.label or procedure.name).replace("_", "").rstrip(" .\u2026")
    dialog = _new_dialog(ui, title, procedure.name, {"_Reset": RESET})
    fields = make_fields(ui, parameters, title, pdb.wrap)
    _arrange(ui, dialog, procedure.texts[0], fields)
    _show(fields, values)
    try:
        return _converse(ui, dialog, fields, pdb)
    finally:
        ui.gtk_widget_destroy(dialog)
        ui.show_pending()


def start_toolkit() -> None:
    """See the contract."""
    start()


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


def confirm(title: str, question: str) -> bool:
    """See the contract."""
    ui = start()
    dialog = _new_dialog(ui, title, "gimpfu-confirm", {})
    label = ui.gtk_label_new(question)
    ui.gtk_misc_set_alignment(label, 0.0, 0.5)
    ui.gtk_misc_set_padding(label, 12, 12)
    ui.gtk_label_set_line_wrap(label, 1)
    ui.gtk_label_set_width_chars(label, QUESTION_CHARACTERS)
    ui.gtk_box_pack_start(ui.gtk_dialog_get_content_area(dialog), label, 1, 1, 0)
    ui.gtk_widget_show(label)
    try:
        return bool(ui.gtk_dialog_run(dialog) == OK)
    finally:
        ui.gtk_widget_destroy(dialog)
        ui.show_pending()


def _new_dialog(ui: Toolkit, title: str, role: str, buttons: dict[str, int]) -> Any:
    """A dialog with OK and Cancel, and more buttons before them."""
    dialog = ui.gtk_dialog_new()
    ui.gtk_window_set_title(dialog, title)
    ui.gtk_window_set_role(dialog, role)
    for label, response in buttons.items():
        ui.gtk_dialog_add_button(dialog, label, response)
    ui.gtk_dialog_add_button(dialog, "gtk-cancel", CANCEL)
    ui.gtk_dialog_add_button(dialog, "gtk-ok", OK)
    order = [*buttons.values(), OK, CANCEL]
    ui.gtk_dialog_set_alternative_button_order_from_array(dialog, len(order), (ctypes.c_int * len(order))(*order))
    ui.gtk_dialog_set_default_response(dialog, OK)
    ui.gimp_window_set_transient(dialog)
    return dialog


def _arrange(ui: Toolkit, dialog: Any, blurb: str, fields: Sequence[Field]) -> None:
    box = ui.gtk_vbox_new(0, 12)
    ui.gtk_container_set_border_width(box, 12)
    ui.gtk_box_pack_start(ui.gtk_dialog_get_content_area(dialog), box, 1, 1, 0)
    if blurb:
        ui.gtk_box_pack_start(box, ui.gimp_hint_box_new(blurb), 0, 0, 0)
    table = ui.gtk_table_new(max(1, len(fields)), 2, 0)
    ui.gtk_table_set_row_spacings(table, 6)
    ui.gtk_table_set_col_spacings(table, 6)
    ui.gtk_box_pack_start(box, table, 1, 1, 0)
    for row, field in enumerate(fields):
        first = FIELD_COLUMN
        if field.has_label:
            label = ui.gtk_label_new_with_mnemonic(field.parameter.description)
            ui.gtk_misc_set_alignment(label, 0.0, 0.5)
            ui.gtk_label_set_mnemonic_widget(label, field.focus)
            ui.gtk_table_attach(table, label, LABEL_COLUMN, FIELD_COLUMN, row, row + 1, FILL, FILL, 0, 0)
        else:
            first = LABEL_COLUMN
        ui.gtk_table_attach(table, field.widget, first, FIELD_COLUMN + 1, row, row + 1, EXPAND | FILL, FILL, 0, 0)
    ui.gtk_widget_show_all(box)


def _show(fields: Sequence[Field], values: Sequence[Any]) -> None:
    for field, value in zip(fields, values):
        field.set(value)


def _converse(ui: Toolkit, dialog: Any, fields: Sequence[Field], pdb: Database) -> list[Any]:
    while True:
        response = ui.gtk_dialog_run(dialog)
        if response == RESET:
            _show(fields, [field.parameter.default for field in fields])
        elif response == OK:
            try:
                return [field.get() for field in fields]
            except InvalidInput as invalid:
                pdb["gimp-message"](f"Invalid input for '{invalid}'")
        else:
            raise CancelError("cancelled")
