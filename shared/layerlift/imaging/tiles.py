"""Parts of pictures: boxes in whole pixels, and where they lie in the same picture at another size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Width and height in pixels."""
Kernel = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The weights of pixels by their distance, from 0 to 2, from where a picture is interpolated."""

CELL = 96
"""The side in pixels of the cells that a picture is worked on in."""
_STEP = 32
"""Pixels that are interpolated by one product of matrices. With 200 pixels across, OpenBLAS does a product of so few
in the thread that asks (its limit is 2 ** 18 multiplications). Where they are more it shares each one out to all cores,
which other pictures need, and takes many times as long."""


MOST_REDUCED = 16
"""A cut-out that is smaller yet, such as one pixel for a whole picture, shows no subject."""


def fits(size: Size, largest: Size) -> bool:
    """Whether a picture can be a larger one, or one of the same size, reduced by no more than `MOST_REDUCED`: by its
    aspect, up to a pixel."""
    (width, height), (across, down) = size, largest
    same_aspect = abs(height * across - width * down) <= max(largest)
    return 0 < width <= across <= MOST_REDUCED * width and 0 < height <= down and same_aspect


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

    def common(self, other: Box) -> Box:
        """What lies in both."""
        return Box(*map(max, self[:2], other[:2]), *map(min, self[2:], other[2:]))

    def moved(self, right: int, down: int) -> Box:
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def scaled(self, original: Size, size: Size) -> Box:
        """The same part of the picture at another size; boxes that adjoin still do."""
        (across, down), (width, height) = size, original
        return Box(
            self.left * across // width, self.top * down // height,
            self.right * across // width, self.bottom * down // height,
        )  # fmt: skip

    def within(self, other: Box) -> Box:
        """The same part, counted from the corner of another that holds it."""
        return Box(self.left - other.left, self.top - other.top, self.right - other.left, self.bottom - other.top)


class Tiled:
    """Planes (n, height, width) that are 0 but in the tiles that are set, of which each is a part of another cell."""

    def __init__(self, planes: int) -> None:
        self._planes = planes
        self._tiles: dict[Box, tuple[Box, NDArray[np.float32]]] = {}

    def __setitem__(self, box: Box, values: NDArray[np.float32]) -> None:
        self._tiles[cell_of(box)] = box, values

    def of(self, box: Box) -> NDArray[np.float32]:
        """A part of the planes, a copy."""
        out = np.zeros((self._planes, *box.size[::-1]), np.float32)
        first, last = cell_of(box), cell_of(Box(box.right - 1, box.bottom - 1, box.right, box.bottom))
        for top in range(first.top, last.bottom, CELL):
            for left in range(first.left, last.right, CELL):
                tile, values = self._tiles.get(Box(left, top, left + CELL, top + CELL), (box, None))
                both = tile.common(box)
                if values is not None and min(both.size) > 0:
                    both.within(box).of(out)[:] = both.within(tile).of(values)
        return out


def cell_of(box: Box) -> Box:
    """The cell that holds a box's first pixel."""
    left, top = box.left // CELL * CELL, box.top // CELL * CELL
    return Box(left, top, left + CELL, top + CELL)


def differing(plane: NDArray[Any]) -> Box:
    """The part of a plane, not the same all over, that holds all pixels that differ from a neighbour."""
    first, last = plane != plane[0, 0], plane != plane[-1, -1]
    top, left = (int(first.any(axis=axis).argmax()) - 1 for axis in (1, 0))
    up, back = (int(last.any(axis=axis)[::-1].argmax()) - 1 for axis in (1, 0))
    height, width = plane.shape
    return Box(max(left, 0), max(top, 0), width - max(back, 0), height - max(up, 0))


def holding(mask: NDArray[np.bool_]) -> Box:
    """The smallest box that holds all that is true in a mask, which is something."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


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


class Enlarging:
    """Parts of a picture of size `original`, interpolated to `size`, by products with matrices of weights.

    With many planes of few pixels that is faster than Pillow, which copies each, and the same up to rounding.
    """

    def __init__(self, original: Size, size: Size, kernel: Kernel) -> None:
        self._original, self._size = original, size
        self._across, self._down = (_taps(*sides, kernel) for sides in zip(original, size, strict=True))

    def part(self, planes: Callable[[Box], NDArray[Any]], box: Box) -> NDArray[np.float32]:
        """A box of the enlarged planes (..., height, width); `planes` is asked for a box of the original."""
        if self._size == self._original:
            return planes(box)
        around = source(box, self._size, self._original, 2)[0]
        inner = planes(around).astype(np.float32, copy=False)
        wide = np.empty((*inner.shape[:-1], box.right - box.left), np.float32)
        for to, of, matrix in _matrices(*self._across, box.left, box.right, around.left, around.right):
            np.matmul(inner[..., of], matrix.T, out=wide[..., to])
        out = np.empty((*inner.shape[:-2], box.bottom - box.top, box.right - box.left), np.float32)
        for to, of, matrix in _matrices(*self._down, box.top, box.bottom, around.top, around.bottom):
            np.matmul(matrix, wide[..., of, :], out=out[..., to, :])
        return out


def _taps(length: int, count: int, kernel: Kernel) -> tuple[NDArray[np.int_], NDArray[np.float32]]:
    """The pixels, of `length`, that each of `count` is interpolated from, and their weights (count, 4)."""
    places = (np.arange(count)[:, None] + 0.5) * (length / count) - 0.5
    pixels = np.floor(places).astype(int) + np.arange(-1, 3)
    weights = kernel(np.abs(pixels - places).astype(np.float32)) * ((pixels >= 0) & (pixels < length))
    return pixels, weights / weights.sum(axis=1, keepdims=True)


def _matrices(
    pixels: NDArray[np.int_], weights: NDArray[np.float32], begin: int, end: int, first: int, last: int
) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """How the pixels from `begin` to `end` are interpolated from those from `first` to `last`, `_STEP` by `_STEP`:
    which of the former, from which of the latter, and by what weights."""
    for start in range(begin, end, _STEP):
        stop = min(start + _STEP, end)
        left, right = max(int(pixels[start, 0]), first), min(int(pixels[stop - 1, -1]) + 1, last)
        matrix = np.zeros((stop - start, right - left + 4), np.float32)
        # 2 more at each side: beyond the edges of the picture all weights are 0
        matrix[np.arange(stop - start)[:, None], pixels[start:stop] - left + 2] = weights[start:stop]
        yield slice(start - begin, stop - begin), slice(left - first, right - first), matrix[:, 2:-2]


def bilinear(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(1 - distance, 0)


def bicubic(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keys' kernel with a = -0.5, which is Pillow's."""
    x = distance
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2)
