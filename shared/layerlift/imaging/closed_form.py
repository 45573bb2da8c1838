"""The unsure part of an alpha, solved for by what the picture's colours say of it.

In a window of 3 x 3 pixels a natural alpha is close to a linear function of the picture's colours. The sum over all
windows of the squares of what such a function, fitted to the alpha, leaves over is a quadratic form, the matting
Laplacian (Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting", 2008). The sum of it and, by
a small weight, of the square of the difference from the alpha that is given is minimised by conjugate gradients.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

_RIDGE = 1e-7
_STEPS = 100
_ENOUGH = 3e-3
"""The ratio of the residual to the first one at which the steps end."""
_AROUND = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]


def solve(picture: NDArray[np.uint8], alpha: Floats, unsure: NDArray[np.bool_], weight: float) -> Floats:
    """The alpha (height, width), 0 to 1, as the colours of a picture (height, width, 3) have it where it is unsure.

    Args:
        alpha: 0 to 1; kept where it is not unsure.
        weight: of the difference from the alpha that is given, against that from linear functions of the colours.
    """
    free = unsure.ravel()
    laplacian = _Laplacian(picture, unsure)
    found = alpha.ravel().astype(np.float64)
    rest = np.where(free, -laplacian.times(found), 0.0)
    step, square = rest, float(rest @ rest)
    enough = square * _ENOUGH**2
    for _ in range(_STEPS):
        if square <= enough:
            break
        made = np.where(free, laplacian.times(step) + weight * step, 0.0)
        length = square / float(step @ made)
        found += length * step
        rest = rest - length * made
        last, square = square, float(rest @ rest)
        step = rest + (square / last) * step
    return np.where(free, found.clip(0, 1), alpha.ravel()).astype(np.float32).reshape(alpha.shape)


class _Laplacian:
    """The matting Laplacian of a picture (height, width, 3), of the windows that have a pixel that is unsure."""

    def __init__(self, picture: NDArray[np.uint8], unsure: NDArray[np.bool_]) -> None:
        height, width = unsure.shape
        self._size = unsure.size
        inner = np.zeros((max(0, height - 2), max(0, width - 2)), bool)
        for down, right in _AROUND:
            inner |= unsure[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        rows, columns = inner.nonzero()
        centres = (rows + 1) * width + columns + 1
        windows = centres[:, None] + np.array([down * width + right for down, right in _AROUND])
        colours = picture.reshape(-1, 3)[windows] / 255
        colours -= colours.mean(axis=1, keepdims=True)
        squares = colours.transpose(0, 2, 1) @ colours + _RIDGE * np.eye(3)
        # What is fitted to the alpha is its part along these.
        axes = colours @ np.linalg.cholesky(np.linalg.inv(squares))
        # Windows side by side in memory, so that each step goes over all of them at once.
        self._windows = np.ascontiguousarray(windows.T)
        self._axes = np.ascontiguousarray(axes.transpose(1, 2, 0), np.float32)

    def times(self, alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        """The product with an alpha (height x width)."""
        parts = alpha.astype(np.float32)[self._windows]
        parts -= parts.mean(axis=0)
        fits = np.einsum("ijw,iw->jw", self._axes, parts)
        parts -= np.einsum("ijw,jw->iw", self._axes, fits)
        sums = np.bincount(self._windows.ravel(), parts.ravel(), self._size)
        return cast("NDArray[np.float64]", sums)
