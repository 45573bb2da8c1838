"""One field of the dialog for each PF_ kind: a widget, and how its value is set and read."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Any, Callable, Sequence

from .. import parameters as pf
from ..contract.database import Wrap
from ..parameters import Parameter
from ..values import types
from ..values.colors import RGB
from .facts import default_display
from .gtk import Toolkit
from .libgimp import RGB as CRGB
from .libgimp import decode, take_string

OPEN_FILE, SELECT_FOLDER = 0, 2
NEVER, AUTOMATIC = 2, 1
SHADOW_IN = 1
PLAIN = 0
INTEGERS = {pf.PF_INT8: (0, 255), pf.PF_INT16: (-32768, 32767), pf.PF_INT32: (-2147483648, 2147483647)}

RESOURCES = {pf.PF_FONT: "font", pf.PF_PATTERN: "pattern", pf.PF_GRADIENT: "gradient", pf.PF_PALETTE: "palette"}
OBJECTS = {
    pf.PF_IMAGE: ("image", types.IMAGE),
    pf.PF_LAYER: ("layer", types.LAYER),
    pf.PF_CHANNEL: ("channel", types.CHANNEL),
    pf.PF_DRAWABLE: ("drawable", types.DRAWABLE),
    pf.PF_ITEM: ("drawable", types.ITEM),
    pf.PF_VECTORS: ("vectors", types.VECTORS),
}


class InvalidInput(ValueError):
    """What was entered is no value for the parameter."""


class Field:
    """A widget for one parameter.

    `has_label` tells whether it needs the description beside it, `changed` is the signal of a change, where forms hear
    of it.
    """

    has_label = True
    changed = ""

    def __init__(self, ui: Toolkit, parameter: Parameter, title: str, wrap: Wrap) -> None:
        self.ui, self.parameter, self.title, self.wrap = ui, parameter, title, wrap
        self.widget: Any = self.build()
        self.focus: Any = getattr(self, "focus", self.widget)

    def build(self) -> Any:
        """Make the widget."""
        raise NotImplementedError

    def set(self, value: Any) -> None:
        """Show a value."""
        raise NotImplementedError

    def get(self) -> Any:
        """The value that is shown; InvalidInput if it is none."""
        raise NotImplementedError


class TextField(Field):
    """PF_STRING: one line."""

    changed = "changed"

    def build(self) -> Any:
        entry = self.ui.gtk_entry_new()
        self.ui.gtk_entry_set_activates_default(entry, 1)
        return entry

    def set(self, value: Any) -> None:
        self.ui.gtk_entry_set_text(self.widget, "" if value is None else str(value))

    def get(self) -> Any:
        return decode(self.ui.gtk_entry_get_text(self.widget))


class FloatField(TextField):
    """PF_FLOAT: a number of any size."""

    def get(self) -> float:
        try:
            return float(super().get())
        except ValueError:
            raise InvalidInput(self.parameter.name) from None


class MultilineField(Field):
    """PF_TEXT: several lines."""

    def build(self) -> Any:
        scrolled = self.ui.gtk_scrolled_window_new(None, None)
        self.ui.gtk_scrolled_window_set_policy(scrolled, AUTOMATIC, AUTOMATIC)
        self.ui.gtk_scrolled_window_set_shadow_type(scrolled, SHADOW_IN)
        self.ui.gtk_widget_set_size_request(scrolled, 100, 80)
        self.focus = self.ui.gtk_text_view_new()
        self.ui.gtk_text_view_set_accepts_tab(self.focus, 0)
        self.ui.gtk_container_add(scrolled, self.focus)
        self._buffer = self.ui.gtk_text_view_get_buffer(self.focus)
        return scrolled

    def set(self, value: Any) -> None:
        self.ui.gtk_text_buffer_set_text(self._buffer, "" if value is None else str(value), -1)

    def get(self) -> Any:
        # GtkTextIter has 14 machine words of private fields at most.
        start, end = (ctypes.c_void_p * 16)(), (ctypes.c_void_p * 16)()
        self.ui.gtk_text_buffer_get_bounds(self._buffer, start, end)
        return take_string(self.ui.gtk_text_buffer_get_text(self._buffer, start, end, 0))


def digits(step: float) -> int:
    """The decimals that a step size calls for."""
    return 0 if step == 0 or abs(step) >= 1 else min(20, int(abs(math.floor(math.log10(abs(step))))))


class NumberField(Field):
    """PF_SPINNER, and with a scale beside it PF_SLIDER."""

    changed = "value-changed"

    def bounds(self) -> tuple[float, float, float]:
        """Lower and upper limit and step."""
        lower, upper, step = [*self.parameter.extra, 0, 100, 5][:3] if len(self.parameter.extra) == 3 else (0, 100, 5)
        return lower, upper, step

    def build(self) -> Any:
        lower, upper, step = self.bounds()
        self._decimals = digits(step)
        self._adjustment = self.ui.gtk_adjustment_new(lower, lower, upper, step, 10 * step, 0)
        self.focus = self.ui.gtk_spin_button_new(self._adjustment, step, self._decimals)
        self.ui.gtk_spin_button_set_numeric(self.focus, 1)
        self.ui.gtk_entry_set_activates_default(self.focus, 1)
        return self.focus

    def set(self, value: Any) -> None:
        self.ui.gtk_adjustment_set_value(self._adjustment, float(value or 0))

    def get(self) -> Any:
        self.ui.gtk_spin_button_update(self.focus)
        value = self.ui.gtk_adjustment_get_value(self._adjustment)
        return round(value) if self.is_whole() else value

    def is_whole(self) -> bool:
        """Whether the value is an int: a spinner of whole numbers."""
        return self._decimals == 0 and self.parameter.pdb_type != pf.PF_FLOAT


class IntegerField(NumberField):
    """PF_INT8, PF_INT16 and PF_INT32: all that the type can hold."""

    def bounds(self) -> tuple[float, float, float]:
        return (*INTEGERS[self.parameter.kind], 1)


class SliderField(NumberField):
    """PF_SLIDER: always a float, as the classic dialog gives it."""

    changed = ""

    def build(self) -> Any:
        spinner = super().build()
        scale = self.ui.gtk_hscale_new(self._adjustment)
        self.ui.gtk_scale_set_digits(scale, self._decimals)
        self.ui.gtk_scale_set_draw_value(scale, 0)
        self.ui.gtk_widget_set_size_request(scale, 140, -1)
        return in_a_row(self.ui, (scale, 1), (spinner, 0))


class ToggleField(Field):
    """PF_TOGGLE: a check box with the description."""

    has_label = False
    changed = "toggled"

    def build(self) -> Any:
        return self.ui.gtk_check_button_new_with_mnemonic(self.parameter.description)

    def set(self, value: Any) -> None:
        self.ui.gtk_toggle_button_set_active(self.widget, int(bool(value)))

    def get(self) -> bool:
        return bool(self.ui.gtk_toggle_button_get_active(self.widget))


class RadioField(Field):
    """PF_RADIO: one button for each (label, value)."""

    def build(self) -> Any:
        box, last = self.ui.gtk_vbox_new(0, 2), None
        self._buttons: list[tuple[Any, Any]] = []
        for label, value in self.parameter.extra:
            last = self.ui.gtk_radio_button_new_with_label_from_widget(last, str(label))
            self.ui.gtk_box_pack_start(box, last, 0, 0, 0)
            self._buttons.append((last, value))
        if self._buttons:
            self.focus = self._buttons[0][0]
        return box

    def set(self, value: Any) -> None:
        for button, choice in self._buttons:
            if choice == value:
                self.ui.gtk_toggle_button_set_active(button, 1)

    def get(self) -> Any:
        return next((value for button, value in self._buttons if self.ui.gtk_toggle_button_get_active(button)), None)


class OptionField(Field):
    """PF_OPTION: a list of labels; the value is the position."""

    changed = "changed"

    def build(self) -> Any:
        combo = self.ui.gtk_combo_box_text_new()
        self._append(combo)
        return combo

    def _append(self, combo: Any) -> None:
        for label in self.parameter.extra:
            self.ui.gtk_combo_box_text_append_text(combo, str(label))

    def offer(self, labels: Sequence[str]) -> None:
        """Let it have these choices, and show the first."""
        for _ in self.parameter.extra:
            self.ui.gtk_combo_box_text_remove(self.widget, 0)
        self.parameter = self.parameter._replace(extra=labels)
        self._append(self.widget)
        self.set(0)

    def set(self, value: Any) -> None:
        position = int(value or 0)
        self.ui.gtk_combo_box_set_active(self.widget, position if 0 <= position < len(self.parameter.extra) else 0)

    def get(self) -> int:
        return max(0, int(self.ui.gtk_combo_box_get_active(self.widget)))


class ColorField(Field):
    """PF_COLOR."""

    def build(self) -> Any:
        return self.ui.gimp_color_button_new(self.title, 100, 20, ctypes.byref(CRGB(a=1.0)), PLAIN)

    def set(self, value: Any) -> None:
        color = RGB(1.0, 0.0, 0.0) if value is None else RGB.of(value)
        self.ui.gimp_color_button_set_color(self.widget, ctypes.byref(CRGB(*color.values.values())))

    def get(self) -> RGB:
        color = CRGB()
        self.ui.gimp_color_button_get_color(self.widget, ctypes.byref(color))
        return RGB(color.r, color.g, color.b, color.a)


class FileField(Field):
    """PF_FILE: an existing file, or a folder if the default ends in a slash. PF_DIRNAME: a folder."""

    def build(self) -> Any:
        is_folder = self.parameter.kind == pf.PF_DIRNAME or str(self.parameter.default or "").endswith("/")
        return self.ui.gtk_file_chooser_button_new(self.title, SELECT_FOLDER if is_folder else OPEN_FILE)

    def set(self, value: Any) -> None:
        if value:
            self.ui.gtk_file_chooser_set_filename(self.widget, str(Path(value).expanduser().absolute()))
        else:
            self.ui.gtk_file_chooser_unselect_all(self.widget)

    def get(self) -> Any:
        return take_string(self.ui.gtk_file_chooser_get_filename(self.widget)) or ""


class FilenameField(Field):
    """PF_FILENAME: a file that need not exist yet."""

    def build(self) -> Any:
        return self.ui.gimp_file_entry_new(self.title, "", 0, 0)

    def set(self, value: Any) -> None:
        self.ui.gimp_file_entry_set_filename(self.widget, str(value or ""))

    def get(self) -> Any:
        return take_string(self.ui.gimp_file_entry_get_filename(self.widget)) or ""


class ResourceField(Field):
    """PF_FONT, PF_PATTERN, PF_GRADIENT and PF_PALETTE: the name of one of GIMP's resources."""

    def _function(self, form: str) -> Callable[..., Any]:
        name = RESOURCES[self.parameter.kind]
        function: Callable[..., Any] = getattr(self.ui, f"gimp_{name}_select_button_" + form.replace("NAME", name))
        return function

    def build(self) -> Any:
        return self._function("new")(self.title, self.parameter.default or None)

    def set(self, value: Any) -> None:
        if value:
            self._function("set_NAME")(self.widget, str(value))

    def get(self) -> Any:
        return decode(self._function("get_NAME")(self.widget))


