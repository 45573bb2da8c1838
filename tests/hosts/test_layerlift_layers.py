"""The plug-in in a real GIMP, on layers of every kind: each pixel's alpha is known beforehand (see charts.py).

What became of each case in each GIMP is printed as one table at the end of the test run.
"""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from layerlift.twin import Options, Twin
from PIL import Image

from .gimp import Gimp, Host
from .layerlift_in_gimp import HERE, install
from .matrix import CELLS
from .profiles import swapped_profile

LAYERS = Path(HERE, "layers.py").read_text(encoding="utf-8")
BLOCK, COLUMNS, ROWS = 16, 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
DIM = 204

NAMES = [*CELLS, *re.findall(r"^@case\ndef (\w+)", LAYERS, re.MULTILINE)]
MASKS = {name for name, cell in CELLS.items() if cell.result == "mask"} | {"clean_edges_with_a_mask_as_the_result"}
MASKED = {name for name, cell in CELLS.items() if cell.layer == "masked"} | {"clean_edges_under_an_existing_mask"}
REFUSED = {
    "channel": "Choose a layer",
    "floating_selection": "Anchor",
    "empty_layer": "no visible pixels",
    "picture_without_a_subject": "No subject",
}
CLEANED = {name for name in NAMES if "clean_edges" in name and name not in MASKS}
SPECIAL = {*REFUSED, "one_pixel", "very_long_and_narrow", "the_mask_is_being_edited", "vector_layer"}
CHARTS = [name for name in NAMES if name not in SPECIAL]


