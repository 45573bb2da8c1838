"""Windows with rows of controls, drawn with GTK 2 in GIMP's own look: forms, and the dialogs of procedures."""

from __future__ import annotations

import ctypes
from functools import partial
from typing import Any, Mapping, Sequence

from .. import parameters as pf
from ..contract.database import Wrap
from ..contract.form import MANY_HEIGHT, MANY_LINES, TEXT_CHARACTERS, Form, lines
from ..parameters import Parameter
from .fields import AUTOMATIC, NEVER, Field, OptionField, TextField, in_a_row, make_field
from .gtk import Toolkit
from .libgimp import decode

CANCEL = -6
EXPAND, FILL = 1, 4
LABEL_COLUMN, FIELD_COLUMN = 0, 1


class PasswordField(TextField):
    """PF_PASSWORD: one line of dots."""

    def build(self) -> Any:
        entry = super().build()
        self.ui.gtk_entry_set_visibility(entry, 0)
        return entry


class LabelField(Field):
    """PF_LABEL: a text to read, and to select; without a description it has the whole row."""

    def build(self) -> Any:
        self.has_label = bool(self.parameter.description)
        return text_label(self.ui)

    def set(self, value: Any) -> None:
        self.ui.gtk_label_set_text(self.widget, str(value or ""))

    def get(self) -> Any:
        return decode(self.ui.gtk_label_get_text(self.widget))


class ButtonField(Field):
    """PF_BUTTON: a button with the description."""

    has_label = False

    def build(self) -> Any:
        return self.ui.gtk_button_new_with_mnemonic(self.parameter.description)

    def set(self, value: Any) -> None:
        """It shows nothing."""

    def get(self) -> Any:
        return None


class PictureField(Field):
    """PF_PICTURE: the picture in a file, or nothing."""

    has_label = False
    _path = ""

    def build(self) -> Any:
        image = self.ui.gtk_image_new()
        self.ui.gtk_misc_set_alignment(image, 0.0, 0.5)
        return image

    def set(self, value: Any) -> None:
        self._path = str(value or "")
        if self._path:
            self.ui.gtk_image_set_from_file(self.widget, self._path)
        else:
            self.ui.gtk_image_clear(self.widget)

    def get(self) -> Any:
        return self._path


FORM_FIELDS: dict[int, type[Field]] = {
    pf.PF_PASSWORD: PasswordField,
    pf.PF_LABEL: LabelField,
    pf.PF_BUTTON: ButtonField,
    pf.PF_PICTURE: PictureField,
}


def text_label(ui: Toolkit) -> Any:
    """A label for sentences, which can be copied."""
    label = ui.gtk_label_new("")
    ui.gtk_misc_set_alignment(label, 0.0, 0.5)
    ui.gtk_label_set_line_wrap(label, 1)
    ui.gtk_label_set_width_chars(label, TEXT_CHARACTERS)
    ui.gtk_label_set_selectable(label, 1)
    # Else the first of them has the focus, with all of its text selected.
    ui.gtk_widget_set_can_focus(label, 0)
    return label


