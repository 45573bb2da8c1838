"""An alpha of limited detail, brought to a picture's full size with the picture as its guide.

Around every pixel of the alpha p a linear model of the picture's colours I is fitted, q = a I + b, and applied to the
picture at full size: the fast guided filter (He and Sun, "Fast Guided Filter", 2015; with a guide in colour: He, Sun
and Tang, "Guided Image Filtering", 2013). Added to it are:

- what the model leaves over, p - q: it goes into b, so that the result, reduced again, is p;
- k, how far p's own finest octave of detail bears the model's out: the slope between the two, and 0 where p has no
  detail that is worth sharpening. With k = 0 the result is p enlarged by bicubic interpolation;
- p's true resolution. Where p - q is large beside p's finest octave, p is blurred, displaced, or of less detail than
  its size promises. There p - q is left out, and the model is that of p reduced to half its size, and so on.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pictures import Picture, eight_bits
from .tiles import Box, Size, grid, source

Alpha: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

SCALE = np.float32(1 / 255)
_RIDGE = np.float32(1e-4)
_NOISE = np.float32(0.008**2)
"""The square of what counts as noise in p - q, and as not worth sharpening in p."""
_TRUST, _FINE = (0.15, 0.3), (0.25, 0.5)
"""The ratios of p - q to p's finest octave between which p - q fades out, and the model gives way to the coarser."""
_CORE, _MARGIN = 112, 8
_OVER, _SLOPE, _RATIO = 4, 5, 6


class Guide:
    """A picture's colours in planes (3, height, width), -0.5 to 0.5, on white where the picture is transparent."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.size: Size = (picture.width, picture.height)

    def planes(self, box: Box) -> Floats:
        """A part at full size."""
        return _planes(self._colours(box))

    def reduced(self, box: Box, size: Size) -> Floats:
        """A part of the picture reduced (Lanczos) to `size`, in whose pixels `box` counts."""
        if size == self.size:
            return self.planes(box)
        part, place = source(box, size, self.size, 3)
        image = Image.fromarray(np.ascontiguousarray(self._colours(part)))
        return _planes(np.asarray(image.resize(box.size, Image.Resampling.LANCZOS, box=place)))

    def _colours(self, box: Box) -> NDArray[np.uint8]:
        pixels = eight_bits(self._picture.pixels[box.top : box.bottom, box.left : box.right])
        if pixels.shape[2] in (2, 4):
            pixels, own = pixels[..., :-1], pixels[..., -1:].astype(np.uint16)
            if own.min() < 255:
                pixels = ((pixels * own + 255 * (255 - own) + 127) // 255).astype(np.uint8)
        return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


class Level:
    """The alpha (height, width) at one size, and the models there.

    `models` (5, height, width) are the planes of k a, of all that does not depend on the picture, and of the weight
    that both have been multiplied by: 0 where no level has a model that can be used.
    """

    def __init__(self, alpha: Alpha) -> None:
        self.alpha = alpha
        self.size: Size = (alpha.shape[1], alpha.shape[0])
        self.models = np.zeros((5, *alpha.shape), np.float32)
        self._fits: dict[Box, Floats] = {}

    def halved(self) -> Level:
        """The next level, reduced by Lanczos."""
        width, height = (max(1, round(side / 2)) for side in self.size)
        return Level(np.asarray(Image.fromarray(self.alpha).resize((width, height), Image.Resampling.LANCZOS)))

    def tiles(self) -> list[Box]:
        """The tiles in which the alpha is not the same all over."""
        return [box for box in grid(self.size, _CORE) if self.value(box, _MARGIN) is None]

    def value(self, box: Box, around: int) -> int | None:
        """The value of all pixels of a box and around it; None where they differ."""
        part = box.grown(around).clipped(self.size).of(self.alpha)
        lowest = int(part.min())
        return lowest if lowest == part.max() else None

    def fit(self, box: Box, guide: Guide) -> NDArray[np.float64]:
        """Fits the models of a tile.

        Returns the sums of the squares of p - q and of p's finest octave, and of the noise to be taken from the one and
        added to the other.
        """
        outer = box.grown(_MARGIN)
        inner = outer.clipped(self.size)
        pads = [
            (inner.top - outer.top, outer.bottom - inner.bottom),
            (inner.left - outer.left, outer.right - inner.right),
        ]
        g = np.pad(guide.reduced(inner, self.size), [(0, 0), *pads], mode="edge")
        p = np.pad(inner.of(self.alpha), pads, mode="edge") * SCALE
        model = _mean_of_9(_slopes(g, p))
        g, p = _cropped(g, 2), _cropped(p, 2)
        q = (model[:3] * g).sum(axis=0) + model[3]
        over = p - q
        p_octave, q_octave = _finest_octave(np.stack([p, q]))
        over_inside = _cropped(over, 2)
        own, modelled, both, left = _mean_of_81(
            np.stack([p_octave * p_octave, q_octave * q_octave, p_octave * q_octave, over_inside * over_inside])
        )
        fit = self._fits[box] = np.empty((7, *own.shape), np.float32)
        fit[:_OVER] = _cropped(model, 6)
        fit[_OVER] = _cropped(over, 6)
        worth = 1 - _NOISE / np.maximum(own, _NOISE)
        fit[_SLOPE] = (both / (modelled + np.float32(1e-5))).clip(0, 1) * worth
        fit[_RATIO] = _ratio(left, own, _NOISE)
        partial = np.count_nonzero(np.abs(box.of(self.alpha) - np.float32(127.5)) < 127)
        return np.array([np.square(fit[_OVER]).sum(), np.square(_cropped(p_octave, 4)).sum(), partial * _NOISE])

    def doubtful(self) -> list[Box]:
        """The fitted tiles in which the models of the next level are needed."""
        return [box for box, fit in self._fits.items() if fit[_RATIO].max() > _FINE[0]]

    def settle(self, coarser: Level | None, *, faithful: bool) -> None:
        """Turns what was fitted into `models`, with those of the next level where there is one.

        Args:
            faithful: whether the alpha is taken at its word all over.
        """
        for box, fit in self._fits.items():
            k, over, models = fit[_SLOPE], fit[_OVER], box.of(self.models)
            p = box.of(self.alpha) * SCALE
            if not faithful:
                trust = _falling(fit[_RATIO], *_TRUST)
                over, k = trust * over, 1 - trust * (1 - k)
            np.multiply(fit[:3], k, out=models[:3])
            models[3] = p + k * (fit[3] + over - p)
            models[4] = 1
            if not faithful:
                fine = _falling(fit[_RATIO], *_FINE)
                models *= fine
                if coarser is not None and fine.min() < 1:
                    models += (1 - fine) * coarser.enlarged(box, self.size)
        self._fits.clear()

    def finish(self) -> None:
        """Where there is no model that can be used, the alpha alone takes its place."""
        for box in grid(self.size, _CORE):
            models = box.of(self.models)
            models[3] += (1 - models[4]) * (box.of(self.alpha) * SCALE)

    def enlarged(self, box: Box, size: Size) -> Floats:
        """The models (bicubic) of a part of a picture of `size`."""
        if size == self.size:
            planes: Floats = box.of(self.models)
            return planes
        part, place = source(box, size, self.size, 2)
        out = np.empty((5, box.bottom - box.top, box.right - box.left), np.float32)
        for plane, enlarged in zip(part.of(self.models), out, strict=True):
            image = Image.fromarray(np.ascontiguousarray(plane))
            enlarged[:] = np.asarray(image.resize(box.size, Image.Resampling.BICUBIC, box=place))
        return out


def is_faithful(sums: NDArray[np.float64], at_most: float) -> bool:
    """Whether p - q, in the sums of all tiles, is small beside p's finest octave."""
    return float(_ratio(sums[0], sums[1], sums[2])) <= at_most


