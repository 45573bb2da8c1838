"""The offline models in GIMP's settings: what there is, fetching one, stopping that, choosing and removing it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.models_worker import LARGE
from layerlift.store.settings import Settings
from service.release import PAGE, Release, release
from service.wire import reply

from .gimp import Gimp
from .hearing import NOTED, forget, heard, open_settings, wait_to_hear
from .layerlift_in_gimp import install, noted, window_with_the_photo
from .window import Window, wait_for
from .workers import workers_of

TESTS = Path(__file__).resolve().parents[1]
LISTED = "Automatic | u2netp: 4.57 MB, installed | large: 2 MB, not fetched | special: 2 MB, not fetched"
FETCHED = LISTED.replace("large: 2 MB, not fetched", "large: 2 MB, installed")
FETCHING = "Fetching large: "


@pytest.fixture
def gimp_with_models(gimp_on_a_screen: Gimp, home: Path) -> Iterator[Gimp]:
    """A GIMP whose plug-in notes what it says, and whose workers know models that tests have."""
    gimp = gimp_on_a_screen
    install(gimp, home)
    gimp.environment.update(U2NET_HOME=str(home / "rembg"))
    program = gimp.host.folder / "models-worker"
    command = [sys.executable, str(TESTS / "helpers" / "models_worker.py")]
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(TESTS))} exec {shlex.join(command)} "$@"\n')
    program.chmod(0o755)
    setup = gimp.profile / "plug-ins" / "layerlift" / "worker.json"
    shipped = setup.read_text()
    setup.write_text(
        json.dumps({**json.loads(shipped), "python": gimp.version.outside(gimp.host.folder, str(program))})
    )
    try:
        with noted(gimp, "gimpfu/__init__.py", NOTED):
            yield gimp
    finally:
        setup.write_text(shipped)


@pytest.fixture
def site(gimp_with_models: Gimp) -> Iterator[Release]:
    """The address that models come from."""
    with release(large=LARGE, special=LARGE) as found:
        gimp_with_models.environment["LAYERLIFT_MODELS_URL"] = found.url
        yield found


def choose(gimp: Gimp, window: Window, dialog: str, place: int, said: str) -> None:
    """Chooses what is at a place of the list, until what is told of it is said."""

    def act() -> None:
        window.key("alt+m", dialog)
        for key in ("Home", *["Down"] * place):
            window.key(key, dialog)

    window.insist(act, lambda: said in heard(gimp), f"{said!r} to be said")


def press(gimp: Gimp, window: Window, dialog: str, key: str, said: str) -> None:
    """Presses a key until the text is said."""
    forget(gimp)
    window.insist(lambda: window.key(key, dialog), lambda: said in heard(gimp), f"{said!r} to be said")


def began(process: int) -> int:
    """When it began, in the system's ticks."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])


def begin(gimp: Gimp, window: Window, site: Release, part: Path) -> tuple[str, threading.Event]:
    """The settings while half of a model is here; the rest comes when the event is set."""
    dialog = open_settings(gimp, window)
    wait_to_hear(gimp, LISTED)
    choose(gimp, window, dialog, 2, "For tests. 2 MB; about 0.1 s and 0 GB of memory a picture; licence: MIT, https:")
    site.hold = hold = threading.Event()
    press(gimp, window, dialog, "alt+w", f"{FETCHING}0.")
    wait_for(lambda: part.exists() and part.stat().st_size > len(LARGE) * 0.4, "half of the file")
    return dialog, hold


