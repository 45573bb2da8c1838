"""The service's other tasks in a real GIMP: which layers come of them, where, and what they cost."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin
from layerlift.twin.pictures import color

from .gimp import Gimp
from .hearing import NOTED, heard, wait_to_hear
from .layerlift_in_gimp import HERE, install, noted, window_with_the_photo
from .profiles import swapped_profile
from .window import wait_for
from .workers import workers_of

WIDTH, HEIGHT = 64, 48
BLACK, WHITE = [0, 0, 0, 255], [255, 255, 255, 255]


@pytest.fixture
def twin() -> Iterator[Twin]:
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        yield twin


@pytest.fixture
def ready(gimp: Gimp, home: Path, twin: Twin) -> Gimp:
    """A GIMP with the plug-in, and the service behind it."""
    install(gimp, home, twin)
    return gimp


@pytest.fixture
def noting(gimp_on_a_screen: Gimp) -> Iterator[Gimp]:
    """A GIMP whose plug-in also notes what it says."""
    with noted(gimp_on_a_screen, "gimpfu/__init__.py", NOTED) as gimp:
        yield gimp


def near(found: list[int], wanted: Any, most: int = 12) -> bool:
    return len(found) >= len(wanted) and all(abs(one - other) <= most for one, other in zip(found, wanted))


def enhance(folder: str) -> Any:
    """Runs inside GIMP: at the layer's size, once more, and at the result's own."""
    import sys

    sys.path.insert(0, folder)
    import task_scenes as scenes

    image = scenes.scene()
    layer = image.layers[0]
    said = [scenes.go_on(image, layer, "enhance", "scale=2") for _ in range(2)]
    before = scenes.look(image)
    said.append(scenes.go_on(image, layer, "enhance", "scale=2", True))
    return said, before, scenes.look(image), [image.width, image.height]


def test_a_result_is_a_layer_above_as_large_as_its_own_or_the_image_grows_and_all_is_paid_for_once(
    ready: Gimp, twin: Twin
) -> None:
    said, before, after, size = ready.python(enhance, HERE)
    assert said == ["", "", ""]
    names = ["photo (Enhance)", "photo (Enhance) #1", "photo"]
    assert [layer[0] for layer in before] == names
    assert all(layer[1:3] == [[WIDTH, HEIGHT], [6, 4]] for layer in before)
    assert all(near(layer[3], BLACK[:3]) and near(layer[4], WHITE[:3]) for layer in before)
    assert size == [2 * (WIDTH + 10), 2 * (HEIGHT + 10)]
    assert [layer[0] for layer in after] == [*names[:2], "photo (Enhance) #2", "photo"], "right above the layer"
    assert all(layer[1:3] == [[2 * WIDTH, 2 * HEIGHT], [12, 8]] for layer in after)
    assert (twin.charged, len(twin.calls("run"))) == (1, 1)


def plates(folder: str) -> Any:
    """Runs inside GIMP: without a cut-out, then from the cut-out, which hides some by a mask, and from the original."""
    import sys

    sys.path.insert(0, folder)
    import task_scenes as scenes

    image = scenes.scene()
    layer = image.layers[0]
    said = [scenes.attempt(lambda: pdb.python_fu_layerlift_clean_plate(image, layer))]
    cutout = scenes.cut_out(image, layer, 1)
    for chosen in (cutout, layer):
        said.append(scenes.attempt(lambda: pdb.python_fu_layerlift_clean_plate(image, chosen)))  # noqa: B023
    return said, scenes.look(image)


def test_a_clean_plate_is_the_original_without_its_subject_right_beneath_the_cut_out(ready: Gimp, twin: Twin) -> None:
    said, layers = ready.python(plates, HERE)
    assert said == ["Choose a cut-out, or a layer that has one. 'Remove Background' makes it.", "", ""]
    names = ["photo cut-out", "photo clean plate #1", "photo clean plate", "photo"]
    assert [layer[0] for layer in layers] == names
    for plate in layers[1:3]:
        assert plate[1:3] == [[WIDTH, HEIGHT], [6, 4]]
        assert near(plate[3], WHITE) and near(plate[4], WHITE), "the subject is gone"
    assert twin.charged == 2, "the removal, and the plate once"


def backgrounds(folder: str, template: str) -> Any:
    """Runs inside GIMP: without alpha, then in a group beneath a cut-out, by a template and by a text."""
    import sys

    sys.path.insert(0, folder)
    import task_scenes as scenes

    image = scenes.scene()
    layer = image.layers[0]
    said = [scenes.attempt(lambda: pdb.python_fu_layerlift_new_background(image, layer, "a beach", ""))]
    group = pdb.gimp_layer_group_new(image)
    image.insert_layer(group)
    cutout = scenes.cut_out(image, layer)
    pdb.gimp_image_reorder_item(image, cutout, group, 0)
    before = scenes.look_at(cutout)
    for chosen, prompt, named in ((layer, "", template), (cutout, "a beach, at dawn", ""), (cutout, "", "")):
        said.append(
            scenes.attempt(lambda: pdb.python_fu_layerlift_new_background(image, chosen, prompt, named))  # noqa: B023
        )
    return said, before, [scenes.look_at(one) for one in group.layers]


def test_a_new_background_lies_right_beneath_the_cut_out_which_stays_as_it_is(ready: Gimp, twin: Twin) -> None:
    template = "beach-noon"
    said, before, layers = ready.python(backgrounds, HERE, template)
    assert said[:3] == ["Choose a cut-out, or a layer that has one. 'Remove Background' makes it.", "", ""]
    assert "bg-replace needs prompt" in said[3]
    assert layers[0] == before
    assert [layer[0] for layer in layers[1:]] == ["photo new background #1", "photo new background"]
    for layer, named in zip(layers[1:], ("a beach, at dawn", template), strict=True):
        assert near(layer[3], [*color(named), 255]) and near(layer[4], [*color(named), 255]), "without a subject"
    assert twin.charged == 5, "the removal, and two backgrounds of 2 units each"


def by_selection(folder: str) -> Any:
    """Runs inside GIMP: an object is removed by no selection, by one beside the layer, and by one over a part."""
    import sys

    sys.path.insert(0, folder)
    import task_scenes as scenes

    image = scenes.scene()
    layer = image.layers[0]
    said = [scenes.go_on(image, layer, "generative-fill")]
    scenes.select(image, -6, -4, 3, 3)
    said.append(scenes.go_on(image, layer, "generative-fill"))
    scenes.select(image, 16 - 4, 12 - 4, 20, 40)
    said.append(scenes.go_on(image, layer, "generative-fill"))
    filled = image.layers[0]
    places = ((20, 20), (44, 20), (3, 3))
    return said, len(image.layers), [list(filled.get_pixel(*place)) for place in places]


def test_a_task_on_a_part_takes_the_selection(ready: Gimp, twin: Twin) -> None:
    said, count, (covered, beside, corner) = ready.python(by_selection, HERE)
    assert said == ["Select what the task is to work on first."] * 2 + [""]
    assert count == 2
    assert covered[0] > 60, "it is filled in from around"
    assert (near(beside, BLACK), near(corner, WHITE)) == (True, True), "what is not selected stays"
    assert twin.charged == 1


def refused(folder: str) -> Any:
    """Runs inside GIMP: what can't be run, and what becomes of the image."""
    import sys

    sys.path.insert(0, folder)
    import task_scenes as scenes

    image = scenes.scene()
    layer = image.layers[0]
    tries = (("enhance", "scale=3"), ("enhance", ""), ("enhance", "scale"), ("out-paint", ""), ("no-task", ""))
    said = [scenes.go_on(image, layer, task, fields) for task, fields in tries]
    pdb.gimp_image_convert_indexed(image, 0, 0, 16, False, False, "")
    said.append(scenes.go_on(image, layer, "lighting"))
    return said, len(image.layers)


