"""The alpha at the layer's size, with the picture as its guide, against scenes whose true alpha is known."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from layerlift.imaging import matte
from layerlift.imaging.pictures import Picture
from PIL import Image, ImageFilter

from .picture_files import noise

WIDTH, HEIGHT = 900, 600
ROUNDING = 0.25
"""The mean error of whole numbers."""
NOTHING = 1e-3
"""Another level in one of a thousand pixels."""
BICUBIC, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


def true_alpha(width: int = WIDTH, height: int = HEIGHT) -> Any:
    """A disc with rays that are as fine as hair, (height, width) uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x - width / 2, y - height / 2
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    rays = ((0.42 * height - radius) / 3).clip(0, 1) * (np.abs(np.sin(80 * angle)) ** 8)
    disc = ((0.25 * height - radius) / 3 + 0.5).clip(0, 1)
    return np.rint(np.maximum(rays, disc) * 255).astype(np.uint8)


def photo(alpha: Any, grain: float = 1.0) -> Any:
    """A warm subject with the alpha before a cool background, (height, width, 3) uint8."""
    height, width = alpha.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    subject = np.stack([200 + 30 * np.sin(x / 31), 130 + 20 * np.sin(y / 23), 60 + 10 * np.sin(x / 17)], -1)
    behind = np.stack([40 + 20 * np.sin(y / 29), 90 + 20 * np.sin(x / 37), 150 + 30 * np.sin(y / 41)], -1)
    a = alpha[..., None] / 255
    mixed = a * subject + (1 - a) * behind + np.random.default_rng(2).normal(0, grain, subject.shape)
    return np.rint(mixed.clip(0, 255)).astype(np.uint8)


def sized(alpha: Any, width: int, height: int, kernel: Any = LANCZOS) -> Any:
    return np.asarray(Image.fromarray(alpha).resize((width, height), kernel))


def error(alpha: Any, truth: Any) -> float:
    """The mean difference where the truth is partial."""
    band = (truth > 0) & (truth < 255)
    return float(np.abs(alpha.astype(int) - truth)[band].mean())


ALPHA = true_alpha()
PHOTO = photo(ALPHA)


@pytest.mark.parametrize(("divided_by", "at_least"), [(1.2, 4), (1.5, 4), (2, 4), (4, 3), (8, 1.2)])
def test_a_smaller_alpha_gets_the_pictures_detail(divided_by: float, at_least: float) -> None:
    small = sized(ALPHA, round(WIDTH / divided_by), round(HEIGHT / divided_by))
    refined = matte.refine(small, Picture(PHOTO))
    assert (refined.dtype, refined.shape) == (np.uint8, ALPHA.shape)
    assert error(refined, ALPHA) * at_least < error(sized(small, WIDTH, HEIGHT, BICUBIC), ALPHA)


