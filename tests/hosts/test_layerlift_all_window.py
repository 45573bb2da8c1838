"""All open images at once, as a user meets it in a window: the question, the progress, the summary, and undo."""

# ruff: noqa: F821 - bodies run inside GIMP

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin, luma_key

from .gimp import Gimp
from .layerlift_in_gimp import HERE, install, noted, pile_up_and_run, window_with_the_photo
from .window import Window, wait_for
from .workers import workers_of

DIALOG, ASKED, TOLD = "Run on All Open Images", "Remove Backgrounds\\?", "GIMP Message|Error"
# Leaves what the user is asked and told in files.
NOTED = """
import os

def noted(make, name):
    def note(*values):
        text = make(*values)
        with open(os.path.join(os.environ["LAYERLIFT_DRIVER_FOLDER"], name), "w") as file:
            file.write(text)
        return text
    return note

question, Summary.text = noted(question, "asked.txt"), noted(Summary.text, "told.txt")
"""


class Gate:
    """An engine that lets no task end while the gate is closed."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    def __call__(self, picture: bytes) -> bytes:
        self._open.wait(120)
        return luma_key(picture)

    @contextmanager
    def closed(self) -> Iterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


def pile_up(folder: str, names: list[str]) -> Any:
    """Runs inside GIMP."""
    import sys

    sys.path.insert(0, folder)
    import pile

    return pile.pile(names, shown=True)


def call(folder: str, name: str, *values: Any) -> Any:
    """Runs inside GIMP: a function of pile.py."""
    import sys

    sys.path.insert(0, folder)
    import pile

    return getattr(pile, name)(*values)


@pytest.fixture
def noting(gimp_on_a_screen: Gimp) -> Iterator[Gimp]:
    """A GIMP whose plug-in also notes what it asks and tells."""
    with noted(gimp_on_a_screen, "common/words.py", NOTED) as gimp:
        yield gimp


def ask(window: Window) -> str:
    """Start it and choose nothing; returns the window of the question."""
    window.dismiss("alt+o", window.summon("ctrl+shift+F9", DIALOG))
    return window.wait_for(ASKED)


def text(gimp: Gimp, name: str) -> list[str]:
    """The lines of what the user was asked or told."""
    path = gimp.folder / f"{name}.txt"
    return [line for line in path.read_text().splitlines() if line] if path.exists() else []


def test_the_user_is_asked_sees_it_move_is_told_and_undoes_each_image(noting: Gimp, tmp_path: Path) -> None:
    gimp = noting
    kinds = ["rgb_8", "rgb_16", "rgb_float", "gray", "indexed", "masked", "grouped", "channel", "white", "paid"]
    gate = Gate()
    with Twin(Options(engine=gate, units=20, rate=(10_000, 1.0))) as twin:
        install(gimp, tmp_path / "state", twin)
        with gimp.window() as window:
            window.python(pile_up, HERE, kinds)

            def look() -> Any:
                return window.python(call, HERE, "look")

            before = look()
            asked = ask(window)
            window.screenshot(tmp_path / "asked.png")
            assert text(gimp, "asked") == [
                "Remove the background of 9 pictures?",
                "Already paid for (free): 1 of 9.",
                "To be uploaded to 127.0.0.1: 8 of 9.",
                "Cost: up to 8 units. Balance: 19 units.",
                "Left out:",
                "channel.xcf: A channel has no background. Choose a layer.",
            ]
            window.dismiss("Escape", asked)
            assert window.python(call, HERE, "look") == before
            assert twin.charged == 1
            asked = ask(window)
            with gate.closed():
                window.dismiss("alt+r", asked)
                wait_for(lambda: len(twin.calls("run")) == 9, "all to run")
                window.screenshot(tmp_path / "progress.png")
            told = window.wait_for(TOLD)
            window.screenshot(tmp_path / "told.png")
            window.dismiss("Escape", told)
            done, head, *failed = text(gimp, "told")
            assert done == "8 of 10 pictures done, 1 of them free (already paid for). Units used: 7. Balance: 12 units."
            assert head == "Not done:"
            assert [line.partition(":")[0] for line in failed] == ["channel.xcf", "white.xcf"]
            after = window.python(call, HERE, "look")
            assert {name for name in after if after[name] == before[name]} == {"channel.xcf", "white.xcf"}
            for name in after:
                window.python(call, HERE, "show", name)
                if after[name] != before[name]:
                    undone = window.insist(
                        lambda: window.key("ctrl+z"),
                        lambda: window.glimpse(call, HERE, "change", name, after[name]),  # noqa: B023
                        f"undo of {name}",
                    )
                    assert undone == before[name]
            assert look() == before
        assert twin.charged == 8
        assert not list((tmp_path / "state" / "work").glob("*/*"))


def test_what_is_closed_or_changed_meanwhile_is_told_and_the_rest_is_done(noting: Gimp, tmp_path: Path) -> None:
    gimp = noting
    gate = Gate()
    with Twin(Options(engine=gate, rate=(10_000, 1.0))) as twin:
        install(gimp, tmp_path / "state", twin)
        with gimp.window() as window:
            # The last one is shown, and has the progress.
            displays = window.python(pile_up, HERE, ["rgb_8", "gray", "indexed", "rgb_16"])
            with gate.closed():
                window.dismiss("alt+r", ask(window))
                wait_for(lambda: len(twin.calls("run")) == 4, "all to run")
                window.python(call, HERE, "disturb", displays)
            window.dismiss("Escape", window.wait_for(TOLD))
            after = window.python(call, HERE, "look")
        assert after["rgb_8.xcf"] == [["photo cut-out", True, [255, 0]], ["photo", False, None]]
        assert [layer[0] for layer in after["gray.xcf"]] == ["other"]
        assert [layer[:2] for layer in after["indexed.xcf"]] == [["photo", True]]
        done, _, *failed = text(gimp, "told")
        assert done == "1 of 4 pictures done. Units used: 4. Balance: 996 units."
        assert sorted(failed) == [
            "gray.xcf: The layer was deleted in the meantime. Nothing was changed.",
            "indexed.xcf: The layer's size or mode changed in the meantime. Nothing was done: run it again.",
            "rgb_16.xcf: The image was closed in the meantime.",
        ]


@pytest.mark.parametrize("how", ["cancel", "kill"])
def test_what_was_paid_when_gimp_lets_go_is_free_the_next_time(noting: Gimp, tmp_path: Path, how: str) -> None:
    gimp, home = noting, tmp_path / "state"
    kinds = ["rgb_8", "gray", "indexed", "paid"]
    gate = Gate()
    with Twin(Options(engine=gate, rate=(10_000, 1.0))) as twin:
        install(gimp, home, twin)
        # With the photo, its button for Cancel is where it is in the tests of a single image.
        with window_with_the_photo(gimp) as window:
            window.python(pile_up, HERE, kinds)
            before = window.python(call, HERE, "look")

            def changed(now: Any) -> bool:
                return now is not None and now["paid.xcf"] != before["paid.xcf"]

            with gate.closed():
                window.dismiss("alt+r", ask(window))
                wait_for(lambda: len(twin.calls("run")) == 5, "all to run")
                wait_for(lambda: changed(window.glimpse(call, HERE, "look")), "the free one")
                if how == "cancel":
                    window.click(*gimp.version.cancel_button)
                    box = window.wait_for(TOLD)
                    window.screenshot(tmp_path / "cancelled.png")
                    window.dismiss("Escape", box)
                    done, head, rest = text(gimp, "told")
                    free = "1 of them free (already paid for). Units used: 0."
                    assert (done, head) == (f"1 of 5 pictures done, {free}", "Not done:")
                    names, _, reason = rest.partition(": ")
                    assert set(names.split(", ")) == {"astronaut.xcf", "rgb_8.xcf", "gray.xcf", "indexed.xcf"}
                    assert reason == "Cancelled. What was paid for is kept, and is free the next time."
                    wait_for(lambda: not list((home / "work").glob("*/*")), "the pixels to go")
                    after = window.python(call, HERE, "look")
                    assert [name for name in after if after[name] != before[name]] == ["paid.xcf"]
                else:
                    window.kill()
            wait_for(lambda: twin.delivered == 5, "the results to be fetched")
            wait_for(lambda: not workers_of(home), "the worker to end by itself")
        _, said, after = gimp.python(pile_up_and_run, HERE, kinds)
        assert said == ""
        assert text(gimp, "told") == ["4 of 4 pictures done, 4 of them free (already paid for). Units used: 0."]
        assert (twin.charged, twin.late_polls, len(twin.calls("run"))) == (5, 0, 5)


@pytest.mark.gimp("3.0", "3.2", why="GIMP 2.10 has one active layer")
def test_all_selected_layers_of_an_image_come_in_one_undo_step_and_a_script_is_not_asked(
    noting: Gimp, tmp_path: Path
) -> None:
    gimp = noting
    with Twin(Options(rate=(10_000, 1.0))) as twin, gimp.window() as window:
        install(gimp, tmp_path / "state", twin)
        window.python(call, HERE, "several_layers", ["low", "white", "high"])
        before = window.python(call, HERE, "look")
        assert window.python(call, HERE, "run") == ""
        (after,) = window.python(call, HERE, "look").values()
        names = ["high cut-out", "high", "white", "low cut-out", "low", "photo"]
        assert [layer[0] for layer in after] == names
        told = text(gimp, "told")
        assert told[0] == "2 of 3 pictures done. Units used: 2."
        assert told[2].startswith("[Untitled], white: No subject")
        box = window.find(TOLD)
        if box:
            window.dismiss("Escape", box)
        window.key("ctrl+z")
        wait_for(lambda: window.glimpse(call, HERE, "look") == before, "one undo to revert the image")


def cut_out(name: str) -> None:
    """Runs inside GIMP: as a script removes the background of one image."""
    image = next(image for image in gimp.image_list() if image.name == name)
    pdb.python_fu_layerlift(image, image.active_layer, 0, True, True, 1)


def test_what_is_not_ticked_is_left_alone_and_what_is_done_is_not_ticked(noting: Gimp, tmp_path: Path) -> None:
    gimp = noting
    kinds = ["rgb_8", "rgb_16", "rgb_float", "gray", "indexed", "masked", "paid", "grouped"]
    with Twin(Options(units=20, rate=(10_000, 1.0))) as twin:
        install(gimp, tmp_path / "state", twin)
        with gimp.window() as window:
            window.python(pile_up, HERE, kinds)
            window.python(cut_out, "grouped.xcf")
            before = window.python(call, HERE, "look")
            asked = ask(window)
            assert text(gimp, "asked")[:2] == [
                "Remove the background of 7 pictures?",
                "Already paid for (free): 1 of 7.",
            ]
            # The first two, by the keyboard.
            for key in ("space", "Tab", "space"):
                window.key(key, asked)
            cost = "Cost: up to 4 units. Balance: 18 units."
            wait_for(lambda: text(gimp, "asked")[-1:] == [cost], "the cost to follow")
            assert text(gimp, "asked")[0] == "Remove the background of 5 pictures?"
            window.screenshot(tmp_path / "ticks.png")
            window.dismiss("alt+r", asked)
            done = "5 of 5 pictures done, 1 of them free (already paid for). Units used: 4. Balance: 14 units."
            wait_for(lambda: text(gimp, "told") == [done], "all to be done")
            after = window.python(call, HERE, "look")
        untouched = {name for name in after if after[name] == before[name]}
        assert untouched == {"rgb_8.xcf", "rgb_16.xcf", "grouped.xcf"}
        assert twin.charged == 6


def run_on_selected() -> Any:
    """Runs inside GIMP 3: as a script that hands over all selected layers."""
    from gi.repository import Gimp

    image = Gimp.Image.get_by_id(gimp.image_list()[0].ID)
    procedure = Gimp.get_pdb().lookup_procedure("python-fu-layerlift")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", image.get_selected_layers())
    procedure.run(config)
    return [layer.get_name() for layer in image.get_layers()]


@pytest.mark.gimp("3.0", "3.2", why="GIMP 2.10 has one active layer")
def test_selected_layers_are_asked_for_once_and_come_in_one_undo_step(noting: Gimp, tmp_path: Path) -> None:
    gimp = noting
    with Twin(Options(rate=(10_000, 1.0))) as twin, gimp.window() as window:
        install(gimp, tmp_path / "state", twin)
        window.python(call, HERE, "several_layers", ["low", "high"])
        before = window.python(call, HERE, "look")
        window.dismiss("alt+o", window.summon("F9", "Remove Background"))
        asked = window.wait_for(ASKED)
        assert text(gimp, "asked")[0] == "Remove the background of 2 pictures?"
        window.dismiss("alt+r", asked)
        done = "2 of 2 pictures done. Units used: 2. Balance: 998 units."
        wait_for(lambda: text(gimp, "told") == [done], "both to be done")
        (after,) = window.python(call, HERE, "look").values()
        assert [layer[0] for layer in after] == ["high cut-out", "high", "low cut-out", "low", "photo"]
        assert twin.charged == 2
        window.key("ctrl+z")
        wait_for(lambda: window.glimpse(call, HERE, "look") == before, "one undo to revert the image")
        assert window.python(run_on_selected) == [layer[0] for layer in after], "a script need not ask for each"
