"""Scenes whose alpha and colours are known: a procedural subject over a real photo, and what a service makes of it.

The photos are those of two Debian packages of wallpapers, fetched by apt at the first use, or of a folder of the
user's own. They are tiled by reflection at their own resolution, so that the grain of a photo is not lost. Subjects
that mean something are the photographic ones among Tux Paint's stamps, which come with an alpha of 8 bits.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PACKAGES = {
    "plasma-workspace-wallpapers": {
        "forest": "Path",
        "moss": "OneStandsOut",
        "boats": "EveningGlow",
        "cups": "ColorfulCups",
        "sky": "Kite",
        "leaf": "FallenLeaf",
        "lake": "summer_1am",
    },
    "mate-backgrounds": {"dune": "Dune", "meadow": "GreenMeadow", "flower": "Garden"},
}
STAMPS = {
    "animals/fish/lobster": "lake",
    "animals/birds/albino_peahen": "meadow",
    "animals/birds/helmeted_guineafowl": "dune",
    "animals/birds/crowned_crane": "boats",
    "animals/mammals/bovines/indian_blackbuck": "forest",
    "animals/mammals/bears/european-bear": "moss",
    "animals/mammals/bovines/gnu-baby": "meadow",
    "animals/insects/mantis": "leaf",
    "plants/flowers/anemone_red": "forest",
    "plants/flowers/daffodil": "cups",
    "plants/trees/holm_oak": "sky",
    "vehicles/race/indycar": "dune",
    "vehicles/emergency/firetruck": "lake",
    "vehicles/wheel_tractor": "meadow",
    "vehicles/flight/balloon360": "sky",
    "vehicles/flight/planes/747": "boats",
    "household/tools/spade": "moss",
    "household/tools/cementmixer": "flower",
    "household/Lightbulb": "cups",
    "town/monuments/inukshuk-photo": "lake",
}
"""Photographic stamps, and the photo that each is put before."""
_STAMPS_PACKAGE = "tuxpaint-stamps-default"
FOLDER = Path(os.environ.get("LAYERLIFT_BENCHMARK_PHOTOS", Path(tempfile.gettempdir()) / "layerlift-benchmark-photos"))
BACKGROUNDS = ("forest", "moss", "boats", "cups", "sky", "leaf", "lake", "dune", "meadow", "flower")
_OVERSAMPLED = 4
_BAND_ROWS = 256
_SHARPNESS = 0.6
"""The standard deviation in pixels of what lens and sensor blur."""

Alpha = NDArray[np.uint8]
Colours = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """`picture` and `foreground` are (height, width, 3), `alpha` (height, width)."""

    picture: Colours
    alpha: Alpha
    foreground: Colours


def fetch_photos() -> None:
    """Bring the photos to `FOLDER`, as NAME.jpg.

    Raises:
        RuntimeError: they are neither there nor to be had.
    """
    if all((FOLDER / f"{name}.jpg").exists() for name in BACKGROUNDS):
        return
    for package, photos in PACKAGES.items():
        with _unpacked(package) as folder:
            for photo, stem in photos.items():
                found = [*folder.rglob(f"{stem}.jpg"), *folder.rglob(f"{stem}/**/2560x1600.jpg")]
                shutil.copy(found[0], FOLDER / f"{photo}.jpg")


def fetch_stamps() -> None:
    """Bring the stamps to `FOLDER`, as NAME.png. Raises as `fetch_photos` does."""
    if all((FOLDER / f"{Path(name).name}.png").exists() for name in STAMPS):
        return
    with _unpacked(_STAMPS_PACKAGE) as folder:
        for name in STAMPS:
            shutil.copy(folder / "usr/share/tuxpaint/stamps" / f"{name}.png", FOLDER)


@contextmanager
def _unpacked(package: str) -> Iterator[Path]:
    """The files of a Debian package."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            subprocess.run(["apt-get", "-qq", "download", package], cwd=folder, check=True, capture_output=True)
            (archive,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            text = f"The pictures of {package} can't be fetched ({error}). Put them into {FOLDER}."
            raise RuntimeError(text) from None
        yield folder / package


def make_of_stamp(name: str, width: int, height: int) -> Scene:
    """The scene of a stamp of `STAMPS`, as large as fits with a margin of a twelfth; the alpha is the stamp's own."""
    behind = photo(STAMPS[name], width, height)
    with Image.open(FOLDER / f"{Path(name).name}.png") as image:
        # Colours are enlarged as far as they count.
        stamp = image.convert("RGBA").convert("RGBa")
    scale = min(width / stamp.width, height / stamp.height) * 5 / 6
    stamp = stamp.resize((round(stamp.width * scale), round(stamp.height * scale)), Image.Resampling.BICUBIC)
    canvas = Image.new("RGBa", (width, height))
    canvas.paste(stamp, ((width - stamp.width) // 2, (height - stamp.height) // 2))
    premultiplied = np.asarray(canvas)
    alpha = np.ascontiguousarray(premultiplied[..., 3])
    mixed = premultiplied[..., :3] + (1 - alpha[..., None] / np.float32(255)) * behind
    return Scene(np.rint(mixed.clip(0, 255)).astype(np.uint8), alpha, np.asarray(canvas.convert("RGBA"))[..., :3])


def photo(name: str, width: int, height: int) -> Colours:
    """A photo at its own resolution, continued by reflection."""
    image = pyvips.Image.new_from_file(str(FOLDER / f"{name}.jpg")).colourspace("srgb")
    image = image.extract_band(0, n=3) if image.bands > 3 else image
    image = image.embed(0, 0, width, height, extend="mirror")
    flat = np.frombuffer(image.write_to_memory(), np.uint8)
    return flat.reshape(height, width, 3)


@lru_cache(maxsize=2)
def make(kind: str, background: str, width: int, height: int) -> Scene:
    """The scene of a subject of `KINDS` before a photo of `BACKGROUNDS`; the same arguments make the same scene."""
    random = np.random.default_rng([list(KINDS).index(kind), BACKGROUNDS.index(background)])
    alpha = _blurred(KINDS[kind](width, height, random), _SHARPNESS)
    behind = photo(background, width, height)
    other = BACKGROUNDS[(BACKGROUNDS.index(background) + 3) % len(BACKGROUNDS)]
    foreground = photo(other, width, height)[::-1, ::-1].copy()
    tint = random.uniform(20, 235, 3).astype(np.float32)
    picture = np.empty_like(foreground)
    for top in range(0, height, _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        subject = np.rint(foreground[rows] * np.float32(0.4) + tint * np.float32(0.6))
        foreground[rows] = subject
        a = alpha[rows, :, None] / np.float32(255)
        grain = random.standard_normal(subject.shape, np.float32)
        picture[rows] = np.rint((a * subject + (1 - a) * behind[rows] + grain).clip(0, 255))
    return Scene(picture, alpha, foreground)


def delivered(alpha: Alpha, longest: int, flaw: str = "clean", detail: int | None = None) -> Alpha:
    """What a service returns for the true alpha: reduced to a longest side, with a flaw of `FLAWS`.

    With `detail` it was made at that longest side and enlarged by the service, as most of them do.
    """
    small = FLAWS[flaw](_vips_resized(alpha, *_within(alpha, detail or longest)))
    if detail is None:
        return small
    return np.asarray(Image.fromarray(small).resize(_within(alpha, longest), Image.Resampling.BICUBIC))


def _within(alpha: Alpha, longest: int) -> tuple[int, int]:
    """The (width, height) of the alpha's shape that has this longest side at most."""
    height, width = alpha.shape
    scale = min(1, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _vips_resized(alpha: Alpha, width: int, height: int) -> Alpha:
    rows, columns = alpha.shape
    if (columns, rows) == (width, height):
        return alpha
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(alpha).data, columns, rows, 1, "uchar")
    image = image.resize(width / columns, vscale=height / rows, kernel="lanczos3", gap=0)
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(height, width)


def _blurred(alpha: Alpha, sigma: float) -> Alpha:
    height, width = alpha.shape
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(alpha).data, width, height, 1, "uchar")
    image = image.gaussblur(sigma, min_ampl=0.01)
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(height, width)


def _shifted(alpha: Alpha) -> Alpha:
    return np.pad(alpha, ((0, 0), (1, 0)), mode="edge")[:, :-1]


def _hardened(alpha: Alpha) -> Alpha:
    return np.rint(((alpha / 255.0 - 0.5) * 2 + 0.5).clip(0, 1) * 255).astype(np.uint8)


def _through_jpeg(alpha: Alpha) -> Alpha:
    buffer = io.BytesIO()
    Image.fromarray(alpha).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


FLAWS: dict[str, Callable[[Alpha], Alpha]] = {
    "clean": lambda alpha: alpha,
    "blurred": lambda alpha: _blurred(alpha, 1.0),
    "shifted": _shifted,
    "hardened": _hardened,
    "jpeg": _through_jpeg,
}


def _drawn(width: int, height: int, lines: list[tuple[NDArray[Any], float]], shapes: list[NDArray[Any]]) -> Alpha:
    """Polylines (points of (x, y), width in pixels) and closed shapes, antialiased."""
    scale = _OVERSAMPLED
    out = np.empty((height, width), np.uint8)
    # a closed shape has no width
    items = [(points, None) for points in shapes] + lines
    spans = [(points[:, 1].min() - (thick or 0), points[:, 1].max() + (thick or 0)) for points, thick in items]
    for top in range(0, height, _BAND_ROWS):
        rows = min(_BAND_ROWS, height - top)
        band = Image.new("L", (width * scale, rows * scale))
        draw = ImageDraw.Draw(band)
        for (points, thick), (low, high) in zip(items, spans, strict=True):
            if low >= top + rows or high <= top:
                continue
            flat = ((points - (0, top)) * scale).ravel().tolist()
            if thick is None:
                draw.polygon(flat, fill=255)
            else:
                draw.line(flat, fill=255, width=max(1, round(thick * scale)))
        out[top : top + rows] = np.asarray(band.reduce(scale))
    return out


def _outline(width: int, height: int, radius: float, random: np.random.Generator, waves: int = 9) -> NDArray[Any]:
    """A closed wavy curve in the middle of the picture, (n, 2)."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    r = np.full_like(angle, radius)
    for wave in range(2, waves):
        r += radius * 0.08 / wave * np.sin(wave * angle + random.uniform(0, 6.28))
    return np.stack([width / 2 + r * np.cos(angle) * 1.2, height / 2 + r * np.sin(angle)], -1)


def _strands(
    width: int, height: int, random: np.random.Generator, *, count: int, length: float, thick: tuple[float, float],
    curl: float,
) -> Alpha:  # fmt: skip
    """A body from whose outline curved strands grow."""
    side = min(width, height)
    outline = _outline(width, height, side * 0.27, random)
    middle = np.array([width / 2, height / 2])
    lines = []
    for start in random.integers(0, len(outline), count):
        # the roots are under the skin, and between the corners of the outline
        near = random.uniform(0, 1) * (outline[(start + 1) % len(outline)] - outline[start])
        begin = middle + (outline[start] + near - middle) * 0.98
        direction = np.arctan2(*(begin - middle)[::-1]) + random.normal(0, 0.5)
        reach = side * length * random.uniform(0.4, 1.0)
        t = np.linspace(0, 1, 16)
        bend = direction + curl * random.normal() * t + 0.3 * curl * np.sin(t * random.uniform(3, 9))
        steps = np.stack([np.cos(bend), np.sin(bend)], -1) * reach / len(t)
        points = begin + np.cumsum(steps, axis=0) - steps[0]
        fat = random.uniform(*thick)
        half = len(t) // 2 + 1
        lines += [(points[:half], fat), (points[half - 1 :], fat * 0.6)]
    return _drawn(width, height, lines, [outline])


def _hair(width: int, height: int, random: np.random.Generator) -> Alpha:
    return _strands(width, height, random, count=1600, length=0.22, thick=(0.8, 3.0), curl=1.2)


def _fur(width: int, height: int, random: np.random.Generator) -> Alpha:
    return _strands(width, height, random, count=9000, length=0.05, thick=(0.8, 2.5), curl=0.6)


def _leaves(width: int, height: int, random: np.random.Generator) -> Alpha:
    side = min(width, height)
    twigs, leaves = [], []
    along = np.linspace(0, 1, 9)
    fat = np.sin(np.pi * along**0.8) * 0.28
    blade = np.concatenate([np.stack([along, fat], -1), np.stack([along, -fat], -1)[::-1]])
    for _ in range(60):
        begin, direction = random.uniform(0, 1, 2) * (width, height), random.uniform(0, 6.28)
        t = np.linspace(0, 1, 24)[:, None]
        bend = direction + 1.0 * random.normal() * t
        twig = begin + np.cumsum(np.concatenate([np.cos(bend), np.sin(bend)], -1) * side * 0.4 / 24, axis=0)
        twigs.append((twig, side * 0.0012))
        for point in twig:
            for angle in random.uniform(0, 6.28, 3):
                turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
                leaves.append(point + blade @ turned * side * random.uniform(0.008, 0.02))
    return _drawn(width, height, twigs, leaves)


def _lace(width: int, height: int, random: np.random.Generator) -> Alpha:
    side = min(width, height)
    mesh = side * 0.012
    inside = _drawn(width, height, [], [_outline(width, height, side * 0.38, random)])
    out = np.empty_like(inside)
    x = np.arange(width, dtype=np.float32)[None]
    for top in range(0, height, _BAND_ROWS):
        y = np.arange(top, min(top + _BAND_ROWS, height), dtype=np.float32)[:, None]
        u, v = x + 0.02 * side * np.sin(y / side * 9), y + 0.02 * side * np.sin(x / side * 7)
        threads = np.minimum(np.abs((u / mesh) % 1 - 0.5), np.abs((v / mesh) % 1 - 0.5)) * mesh
        knots = mesh * 0.3 - np.hypot((u / mesh) % 3 - 1.5, (v / mesh) % 3 - 1.5) * mesh
        line = np.maximum((side * 0.0005 - threads) + 0.5, knots + 0.5).clip(0, 1)
        out[top : top + len(y)] = np.rint(line * inside[top : top + len(y)])
    return out


def _glass(width: int, height: int, random: np.random.Generator) -> Alpha:
    side = min(width, height)
    outline = _outline(width, height, side * 0.36, random, 5)
    body = _drawn(width, height, [], [outline]).astype(np.float32) / 255
    rim = _drawn(width, height, [(np.concatenate([outline, outline[:1]]), side * 0.004)], [])
    x = np.arange(width, dtype=np.float32)[None] / side
    y = np.arange(height, dtype=np.float32)[:, None] / side
    body *= 0.35 + 0.15 * np.sin(9 * x + 4 * y) + 0.1 * np.sin(31 * y)
    return np.maximum(np.rint(body * 255).astype(np.uint8), np.rint(rim * 0.9).astype(np.uint8))


def _motion(width: int, height: int, random: np.random.Generator) -> Alpha:
    side = min(width, height)
    still = _drawn(width, height, [], [_outline(width, height, side * 0.3, random, 14)])
    reach = max(3, round(side * 0.015)) | 1
    image = pyvips.Image.new_from_memory(still.data, width, height, 1, "uchar")
    image = image.conv(pyvips.Image.new_from_array([[1] * reach], scale=reach), precision="integer")
    return np.frombuffer(image.write_to_memory(), np.uint8).reshape(height, width)


def _text(width: int, height: int, random: np.random.Generator) -> Alpha:
    canvas = Image.new("L", (width, height))
    y = height * 0.08
    while y < height * 0.9:
        size = height * float(random.uniform(0.01, 0.16))
        words = "".join(random.choice(list("BOoaegqRP8&%@dbA46")) for _ in range(int(width * 0.8 / size * 1.6)))
        font = ImageFont.load_default(size * _OVERSAMPLED)
        line = Image.new("L", (width * _OVERSAMPLED, int(size * 1.4) * _OVERSAMPLED))
        ImageDraw.Draw(line).text((width * 0.1 * _OVERSAMPLED, 0), words, 255, font)
        canvas.paste(line.reduce(_OVERSAMPLED), (0, int(y)))
        y += size * 1.4
    return np.asarray(canvas.rotate(7, Image.Resampling.BICUBIC))


KINDS: dict[str, Callable[[int, int, np.random.Generator], Alpha]] = {
    "hair": _hair,
    "fur": _fur,
    "glass": _glass,
    "lace": _lace,
    "motion": _motion,
    "text": _text,
    "leaves": _leaves,
}
