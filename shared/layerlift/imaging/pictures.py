"""Picture files and raw pixels.

Files are decoded and written by libvips (pyvips): it reads 16 bits a sample where Pillow silently reads 8, and writes
PNG in a third of the time. Pillow reads the formats that libvips is not built for (BMP, TGA, ...).
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import PictureError, make
from ..language import _, ngettext
from . import formats

Pixels: TypeAlias = (
    NDArray[np.uint8]
    | NDArray[np.uint16]
    | NDArray[np.uint32]
    | NDArray[np.float16]
    | NDArray[np.float32]
    | NDArray[np.float64]
)
Report: TypeAlias = Callable[[float], None]
"""Is called with the fraction that is done, many times a second, and may raise to stop."""
Sample: TypeAlias = type[np.uint8 | np.uint16 | np.uint32 | np.float16 | np.float32 | np.float64]

MAX_PIXELS = 400_000_000
"""The largest picture that is decoded; checked on the header alone."""

_VIPS_FORMATS = {"uint8": "uchar", "uint16": "ushort", "uint32": "uint", "float32": "float", "float64": "double"}
_PROFILE = "icc-profile-data"
_MARK = "Layerlift"
"""The keyword of the text chunk by which a cut-out is known."""
_COMMENT = "png-comment-"
"""What libvips' names of text chunks begin with; a number and the keyword follow."""
PILLOW_ERRORS = (OSError, SyntaxError, ValueError, EOFError)
"""What Pillow's decoders raise for damaged files."""
_PILLOW_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_BLOCK_ROWS = 256
_RGB_SPACES = ("rgb", "srgb", "rgb16")
_GRAY_SPACES = ("b-w", "grey16")


@dataclass(frozen=True)
class Picture:
    """Pixels as an application shows them, upright.

    Attributes:
        pixels: (height, width, channels), uint8, uint16, uint32, float16, float32 or float64; 1 channel is gray, 2 gray
            + alpha, 3 RGB, 4 RGBA, 5 CMYK + alpha; alpha is not premultiplied. What is read from files, and what goes
            to libvips, is uint8 or uint16 of at most 4 channels.
        icc_profile: the profile of the colours; None means sRGB (gray: its tone curve).
    """

    pixels: Pixels
    icc_profile: bytes | None = None

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def alpha(self) -> Pixels | None:
        """(height, width), a view; None where the picture has no alpha channel."""
        return self.pixels[..., -1] if self.pixels.shape[2] in (2, 4, 5) else None