def test_what_can_not_be_run_is_refused_with_what_to_do_and_costs_nothing(ready: Gimp, twin: Twin) -> None:
    said, count = ready.python(refused, HERE)
    wanted = ("1, 2, 4", "enhance needs scale", "NAME=VALUE", "There are: enhance, ", "no task 'no-task'", "Mode > RGB")
    assert [part in text for part, text in zip(wanted, said, strict=True)] == [True] * len(wanted), said
    assert count == 1
    assert not twin.calls("declare", "run")


def test_without_consent_or_a_key_a_script_is_told_where_to_give_it(ready: Gimp) -> None:
    def body(folder: str) -> Any:
        import sys

        sys.path.insert(0, folder)
        import task_scenes as scenes

        image = scenes.scene()
        return scenes.go_on(image, image.layers[0], "lighting"), len(image.layers)

    ready.environment["YOUCAM_API_URL"] = "https://service.invalid"
    said, count = ready.python(body, HERE)
    assert ("Allow uploads under Filters > Remove Background > Settings." in said, count) == (True, 1), said
    del ready.environment["YOUCAM_API_KEY"]
    said, count = ready.python(body, HERE)
    assert ("Set a valid API key under Filters > Remove Background > Settings." in said, count) == (True, 1), said


def deep(folder: str, profile: str, cases: list[list[Any]]) -> Any:
    """Runs inside GIMP: layers of every kind of image."""
    import sys

    sys.path.insert(0, folder)
    import gimpenums
    import task_scenes as scenes

    found = []
    for precision, base, has_profile, task in cases:
        image = scenes.scene(getattr(gimpenums, precision), getattr(gimpenums, base), profile if has_profile else "")
        layer = image.layers[0]
        if base == "RGB":
            scenes.select(image, *scenes.SUBJECT)
            pdb.gimp_context_set_foreground((200, 60, 20))
            pdb.gimp_drawable_edit_fill(layer, FILL_FOREGROUND)
            pdb.gimp_selection_none(image)
        said = scenes.go_on(image, layer, task, "scale=1" if task == "enhance" else "")
        layers = image.layers
        found.append([said, [one.format for one in layers], [scenes.look_at(one)[3:] for one in layers]])
    return found