class BrushField(Field):
    """PF_BRUSH: the name of a brush."""

    def build(self) -> Any:
        return self.ui.gimp_brush_select_button_new(self.title, self.parameter.default or None, -1.0, -1, -1)

    def set(self, value: Any) -> None:
        if value:
            self.ui.gimp_brush_select_button_set_brush(self.widget, str(value), -1.0, -1, -1)

    def get(self) -> Any:
        return decode(self.ui.gimp_brush_select_button_get_brush(self.widget, None, None, None))


class ObjectField(Field):
    """PF_IMAGE, PF_LAYER and the other kinds of items: one of all that are open."""

    def build(self) -> Any:
        name, self._type = OBJECTS[self.parameter.kind]
        return getattr(self.ui, f"gimp_{name}_combo_box_new")(None, None)

    def set(self, value: Any) -> None:
        if value is not None:
            self.ui.gimp_int_combo_box_set_active(self.widget, value.ID)

    def get(self) -> Any:
        identity = ctypes.c_int(-1)
        self.ui.gimp_int_combo_box_get_active(self.widget, ctypes.byref(identity))
        return self.wrap(self._type, identity.value) if identity.value > 0 else None


class DisplayField(Field):
    """PF_DISPLAY: the display that the plug-in was started from; there is nothing to choose."""

    def build(self) -> Any:
        identity = default_display()
        self._display = self.wrap(types.DISPLAY, identity) if identity > 0 else None
        return self.ui.gtk_label_new("" if self._display is None else str(self._display.ID))

    def set(self, value: Any) -> None:
        """The display stays."""

    def get(self) -> Any:
        return self._display


