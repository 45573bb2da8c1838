"""An alpha of limited detail, brought to a picture's full size with the picture as its guide.

Around every pixel of the alpha p a linear model of the picture's colours I is fitted, q = a I + b, and applied to the
picture at full size: the fast guided filter (He and Sun, "Fast Guided Filter", 2015; with a guide in colour: He, Sun
and Tang, "Guided Image Filtering", 2013). Added to it are:

- what the model leaves over, p - q: it goes into b, so that the result, reduced again, is p;
- k, how far the alpha bears the models out: how much of the detail that those of p reduced to half its size foretell is
  there in p, and 0 where p has no detail to sharpen. With k = 0 the result is p enlarged by bicubic interpolation;
- p's true resolution. Where p - q is large beside p's finest octave, p is blurred, displaced, or of less detail than
  its size promises. The models used are then those of the first smaller size (a half, a quarter ...) at which p agrees
  with the picture; and where it agrees at none, each place takes the size that fits it best, without p - q;
- how far the models of a smaller size stand out of the texture around. An alpha may be as soft as the subject, and the
  detail that they foretell be the background's. They are used as far as they make more of the picture's detail than of
  that where p does not change, which is texture.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pictures import Picture, Pixels, Report, compute, opaque, render
from .tiles import CELL, Box, Enlarging, Size, Tiled, bicubic, cell_of, differing, grid, source

Alpha: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

SCALE = np.float32(1 / 255)
_RIDGE = np.float32(1e-4)
_ROUNDING = np.float32(0.003**2)
"""The square of what is left over because p is of whole numbers."""
_DETAIL = np.float32(0.018**2)
"""The square of the detail in p that is not worth sharpening."""
_TRUST, _FINE = (0.15, 0.3), (0.25, 0.5)
"""The ratios of p - q to p's finest octave between which p - q fades out, and the model gives way to the coarser."""
_FLAT = (4, 12)
"""The differences in p within 5 x 5 pixels between which the model takes over from bicubic interpolation."""
_DISTINCT = (2.75, 3.75)
"""The ratios of what models make of the picture's detail to what of the texture around between which they are used."""
_ENOUGH = (0.02, 0.1)
"""The parts of 19 x 19 pixels between which those where p does not change come to tell of texture."""
_SAMPLE, _SAMPLES = 16, 12
_GRAY = 4 / 255
"""The mean distance of the highest from the lowest component up to which a part counts as gray."""
_GAIN = 1 - 2 * (6 / 16) ** 2 + (70 / 256) ** 2
"""What `_finest_octave` makes of the variance of white noise."""
_FIRST, _SECOND = np.triu_indices(3)
_TWICE = np.where(_FIRST == _SECOND, 1, 2).astype(np.float32)[:, None, None]
"""A product of two of three colours, and how often it is in the square of their sum."""
_LITTLE = np.float32(1e-9)
"""Added to both squares of a ratio, which is 1 where both are nothing."""
_MARGIN = 8
_REACH = 8
"""How many pixels from where the alpha changes all is as if it did not."""


