"""The settings in a real Krita: what Krita keeps, what the worker keeps, and what is said when it can't."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from layerlift import __version__
from layerlift.store.settings import Settings
from layerlift.twin import Fault, Options, Twin

from .krita import Krita, KritaWindow
from .window import wait_for
from .workers import workers_of

WRONG = "sk-of-nobody-0123456789"


class Place:
    """A Krita with the plug-in, the service that it is set up for, and where the worker keeps its state."""

    def __init__(self, folder: Path, krita: Krita, twin: Twin) -> None:
        self.krita, self.twin = krita, twin
        self.home = folder / "state"
        krita.add_layerlift(self.home)
        krita.environment["YOUCAM_API_URL"] = twin.url
        self.window: KritaWindow

    def stored(self) -> str | None:
        """The key that the worker keeps."""
        path = self.home / "api-key"
        return path.read_text() if path.exists() else None

    def agreed(self) -> list[str]:
        """The hosts to which the user has agreed to upload."""
        path = self.home / "settings.json"
        return list(json.loads(path.read_text())["upload_agreed"]) if path.exists() else []


@pytest.fixture
def place(krita: Krita, tmp_path: Path) -> Iterator[Place]:
    """Krita without a key and without consent; after the test no worker is left."""
    with Twin(Options(units=12.5)) as twin:
        place = Place(tmp_path, krita, twin)
        with krita.window() as place.window:
            yield place
        wait_for(lambda: not workers_of(place.home), "the dialog's worker to end")


def everything_of(home: Path) -> bytes:
    """The command lines of all processes, and all files of the worker but the one of the key."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "api-key"]
    return b"".join([*lines, *files])


def set_key(text: str) -> Any:
    """Runs inside Krita; leaves the dialog open."""
    from settings_dialog import answered, button, key, opened, press, words

    yield from opened()
    before = words(), button("Set").isEnabled(), button("Forget").isEnabled()
    key().setText(f" {text} ")
    press("Set")
    hidden = key().echoMode() == type(key()).EchoMode.Password, key().text()
    yield from answered()
    return before, hidden, words(), button("Forget").isEnabled()


def try_it() -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import answered, clipped, press, words

    press("Test Connection")
    yield from answered()
    yield lambda: not clipped()
    return words()


def try_key(text: str) -> Any:
    """Runs inside Krita: a test of the connection with a key that is typed; what is said, and what stays typed."""
    from settings_dialog import answered, dialog, key, opened, press, words

    if dialog() is None:
        yield from opened()
    key().setText(text)
    press("Test Connection")
    yield from answered()
    return words(), key().text()


def wait_until_it_says(text: str) -> Any:
    """Runs inside Krita, with the dialog open: whether it is usable when a label starts like this."""
    from settings_dialog import account, words

    yield lambda: any(word.startswith(text) for word in words())
    return account().isEnabled()


def forget() -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import answered, button, press, words

    press("Forget")
    yield from answered()
    return words(), button("Forget").isEnabled()


def labels() -> Any:
    """Runs inside Krita; opens the dialog, and leaves it open."""
    from layerlift.qt import QtWidgets
    from settings_dialog import dialog, opened

    yield from opened()
    return [label.text() for label in dialog().findChildren(QtWidgets.QLabel)]


def close(text: str) -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import closed, press

    press(text)
    yield from closed()


def test_a_key_is_shown_redacted_and_forgotten(place: Place) -> None:
    secret, run = place.twin.key, place.window.run
    before, hidden, after, can_forget = run(set_key, secret)
    assert "No key set." in before[0] and before[1:] == [False, False]
    assert hidden == [True, ""]
    assert f"...{secret[-4:]}, kept in a file that only you can read" in after and can_forget
    assert place.stored() == secret
    words, can_forget = run(forget)
    assert "No key set." in words and not can_forget
    assert place.stored() is None
    run(close, "OK")


