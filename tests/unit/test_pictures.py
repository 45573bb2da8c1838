"""What picture files become, and what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from layerlift.errors import Cancelled, LayerliftError, make
from layerlift.imaging import pictures
from layerlift.imaging.pictures import Picture
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from .picture_files import noise, png, png_chunk, png_header, png_samples, tiff

LARGE = (3000, 2000)
"""Pixels enough for news on the way, where they are noise, which takes long: libvips tells of it beside its work."""


def builtin_profile(name: str) -> bytes:
    image = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")
    profile: bytes = image.icc_transform(name, input_profile="srgb").get("icc-profile-data")
    return profile


def stored(folder: Path, data: bytes, name: str = "picture") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def saved(folder: Path, image: Image.Image, form: str, **options: object) -> Path:
    path = folder / f"picture.{form.lower()}"
    image.save(path, form, **options)
    return path


def refusal(path: Path) -> LayerliftError:
    with pytest.raises(LayerliftError) as caught:
        pictures.read(path)
    return caught.value


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_is_read_at_its_own_depth(tmp_path: Path, dtype: type, channels: int, interlaced: bool) -> None:
    truth = noise(13, 21, channels, dtype)
    pixels = pictures.read(stored(tmp_path, png(truth, interlaced=interlaced))).pixels
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, truth)


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_is_read_at_its_own_depth(tmp_path: Path, dtype: type, channels: int, order: str, deflate: bool) -> None:
    truth = noise(13, 21, channels, dtype)
    pixels = pictures.read(stored(tmp_path, tiff(truth, order=order, deflate=deflate))).pixels
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, truth)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_an_lzw_tiff_is_read(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(noise(30, 40, 4)).convert(mode)
    truth = np.array(image).reshape(30, 40, -1)
    pixels = pictures.read(saved(tmp_path, image, "TIFF", compression="tiff_lzw")).pixels
    np.testing.assert_array_equal(pixels, truth)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_16_bit_lzw_tiff_is_read(tmp_path: Path, channels: int) -> None:
    truth = noise(30, 40, channels, np.uint16)
    path = tmp_path / "picture.tif"
    pictures.to_vips(truth).tiffsave(str(path), compression="lzw", predictor="horizontal")
    np.testing.assert_array_equal(pictures.read(path).pixels, truth)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "TGA", "PPM"])
def test_every_usual_format_is_read(tmp_path: Path, form: str) -> None:
    y, x = np.mgrid[0:48, 0:64]
    image = Image.fromarray(np.stack([x * 4, y * 5, 255 - x * 4], -1).astype(np.uint8))
    pixels = pictures.read(saved(tmp_path, image, form)).pixels
    truth = np.asarray(image).astype(int)
    assert pixels.shape == truth.shape
    assert np.abs(pixels - truth).mean() < 8


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_black_and_white_becomes_gray(tmp_path: Path, form: str) -> None:
    truth = noise(9, 19, 1) > 127
    pixels = pictures.read(saved(tmp_path, Image.fromarray(truth[..., 0]), form)).pixels
    np.testing.assert_array_equal(pixels, truth * 255)


def test_no_other_program_is_started_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow would hand an EPS file to Ghostscript, whatever the file is called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gs", "gswin32c", "gswin64c"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(LayerliftError) as caught:
        pictures.read(stored(tmp_path, eps, "photo.jpg"))
    assert caught.value.code == "picture_unreadable"
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF", "BMP"])
def test_indexed_colours_become_rgb(tmp_path: Path, form: str) -> None:
    image = Image.fromarray(noise(20, 30, 3)).quantize(16)
    pixels = pictures.read(saved(tmp_path, image, form)).pixels
    np.testing.assert_array_equal(pixels, np.array(image.convert("RGB")))


def test_indexed_colours_with_a_transparent_one_become_rgba(tmp_path: Path) -> None:
    image = Image.fromarray(noise(20, 30, 3)).quantize(16)
    image.info["transparency"] = bytes([0, 100, 255])
    pixels = pictures.read(saved(tmp_path, image, "PNG")).pixels
    np.testing.assert_array_equal(pixels, np.array(image.convert("RGBA")))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_profile_is_kept(tmp_path: Path, form: str) -> None:
    profile = builtin_profile("p3")
    image = Image.fromarray(noise(20, 30, 3))
    assert pictures.read(saved(tmp_path, image, form, icc_profile=profile)).icc_profile == profile


def test_the_profile_of_a_16_bit_file_is_kept(tmp_path: Path) -> None:
    profile = builtin_profile("p3")
    picture = pictures.read(stored(tmp_path, tiff(noise(8, 8, 3, np.uint16), profile=profile)))
    assert (picture.icc_profile, picture.pixels.dtype) == (profile, np.uint16)


def test_no_profile_is_made_up(tmp_path: Path) -> None:
    assert pictures.read(stored(tmp_path, png(noise(8, 8, 3)))).icc_profile is None


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_turned_upright(tmp_path: Path, form: str, orientation: int) -> None:
    y, x = np.mgrid[0:32, 0:48]
    image = Image.fromarray(np.stack([x * 5, y * 7, x + y], -1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"exif": exif}
    if form == "WEBP":
        options["lossless"] = True
    path = saved(tmp_path, image, form, **options)
    with Image.open(path) as opened:
        truth = np.array(ImageOps.exif_transpose(opened)).astype(int)
    pixels = pictures.read(path).pixels
    assert pixels.shape == truth.shape
    assert np.abs(pixels - truth).max() <= 3


def test_a_rotated_16_bit_file_is_turned_upright(tmp_path: Path) -> None:
    truth = noise(7, 11, 3, np.uint16)
    pixels = pictures.read(stored(tmp_path, tiff(truth, orientation=6))).pixels
    np.testing.assert_array_equal(pixels, np.rot90(truth, -1))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_goes_through_its_profile_to_srgb(tmp_path: Path, form: str) -> None:
    y, x = np.mgrid[0:32, 0:48]
    image = Image.fromarray(np.stack([x * 5, y * 7, x + y, y], -1).astype(np.uint8), "CMYK")
    profile = builtin_profile("cmyk")
    path = saved(tmp_path, image, form, icc_profile=profile)
    with Image.open(path) as opened:
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(opened, source, target, renderingIntent=1, outputMode="RGB")
    picture = pictures.read(path)
    assert picture.icc_profile is None
    assert picture.pixels.shape == (32, 48, 3)
    assert np.abs(picture.pixels - np.array(converted).astype(int)).mean() < 4


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_is_read(tmp_path: Path, form: str) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    pixels = pictures.read(saved(tmp_path, image, form)).pixels
    red, green, blue = pixels[8, 8].tolist()
    assert red > 180
    assert green < 80
    assert blue < 80


def test_cmyk_with_a_broken_profile_is_read(tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert pictures.read(saved(tmp_path, image, "JPEG", icc_profile=b"not a profile")).pixels.shape == (16, 16, 3)


def test_16_bit_cmyk_stays_16_bit(tmp_path: Path) -> None:
    picture = pictures.read(stored(tmp_path, tiff(noise(8, 8, 4, np.uint16), photometric=5)))
    assert picture.pixels.shape == (8, 8, 3)
    assert picture.pixels.dtype == np.uint16
    assert picture.pixels.max() > 255


@pytest.mark.parametrize("size", [(1, 1), (30000, 20), (20, 30000)])
def test_very_small_and_very_long_pictures_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = pictures.read(saved(tmp_path, Image.new("RGB", size, "red"), "JPEG"))
    assert (picture.width, picture.height) == size


@pytest.mark.parametrize("name", ["a b.png", "Füße 写真.png", "photo[1].png", "x.png[page=2]", "no suffix"])
def test_names_may_hold_spaces_brackets_and_letters_of_any_script(tmp_path: Path, name: str) -> None:
    truth = Picture(noise(5, 6, 4))
    pictures.write_png(tmp_path / name, truth)
    np.testing.assert_array_equal(pictures.read(tmp_path / name).pixels, truth.pixels)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    truth = noise(5, 6, 3)
    np.testing.assert_array_equal(pictures.read(stored(tmp_path, png(truth), "photo.jpg")).pixels, truth)


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    for seed in range(3):
        truth = noise(5, 6, 3, seed=seed)
        path = stored(tmp_path, png(truth))
        np.testing.assert_array_equal(pictures.read(path).pixels, truth)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.jpg")
    assert error.code == "picture_missing"
    assert "gone.jpg" in str(error)


def test_a_folder_an_empty_file_and_a_text_are_no_pictures(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "picture_unreadable"
    assert "empty" in str(refusal(stored(tmp_path, b"")))
    text = refusal(stored(tmp_path, b"Dear picture,\n" * 20, "text.jpg"))
    assert text.code == "picture_unreadable"
    assert "text.jpg" in str(text)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP"])
def test_a_truncated_file_is_refused(tmp_path: Path, form: str) -> None:
    path = saved(tmp_path, Image.fromarray(noise(200, 300, 3)), form)
    data = path.read_bytes()
    for length in (3, 20, len(data) // 2, len(data) * 9 // 10):
        path.write_bytes(data[:length])
        error = refusal(path)
        assert error.code == "picture_unreadable"
        assert path.name in str(error)


def test_a_damaged_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(png(noise(50, 60, 3)))
    data[len(data) // 2] ^= 0xFF
    assert refusal(stored(tmp_path, bytes(data))).code == "picture_unreadable"


def test_a_picture_that_is_too_large_is_refused_by_its_header(tmp_path: Path) -> None:
    assert refusal(stored(tmp_path, png_header(60000, 60000))).code == "picture_too_large"


def test_a_picture_beyond_pillows_own_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    pyvips.Image.black(20000, 10000).pngsave(str(path), compression=1)
    assert pictures.read(path).pixels.shape == (10000, 20000, 1)


def test_lab_colours_are_refused(tmp_path: Path) -> None:
    assert refusal(stored(tmp_path, tiff(noise(4, 4, 3), photometric=8))).code == "picture_unreadable"


def test_floating_point_samples_are_refused_and_named(tmp_path: Path) -> None:
    error = refusal(stored(tmp_path, tiff(np.ones((4, 4, 3), np.float32), sample_format=3)))
    assert error.code == "picture_unreadable"
    assert "float" in str(error)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float16, np.float32, np.float64])
def test_raw_pixels_of_every_depth_are_taken_as_they_are(tmp_path: Path, dtype: Any, channels: int) -> None:
    truth = noise(7, 9, channels, np.uint16).astype(dtype)
    picture = pictures.read_raw(stored(tmp_path, truth.tobytes()), 9, 7, channels, dtype)
    assert picture.pixels.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, truth)


@pytest.mark.parametrize(("channels", "last"), {1: False, 2: True, 3: False, 4: True, 5: True}.items())
def test_the_last_of_2_4_or_5_channels_is_alpha(channels: int, last: bool) -> None:
    picture = Picture(noise(7, 9, channels))
    assert (picture.alpha is not None) == last
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, picture.pixels[..., channels - 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("length", [0, 251, 253, 300, 1007, 1009])
def test_raw_pixels_of_another_length_are_refused(tmp_path: Path, length: int, dtype: Any) -> None:
    with pytest.raises(LayerliftError) as caught:
        pictures.read_raw(stored(tmp_path, bytes(length)), 9, 7, 4, dtype)
    assert caught.value.code == "pixels_missing"


def test_raw_pixels_that_never_came_and_layers_without_pixels_are_refused(tmp_path: Path) -> None:
    for size, code in (((9, 7), "pixels_missing"), ((0, 7), "picture_empty"), ((9, 0), "picture_empty")):
        with pytest.raises(LayerliftError) as caught:
            pictures.read_raw(tmp_path / "none", *size, 4)
        assert caught.value.code == code


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_written_png_holds_every_sample(tmp_path: Path, dtype: type, channels: int) -> None:
    truth = noise(13, 21, channels, dtype)
    pictures.write_png(tmp_path / "out.png", Picture(truth))
    samples = png_samples((tmp_path / "out.png").read_bytes())
    assert samples.dtype == dtype
    np.testing.assert_array_equal(samples, truth)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_written_png_keeps_the_profile(tmp_path: Path, dtype: type) -> None:
    profile = builtin_profile("p3")
    pictures.write_png(tmp_path / "out.png", Picture(noise(5, 6, 4, dtype), profile))
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == profile


def test_a_written_png_is_known_for_a_cut_out_also_when_others_have_added_to_it(tmp_path: Path) -> None:
    pictures.write_png(tmp_path / "out.png", Picture(noise(5, 6, 4)))
    with Image.open(tmp_path / "out.png") as image:
        more = PngInfo()
        more.add_text("Author", "somebody")
        for keyword, text in image.text.items():
            more.add_text(keyword, text)
        image.save(tmp_path / "more.png", pnginfo=more)
        image.save(tmp_path / "plain.png")
    found = {name: pictures.is_cut_out(tmp_path / name) for name in ("out.png", "more.png", "plain.png", "none.png")}
    assert found == {"out.png": True, "more.png": True, "plain.png": False, "none.png": False}


def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = stored(tmp_path, b"old", "out.png")
    pictures.write_png(path, Picture(noise(5, 6, 4)))
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def held_back(path: Path, half: Callable[[], bool]) -> Any:
    """A source of the file's bytes, whose second half comes when `half` holds, or after a second."""
    data = path.read_bytes()
    file = io.BytesIO(data)

    def read(size: int) -> bytes:
        deadline = time.monotonic() + 1
        while file.tell() > len(data) / 2 and not half() and time.monotonic() < deadline:
            time.sleep(0.001)
        return file.read(size)

    source = pyvips.SourceCustom()
    source.on_read(read)
    source.on_seek(file.seek)
    return source


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG"])
def test_reading_tells_how_far_it_is_and_can_be_stopped(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(fraction: float) -> None:
        told.append(fraction)
        raise make("cancelled")

    path, told = saved(tmp_path, Image.new("RGB", LARGE, "red"), form), list[float]()
    # libvips tells of its work beside it, and may be done with a small picture before it comes to that.
    monkeypatch.setattr(pyvips.Source, "new_from_file", lambda name: held_back(path, lambda: len(set(told)) >= news))
    news = 2
    pictures.read(path, told.append)
    assert told == sorted(told) and len(set(told)) > 2
    told.clear()
    news = 1
    with pytest.raises(Cancelled):
        pictures.read(path, stop)


def test_writing_tells_how_far_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    path, told = stored(tmp_path, b"old", "out.png"), list[float]()
    picture = Picture(noise(*LARGE, 3))
    with pytest.raises(Cancelled):
        pictures.write_png(path, picture, stop)
    assert path.read_bytes() == b"old"
    pictures.write_png(path, picture, told.append)
    assert told == sorted(told) and len(set(told)) > 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def stop(fraction: float) -> None:
    raise make("cancelled")


def test_a_file_that_can_not_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LayerliftError) as caught:
        pictures.write_png(tmp_path / "none" / "out.png", Picture(noise(5, 6, 4)))
    assert caught.value.code == "disk"
    assert "out.png" in str(caught.value)


FULL_DISK = """
import resource, sys
import numpy as np
from layerlift import errors
from layerlift.imaging import pictures
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 4), dtype=np.uint8)
try:
    pictures.write_png(sys.argv[1], pictures.Picture(pixels))
except errors.LayerliftError as error:
    print(error.code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the size limit is POSIX")
def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    path = stored(tmp_path, b"old", "out.png")
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "disk"
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def test_a_transparent_colour_of_a_png_becomes_alpha(tmp_path: Path) -> None:
    truth = noise(6, 6, 3)
    key = png_chunk(b"tRNS", b"".join(bytes([0, value]) for value in truth[2, 3].tolist()))
    pixels = pictures.read(stored(tmp_path, png(truth, chunks=key))).pixels
    np.testing.assert_array_equal(pixels[..., :3], truth)
    assert pixels[2, 3, 3] == 0
    assert pixels[0, 0, 3] == 255


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_made_8_as_the_rows_are_computed(channels: int) -> None:
    pixels = noise(1000, 1000, channels, np.uint16)
    tracemalloc.start()
    image = pictures.render(Picture(pixels), (10, 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < pixels.nbytes / 20, "no copy, during which no progress would be told"
    assert (image.format, image.width, image.height) == ("uchar", 10, 10)
