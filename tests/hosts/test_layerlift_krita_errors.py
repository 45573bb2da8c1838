"""What goes wrong in a real Krita is told in one box, with the button that mends it; the document stays as it was."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Fault, Options, Twin

from .krita import Krita, KritaWindow
from .krita_outcomes import done, free
from .leftovers import nothing_is_left
from .services import held
from .window import wait_for
from .workers import kill_workers

pytestmark = pytest.mark.krita(
    "5.1", "6.0", why="what is told comes from the worker; the box is the same in all with the same Qt"
)
SIZE = (300, 200)
OTHER_KEY = "sk-" + "a" * 32
CLOSED_PORT = "http://127.0.0.1:9"


def attempt(size: list[int], environment: dict[str, str], shades: list[int], press: str) -> Any:
    """Runs inside Krita: a removal in an environment; what it told, the buttons, whether the document is as before."""
    import os

    from removals import box, buttons, ended, listen, progress, remove, state, subject

    listen()
    before = dict(os.environ)
    os.environ.update(environment)
    k.writeSetting("layerlift", "engine", "youcam")
    frame, inside = (bytes((shade, shade, shade, 255)) for shade in shades)
    document = yield from subject(*size, frame, inside)
    unchanged = state(document)
    remove()
    yield lambda: progress() is None
    offered = sorted(buttons(box)) if box() else []
    text, said = yield from ended(press)
    os.environ.clear()
    os.environ.update(before)
    return text, said, offered, state(document) == unchanged


def try_it(window: KritaWindow, *, press: str = "Close", shades: tuple[int, int] = (0, 255), **environment: str) -> Any:
    return window.run(attempt, SIZE, environment, shades, press)


def settings_are_open() -> Any:
    """Runs inside Krita: whether the settings are shown, which are closed then."""
    from removals import QtWidgets

    dialogs = [widget for widget in QtWidgets.QApplication.topLevelWidgets() if widget.isVisible()]
    found = [dialog for dialog in dialogs if dialog.windowTitle() == "Remove Background: Settings"]
    for dialog in found:
        dialog.close()
    return len(found)


def is_done() -> Any:
    """Runs inside Krita: wait for a removal's end."""
    from removals import ended

    told = yield from ended()
    return told, [name for name, *_ in tree(k.activeDocument().rootNode())]


def test_what_the_settings_can_mend_leads_there(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            for words, environment in (
                ("No API key is set", {"YOUCAM_API_KEY": ""}),
                ("does not know this API key", {"YOUCAM_API_KEY": OTHER_KEY}),
            ):
                text, said, offered, same = try_it(window, press="Settings...", **environment)
                assert words in text
                assert OTHER_KEY not in text
                assert (said, offered, same) == ([], ["Close", "Settings...", "Work Offline"], True)
                assert window.run(settings_are_open) == 1, words
                nothing_is_left(tmp_path / "state")
        assert twin.charged == 0


def test_other_errors_of_the_service_are_told(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("run", "400", code="CreditInsufficiency"),))) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            for words, ways, shades, environment in (
                ("can't be reached", ["Try Again", "Work Offline"], (0, 255), {"YOUCAM_API_URL": CLOSED_PORT}),
                ("no units left", ["Buy Units", "Try Again", "Work Offline"], (0, 255), {}),
                ("No subject was found", [], (255, 255), {}),
            ):
                text, said, offered, same = try_it(window, shades=shades, **environment)
                assert words in text
                assert (said, offered, same) == ([], sorted(["Close", *ways]), True), words
            text, said, _, same = try_it(window, shades=(0, 0))
            assert "the whole picture was kept" in text
            assert (said, same) == ([done(999)], False)


def press_what_stays(name: str, width: int = 300) -> Any:
    """Runs inside Krita: a removal that fails, a button of its box that leaves it open, and what it did; then another
    one, after which the rest of the removal is done."""
    from layerlift import extension
    from removals import QtWidgets, box, buttons, is_over, listen, remove, subject

    listen()
    opened = []
    extension.open_page = opened.append
    yield from subject(width, 200)
    k.writeSetting("layerlift", "engine", "youcam")
    remove()
    yield lambda: box() is not None and is_over()
    text = box().text()
    buttons(box)[name].click()
    copied = QtWidgets.QApplication.clipboard().text()
    return text, opened, copied, box() is not None


def press_on(name: str) -> Any:
    """Runs inside Krita: a button of the box that is open; what is told at the end, and the layers."""
    from removals import SAID, box, buttons, ended

    SAID.clear()
    buttons(box)[name].click()
    told = yield from ended()
    return told, [name for name, *_ in tree(k.activeDocument().rootNode())]


BOTH = ["Background", "Background cut-out"]


