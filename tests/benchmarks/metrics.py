"""What is wrong with an alpha and with edge colours, beside the truth, in the band.

The band is where the true alpha or the delivered alpha, enlarged, is neither 0 nor 255, and `DILATION` pixels around.
It does not depend on the method that is measured.

The four errors of alphas are those of the matting field: Rhemann, Rother, Wang, Gelautz, Kohli, Rott: "A Perceptually
Motivated Online Benchmark for Image Matting", CVPR 2009; in the details as in the evaluation code of Xu, Price, Cohen,
Huang: "Deep Image Matting", CVPR 2017, which most papers use since. Alphas are uint8 (height, width).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.uint8]
Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

TRUE_ALPHA = "true alpha"
DILATION = 2
GRADIENT_SIGMA = 1.4
CONNECTIVITY_STEPS = 10
CONNECTIVITY_THETA = 0.15
_ROWS = 256
_KERNEL_END = 0.01
"""The kernel of the gradient ends where the Gaussian is this small."""


def band_of(truth: Alpha, delivered: Alpha) -> Mask:
    """Where the errors are measured; `delivered` is enlarged to the size of `truth`."""
    unknown = ((truth > 0) & (truth < 255)) | ((delivered > 0) & (delivered < 255))
    side = 2 * DILATION + 1
    return cv2.dilate(unknown.view(np.uint8), np.ones((side, side), np.uint8)).view(bool)


def alpha_errors(alpha: Alpha, truth: Alpha, band: Mask) -> dict[str, float]:
    """Each of `ALPHA_ERRORS`."""
    return {name: measure(alpha, truth, band) for name, measure in ALPHA_ERRORS.items()}


def sad(alpha: Alpha, truth: Alpha, band: Mask) -> float:
    """The sum of absolute differences (alphas of 0 to 1), in thousands."""
    return sum(float(np.abs(_difference(alpha[rows], truth[rows], band[rows])).sum()) for rows in _strips(band)) / 1e3


def mse(alpha: Alpha, truth: Alpha, band: Mask) -> float:
    """The mean squared difference (alphas of 0 to 1), in thousandths."""
    total = sum(float(np.square(_difference(alpha[rows], truth[rows], band[rows])).sum()) for rows in _strips(band))
    return total / max(1, int(np.count_nonzero(band))) * 1e3


def gradient(alpha: Alpha, truth: Alpha, band: Mask) -> float:
    """The sum of squared differences of the gradients' magnitudes, in thousands.

    Gradients are those of a Gaussian with a standard deviation of 1.4 pixels, the kernels of unit L2 norm.
    """
    smooth, slope = _gradient_kernels()
    around, height = len(smooth) // 2, len(band)
    total = 0.0
    for rows in _strips(band):
        low, high = max(0, rows.start - around), min(height, rows.stop + around)
        inner = np.s_[rows.start - low : rows.stop - low]
        magnitudes = []
        for plane in (alpha, truth):
            part = plane[low:high].astype(np.float32) / 255
            across, down = (
                cv2.sepFilter2D(part, cv2.CV_32F, *kernels, borderType=cv2.BORDER_REPLICATE)
                for kernels in ((slope, smooth), (smooth, slope))
            )
            magnitudes.append(cv2.magnitude(across, down)[inner][band[rows]])
        total += float(np.square(magnitudes[0] - magnitudes[1]).sum())
    return total / 1e3


def connectivity(alpha: Alpha, truth: Alpha, band: Mask) -> float:
    """The sum of differences in connectivity to the subject's opaque middle, in thousands.

    A pixel is connected up to the last level (in steps of 0.1) at which it belongs to the largest 4-connected region
    where both alphas reach that level. What an alpha has above it counts from 0.15 on.
    """
    both = np.minimum(alpha, truth)
    connected = np.zeros_like(both)
    # outside this box no level is reached
    left, top, width, height = cv2.boundingRect(both)
    box = np.s_[top : top + height, left : left + width]
    for step in range(1, CONNECTIVITY_STEPS + 1):
        largest = _largest_region(both[box] >= math.ceil(255 * step / CONNECTIVITY_STEPS))
        connected[box] += largest & (connected[box] == step - 1)
    total = 0.0
    for rows in _strips(band):
        here = band[rows]
        level = connected[rows][here] / np.float32(CONNECTIVITY_STEPS)
        phis = []
        for plane in (alpha, truth):
            above = plane[rows][here] / np.float32(255) - level
            phis.append(1 - above * (above >= CONNECTIVITY_THETA))
        total += float(np.abs(phis[0] - phis[1]).sum())
    return total / 1e3


ALPHA_ERRORS = {"SAD": sad, "MSE": mse, "gradient": gradient, "connectivity": connectivity}


def colour_errors(
    alpha: Alpha, colours: Colours, truth: Alpha, foreground: Colours, backgrounds: dict[str, Colours], band: Mask
) -> dict[str, float]:
    """The mean absolute difference in 1/255 from the true subject on each new background, and `TRUE_ALPHA`.

    `TRUE_ALPHA` is that of the colours alone, each put on one background with the true alpha. The background cancels
    out: it is the true alpha times the difference of the colours.
    A background is (height, width, 3), or (1, 1, 3) for one colour.
    """
    totals = dict.fromkeys((TRUE_ALPHA, *backgrounds), 0.0)
    for rows in _strips(band):
        index = np.flatnonzero(band[rows])

        def here(image: Colours, rows: slice = rows, index: NDArray[np.intp] = index) -> NDArray[np.float32]:
            if image.shape[:2] == (1, 1):
                return image.reshape(1, -1).astype(np.float32)
            flat = image[rows].reshape(-1, image.shape[2])
            return flat.take(index, axis=0).astype(np.float32)

        ours, true = (here(plane[..., None]) / 255 for plane in (alpha, truth))
        seen, wanted = here(colours), here(foreground)
        totals[TRUE_ALPHA] += float(np.abs((seen - wanted) * true).sum())
        subject = seen * ours - wanted * true
        hole = true - ours
        for name, new in backgrounds.items():
            totals[name] += float(np.abs(subject + here(new) * hole).sum())
    count = max(1, int(np.count_nonzero(band))) * foreground.shape[2]
    return {name: total / count for name, total in totals.items()}


def _difference(alpha: Alpha, truth: Alpha, band: Mask) -> NDArray[np.float32]:
    return (alpha[band].astype(np.float32) - truth[band]) / 255


def _strips(band: Mask) -> Iterator[slice]:
    """Rows in which there is a band, some at a time: memory stays bounded."""
    for top in range(0, len(band), _ROWS):
        rows = slice(top, min(top + _ROWS, len(band)))
        if band[rows].any():
            yield rows


def _gradient_kernels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A Gaussian and its derivative, whose outer product has an L2 norm of 1."""
    sigma = GRADIENT_SIGMA
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * _KERNEL_END)))
    x = np.arange(-half, half + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * sigma**2))
    slope = x * smooth
    return smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)


def _largest_region(reached: Mask) -> Mask:
    """The largest 4-connected region of True."""
    if not reached.any():
        return reached
    _, labels, facts, _ = cv2.connectedComponentsWithStats(reached.view(np.uint8), connectivity=4)
    largest: Any = labels == 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    return largest