def _ratio(over: Any, own: Any, noise: Any) -> Any:
    return np.sqrt(np.maximum(over - noise, 0) / (own + noise + np.float32(1e-9)))


def _planes(colours: NDArray[np.uint8]) -> Floats:
    planes = np.multiply(np.moveaxis(colours, 2, 0), SCALE, dtype=np.float32)
    planes -= np.float32(0.5)
    return planes


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


def _mean_of_9(planes: Floats) -> Floats:
    """Means of 3 x 3 pixels, without the outermost pixels."""
    rows = planes[:, 1:-1] + planes[:, :-2]
    rows += planes[:, 2:]
    out: Floats = rows[:, :, 1:-1] + rows[:, :, :-2]
    out += rows[:, :, 2:]
    out *= np.float32(1 / 9)
    return out


def _mean_of_81(planes: Floats) -> Floats:
    """Means of 9 x 9 pixels, without the 4 outermost."""
    thirds = _mean_of_9(planes)
    rows = thirds[:, 3:-3] + thirds[:, :-6]
    rows += thirds[:, 6:]
    out: Floats = rows[:, :, 3:-3] + rows[:, :, :-6]
    out += rows[:, :, 6:]
    out *= np.float32(1 / 9)
    return out


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


def _cropped(planes: Any, by: int) -> Any:
    return planes[..., by:-by, by:-by]


def _falling(values: Floats, start: float, end: float) -> Floats:
    """1 up to `start`, 0 from `end` on."""
    falling: Floats = ((np.float32(end) - values) * np.float32(1 / (end - start))).clip(0, 1)
    return falling
