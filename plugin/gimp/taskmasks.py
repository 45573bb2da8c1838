"""The masks that tasks work on, one byte a pixel of a layer's rectangle: a selection, or what a cut-out shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Iterator, Tuple

from cutout import export
from strips import STRIP, Show, writing

Area = Tuple[int, int, int, int]
"""The left, top, right and bottom edge of a part of a layer, in its own coordinates."""


def save_selection(image: Any, layer: Any, path: Path) -> None:
    """Write what is selected of a layer."""
    left, top = layer.offsets
    area = _overlap(layer, (-left, -top), (image.width, image.height))
    first, last = left + area[0], left + area[2]
    region = image.selection.get_pixel_rgn(0, 0, image.width, image.height, False, False)

    def rows() -> Iterator[bytes]:
        for begin in range(area[1], area[3], STRIP):
            end = min(begin + STRIP, area[3])
            yield from _split(region[first:last, top + begin : top + end], last - first)

    _save(layer, area, rows(), path)


def save_subject(image: Any, layer: Any, cutout: Any, path: Path, show: Show) -> None:
    """Write what a cut-out shows over a layer."""
    shown = path.with_suffix(".subject")
    channels = export(image, cutout, shown, show)["channels"]
    left, top = (its - own for its, own in zip(cutout.offsets, layer.offsets))
    width = cutout.width
    area = _overlap(layer, (left, top), (width, cutout.height))

    def rows() -> Iterator[bytes]:
        with shown.open("rb") as file:
            file.seek((area[1] - top) * width * channels)
            for _ in range(area[1], area[3]):
                row = file.read(width * channels)
                alpha = row[3::4] if channels == 4 else b"\xff" * width
                yield alpha[area[0] - left : area[2] - left]

    _save(layer, area, rows(), path)
    shown.unlink()


def _overlap(layer: Any, corner: tuple[int, int], size: tuple[int, int]) -> Area:
    """The part of a layer that a rectangle lies over; it may be empty."""
    left, top = (min(max(0, place), end) for place, end in zip(corner, (layer.width, layer.height)))
    right, bottom = (
        min(max(begin, place + length), end)
        for begin, place, length, end in zip((left, top), corner, size, (layer.width, layer.height))
    )
    return left, top, right, bottom


def _save(layer: Any, area: Area, rows: Iterable[bytes], path: Path) -> None:
    """Write a mask that is 0 but for an area."""
    left, top, right, bottom = area
    before, after = bytes(left), bytes(layer.width - right)
    with writing(path) as file:
        file.write(bytes(layer.width * top))
        if right > left:
            for row in rows:
                file.write(before + row + after)
        else:
            file.write(bytes(layer.width * (bottom - top)))
        file.write(bytes(layer.width * (layer.height - bottom)))


def _split(pixels: bytes, width: int) -> Iterator[bytes]:
    return (pixels[start : start + width] for start in range(0, len(pixels), width))
