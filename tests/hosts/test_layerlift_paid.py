"""What was paid for in a real GIMP is delivered, whatever dies, and never paid for twice."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Fault, Options, Twin

from .gimp import Gimp
from .layerlift_in_gimp import (
    HERE,
    PHOTO,
    attempt,
    describe,
    install,
    noted,
    start_from_the_dialog,
    window_with_the_photo,
)
from .window import count_images, wait_for
from .workers import workers_of

DELIVERED = ["", [True, False], 1]
UNPAID = "Cancelled: nothing was paid for. Nothing was changed."
PAID = "Cancelled: it may cost 1 unit; the result is kept, and is free the next time. Nothing was changed."
# Leaves what the user is told in a file.
NOTED = """
import os

def noted(text, show=gimp.message):
    with open(os.path.join(os.environ["LAYERLIFT_DRIVER_FOLDER"], "told.txt"), "w") as file:
        file.write(text)
    show(text)

gimp.message = noted
"""


@pytest.fixture
def noting(gimp_on_a_screen: Gimp) -> Iterator[Gimp]:
    """A GIMP whose plug-in also notes what it tells."""
    with noted(gimp_on_a_screen, "supervision.py", NOTED) as gimp:
        yield gimp


def told(gimp: Gimp) -> str:
    """What the user is told; GIMP shows a line in the status bar."""
    file = gimp.folder / "told.txt"
    return str(wait_for(lambda: file.exists() and file.read_text(), "the user to be told"))


def test_the_same_layer_a_second_time_is_free(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        assert gimp.python(attempt, str(PHOTO), 1) == DELIVERED
        sent = len(twin.calls("declare", "upload", "run", "poll", "download"))
        assert gimp.python(attempt, str(PHOTO), 1) == DELIVERED
        assert len(twin.calls("declare", "upload", "run", "poll", "download")) == sent
        assert twin.charged == 1


def run_on_both(folder: str, path: str) -> Any:
    """Runs inside GIMP: on a layer, and when the file was saved and both layers were renamed and dragged to another
    image, on the cut-out and on the original, as it was and painted on; what is said, and how many layers there are."""
    import sys

    sys.path.insert(0, folder)
    import pile

    found = []

    def run(image: Any, layer: Any, again: bool = False) -> None:
        try:
            if again:
                pdb.python_fu_layerlift_again(image, layer, 0, True, False)
            else:
                pdb.python_fu_layerlift(image, layer, 0, True, False, 1)
            said = ""
        except RuntimeError as error:
            said = str(error)
        found.append([said, len(image.layers)])

    image = pile.photo(0)
    run(image, image.layers[0])
    pdb.gimp_xcf_save(0, image, image.layers[0], path, path)
    image = pdb.gimp_image_duplicate(pdb.gimp_file_load(path, path))
    cutout, original = image.layers
    cutout.name, original.name = "dog", "dog cut-out"
    run(image, cutout)
    run(image, original)
    pile.blacken(image, original, 80, 20)
    run(image, original)
    other = pile.photo(1)
    other.insert_layer(pdb.gimp_layer_new_from_drawable(cutout, other))
    run(other, other.layers[0])
    other.layers[1].name = "dog cut-out"
    run(other, other.layers[1])
    run(image, cutout, True)
    return found


def test_a_cut_out_of_a_cut_out_or_of_its_original_costs_nothing_unasked(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        refused = (
            "This layer already has a cut-out, or is one. "
            "To remove its background anyway, call 'python-fu-layerlift-again'."
        )
        assert gimp.python(run_on_both, HERE, str(tmp_path / "photo.xcf")) == [
            ["", 2], [refused, 2], ["", 3], [refused, 3], [refused, 2], ["", 3], ["", 4],
        ]  # fmt: skip
        # Over white, the black cut-out is what the original was.
        assert twin.charged == 2


@pytest.mark.parametrize("how", ["cancel", "kill"])
def test_a_task_that_runs_is_fetched_in_the_background_when_gimp_lets_go(
    noting: Gimp, tmp_path: Path, how: str
) -> None:
    gimp, home = noting, tmp_path / "state"
    with Twin(Options(run_seconds=6.0, poll_within_seconds=2.0)) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("poll"), "the first poll")
            if how == "cancel":
                window.click(*gimp.version.cancel_button)
                assert told(gimp) == PAID
                wait_for(lambda: not list((home / "work").glob("*/*")), "the pixels to go")
                assert window.python(describe) == [["astronaut.jpg", True]]
                assert window.python(count_images) == 1
            else:
                window.kill()
            wait_for(lambda: twin.delivered == 1, "the result to be fetched")
            wait_for(lambda: not workers_of(home), "the worker to end by itself")
        assert not list((home / "work").glob("*/*"))
        assert gimp.python(attempt, str(PHOTO), 1) == DELIVERED
        assert (twin.charged, twin.late_polls, len(twin.calls("run"))) == (1, 0, 1)


def test_a_cancel_before_anything_is_paid_stops_at_once(noting: Gimp, tmp_path: Path) -> None:
    gimp, home = noting, tmp_path / "state"
    with Twin(Options(faults=(Fault("upload", "hang", seconds=300.0),))) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("declare"), "the declaration")
            window.click(*gimp.version.cancel_button)
            assert told(gimp) == UNPAID
            wait_for(lambda: not workers_of(home), "the worker to end")
            assert not list((home / "work").glob("*/*"))
            assert window.python(describe) == [["astronaut.jpg", True]]
        assert not twin.calls("run")


def test_an_unclear_start_is_told_and_not_paid_again_without_a_word(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options(faults=(Fault("run", "reset_before"),))) as twin:
        install(gimp, tmp_path / "state", twin)
        said, visible, images = gimp.python(attempt, str(PHOTO), 1)
        assert "may have" in said
        assert (visible, images) == ([True], 1)
        said, _, _ = gimp.python(attempt, str(PHOTO), 1)
        assert "python-fu-layerlift-again" in said
        assert len(twin.calls("run")) == 1
        assert gimp.python(attempt, str(PHOTO), None) == DELIVERED
        assert (twin.charged, len(twin.calls("run"))) == (1, 2)
