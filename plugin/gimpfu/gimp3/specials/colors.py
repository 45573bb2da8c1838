"""Gradients and palettes by name, with colours as numbers."""

from __future__ import annotations

from typing import Any

from ..arguments import channels, gegl_color, resource
from ..library import Gimp
from .registry import special


def _samples(colors: Any) -> list[float]:
    return [share for color in colors for share in channels(color)]


@special("gimp-gradient-get-uniform-samples name:STRING num-samples:INT32 reverse:INT32 > num-color-samples:INT32"
         " color-samples:FLOATARRAY")  # fmt: skip
def uniform_samples(name: str, count: int, reverse: int) -> list[float]:
    """Colours at evenly spaced places, four numbers each."""
    return _samples(resource("GimpGradient", name).get_uniform_samples(count, bool(reverse)))


@special("gimp-gradient-get-custom-samples name:STRING num-samples:INT32 positions:FLOATARRAY reverse:INT32"
         " > num-color-samples:INT32 color-samples:FLOATARRAY")  # fmt: skip
def custom_samples(name: str, positions: list[float], reverse: int) -> list[float]:
    """Colours at these places, four numbers each."""
    return _samples(resource("GimpGradient", name).get_custom_samples(positions, bool(reverse)))


@special("gimp-gradients-sample-uniform num-samples:INT32 reverse:INT32 > array-length:INT32 color-samples:FLOATARRAY")
def active_uniform_samples(count: int, reverse: int) -> list[float]:
    """As uniform_samples, of the active gradient."""
    return _samples(Gimp.context_get_gradient().get_uniform_samples(count, bool(reverse)))


@special("gimp-gradients-sample-custom num-samples:INT32 positions:FLOATARRAY reverse:INT32 > array-length:INT32"
         " color-samples:FLOATARRAY")  # fmt: skip
def active_custom_samples(positions: list[float], reverse: int) -> list[float]:
    """As custom_samples, of the active gradient."""
    return _samples(Gimp.context_get_gradient().get_custom_samples(positions, bool(reverse)))


def _end(side: str) -> None:
    getter, setter = f"segment_get_{side}_color", f"segment_set_{side}_color"

    @special(f"gimp-gradient-segment-get-{side}-color name:STRING segment:INT32 > color:COLOR opacity:FLOAT")
    def get(name: str, segment: int) -> tuple[Any, float]:
        color = getattr(resource("GimpGradient", name), getter)(segment)
        return color, 100.0 * channels(color)[3]

    @special(f"gimp-gradient-segment-set-{side}-color name:STRING segment:INT32 color:COLOR opacity:FLOAT")
    def set(name: str, segment: int, color: Any, opacity: float) -> bool:
        red, green, blue, _ = channels(color)
        faded = gegl_color((red, green, blue, opacity / 100.0))
        return bool(getattr(resource("GimpGradient", name), setter)(segment, faded))


for _side in ("left", "right"):
    _end(_side)