def test_what_is_wrong_can_be_mended_where_it_is_told(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("run", "400", code="CreditInsufficiency"),))) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            text, opened, _, is_open = window.run(press_what_stays, "Buy Units")
            assert text.count("no units left") == 1
            assert (opened, is_open) == (["https://yce.perfectcorp.com/ai-api/api-pricing"], True)
            assert window.run(press_on, "Try Again") == [["", [done(999)]], BOTH]
            twin.inject(Fault("run", "400", code="CreditInsufficiency"))
            window.run(press_what_stays, "Buy Units", 310)
            offline = ["Background removed from 'test': offline draft, free."]
            assert window.run(press_on, "Work Offline") == [["", offline], BOTH]
        assert twin.charged == 1


def test_a_report_can_be_copied_and_holds_what_it_is_about(krita: Krita, tmp_path: Path) -> None:
    krita.add_layerlift(tmp_path / "state")
    setup = krita.resources / "pykrita/layerlift/worker.json"
    text = setup.read_text()
    setup.write_text(json.dumps({"python": "/nowhere/python", "version": "1.2.3"}))
    try:
        with krita.window() as window:
            told, _, copied, is_open = window.run(press_what_stays, "Copy Report")
    finally:
        setup.write_text(text)
    assert is_open
    assert copied.startswith(told + "\n\nLayerlift 1.2.3\nKrita ")
    assert "\nQt " in copied and "\nPython 3." in copied


def delete_the_layer_and_try_again() -> Any:
    """Runs inside Krita, with a box open: what is told, which is closed."""
    from removals import SAID, box, buttons, ended

    SAID.clear()
    document = k.activeDocument()
    document.topLevelNodes()[0].remove()
    yield from settle(document)
    buttons(box)["Try Again"].click()
    return (yield from ended())


def test_trying_again_when_the_layer_is_gone_says_so(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("run", "400", code="CreditInsufficiency"),))) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            window.run(press_what_stays, "Buy Units")
            told = window.run(delete_the_layer_and_try_again)
            assert told == ["The layer was deleted in the meantime. Nothing was changed.", []]


def start_until_it_is_told(size: list[int]) -> Any:
    """Runs inside Krita: a removal of a layer that is named like a heading; the line of the box that names it."""
    from removals import QtCore, box, listen, remove, subject

    listen()
    document = yield from subject(*size)
    document.activeNode().setName("<h1>Dog</h1>")
    remove()
    yield lambda: box() is not None
    return box().text().partition("\n")[0], box().textFormat() == QtCore.Qt.TextFormat.PlainText


def is_still_told() -> Any:
    """Runs inside Krita: whether the box is there when a key has had the time to close it."""
    from removals import box

    yield from linger()
    return box() is not None


def test_after_an_unclear_start_only_the_user_pays_again(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("run", "reset_before"),))) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            text, _, offered, same = try_it(window)
            assert "may have been charged" in text
            assert (offered, same) == (["Close", "Try Again", "Work Offline"], True)
            assert window.run(start_until_it_is_told, SIZE) == ["test: <h1>Dog</h1>", True]
            box = window.wait_for("Remove Background")
            assert window.run(is_still_told)
            window.key("c", box)
            assert window.run(is_still_told), "a key that may be meant for the canvas has pressed Close"
            window.dismiss("Return", box)
            text, _, offered, same = try_it(window, press="Pay Again")
            assert "it may have been charged" in text
            assert (offered, same) == (["Close", "Pay Again"], True)
            assert window.run(is_done) == [["", [done(999)]], ["Background", "Background cut-out"]]
        assert (twin.charged, len(twin.calls("run"))) == (1, 2)


def short_patience(seconds: float) -> None:
    """Runs inside Krita."""
    from layerlift.common import protocol

    protocol.HELLO_SECONDS = protocol.SILENCE_SECONDS = seconds


def program(path: Path, *lines: str) -> Path:
    """A program in place of the worker's Python, which leaves its process ID beside it."""
    path.write_text("\n".join(("#!/bin/sh", f"echo $$ > {path}.pid", *lines, "")))
    path.chmod(0o755)
    return path


def is_running(path: Path) -> bool:
    return Path("/proc", path.with_name(f"{path.name}.pid").read_text().strip()).exists()


