"""The plug-in in a real Krita, on layers of every colour space and kind: each pixel's alpha is known beforehand.

What became of each layer in each Krita is printed as one table at the end of the test run.
"""

# ruff: noqa: F821 - bodies run inside Krita
from __future__ import annotations

import base64
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layerlift.twin import Options, Twin
from numpy.typing import NDArray

from .krita import Residence, ScriptFailed
from .krita_matrix import CELLS, PLACES, Cell
from .profiles import swapped_profile

BLOCK, COLUMNS, ROWS = 16, 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
DIM = 191
FILL_COLUMN = 3
TYPES = {"U8": "u1", "U16": "u2", "F16": "f2", "F32": "f4"}
CHANNELS = {"GRAYA": 2, "RGBA": 4, "CMYKA": 5, "LABA": 4, "XYZA": 4, "YCbCrA": 4}
SWAPPED = "swap built-in"
# Which colours Krita gives to what it draws or filters itself is its own affair.
DRAWN = ("vector", "file", "fill", "filtered")
NO_MASKS = "has no transparency masks for plug-ins"

Samples = NDArray[Any]

HERE = Path(__file__).resolve().parent
CASES = re.findall(r"^@case\ndef (\w+)", (HERE / "krita_scripts/special.py").read_text(encoding="utf-8"), re.MULTILINE)
REFUSED = {
    "empty_layer": "is empty inside the canvas",
    "transparent_layer": "is empty inside the canvas",
    "group_that_passes_through": "Pass Through",
    "layer_outside_of_the_canvas": "is empty inside the canvas",
    "picture_without_a_subject": "No subject",
    "filter_layer": "has no pixels of its own",
    "mask_that_is_active": "A mask has no background",
}
SIZES = {"one_pixel": [1, 1], "very_long_and_narrow": [30000, 20]}
CHARTS = {
    **CELLS,
    **{
        name: Cell("RGBA", "U8", name, "inside" if name == "group_in_a_group" else "whole canvas", "alpha")
        for name in CASES
        if name not in REFUSED and name not in SIZES
    },
}
CLEANED = [name for name in CASES if name.startswith("clean_edges")]


def measure(name: str, cell: dict[str, str] | None, canvas: list[int], place: list[int]) -> Any:
    """Runs inside Krita."""
    import kinds
    import special
    from removals import listen

    listen()
    # Not after each: a document can't be closed at once.
    if len(k.documents()) >= 5:
        yield from close_all()
    if cell is None:
        return (yield from special.CASES[name]())
    return (yield from kinds.cell(cell, canvas, place))


@pytest.fixture(scope="module")
def outcomes(residence: Residence, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each layer, by its name."""
    folder = tmp_path_factory.mktemp("layers")
    found: dict[str, Any] = {}
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        krita = residence.krita()
        krita.add_layerlift(folder / "state", twin)
        # Krita knows profiles by their own names.
        named = swapped_profile().replace("sRGB built-in".encode("utf-16-be"), SWAPPED.encode("utf-16-be"))
        (krita.folder / "swapped.icc").write_bytes(named)
        with krita.window() as window:
            for name in (*CELLS, *CASES):
                cell = asdict(CELLS[name]) if name in CELLS else None
                canvas, place = PLACES[CELLS[name].place] if name in CELLS else ((), ())
                try:
                    found[name] = window.run(measure, name, cell, canvas, place)
                except ScriptFailed as failed:
                    found[name] = {"raised": str(failed)}
        found["ledger"] = {"charged": twin.charged, "runs": len(twin.calls("run")), "late": twin.late_polls}
    found["left behind"] = [str(path) for path in (folder / "state" / "work").glob("*/*")]
    return found


def pixels(text: str, found: dict[str, Any]) -> Samples:
    """Pixels of the layer's area on the canvas, (height, width, channels)."""
    model, depth, _ = found["before"]["space"]
    _, _, width, height = found["area"]
    return np.frombuffer(base64.b64decode(text), TYPES[depth]).reshape(height, width, CHANNELS[model])


def values(samples: Samples) -> NDArray[np.float64]:
    """Samples as values of 0 to 1."""
    return samples / (1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max))


def on_canvas(rows: Samples, cell: Cell, area: list[int]) -> Samples:
    """What of a layer's rows is in an area of the canvas; zeros beside the layer."""
    (width, height), (left, top) = PLACES[cell.place]
    around = np.zeros((2 * HEIGHT + height, 2 * WIDTH + width, *rows.shape[2:]), rows.dtype)
    around[HEIGHT + top : 2 * HEIGHT + top, WIDTH + left : 2 * WIDTH + left] = rows
    x, y, columns, lines = area
    return around[HEIGHT + y : HEIGHT + y + lines, WIDTH + x : WIDTH + x + columns]