class Window(Form):
    """A form; `blurb` is the line that says what it is for, `buttons` are the answers: labels by response, the first
    one on the right. The one of `default` is what Enter presses."""

    def __init__(
        self, ui: Toolkit, title: str, role: str, blurb: str, rows: Sequence[Parameter],
        buttons: Mapping[int, str], default: int, wrap: Wrap, answers: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(answers)
        self._ui = ui
        self._dialog = ui.gtk_dialog_new()
        ui.gtk_window_set_title(self._dialog, title)
        ui.gtk_window_set_role(self._dialog, role)
        for response in reversed(list(buttons)):
            ui.gtk_dialog_add_button(self._dialog, buttons[response], response)
        order = (ctypes.c_int * len(buttons))(*buttons)
        ui.gtk_dialog_set_alternative_button_order_from_array(self._dialog, len(buttons), order)
        ui.gtk_dialog_set_default_response(self._dialog, default)
        ui.gimp_window_set_transient(self._dialog)
        self.fields = {row.name: self._make_field(row, title, wrap) for row in rows}
        self._said = text_label(ui)
        self._arrange(blurb)
        for field, row in zip(self.fields.values(), rows):
            field.set(row.default)
            ui.gtk_widget_set_tooltip_text(field.focus, row.tip or None)
        self._connect(rows)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name].get()

    def __setitem__(self, name: str, value: Any) -> None:
        self.fields[name].set(value)

    def enable(self, name: str, is_enabled: bool = True) -> None:
        self._ui.gtk_widget_set_sensitive(self.fields[name].widget, int(is_enabled))

    def offer(self, name: str, labels: Sequence[str]) -> None:
        field = self.fields[name]
        assert isinstance(field, OptionField)
        field.offer(labels)

    def say(self, text: str) -> None:
        self._ui.gtk_label_set_text(self._said, text)
        (self._ui.gtk_widget_show if text else self._ui.gtk_widget_hide)(self._said)

    def ask(self) -> int:
        self._is_answered = False
        self._ui.when_idle(self._was_shown)
        response = int(self._ui.gtk_dialog_run(self._dialog))
        self._end()
        return response

    def destroy(self) -> None:
        self._forget()
        self._ui.gtk_widget_destroy(self._dialog)
        self._ui.show_pending()

    def _make_field(self, row: Parameter, title: str, wrap: Wrap) -> Field:
        if row.kind in FORM_FIELDS:
            return FORM_FIELDS[row.kind](self._ui, row, title, wrap)
        return make_field(self._ui, row, title, wrap)

    def _arrange(self, blurb: str) -> None:
        ui = self._ui
        box = ui.gtk_vbox_new(0, 12)
        ui.gtk_container_set_border_width(box, 12)
        ui.gtk_box_pack_start(ui.gtk_dialog_get_content_area(self._dialog), box, 1, 1, 0)
        if blurb:
            ui.gtk_box_pack_start(box, ui.gimp_hint_box_new(blurb), 0, 0, 0)
        shared = lines([field.parameter for field in self.fields.values()])
        self._table = ui.gtk_table_new(max(1, len(shared)), 2, 0)
        ui.gtk_table_set_row_spacings(self._table, 6)
        ui.gtk_table_set_col_spacings(self._table, 6)
        ui.gtk_box_pack_start(box, self._scrolled(self._table, len(shared)), 1, 1, 0)
        for number, rows in enumerate(shared):
            field = self.fields[rows[0].name]
            widget = field.widget
            if isinstance(field, ButtonField):
                widget = in_a_row(ui, *((self.fields[row.name].widget, 0) for row in rows))
            self._attach(field, widget, number)
        ui.gtk_box_pack_start(box, self._said, 0, 0, 0)
        ui.gtk_widget_show_all(box)
        ui.gtk_widget_hide(self._said)

    def _attach(self, field: Field, widget: Any, row: int) -> None:
        ui, first = self._ui, LABEL_COLUMN
        if field.has_label:
            first = FIELD_COLUMN
            label = ui.gtk_label_new_with_mnemonic(field.parameter.description)
            ui.gtk_misc_set_alignment(label, 0.0, 0.5)
            ui.gtk_label_set_mnemonic_widget(label, field.focus)
            ui.gtk_table_attach(self._table, label, LABEL_COLUMN, FIELD_COLUMN, row, row + 1, FILL, FILL, 0, 0)
        ui.gtk_table_attach(self._table, widget, first, FIELD_COLUMN + 1, row, row + 1, EXPAND | FILL, FILL, 0, 0)

    def _scrolled(self, table: Any, count: int) -> Any:
        """The table, in a window to scroll where it has more lines than a small screen."""
        if count <= MANY_LINES:
            return table
        scrolled = self._ui.gtk_scrolled_window_new(None, None)
        self._ui.gtk_scrolled_window_set_policy(scrolled, NEVER, AUTOMATIC)
        self._ui.gtk_scrolled_window_add_with_viewport(scrolled, table)
        self._ui.gtk_widget_set_size_request(scrolled, -1, MANY_HEIGHT)
        return scrolled

    def _connect(self, rows: Sequence[Parameter]) -> None:
        self._ui.connect(self._dialog, "response", self._answered)
        # What closes the window answers it; it is destroyed later.
        self._ui.connect(self._dialog, "delete-event", lambda: True)
        for row in rows:
            field = self.fields[row.name]
            if row.kind == pf.PF_BUTTON:
                self._ui.connect(field.widget, "clicked", partial(self._tell, row.default))
            elif field.changed:
                self._ui.connect(field.widget, field.changed, self._was_changed)

    def _answered(self) -> None:
        self._is_answered = True

    def _react(self) -> None:
        self._ui.show_pending()

    def _lock(self, is_locked: bool) -> None:
        if not self._is_answered:
            self._ui.gtk_widget_set_sensitive(self._table, int(not is_locked))

    def _let_answer(self, is_let: bool) -> None:
        for number in self._answers:
            self._ui.gtk_dialog_set_response_sensitive(self._dialog, number, int(is_let))

    def _leave(self) -> None:
        self._ui.gtk_dialog_response(self._dialog, CANCEL)


def form_window(
    ui: Toolkit, title: str, rows: Sequence[Parameter], answers: Mapping[str, str], cancel: str, default: str | None,
    wrap: Wrap,
) -> Window:  # fmt: skip
    """A form of a plug-in's own; see contract.backend."""
    numbers = {name: number for number, name in enumerate(answers, 1)}
    buttons = {**{numbers[name]: label for name, label in answers.items()}, CANCEL: cancel or "gtk-cancel"}
    chosen = CANCEL if default is None else numbers[default]
    return Window(ui, title, "gimpfu-form", "", rows, buttons, chosen, wrap, tuple(answers))