def test_the_dialog_shows_the_version(place: Place) -> None:
    assert f"Layerlift {__version__}" in place.window.run(labels)
    place.window.run(close, "Cancel")


@pytest.mark.own_process("what Krita has written is read when it has ended")
def test_the_key_goes_to_the_worker_alone(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options(units=12.5)) as twin:
        place = Place(tmp_path, krita, twin)
        with krita.window() as place.window:
            told = [place.window.run(set_key, twin.key), place.window.run(try_it)]
            assert "127.0.0.1 answers. Balance: 12.5 units." in told[1]
            place.window.screenshot(tmp_path / "settings.png")
            assert twin.key not in json.dumps(told)
            assert twin.key.encode() not in everything_of(place.home)
            place.window.run(close, "OK")
    kept = krita.kritarc.read_text()
    assert "[layerlift]" in kept and "engine=auto" in kept
    assert twin.key not in kept and twin.key not in krita.stderr


def test_a_key_that_the_service_does_not_know_is_told_in_the_dialog(place: Place) -> None:
    place.window.run(set_key, WRONG)
    told = place.window.run(try_it)
    assert any("does not know this API key" in text for text in told)
    place.window.run(close, "Cancel")


def test_what_is_no_key_is_refused_and_can_be_mended(place: Place) -> None:
    *_, told, can_forget = place.window.run(set_key, "two words")
    assert any("characters that no key has" in text for text in told) and not can_forget
    assert place.stored() is None
    place.window.run(close, "Cancel")


def test_a_test_of_the_connection_tries_what_is_typed_and_keeps_nothing(place: Place) -> None:
    secret, run = place.twin.key, place.window.run
    for typed, answer in (
        (f" {secret} ", "127.0.0.1 answers. Balance: 12.5 units."),
        (WRONG, "The service does not know this API key"),
        ("two words", "it holds characters that no key has"),
    ):
        told, left = run(try_key, typed)
        assert any(answer in text for text in told), typed
        assert "No key set." in told and left == typed
        assert place.stored() is None
    run(close, "Cancel")
    assert place.stored() is None


def test_the_balance_is_there_without_being_asked_for(place: Place) -> None:
    run = place.window.run
    run(set_key, place.twin.key)
    assert run(wait_until_it_says, "Balance: 12.5 units.")
    run(close, "Cancel")
    hanging = Event()
    place.twin.inject(Fault("balance", "hang", seconds=300.0, until=hanging))
    before = len(place.twin.calls("balance"))
    run(open_it)
    wait_for(lambda: len(place.twin.calls("balance")) > before, "the balance to be asked for")
    # What the user does takes the place of a question that nobody waits for, which the service would end in 30 s.
    told, _ = run(try_key, "two words", timeout=20.0)
    assert any("it holds characters that no key has" in text for text in told)
    run(close, "Cancel")
    hanging.set()
    run(set_key, WRONG)
    assert run(wait_until_it_says, "Balance: unknown.")
    run(close, "Cancel")


def open_with_letters() -> Any:
    """Runs inside Krita; opens the dialog, and waits until Krita has given a letter to OK and Cancel."""
    from layerlift.qt import QtWidgets
    from settings_dialog import dialog, opened

    yield from opened()
    (box,) = dialog().findChildren(QtWidgets.QDialogButtonBox)
    yield lambda: all("&" in button.text() for button in box.buttons())


