"""What the tasks of the offline service make of a picture: simple, and exactly foreseeable.

A result may be a picture with alpha where the source is one: `enhance` and `lighting` keep it, all others see colors
alone.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

from .engines import MAX_SIDE, Engine, EngineError, check, decode

BLUR_PART = 0.02
"""The radius of the strongest blur, as a part of the longest side."""
BLUR_INTENSITY = 50
"""Where none is given."""
RIM = 2
"""Pixels around a mask that its filling takes its color from."""
WARM = ("#1a0c04", "#b88a5e", "#fff6e6")
COOL = ("#040c1a", "#5e8ab8", "#e6f6ff")
THUMB_SIZE = (64, 48)


@dataclass(frozen=True)
class Job:
    """What a task works on.

    Attributes:
        picture: JPEG or PNG.
        fields: the task's own, checked.
        mask: JPEG or PNG, where the task has one.
        engine: makes cut-outs.
    """

    picture: bytes
    fields: Mapping[str, Any]
    mask: bytes
    engine: Engine

    @property
    def image(self) -> Image.Image:
        """The picture as RGB."""
        return decode(self.picture)


def remove(job: Job) -> list[bytes]:
    """The engine's own PNG."""
    return [job.engine(job.picture)]


def enhance(job: Job) -> list[bytes]:
    """The picture `scale` times as wide and high."""
    image, scale = _with_alpha(job), job.fields["scale"]
    size = (image.width * scale, image.height * scale)
    _check_size(size)
    return [_png(image.resize(size, Image.Resampling.LANCZOS))]


def lighting(job: Job) -> list[bytes]:
    """The picture with the full range of lightness."""
    image = _with_alpha(job)
    lit = ImageOps.autocontrast(image.convert("RGB"), preserve_tone=True)
    if image.mode == "RGBA":
        lit.putalpha(image.getchannel("A"))
    return [_png(lit)]


def blur_background(job: Job) -> list[bytes]:
    """The sharp subject before its blurred surroundings."""
    image = job.image
    radius = job.fields.get("intensity", BLUR_INTENSITY) / 100 * BLUR_PART * max(image.size)
    blurred = image.filter(ImageFilter.GaussianBlur(radius))
    return [_png(Image.composite(image, blurred, _alpha(job)))]


def replace_background(job: Job) -> list[bytes]:
    """The subject before one color, that of the template or of the prompt."""
    named = job.fields["template_id" if job.fields.get("type") == "template" else "prompt"]
    image = job.image
    return [_png(Image.composite(image, Image.new("RGB", image.size, color(named)), _alpha(job)))]


def colorize(job: Job) -> list[bytes]:
    """The picture in warm and in cool colors."""
    gray = job.image.convert("L")
    return [_png(ImageOps.colorize(gray, black, white, mid)) for black, mid, white in (WARM, COOL)]


def correct_color(job: Job) -> list[bytes]:
    """The picture with the full range of each channel, and with that of its lightness."""
    image = job.image
    return [_png(ImageOps.autocontrast(image, preserve_tone=tone)) for tone in (False, True)]


def fill(job: Job) -> list[bytes]:
    """The masked part in the mean color around it; of the whole picture, where the mask leaves nothing around."""
    image = job.image
    mask = _mask(job, image.size)
    covered = mask.point([0] + [255] * 255)
    rim = ImageChops.subtract(covered.filter(ImageFilter.MaxFilter(2 * RIM + 1)), covered)
    mean = ImageStat.Stat(image, rim if rim.getbbox() else None).mean
    red, green, blue = (round(value) for value in mean)
    return [_png(Image.composite(Image.new("RGB", image.size, (red, green, blue)), image, mask))]


def replace_object(job: Job) -> list[bytes]:
    """The masked part in the prompt's color."""
    image = job.image
    plain = Image.new("RGB", image.size, color(job.fields["prompt"]))
    return [_png(Image.composite(plain, image, _mask(job, image.size)))]


