"""gimp.Vectors: paths, and the strokes that they are made of."""

from __future__ import annotations

from typing import Any, Sequence

from ..values import types
from .items import Item
from .objects import GimpObject, call

BEZIER = 0


class Vectors(Item):
    """A path. A new one belongs to its image but is not in it until it is inserted."""

    pdb_types: tuple[int, ...] = (types.ITEM, types.VECTORS)

    def __init__(self, image: GimpObject, name: str) -> None:
        self.ID = call("gimp-vectors-new", image, name).ID

    @property
    def strokes(self) -> list[VectorsStroke]:
        """The strokes of the path."""
        return [VectorsBezierStroke.by_id(self, identity) for identity in call("gimp-vectors-get-strokes", self)[1]]

    def remove_stroke(self, stroke: VectorsStroke) -> None:
        """Remove a stroke."""
        call("gimp-vectors-remove-stroke", self, stroke.ID)

    def to_selection(
        self,
        operation: int = 2,
        antialias: bool = True,
        feather: bool = False,
        feather_radius_x: float = 0.0,
        feather_radius_y: float = 0.0,
    ) -> None:
        """Select the inside of the path."""
        call(
            "gimp-vectors-to-selection",
            self,
            operation,
            int(antialias),
            int(feather),
            feather_radius_x,
            feather_radius_y,
        )


class VectorsStroke:
    """One stroke of a path."""

    def __init__(self, vectors: Vectors, identity: int) -> None:
        self._vectors, self.ID = vectors, identity

    vectors_ID = property(lambda self: self._vectors.ID)

    def _call(self, procedure: str, *arguments: Any) -> Any:
        return call("gimp-vectors-stroke-" + procedure, self._vectors, self.ID, *arguments)

    @property
    def points(self) -> tuple[list[float], bool]:
        """The control points as a flat list x, y, x, y..., and whether the stroke is closed."""
        _, _, controlpoints, closed = self._call("get-points")
        return list(controlpoints), bool(closed)

    def get_length(self, precision: float) -> float:
        """The length in pixels."""
        return float(self._call("get-length", precision))

    def get_point_at_dist(self, dist: float, precision: float) -> tuple[tuple[float, float], float, bool] | None:
        """((x, y), slope, whether they are valid) at this distance from the start."""
        x, y, slope, valid = self._call("get-point-at-dist", dist, precision)
        return ((x, y), slope, bool(valid))

    def close(self) -> None:
        """Close the stroke."""
        self._call("close")

    def translate(self, off_x: float, off_y: float) -> None:
        """Move the stroke."""
        self._call("translate", off_x, off_y)

    def scale(self, scale_x: float, scale_y: float) -> None:
        """Scale the stroke."""
        self._call("scale", scale_x, scale_y)

    def rotate(self, center_x: float, center_y: float, angle: float) -> None:
        """Rotate the stroke, by degrees."""
        self._call("rotate", center_x, center_y, angle)

    def flip(self, flip_type: int, axis: float) -> None:
        """Mirror the stroke horizontally or vertically."""
        self._call("flip", flip_type, axis)

    def flip_free(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Mirror the stroke about a line."""
        self._call("flip-free", x1, y1, x2, y2)

    def interpolate(self, precision: float) -> tuple[list[float], bool]:
        """Points on the stroke as a flat list x, y, x, y..., and whether the stroke is closed."""
        _, coordinates, closed = self._call("interpolate", precision)
        return list(coordinates), bool(closed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VectorsStroke):
            return NotImplemented
        return (self._vectors, self.ID) == (other._vectors, other.ID)

    def __hash__(self) -> int:
        return hash((self._vectors, self.ID))

    def __repr__(self) -> str:
        return f"<gimp.{type(self).__name__} {self.ID} of gimp.Vectors '{self._vectors.name}'>"


class VectorsBezierStroke(VectorsStroke):
    """A stroke of Bezier curves: six coordinates for each anchor, with its two handles."""

    def __init__(self, vectors: Vectors, controlpoints: Sequence[float], closed: bool = False) -> None:
        identity = call(
            "gimp-vectors-stroke-new-from-points", vectors, BEZIER, len(controlpoints), controlpoints, int(closed)
        )
        super().__init__(vectors, identity)

    @classmethod
    def by_id(cls, vectors: Vectors, identity: int) -> VectorsBezierStroke:
        """The stroke of a path with this ID."""
        stroke = cls.__new__(cls)
        VectorsStroke.__init__(stroke, vectors, identity)
        return stroke

    @classmethod
    def new_moveto(cls, vectors: Vectors, x0: float, y0: float) -> VectorsBezierStroke:
        """A new stroke that starts here."""
        return cls.by_id(vectors, call("gimp-vectors-bezier-stroke-new-moveto", vectors, x0, y0))

    @classmethod
    def new_ellipse(
        cls, vectors: Vectors, x0: float, y0: float, radius_x: float, radius_y: float, angle: float
    ) -> VectorsBezierStroke:
        """A new stroke that is an ellipse about (x0, y0); the angle is in radians."""
        return cls.by_id(
            vectors, call("gimp-vectors-bezier-stroke-new-ellipse", vectors, x0, y0, radius_x, radius_y, angle)
        )

    def _extend(self, procedure: str, *coordinates: float) -> None:
        call("gimp-vectors-bezier-stroke-" + procedure, self._vectors, self.ID, *coordinates)

    def lineto(self, x0: float, y0: float) -> None:
        """Go on with a straight line."""
        self._extend("lineto", x0, y0)

    def conicto(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Go on with a conic curve."""
        self._extend("conicto", x0, y0, x1, y1)

    def cubicto(self, x0: float, y0: float, x1: float, y1: float, x2: float, y2: float) -> None:
        """Go on with a cubic curve."""
        self._extend("cubicto", x0, y0, x1, y1, x2, y2)