def test_an_alpha_of_little_detail_gets_it_whatever_size_it_was_sent_at() -> None:
    little = sized(ALPHA, WIDTH // 4, HEIGHT // 4)
    for width, height in ((WIDTH // 2, HEIGHT // 2), (WIDTH, HEIGHT)):
        sent = sized(little, width, height, BICUBIC)
        refined = matte.refine(sent, Picture(PHOTO))
        assert error(refined, ALPHA) * 1.4 < error(sized(sent, WIDTH, HEIGHT, BICUBIC), ALPHA)


@pytest.mark.parametrize(("divided_by", "at_least"), [(4, 1.4), (8, 1.5), (16, 1.5)])
def test_an_alpha_of_far_less_detail_than_its_size_is_found_out(divided_by: int, at_least: float) -> None:
    width, height = 1800, 1200
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius, angle = np.hypot(x - width / 2, y - height / 2), np.arctan2(y - height / 2, x - width / 2)
    edge = 0.3 * height * (1 + 0.08 * np.sin(5 * angle))
    truth = np.rint(((edge - radius) / 4 + 0.5).clip(0, 1) * 255).astype(np.uint8)
    sent = sized(sized(truth, width // divided_by, height // divided_by), width, height, BICUBIC)
    foggy = (sent > 0) & (sent < 255)
    refined = matte.refine(sent, Picture(photo(truth)))
    before, after = (np.abs(alpha.astype(int) - truth)[foggy].mean() for alpha in (sent, refined))
    assert after * at_least < before


def test_an_alpha_that_is_out_of_place_is_drawn_to_the_pictures_edges() -> None:
    small = np.roll(sized(ALPHA, WIDTH // 2, HEIGHT // 2), 1, axis=1)
    refined = matte.refine(small, Picture(PHOTO))
    assert error(refined, ALPHA) * 1.5 < error(sized(small, WIDTH, HEIGHT, BICUBIC), ALPHA)


@pytest.mark.parametrize("divided_by", [2, 3])
def test_an_alpha_with_the_noise_of_jpeg_gets_the_pictures_detail(divided_by: int) -> None:
    file = io.BytesIO()
    Image.fromarray(sized(ALPHA, WIDTH // divided_by, HEIGHT // divided_by)).save(file, "JPEG", quality=40)
    sent = np.asarray(Image.open(file))
    refined = matte.refine(sent, Picture(PHOTO))
    assert error(refined, ALPHA) * 2 < error(sized(sent, WIDTH, HEIGHT, BICUBIC), ALPHA)


def test_the_result_made_smaller_is_the_alpha_that_came() -> None:
    small = sized(ALPHA, WIDTH // 2, HEIGHT // 2)
    again = sized(matte.refine(small, Picture(PHOTO)), WIDTH // 2, HEIGHT // 2)
    assert error(again, small) < 0.5 * error(
        sized(sized(small, WIDTH, HEIGHT, BICUBIC), WIDTH // 2, HEIGHT // 2), small
    )


@pytest.mark.parametrize("picture", ["noise", "black", "stripes"])
def test_a_picture_that_says_nothing_of_the_subject_does_no_harm(picture: str) -> None:
    stripes = np.where(np.arange(WIDTH) % 7 < 3, 200, 40)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)
    pixels = {"noise": noise(HEIGHT, WIDTH, 3), "black": np.zeros_like(PHOTO), "stripes": stripes.astype(np.uint8)}
    smooth = true_alpha(90, 60)
    truth = sized(smooth, WIDTH, HEIGHT, BICUBIC)
    small = sized(truth, WIDTH // 3, HEIGHT // 3)
    bicubic = sized(small, WIDTH, HEIGHT, BICUBIC)
    refined = matte.refine(small, Picture(pixels[picture]))
    assert error(refined, truth) <= 1.02 * error(bicubic, truth) + ROUNDING


def spread(alpha: Any) -> Any:
    """How much the alpha differs within 5 x 5 pixels."""
    padded = np.pad(alpha, 2, mode="edge")
    height, width = alpha.shape
    parts = [padded[dy : dy + height, dx : dx + width] for dy, dx in itertools.product(range(5), range(5))]
    return np.max(parts, axis=0) - np.min(parts, axis=0)


def test_where_an_alpha_that_is_out_of_place_hardly_changes_the_picture_adds_nothing() -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    radius = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    glass = ((0.4 * HEIGHT - radius) / 3 + 0.5).clip(0, 1) * (0.4 + 0.2 * np.sin(x / 110) * np.cos(y / 130))
    rim = 0.9 * np.exp(-(((radius - 0.4 * HEIGHT) / 2.5) ** 2))
    truth = np.rint(np.maximum(glass, rim) * 255).astype(np.uint8)
    a = truth[..., None] / 255
    pixels = np.rint(240 * a + (100 + 0.1 * sized(noise(HEIGHT // 3, WIDTH // 3, 3), WIDTH, HEIGHT)) * (1 - a))
    small = np.roll(sized(truth, WIDTH // 2, HEIGHT // 2), 1, axis=1)
    refined, bicubic = matte.refine(small, Picture(pixels.astype(np.uint8))), sized(small, WIDTH, HEIGHT, BICUBIC)
    calm = np.kron(spread(small) <= 4, np.ones((2, 2), bool))
    assert (calm & (glass > 0)).mean() > 0.1
    np.testing.assert_array_equal(refined[calm], bicubic[calm])
    assert error(refined, truth) * 1.2 < error(bicubic, truth)


def before_texture(alpha: Any, fineness: int) -> Picture:
    """A subject of one colour with the alpha before strong texture of that many pixels."""
    texture = sized(noise(HEIGHT // fineness, WIDTH // fineness, 3), WIDTH, HEIGHT, BICUBIC)
    a = alpha[..., None] / 255
    pixels = a * np.array([210, 150, 90]) + (1 - a) * (np.array([40, 70, 100]) + 0.5 * texture)
    return Picture(np.rint(pixels).astype(np.uint8))


def star() -> Any:
    """A subject with a hard edge, (height, width), 0 to 1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    radius, angle = np.hypot(x - WIDTH / 2, y - HEIGHT / 2), np.arctan2(y - HEIGHT / 2, x - WIDTH / 2)
    return ((0.3 * HEIGHT * (1 + 0.1 * np.sin(7 * angle)) - radius) / 2 + 0.5).clip(0, 1)


@pytest.mark.parametrize("blur", [0, 1])
@pytest.mark.parametrize("divided_by", [1, 2, 3])
@pytest.mark.parametrize("fineness", [2, 3, 8])
def test_a_soft_edge_gets_none_of_the_texture_behind_it(fineness: int, divided_by: int, blur: int) -> None:
    still = star()
    truth = np.rint(np.mean([np.roll(still, step, axis=1) for step in range(-30, 31)], axis=0) * 255).astype(np.uint8)
    small = Image.fromarray(sized(truth, WIDTH // divided_by, HEIGHT // divided_by))
    small = np.asarray(small.filter(ImageFilter.GaussianBlur(blur)))
    refined = matte.refine(small, before_texture(truth, fineness))
    assert error(refined, truth) <= 1.02 * error(sized(small, WIDTH, HEIGHT, BICUBIC), truth) + NOTHING


def test_an_alpha_that_is_out_of_place_is_drawn_to_edges_before_texture_too() -> None:
    truth = np.rint(star() * 255).astype(np.uint8)
    sent = np.roll(truth, 1, axis=1)
    refined = matte.refine(sent, before_texture(truth, 12))
    before, after = (np.abs(alpha.astype(int) - truth).mean() for alpha in (sent, refined))
    assert after * 1.05 < before


def test_where_the_alpha_does_not_change_it_is_exact() -> None:
    small = sized(ALPHA, WIDTH // 3, HEIGHT // 3)
    refined = matte.refine(small, Picture(photo(ALPHA, grain=20)))
    whole = np.kron(spread(small) == 0, np.ones((3, 3), bool))
    assert whole.mean() > 0.3
    np.testing.assert_array_equal(refined[whole], np.kron(small, np.ones((3, 3), np.uint8))[whole])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.filterwarnings("error")
def test_pictures_and_alphas_of_any_size_and_content_are_taken(channels: int, dtype: Any) -> None:
    sizes = [(1, 1), (5, 2), (17, 33), (20, 200), (90, 161)]
    for height, width in sizes:
        for small in ((1, 1), (max(1, height // 2), max(1, width // 2)), (height, width)):
            alpha = noise(*small, 1)[..., 0]
            for pixels in (noise(height, width, channels, dtype), np.zeros((height, width, channels), dtype)):
                for sent in (alpha, np.where(alpha > 127, 255, 0).astype(np.uint8)):
                    refined = matte.refine(sent, Picture(pixels))
                    assert (refined.dtype, refined.shape) == (np.uint8, (height, width))


def test_an_exact_alpha_of_the_pictures_size_stays_bit_for_bit() -> None:
    for pixels in (PHOTO, PHOTO[..., :1].copy(), np.dstack([PHOTO[..., 0]] * 3)):
        np.testing.assert_array_equal(matte.refine(ALPHA, Picture(pixels)), ALPHA)


def test_16_bits_guide_like_8() -> None:
    small = sized(ALPHA, WIDTH // 2, HEIGHT // 2)
    deep = PHOTO.astype(np.uint16) * 257
    np.testing.assert_array_equal(matte.refine(small, Picture(deep)), matte.refine(small, Picture(PHOTO)))


def test_hidden_colours_do_not_guide() -> None:
    own = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    own[:, : WIDTH // 2] = 0
    layers = [np.concatenate([colours, own], axis=2) for colours in (PHOTO, PHOTO.copy())]
    layers[1][:, : WIDTH // 2, :3] = noise(HEIGHT, WIDTH // 2, 3)
    small = sized(ALPHA, WIDTH // 2, HEIGHT // 2)
    first, second = (matte.refine(small, Picture(layer)) for layer in layers)
    np.testing.assert_array_equal(first, second)


def test_the_same_input_makes_the_same_alpha() -> None:
    small = sized(ALPHA, WIDTH // 3, HEIGHT // 3)
    first, second = (matte.refine(small, Picture(PHOTO)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("flaw", ["none", "little detail", "out of place"])
def test_progress_rises_to_its_end_and_can_stop_the_work(flaw: str) -> None:
    small = sized(ALPHA, WIDTH // 3, HEIGHT // 3)
    if flaw == "little detail":
        small = sized(sized(small, WIDTH // 12, HEIGHT // 12), WIDTH // 3, HEIGHT // 3, BICUBIC)
    elif flaw == "out of place":
        small = np.roll(small, 1, axis=1)
    told: list[float] = []
    matte.refine(small, Picture(PHOTO), told.append)
    assert told == sorted(told)
    assert 0 <= told[0] < 0.2
    assert 0.9 < told[-1] <= 1

    def stop(fraction: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        matte.refine(small, Picture(PHOTO), stop)
