"""The transformations of 2.10 that took what is the context's now."""

from __future__ import annotations

from typing import Any

from ..library import Gimp
from .registry import special

CORNERS = "x0:FLOAT y0:FLOAT x1:FLOAT y1:FLOAT"
EXACT = "transform-direction:INT32 interpolation:INT32 supersample:INT32 recursion-level:INT32 clip-result:INT32"
BY_DEFAULTS = "interpolate:INT32 clip-result:INT32"
MATRIX = " ".join(f"coeff-{row}-{column}:FLOAT" for row in range(3) for column in range(3))
ARGUMENTS = {
    "flip": CORNERS,
    "perspective": CORNERS + " x2:FLOAT y2:FLOAT x3:FLOAT y3:FLOAT",
    "rotate": "angle:FLOAT auto-center:INT32 center-x:INT32 center-y:INT32",
    "scale": CORNERS,
    "shear": "shear-type:INT32 magnitude:FLOAT",
    "matrix": MATRIX,
}
SIMPLE = {
    "flip-simple": "flip-type:INT32 auto-center:INT32 axis:FLOAT",
    "rotate-simple": "rotate-type:INT32 auto-center:INT32 center-x:INT32 center-y:INT32",
}


def _transformed(kind: str, item: Any, values: tuple[Any, ...], direction: int, interpolation: int, clip: int) -> Any:
    Gimp.context_push()
    try:
        Gimp.context_set_transform_direction(Gimp.TransformDirection(direction))
        Gimp.context_set_interpolation(Gimp.InterpolationType(interpolation))
        Gimp.context_set_transform_resize(Gimp.TransformResize(clip))
        if kind == "shear":
            values = (Gimp.OrientationType(values[0]), values[1])
        elif kind == "flip-simple":
            values = (Gimp.OrientationType(values[0]), *values[1:])
        elif kind == "rotate-simple":
            values = (Gimp.RotationType(values[0]), *values[1:])
        return getattr(item, "transform_" + kind.replace("-", "_"))(*values)
    finally:
        Gimp.context_pop()


def _declare(kind: str, arguments: str) -> None:
    name = "gimp-drawable-transform-" + kind

    @special(f"{name} drawable:DRAWABLE {arguments} {EXACT} > drawable:DRAWABLE")
    def exactly(item: Any, *values: Any) -> Any:
        *own, direction, interpolation, _, _, clip = values
        return _transformed(kind, item, tuple(own), direction, interpolation, clip)

    @special(f"{name}-default drawable:DRAWABLE {arguments} {BY_DEFAULTS} > drawable:DRAWABLE")
    def by_defaults(item: Any, *values: Any) -> Any:
        *own, interpolate, clip = values
        interpolation = int(Gimp.context_get_interpolation()) if interpolate else int(Gimp.InterpolationType.NONE)
        return _transformed(kind, item, tuple(own), int(Gimp.TransformDirection.FORWARD), interpolation, clip)


def _declare_simple(kind: str, arguments: str) -> None:
    @special(f"gimp-drawable-transform-{kind} drawable:DRAWABLE {arguments} clip-result:INT32 > drawable:DRAWABLE")
    def simple(item: Any, *values: Any) -> Any:
        *own, clip = values
        interpolation = int(Gimp.context_get_interpolation())
        return _transformed(kind, item, tuple(own), int(Gimp.TransformDirection.FORWARD), interpolation, clip)


for _kind, _arguments in ARGUMENTS.items():
    _declare(_kind, _arguments)
for _kind, _arguments in SIMPLE.items():
    _declare_simple(_kind, _arguments)
