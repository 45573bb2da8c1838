"""gimpfu's dialog, last values and errors, in a real GIMP with a window."""

# ruff: noqa: F821 - the bodies run inside GIMP, with the names of gimpfu
from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from .gimp import PLUG_INS, Gimp
from .window import Window, wait_for


def with_plug_in(gimp: Gimp, name: str) -> Gimp:
    """The GIMP, which has the plug-in already where tests share it."""
    if not gimp.is_shared:
        gimp.add_plug_in(PLUG_INS / name)
    return gimp


@pytest.fixture
def every_kind(gimp_on_a_screen: Gimp) -> Gimp:
    """A GIMP in which Ctrl+Shift+F8 asks for a value of every kind."""
    return with_plug_in(gimp_on_a_screen, "every_kind.py")


def show_an_image() -> Any:
    image = gimp.Image(200, 100, RGB)
    layer = gimp.Layer(image, "Layer", 200, 100, RGBA_IMAGE)
    image.insert_layer(layer)
    layer.fill(FILL_WHITE)
    image.clean_all()
    gimp.set_data("every-kind", "never run")
    return repr(gimp.Display(image))


def forget() -> Any:
    gimp.set_data("every-kind", "never run")


def values() -> Any:
    return gimp.get_data("every-kind").decode()


def open_dialog(window: Window, key: str = "ctrl+shift+F8") -> str:
    return window.summon(key, "^Every Kind$")


def run_values(window: Window) -> Any:
    """What the procedure was called with, once it has been."""
    text = wait_for(lambda: (text := window.python(values)) != "never run" and text, "the procedure to run")
    return text.replace("'Sans-serif'", "'Sans'")  # as GIMP 3 calls the font


DEFAULTS = (
    "(200, -5, 70000, 0.125, 'Gr\u00fc\u00dfe', 'two\\nlines', "
    "gimpcolor.RGB(1.0, 0.5019607843137255, 0.0, 1.0), True, 0.5,"
    " 7, 'b', 1, 'Sans', '2. Hardness 050', 'Pine', 'FG to BG (RGB)', 'Web', '/etc/passwd', '/tmp/new.txt', '/usr',"
    " <gimp.Layer 'Layer'>, DISPLAY, <gimp.Image '[Untitled]'>, <gimp.Layer 'Layer'>, None,"
    " <gimp.Layer 'Layer'>, None)"
)


def defaults(display: str) -> str:
    """The values of a procedure that was run as it is, on a display of `show_an_image`."""
    return DEFAULTS.replace("DISPLAY", display)


def test_the_dialog_shows_every_kind_and_passes_the_values_on(every_kind: Gimp, tmp_path: Path) -> None:
    with every_kind.window(size="1280x1100") as window:
        display = window.python(show_an_image)
        dialog = open_dialog(window)
        window.screenshot(tmp_path / "every kind.png")
        window.dismiss("Return", dialog)
        assert run_values(window) == defaults(display)


def test_cancel_runs_nothing_and_remembers_nothing(every_kind: Gimp) -> None:
    with every_kind.window(size="1280x1100") as window:
        window.python(show_an_image)
        dialog = open_dialog(window)
        window.dismiss("Escape", dialog)
        assert window.python(values) == "never run"
        assert not (every_kind.profile / "plug-in-settings" / "python-fu-every-kind.json").exists()
        assert not [title for title in window.titles() if "GIMP" not in title], "no box is left open"
    assert "Traceback" not in every_kind.stderr