class Guide:
    """A picture's colours at several sizes, on white where the picture is transparent."""

    def __init__(self, picture: Picture) -> None:
        self.size: Size = (picture.width, picture.height)
        self._picture = picture
        self._reduced: dict[Size, Pixels] = {}
        self._noise: dict[Size, np.float32] = {}

    def reduce(self, size: Size, report: Report) -> None:
        """Makes a smaller size (Lanczos), from the smallest that there is."""
        if size != self.size:
            larger = Picture(self._reduced[min(self._reduced)]) if self._reduced else self._picture
            self._reduced[size] = compute(render(larger, size), report)

    def noise(self, size: Size) -> np.float32:
        """The variance of the grain in the colours at one of the sizes, asked for from the largest on.

        That is the variance in the calmest tenth of the picture, and at most that at a larger size: what does not
        become less as the picture is reduced is texture.
        """
        if size not in self._noise:
            grain = _finest_octave(np.concatenate(list(self._samples(size))))
            calm = grain.reshape(_SAMPLES**2, -1).var(axis=1)
            self._noise[size] = min([np.float32(np.quantile(calm, 0.1) / _GAIN), *self._noise.values()])
        return self._noise[size]

    def is_gray(self, size: Size) -> bool:
        """Whether the picture has no colours to speak of."""
        return all(np.ptp(planes, axis=0).mean() < _GRAY for planes in self._samples(size))

    def _samples(self, size: Size) -> Iterator[Floats]:
        """The colours of small parts all over the picture."""
        for top in np.linspace(0, size[1] - _SAMPLE, _SAMPLES).astype(int).tolist():
            for left in np.linspace(0, size[0] - _SAMPLE, _SAMPLES).astype(int).tolist():
                yield self.planes(Box(left, top, left + _SAMPLE, top + _SAMPLE).clipped(size), size)

    def planes(self, box: Box, size: Size) -> Floats:
        """The colours (3, height, width), -0.5 to 0.5, of a part of the picture at one of its sizes."""
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        if size == self.size:
            pixels = opaque(Picture(self._picture.pixels[rows, columns]))
        else:
            pixels = self._reduced[size][rows, columns]
        planes = np.multiply(np.moveaxis(pixels, 2, 0), SCALE, dtype=np.float32)
        planes -= np.float32(0.5)
        return planes if len(planes) == 3 else planes.repeat(3, axis=0)


