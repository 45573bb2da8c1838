"""The service's cut-out: checked before it is decoded, brought to the layer, multiplied."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from layerlift.errors import LayerliftError
from layerlift.imaging import matte
from layerlift.imaging.pictures import Picture
from PIL import Image

from .picture_files import noise, png, png_chunk, png_header


def saved(image: Image.Image, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def refusal(data: bytes, sent: tuple[int, int] = (30, 20)) -> str:
    with pytest.raises(LayerliftError) as caught:
        matte.decode(data, sent)
    return caught.value.code


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [2, 4])
def test_the_alpha_of_a_cut_out_is_exact(channels: int, interlaced: bool) -> None:
    truth = noise(20, 30, channels)
    alpha = matte.decode(png(truth, interlaced=interlaced), (30, 20))
    assert (alpha.dtype, alpha.shape) == (np.uint8, (20, 30))
    np.testing.assert_array_equal(alpha, truth[..., -1])


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bits_of_alpha_are_rounded_to_8(channels: int) -> None:
    truth = noise(20, 30, channels, np.uint16)
    expected = np.round(truth[..., -1] / 257).astype(np.uint8)
    np.testing.assert_array_equal(matte.decode(png(truth), (30, 20)), expected)


def test_a_palette_with_transparency_is_taken() -> None:
    image = Image.fromarray(noise(20, 30, 3)).quantize(16)
    image.info["transparency"] = bytes(range(0, 160, 10))
    truth = np.array(image.convert("RGBA"))[..., 3]
    np.testing.assert_array_equal(matte.decode(saved(image), (30, 20)), truth)


def test_one_transparent_colour_is_taken() -> None:
    truth = noise(20, 30, 3)
    truth[5:9, 5:9] = (0, 0, 0)
    alpha = matte.decode(png(truth, chunks=png_chunk(b"tRNS", bytes(6))), (30, 20))
    np.testing.assert_array_equal(alpha, 255 * truth.any(axis=-1))


def test_a_smaller_cut_out_of_the_same_shape_is_taken() -> None:
    for sent, got in (
        ((4096, 2731), (1024, 683)),
        ((4096, 2731), (1024, 682)),
        ((4096, 3), (2048, 2)),
        ((3, 2), (1, 1)),
    ):
        assert matte.decode(png(noise(got[1], got[0], 4)), sent).shape == (got[1], got[0])


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_cut_out_lies_as_what_was_sent_whatever_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(noise(20, 30, 4))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    assert np.array_equal(matte.decode(buffer.getvalue(), (30, 20)), np.asarray(image)[..., 3])


def test_a_cut_out_of_so_few_pixels_that_it_shows_nothing_is_refused() -> None:
    assert matte.decode(png(noise(171, 256, 4)), (4096, 2731)).shape == (171, 256)
    for got in ((1, 1), (3, 2), (255, 170)):
        assert refusal(png(noise(got[1], got[0], 4)), (4096, 2731)) == "result_size"


@pytest.mark.parametrize("got", [(30, 21), (31, 20), (60, 40), (20, 30), (30, 10), (15, 20), (10, 10)])
def test_a_cut_out_of_another_shape_or_more_pixels_is_refused(got: tuple[int, int]) -> None:
    assert refusal(png(noise(got[1], got[0], 4))) == "result_size"


def test_a_bomb_is_refused_by_its_header() -> None:
    assert refusal(png_header(60000, 60000)) == "result_size"
    assert refusal(png_header(0, 0)) == "result_size"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_result_without_alpha_is_refused(channels: int) -> None:
    assert refusal(png(noise(20, 30, channels))) == "result_no_alpha"
    assert refusal(png(noise(20, 30, channels, np.uint16))) == "result_no_alpha"


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_truncated_result_is_refused(part: float) -> None:
    data = png(noise(20, 30, 4))
    assert refusal(data[: int(len(data) * part)]) == "result_broken"
    assert refusal(data[:20]) == "result_broken"


def test_every_flipped_byte_is_refused_or_harmless() -> None:
    truth = noise(20, 30, 4)
    whole = png(truth)
    for position in range(0, len(whole), 7):
        data = bytearray(whole)
        data[position] ^= 0x55
        try:
            alpha = matte.decode(bytes(data), (30, 20))
        except LayerliftError as error:
            assert error.code in {"result_broken", "result_size", "result_not_picture", "result_no_alpha"}
        else:
            np.testing.assert_array_equal(alpha, truth[..., 3])


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html><html></html>", b"<?xml version='1.0'?><Error/>", b"GIF89a"])
def test_something_else_than_a_png_is_refused(data: bytes) -> None:
    assert refusal(data) == "result_not_picture"


def test_a_jpeg_is_refused() -> None:
    assert refusal(saved(Image.new("RGB", (30, 20)), "JPEG")) == "result_not_picture"


def test_an_alpha_of_the_layers_size_is_not_touched() -> None:
    alpha = noise(20, 30, 1)[..., 0]
    picture = Picture(np.dstack([alpha] * 3))
    np.testing.assert_array_equal(matte.refine(alpha, picture), alpha)


@pytest.mark.parametrize("size", [(60, 40), (61, 41), (3000, 2000)])
def test_an_alpha_is_brought_to_the_layers_size(size: tuple[int, int]) -> None:
    y, x = np.mgrid[0:20, 0:30]
    alpha = np.where((x - 15) ** 2 + (y - 10) ** 2 < 50, 255, 0).astype(np.uint8)
    refined = matte.refine(alpha, Picture(noise(size[1], size[0], 3)))
    assert (refined.dtype, refined.shape) == (np.uint8, (size[1], size[0]))
    assert refined[size[1] // 2, size[0] // 2] == 255
    assert refined[0, 0] == 0
    assert abs(refined.mean() - alpha.mean()) < 2


@pytest.mark.parametrize("value", [0, 255])
def test_a_full_or_empty_alpha_stays_full_or_empty(value: int) -> None:
    assert (matte.refine(np.full((20, 30), value, np.uint8), Picture(noise(203, 301, 3))) == value).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_without_alpha_gets_it_and_keeps_its_colours(channels: int, dtype: type) -> None:
    pixels, alpha = noise(300, 30, channels, dtype), noise(300, 30, 1)[..., 0]
    result = matte.cut_out(Picture(pixels, b"profile"), alpha, clean_edges=False)
    assert result.pixels.dtype == dtype
    np.testing.assert_array_equal(result.pixels[..., :-1], pixels)
    np.testing.assert_array_equal(result.pixels[..., -1], alpha.astype(int) * (1 if dtype == np.uint8 else 257))
    assert result.icc_profile == b"profile"


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_alpha_of_its_own_is_multiplied_and_rounded(channels: int, dtype: type) -> None:
    pixels, alpha = noise(300, 256, channels, dtype), noise(300, 256, 1)[..., 0]
    result = matte.cut_out(Picture(pixels), alpha, clean_edges=False).pixels
    np.testing.assert_array_equal(result[..., :-1], pixels[..., :-1])
    np.testing.assert_array_equal(result[..., -1], np.round(pixels[..., -1] * alpha.astype(float) / 255))


def test_bands_of_a_large_picture_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "layer.raw"
    np.full((4000, 1000, 4), 9000, np.uint16).tofile(path)
    pixels = np.memmap(path, np.uint16, mode="r", shape=(4000, 1000, 4))
    alpha = np.full((4000, 1000), 255, np.uint8)
    alpha[1000:1200, :100] = 90
    tracemalloc.start()
    rows = sum(len(band) for band in matte.cut_bands(Picture(pixels), alpha, clean_edges=True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 4000
    assert peak < pixels.nbytes / 2


def test_every_product_of_two_8_bit_alphas_is_exact() -> None:
    own, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    pixels = np.stack([own, own], -1)
    expected = np.round(own.astype(float) * alpha / 255)
    np.testing.assert_array_equal(matte.cut_out(Picture(pixels), alpha, clean_edges=False).pixels[..., 1], expected)


def test_an_opaque_alpha_changes_nothing() -> None:
    for dtype in (np.uint8, np.uint16):
        pixels = noise(20, 30, 4, dtype)
        result = matte.cut_out(Picture(pixels), np.full((20, 30), 255, np.uint8), clean_edges=False).pixels
        np.testing.assert_array_equal(result, pixels)