@pytest.mark.own_process("it is restarted")
@pytest.mark.gimp("2.10", why="GIMP 3 draws and remembers by itself (see test_layerlift_native)")
def test_what_was_entered_is_remembered_over_a_restart_and_reset_brings_the_defaults_back(
    every_kind: Gimp,
) -> None:
    saved = every_kind.profile / "plug-in-settings" / "python-fu-every-kind.json"
    with every_kind.window(size="1280x1100") as window:
        window.python(show_an_image)
        dialog = open_dialog(window)
        window.key("alt+s", dialog)  # String
        window.key("ctrl+a", dialog)
        window.type("new words", dialog)
        window.key("alt+g", dialog)  # Toggle
        window.key("alt+p", dialog)  # Spinner
        window.key("ctrl+a", dialog)
        window.type("12", dialog)
        window.dismiss("Return", dialog)
        text = run_values(window)
        assert "'new words'" in text and " False, 0.5, 12, " in text
    assert json.loads(saved.read_text())["string"] == "new words"

    with every_kind.window(size="1280x1100") as window:
        display = window.python(show_an_image)
        dialog = open_dialog(window)
        window.dismiss("Return", dialog)
        text = run_values(window)
        assert "'new words'" in text and " False, 0.5, 12, " in text

        window.python(forget)
        dialog = open_dialog(window)
        window.key("alt+r", dialog)  # Reset
        window.dismiss("Return", dialog)
        assert run_values(window) == defaults(display)


@pytest.mark.gimp("2.10", why="GIMP 3 draws and remembers by itself (see test_layerlift_native)")
def test_a_broken_file_of_last_values_is_ignored(every_kind: Gimp) -> None:
    folder = every_kind.profile / "plug-in-settings"
    folder.mkdir(exist_ok=True)
    (folder / "python-fu-every-kind.json").write_text('{"string": 7, "toggle": "x", "color": [1], "spinner"')
    with every_kind.window(size="1280x1100") as window:
        display = window.python(show_an_image)
        window.key("Return", open_dialog(window))
        assert run_values(window) == defaults(display)


@pytest.mark.gimp("2.10", why="GIMP 3 draws and remembers by itself (see test_layerlift_native)")
def test_a_repeated_run_takes_the_last_values_without_a_dialog(every_kind: Gimp) -> None:
    with every_kind.window(size="1280x1100") as window:
        window.python(show_an_image)
        dialog = open_dialog(window)
        window.key("alt+s", dialog)
        window.key("ctrl+a", dialog)
        window.type("again", dialog)
        window.dismiss("Return", dialog)
        assert "'again'" in run_values(window)
        window.python(forget)
        window.key("ctrl+f")
        assert "'again'" in run_values(window)
        assert not window.find("^Every Kind$")


def test_a_procedure_without_values_runs_from_its_menu_entry_at_once(every_kind: Gimp) -> None:
    with every_kind.window() as window:
        window.python(show_an_image)

        def blacken() -> Any:
            gimp.set_foreground("black")
            gimp.image_list()[0].layers[0].fill(FILL_FOREGROUND)

        def pixel() -> Any:
            return gimp.image_list()[0].layers[0].get_pixel(5, 5)

        window.python(blacken)
        window.key("F7")
        wait_for(lambda: window.glimpse(pixel) == [255, 255, 255, 255], "the layer to be white")


def test_a_failure_opens_one_box_with_its_text(every_kind: Gimp, tmp_path: Path) -> None:
    with every_kind.window() as window:
        window.python(show_an_image)
        window.key("F5")
        box = window.wait_for("GIMP Message")
        window.screenshot(tmp_path / "failure.png")
        others = [title for title in window.titles() if "GIMP Message" in title]
        window.dismiss("Escape", box)
        window.key("F4")
        window.python(values)
        assert len(others) == 1
        assert not window.find("GIMP Message"), "a procedure that was cancelled says nothing"
    assert "Traceback" not in every_kind.stderr