def extend(job: Job) -> list[bytes]:
    """A part of the picture at its place in a canvas, whose edges go on to the canvas's.

    Without `crop_input_...` that is all of it; without `input_...` it keeps its size, in the middle of the canvas, or
    without `output_...` is the canvas itself.
    """
    image, fields = job.image, job.fields
    left, top = fields.get("crop_input_x", 0), fields.get("crop_input_y", 0)
    wide, high = fields.get("crop_input_width", image.width), fields.get("crop_input_height", image.height)
    if left + wide > image.width or top + high > image.height:
        raise EngineError("invalid_parameter", "The part that is used lies outside the picture")
    width, height = fields.get("input_width", wide), fields.get("input_height", high)
    canvas = (
        fields.get("output_width", fields.get("input_x", 0) + width),
        fields.get("output_height", fields.get("input_y", 0) + height),
    )
    x, y = fields.get("input_x", (canvas[0] - width) // 2), fields.get("input_y", (canvas[1] - height) // 2)
    _check_size(canvas)
    if not (0 <= x <= canvas[0] - width and 0 <= y <= canvas[1] - height):
        raise EngineError("invalid_parameter", "The picture lies outside the result")
    part = image.crop((left, top, left + wide, top + high)).resize((width, height), Image.Resampling.LANCZOS)
    return [_png(_surround(part, canvas, (x, y)))]


def thumb(template_id: str) -> bytes:
    """A small PNG of what a template puts behind a subject."""
    return _png(Image.new("RGB", THUMB_SIZE, color(template_id)))


def color(text: str) -> tuple[int, int, int]:
    """A color that is the text's own."""
    red, green, blue = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:3]
    return red, green, blue


def _surround(part: Image.Image, size: tuple[int, int], place: tuple[int, int]) -> Image.Image:
    canvas = Image.new("RGB", size)
    (width, height), (x, y) = size, place
    right, bottom = x + part.width, y + part.height
    canvas.paste(part, place)
    # the columns beside the part first: the rows above and below it then go on in full width
    for source, target in (
        ((x, y, x + 1, bottom), (0, y, x, bottom)),
        ((right - 1, y, right, bottom), (right, y, width, bottom)),
        ((0, y, width, y + 1), (0, 0, width, y)),
        ((0, bottom - 1, width, bottom), (0, bottom, width, height)),
    ):
        extent = (target[2] - target[0], target[3] - target[1])
        if min(extent) > 0:
            canvas.paste(canvas.crop(source).resize(extent, Image.Resampling.NEAREST), target[:2])
    return canvas


def _with_alpha(job: Job) -> Image.Image:
    """The picture as RGB, or as RGBA where it has an alpha."""
    try:
        with Image.open(io.BytesIO(job.picture), formats=("JPEG", "PNG")) as image:
            return image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise EngineError("error_decode_image", "The picture could not be decoded") from error


def _alpha(job: Job) -> Image.Image:
    """The alpha of the engine's cut-out."""
    with Image.open(io.BytesIO(job.engine(job.picture)), formats=("PNG",)) as image:
        return image.convert("RGBA").getchannel("A")


def _mask(job: Job, size: tuple[int, int]) -> Image.Image:
    """The mask as 8-bit gray. Raises EngineError `error_decode_mask` where it is none of that size."""
    try:
        check(job.mask)
        with Image.open(io.BytesIO(job.mask), formats=("JPEG", "PNG")) as image:
            image.load()
    except (EngineError, OSError, ValueError, SyntaxError) as error:
        raise EngineError("error_decode_mask", "The mask could not be decoded") from error
    if image.size != size:
        raise EngineError("error_decode_mask", f"The mask is {image.width} x {image.height}, not {size[0]} x {size[1]}")
    if not _is_gray(image):
        raise EngineError("error_decode_mask", "The mask is not a gray picture")
    return image.convert("L")


def _is_gray(image: Image.Image) -> bool:
    if image.has_transparency_data:
        return False
    if image.mode == "RGB":
        red, green, blue = image.split()
        return not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox()
    return image.mode in ("1", "L")


def _check_size(size: tuple[int, int]) -> None:
    if max(size) > MAX_SIDE:
        raise EngineError("error_exceed_max_image_size", f"{size[0]} x {size[1]} is above {MAX_SIDE} pixels")


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
