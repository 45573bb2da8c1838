"""All open images at once, in a real GIMP without a window: twelve of all kinds, and what can go wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin

from .gimp import Gimp, Host
from .layerlift_in_gimp import CLOSED_PORT, HERE, install, pile_up_and_run

KINDS = (
    *("rgb_8", "rgb_16", "rgb_float", "gray", "indexed", "masked", "grouped", "text"),
    *("channel", "white", "huge", "paid"),
)
REFUSED = {"channel": "A channel has no background", "white": "No subject was found"}
WORKED_ON = [kind for kind in KINDS if kind not in REFUSED]


def summary(gimp: Gimp) -> str:
    """What GIMP was told to tell the user at last, in one line."""
    told = re.findall(r"\d+ of \d+ pictures? done.*", gimp.stderr, re.DOTALL)
    return " ".join(told[-1].split()) if told else ""


@pytest.fixture(scope="module")
def outcome(resident: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of one image of each kind."""
    folder = tmp_path_factory.mktemp("all")
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        gimp = Gimp(folder, resident.version, host=resident)
        install(gimp, folder / "state", twin)
        before, said, after = gimp.python(pile_up_and_run, HERE, KINDS, timeout=300)
        return {
            "before": before, "said": said, "after": after, "summary": summary(gimp), "charged": twin.charged,
            "runs": len(twin.calls("run")), "late": twin.late_polls,
            "left": [str(path) for path in (folder / "state" / "work").glob("*/*")],
        }  # fmt: skip


@pytest.mark.table("cut out")
@pytest.mark.parametrize("name", WORKED_ON)
def test_every_kind_of_image_gets_its_new_layer(outcome: dict[str, Any], name: str) -> None:
    before, after = (outcome[when][f"{name}.xcf"] for when in ("before", "after"))
    original = before[-1][0]
    assert [layer[:2] for layer in after[-2:]] == [[f"{original} cut-out", True], [original, False]]
    assert len(after) == len(before) + 1
    assert name == "text" or after[-2][2] == [255, 0]


@pytest.mark.table("refused, and told")
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_cut_out_stays_as_it_is_and_is_told_by_its_name(outcome: dict[str, Any], name: str) -> None:
    assert outcome["after"][f"{name}.xcf"] == outcome["before"][f"{name}.xcf"]
    assert f"{name}.xcf: {REFUSED[name]}" in outcome["summary"]


def test_the_summary_counts_what_is_done_and_what_it_has_cost(outcome: dict[str, Any]) -> None:
    done = "10 of 12 pictures done, 1 of them free (already paid for). Units used: 9. Not done:"
    assert outcome["said"] == ""
    assert outcome["summary"].startswith(done)
    # One of them was paid for before; a picture without a subject is asked for, and is free.
    assert (outcome["charged"], outcome["runs"], outcome["late"]) == (10, 11, 0)
    assert outcome["left"] == []


def test_an_account_that_is_empty_in_the_middle_ends_it_and_the_rest_is_told(gimp: Gimp, tmp_path: Path) -> None:
    names = ["rgb_8", "rgb_16", "gray", "indexed"]
    with Twin(Options(units=2)) as twin:
        install(gimp, tmp_path / "state", twin)
        before, said, after = gimp.python(pile_up_and_run, HERE, names)
        done = [name for name in after if after[name] != before[name]]
        assert said == ""
        assert (len(done), twin.charged) == (2, 2)
        told = summary(gimp)
        assert told.startswith("2 of 4 pictures done. Units used: 2. Not done:")
        assert all(name in told for name in after if name not in done)
        _, said, after = gimp.python(pile_up_and_run, HERE, names)
        assert summary(gimp).startswith("2 of 4 pictures done, 2 of them free"), "what was paid for is free"
        assert twin.charged == 2


