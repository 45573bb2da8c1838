"""What a model's alpha gains before it is enlarged, on alphas that are known."""

from __future__ import annotations

import numpy as np
import pytest
from layerlift.models import mattes
from numpy.typing import NDArray
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 96, 64


def never() -> None:
    raise AssertionError("the second model was asked")


def plain(size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    return Image.new("RGB", size, (90, 120, 60))


def level(value: float) -> NDArray[np.float32]:
    return np.full((HEIGHT, WIDTH), value, np.float32)


def test_edges_are_no_area_that_another_model_is_asked_over() -> None:
    alpha = level(0)
    alpha[:, 40:] = 1
    alpha[:, 40:47] = 0.5
    mattes.finished(plain(), alpha, never)


def test_where_a_model_is_undecided_the_other_one_adds_what_it_is_sure_of() -> None:
    alpha, second = level(0), level(0)
    alpha[16:48, 16:80] = 0.5
    second[16:48, 16:40] = 0.9
    second[16:48, 40:60] = 0.6
    picture = plain()
    for colour, (left, right) in {"red": (16, 40), "white": (40, 60), "blue": (60, 80)}.items():
        picture.paste(colour, (left, 16, right, 48))
    found, alone = (mattes.finished(picture, alpha, lambda answer=answer: answer) for answer in (second, None))
    assert found[32, 28] == pytest.approx(0.9, abs=0.05)
    assert found[32, 55] == pytest.approx(alone[32, 55], abs=0.05), "the other one is not sure there"
    assert found[32, 70] == pytest.approx(alone[32, 70], abs=0.05), "the other one must not take anything away"
    assert found[4, 4] == 0


def test_where_a_model_is_decided_it_is_not_overruled() -> None:
    alpha, second = level(0), level(1)
    alpha[:, :48] = 0.5
    found = mattes.finished(plain(), alpha, lambda: second)
    assert found[:, 66:].max() == 0


def test_edges_are_settled_by_the_colours_of_the_picture() -> None:
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    truth = ((across - 48) ** 2 + (down - 32) ** 2 < 20**2).astype(np.float32)
    colours = np.where(truth[..., None] > 0, (200, 90, 60), (40, 110, 150)).astype(np.uint8)
    blurred = Image.fromarray((truth * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
    given = np.asarray(blurred, np.float32) / 255
    found = mattes.finished(Image.fromarray(colours), given, lambda: None)
    assert abs(found - truth).sum() < 0.3 * abs(given - truth).sum()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (30000, 20), (20, 3000)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_pictures_of_any_size_keep_a_flat_alpha(size: tuple[int, int], value: float) -> None:
    found = mattes.finished(plain(size), np.full((32, 32), value, np.float32), lambda: None)
    assert np.allclose(found, value, atol=1e-3)
    assert min(found.shape) >= 32


def test_detail_beyond_the_working_size_is_kept() -> None:
    alpha = np.zeros((1024, 1024), np.float32)
    part = np.s_[500:564, 500:564]
    alpha[part] = np.indices((64, 64)).sum(axis=0) % 2
    found = mattes.finished(plain((1200, 800)), alpha, lambda: None)
    assert found.shape == (1024, 1024)
    assert abs(np.diff(found[part], axis=1)).mean() > 0.5


def test_an_alpha_whose_model_has_seen_more_of_the_picture_is_believed_more() -> None:
    small = Image.new("L", (64, 64))
    small.paste(128, (30, 8, 34, 56))  # a rod that the picture's colours don't tell from what is around
    changes = []
    for side in (320, 1024):
        alpha = np.asarray(small.resize((side, side), Image.Resampling.NEAREST), np.float32) / 255
        found = mattes.finished(plain((640, 640)), alpha, lambda: None)
        changes.append(abs(mattes.resized(found, (640, 640)) - mattes.resized(alpha, (640, 640))).mean())
    assert changes[1] < 0.9 * changes[0]
