"""Windows with rows of controls in GIMP 3: forms, drawn with GTK 3, and the dialogs of procedures, which GIMP draws."""

# mypy: disable-error-code="import-untyped, import-not-found"
from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from gi.repository import GLib

from .. import parameters as pf
from ..contract.database import Wrap
from ..contract.form import MANY_HEIGHT, MANY_LINES, TEXT_CHARACTERS, Form, lines
from ..parameters import Parameter

SPACE = 6
# The names of labels that stand for themselves, and that these have neither markup nor a mnemonic.
LABEL = "gimpfu-label-"
PLAIN = (False, False)


class Window(Form):
    """A form in a GTK dialog; `ui` and `gtk` are GimpUi and Gtk."""

    _rows_area: Any

    def __init__(self, ui: Any, gtk: Any, dialog: Any, answers: Sequence[str] = ()) -> None:
        super().__init__(answers)
        self._ui, self._gtk, self._dialog = ui, gtk, dialog
        dialog.connect("response", self._answered)
        # What closes the window answers it; it is destroyed later.
        dialog.connect("delete-event", lambda dialog, event: True)
        self._said = self._text_label()
        self._said.set_no_show_all(True)

    def say(self, text: str) -> None:
        self._said.set_text(text)
        self._said.set_visible(bool(text))

    def ask(self) -> int:
        self._is_answered = False
        GLib.idle_add(self._was_shown)
        response = int(self._dialog.run())
        self._end()
        return response

    def destroy(self) -> None:
        self._forget()
        display = self._dialog.get_display()
        self._dialog.destroy()
        self._react()
        display.sync()

    def _text_label(self, text: str = "") -> Any:
        """A label for sentences, which can be copied."""
        label = self._gtk.Label(label=text, xalign=0.0, wrap=True, selectable=True, can_focus=False)
        label.set_max_width_chars(TEXT_CHARACTERS)
        return label

    def _answered(self, dialog: Any, response: int) -> None:
        self._is_answered = True

    def _react(self) -> None:
        while self._gtk.events_pending():
            self._gtk.main_iteration()

    def _lock(self, is_locked: bool) -> None:
        if not self._is_answered:
            self._rows_area.set_sensitive(not is_locked)

    def _let_answer(self, is_let: bool) -> None:
        for number in self._answers:
            self._dialog.set_response_sensitive(number, is_let)

    def _leave(self) -> None:
        self._dialog.response(self._gtk.ResponseType.CANCEL)


class ProcedureWindow(Window):
    """The dialog of a procedure, whose config holds what is chosen."""

    def __init__(self, ui: Any, gtk: Any, procedure: Any, config: Any, declared: Any, wrap: Wrap) -> None:
        title = (declared.label or declared.name).replace("_", "").rstrip(" .\u2026")
        super().__init__(ui, gtk, ui.ProcedureDialog.new(procedure, config, title))
        self._config, self._wrap = config, wrap
        self._arguments = {argument.parameter.name: argument for argument in declared.arguments}
        self._fill(declared)
        self._rows_area = self._dialog.get_content_area()
        self._said.set_margin_start(2 * SPACE)
        self._rows_area.pack_end(self._said, False, False, SPACE)
        config.connect("notify", lambda config, property: self._was_changed())

    def __getitem__(self, name: str) -> Any:
        return self._arguments[name].value(self._config, self._wrap)

    def __setitem__(self, name: str, value: Any) -> None:
        self._arguments[name].show(self._config, value)

    def enable(self, name: str, is_enabled: bool = True) -> None:
        self._dialog.set_sensitive(self._arguments[name].name, is_enabled, None, None, False)

    def _fill(self, declared: Any) -> None:
        dialog, names = self._dialog, []
        if declared.documentation[0]:
            dialog.get_label(LABEL, declared.documentation[0], *PLAIN).set_line_wrap(True)
            names.append(LABEL)
        for argument in declared.arguments:
            if argument.kind == pf.PF_DISPLAY:
                continue  # there is nothing to choose
            if argument.kind == pf.PF_TEXT:
                dialog.get_label(LABEL + argument.name, argument.shown.description.replace("_", ""), *PLAIN)
                dialog.get_widget(argument.name, self._gtk.TextView)
                names.append(LABEL + argument.name)
            elif argument.kind == pf.PF_OPTION:
                # GIMP 3.2 would draw few choices as buttons, which nothing on the keyboard leads to.
                dialog.get_widget(argument.name, self._gtk.ComboBox)
            elif argument.kind == pf.PF_SLIDER:
                dialog.get_scale_entry(argument.name, 1.0)
            names.append(argument.name)
        dialog.fill(names)