class Level:
    """The alpha (height, width) at one size, and the models there.

    `models` are the planes of k a, of all that does not depend on the picture, and of the weight that both have been
    multiplied by: 0 where no level has a model that can be used.
    """

    def __init__(self, alpha: Alpha) -> None:
        self.alpha = alpha
        self.size: Size = (alpha.shape[1], alpha.shape[0])
        self.models = Tiled(5)
        self._raw = Tiled(4)
        self._fits: dict[Box, Floats] = {}

    def halved(self) -> Level:
        """The next level, reduced by Lanczos."""
        width, height = (max(1, round(side / 2)) for side in self.size)
        return Level(self.resized((width, height), Image.Resampling.LANCZOS, 3))

    @functools.cached_property
    def tiles(self) -> list[Box]:
        """The part of each cell that is less than `_REACH` pixels from where the alpha changes; none is empty."""
        width, height = self.size
        lefts = np.arange(0, width, CELL)
        begins, ends = np.maximum(lefts - _REACH, 0), np.minimum(lefts + CELL + _REACH, width)
        spans = np.stack([begins, ends], axis=1).reshape(-1)
        found = []
        for top in range(0, height, CELL):
            strip = self.alpha[max(0, top - _REACH) : top + CELL + _REACH]
            lowest, highest = (
                extreme.reduceat(np.append(extreme.reduce(strip), 0), spans)[::2]
                for extreme in (np.minimum, np.maximum)
            )
            for left in lefts[lowest != highest].tolist():
                cell = Box(left, top, left + CELL, top + CELL).clipped(self.size)
                around = cell.grown(_REACH).clipped(self.size)
                changes = differing(around.of(self.alpha)).moved(around.left, around.top)
                found.append(changes.grown(_REACH - 1).common(cell))
        return found

    def resized(
        self, size: Size, kernel: Image.Resampling, reach: int, report: Report = lambda fraction: None
    ) -> Alpha:
        """The alpha at another size.

        Args:
            reach: the radius of the kernel, in pixels of the smaller of the two pictures; less than `_REACH` here.
        """
        out = np.empty(size[::-1], np.uint8)
        for cell in grid(self.size, CELL):
            cell.scaled(self.size, size).of(out)[:] = self.alpha[cell.top, cell.left]
        for done, tile in enumerate(self.tiles):
            report(done / len(self.tiles))
            # above and left of a tile there is one value, below and right of it one, which may be another
            cell = cell_of(tile).clipped(self.size)
            for beyond in (cell._replace(top=tile.bottom), cell._replace(left=tile.right)):
                beyond.scaled(self.size, size).of(out)[:] = self.alpha[cell.bottom - 1, cell.right - 1]
            box = tile.scaled(self.size, size)
            if min(box.size) > 0:
                part, (left, top, right, bottom) = source(box, size, self.size, reach)
                image = Image.fromarray(part.of(self.alpha))
                # left to itself, Pillow would begin with the rows or with the columns by the shape of the tile
                image = image.resize((box.size[0], image.height), kernel, box=(left, 0, right, image.height))
                box.of(out)[:] = np.asarray(image.resize(box.size, kernel, box=(0, top, image.width, bottom)))
        return out

    def changing(self, box: Box) -> Floats:
        """How far the alpha changes in the 5 x 5 pixels around, 0 to 1.

        Where it hardly does, it is right even if it is displaced or blurred, and a model could only add the picture's
        texture to it.
        """
        outer = box.grown(2)
        inner = outer.clipped(self.size)
        alpha = _pad(inner.of(self.alpha), inner, outer)
        spread = _extreme_of_25(alpha, np.maximum) - _extreme_of_25(alpha, np.minimum)
        return rising(spread, *_FLAT)

    def is_modelled(self, box: Box) -> NDArray[np.bool_]:
        """Where there is a model that can be used in the 5 x 5 pixels around."""
        outer = box.grown(2)
        inner = outer.clipped(self.size)
        used = _pad(self.models.of(inner)[4] > 0, inner, outer)
        return _extreme_of_25(used, np.logical_or)

    def fit(self, box: Box, guide: Guide) -> NDArray[np.float64]:
        """Fits the models of a tile.

        Returns the sums of the squares of p - q and of p's finest octave, and of the noise to be taken from the one and
        added to the other.
        """
        model, product, p = self.model(box, guide)
        over = p - product - model[3]
        octave = _finest_octave(p[None])[0]
        own, left, gain = _mean_of_81(
            np.stack([octave**2, _crop(over, 2) ** 2, np.square(_crop(model[:3], 2)).sum(axis=0)])
        )
        noise = _ROUNDING + 2 * guide.noise(self.size) * gain
        fit = self._fits[box] = np.empty((4, *own.shape), np.float32)
        fit[0] = _crop(model[3], 6)
        fit[1] = _crop(over, 6)
        fit[2] = 1 - _DETAIL / np.maximum(own, _DETAIL)
        fit[3] = _ratio(left, own, noise)
        partial = np.abs(box.of(self.alpha) - np.float32(127.5)) < 127
        return np.array([np.square(fit[1]).sum(), np.square(_crop(octave, 4)).sum(), noise[partial].sum()])

    def model(self, box: Box, guide: Guide) -> tuple[Floats, Floats, Floats]:
        """Fits the models of a tile as far as the next finer level needs them to be borne out.

        Returns the planes of a and b, those of a I, and p, of the tile and 6 pixels around it.
        """
        outer = box.grown(_MARGIN)
        inner = outer.clipped(self.size)
        g = _pad(guide.planes(inner, self.size), inner, outer)
        p = _pad(inner.of(self.alpha), inner, outer) * SCALE
        model = _mean_of_9(_slopes(g, p))
        product = (model[:3] * _crop(g, 2)).sum(axis=0)
        raw = self._raw[box] = np.empty((4, *box.size[::-1]), np.float32)
        raw[:3] = _crop(model[:3], 6)
        raw[3] = _crop(product, 6)
        return model, product, _crop(p, 2)

    def settle(self, coarser: Level | None, guide: Guide, report: Report, *, faithful: bool | None) -> None:
        """Turns what was fitted into `models`, with the help of the next level.

        Args:
            faithful: whether the alpha is taken at its word: all over, nowhere, or (None) where it fits.
        """
        larger = None if coarser is None else Enlarging(coarser.size, self.size, bicubic)
        for done, (box, (b, over, worth, ratio)) in enumerate(self._fits.items()):
            report(0.5 * done / len(self._fits))
            fine, trust = (
                1 - rising(ratio, *limits) if faithful is None else np.float32(faithful) for limits in (_FINE, _TRUST)
            )
            weight = worth * fine
            if coarser is not None and larger is not None and weight.any():
                weight *= self._borne_out(box, coarser, larger, guide)
            models = self.models[box] = np.empty((5, *weight.shape), np.float32)
            np.multiply(self._raw.of(box)[:3], weight, out=models[:3])
            np.multiply(b + trust * over, weight, out=models[3])
            models[4] = weight
            if coarser is not None and larger is not None and not faithful:
                models += (1 - fine) * larger.part(coarser.models.of, box)
        if coarser is not None and larger is not None and not faithful:
            distinct = {}
            for done, box in enumerate(self._fits):
                report(0.5 + 0.5 * done / len(self._fits))
                if self.models.of(box).any():
                    distinct[box] = self._distinct(box, coarser, larger, guide)
            for box, part in distinct.items():
                self.models[box] = self.models.of(box) * part
        self._fits.clear()

    def _distinct(self, box: Box, coarser: Level, larger: Enlarging, guide: Guide) -> Floats:
        """How far what the models make of the picture's detail stands out of the texture around, 0 to 1.

        The detail is that beyond the coarser level's. Texture is what the models would make of it, by its covariance
        in colour, where p does not change: at the subject's side or the background's, whichever is more.
        """
        around, outer = box.grown(4), box.grown(13)
        near, inner = around.clipped(self.size), outer.clipped(self.size)
        detail = guide.planes(inner, self.size) - larger.part(lambda part: guide.planes(part, coarser.size), inner)
        covariance = detail[_FIRST] * detail[_SECOND]
        slopes = self.models.of(near)[:3]
        squares = slopes[_FIRST] * slopes[_SECOND] * _TWICE
        found = [(squares * near.within(inner).of(covariance)).sum(axis=0)]
        changing, subject = self.changing(inner), inner.of(self.alpha) >= 128
        for side in (subject, ~subject):
            plain = (1 - changing) * side
            means = _mean_of_361(_pad(np.stack([*(covariance * plain), plain]), inner, outer))
            means = near.within(around).of(means)
            share = means[6]
            found.append((squares * means[:6]).sum(axis=0) / np.maximum(share, _ENOUGH[0]) * rising(share, *_ENOUGH))
        planes = np.stack(found) * near.within(inner).of(changing)
        made, *texture = _mean_of_81(_pad(planes, near, around)).clip(0) + _LITTLE
        return rising(np.sqrt(made / np.maximum(*texture)), *_DISTINCT)

    def _borne_out(self, box: Box, coarser: Level, larger: Enlarging, guide: Guide) -> Floats:
        """How far detail that the coarser level's models foretell is there in this level's alpha, 0 to 1."""
        outer = box.grown(4)
        inner = outer.clipped(self.size)
        raw = larger.part(coarser._raw.of, inner)
        foretold = (raw[:3] * guide.planes(inner, self.size)).sum(axis=0) - raw[3]
        smooth = larger.part(lambda part: part.of(coarser.alpha), inner)
        missing = (inner.of(self.alpha) - smooth) * SCALE
        both, alone = _mean_of_81(_pad(np.stack([foretold * missing, foretold * foretold]), inner, outer))
        k: Floats = (both / (alone + np.float32(1e-5))).clip(0, 1)
        return k