def test_results_have_the_images_own_precision_mode_and_profile(ready: Gimp, tmp_path: Path, twin: Twin) -> None:
    (tmp_path / "swapped.icc").write_bytes(swapped_profile())
    cases = [
        ["PRECISION_U16_GAMMA", "RGB", True, "enhance"],
        ["PRECISION_FLOAT_LINEAR", "RGB", False, "enhance"],
        ["PRECISION_U16_GAMMA", "GRAY", False, "enhance"],
        ["PRECISION_U8_GAMMA", "RGB", False, "colorize"],
    ]
    swapped, linear, gray, several = ready.python(deep, HERE, (tmp_path / "swapped.icc").as_uri(), cases)
    forms = {"R'G'B' u16": "R'G'B'A u16", "RGB float": "RGBA float", "Y' u16": "Y'A u16"}
    for said, (made, own), (result, original) in (swapped, linear, gray):
        assert said == ""
        assert made == forms[own]
        for one, other in zip(result, original, strict=True):
            assert near(one, [*other, 255], 3), "it shows the same colours"
    assert several[:2] == ["", ["R'G'B'A u8", "R'G'B'A u8", "R'G'B' u8"]], "two results are two layers"
    assert twin.charged == 3, "the first two are the very same to the service"


def grow_and_fill(image_of: str) -> Any:
    """Runs inside GIMP: an image grows to a result's own size, and another layer comes."""
    image = gimp.image_list()[0]
    pdb.python_fu_layerlift_continue(image, image.active_layer, "enhance", "scale=2", True)
    return [image.width, len(image.layers)]


def size() -> Any:
    image = gimp.image_list()[0]
    return [image.width, image.height, [[layer.name, layer.width, layer.offsets] for layer in image.layers]]


def test_a_run_from_the_windows_is_cancelled_fetched_for_free_and_undone_in_one_step(
    noting: Gimp, home: Path, tmp_path: Path
) -> None:
    gimp = noting
    with Twin(Options(run_seconds=4.0, units=9, rate=(10_000, 1.0))) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            before = window.python(size)

            def start() -> None:
                chooser = window.summon("ctrl+shift+F4", "^Continue With$")
                window.screenshot(tmp_path / "chooser.png")
                window.dismiss("alt+n", chooser)
                fields = window.wait_for("^Enhance$")
                window.key("Down", fields)
                window.key("alt+s", fields)
                window.key("Down", fields)
                window.screenshot(tmp_path / "fields.png")
                window.dismiss("alt+r", fields)

            start()
            wait_for(lambda: twin.calls("poll"), "the first poll")
            window.click(*gimp.version.cancel_button)
            wait_to_hear(gimp, "Cancelled: it may have cost units")
            wait_for(lambda: twin.delivered == 1, "the result to be fetched")
            assert window.python(size) == before
            start()
            wait_to_hear(gimp, "Enhance of 'astronaut.xcf': free, already paid for.")
            after = window.python(size)
            assert [after[0], after[1], len(after[2])] == [2 * before[0], 2 * before[1], 2]
            window.key("ctrl+z")
            wait_for(lambda: window.glimpse(size) == before, "the undo")
        wait_for(lambda: not workers_of(home), "the worker to end")
        assert "Cost: 1 unit. Balance: 9 units." in heard(gimp)
        assert (twin.charged, len(twin.calls("run"))) == (1, 1)
