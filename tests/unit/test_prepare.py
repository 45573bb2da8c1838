"""What is uploaded: within the service's limits, and looking like the layer."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import pyvips
from layerlift.errors import LayerliftError
from layerlift.imaging import pictures
from layerlift.imaging.pictures import Picture
from layerlift.imaging.prepare import SERVICE_LIMITS, Limits, Upload, prepare
from numpy.typing import NDArray
from PIL import Image, ImageCms

from .picture_files import noise


def opened(upload: Upload) -> Image.Image:
    image = Image.open(io.BytesIO(upload.data))
    image.load()
    return image


def seen(upload: Upload) -> NDArray[np.int64]:
    return np.asarray(opened(upload)).astype(np.int64)


def scene(height: int, width: int, grain: float, seed: int = 0) -> NDArray[np.uint8]:
    """Soft shapes with film grain: the more grain, the larger the JPEG."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = np.stack([128 + 90 * np.sin(x / 97 + y / 61), 255 * x / width, 255 * y / height], -1)
    base += random.standard_normal(base.shape, np.float32) * grain
    return base.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("grain", [0, 8, 25, 80])
def test_the_best_quality_that_fits_is_chosen(grain: float) -> None:
    picture = Picture(scene(1600, 1600, grain))
    limits = Limits(4096, 2_000_000)
    upload = prepare(picture, limits)
    assert len(upload.data) < limits.max_bytes
    if upload.quality < 95:
        better = prepare(picture, Limits(4096, len(upload.data) * 3))
        assert better.quality > upload.quality or not better.subsampled
        assert len(better.data) > limits.max_bytes * 0.9


def test_pure_noise_at_full_size_fits() -> None:
    upload = prepare(Picture(noise(4096, 4096, 3)))
    assert len(upload.data) < SERVICE_LIMITS.max_bytes
    assert (upload.width, upload.height) == (4096, 4096)


def test_noise_in_one_part_alone_fits_although_the_prediction_may_miss_it() -> None:
    pixels = np.zeros((2000, 2000, 3), np.uint8)
    for top in range(40, 2000, 130):
        pixels[top : top + 80] = noise(len(pixels[top : top + 80]), 2000, 3)
    assert len(prepare(Picture(pixels), Limits(4096, 1_500_000)).data) < 1_500_000


def test_an_upload_is_a_jpeg_with_full_colour_resolution_where_that_fits() -> None:
    upload = prepare(Picture(scene(300, 400, 5)))
    assert opened(upload).format == "JPEG"
    assert (upload.quality, upload.subsampled, upload.content_type) == (95, False, "image/jpg")


def test_the_same_pixels_make_the_same_upload() -> None:
    picture = Picture(scene(900, 5000, 9))
    assert prepare(picture).data == prepare(picture).data


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4096, 100), (4096, 100)),
        ((4097, 4097), (4096, 4096)),
        ((6000, 4000), (4096, 2731)),
        ((3000, 6000), (2048, 4096)),
        ((30000, 20), (4096, 3)),
        ((20, 30000), (3, 4096)),
        ((30000, 1), (4096, 1)),
        ((1, 1), (1, 1)),
        ((2, 1), (2, 1)),
    ],
)
def test_the_longest_side_is_4096_and_the_aspect_is_kept(size: tuple[int, int], expected: tuple[int, int]) -> None:
    width, height = size
    upload = prepare(Picture(np.full((height, width, 3), 77, np.uint8)))
    assert (upload.width, upload.height) == expected
    assert opened(upload).size == expected
    assert np.abs(seen(upload) - 77).max() <= 1


