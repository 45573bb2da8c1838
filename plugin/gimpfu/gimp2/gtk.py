"""GTK 2 and GIMP's own widgets, as far as dialogs need them, by ctypes. Loaded only when a dialog opens."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

from ..errors import error
from .libgimp import UI_SONAME, Library, encode

# name: result and arguments; v nothing, p pointer, s text, i int, d double.
SIGNATURES = {
    "gtk_init_check": "i pp",
    "gimp_ui_init": "v si",
    "gtk_dialog_new": "p",
    "gtk_dialog_add_button": "p psi",
    "gtk_dialog_set_default_response": "v pi",
    "gtk_dialog_set_alternative_button_order_from_array": "v pip",
    "gtk_dialog_run": "i p",
    "gtk_dialog_response": "v pi",
    "gtk_dialog_set_response_sensitive": "v pii",
    "gtk_dialog_get_content_area": "p p",
    "gimp_window_set_transient": "v p",
    "gtk_window_set_title": "v ps",
    "gtk_window_set_role": "v ps",
    "gtk_window_set_position": "v pi",
    "gtk_widget_show": "v p",
    "gtk_widget_show_all": "v p",
    "gtk_widget_hide": "v p",
    "gtk_widget_destroy": "v p",
    "gtk_widget_grab_focus": "v p",
    "gtk_widget_set_can_focus": "v pi",
    "gtk_widget_set_sensitive": "v pi",
    "gtk_widget_set_size_request": "v pii",
    "gtk_widget_set_tooltip_text": "v ps",
    "gtk_events_pending": "i",
    "gtk_main_iteration": "i",
    "gdk_flush": "v",
    "gdk_atom_intern": "p si",
    "gtk_clipboard_get": "p p",
    "gtk_clipboard_set_text": "v psi",
    "gtk_clipboard_store": "v p",
    "g_signal_connect_data": "p pspppi",
    "g_idle_add": "i pp",
    "gtk_container_add": "v pp",
    "gtk_container_set_border_width": "v pi",
    "gtk_vbox_new": "p ii",
    "gtk_hbox_new": "p ii",
    "gtk_box_pack_start": "v ppiii",
    "gtk_table_new": "p iii",
    "gtk_table_attach": "v ppiiiiiiii",
    "gtk_table_set_row_spacings": "v pi",
    "gtk_table_set_col_spacings": "v pi",
    "gimp_hint_box_new": "p s",
    "gtk_label_new": "p s",
    "gtk_label_new_with_mnemonic": "p s",
    "gtk_label_set_mnemonic_widget": "v pp",
    "gtk_label_set_line_wrap": "v pi",
    "gtk_label_set_width_chars": "v pi",
    "gtk_label_set_selectable": "v pi",
    "gtk_label_get_text": "s p",
    "gtk_label_set_text": "v ps",
    "gtk_misc_set_alignment": "v pff",
    "gtk_image_new": "p",
    "gtk_image_set_from_file": "v ps",
    "gtk_image_clear": "v p",
    "gtk_entry_new": "p",
    "gtk_entry_set_text": "v ps",
    "gtk_entry_get_text": "s p",
    "gtk_entry_set_activates_default": "v pi",
    "gtk_entry_set_visibility": "v pi",
    "gtk_adjustment_new": "p dddddd",
    "gtk_adjustment_get_value": "d p",
    "gtk_adjustment_set_value": "v pd",
    "gtk_spin_button_new": "p pdi",
    "gtk_spin_button_update": "v p",
    "gtk_spin_button_set_numeric": "v pi",
    "gtk_hscale_new": "p p",
    "gtk_scale_set_digits": "v pi",
    "gtk_scale_set_draw_value": "v pi",
    "gtk_check_button_new_with_mnemonic": "p s",
    "gtk_button_new_with_mnemonic": "p s",
    "gtk_radio_button_new_with_label_from_widget": "p ps",
    "gtk_toggle_button_set_active": "v pi",
    "gtk_toggle_button_get_active": "i p",
    "gtk_combo_box_text_new": "p",
    "gtk_combo_box_text_append_text": "v ps",
    "gtk_combo_box_text_remove": "v pi",
    "gtk_combo_box_set_active": "v pi",
    "gtk_combo_box_get_active": "i p",
    "gtk_scrolled_window_new": "p pp",
    "gtk_scrolled_window_set_policy": "v pii",
    "gtk_scrolled_window_set_shadow_type": "v pi",
    "gtk_scrolled_window_add_with_viewport": "v pp",
    "gtk_text_view_new": "p",
    "gtk_text_view_get_buffer": "p p",
    "gtk_text_view_set_accepts_tab": "v pi",
    "gtk_text_buffer_set_text": "v psi",
    "gtk_text_buffer_get_bounds": "v ppp",
    "gtk_text_buffer_get_text": "p pppi",
    "gtk_file_chooser_button_new": "p si",
    "gtk_file_chooser_set_filename": "i ps",
    "gtk_file_chooser_unselect_all": "v p",
    "gtk_file_chooser_get_filename": "p p",
    "gimp_file_entry_new": "p ssii",
    "gimp_file_entry_set_filename": "v ps",
    "gimp_file_entry_get_filename": "p p",
    "gimp_color_button_new": "p siipi",
    "gimp_color_button_get_color": "v pp",
    "gimp_color_button_set_color": "v pp",
    "gimp_font_select_button_new": "p ss",
    "gimp_font_select_button_get_font": "s p",
    "gimp_font_select_button_set_font": "v ps",
    "gimp_pattern_select_button_new": "p ss",
    "gimp_pattern_select_button_get_pattern": "s p",
    "gimp_pattern_select_button_set_pattern": "v ps",
    "gimp_gradient_select_button_new": "p ss",
    "gimp_gradient_select_button_get_gradient": "s p",
    "gimp_gradient_select_button_set_gradient": "v ps",
    "gimp_palette_select_button_new": "p ss",
    "gimp_palette_select_button_get_palette": "s p",
    "gimp_palette_select_button_set_palette": "v ps",
    "gimp_brush_select_button_new": "p ssdii",
    "gimp_brush_select_button_get_brush": "s pppp",
    "gimp_brush_select_button_set_brush": "v psdii",
    "gimp_image_combo_box_new": "p pp",
    "gimp_drawable_combo_box_new": "p pp",
    "gimp_layer_combo_box_new": "p pp",
    "gimp_channel_combo_box_new": "p pp",
    "gimp_vectors_combo_box_new": "p pp",
    "gimp_int_combo_box_set_active": "i pi",
    "gimp_int_combo_box_get_active": "i pp",
}
TYPES: dict[str, Any] = {
    "v": None, "p": ctypes.c_void_p, "s": ctypes.c_char_p, "i": ctypes.c_int, "d": ctypes.c_double, "f": ctypes.c_float,
}  # fmt: skip


Signal = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
"""A handler of a signal that tells its widget alone, or one thing more; what it returns counts for events alone."""
Idle = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class Toolkit:
    """The C functions by their own names; text goes in as str."""

    def __init__(self, library: Library) -> None:
        self._library = library
        # C knows their addresses alone.
        self._callbacks: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        if name not in SIGNATURES:
            raise AttributeError(name)
        result, _, arguments = SIGNATURES[name].partition(" ")
        function = self._library.function(name, TYPES[result], *[TYPES[letter] for letter in arguments])

        def call(*values: Any) -> Any:
            return function(*[encode(value) if isinstance(value, str) else value for value in values])

        setattr(self, name, call)
        return call

    def connect(self, widget: Any, signal: str, function: Callable[[], Any]) -> None:
        """Have a function called at a signal of a widget; of an event, nothing more is done where it returns True."""

        def call(widget: int, data: int) -> int:
            return int(bool(function()))

        callback = Signal(call)
        self._callbacks.append(callback)
        self.g_signal_connect_data(widget, signal, ctypes.cast(callback, ctypes.c_void_p), None, None, 0)

    def when_idle(self, function: Callable[[], Any]) -> None:
        """Have a function called once, when all is drawn."""

        def call(data: int) -> int:
            function()
            return 0

        callback = Idle(call)
        self._callbacks.append(callback)
        self.g_idle_add(ctypes.cast(callback, ctypes.c_void_p), None)

    def show_pending(self) -> None:
        """Let the screen catch up with what was done."""
        while self.gtk_events_pending():
            self.gtk_main_iteration()
        self.gdk_flush()


def start(program: str = "gimpfu") -> Toolkit:
    """Start GTK with GIMP's theme; raises gimpfu.error where there is no display."""
    toolkit = Toolkit(Library(UI_SONAME))
    if not toolkit.gtk_init_check(None, None):
        raise error("The dialog needs a display. Run the procedure with RUN-NONINTERACTIVE and all its values.")
    toolkit.gimp_ui_init(program, 0)
    return toolkit