def _pad(planes: Any, inner: Box, outer: Box) -> Any:
    """Planes (..., height, width) of one box, whose edges are repeated to fill a larger one."""
    if inner == outer:
        return planes
    rows = inner.top - outer.top, outer.bottom - inner.bottom
    columns = inner.left - outer.left, outer.right - inner.right
    return np.pad(planes, [(0, 0)] * (planes.ndim - 2) + [rows, columns], mode="edge")


def is_faithful(sums: NDArray[np.float64], at_most: float) -> bool:
    """Whether p - q, in the sums of all tiles, is small beside p's finest octave."""
    return float(_ratio(sums[0], sums[1], sums[2])) <= at_most


def _ratio(over: Any, own: Any, noise: Any) -> Any:
    return np.sqrt(np.maximum(over - noise, 0) / (own + noise + np.float32(1e-9)))


def _slopes(g: Floats, p: Floats) -> Floats:
    """The planes of a and b of the windows of 3 x 3 pixels: of a guide (3, h, w) and p (h, w), (4, h - 2, w - 2).

    The normal equations, with a ridge, are solved by LDL decomposition, which is stable where all colours are gray.
    """
    x, y, z = g
    means = _mean_of_9(np.stack([x, y, z, p, x * x, x * y, x * z, y * y, y * z, z * z, x * p, y * p, z * p]))
    mx, my, mz, mp = means[:4]
    d0 = means[4] - mx * mx + _RIDGE
    xy, xz = means[5] - mx * my, means[6] - mx * mz
    yz = means[8] - my * mz
    cx, cy, cz = means[10] - mx * mp, means[11] - my * mp, means[12] - mz * mp
    l1, l2 = xy / d0, xz / d0
    d1 = np.maximum(means[7] - my * my + _RIDGE - l1 * xy, _RIDGE)
    yz -= l1 * xz
    l3 = yz / d1
    d2 = np.maximum(means[9] - mz * mz + _RIDGE - l2 * xz - l3 * yz, _RIDGE)
    cy -= l1 * cx
    cz -= l2 * cx + l3 * cy
    out = np.empty((4, *mp.shape), np.float32)
    a = out[:3]
    np.divide(cz, d2, out=a[2])
    a[1] = cy / d1 - l3 * a[2]
    a[0] = cx / d0 - l1 * a[1] - l2 * a[2]
    out[3] = mp - a[0] * mx - a[1] * my - a[2] * mz
    return out