FIELDS: dict[int, type[Field]] = {
    **{kind: IntegerField for kind in INTEGERS},
    **{kind: ResourceField for kind in RESOURCES},
    **{kind: ObjectField for kind in OBJECTS},
    pf.PF_FLOAT: FloatField,
    pf.PF_STRING: TextField,
    pf.PF_TEXT: MultilineField,
    pf.PF_COLOR: ColorField,
    pf.PF_DISPLAY: DisplayField,
    pf.PF_TOGGLE: ToggleField,
    pf.PF_SLIDER: SliderField,
    pf.PF_SPINNER: NumberField,
    pf.PF_RADIO: RadioField,
    pf.PF_OPTION: OptionField,
    pf.PF_FILE: FileField,
    pf.PF_DIRNAME: FileField,
    pf.PF_FILENAME: FilenameField,
    pf.PF_BRUSH: BrushField,
}


def in_a_row(ui: Toolkit, *widgets: tuple[Any, int]) -> Any:
    """Widgets side by side, each with whether it takes the room that is left."""
    box = ui.gtk_hbox_new(0, 6)
    for widget, expand in widgets:
        ui.gtk_box_pack_start(box, widget, expand, expand, 0)
    return box


def make_field(ui: Toolkit, parameter: Parameter, title: str, wrap: Wrap) -> Field:
    """The field for a parameter of a procedure."""
    title = "{}: {}".format(title, parameter.description.replace("_", ""))
    return FIELDS[parameter.kind](ui, parameter, title, wrap)