def test_a_worker_that_is_broken_is_told_with_what_to_do(krita: Krita, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "shown.raw").symlink_to("/dev/full")
    hello = json.dumps({"type": "hello", "protocol": 1, "folder": str(folder)})
    full = program(tmp_path / "full.sh", f"echo '{hello}'", "cat > /dev/null")
    deaf = program(tmp_path / "deaf.sh", "exec sleep 1000")
    other = program(
        tmp_path / "other.sh", """echo '{"type": "hello", "protocol": 2, "folder": "/"}'""", "cat > /dev/null"
    )
    broken = program(tmp_path / "broken.sh", "echo No module named layerlift >&2", "exit 1")
    krita.add_layerlift(tmp_path / "state")
    worker = krita.resources / "pykrita/layerlift/worker.json"
    with krita.window() as window:
        window.run(short_patience, 2.0)
        again, offline, report = "Try Again", "Work Offline", "Copy Report"
        for words, ways, setting in (
            ("python3 install.py", [report], None),
            ("python3 install.py", [report], "not json"),
            ("own Python is gone", [report], json.dumps({"python": "/nowhere/python"})),
            ("from different versions", [report], json.dumps({"python": str(other)})),
            ("No module named layerlift", [again, offline], json.dumps({"python": str(broken)})),
            ("Free some disk space", [again], json.dumps({"python": str(full)})),
            ("does not answer", [again, offline], json.dumps({"python": str(deaf)})),
        ):
            worker.unlink(missing_ok=True)
            if setting is not None:
                worker.write_text(setting)
            text, said, offered, same = try_it(window)
            assert words in text
            assert (said, offered, same) == ([], sorted(["Close", *ways]), True), words
        for path in (full, deaf, other, broken):
            wait_for(lambda: not is_running(path), f"{path.name} to end")  # noqa: B023


def block(size: list[int], seconds: float) -> Any:
    """Runs inside Krita: Krita does not come round for a while; how the removal ends that is cancelled then."""
    import time

    from removals import at, buttons, ended, listen, progress, remove, subject

    listen()
    yield from subject(*size)
    remove()
    yield at("Waiting")
    time.sleep(seconds)
    until = time.monotonic() + seconds / 2
    yield lambda: time.monotonic() > until
    buttons(progress)["Cancel"].click()
    return (yield from ended())


def test_a_worker_is_not_called_silent_when_krita_itself_was_busy(krita: Krita, tmp_path: Path) -> None:
    hello = json.dumps({"type": "hello", "protocol": 1, "folder": str(tmp_path)})
    news = json.dumps({"type": "progress", "id": "job", "stage": "waiting", "fraction": 0.5})
    speaks = program(tmp_path / "speaks.sh", f"echo '{hello}'", f"while echo '{news}'; do sleep 0.2; done")
    krita.add_layerlift(tmp_path / "state")
    (krita.resources / "pykrita/layerlift/worker.json").write_text(json.dumps({"python": str(speaks)}))
    with krita.window() as window:
        window.run(short_patience, 3.0)
        told = ["", ["Cancelled. What was paid for is kept, and is free the next time."]]
        assert window.run(block, SIZE, 6.0) == told
        wait_for(lambda: not is_running(speaks), "the program to end")


def start(size: list[int]) -> Any:
    """Runs inside Krita: a removal that waits for the service."""
    from removals import at, listen, remove, subject

    listen()
    yield from subject(*size)
    remove()
    yield at("Waiting")


def is_told() -> Any:
    """Runs inside Krita: what a box tells, which stays, and the layers."""
    from removals import box

    yield lambda: box() is not None
    return box().text(), [name for name, *_ in tree(k.activeDocument().rootNode())]


def test_a_killed_worker_is_told_and_what_was_paid_for_is_not_paid_again(krita: Krita, tmp_path: Path) -> None:
    home, gate = tmp_path / "state", tmp_path / "gate"
    with Twin(held(gate)) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            window.run(start, SIZE)
            wait_for(lambda: twin.calls("poll"), "the first poll")
            kill_workers(home)
            text, names = window.run(is_told)
            assert "ended unexpectedly" in text and "Try again: what was paid for is kept." in text
            assert names == ["Background"]
            gate.touch()
            assert window.run(press_on, "Try Again") == [["", [free()]], BOTH]
        assert (twin.charged, len(twin.calls("run"))) == (1, 1)
        nothing_is_left(home)


def fail_inside(size: list[int]) -> Any:
    """Runs inside Krita: a removal that meets a mistake of ours, and the one that waits behind it."""
    import sys

    from layerlift import host
    from removals import ended, listen, remove, subject

    listen()
    export, hook = host.Layer.export, sys.excepthook
    raised = []

    def mistaken(self, folder):
        host.Layer.export = export
        raise ZeroDivisionError
        yield

    host.Layer.export = mistaken
    sys.excepthook = lambda kind, *rest: raised.append(kind.__name__)
    for more in range(2):
        yield from subject(size[0] + more, size[1])
        remove()
    told = yield from ended()
    sys.excepthook = hook
    return told, raised, [tree(document.rootNode())[-1][0] for document in k.documents()]


def test_a_mistake_of_ours_ends_its_own_job_alone(krita: Krita, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        krita.add_layerlift(tmp_path / "state", twin)
        with krita.window() as window:
            (text, said), raised, names = window.run(fail_inside, SIZE)
            assert "Nothing was changed" in text
            assert (said, raised) == ([done(999)], ["ZeroDivisionError"])
            assert names == ["Background", "Background cut-out"]