def _mean_of_9(planes: Floats, step: int = 1) -> Floats:
    """Means of 3 x 3 pixels that are `step` apart, without the `step` outermost pixels."""
    twice = 2 * step
    rows = planes[:, step:-step] + planes[:, :-twice]
    rows += planes[:, twice:]
    out: Floats = rows[:, :, step:-step] + rows[:, :, :-twice]
    out += rows[:, :, twice:]
    out *= np.float32(1 / 9)
    return out


def _mean_of_361(planes: Floats) -> Floats:
    """Means of 19 x 19 pixels, the inner ones with more weight, without the 9 outermost."""
    return _mean_of_9(_mean_of_81(planes), step=5)


def _mean_of_81(planes: Floats) -> Floats:
    """Means of 9 x 9 pixels, without the 4 outermost."""
    return _mean_of_9(_mean_of_9(planes), step=3)


def _finest_octave(planes: Floats) -> Floats:
    """What a binomial filter of 5 x 5 pixels takes away, without the 2 outermost."""
    rows = planes[:, 2:-2] * np.float32(6)
    rows += np.float32(4) * (planes[:, 1:-3] + planes[:, 3:-1])
    rows += planes[:, :-4] + planes[:, 4:]
    smooth = rows[:, :, 2:-2] * np.float32(6)
    smooth += np.float32(4) * (rows[:, :, 1:-3] + rows[:, :, 3:-1])
    smooth += rows[:, :, :-4] + rows[:, :, 4:]
    smooth *= np.float32(-1 / 256)
    smooth += planes[:, 2:-2, 2:-2]
    return smooth


def _extreme_of_25(plane: NDArray[Any], extreme: Any) -> NDArray[Any]:
    """The lowest or highest of 5 x 5 pixels, without the 2 outermost."""
    for _axis in range(2):
        pairs = extreme(plane[:-1], plane[1:])
        plane = extreme(extreme(pairs[:-3], pairs[2:-1]), plane[4:]).T
    return plane


def _crop(planes: Any, by: int) -> Any:
    return planes[..., by:-by, by:-by]


def rising(values: NDArray[Any], start: float, end: float) -> Floats:
    """0 up to `start`, 1 from `end` on."""
    result: Floats = ((values - np.float32(start)) * np.float32(1 / (end - start))).clip(0, 1)
    return result