def test_displays_open_and_close_and_an_undo_group_is_one_step(every_kind: Gimp) -> None:
    with every_kind.window() as window:

        def change() -> Any:
            image = gimp.Image(40, 30, RGB)
            layer = image.new_layer("low", fill_mode=FILL_WHITE)
            image.clean_all()
            display = gimp.Display(image)
            other = gimp.Display(image)
            gimp.delete(other)
            image.undo_group_start()
            shadow = layer.get_pixel_rgn(0, 0, 40, 30, True, True)
            shadow[0:40, 0:30] = bytes(4 * 40 * 30)
            layer.merge_shadow(True)
            layer.update(0, 0, 40, 30)
            layer.opacity = 50.0
            image.insert_layer(layer.copy(), position=0)
            image.undo_group_end()
            gimp.displays_flush()
            return [
                repr(display).startswith("<gimp.Display '"),
                len(image.layers),
                layer.opacity,
                layer.get_pixel(3, 3),
            ]

        def look() -> Any:
            image = gimp.image_list()[0]
            return [len(image.layers), image.layers[0].opacity, image.layers[0].get_pixel(3, 3)]

        assert window.python(change) == [True, 2, 50.0, [0, 0, 0, 0]]
        window.key("ctrl+z")
        wait_for(lambda: window.glimpse(look) == [1, 100.0, [255, 255, 255, 255]], "one undo to bring all back")


@pytest.fixture
def window_of_its_own(gimp_on_a_screen: Gimp) -> Gimp:
    """A GIMP in which Ctrl+Shift+F5 opens a window of a plug-in's own."""
    return with_plug_in(gimp_on_a_screen, "window.py")


def noted() -> Any:
    found = gimp.get_data("window")
    return "" if found in (None, b"nothing") else found.decode()


def forget_notes() -> Any:
    gimp.set_data("window", "nothing")


def test_a_window_of_a_plug_in_is_read_changed_and_heard_of_while_it_is_shown(
    window_of_its_own: Gimp, tmp_path: Path
) -> None:
    with window_of_its_own.window() as window:
        window.python(show_an_image)
        window.python(forget_notes)
        shown = window.summon("ctrl+shift+F5", "^A Window$")
        for key, text in (("alt+n", "Ada"), ("alt+e", "hidden"), ("alt+u", "5")):
            window.key(key, shown)
            window.key("ctrl+a", shown)
            window.type(text, shown)
        window.key("alt+g", shown)
        wait_for(lambda: window.python(noted) == "('Hello, Ada!',)", "the greeting")
        window.python(forget_notes)
        window.key("Return", shown)  # it is not sure
        window.key("alt+s", shown)
        window.screenshot(tmp_path / "window.png")
        window.dismiss("alt+t", shown)
        *said, heard = ast.literal_eval(wait_for(lambda: window.python(noted), "the answer"))
        assert said == ["take", "Ada", "hidden", "Hello, Ada!", 1, 5, "window.py"]
        # On a busy computer, what is typed comes before it.
        assert heard.count("shown") == 1 and heard[-1] is True
        window.python(forget_notes)
        window.dismiss("Escape", window.summon("ctrl+shift+F5", "^A Window$"))
        assert wait_for(lambda: window.python(noted), "the end") == "(None,)"


@pytest.mark.parametrize("key", ["alt+w", "alt+t"])
def test_a_window_can_be_closed_while_something_is_waited_for(window_of_its_own: Gimp, key: str) -> None:
    with window_of_its_own.window() as window:
        window.python(show_an_image)
        window.python(forget_notes)
        shown = window.summon("ctrl+shift+F5", "^A Window$")
        window.key("alt+n", shown)
        window.key("ctrl+a", shown)
        window.type("slow", shown)
        window.key(key, shown)
        wait_for(lambda: window.python(noted) == "('waiting',)", "the wait")
        window.close(shown)
        wait_for(lambda: window.python(noted) == "(None,)", "the end")


def test_what_fails_in_a_window_ends_it_and_is_told(window_of_its_own: Gimp) -> None:
    with window_of_its_own.window() as window:
        window.python(show_an_image)
        shown = window.summon("ctrl+shift+F5", "^A Window$")
        window.dismiss("alt+b", shown)
        window.dismiss("Escape", window.wait_for("GIMP Message|Error"))
    assert "the button has broken down" in window_of_its_own.stderr
