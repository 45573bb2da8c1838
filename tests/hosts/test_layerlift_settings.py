"""What a user enters and is asked in GIMP's window: key, consent, choices; and what is offered when it goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Options, Twin

from .gimp import Gimp
from .hearing import NOTED, forget, heard, open_settings, wait_to_hear
from .layerlift_in_gimp import DONE, describe, install, noted, start_from_the_dialog, window_with_the_photo
from .window import Window, wait_for

HOST = "127.0.0.1"


@pytest.fixture
def noting(gimp_on_a_screen: Gimp) -> Iterator[Gimp]:
    """A GIMP whose plug-in also notes what it says."""
    with noted(gimp_on_a_screen, "gimpfu/__init__.py", NOTED) as gimp:
        yield gimp


def without_key(gimp: Gimp, twin: Twin) -> str:
    """Takes the key out of the environment, for a user who enters it; returns it."""
    del gimp.environment["YOUCAM_API_KEY"]
    return twin.key


def enter(window: Window, dialog: str, text: str) -> None:
    window.key("alt+n", dialog)
    window.key("ctrl+a", dialog)
    window.type(text, dialog)


def press(gimp: Gimp, window: Window, dialog: str, text: str) -> None:
    """Presses Test, as soon as that can be pressed, until the text is said."""
    window.insist(lambda: window.key("alt+t", dialog), lambda: text in heard(gimp), f"{text!r} to be said")


def test_a_key_is_tested_unkept_then_kept_shown_and_forgotten(noting: Gimp, home: Path, tmp_path: Path) -> None:
    gimp, settings = noting, Settings({"LAYERLIFT_HOME": str(home)})
    with Twin(Options(units=17)) as twin:
        install(gimp, home, twin)
        key = without_key(gimp, twin)
        with window_with_the_photo(gimp) as window:
            dialog = open_settings(gimp, window)
            window.screenshot(tmp_path / "settings.png")
            enter(window, dialog, key)
            press(gimp, window, dialog, "Balance: 17 units.")
            assert settings.key() is None, "a test keeps nothing"
            window.screenshot(tmp_path / "tested.png")
            enter(window, dialog, "sk-wrong")
            press(gimp, window, dialog, "The service does not know this API key")
            enter(window, dialog, key)
            window.dismiss("alt+o", dialog)
            found = settings.key()
            assert found is not None and found.value == key
            dialog = open_settings(gimp, window)
            wait_to_hear(gimp, f"{HOST} answers. Balance: 17 units.")
            window.insist(
                lambda: window.key("alt+f", dialog), lambda: settings.key() is None, "the key to be forgotten"
            )
            window.dismiss("Escape", dialog)
    assert key not in heard(gimp)
    assert key not in gimp.stderr
    assert not [path for path in gimp.profile.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]


def test_consent_is_shown_as_it_is_and_what_is_chosen_is_what_dialogs_show(noting: Gimp, home: Path) -> None:
    gimp, host = noting, "service.invalid"
    install(gimp, home)
    gimp.environment["YOUCAM_API_URL"] = f"https://{host}"
    settings = Settings({"LAYERLIFT_HOME": str(home)})

    def chosen() -> Any:
        import json

        found = gimp.parasite_find("layerlift-options")
        return json.loads(found.data) if found else {}

    with window_with_the_photo(gimp) as window:
        for agreed in (True, False):
            dialog = open_settings(gimp, window)
            window.key("alt+a", dialog)
            window.dismiss("alt+o", dialog)
            assert settings.has_agreed(host) is agreed
        settings.agree(host)
        dialog = open_settings(gimp, window)
        window.key("alt+h", dialog)
        window.dismiss("alt+o", dialog)
        assert settings.has_agreed(host), "GIMP does not remember it otherwise"
        assert window.python(chosen)["hide_original"] == "false"
        # The other window shows it, and keeps what is changed there.
        start_from_the_dialog(window)
        window.dismiss("Escape", window.wait_for("^Remove Background$"))
        assert window.python(describe) == [["astronaut.jpg cut-out", True], ["astronaut.jpg", True]]


def test_the_first_upload_is_asked_for_in_place_and_the_run_goes_on(noting: Gimp, home: Path, tmp_path: Path) -> None:
    gimp, host, settings = noting, "service.invalid", Settings({"LAYERLIFT_HOME": str(home)})
    install(gimp, home)
    gimp.environment.update(YOUCAM_API_KEY="sk-" + "a" * 32, YOUCAM_API_URL=f"https://{host}")
    with window_with_the_photo(gimp) as window:

        def answer(key: str) -> None:
            forget(gimp)
            start_from_the_dialog(window)
            wait_to_hear(gimp, f"Upload 'astronaut.xcf: astronaut.jpg' to {host} to remove its background?")
            assert "Cost: up to 1 unit. Balance: unknown." in heard(gimp)
            window.dismiss(key, window.wait_for("^Remove Background$"))

        answer("Return")
        assert window.python(describe) == [["astronaut.jpg", True]], "Enter was meant for the window before"
        for key, agreed in (("alt+u", False), ("alt+a", True)):
            answer(key)
            wait_to_hear(gimp, "The service can't be reached")
            assert settings.has_agreed(host) is agreed
            window.dismiss("Escape", window.wait_for("^Remove Background$"))
        settings.agree(host, False)
        answer("alt+o")
        wait_for(lambda: window.glimpse(describe) == DONE, "the draft")
        assert not settings.has_agreed(host)


def test_without_a_key_a_draft_is_made_and_keys_are_spoken_of_once(noting: Gimp, home: Path) -> None:
    gimp = noting
    install(gimp, home)
    with window_with_the_photo(gimp) as window:
        start_from_the_dialog(window)
        wait_to_hear(gimp, "Background removed from 'astronaut.xcf': offline draft, free.")
        advice = window.wait_for("^Remove Background$")
        assert "With an API key, the YouCam service gives better results." in heard(gimp)
        window.dismiss("Escape", advice)
        window.key("ctrl+z")
        wait_for(lambda: window.glimpse(describe) == [["astronaut.jpg", True]], "the undo")
        forget(gimp)
        start_from_the_dialog(window)
        wait_to_hear(gimp, "offline draft, free.")
        assert window.python(describe) == DONE
        assert "API key" not in heard(gimp)


def test_a_key_that_is_refused_is_set_in_place_and_the_run_goes_on(noting: Gimp, home: Path, tmp_path: Path) -> None:
    gimp = noting
    with Twin(Options()) as twin:
        install(gimp, home, twin)
        key = without_key(gimp, twin)
        Settings({"LAYERLIFT_HOME": str(home)}).set_key("sk-" + "a" * 32)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            refused = window.wait_for("^Remove Background$")
            wait_to_hear(gimp, "does not know this API key")
            window.screenshot(tmp_path / "refused.png")
            window.key("alt+s", refused)
            dialog = window.wait_for("Remove Background: Settings")
            enter(window, dialog, key)
            window.dismiss("alt+o", dialog)
            wait_for(lambda: window.glimpse(describe) == DONE, "the new layer")
        assert twin.charged == 1


def test_ok_pressed_twice_keeps_all_that_was_entered(noting: Gimp, home: Path) -> None:
    gimp, settings = noting, Settings({"LAYERLIFT_HOME": str(home)})
    install(gimp, home)
    with window_with_the_photo(gimp) as window:
        dialog = open_settings(gimp, window)
        enter(window, dialog, "sk-0123456789")
        window.key("alt+a", dialog)
        window.key("Return", dialog)
        window.dismiss("Return", dialog)
        found = settings.key()
        assert found is not None and found.value == "sk-0123456789"
        assert settings.has_agreed(settings.api_host)


def test_paying_again_is_for_one_try(noting: Gimp, home: Path) -> None:
    gimp = noting
    with Twin(Options(faults=(Fault("run", "reset_before", times=2),))) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            for said, key in 2 * (
                ("so it may have been charged", "alt+t"),
                ("An earlier start of this picture was interrupted", "alt+p"),
            ):
                wait_to_hear(gimp, said)
                box = window.wait_for("^Remove Background$")
                forget(gimp)
                window.dismiss(key, box)
            wait_for(lambda: window.glimpse(describe) == DONE, "the new layer")
        assert (twin.charged, len(twin.calls("run"))) == (1, 3)


def clipboard(window: Window) -> str:
    """The text on the screen's clipboard."""
    command = [sys.executable, "-c", "import tkinter; print(tkinter.Tk().clipboard_get())"]
    environment = {**os.environ, "DISPLAY": window.display}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def test_a_report_can_be_copied_where_nothing_else_can_be_done(noting: Gimp, home: Path, tmp_path: Path) -> None:
    gimp = noting
    install(gimp, home)
    setup = gimp.profile / "plug-ins" / "layerlift" / "worker.json"
    text = setup.read_text()
    setup.write_text(json.dumps({"python": "/nowhere/python", "version": "1.2.3"}))
    try:
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            box = window.wait_for("^Remove Background$")
            window.screenshot(tmp_path / "broken.png")
            window.key("alt+r", box)
            wait_for(lambda: "Layerlift 1.2.3" in clipboard(window), "the report")
            copied = clipboard(window)
            window.dismiss("Escape", window.wait_for("^Remove Background$"))
    finally:
        setup.write_text(text)
    assert copied.startswith("Layerlift's own Python is gone.")
    assert "\nGIMP " in copied and "\nPython 3." in copied


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(units=0), "The account has no units left"),
        (Options(faults=(Fault("declare", "503", times=99),)), "The service has an internal problem"),
    ],
)
def test_where_the_service_does_not_do_it_the_offline_engine_is_a_button(
    noting: Gimp, home: Path, options: Options, said: str
) -> None:
    gimp = noting
    with Twin(options) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_to_hear(gimp, said)
            box = window.wait_for("^Remove Background$")
            assert window.python(describe) == [["astronaut.jpg", True]]
            window.dismiss("alt+o", box)
            wait_for(lambda: window.glimpse(describe) == DONE, "the new layer")
        assert twin.charged == 0