def test_a_model_is_fetched_in_two_goes_then_used_and_removed(
    gimp_with_models: Gimp, site: Release, home: Path, tmp_path: Path
) -> None:
    gimp, settings = gimp_with_models, Settings({"LAYERLIFT_HOME": str(home)})
    part, file = (home / "models" / name for name in (".large.onnx.part", "large.onnx"))
    with window_with_the_photo(gimp) as window:
        dialog, hold = begin(gimp, window, site, part)
        window.screenshot(tmp_path / "fetching.png")
        press(gimp, window, dialog, "alt+t", "The offline engine works.")
        press(gimp, window, dialog, "alt+p", "Stopped. What has arrived is kept, and the next fetch goes on there.")
        assert FETCHED not in heard(gimp)
        have = part.stat().st_size
        hold.set()
        site.hold = hold = threading.Event()
        press(gimp, window, dialog, "alt+w", f"{FETCHING}1.")
        hold.set()
        wait_to_hear(gimp, "The model large is installed.")
        assert FETCHED in heard(gimp)
        assert (site.ranges[-1], file.read_bytes()) == (f"bytes={have}-", LARGE)
        window.screenshot(tmp_path / "fetched.png")
        assert settings.model == "auto", "OK keeps the choice"
        window.dismiss("alt+o", dialog)
        assert settings.model == "large"
        dialog = open_settings(gimp, window)
        wait_to_hear(gimp, "For tests. 2 MB")
        press(gimp, window, dialog, "alt+v", LISTED)
        wait_to_hear(gimp, "The offline engine uses u2netp, chosen automatically.")
        assert (settings.model, file.exists()) == ("auto", False)
        window.dismiss("alt+o", dialog)
        assert settings.model == "auto"


def test_what_goes_wrong_with_a_fetch_is_told_and_who_closes_the_window_ends_it(
    gimp_with_models: Gimp, site: Release, home: Path, tmp_path: Path
) -> None:
    gimp, settings = gimp_with_models, Settings({"LAYERLIFT_HOME": str(home)})
    part = home / "models" / ".large.onnx.part"
    with window_with_the_photo(gimp) as window:
        dialog, hold = begin(gimp, window, site, part)
        os.kill(max(workers_of(home), key=began), signal.SIGKILL)
        wait_to_hear(gimp, "Layerlift's worker ended unexpectedly")
        hold.set()
        site.files = {"large.onnx": b"x" * len(LARGE)}
        press(gimp, window, dialog, "alt+w", "large.onnx is not the expected file")
        window.screenshot(tmp_path / "wrong.png")
        site.override = reply(PAGE, "text/html")
        press(gimp, window, dialog, "alt+w", "127.0.0.1 sent a web page")
        site.override, site.hold = None, threading.Event()
        press(gimp, window, dialog, "alt+w", FETCHING)
        assert len(workers_of(home)) == 2
        press(gimp, window, dialog, "alt+o", "large is not fetched yet. Fetch it, or choose another model.")
        wait_for(lambda: len(workers_of(home)) == 1, "the fetch to end")
        assert (settings.model, (home / "models" / "large.onnx").exists()) == ("auto", False)
        press(gimp, window, dialog, "alt+w", FETCHING)
        window.dismiss("Escape", dialog)
        wait_for(lambda: not workers_of(home), "the workers to end")
    assert part.stat().st_size > 0, "the next fetch goes on there"


def test_a_file_of_the_users_own_is_shown_and_stays(gimp_with_models: Gimp, home: Path) -> None:
    gimp, settings = gimp_with_models, Settings({"LAYERLIFT_HOME": str(home)})
    mine = {"path": str(home / "<b>mine.onnx"), "hash": "sha256:0", "side": 32, "mean": [0, 0, 0]}
    mine.update(deviation=[1, 1, 1], logits=False)
    settings.choose_model(mine)
    with window_with_the_photo(gimp) as window:
        dialog = open_settings(gimp, window)
        wait_to_hear(gimp, f"{LISTED} | own/<b>mine.onnx")
        wait_to_hear(gimp, "A model file of your own. The offline model that was chosen is missing or damaged")
        window.dismiss("alt+o", dialog)
        assert settings.model == mine
        dialog = open_settings(gimp, window)
        choose(gimp, window, dialog, 1, "A quick draft")
        window.dismiss("alt+o", dialog)
    assert settings.model == "u2netp"
