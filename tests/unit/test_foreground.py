"""The subject's own colours at soft edges, against scenes whose true colours are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layerlift.imaging.foreground import clean_edges
from layerlift.imaging.pictures import Picture

from .picture_files import noise


def scene(height: int, width: int, kind: str, dtype: Any = np.uint8) -> tuple[Any, Any, Any]:
    """A picture, its alpha, and the true foreground: a textured disc with hair before a busy or a green background."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x - width / 2) / height, (y - height / 2) / height
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    softness, hair = {
        "soft": (0.02, 0.01 * np.sin(60 * angle)),
        "hair": (0.06, 0.05 * np.abs(np.sin(150 * angle))),
        "studio": (0.02, 0.02 * np.sin(90 * angle)),
    }[kind]
    alpha = np.rint(np.clip((0.35 + hair - radius) / softness + 0.5, 0, 1) * 255).astype(np.uint8)
    subject = np.stack(
        [0.6 + 0.25 * np.sin(25 * angle), 0.4 + 0.15 * np.sin(40 * radius), 0.3 + 0.1 * np.cos(20 * u)], -1
    )
    behind = np.stack([0.3 + 0.2 * np.sin(30 * u), 0.6 + 0.2 * np.sin(22 * v), 0.7 + 0.2 * np.sin(17 * u - 9 * v)], -1)
    if kind == "studio":
        behind[:] = (0.1, 0.85, 0.2)
    subject += random.normal(0, 0.02, subject.shape)
    behind += random.normal(0, 0.02, behind.shape)
    a, top = alpha[..., None] / 255, np.iinfo(dtype).max
    mixed = a * subject.clip(0, 1) + (1 - a) * behind.clip(0, 1)
    return np.rint(mixed * top).astype(dtype), alpha, subject.clip(0, 1) * top


def cleaned_picture(picture: Picture, alpha: Any) -> Any:
    """The picture's pixels with what `clean_edges` changes."""
    pixels = picture.pixels.copy()
    for (x, y, width, height), part in clean_edges(picture, alpha):
        pixels[y : y + height, x : x + width] = part
    return pixels


def error(pixels: Any, alpha: Any, truth: Any) -> float:
    """The mean difference that is seen in the soft edge on any new background, in 1/255 of the range."""
    band = (alpha > 0) & (alpha < 255)
    seen = np.abs(pixels[..., : truth.shape[2]] - truth) * (alpha[..., None] / 255)
    return float(seen[band].mean()) * 255 / np.iinfo(pixels.dtype).max


@pytest.mark.parametrize(("kind", "at_least"), [("soft", 4), ("hair", 2.5), ("studio", 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_edges_show_much_less_of_the_old_background(kind: str, at_least: float, dtype: Any) -> None:
    pixels, alpha, truth = scene(600, 900, kind, dtype)
    cleaned = cleaned_picture(Picture(pixels), alpha)
    assert cleaned.dtype == dtype
    assert error(cleaned, alpha, truth) * at_least < error(pixels, alpha, truth)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_pictures_are_cleaned_too(dtype: Any) -> None:
    pixels, alpha, truth = (part[..., 1:2] if part.ndim == 3 else part for part in scene(600, 900, "studio", dtype))
    cleaned = cleaned_picture(Picture(np.ascontiguousarray(pixels)), alpha)
    assert error(cleaned, alpha, truth) * 3 < error(pixels, alpha, truth)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_only_the_colours_of_the_soft_edge_change(channels: int, dtype: Any) -> None:
    _, alpha, _ = scene(300, 301, "hair")
    pixels = noise(300, 301, channels, dtype)
    before = pixels.copy()
    cleaned = cleaned_picture(Picture(pixels), alpha)
    np.testing.assert_array_equal(pixels, before)
    outside = (alpha == 0) | (alpha == 255)
    np.testing.assert_array_equal(cleaned[outside], pixels[outside])
    assert (cleaned[~outside] != pixels[~outside]).any()
    if channels in (2, 4, 5):
        np.testing.assert_array_equal(cleaned[..., -1], pixels[..., -1])


def test_hidden_colours_do_not_leak_into_the_edge() -> None:
    pixels, alpha, truth = scene(600, 900, "soft")
    layer = np.dstack([pixels, np.where(np.arange(900) < 450, 255, 0)[None].repeat(600, 0).astype(np.uint8)])
    layer[:, 450:, :3] = (255, 0, 255)
    cleaned = cleaned_picture(Picture(layer), alpha)
    half = np.s_[:, :450]
    assert error(cleaned[half], alpha[half], truth[half]) * 4 < error(pixels[half], alpha[half], truth[half])


def test_pictures_that_are_reduced_for_the_estimate_are_cleaned_as_well() -> None:
    pixels, alpha, truth = scene(1501, 2203, "studio")
    assert error(cleaned_picture(Picture(pixels), alpha), alpha, truth) * 5 < error(pixels, alpha, truth)


def test_what_is_far_from_the_edges_has_no_say_in_their_colours() -> None:
    small, soft, _ = scene(301, 401, "hair")
    pixels, alpha = noise(1503, 2207, 3), np.zeros((1503, 2207), np.uint8)
    pixels[600:901, 900:1301], alpha[600:901, 900:1301] = small, soft
    other = 255 - pixels
    near = np.s_[250:1290, 630:1680]
    other[near] = pixels[near]
    first, second = (cleaned_picture(Picture(whole), alpha) for whole in (pixels, other))
    np.testing.assert_array_equal(first[near], second[near])
    assert (first != pixels).any()


@pytest.mark.parametrize("value", [0, 255])
def test_an_alpha_without_soft_edges_changes_nothing(value: int) -> None:
    pixels = noise(50, 60, 3)
    assert list(clean_edges(Picture(pixels), np.full((50, 60), value, np.uint8))) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 1), (1, 9), (4, 4), (17, 33), (20, 3000), (3000, 20)])
