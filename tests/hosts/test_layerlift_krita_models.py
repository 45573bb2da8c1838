"""The offline models in the settings of a real Krita: the list, a fetch with progress, and the choice that is kept."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from helpers import onnx_files
from helpers.models_worker import LARGE
from layerlift import __version__
from layerlift.twin import Fault, Options, Twin
from service.release import PAGE, Release, release
from service.wire import reply

from .krita import Krita, KritaWindow
from .window import wait_for
from .workers import workers_of

TESTS = Path(__file__).resolve().parents[1]


class Place:
    """A Krita with the plug-in, where its worker keeps its state, and the site that has the models."""

    def __init__(self, krita: Krita, folder: Path, site: Release) -> None:
        self.home, self.site = folder / "state", site
        self.models = self.home / "models"
        krita.add_layerlift(self.home)
        program = folder / "python-of-models"
        command = shlex.join([sys.executable, str(TESTS / "helpers" / "models_worker.py")])
        program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(TESTS))} exec {command} "$@"\n')
        program.chmod(0o755)
        setup = {"python": krita.version.outside(krita.folder, str(program)), "version": __version__}
        (krita.resources / "pykrita/layerlift/worker.json").write_text(json.dumps(setup))
        krita.environment.update(LAYERLIFT_MODELS_URL=site.url, U2NET_HOME=str(folder / "rembg"))
        self.window: KritaWindow

    def chosen(self) -> Any:
        """The model that the user has chosen."""
        path = self.home / "settings.json"
        return json.loads(path.read_text()).get("model") if path.exists() else None

    def choose(self, path: Path) -> None:
        """Choose a file of the user's own, as the command does."""
        from layerlift.models import own
        from layerlift.store.settings import Settings

        settings = Settings({"LAYERLIFT_HOME": str(self.home)})
        settings.choose_model(own.as_setting(own.examine(path, onnx_files.SIDE, None, None)))


@pytest.fixture
def place(krita: Krita, tmp_path: Path) -> Iterator[Place]:
    """Nothing but the built-in model is here; after the test no worker is left."""
    with release(large=LARGE) as site:
        place = Place(krita, tmp_path, site)
        with krita.window() as place.window:
            yield place
        wait_for(lambda: not workers_of(place.home), "the dialog's worker to end")


def look() -> Any:
    """Runs inside Krita; opens the dialog where it is not. The list, what is chosen, what is said, what can be
    pressed; nothing of it may be cut off."""
    from settings_dialog import button, clipped, dialog, models, opened, words

    if dialog() is None:
        yield from opened()
    yield lambda: models().isEnabled() and not clipped()
    names = [models().itemText(index) for index in range(models().count())]
    can = [text for text in ("Fetch Model Now", "Stop Fetching", "Remove Model") if button(text).isEnabled()]
    return {"names": names, "chosen": models().currentData(), "words": words(), "can": can}


def choose(name: str) -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import models

    yield lambda: models().isEnabled()
    models().setCurrentIndex(models().findData(name))


def press_and_wait(text: str, said: str) -> Any:
    """Runs inside Krita, with the dialog open: a button, twice, until a label starts like this."""
    from settings_dialog import button, press, words

    press(text)
    if button(text).isEnabled():
        press(text)
    yield lambda: any(word.startswith(said) for word in words())
    return words()


def wait_until_it_says(said: str) -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import words

    yield lambda: any(word.startswith(said) for word in words())


def arrived(told: list[str]) -> float:
    """The megabytes of 2 that have arrived, by the line in the dialog."""
    (found,) = [match for text in told if (match := re.fullmatch(r"Fetching large: ([\d.]+) of 2\.0 MB", text))]
    return float(found[1])


def use_the_rest(said: str) -> Any:
    """Runs inside Krita, while a model is fetched: a consent is kept, and a connection tested; what is said."""
    from settings_dialog import account, answered, choices, press, words

    choices()[0].setCurrentIndex(2)
    press("Test Connection")
    yield from answered()
    assert account().isEnabled()
    yield lambda: any(word.startswith(said) for word in words())
    return words()


def end(text: str) -> Any:
    """Runs inside Krita, with the dialog open: OK, or Cancel."""
    from settings_dialog import closed, press

    press(text)
    yield from closed()


def try_ok() -> Any:
    """Runs inside Krita: OK with a choice that can't be kept."""
    from settings_dialog import dialog, press, words

    press("OK")
    yield None
    return dialog() is not None, words()