def run_twice(folder: str) -> Any:
    """Runs inside GIMP: over two images, then over these and a third, with the originals active, and the cut-outs; they
    have other names by then."""
    import sys

    sys.path.insert(0, folder)
    import pile
    from gimpfu import gimp

    pile.pile(["rgb_8", "grouped"])
    first = pile.run()
    for image in gimp.image_list():
        for number, layer in enumerate(pile.flat(image.layers)):
            layer.name = f"dog {number}"
    once = pile.look()
    found = []
    for number in (0, 1):
        for image in gimp.image_list():
            place = image.layers[0] if image.name == "grouped.xcf" else image
            image.active_layer = place.layers[number]
        if not number:
            pile.pile(["large"])
        found.append(pile.run())
    return first, once, found, pile.look()


def test_what_has_its_cut_out_is_left_alone_when_all_is_run_again(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        first, once, found, after = gimp.python(run_twice, HERE)
        assert (first, found[0]) == ("", "")
        left = "This layer already has a cut-out, or is one."
        assert (
            found[1] == f"0 of 3 pictures done. Units used: 0.\n\nNot done:\nrgb_8.xcf, grouped.xcf, large.xcf: {left}"
        )
        assert {name: after[name] for name in once} == once
        assert [layer[0] for layer in after["large.xcf"]] == ["photo cut-out", "photo"]
        assert twin.charged == 3


def run_in_turn(folder: str) -> Any:
    """Runs inside GIMP: without an image, then with one."""
    import sys

    sys.path.insert(0, folder)
    import pile

    said = pile.run()
    pile.pile(["rgb_8"])
    return said, pile.run(), pile.look()


UNTOUCHED = {"rgb_8.xcf": [["photo", True, None]]}


def test_what_concerns_all_is_told_as_for_a_single_image(gimp: Gimp, tmp_path: Path) -> None:
    install(gimp, tmp_path / "state")
    none, no_key, layers = gimp.python(run_in_turn, HERE)
    assert none == "No image is open."
    assert no_key.startswith("No API key is set")
    assert layers == UNTOUCHED
    gimp.environment.update(YOUCAM_API_KEY="sk-" + "a" * 32, YOUCAM_API_URL="https://service.invalid")
    _, not_agreed, layers = gimp.python(run_in_turn, HERE)
    assert "Filters > Remove Background > Settings" in not_agreed
    gimp.environment["YOUCAM_API_URL"] = CLOSED_PORT
    _, unreachable, layers = gimp.python(run_in_turn, HERE)
    assert "can't be reached" in unreachable
    assert layers == UNTOUCHED


def run_without_room(folder: str) -> Any:
    """Runs inside GIMP, and lets it and all that it starts write small files alone, as on a disk that is full."""
    import os
    import resource
    import sys

    sys.path.insert(0, folder)
    import pile

    pile.pile(["rgb_8", "large"])
    resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (2**20, 2**20))
    return pile.run(), pile.look()


@pytest.mark.own_process("this GIMP can't write large files any longer")
def test_a_full_disk_is_told_before_anything_is_paid(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        said, layers = gimp.python(run_without_room, HERE)
        assert re.match(r"The layer can't be written to .* \(File too large\). Check free space", said)
        assert layers == {**UNTOUCHED, "large.xcf": [["photo", True, None]]}
        assert twin.charged == 0


def test_script_fu_runs_it_without_a_question(gimp: Gimp, tmp_path: Path) -> None:
    new = "(gimp-image-new 64 48 RGB)"
    layer = {"2.10": '(gimp-layer-new image 64 48 RGB-IMAGE "photo" 100 LAYER-MODE-NORMAL)'}
    made = layer.get(gimp.version.name, '(gimp-layer-new image "photo" 64 48 RGB-IMAGE 100 LAYER-MODE-NORMAL)')
    values = {"result": "0", "clean-edges": "1", "hide-original": "0", "engine": "1"}
    if gimp.version.name != "2.10":
        values = {"hide-original": "FALSE", "engine": '"youcam-service"'}
    call = gimp.version.call("python-fu-layerlift-all", **values)
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        gimp.script_fu(
            f"(let* ((image (car {new})) (layer (car {made}))) (gimp-image-insert-layer image layer 0 -1)"
            f" (gimp-drawable-fill layer FILL-FOREGROUND) {call})"
        )
        assert summary(gimp).startswith("1 of 1 picture done. Units used: 1.")
        assert "[Untitled]" in summary(gimp), "all of it is black: the whole picture was kept, which is told"
        assert twin.charged == 1