@pytest.mark.parametrize("value", [1, 128, 254])
def test_pictures_of_any_size_with_soft_alpha_all_over_are_taken(size: tuple[int, int], value: int) -> None:
    pixels = noise(*size, 4, np.uint16)
    cleaned = cleaned_picture(Picture(pixels), np.full(size, value, np.uint8))
    assert cleaned.shape == pixels.shape


@pytest.mark.parametrize("colour", [0, 90, 255])
def test_a_picture_of_one_colour_stays_as_it_is(colour: int) -> None:
    _, alpha, _ = scene(200, 300, "hair")
    pixels = np.full((200, 300, 3), colour, np.uint8)
    np.testing.assert_array_equal(cleaned_picture(Picture(pixels), alpha), pixels)


def test_the_same_input_makes_the_same_colours() -> None:
    pixels, alpha, _ = scene(600, 900, "hair")
    first, second = (cleaned_picture(Picture(pixels), alpha) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint32])
def test_edges_are_cleaned_at_every_depth(dtype: Any) -> None:
    pixels, alpha, truth = scene(600, 900, "hair", np.uint16)
    top = 1.0 if np.dtype(dtype).kind == "f" else 2**32 - 1
    deep = (pixels / 65535 * top).astype(dtype)
    cleaned = cleaned_picture(Picture(deep), alpha)
    assert cleaned.dtype == dtype
    in_16_bits = np.rint(cleaned.astype(np.float64) / top * 65535).astype(np.uint16)
    assert error(in_16_bits, alpha, truth) * 2.5 < error(pixels, alpha, truth)
    outside = (alpha == 0) | (alpha == 255)
    np.testing.assert_array_equal(cleaned[outside], deep[outside])


def test_five_channels_are_cmyk_with_alpha() -> None:
    _, alpha, _ = scene(300, 301, "hair")
    pixels = noise(300, 301, 5, np.uint16)
    cleaned = cleaned_picture(Picture(pixels), alpha)
    np.testing.assert_array_equal(cleaned[..., -1], pixels[..., -1])
    assert (cleaned[..., :-1] != pixels[..., :-1]).any()


@pytest.mark.filterwarnings("error")
def test_floats_keep_their_range_and_what_is_not_a_number_stays_where_it_is() -> None:
    pixels, alpha, _ = scene(300, 400, "soft")
    bright = (pixels / np.float32(255) * 40 - 1).astype(np.float32)
    bright[10, 20] = np.nan
    bright[150, 200] = np.inf
    cleaned = cleaned_picture(Picture(bright), alpha)
    assert np.isnan(cleaned).sum() == 3
    assert np.isinf(cleaned).sum() == 3
    partial = cleaned[(alpha > 0) & (alpha < 255)]
    assert partial.max() > 2
    assert partial.min() >= np.nanmin(bright)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [3, 4])
def test_what_is_not_a_finite_number_stays_and_spoils_no_colour_beside_it(value: float, channels: int) -> None:
    pixels, alpha, _ = scene(300, 400, "soft")
    floats = np.ones((300, 400, channels), np.float32)
    floats[..., :3] = pixels / np.float32(255)
    before = cleaned_picture(Picture(floats), alpha)
    rows, columns = np.nonzero((alpha > 0) & (alpha < 255))
    spots = rows[:: len(rows) // 5], columns[:: len(rows) // 5], 1
    floats[spots] = value
    after = cleaned_picture(Picture(floats), alpha)
    np.testing.assert_array_equal(after[spots[:2]], floats[spots[:2]])
    before[spots[:2]] = after[spots[:2]] = 0
    assert np.abs(after - before).max() < 0.05


def test_a_smooth_edge_of_16_bits_has_more_colours_than_8_bits_can_give() -> None:
    pixels, alpha, _ = scene(600, 900, "soft", np.uint16)
    cleaned = cleaned_picture(Picture(pixels), alpha)
    partial = cleaned[(alpha > 0) & (alpha < 255)]
    assert len(np.unique(partial[:, 0])) > 10 * len(np.unique(partial[:, 0] // 257))


def test_only_parts_with_soft_edges_are_given() -> None:
    pixels, alpha, _ = scene(1501, 2203, "studio")
    parts = list(clean_edges(Picture(pixels), alpha))
    covered = sum(width * height for (_, _, width, height), _ in parts)
    assert covered < 0.5 * alpha.size
    for (x, y, width, height), part in parts:
        assert part.shape == (height, width, 3)
        assert part.flags.c_contiguous
        partial = alpha[y : y + height, x : x + width]
        assert ((partial > 0) & (partial < 255)).any()


def test_progress_rises_to_its_end_and_can_stop_the_work() -> None:
    pixels, alpha, _ = scene(600, 900, "hair")
    told: list[float] = []
    list(clean_edges(Picture(pixels), alpha, told.append))
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(fraction: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(clean_edges(Picture(pixels), alpha, stop))