def look_at_controls() -> Any:
    """Runs inside Krita, with the dialog open: letters that press more than one thing, things that none presses, tool
    tips that say no more than their label, and whether clean edges can be chosen with either result."""
    from layerlift.qt import QtWidgets
    from settings_dialog import choices, clean, dialog

    lists = dialog().findChildren(QtWidgets.QComboBox)
    controls = [*dialog().findChildren(QtWidgets.QAbstractButton), *lists, *dialog().findChildren(QtWidgets.QLabel)]
    letters: dict[str, list[str]] = {}
    for control in controls:
        text = control.text() if hasattr(control, "text") else ""
        is_label = isinstance(control, QtWidgets.QLabel)
        if not control.isVisible() or (is_label and control.buddy() is None) or not text:
            continue
        letters.setdefault(text.partition("&")[2][:1].upper(), []).append(text)
    named = [label.buddy() for label in dialog().findChildren(QtWidgets.QLabel)]
    explained = [box for box in controls if box.toolTip()]
    short = [c.text() for c in explained if hasattr(c, "text") and len(c.toolTip()) < len(c.text()) + 20]
    greyed = []
    for index in (1, 0):
        choices()[1].setCurrentIndex(index)
        greyed.append(clean().isEnabled())
    return letters, all(box in named for box in lists), short, len(explained), greyed


def test_every_control_has_its_own_letter_and_a_tip_and_what_does_nothing_is_greyed(place: Place) -> None:
    place.window.run(open_with_letters)
    letters, are_named, short, explained, enabled = place.window.run(look_at_controls)
    assert "" not in letters, letters[""]
    assert [texts for texts in letters.values() if len(texts) > 1] == []
    assert are_named and not short
    assert explained == 16
    assert enabled == [False, True]
    place.window.run(close, "Cancel")


def pages() -> Any:
    """Runs inside Krita, with the dialog open: the addresses that its buttons open."""
    from layerlift import account
    from settings_dialog import press

    opened = []
    account.open_page = opened.append
    press("Get an API Key")
    press("Buy Units")
    return opened


def test_keys_and_units_are_got_on_the_pages_of_the_service(place: Place) -> None:
    place.window.run(open_it)
    assert place.window.run(pages) == [
        "https://yce.perfectcorp.com/api-console/en/api-keys/",
        "https://yce.perfectcorp.com/ai-api/api-pricing",
    ]
    place.window.run(close, "Cancel")


def remove_one(size: list[int]) -> Any:
    """Runs inside Krita: a removal to its end; what was told."""
    from removals import ended, listen, remove, subject

    listen()
    yield from subject(*size)
    remove()
    return (yield from ended())


def look_at_paid_work(press_first: list[str]) -> Any:
    """Runs inside Krita: what the dialog tells of paid work once buttons of it were pressed, of boxes too, and which
    can be pressed then; all that was asked."""
    from removals import box, buttons
    from settings_dialog import answered, button, dialog, opened, paid, press, words

    if dialog() is None:
        yield from opened()
    yield lambda: any(word.startswith("Kept results") for word in words())
    asked = ""
    for text in press_first:
        if box() is None:
            press(text)
        else:
            asked = box().text()
            buttons(box)[text].click()
        yield lambda: box() is not None or paid().isEnabled()
        yield from answered()
    return words(), [button(text).isEnabled() for text in ("Fetch Results", "Delete Kept Results...")], asked


def test_paid_work_is_told_and_cleared_only_after_a_question(place: Place) -> None:
    run, size = place.window.run, (300, 200)
    Settings({"LAYERLIFT_HOME": str(place.home)}).set_key(place.twin.key)
    place.twin.inject(Fault("run", "reset_before"))
    run(remove_one, (310, 200))
    run(remove_one, size)
    told, enabled, _ = run(look_at_paid_work, [])
    (line,) = [text for text in told if text.startswith("Kept results")]
    # A worker that starts looks what has become of it.
    assert line.startswith("Kept results: 1 (") and ("In doubt: 1." in line or "On their way: 1." in line)
    assert enabled == [True, True]
    told, _, _ = run(look_at_paid_work, ["Fetch Results"])
    assert any("fetch" in text for text in told), told
    _, enabled, asked = run(look_at_paid_work, ["Delete Kept Results...", "Cancel"])
    assert asked == "Delete the kept results? The same pictures then cost units again."
    assert enabled[1]
    told, enabled, _ = run(look_at_paid_work, ["Delete Kept Results...", "Delete"])
    assert any(text.startswith("Kept results: 0 (0 MB)") for text in told) and not enabled[1]
    run(close, "Cancel")
    run(remove_one, size)
    assert place.twin.charged == 2


