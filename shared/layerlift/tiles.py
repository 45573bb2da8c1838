"""Parts of pictures: boxes in whole pixels, and where they lie in the same picture at another size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

Size = tuple[int, int]
"""Width and height in pixels."""


class Box(NamedTuple):
    """A part of a picture; `right` and `bottom` are the first column and row beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        return self.right - self.left, self.bottom - self.top

    def of(self, planes: Any) -> Any:
        """The part of an array (..., height, width), a view."""
        return planes[..., self.top : self.bottom, self.left : self.right]

    def grown(self, by: int) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def clipped(self, size: Size) -> Box:
        return Box(max(self.left, 0), max(self.top, 0), min(self.right, size[0]), min(self.bottom, size[1]))

    def within(self, other: Box) -> Box:
        """The same part, counted from the corner of another that holds it."""
        return Box(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)


def grid(size: Size, side: int) -> Iterator[Box]:
    """Boxes of `side` x `side` that cover a picture, row by row; the last ones are smaller."""
    width, height = size
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield Box(left, top, min(left + side, width), min(top + side, height))


def source(box: Box, size: Size, original: Size, reach: float) -> tuple[Box, tuple[float, float, float, float]]:
    """What a box of a picture of `size` is resampled from, where the picture of size `original` is brought to `size`.

    Args:
        reach: the radius of the kernel, in pixels of the smaller of the two pictures, or of the original.

    Returns:
        The box in the original, and the place of the wanted part in it, as Pillow's `resize` takes it.
    """
    across, down = original[0] / size[0], original[1] / size[1]
    left, top, right, bottom = box.left * across, box.top * down, box.right * across, box.bottom * down
    around = math.ceil(reach * max(across, down, 1)) + 1
    whole = Box(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)).grown(around).clipped(original)
    return whole, (left - whole.left, top - whole.top, right - whole.left, bottom - whole.top)
