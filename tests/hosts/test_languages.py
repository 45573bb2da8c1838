"""Another language in real hosts: each follows the host's own setting, and so does the worker's part."""

# ruff: noqa: F821 - bodies run inside GIMP, or Krita
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Fault, Options, Twin

from .gimp import Gimp
from .krita import Krita
from .layerlift_in_gimp import describe, install, window_with_the_photo
from .window import wait_for

REMOVE = "Hintergrund entfernen"
NOT_ACTIVE = "Dieser API-Schlüssel ist nicht aktiv"


def labels() -> Any:
    """Runs inside GIMP: what GIMP 3 has in the menu, and what its scripts call the engine."""
    if gimp.version < (3, 0):
        return None
    from gi.repository import Gimp

    procedure = Gimp.get_pdb().lookup_procedure("python-fu-layerlift")
    config = procedure.create_config()
    return procedure.get_menu_label(), procedure.get_menu_paths(), config.get_property("engine")


@pytest.mark.gimp("2.10", "3.2", why="the shim translates for GIMP 3.0 as for 3.2")
@pytest.mark.own_process("GIMP reads its language when it starts")
def test_gimp_and_the_worker_speak_the_language_that_is_set_in_gimp(
    gimp_on_a_screen: Gimp, home: Path, tmp_path: Path
) -> None:
    gimp = gimp_on_a_screen
    with Twin(Options(faults=(Fault("declare", "401", code="InactiveApiKey"),))) as twin:
        install(gimp, home, twin)
        with (gimp.profile / "gimprc").open("a", encoding="utf-8") as settings:
            settings.write('(language "de")\n')
        with window_with_the_photo(gimp) as window:
            # The words of scripts are the same in all languages.
            assert window.python(labels) in (None, [f"_{REMOVE}...", [f"<Image>/Filters/{REMOVE}"], "automatic"])
            dialog = window.summon("F9", REMOVE)
            window.screenshot(tmp_path / "dialog.png")
            window.dismiss("alt+o", dialog)
            box = window.wait_for(f"^{REMOVE}$")
            window.screenshot(tmp_path / "error.png")
            window.dismiss("Escape", box)
            # The next one is not met by the fault.
            window.dismiss("alt+o", window.summon("F9", REMOVE))
            done = [["astronaut.jpg-Freisteller", True], ["astronaut.jpg", False]]
            wait_for(lambda: window.glimpse(describe) == done, "the new layer")


def in_german() -> Any:
    """Runs inside Krita: the menu, an error of the service, what is said at the end, and the layers."""
    from removals import SAID, box, is_over, listen, remove, subject

    listen()
    entry, first = k.action("layerlift_menu").text(), k.action("layerlift_remove").text()
    document = yield from subject(300, 200)
    k.writeSetting("layerlift", "engine", "youcam")
    remove()
    yield lambda: is_over() and box() is not None
    text = box().text()
    box().close()
    remove()
    yield lambda: len(document.topLevelNodes()) == 2 and is_over()
    return entry, first.replace("&", ""), text, SAID, [node.name() for node in document.topLevelNodes()]


@pytest.mark.krita("5.1", "6.0", why="the language is asked of each Qt")
@pytest.mark.own_process("Krita reads its language when it starts")
def test_krita_and_the_worker_speak_the_language_that_is_set_in_krita(krita: Krita, home: Path, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("declare", "401", code="InactiveApiKey"),))) as twin:
        krita.add_layerlift(home, twin)
        krita.kritarc.with_name("klanguageoverridesrc").write_text("[Language]\nkrita=de\n")
        with krita.window() as window:
            entry, first, text, said, names = window.run(in_german)
            window.screenshot(tmp_path / "window.png")
    assert (entry, first) == (REMOVE, "Hintergrund der Ebene entfernen")
    assert NOT_ACTIVE in text
    (line,) = said
    assert line == "Hintergrund von \u201etest\u201c entfernt: YouCam, 1 Einheit, noch 999 \u00fcbrig."
    assert names == ["Background", "Background-Freisteller"]