def kept() -> Any:
    """Runs inside Krita: what it has kept of the plug-in."""
    from layerlift import host
    from layerlift.common.options import Options

    return list(Options.read(host.setting))


def choose(engine: int, result: int, clean: bool, hide: bool, agreed: bool, typed: str, end: str) -> Any:
    """Runs inside Krita: what the dialog shows at first, then other choices, and OK or Cancel."""
    from settings_dialog import boxes, choices, closed, key, opened, press

    yield from opened()
    before = [box.currentIndex() for box in choices()] + [box.isChecked() for box in boxes()]
    for box, index in zip(choices(), (engine, result)):
        box.setCurrentIndex(index)
    for box, on in zip(boxes(), (clean, hide, agreed)):
        box.setChecked(on)
    key().setText(typed)
    press(end)
    yield from closed()
    return before


def test_ok_keeps_all_that_was_chosen_and_cancel_nothing(place: Place) -> None:
    chosen = (2, 1, False, False, True)
    first = place.window.run(choose, 1, 0, True, True, False, "", "OK")
    assert first[-1] is False
    before = place.window.run(kept)
    assert place.window.run(choose, *chosen, place.twin.key, "Cancel") == [1, 0, True, True, False]
    assert (place.window.run(kept), place.stored(), place.agreed()) == (before, None, [])
    place.window.run(choose, *chosen, place.twin.key, "OK")
    assert (place.stored(), place.agreed()) == (place.twin.key, ["127.0.0.1"])
    assert place.window.run(choose, 0, 0, True, True, False, "", "OK") == [2, 1, False, False, True]
    assert place.agreed() == []
    assert place.window.run(kept) == ["auto", "alpha", True, True]


def fail_to_keep(typed: str) -> Any:
    """Runs inside Krita: OK with this for a key; what is said then. The dialog stays open."""
    from settings_dialog import answered, choices, consent, dialog, key, opened, press, words

    yield from opened()
    choices()[0].setCurrentIndex(2)
    consent().setChecked(True)
    key().setText(typed)
    press("OK")
    yield from answered()
    return dialog() is not None, words(), choices()[0].currentIndex(), consent().isChecked()


def test_what_the_worker_refuses_keeps_the_dialog_open_and_nothing_is_kept(place: Place) -> None:
    before = place.window.run(kept)
    is_open, told, engine, agreed = place.window.run(fail_to_keep, "two words")
    assert is_open and (engine, agreed) == (2, True)
    assert any("characters that no key has" in text for text in told)
    assert (place.window.run(kept), place.agreed()) == (before, [])
    assert "The offline engine works. Nothing leaves this computer." in place.window.run(try_it)
    place.window.run(close, "Cancel")


def test_the_consent_is_shown_as_it_is_whoever_has_changed_it(place: Place) -> None:
    elsewhere = Settings({"LAYERLIFT_HOME": str(place.home)})
    elsewhere.agree("127.0.0.1")
    assert place.window.run(choose, 0, 0, True, True, True, "", "OK")[-1] is True
    elsewhere.agree("127.0.0.1", False)
    assert place.window.run(choose, 0, 0, True, True, False, "", "OK")[-1] is False
    assert place.agreed() == []


@contextmanager
def with_ring(ring: str, krita: Krita, tmp_path: Path) -> Iterator[Place]:
    """Krita where the key is kept in a keyring of this kind."""
    with Twin(Options()) as twin:
        place = Place(tmp_path, krita, twin)
        krita.environment.update(
            LAYERLIFT_HOME="",
            PYTHON_KEYRING_BACKEND=f"helpers.rings.{ring}",
            XDG_STATE_HOME=str(place.home),
        )
        with krita.window() as place.window:
            yield place
        wait_for(lambda: not workers_of(place.home), "the dialog's worker to end")


