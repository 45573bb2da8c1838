"""What goes wrong in a real GIMP is told in one sentence, and the document stays as it was."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift.store.settings import Settings
from layerlift.twin import Options, Twin

from .gimp import Gimp, copy_layerlift
from .layerlift_in_gimp import (
    CLOSED_PORT,
    DONE,
    PHOTO,
    attempt,
    describe,
    install,
    start_from_the_dialog,
    window_with_the_photo,
)
from .services import held
from .versions import Version
from .window import wait_for
from .workers import kill_workers

SETTINGS = "Filters > Remove Background > Settings"


def test_no_key_is_told_with_what_to_do(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    said, visible, images = gimp.python(attempt, str(PHOTO), 1)
    assert "No API key is set" in said
    assert (visible, images) == ([True], 1)


def test_nothing_is_uploaded_before_the_user_has_agreed(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    gimp.environment.update(YOUCAM_API_KEY="sk-" + "a" * 32, YOUCAM_API_URL="https://service.invalid")
    settings = Settings({"LAYERLIFT_HOME": str(tmp_path / "state")})
    for agreed, told in ((False, SETTINGS), (True, "can't be reached"), (False, SETTINGS)):
        settings.agree("service.invalid", agreed)
        said, visible, _ = gimp.python(attempt, str(PHOTO), 1)
        assert told in said
        assert visible == [True]


def test_behind_a_locked_keyring_nothing_is_done_offline_instead(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    gimp.environment.update(
        LAYERLIFT_HOME="", PYTHON_KEYRING_BACKEND="helpers.rings.Locked", XDG_STATE_HOME=str(tmp_path / "state")
    )
    said, visible, images = gimp.python(attempt, str(PHOTO), 0)
    assert said.startswith("The system's keyring is locked.")
    assert (visible, images) == ([True], 1)


def test_a_service_that_is_not_there_is_told(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    gimp.environment.update(YOUCAM_API_KEY="sk-" + "a" * 32, YOUCAM_API_URL=CLOSED_PORT)
    said, visible, images = gimp.python(attempt, str(PHOTO), 1)
    assert "can't be reached" in said
    assert (visible, images) == ([True], 1)


def test_a_wrong_key_is_told(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        gimp.environment["YOUCAM_API_KEY"] = "sk-" + "a" * 32
        said, visible, _ = gimp.python(attempt, str(PHOTO), 0)
        assert SETTINGS in said
        assert "aaaa" not in said
        assert visible == [True]
        assert twin.charged == 0


@pytest.fixture(scope="module")
def without_worker(version: Version, gimp_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gimp]:
    """A GIMP with the plug-in's files alone."""
    with Gimp(tmp_path_factory.mktemp("incomplete"), version, gimp_template) as gimp:
        copy_layerlift(gimp.host)
        yield gimp


@pytest.mark.parametrize("broken", ["", '{"python": "/nowhere/python"}', "not json"])
def test_a_missing_worker_says_how_to_set_it_up(without_worker: Gimp, broken: str) -> None:
    worker = without_worker.profile / "plug-ins" / "layerlift" / "worker.json"
    worker.unlink(missing_ok=True)
    if broken:
        worker.write_text(broken)
    said, visible, images = without_worker.python(attempt, str(PHOTO), 2)
    assert "python3 install.py" in said
    assert (visible, images) == ([True], 1)


def test_an_error_is_on_standard_error_when_there_is_no_window(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    path = json.dumps(str(PHOTO))
    if gimp.version.name == "2.10":
        image = f"(car (gimp-file-load RUN-NONINTERACTIVE {path} {path}))"
        layer = "(car (gimp-image-get-active-layer image))"
        values = {"image": "image", "drawable": layer, "result": "0", "clean": "0", "hide": "0", "engine": "1"}
    else:
        image = f"(car (gimp-file-load RUN-NONINTERACTIVE {path}))"
        values = {"image": "image", "drawables": "(car (gimp-image-get-layers image))", "engine": '"youcam-service"'}
    run = gimp.batch(f"(let* ((image {image})) {gimp.call('python-fu-layerlift', **values)})")
    assert "No API key is set" in run.stdout + run.stderr


def test_paths_with_spaces_and_letters_of_any_kind_work(gimp: Gimp, tmp_path: Path) -> None:
    photo = tmp_path / "\u00e4 photo \u2713.jpg"
    shutil.copy(PHOTO, photo)
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "st\u00e4te folder", twin)
        assert gimp.python(attempt, str(photo), 0) == ["", [True, False], 1]


def test_the_offline_engine_does_it_without_a_key(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    assert gimp.python(attempt, str(PHOTO), 0) == ["", [True, False], 1]


def test_a_killed_worker_is_told_and_another_one_goes_on_with_what_was_paid(
    gimp_on_a_screen: Gimp, tmp_path: Path
) -> None:
    gimp, home, gate = gimp_on_a_screen, tmp_path / "state", tmp_path / "gate"
    with Twin(held(gate)) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("poll"), "the first poll")
            kill_workers(home)
            box = window.wait_for("^Remove Background$")
            window.screenshot(tmp_path / "killed.png")
            assert window.python(describe) == [["astronaut.jpg", True]]
            gate.touch()
            window.dismiss("alt+t", box)
            wait_for(lambda: window.glimpse(describe) == DONE, "the new layer")
        assert (twin.charged, len(twin.calls("run"))) == (1, 1)


def test_a_document_that_is_closed_meanwhile_is_told(gimp_on_a_screen: Gimp, tmp_path: Path) -> None:
    gimp, home = gimp_on_a_screen, tmp_path / "state"
    with Twin(Options(run_seconds=3.0)) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("poll"), "the first poll")

            def delete_the_layer() -> None:
                image = gimp.image_list()[0]
                image.insert_layer(pdb.gimp_layer_new(image, 9, 9, RGB_IMAGE, "other", 100, LAYER_MODE_NORMAL))
                image.remove_layer(image.layers[1])

            window.python(delete_the_layer)
            box = window.wait_for("GIMP Message|Error")
            window.dismiss("Escape", box)
            assert window.python(describe) == [["other", True]]


def test_what_is_gone_meanwhile_is_called_by_its_name(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")

    def body() -> Any:
        import sys
        from pathlib import Path

        import gimpfu

        sys.path.insert(0, str(Path(gimpfu.__file__).parents[2] / "layerlift"))
        from cutout import CutOut

        told = []
        for gone in ("layer", "image"):
            image = gimp.Image(64, 48, RGB)
            for name in ("other", "photo"):
                image.insert_layer(gimp.Layer(image, name, 64, 48, RGB_IMAGE, 100.0, LAYER_MODE_NORMAL))
            cutout = CutOut(image, image.layers[0])
            if gone == "layer":
                image.remove_layer(image.layers[0])
            else:
                gimp.delete(image)
            try:
                cutout.check_unchanged()
            except RuntimeError as error:
                told.append(str(error))
        return told

    assert gimp.python(body) == [
        "The layer was deleted in the meantime. Nothing was changed.",
        "The image was closed in the meantime.",
    ]
