"""Results of other tasks as layers: masks that grow, what is filled in, and white that is taken out of soft edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from layerlift.imaging import plates
from layerlift.imaging.pictures import Picture

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(arrays.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 0, 0, 1, 255])))
def test_a_grown_mask_covers_all_that_is_near_what_is_seen_and_nothing_else(alpha: np.ndarray) -> None:
    grown = plates.grow(alpha)
    radius = max(2, round(plates.GROWN * max(alpha.shape)))
    rows, columns = np.nonzero(alpha)
    expected = np.zeros_like(alpha)
    for row, column in zip(rows, columns, strict=True):
        expected[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = 255
    assert (grown == expected).all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 255), st.data())
def test_what_is_hidden_in_one_colour_is_filled_with_it_and_what_is_known_stays(
    width: int, height: int, colour: int, data: st.DataObject
) -> None:
    hidden = data.draw(arrays.arrays(np.uint8, (height, width), elements=st.sampled_from([0, 255])))
    colours = np.full((height, width, 3), colour, np.uint8)
    colours[hidden > 0] = 255 - colour
    filled = plates.fill(colours, hidden)
    assert (filled[hidden == 0] == colours[hidden == 0]).all()
    if not hidden.all():
        assert np.abs(filled.astype(int) - colour).max() <= 1


def test_a_hole_in_a_gradient_is_filled_from_its_sides() -> None:
    gradient = np.tile(np.linspace(40, 210, 120).astype(np.uint8)[None, :, None], (80, 1, 3))
    hidden = np.zeros((80, 120), np.uint8)
    hidden[30:50, 50:70] = 255
    filled = plates.fill(np.where(hidden[..., None] > 0, 255, gradient).astype(np.uint8), hidden)
    assert np.abs(filled.astype(int) - gradient)[hidden > 0].mean() < 8


@pytest.mark.parametrize("channels", [2, 4])
def test_white_is_taken_out_of_soft_edges(channels: int) -> None:
    alpha = np.tile(np.arange(0, 256, 5, dtype=np.uint8), (4, 1))
    layer = np.full((*alpha.shape, channels), 60, np.uint8)
    layer[..., -1] = alpha
    on_white = np.rint(60 * (alpha / 255.0) + 255 - alpha).astype(np.uint8)
    made = plates.as_layer(
        Picture(on_white[..., None]), Picture(layer), alpha.shape[::-1], keeps_alpha=True, without_subject=False
    )
    assert (made[..., 3] == alpha).all()
    assert np.abs(made[..., :3].astype(int) - 60)[alpha > 60].max() <= 3


def test_a_result_of_its_own_alpha_or_of_none_keeps_that() -> None:
    layer = Picture(np.full((4, 6, 3), 9, np.uint8))
    for pixels, alpha in ((np.full((8, 12, 4), 77, np.uint8), 77), (np.full((8, 12, 1), 77, np.uint8), 255)):
        made = plates.as_layer(Picture(pixels), layer, (6, 4), keeps_alpha=True, without_subject=True)
        assert made.shape == (4, 6, 4) and (made[..., :3] == 77).all() and (made[..., 3] == alpha).all()