@pytest.fixture(scope="module")
def outcomes(resident: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("layers")
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        gimp = Gimp(folder, resident.version, host=resident)
        install(gimp, folder / "state", twin)
        profile = folder / "swapped.icc"
        profile.write_bytes(swapped_profile())
        gimp.environment["LAYERLIFT_TEST_PROFILE"] = str(profile)

        def body(folder: str, names: list[str]) -> Any:
            import sys

            sys.path.insert(0, folder)
            import layers

            return layers.measure_all(names)

        measured: dict[str, Any] = gimp.python(body, HERE, NAMES, timeout=900)
        measured["ledger"] = {"charged": twin.charged, "runs": len(twin.calls("run")), "late": twin.late_polls}
        measured["left behind"] = {"files": [str(path) for path in (folder / "state" / "work").glob("*/*")]}
        return measured


def expected_alpha(name: str) -> list[int]:
    """The alpha of a case's chart, times the 0.8 (204) that `dim` parts had before."""
    alpha = []
    for y in range(HEIGHT):
        for x in range(WIDTH):
            level = COLUMNS - 1 - x // BLOCK if name == "non_destructive_filter" else x // BLOCK
            dim = (name == "existing_alpha" and y >= HEIGHT // 2) or (name in MASKED and x >= WIDTH // 2)
            # The picture was flattened on white, so the key saw a fifth less.
            alpha.append(round(51 * round(level * 0.8) * 0.8) if dim else 51 * level)
    return alpha


def found(outcomes: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """The outcome of a case that ran; a skip where the GIMP has no such layer."""
    outcome = outcomes[name]
    assert "raised" not in outcome, outcome["raised"]
    if "absent" in outcome:
        pytest.skip(outcome["absent"])
    return outcome


@pytest.mark.table("exact")
@pytest.mark.parametrize("name", CHARTS)
def test_the_alpha_is_exact_and_all_else_is_kept(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    outcome = found(outcomes, name)
    assert outcome["new_layers"] == 1
    assert outcome["above"]
    assert outcome["plain"]
    assert outcome["images"] == 1
    assert outcome["offsets"] == outcome["original_offsets"]
    assert outcome["size"] == [WIDTH, HEIGHT]
    _, copy_type, layer_type = outcome["precision"]
    assert copy_type == layer_type
    assert bool(outcome["profile"]) == ("profile" in name)
    opacity, mode, original_opacity, original_mode = outcome["opacity_and_mode"]
    assert (opacity, mode) == (original_opacity, original_mode)
    assert outcome["visible"] == [True, name == "original_stays_visible"]
    own = ([255] * (WIDTH // 2) + [DIM if name in MASKED else 255] * (WIDTH // 2)) * HEIGHT
    if name not in MASKS:
        assert outcome["mask"] is None
        assert_close(outcome["alpha"], expected_alpha(name))
    else:
        assert_close(outcome["alpha"], own)
        both = [round(mask * alpha / 255) for mask, alpha in zip(outcome["mask"], own, strict=True)]
        assert_close(both, expected_alpha(name))
    assert outcome["colours_before"] == outcome["original_colours"]
    assert outcome["colours_after"].keys() == outcome["colours_before"].keys()
    for block, before in outcome["colours_before"].items():
        if name in CLEANED and not block.startswith(f"{COLUMNS - 1},"):
            continue
        # The colour picker of GIMP 3 rounds a group's colours at another place than those of its copy.
        nearly = 0.5 / 65535 if name == "group_at_16_bits_with_a_profile" else 1e-6
        assert outcome["colours_after"][block] == pytest.approx(before, abs=nearly), block


def assert_close(measured: list[int], expected: list[int]) -> None:
    worst = max(abs(one - other) for one, other in zip(measured, expected, strict=True))
    assert worst <= 1


@pytest.mark.table("the layer is taken")
@pytest.mark.parametrize("name", ["the_mask_is_being_edited"])
def test_the_layer_is_taken_where_its_mask_is_being_edited(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    assert found(outcomes, name) == {"new_layers": 1, "name": "photo cut-out"}


@pytest.mark.parametrize("name", ["non_destructive_filter"])
def test_a_filter_is_merged_in_the_copy_and_stays_on_the_original(
    outcomes: dict[str, dict[str, Any]], name: str
) -> None:
    assert found(outcomes, name)["filters"] == [1, 0]


@pytest.mark.table("exact")
@pytest.mark.parametrize("name", ["vector_layer"])
def test_a_vector_layer_is_cut_out_as_it_is_drawn(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    assert found(outcomes, name) == {"same place": True, "plain": True, "inside": 255}


@pytest.mark.parametrize("name", sorted(CLEANED))
def test_clean_edges_change_the_colours_of_soft_pixels_alone(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    outcome = outcomes[name]
    before, after = outcome["colours_before"], outcome["colours_after"]
    changed = {block for block in before if after[block] != pytest.approx(before[block], abs=1e-6)}
    assert bool(changed) == ("indexed" not in name)
    assert not any(block.startswith(f"{COLUMNS - 1},") for block in changed)


def test_what_is_uploaded_is_srgb(gimp: Gimp, tmp_path: Path) -> None:
    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        profile = tmp_path / "swapped.icc"
        profile.write_bytes(swapped_profile())

        def body(profile: str) -> None:
            image = gimp.Image(64, 600, RGB)
            layer = pdb.gimp_layer_new(image, 64, 600, RGB_IMAGE, "blue, says the profile", 100, LAYER_MODE_NORMAL)
            image.insert_layer(layer)
            pdb.gimp_context_set_foreground((255, 0, 0))
            pdb.gimp_drawable_fill(layer, FILL_FOREGROUND)
            pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 560, 64, 40)
            pdb.gimp_context_set_foreground((0, 255, 0))
            pdb.gimp_drawable_edit_fill(layer, FILL_FOREGROUND)
            pdb.gimp_image_set_color_profile_from_file(image, profile)
            pdb.python_fu_layerlift(image, layer, 0, False, True, 1)

        gimp.python(body, profile.as_uri())
        (uploaded,) = twin.uploads.values()
    picture = Image.open(io.BytesIO(uploaded)).convert("RGB")
    for place, colour in (((32, 32), (0, 0, 255)), ((32, 540), (0, 0, 255)), ((32, 590), (0, 255, 0))):
        assert picture.getpixel(place) == pytest.approx(colour, abs=5)


def test_a_picture_that_is_all_subject_gets_its_layer_and_the_user_is_told(gimp: Gimp, tmp_path: Path) -> None:
    def body(levels: list[int]) -> Any:
        layers = []
        for level in levels:
            image = gimp.Image(64, 48, RGB)
            layer = pdb.gimp_layer_new(image, 64, 48, RGB_IMAGE, "photo", 100, LAYER_MODE_NORMAL)
            image.insert_layer(layer)
            pdb.gimp_context_set_foreground((level, level, level))
            pdb.gimp_drawable_fill(layer, FILL_FOREGROUND)
            pdb.python_fu_layerlift(image, layer, 0, True, True, 1)
            layers.append(len(image.layers))
        return layers

    with Twin(Options()) as twin:
        install(gimp, tmp_path / "state", twin)
        assert gimp.python(body, [102]) == [2]
        assert "the whole picture was kept" not in gimp.stderr
        assert gimp.python(body, [0, 0]) == [2, 2]
        assert gimp.stderr.count("the whole picture was kept") == 2, "what was paid for before is told too"


def test_the_selection_is_left_alone(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["selection_is_left_alone"]["selection"] == [1, 3, 4, 13, 15]


@pytest.mark.table("refused, and told")
@pytest.mark.parametrize(("name", "words"), REFUSED.items())
def test_what_has_no_cut_out_gets_a_clear_answer_and_nothing_changes(
    outcomes: dict[str, dict[str, Any]], name: str, words: str
) -> None:
    outcome = found(outcomes, name)
    assert words in outcome["error"]
    assert outcome["same"]
    assert outcome["images"] == 1


@pytest.mark.table("exact")
@pytest.mark.parametrize(("name", "size"), {"one_pixel": [1, 1], "very_long_and_narrow": [30000, 20]}.items())
def test_unusual_sizes_work(outcomes: dict[str, dict[str, Any]], name: str, size: list[int]) -> None:
    assert found(outcomes, name) == {"size": size, "alphas": [255]}


def test_each_picture_is_charged_once_and_what_is_refused_is_free(outcomes: dict[str, dict[str, Any]]) -> None:
    ledger = outcomes["ledger"]
    assert ledger["late"] == 0
    assert 0 < ledger["charged"] <= len(NAMES) - len(REFUSED), "charts that show the same are one picture"
    # A picture without a subject is asked for too, and is free.
    assert ledger["runs"] == ledger["charged"] + 1


def test_no_file_is_left_behind(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["left behind"] == {"files": []}