class FormWindow(Window):
    """A form of a plug-in's own; see contract.backend."""

    def __init__(
        self, ui: Any, gtk: Any, title: str, rows: Sequence[Parameter], answers: Mapping[str, str], cancel: str,
        default: str | None,
    ) -> None:  # fmt: skip
        super().__init__(ui, gtk, gtk.Dialog(title=title), tuple(answers))
        self._rows = {row.name: row for row in rows}
        self._dialog.add_button(cancel or "gtk-cancel", gtk.ResponseType.CANCEL)
        for number in reversed(list(self._answers)):
            self._dialog.add_button(answers[self._answers[number]], number)
        chosen = next((number for number, name in self._answers.items() if name == default), gtk.ResponseType.CANCEL)
        self._dialog.set_default_response(chosen)
        ui.window_set_transient(self._dialog)
        self._widgets = {row.name: self._make(row) for row in rows}
        box = self._arrange()
        for row in rows:
            self[row.name] = row.default
        self._connect()
        box.show_all()

    def __getitem__(self, name: str) -> Any:
        kind, widget = self._rows[name].kind, self._widgets[name]
        if kind == pf.PF_TOGGLE:
            return widget.get_active()
        if kind == pf.PF_OPTION:
            return max(0, widget.get_active())
        if kind == pf.PF_SPINNER:
            widget.update()  # what is typed counts
            return widget.get_value() if widget.get_digits() else widget.get_value_as_int()
        if kind == pf.PF_PICTURE:
            return widget.path
        return None if kind == pf.PF_BUTTON else widget.get_text()

    def __setitem__(self, name: str, value: Any) -> None:
        kind, widget = self._rows[name].kind, self._widgets[name]
        if kind == pf.PF_TOGGLE:
            widget.set_active(bool(value))
        elif kind == pf.PF_OPTION:
            widget.set_active(int(value or 0))
        elif kind == pf.PF_SPINNER:
            widget.set_value(float(value or 0))
        elif kind == pf.PF_PICTURE:
            # GTK forgets the one of a file that is no picture.
            widget.path = str(value or "")
            widget.props.file = widget.path or None
        elif kind != pf.PF_BUTTON:
            widget.set_text(str(value or ""))

    def enable(self, name: str, is_enabled: bool = True) -> None:
        self._widgets[name].set_sensitive(is_enabled)

    def offer(self, name: str, labels: Sequence[str]) -> None:
        self._widgets[name].remove_all()
        self._append(self._widgets[name], labels)
        self[name] = 0

    def _make(self, row: Parameter) -> Any:
        if row.kind == pf.PF_LABEL:
            return self._text_label()
        if row.kind == pf.PF_PICTURE:
            return self._gtk.Image(xalign=0.0)
        if row.kind == pf.PF_TOGGLE:
            return self._gtk.CheckButton(label=row.description, use_underline=True)
        if row.kind == pf.PF_BUTTON:
            return self._gtk.Button(label=row.description, use_underline=True)
        if row.kind == pf.PF_OPTION:
            combo = self._gtk.ComboBoxText()
            self._append(combo, row.extra)
            return combo
        if row.kind == pf.PF_SPINNER:
            spinner = self._gtk.SpinButton.new_with_range(*row.extra)
            spinner.set_activates_default(True)
            return spinner
        return self._gtk.Entry(visibility=row.kind != pf.PF_PASSWORD, activates_default=True, hexpand=True)

    def _append(self, combo: Any, labels: Sequence[Any]) -> None:
        for label in labels:
            combo.append_text(str(label))

    def _arrange(self) -> Any:
        gtk = self._gtk
        box = gtk.Box(orientation=gtk.Orientation.VERTICAL, spacing=2 * SPACE, border_width=2 * SPACE)
        self._dialog.get_content_area().pack_start(box, True, True, 0)
        self._rows_area = gtk.Grid(row_spacing=SPACE, column_spacing=SPACE)
        shared = lines(list(self._rows.values()))
        box.pack_start(self._scrolled(self._rows_area, len(shared)), True, True, 0)
        box.pack_start(self._said, False, False, 0)
        for line, rows in enumerate(shared):
            for row in rows:
                self._widgets[row.name].set_tooltip_text(row.tip or None)
            row = rows[0]
            widget = self._widgets[row.name]
            if row.kind == pf.PF_BUTTON:
                buttons = gtk.Box(spacing=SPACE)
                for button in rows:
                    buttons.pack_start(self._widgets[button.name], False, False, 0)
                self._rows_area.attach(buttons, 0, line, 2, 1)
            elif row.kind == pf.PF_TOGGLE or not row.description:
                self._rows_area.attach(widget, 0, line, 2, 1)
            else:
                label = gtk.Label(label=row.description, use_underline=True, xalign=0.0, mnemonic_widget=widget)
                self._rows_area.attach(label, 0, line, 1, 1)
                self._rows_area.attach(widget, 1, line, 1, 1)
        return box

    def _scrolled(self, grid: Any, count: int) -> Any:
        """The grid, in a window to scroll where it has more lines than a small screen."""
        if count <= MANY_LINES:
            return grid
        scrolled = self._gtk.ScrolledWindow(hscrollbar_policy=self._gtk.PolicyType.NEVER)
        scrolled.set_min_content_height(MANY_HEIGHT)
        scrolled.add(grid)
        return scrolled

    def _connect(self) -> None:
        signals = {
            **dict.fromkeys((pf.PF_STRING, pf.PF_PASSWORD, pf.PF_OPTION), "changed"),
            pf.PF_TOGGLE: "toggled",
            pf.PF_SPINNER: "value-changed",
        }
        for name, row in self._rows.items():
            if row.kind == pf.PF_BUTTON:
                self._widgets[name].connect("clicked", self._pressed, row.default)
            elif row.kind in signals:
                self._widgets[name].connect(signals[row.kind], lambda widget: self._was_changed())

    def _pressed(self, widget: Any, function: Callable[[Form], Any]) -> None:
        self._tell(function)
