"""What was paid for in a real GIMP is delivered, whatever dies, and never paid for twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from layerlift.offline import Fault, Options, Twin

from .gimp import Gimp
from .layerlift_in_gimp import (
    PHOTO,
    attempt,
    describe,
    install,
    start_from_the_dialog,
    window_with_the_photo,
)
from .window import count_images, wait_for
from .workers import workers_of

DELIVERED = ["", [True, False], 1]


def test_the_same_layer_a_second_time_is_free(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        assert gimp.python(attempt, str(PHOTO), 1) == DELIVERED
        sent = len(twin.calls("declare", "upload", "run", "poll", "download"))
        assert gimp.python(attempt, str(PHOTO), 1) == DELIVERED
        assert len(twin.calls("declare", "upload", "run", "poll", "download")) == sent
        assert twin.charged == 1


@pytest.mark.parametrize("how", ["cancel", "kill"])
def test_a_task_that_runs_is_fetched_in_the_background_when_gimp_lets_go(
    gimp_on_a_screen: Gimp, tmp_path: Path, how: str
) -> None:
    gimp, home = gimp_on_a_screen, tmp_path / "state"
    with Twin(Options(run_seconds=6.0, poll_within_seconds=2.0)) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("poll"), "the first poll")
            if how == "cancel":
                window.click(*gimp.version.cancel_button)
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


def test_a_cancel_before_anything_is_paid_stops_at_once(gimp_on_a_screen: Gimp, tmp_path: Path) -> None:
    gimp, home = gimp_on_a_screen, tmp_path / "state"
    with Twin(Options(faults=(Fault("upload", "hang", seconds=300.0),))) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("declare"), "the declaration")
            window.click(*gimp.version.cancel_button)
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
        assert "pay again" in said
        assert len(twin.calls("run")) == 1
        assert gimp.python(attempt, str(PHOTO), 3) == DELIVERED
        assert (twin.charged, len(twin.calls("run"))) == (1, 2)