def expected_alpha(cell: Cell, area: list[int]) -> tuple[Samples, Samples]:
    """The layer's own alpha, and the alpha of the cut-out, 0 to 1."""
    if cell.layer == "fill":
        _, _, columns, lines = area
        return np.ones((lines, columns)), np.full((lines, columns), FILL_COLUMN * 51 / 255)
    level = np.tile(np.arange(WIDTH) // BLOCK, (HEIGHT, 1))
    if cell.layer == "filtered":
        # Of more than 8 bits, Krita inverts light itself: what is left of half of it looks almost white.
        level = np.array([5, 4, 3, 2, 1, 0] if cell.depth == "U8" else [5, 2, 1, 0, 0, 0])[level]
    if cell.layer == "animated_layer":
        level = level[:, ::-1]
    own = np.ones((HEIGHT, WIDTH))
    if cell.layer in ("masked", "existing_alpha"):
        own[:, WIDTH // 2 :] = DIM / 255
    # What is partly transparent was flattened on white, so the key saw less.
    level = np.where(own < 1, np.rint(level * DIM / 255), level)
    return on_canvas(own, cell, area), on_canvas(level * 51 / 255 * own, cell, area)


def outcome(outcomes: dict[str, Any], name: str) -> dict[str, Any]:
    """What became of a layer."""
    found: dict[str, Any] = outcomes[name]
    if name in CELLS and CELLS[name].result == "mask" and NO_MASKS in found.get("raised", ""):
        pytest.skip("Krita 5.1 has no transparency masks for plug-ins, and the user is told so")
    assert "raised" not in found, found["raised"]
    return found


@pytest.mark.table("exact")
@pytest.mark.parametrize("name", CHARTS)
def test_the_alpha_is_exact_and_all_else_is_kept(outcomes: dict[str, Any], name: str) -> None:
    cell, found = CHARTS[name], outcome(outcomes, name)
    before, cutout = found["before"], found["cut-out"]
    assert found["told"] == ""
    assert found["original"] == {**before, "visible": name == "original_stays_visible"}
    assert found["original kept"]
    assert [label for _, label in found["new"]][:1] == ["photo cut-out"]
    assert found["place"] == 1
    assert cutout["type"] == "paintlayer"
    for kept in ("space", "opacity", "mode", "parent"):
        assert cutout[kept] == before[kept], kept
    assert cutout["visible"]
    area = found["area"]
    own, alpha = expected_alpha(cell, area)
    shown, after, whole = (pixels(found[text], found) for text in ("shown", "pixels", "whole"))
    step = 1.001 / 255
    there = alpha == 1 if name in CLEANED else alpha > 0
    if cell.result == "mask":
        assert (after.view("u1") == shown.view("u1")).all()
        (mask,) = found["masks"]
        mask = np.frombuffer(base64.b64decode(mask), "u1").reshape(alpha.shape)
        assert np.abs(mask / 255 * own - alpha).max() <= step
    else:
        assert found["masks"] == []
        assert np.abs(values(after[..., -1]) - alpha).max() <= step
        assert (after[there][..., :-1].view("u1") == shown[there][..., :-1].view("u1")).all()
    assert np.abs(values(whole[..., -1]) - alpha).max() <= step
    if cell.layer not in DRAWN:
        data = np.frombuffer(base64.b64decode(found["chart"]), after.dtype).reshape(HEIGHT, WIDTH, -1)
        truth = on_canvas(data, cell, area)[..., :-1]
        # Where a mask is applied, Krita itself rounds.
        error = np.abs(values(after[there][..., :-1]) - values(truth[there])).max()
        assert error <= (step if cell.layer == "masked" else 0)


@pytest.mark.parametrize("name", CHARTS)
def test_one_undo_step_reverts_it_and_redo_restores_it(outcomes: dict[str, Any], name: str) -> None:
    found = outcome(outcomes, name)
    assert found["undone"]
    assert found["redone"]
    assert found["redone pixels"]
    assert [label for _, label in found["one step"]] == ["marker"]


@pytest.mark.parametrize("name", CLEANED)
def test_clean_edges_change_the_colours_of_soft_pixels(outcomes: dict[str, Any], name: str) -> None:
    found = outcome(outcomes, name)
    _, alpha = expected_alpha(CHARTS[name], found["area"])
    soft = (alpha > 0) & (alpha < 1)
    shown, after = (pixels(found[text], found)[soft][:, :-1] for text in ("shown", "pixels"))
    assert (shown != after).any()


@pytest.mark.table("refused, and told")
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_cut_out_gets_a_clear_answer_and_nothing_changes(outcomes: dict[str, Any], name: str) -> None:
    found = outcome(outcomes, name)
    assert REFUSED[name] in found["told"]
    assert not found["new"]
    assert found["same"]


@pytest.mark.table("exact")
@pytest.mark.parametrize("name", SIZES)
def test_unusual_sizes_work_and_the_user_is_told_that_nothing_was_cut_away(outcomes: dict[str, Any], name: str) -> None:
    found = outcome(outcomes, name)
    assert (found["size"], found["alphas"]) == (SIZES[name], [255])
    assert "the whole picture was kept" in found["told"]


def test_the_profile_is_the_documents_own(outcomes: dict[str, Any]) -> None:
    assert outcome(outcomes, "profile_with_red_and_blue_swapped")["profile"] == SWAPPED


def test_the_selection_is_left_alone(outcomes: dict[str, Any]) -> None:
    assert outcome(outcomes, "selection_is_left_alone")["selection"] == [3, 4, 10, 11, "c8"]


def test_each_picture_is_charged_once_and_what_is_refused_is_free(outcomes: dict[str, Any]) -> None:
    ledger = outcomes["ledger"]
    assert ledger["late"] == 0
    assert 0 < ledger["charged"] <= len(CHARTS) + len(SIZES), "charts that show the same are one picture"
    # A picture without a subject is asked for too, and is free.
    assert ledger["runs"] == ledger["charged"] + 1


def test_no_file_is_left_behind(outcomes: dict[str, Any]) -> None:
    assert outcomes["left behind"] == []