def test_reduction_is_lanczos() -> None:
    pixels = scene(1500, 5000, 20)

    def reduced(kernel: Image.Resampling) -> Picture:
        return Picture(np.asarray(Image.fromarray(pixels).resize((4096, 1229), kernel)))

    upload = seen(prepare(Picture(pixels)))
    kernels = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.HAMMING)
    lanczos, bicubic, hamming = (seen(prepare(reduced(kernel))) for kernel in kernels)
    difference = np.abs(upload - lanczos).mean()  # of the JPEG's rounding, mostly
    assert difference < np.abs(bicubic - lanczos).mean() * 0.7
    assert difference < np.abs(hamming - lanczos).mean() * 0.5


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_pixels_are_white_and_hide_their_colours(channels: int, dtype: type) -> None:
    full = int(np.iinfo(dtype).max)
    pixels = noise(64, 64, channels, dtype)
    pixels[..., -1] = 0
    pixels[:, :32] = full // 2
    pixels[:, :32, -1] = full
    shown = seen(prepare(Picture(pixels)))
    assert (shown[:, 48:] == 255).all()
    assert np.abs(shown[:, :24] - 127).max() <= 1


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    pixels = np.full((32, 32, 4), 0, np.uint8)
    pixels[..., 3] = 51
    assert np.abs(seen(prepare(Picture(pixels))) - 204).max() <= 1


@pytest.mark.parametrize("channels", [1, 2])
def test_gray_is_sent_as_rgb(channels: int) -> None:
    pixels = np.full((40, 50, channels), 255, np.uint8)
    pixels[..., 0] = 90
    upload = prepare(Picture(pixels))
    assert opened(upload).mode == "RGB"
    assert np.abs(seen(upload) - 90).max() <= 1


def test_16_bits_are_rounded_to_8() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    rounded = np.round(levels / 257).astype(np.uint8)
    assert prepare(Picture(levels)).data == prepare(Picture(rounded)).data


def test_a_profile_is_converted_to_srgb_and_named_in_the_upload() -> None:
    source = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb").icc_transform("p3", input_profile="srgb")
    profile = source.get("icc-profile-data")
    pixels = np.full((32, 32, 3), (200, 60, 60), np.uint8)
    upload = prepare(Picture(pixels, profile))
    wide = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    truth = ImageCms.profileToProfile(Image.fromarray(pixels), wide, ImageCms.createProfile("sRGB"), renderingIntent=1)
    assert np.abs(seen(upload) - np.asarray(truth)).max() <= 3
    assert np.abs(seen(upload) - pixels).max() > 8
    embedded = opened(upload).info["icc_profile"]
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(embedded)))


def test_a_gray_profile_is_converted() -> None:
    upload = prepare(Picture(np.full((32, 32, 1), 55, np.uint8), gray_profile(gamma=1.0)))
    assert opened(upload).mode == "RGB"
    assert np.abs(seen(upload) - 128).max() <= 3


def gray_profile(gamma: float) -> bytes:
    """A minimal ICC gray profile: one tone curve and the D50 white point."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = ((b"wtpt", white), (b"kTRC", curve))
    table, body, position = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", position + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", position + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def test_without_a_profile_none_is_embedded() -> None:
    assert "icc_profile" not in opened(prepare(Picture(scene(32, 32, 3)))).info


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("profile", [b"not a profile", bytes(200)])
def test_a_broken_profile_counts_as_srgb_and_is_not_uploaded(profile: bytes, channels: int) -> None:
    pixels = scene(32, 32, 0)[..., :channels]
    upload = prepare(Picture(pixels, profile))
    ImageCms.ImageCmsProfile(io.BytesIO(opened(upload).info["icc_profile"]))
    assert np.abs(seen(upload) - pixels).mean() < 3


def test_a_profile_of_another_kind_of_colours_does_no_harm() -> None:
    cmyk = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb").icc_transform("cmyk", input_profile="srgb")
    pixels = scene(32, 32, 0)
    upload = prepare(Picture(pixels, cmyk.get("icc-profile-data")))
    assert np.abs(seen(upload) - pixels).mean() < 3


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 4), (0, 0, 1)])
def test_a_layer_without_pixels_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(LayerliftError) as caught:
        prepare(Picture(np.zeros(shape, np.uint8)))
    assert caught.value.code == "picture_empty"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_fully_transparent_layer_is_refused(channels: int, dtype: type) -> None:
    pixels = noise(20, 30, channels, dtype)
    pixels[..., -1] = 0
    with pytest.raises(LayerliftError) as caught:
        prepare(Picture(pixels))
    assert caught.value.code == "picture_empty"


def test_pixels_that_were_mapped_from_a_file_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    truth = scene(30, 40, 0)
    path.write_bytes(truth.tobytes())
    assert np.abs(seen(prepare(pictures.read_raw(path, 40, 30, 3))) - truth).mean() < 3