def test_a_model_is_fetched_with_progress_stopped_gone_on_with_kept_and_removed(place: Place, tmp_path: Path) -> None:
    run, site, part = place.window.run, place.site, place.models / ".large.onnx.part"
    seen = run(look)
    assert seen["names"][:2] == ["Automatic", "u2netp: 4.57 MB, installed"]
    assert seen["names"][2:] == ["large: 2 MB, not fetched", "special: 2 MB, not fetched"]
    assert (seen["chosen"], seen["can"]) == ("auto", [])
    assert any(text.endswith("The offline engine uses u2netp, chosen automatically.") for text in seen["words"])
    assert site.ranges == [], "nothing is fetched unasked"
    run(choose, "large")
    seen = run(look)
    assert seen["can"] == ["Fetch Model Now"]
    assert any(text.startswith("For tests. 2 MB; about 0.1 s and") and "MIT" in text for text in seen["words"])
    is_open, told = run(try_ok)
    assert is_open and "large is not fetched yet. Fetch it, or choose another model." in told
    site.hold = hold = Event()
    assert 0 <= arrived(run(press_and_wait, "Fetch Model Now", "Fetching large: ")) <= 1
    place.window.screenshot(tmp_path / "fetching.png")
    told = run(use_the_rest, "The offline engine works.")
    assert arrived(told) <= 1 and run(look)["can"] == ["Stop Fetching"]
    wait_for(lambda: part.stat().st_size > len(LARGE) // 3, "half of the file")
    run(press_and_wait, "Stop Fetching", "Stopped. What has arrived is kept")
    assert run(look)["can"] == ["Fetch Model Now"]
    have, site.hold = part.stat().st_size, Event()
    hold.set()
    run(press_and_wait, "Fetch Model Now", "Fetching large: ")
    wait_for(lambda: arrived(run(look)["words"]) > 1, "the line to move")
    site.hold.set()
    run(wait_until_it_says, "The model large is installed.")
    first, second = site.ranges
    assert first is None and second is not None and int(second.removeprefix("bytes=").rstrip("-")) >= have
    assert (place.models / "large.onnx").read_bytes() == LARGE
    seen = run(look)
    assert (seen["names"][2], seen["chosen"], seen["can"]) == ("large: 2 MB, installed", "large", ["Remove Model"])
    assert place.chosen() is None
    run(end, "OK")
    assert place.chosen() == "large"
    assert run(look)["chosen"] == "large"
    run(press_and_wait, "Remove Model", "The model large is removed.")
    seen = run(look)
    assert (seen["names"][2], seen["chosen"]) == ("large: 2 MB, not fetched", "auto")
    assert list(place.models.glob("*.onnx")) == []
    run(end, "OK")
    assert place.chosen() in (None, "auto")


def test_what_can_not_be_fetched_is_told_in_full_and_can_be_tried_again(place: Place, tmp_path: Path) -> None:
    run, site = place.window.run, place.site
    run(look)
    run(choose, "large")
    site.files["large.onnx"] = b"x" * len(LARGE)
    (told,) = [
        text for text in run(press_and_wait, "Fetch Model Now", "Something else") if text.startswith("Something")
    ]
    assert "large.onnx is not the expected file" in told and told.endswith("then try again.")
    assert run(look)["can"] == ["Fetch Model Now"] and list(place.models.glob("*large.onnx*")) == []
    site.override = reply(PAGE, "text/html")
    told = run(
        press_and_wait, "Fetch Model Now", "Something else was downloaded than was asked for: 127.0.0.1 sent a web"
    )
    site.override = None
    site.files.clear()
    told = run(press_and_wait, "Fetch Model Now", "The download did not succeed")
    assert any("127.0.0.1 does not have it (answer 404)" in text for text in told)
    place.window.screenshot(tmp_path / "refused.png")
    site.files["large.onnx"] = LARGE
    run(press_and_wait, "Fetch Model Now", "The model large is installed.")
    run(press_and_wait, "Remove Model", "The model large is removed.")
    assert run(look)["chosen"] == "auto", "what is gone is not kept as the choice"
    run(end, "OK")
    assert place.chosen() is None


def set_service(url: str, key: str) -> None:
    """Runs inside Krita: an account for workers that start."""
    import os

    os.environ.update(YOUCAM_API_URL=url, YOUCAM_API_KEY=key)


def die(process: int) -> Any:
    """Runs inside Krita, while a model is fetched."""
    from settings_dialog import killed

    return (yield from killed(process))


def test_a_window_that_closes_or_a_worker_that_dies_ends_a_fetch_and_keeps_what_has_come(place: Place) -> None:
    run, site, part = place.window.run, place.site, place.models / ".large.onnx.part"
    site.hold = hold = Event()
    for ended_by in ("Cancel", "the worker's death"):
        run(look)
        run(choose, "large")
        run(press_and_wait, "Fetch Model Now", "Fetching large: ")
        if ended_by == "Cancel":
            run(end, "Cancel")
        else:
            (process,) = workers_of(place.home)
            told = run(die, process)
            assert any("ended unexpectedly" in text for text in told)
            assert any(text.startswith("Stopped. What has arrived is kept") for text in told)
        wait_for(lambda: not workers_of(place.home), "the worker to end")
        assert part.stat().st_size > 0 and place.chosen() is None, ended_by
    hold.set()


def test_a_balance_that_does_not_come_holds_no_fetch_up(place: Place) -> None:
    run, hanging = place.window.run, Event()
    with Twin(Options()) as twin:
        run(set_service, twin.url, twin.key)
        twin.inject(Fault("balance", "hang", seconds=300.0, until=hanging))
        run(look)
        wait_for(lambda: twin.calls("balance"), "the balance to be asked for")
        run(choose, "large")
        # The service would end it in 30 s.
        run(press_and_wait, "Fetch Model Now", "The model large is installed.", timeout=20.0)
        run(end, "Cancel")
        hanging.set()


def test_a_file_of_the_users_own_stays_unless_another_model_is_chosen(place: Place, tmp_path: Path) -> None:
    run, mine = place.window.run, onnx_files.put(tmp_path, "<b>mine & " + "x" * 100, onnx_files.darkness())
    place.choose(mine)
    before = place.chosen()
    seen = run(look)
    assert (len(seen["names"]), seen["chosen"], seen["can"]) == (5, f"own/{mine.name}", [])
    assert seen["names"][4].startswith("own/<b>mine & xxx") and len(seen["names"][4]) <= 60
    assert any(text.startswith("A model file of your own.") for text in seen["words"])
    run(end, "OK")
    assert place.chosen() == before
    run(look)
    run(choose, "u2netp")
    run(end, "OK")
    assert (place.chosen(), len(run(look)["names"])) == ("u2netp", 4)
    run(end, "Cancel")