def read(path: str | os.PathLike[str], report: Report = lambda fraction: None) -> Picture:
    """The first picture of a file, upright (EXIF), as gray or RGB, at 16 bits a channel where the file has more than 8.

    Indexed colours become RGB, CMYK becomes sRGB through its profile. `report` may raise to stop that.
    Raises PictureError: `picture_missing`, `picture_unreadable` (no picture, damaged, incomplete, or not of 8 or
    16 bit integers), `picture_too_large`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError:
        raise make("picture_missing", str(path)) from None
    except OSError as error:
        raise make("picture_unreadable", f"{path} ({error.strerror})") from None
    return _read(head, path, str(path), report)


def decode(data: bytes, report: Report = lambda fraction: None) -> Picture:
    """As `read`, of a file in memory."""
    # Translators: stands where a file's name stands else, as in "999 bytes of no known format".
    name = ngettext("{count} byte", "{count} bytes", len(data)).format(count=len(data))
    return _read(data[:12], data, name, report)


def check_file(data: bytes) -> None:
    """Looks whether a file that came is a whole PNG or JPEG.

    Raises ServiceError: `result_not_picture`, `result_size` (too many pixels), `result_broken`.
    """
    if formats.find_suffix(data[:12]) not in formats.RESULTS:
        raise make("result_not_picture")
    try:
        decode(data)
    except PictureError as error:
        raise make("result_size" if error.code == "picture_too_large" else "result_broken", error.detail) from None


def from_pillow(image: Image.Image, name: str) -> Picture:
    """The pixels of a Pillow image as they lie, which `name` stands for in errors: as gray or RGB, with alpha where it
    has transparency, at 16 bits where it has them.

    Raises PictureError: `picture_unreadable` (other colours), `picture_too_large`; and what Pillow's decoders raise.
    """
    if image.width * image.height > MAX_PIXELS:
        raise make("picture_too_large", f"{name} ({image.width} x {image.height})")
    profile = image.info.get("icc_profile")
    if image.mode in _PILLOW_SIXTEEN_BITS:
        return Picture(np.array(image).astype(np.uint16)[..., None], profile)
    if image.mode not in ("1", "L", "LA", "RGB", "RGBA", "P", "PA"):
        raise make("picture_unreadable", _("{name} has {mode} colours").format(name=name, mode=image.mode))
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    mode += "A" if image.has_transparency_data else ""
    pixels = np.array(image.convert(mode))
    return Picture(pixels.reshape(*pixels.shape[:2], -1), profile)


def is_cut_out(file: str | os.PathLike[str] | bytes | Image.Image) -> bool:
    """Whether `write_png` has written a file, by a mark that lies before the pixels; False where it can't be read.
    The file may be in memory, or opened by Pillow."""
    if isinstance(file, Image.Image):
        return _MARK in file.info
    try:
        image = _open("pngload_source", _source(file if isinstance(file, bytes) else Path(file)))
    except pyvips.Error:
        return False
    return any(name.startswith(_COMMENT) and name.endswith(f"-{_MARK}") for name in image.get_fields())


def decode_png(data: bytes) -> Picture:
    """The picture of a PNG in memory, as its pixels lie: it answers for one that was sent upright.

    Raises pyvips.Error where the data is damaged or incomplete, PictureError as `read` does.
    """
    return _decode_image(_open("pngload_source", pyvips.Source.new_from_memory(data)), "PNG", upright=False)


def read_raw(
    path: str | os.PathLike[str], width: int, height: int, channels: int, dtype: Sample = np.uint8, *, bgr: bool = False
) -> Picture:
    """A host's raw file, mapped into memory: rows from the top, interleaved channels, no padding, the machine's bytes.

    `bgr` says that the file holds B,G,R(,A).
    Raises PictureError: `picture_empty` (no pixels), `pixels_missing` (no such file, or not of that length).
    """
    if width < 1 or height < 1:
        raise make("picture_empty", _("{width} x {height} pixels").format(width=width, height=height))
    expected = width * height * channels * np.dtype(dtype).itemsize
    try:
        found = Path(path).stat().st_size
        if found != expected:
            raise make("pixels_missing", _("{found} of {expected} bytes").format(found=found, expected=expected))
        # "c": what is written stays in the memory
        pixels: Any = np.memmap(path, dtype, mode="c" if bgr else "r", shape=(height, width, channels))
    except OSError as error:
        raise make("pixels_missing", error.strerror or str(error)) from None
    if bgr:
        for top in range(0, height, _BLOCK_ROWS):
            rows = pixels[top : top + _BLOCK_ROWS]
            first = rows[..., 0].copy()
            rows[..., 0] = rows[..., 2]
            rows[..., 2] = first
    return Picture(pixels)


def write_png(path: str | os.PathLike[str], picture: Picture, report: Report = lambda fraction: None) -> None:
    """Write a PNG of 8 or 16 bits a channel with the picture's profile and the mark of a cut-out; the file is there
    whole or not at all.

    `report` may raise to stop that.
    Raises SetupError `disk`.
    """
    path = Path(path)
    image = to_vips(picture.pixels)
    if picture.icc_profile is not None:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, picture.icc_profile)
    image.set_type(pyvips.GValue.gstr_type, f"{_COMMENT}0-{_MARK}", "cut-out")
    bits = picture.pixels.dtype.itemsize * 8
    try:
        with tempfile.TemporaryDirectory(prefix=".layerlift-", dir=path.parent) as folder:
            part = Path(folder, "part.png")
            target = pyvips.Target.new_to_file(str(part))
            with _watch(image, report) as watched:
                watched.pngsave_target(target, compression=1, filter="sub", bitdepth=bits)
            part.replace(path)
    except OSError as error:
        raise make("disk", f"{path} ({error.strerror})") from None
    except pyvips.Error as error:
        raise make("disk", f"{path} ({_last_line(error)})") from None


def to_vips(pixels: Pixels) -> Any:
    """The pixels (height, width, channels) as a libvips image over the same memory, where that is contiguous.

    libvips has no float16; of what is deeper than 16 bits it can make sums and means, not colours.
    """
    height, width, channels = pixels.shape
    contiguous: Any = np.ascontiguousarray(pixels)
    image = pyvips.Image.new_from_memory(contiguous.data, width, height, channels, _VIPS_FORMATS[pixels.dtype.name])
    gray, colour = ("grey16", "rgb16") if pixels.dtype == np.uint16 else ("b-w", "srgb")
    return image.copy(interpretation=gray if channels < 3 else colour)


def from_vips(image: Any) -> Pixels:
    """The pixels (height, width, channels) of a libvips image of one of the formats of `to_vips`."""
    dtype = next(name for name, form in _VIPS_FORMATS.items() if form == image.format)
    flat: Any = np.frombuffer(image.write_to_memory(), dtype)
    pixels: Pixels = flat.reshape(image.height, image.width, image.bands)
    return pixels


def eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Samples divided by 257 and rounded to the nearest."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return ((pixels.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def opaque(picture: Picture) -> Pixels:
    """The pixels of a small picture at 8 bits, on white, without alpha."""
    picture = Picture(eight_bits(picture.pixels))
    if picture.alpha is None:
        return picture.pixels
    # libvips takes longer to start than to work
    return picture.pixels[..., :-1] if picture.alpha.min() == 255 else from_vips(render(picture))


def render(picture: Picture, size: tuple[int, int] | None = None) -> Any:
    """A libvips image of the picture at 8 bits, on white, without alpha, reduced (Lanczos) to width and height."""
    image, most = to_vips(picture.pixels), 255
    if picture.pixels.dtype == np.uint16:
        # as `eight_bits`, but with the rest, whose progress is told
        image = image.linear(1 / 257, 0.5, uchar=True).copy(interpretation="b-w" if image.bands < 3 else "srgb")
        most = 65535
    if picture.alpha is None:
        return _resize(image, size)
    if picture.alpha.min() == most:
        # libvips is faster at four bands than at three
        return _resize(image, size).extract_band(0, n=image.bands - 1)
    return _resize(image.flatten(background=[255]), size)


def _resize(image: Any, size: tuple[int, int] | None) -> Any:
    if size in (None, (image.width, image.height)):
        return image
    width, height = size
    return image.resize(width / image.width, vscale=height / image.height, kernel="lanczos3", gap=0)


def compute(image: Any, report: Report) -> Pixels:
    """The pixels of a libvips image of format uchar or ushort, computed now; `report` may raise to stop that."""
    with _watch(image, report) as watched:
        return from_vips(watched)


@contextmanager
def _watch(image: Any, report: Report) -> Iterator[Any]:
    """Gives an image that tells `report` how far it is computed, whenever that is; `report` may raise to stop it."""
    stopped: list[BaseException] = []

    def tell(running: Any, progress: Any) -> None:
        # libvips would print and forget what is raised here
        try:
            report(progress.percent / 100)
        except BaseException as error:  # noqa: BLE001 - raised again below
            stopped.append(error)
            # not the image of the outer function: a cycle through libvips is never freed
            running.set_kill(True)

    image = image.copy()
    image.set_progress(True)
    image.signal_connect("eval", tell)
    try:
        yield image
    except pyvips.Error:
        if stopped:
            raise stopped[0] from None
        raise


def _read(head: bytes, file: Path | bytes, name: str, report: Report) -> Picture:
    """The picture of a file that begins with `head`."""
    if not head:
        is_named = isinstance(file, Path)
        raise make("picture_unreadable", _("{name} is empty").format(name=name) if is_named else _("it is empty"))
    try:
        loader = formats.find_loader(head)
        if loader is None:
            return _read_other(file, name)
        source = _source(file)
        return _decode_image(_open(loader, source), name, report)
    except pyvips.Error as error:
        raise make("picture_unreadable", f"{name} ({_last_line(error)})") from None


def _source(file: Path | bytes) -> Any:
    if isinstance(file, bytes):
        return pyvips.Source.new_from_memory(file)
    return pyvips.Source.new_from_file(str(file))


def _open(loader: str, source: Any) -> Any:
    # sequential: decoded once, straight into our array, and not kept in libvips' cache, which misses a file's changes
    return pyvips.Operation.call(loader, source, access="sequential", fail_on="error")


def _decode_image(image: Any, name: str, report: Report = lambda fraction: None, *, upright: bool = True) -> Picture:
    if image.width * image.height > MAX_PIXELS:
        raise make("picture_too_large", f"{name} ({image.width} x {image.height})")
    profile: bytes | None = image.get(_PROFILE) if image.get_typeof(_PROFILE) else None
    orientation = image.get("orientation") if upright and image.get_typeof("orientation") else 1
    if image.interpretation == "cmyk":
        depth = 16 if image.format == "ushort" else 8
        # "cmyk" is libvips' own profile, for files that have none or a broken one
        image, profile = image.icc_transform("srgb", embedded=True, input_profile="cmyk", depth=depth), None
    if image.interpretation not in _RGB_SPACES + _GRAY_SPACES or image.format not in ("uchar", "ushort"):
        found = _("{name} has {mode} colours in {type} samples")
        raise make("picture_unreadable", found.format(name=name, mode=image.interpretation, type=image.format))
    channels = 3 if image.interpretation in _RGB_SPACES else 1
    if image.bands > channels + 1:
        image = image.extract_band(0, n=channels + 1)
    return Picture(_turn_upright(compute(image, report), orientation), profile)


def _turn_upright(pixels: Any, orientation: int) -> Pixels:
    """Undo the EXIF orientation (1 to 8)."""
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    upright: Pixels = np.ascontiguousarray(pixels)
    return upright


def _read_other(file: Path | bytes, name: str) -> Picture:
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file, formats=formats.PILLOW) as image:
            orientation = image.getexif().get(0x0112, 1)
            picture = from_pillow(image, name)
    except UnidentifiedImageError:
        raise make("picture_unreadable", _("{name} of no known format").format(name=name)) from None
    except Image.DecompressionBombError as error:
        raise make("picture_too_large", f"{name} ({error})") from None
    except PILLOW_ERRORS as error:
        raise make("picture_unreadable", str(error) if name in str(error) else f"{name} ({error})") from None
    return Picture(_turn_upright(picture.pixels, orientation), picture.icc_profile)


def _last_line(error: pyvips.Error) -> str:
    text: str = error.detail or error.message
    lines = text.strip().splitlines()
    return lines[-1] if lines else _("unknown reason")
