"""Layer pixels to an upload within the service's limits."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from ..errors import make
from ..language import _
from .pictures import Picture, Report, compute, eight_bits, render, to_vips


@dataclass(frozen=True)
class Limits:
    """What the service takes: the longest side in pixels; the file's length must stay below `max_bytes`."""

    max_side: int
    max_bytes: int


SERVICE_LIMITS = Limits(max_side=4096, max_bytes=10_000_000)


@dataclass(frozen=True)
class Upload:
    """A JPEG that the service takes, and how it was made.

    Attributes:
        data: the file.
        width, height: in pixels.
        quality: 1 to 100.
        subsampled: whether the colours have half the resolution (4:2:0).
        content_type: as the service spells it.
    """

    data: bytes
    width: int
    height: int
    quality: int
    subsampled: bool
    content_type: str = "image/jpg"


# quality and 4:2:0, from the best; the last two are for pure noise, which is larger than 10 MB at 75
_LADDER = ((95, False), (92, False), (90, False), (90, True), (85, True), (75, True), (60, True), (40, True))
_STRIPS, _STRIP_ROWS = 16, 16
_SAFETY = 1.05
_PROFILE = "icc-profile-data"


def prepare(picture: Picture, limits: Limits = SERVICE_LIMITS, report: Report = lambda fraction: None) -> Upload:
    """Flatten on white, reduce to the longest side (Lanczos), convert to sRGB, encode as the best JPEG that fits.

    The JPEG names sRGB as its profile where the picture had a profile; one that can't be read counts as sRGB.
    The quality is predicted from strips, so that there is one real encode in the usual case.
    `report` is called with the fraction that is done, many times a second where that takes long, and may raise to stop.
    Raises PictureError `picture_empty` for a picture without pixels or with all of them transparent.
    """
    if not picture.width or not picture.height:
        raise make("picture_empty", _("{width} x {height} pixels").format(width=picture.width, height=picture.height))
    alpha = picture.alpha
    if alpha is not None and not alpha.any():
        raise make("picture_empty", _("all of them are transparent"))
    longest = max(picture.width, picture.height, limits.max_side)
    width, height = (max(1, round(side * limits.max_side / longest)) for side in (picture.width, picture.height))
    image = render(picture, (width, height))
    image, profile = _in_srgb(image, picture.icc_profile)
    image = to_vips(compute(image, report))
    if profile is not None:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    for quality, subsampled in _LADDER[_predicted_step(image, limits.max_bytes) :]:
        data = _jpeg(image, quality, subsampled)
        if len(data) < limits.max_bytes:
            return Upload(data, image.width, image.height, quality, subsampled)
    raise make("exceed_max_filesize")


def prepare_mask(picture: Picture, size: tuple[int, int]) -> Upload:
    """A gray PNG of exactly that width and height: the picture's gray, times its alpha where it has one.

    Raises PictureError `mask_size` for a picture of another aspect.
    """
    width, height = size
    # One row or column may be lost where a picture is made smaller.
    if abs(picture.width * height - picture.height * width) > max(width, height, picture.width, picture.height):
        text = _("{width} x {height} for {sent_width} x {sent_height}")
        sizes = text.format(width=picture.width, height=picture.height, sent_width=width, sent_height=height)
        raise make("mask_size", sizes)
    pixels = eight_bits(picture.pixels)
    gray = np.asarray(Image.fromarray(pixels[..., :3]).convert("L")) if pixels.shape[2] > 2 else pixels[..., 0]
    if picture.alpha is not None:
        gray = np.rint(gray * (pixels[..., -1] / np.float32(255))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(gray).resize(size, Image.Resampling.BOX).save(stream, "PNG")
    return Upload(stream.getvalue(), width, height, 100, False, "image/png")


def _in_srgb(image: Any, profile: bytes | None) -> tuple[Any, bytes | None]:
    """The image as RGB in sRGB, and the profile to embed."""
    if profile is not None:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
        # libvips takes sRGB for a profile that is broken or of another kind of colours
        image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
        profile = image.get(_PROFILE)
    if image.bands == 1:
        image = image.bandjoin([image, image])
    return image, profile


def _predicted_step(image: Any, max_bytes: int) -> int:
    """The first step of the ladder whose file should fit, judged by evenly spaced full-width strips."""
    rows = _STRIPS * _STRIP_ROWS
    if image.height <= 2 * rows:
        return 0
    tops = np.linspace(0, image.height - _STRIP_ROWS, _STRIPS).astype(int)
    strips = [image.crop(0, int(top), image.width, _STRIP_ROWS) for top in tops]
    sample = pyvips.Image.arrayjoin(strips, across=1).copy_memory()
    scale = _SAFETY * image.height / rows
    for step, (quality, subsampled) in enumerate(_LADDER):
        if len(_jpeg(sample, quality, subsampled)) * scale < max_bytes:
            return step
    return len(_LADDER) - 1


def _jpeg(image: Any, quality: int, subsampled: bool) -> bytes:
    data: bytes = image.jpegsave_buffer(Q=quality, subsample_mode="on" if subsampled else "off", keep="icc")
    return data
