"""The ways to an alpha at the layer's size, and to the subject's colours, that are compared: ours and public ones.

    pip install pymatting     (its first import compiles for a minute)

Alphas are uint8 (height, width), pictures and colours uint8 (height, width, 3).
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

import cv2
import numpy as np
from layerlift.imaging import foreground, matte
from layerlift.imaging.pictures import Picture
from numpy.typing import NDArray
from PIL import Image

Alpha = NDArray[np.uint8]
Colours = NDArray[np.uint8]

_GUIDED_EPSILON = 1e-4
_KNOWN = 5
"""The trimap knows pixels whose bicubic alpha is this near to 0 or to 255."""


def bicubic(delivered: Alpha, width: int, height: int) -> Alpha:
    """What is done without more thought."""
    return np.asarray(Image.fromarray(delivered).resize((width, height), Image.Resampling.BICUBIC))


def our_alpha(delivered: Alpha, picture: Colours) -> Alpha:
    """The product's."""
    return matte.refine(delivered, Picture(picture))


def our_colours(picture: Colours, alpha: Alpha) -> Colours:
    """The product's, for the alpha (height, width) that it has refined."""
    colours = picture.copy()
    for (x, y, width, height), pixels in foreground.clean_edges(Picture(picture), alpha):
        colours[y : y + height, x : x + width] = pixels
    return colours


def guided_filter(enlarged: Alpha, picture: Colours, scale: float) -> Alpha:
    """OpenCV's guided filter (He, Sun, Tang: "Guided Image Filtering", 2010) of a bicubic alpha, enlarged by `scale`.

    Of the radii tried on hair, leaves and text, between 0.7 and 8 delivered pixels, this one is the best for all.
    """
    radius = max(2, round(1.4 * scale))
    filtered = cv2.ximgproc.guidedFilter(picture, enlarged.astype(np.float32), radius, _GUIDED_EPSILON * 255**2)
    return np.rint(filtered.clip(0, 255)).astype(np.uint8)


def closed_form(enlarged: Alpha, picture: Colours) -> Alpha | None:
    """pymatting's closed-form matting (Levin, Lischinski, Weiss, 2008), with a trimap made from a bicubic alpha.

    None where it finds no solution, as where the trimap knows no subject or no background.
    """
    from pymatting import estimate_alpha_cf

    trimap = np.full(enlarged.shape, 0.5)
    trimap[enlarged <= _KNOWN] = 0
    trimap[enlarged >= 255 - _KNOWN] = 1
    try:
        with redirect_stdout(sys.stderr):  # it prints warnings
            alpha = estimate_alpha_cf(picture / 255, trimap)
    except ValueError:
        return None
    return np.rint(alpha.clip(0, 1) * 255).astype(np.uint8)


def multi_level(picture: Colours, alpha: Alpha) -> Colours:
    """pymatting's foreground colours (Germer, Uelwer, Conrad, Harmeling, 2020)."""
    from pymatting import estimate_foreground_ml

    colours = estimate_foreground_ml(picture / 255, alpha / 255)
    return np.rint(colours.clip(0, 1) * 255).astype(np.uint8)