@pytest.fixture
def locked(krita: Krita, tmp_path: Path) -> Iterator[Place]:
    """Krita where the keyring is locked."""
    with with_ring("Locked", krita, tmp_path) as place:
        yield place


def close_while_it_loads(engine: int) -> Any:
    """Runs inside Krita: another engine, and OK, while the worker waits for the keyring."""
    from settings_dialog import account, choices, closed, dialog, press, words

    k.action("layerlift_settings").trigger()
    yield lambda: dialog() is not None and "Loading settings..." in words()
    is_usable = account().isEnabled()
    choices()[0].setCurrentIndex(engine)
    press("OK")
    yield from closed()
    return is_usable


def test_a_keyring_that_hangs_keeps_nobody_from_the_other_settings(krita: Krita, tmp_path: Path) -> None:
    with with_ring("Hanging", krita, tmp_path) as place:
        assert place.window.run(close_while_it_loads, 2, timeout=20.0) is False
        assert place.window.run(kept)[0] == "offline"


def test_a_locked_keyring_is_told_and_a_key_is_kept_in_a_file_instead(locked: Place) -> None:
    run, secret = locked.window.run, locked.twin.key
    in_a_file = f"...{secret[-4:]}, kept in a file that only you can read"
    is_open, told, *_ = run(fail_to_keep, secret)
    assert is_open and in_a_file in told
    assert any(text.startswith("The system's keyring is locked.") for text in told)
    run(close, "OK")
    (shown, *_), _, told, _ = run(set_key, secret)
    assert in_a_file in shown and in_a_file in told
    told, can_forget = run(forget)
    assert "It could not be read." in told and not can_forget
    assert any("the key in the file is forgotten, one in the keyring is not" in text for text in told)
    run(close, "OK")


def wait_in_vain() -> Any:
    """Runs inside Krita: a test of the connection that gets no answer; was it greyed, and did Cancel work."""
    from settings_dialog import account, closed, press, words

    press("Test Connection")
    yield lambda: "Asking..." in words()
    greyed = not account().isEnabled()
    press("Cancel")
    yield from closed()
    return greyed


def test_a_service_that_does_not_answer_keeps_nobody_waiting(place: Place) -> None:
    place.window.run(set_key, place.twin.key)
    place.twin.inject(Fault("balance", "hang", seconds=300.0))
    assert place.window.run(wait_in_vain)


def without_a_worker(engine: int) -> Any:
    """Runs inside Krita: the dialog with what it says, another engine, OK."""
    from settings_dialog import account, choices, closed, dialog, press, words

    k.action("layerlift_settings").trigger()
    yield lambda: dialog() is not None and any("install.py" in text for text in words())
    found = words(), account().isEnabled()
    choices()[0].setCurrentIndex(engine)
    press("OK")
    yield from closed()
    return found


def test_without_a_worker_the_dialog_says_so_and_keeps_the_rest(place: Place) -> None:
    setup = place.krita.resources / "pykrita/layerlift/worker.json"
    text = setup.read_text()
    setup.write_text(json.dumps({"python": "/nowhere/python"}))
    try:
        words, enabled = place.window.run(without_a_worker, 2)
    finally:
        setup.write_text(text)
    assert not enabled and any("Layerlift's own Python is gone" in word for word in words)
    assert place.window.run(kept)[0] == "offline"


def kill_it(process: int) -> Any:
    """Runs inside Krita, with the dialog open."""
    from settings_dialog import consent, killed

    consent().setChecked(True)
    return (yield from killed(process))


def open_it() -> Any:
    """Runs inside Krita."""
    from settings_dialog import opened

    yield from opened()


def test_a_worker_that_dies_is_told_and_the_dialog_goes_on(place: Place) -> None:
    place.window.run(open_it)
    (process,) = workers_of(place.home)
    told = place.window.run(kill_it, process)
    assert any("ended unexpectedly" in text for text in told)
    assert place.agreed() == []
