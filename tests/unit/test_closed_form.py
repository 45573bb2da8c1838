"""The closed-form step: what is unsure of an alpha is told by the picture's colours."""

from __future__ import annotations

import numpy as np
import pytest
from layerlift.imaging import closed_form
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 96, 64
WEIGHT = 1e-3


def spokes() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture of thin lines around a disc, before a background of other colours; and its alpha."""
    drawn = Image.new("L", (4 * WIDTH, 4 * HEIGHT))
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((140, 80, 240, 180), fill=255)
    for end in range(20, 380, 60):
        pen.line((190, 130, end, 20), fill=255, width=6)
    alpha = np.asarray(drawn.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32) / 255
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    subject = np.stack([190 + across / 3, 110 + down / 2, 90 + 0 * down], axis=2)
    background = np.stack([50 + down / 2, 110 - across / 4, 150 + across / 4], axis=2)
    mixed = alpha[..., None] * subject + (1 - alpha[..., None]) * background
    return np.rint(mixed).astype(np.uint8), alpha


def blurred(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    image = Image.fromarray(np.rint(alpha * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
    return np.asarray(image, np.float32) / 255


def test_thin_structure_that_was_blurred_is_found_again() -> None:
    picture, alpha = spokes()
    given = blurred(alpha)
    solved = closed_form.solve(picture, given, (given > 0.02) & (given < 0.98), WEIGHT)
    assert abs(solved - alpha).sum() < 0.4 * abs(given - alpha).sum()


def test_an_alpha_that_fits_the_colours_stays() -> None:
    picture, alpha = spokes()
    solved = closed_form.solve(picture, alpha, (alpha > 0) & (alpha < 1), WEIGHT)
    assert abs(solved - alpha).max() < 0.02


def test_what_is_sure_stays_to_the_bit() -> None:
    picture, alpha = spokes()
    given = blurred(alpha)
    unsure = np.zeros(alpha.shape, bool)
    unsure[10:40, 20:50] = True
    solved = closed_form.solve(picture, given, unsure, WEIGHT)
    assert np.array_equal(solved[~unsure], given[~unsure])
    assert not np.array_equal(solved[unsure], given[unsure])


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2), (3, 3), (3, 400)])
@pytest.mark.parametrize("colour", [0, 128, 255])
def test_flat_and_tiny_pictures_keep_their_alpha(shape: tuple[int, int], colour: int) -> None:
    alpha = np.full(shape, 0.4, np.float32)
    picture = np.full((*shape, 3), colour, np.uint8)
    solved = closed_form.solve(picture, alpha, np.ones(shape, bool), WEIGHT)
    assert np.allclose(solved, 0.4, atol=1e-4)
