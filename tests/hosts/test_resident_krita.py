"""One running Krita serves many tests: what one of them leaves behind is gone for the next."""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin

from .krita import Krita, Residence, ResidentKrita
from .leftovers import nothing_is_left
from .services import held
from .versions import KritaVersion
from .window import HostTimeout, wait_for
from .workers import workers_of


def seen() -> Any:
    """Runs inside Krita: all that a test could leave behind."""
    import os
    import sys

    from layerlift import host
    from layerlift.common import options, protocol
    from removals import SAID, QtWidgets

    widgets = QtWidgets.QApplication.topLevelWidgets()
    shown = [w.windowTitle() for w in widgets if isinstance(w, (QtWidgets.QDialog, QtWidgets.QMenu)) and w.isVisible()]
    return {
        "documents": [document.name() for document in k.documents()],
        "views": len(k.activeWindow().views()),
        "shown": shown,
        "said": SAID[:],
        "patched": [protocol.HELLO_SECONDS, host.tell.__name__, host.Layer.export.__name__, hasattr(protocol, "mine")],
        "hook": sys.excepthook.__name__,
        "environment": {name: text for name, text in os.environ.items() if name != "LAYERLIFT_HOME"},
        "settings": list(options.Options.read(host.setting)),
        "clipboard": QtWidgets.QApplication.clipboard().text(),
    }


def leave_much() -> Any:
    """Runs inside Krita: a test that ends in the midst of all that it does."""
    import os
    import sys

    from layerlift import host
    from layerlift.common import protocol
    from removals import SAID, QtCore, QtWidgets, When, at, listen, remove, subject

    listen()
    SAID.append("something")
    for width in (300, 310):
        document = yield from subject(width, 200)
        document.setModified(True)
        remove()
    yield at("Waiting")
    When(lambda: False, print)
    protocol.HELLO_SECONDS, protocol.mine, host.Layer.export = 0.1, True, lambda self, folder: (step for step in ())
    sys.excepthook = print
    del os.environ["HOME"]
    os.environ["YOUCAM_API_KEY"] = os.environ["SOMETHING"] = "of one test"
    for name, text in (("engine", "offline"), ("result", "mask"), ("clean_edges", "false"), ("hide_original", "false")):
        k.writeSetting("layerlift", name, text)
    QtWidgets.QApplication.clipboard().setText("copied")
    k.action("KritaTransform/KisToolMove").trigger()
    k.action("layerlift_settings").trigger()
    later(QtWidgets.QMessageBox(QtWidgets.QMessageBox.Icon.Warning, "Asked", "Modal?").exec)
    menu = k.activeWindow().qwindow().menuBar().actions()[0].menu()
    yield lambda: QtWidgets.QApplication.activeModalWidget() is not None
    # The box that opens meanwhile closes the menu.
    yield lambda: menu.isVisible() or menu.popup(QtCore.QPoint(50, 50))


def test_what_a_test_leaves_behind_is_gone_for_the_next(krita: Krita, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita.add_layerlift(home, twin)
        setup = krita.resources / "pykrita/layerlift/worker.json"
        with krita.window() as window:
            before, process = window.run(seen), window.process.pid
            assert before["settings"] == ["auto", "alpha", True, True]
            assert (before["documents"], before["shown"]) == ([], [])
        with krita.window() as window:
            window.run(leave_much)
            setup.write_text("broken")
        gate.touch()
        nothing_is_left(home)
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            assert window.run(seen) == before
            assert window.process.pid == process
        assert "python" in setup.read_text()


def test_a_worker_that_a_test_leaves_behind_ends_with_it(residence: Residence, home: Path, gate: Path) -> None:
    with Twin(held(gate)) as twin:
        krita = residence.krita()
        krita.add_layerlift(home, twin)
        with krita.window() as window:
            window.run(start)
        assert workers_of(home)
        krita.leave()
        wait_for(lambda: not workers_of(home), "the worker to end")
        gate.touch()


def start() -> Any:
    """Runs inside Krita: a removal that the service has begun with."""
    from removals import at, remove, subject

    yield from subject(300, 200)
    remove()
    yield at("Waiting")


def spoil(krita: ResidentKrita, how: str) -> None:
    with krita.window() as window:
        if how == "failed":
            raise ZeroDivisionError
        window.process.kill()
        window.process.wait()


@pytest.mark.krita("5.1", why="that a process is started is the same in all")
def test_a_krita_that_dies_or_that_a_test_fails_in_is_told_and_the_next_test_gets_another(
    version: KritaVersion, krita_template: Path, tmp_path: Path
) -> None:
    residence = Residence(tmp_path / "resident", version, krita_template)
    try:
        for starts, (how, error) in enumerate((("killed", HostTimeout), ("failed", ZeroDivisionError)), 1):
            with pytest.raises(error):
                spoil(residence.krita(), how)
            assert residence.starts == starts
        with Twin(Options()) as twin:
            krita = residence.krita()
            krita.add_layerlift(tmp_path / "state", twin)
            with krita.window() as window:
                found = window.run(seen)
            assert (found["documents"], found["environment"]["YOUCAM_API_KEY"]) == ([], twin.key)
        assert residence.krita() is krita
        # Also what was there at its start is of the test that it was started for.
        with krita.window() as window:
            assert not [name for name in window.run(seen)["environment"] if name.startswith("YOUCAM")]
        assert residence.starts == 3
    finally:
        residence.end()
