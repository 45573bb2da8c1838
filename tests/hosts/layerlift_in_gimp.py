"""Layerlift's plug-in in a GIMP of the tests: with a service, on the photo, from its dialog."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from layerlift.twin import Twin

from .gimp import Gimp, add_layerlift
from .services import account_of
from .window import Window, count_images, wait_for

HERE = str(Path(__file__).resolve().parent)
PHOTO = Path(__file__).resolve().parents[1] / "photos" / "astronaut.jpg"
DONE = [["astronaut.jpg cut-out", True], ["astronaut.jpg", False]]
"""What `describe` tells once the photo has its cut-out."""
CLOSED_PORT = "http://127.0.0.1:9"
"""The address of a service that is not there."""


def install(gimp: Gimp, home: Path, twin: Twin | None = None) -> None:
    """The plug-in, with a state folder of its own, and a service in place of the offline engine."""
    if not gimp.is_shared:
        add_layerlift(gimp.host)
    gimp.environment["LAYERLIFT_HOME"] = str(home)
    if twin is not None:
        gimp.environment.update(account_of(twin))


@contextmanager
def noted(gimp: Gimp, module: str, code: str) -> Iterator[Gimp]:
    """GIMP whose plug-in runs some more code at the end of one of its modules, as to leave in files what it tells."""
    path = gimp.profile / "plug-ins" / "layerlift" / module
    shipped = path.read_text()
    path.write_text(shipped + code)
    yield gimp
    path.write_text(shipped)


def attempt(path: str, engine: int | None) -> Any:
    """Runs inside GIMP: what the plug-in says, and whether the image is as it was; without an engine, the service may
    be paid again."""
    image = pdb.gimp_file_load(path, path)
    try:
        if engine is None:
            pdb.python_fu_layerlift_again(image, image.active_layer, 0, True, True)
        else:
            pdb.python_fu_layerlift(image, image.active_layer, 0, True, True, engine)
        said = ""
    except RuntimeError as error:
        said = str(error)
    return said, [layer.visible for layer in image.layers], len(gimp.image_list())


def pile_up_and_run(folder: str, names: list[str]) -> Any:
    """Runs inside GIMP: images of these kinds (see pile.py) before, what the plug-in says of all, and images after."""
    import sys

    sys.path.insert(0, folder)
    import pile

    pile.pile(names)
    before = pile.look()
    return before, pile.run(), pile.look()


@contextmanager
def window_with_the_photo(gimp: Gimp) -> Iterator[Window]:
    """GIMP with the photo open."""
    with gimp.window(str(PHOTO)) as window:
        window.wait_for("astronaut")
        wait_for(lambda: window.python(count_images), "the photo")
        yield window


def start_from_the_dialog(window: Window) -> None:
    """Remove the background of the image that is shown."""
    window.dismiss("alt+o", window.summon("F9", "Remove Background"))


def describe() -> Any:
    """Runs inside GIMP: the layers of the last image."""
    image = gimp.image_list()[0]
    return [[layer.name, layer.visible] for layer in image.layers]
