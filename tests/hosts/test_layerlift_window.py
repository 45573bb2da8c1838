"""The plug-in as a user meets it: in a window of a real GIMP, with keys, a dialog, progress, Cancel and undo."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from layerlift import __version__
from layerlift.twin import Fault, Options, Twin
from PIL import Image, ImageChops

from .gimp import Gimp
from .layerlift_in_gimp import describe, install, start_from_the_dialog, window_with_the_photo
from .window import wait_for
from .workers import workers_of


def test_the_entries_are_in_the_menu_and_the_main_one_comes_first(gimp: Gimp, home: Path) -> None:
    install(gimp, home)

    def body() -> Any:
        if gimp.version < (3, 0):
            names = "Clean Plate|Continue With|New Background|Remove Background|Run on All|Settings\\.\\.\\."
            return list(pdb.gimp_plugins_query(names)[1])
        # Introspection can't read the answer to that.
        from gi.repository import Gimp

        found = []
        for name in ("", "-all", "-clean-plate", "-continue", "-new-background", "-settings"):
            procedure = Gimp.get_pdb().lookup_procedure(f"python-fu-layerlift{name}")
            label = procedure.get_menu_label().replace("_", "")
            found += [f"{path}/{label}" for path in procedure.get_menu_paths()]
        return found

    # GIMP sorts them by their letters.
    entries = [
        "Remove Background...", "Run on All Open Images...", "Service Tasks/Clean Plate...",
        "Service Tasks/Continue With...", "Service Tasks/New Background...", "Settings...",
    ]  # fmt: skip
    assert sorted(entries) == entries
    assert sorted(gimp.python(body)) == [f"<Image>/Filters/Remove Background/{entry}" for entry in entries]


def test_gimp_shows_the_version_beside_the_procedures(gimp: Gimp, home: Path) -> None:
    install(gimp, home)

    def body() -> Any:
        if gimp.version < (3, 0):
            return pdb.gimp_procedural_db_proc_info("python-fu-layerlift")[2]
        from gi.repository import Gimp

        return Gimp.get_pdb().lookup_procedure("python-fu-layerlift").get_authors()

    assert gimp.python(body) == f"Layerlift {__version__}"


def test_the_dialog_runs_the_action_progress_moves_and_one_undo_reverts(
    gimp_on_a_screen: Gimp, home: Path, tmp_path: Path
) -> None:
    gimp = gimp_on_a_screen
    with Twin(Options(run_seconds=4.0)) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            wait_for(lambda: twin.calls("poll"), "the first poll")
            bar = gimp.version.progress
            first = Image.open(window.screenshot(tmp_path / "first.png")).convert("RGB").crop(bar)

            def moved() -> bool:
                now = Image.open(window.screenshot(tmp_path / "now.png")).convert("RGB").crop(bar)
                return ImageChops.difference(first, now).getbbox() is not None

            wait_for(moved, "the progress to move")
            done = [["astronaut.jpg cut-out", True], ["astronaut.jpg", False]]
            wait_for(lambda: window.glimpse(describe) == done, "the new layer")
            start_from_the_dialog(window)
            asked = window.wait_for("^Remove Background$")
            window.screenshot(tmp_path / "asked.png")
            window.dismiss("Escape", asked)
            assert window.python(describe) == done, "the new layer is the active one, and would cost once more"
            window.key("ctrl+z")
            wait_for(lambda: window.glimpse(describe) == [["astronaut.jpg", True]], "the undo")
            window.key("ctrl+y")
            wait_for(lambda: window.glimpse(describe) == done, "the redo")
        assert twin.charged == 1
    assert not workers_of(home)


def test_an_error_is_shown_once_in_a_box_and_nothing_changes(
    gimp_on_a_screen: Gimp, home: Path, tmp_path: Path
) -> None:
    gimp = gimp_on_a_screen
    with Twin(Options(faults=(Fault("run", "engine", code="error_no_face"),))) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            start_from_the_dialog(window)
            box = window.wait_for("GIMP Message|Error")
            window.screenshot(tmp_path / "error.png")
            window.dismiss("Escape", box)
            assert window.python(describe) == [["astronaut.jpg", True]]


def as_16_bit_float() -> None:
    image = gimp.image_list()[0]
    pdb.gimp_image_convert_precision(image, PRECISION_HALF_LINEAR)


def as_group() -> None:
    image = gimp.image_list()[0]
    group = pdb.gimp_layer_group_new(image)
    image.insert_layer(group)
    pdb.gimp_image_reorder_item(image, image.layers[1], group, 0)
    image.active_layer = group


def as_it_is() -> None:
    pass


def run_it(result: int) -> int:
    image = gimp.image_list()[0]
    pdb.python_fu_layerlift(image, image.active_layer, result, False, True, 1)
    return len(image.layers)


def test_one_undo_reverts_every_kind_of_layer_and_result(gimp_on_a_screen: Gimp, home: Path) -> None:
    gimp = gimp_on_a_screen
    kinds: list[Callable[[], None]] = [as_it_is, as_16_bit_float, as_group]
    with Twin(Options()) as twin:
        install(gimp, home, twin)
        with window_with_the_photo(gimp) as window:
            for kind in kinds:
                window.python(kind)
                before = window.python(describe)
                for result in (0, 1):
                    assert window.python(run_it, result) == 2
                    window.key("ctrl+z")
                    wait_for(lambda: window.glimpse(describe) == before, f"the undo of {kind.__name__}")  # noqa: B023


def test_a_text_layer_is_cut_out_as_it_is_rendered(gimp: Gimp, home: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, home, twin)

        def body() -> Any:
            image = gimp.Image(400, 200, RGB)
            pdb.gimp_context_set_foreground((0, 0, 0))
            text = pdb.gimp_text_layer_new(image, "Text", "Sans", 64, 0)
            image.insert_layer(text)
            text.set_offsets(30, 40)
            pdb.python_fu_layerlift(image, text, 0, False, True, 1)
            copy = image.layers[0]
            region = copy.get_pixel_rgn(0, 0, copy.width, copy.height, False, False)
            alphas = region[0 : copy.width, 0 : copy.height][3::4]
            same = (copy.width, copy.height, copy.offsets) == (text.width, text.height, text.offsets)
            kinds = [bool(pdb.gimp_item_is_text_layer(layer)) for layer in image.layers]
            return same, kinds, min(alphas), max(alphas)

        assert gimp.python(body) == [True, [False, True], 0, 255]
