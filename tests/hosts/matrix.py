"""The matrix of layers: every precision with every mode and both results, at changing places and on changing layers.

Known to the tests and inside GIMP alike, by the name of each cell.
"""

from __future__ import annotations

from dataclasses import dataclass

PRECISIONS = tuple(
    f"{word}_{curve}" for word in ("U8", "U16", "U32", "HALF", "FLOAT", "DOUBLE") for curve in ("GAMMA", "LINEAR")
)
MODES = ("RGB_IMAGE", "RGBA_IMAGE", "GRAY_IMAGE", "GRAYA_IMAGE")
RESULTS = ("alpha", "mask")
# Canvas and offsets of a layer of 96 x 48 pixels.
PLACES = {
    "whole canvas": ((96, 48), (0, 0)),
    "inside": ((300, 200), (40, 30)),
    "across the edge": ((50, 40), (-20, -4)),
    "outside": ((50, 40), (70, 60)),
}
LAYERS = ("plain", "masked", "in a group", "group", "opacity and mode")


@dataclass(frozen=True)
class Cell:
    """One kind of layer, and what is wanted of it."""

    precision: str
    mode: str
    place: str
    layer: str
    result: str

    @property
    def name(self) -> str:
        words = (self.precision, self.mode[: -len("_IMAGE")])
        return ", ".join((" ".join(words).lower().replace("_", " "), self.place, self.layer, self.result))


def cells() -> list[Cell]:
    """All cells. Places and layers change along the others, so that each meets each."""
    found = []
    for row, precision in enumerate(PRECISIONS):
        for column, mode in enumerate(MODES):
            for turn, result in enumerate(RESULTS):
                place = list(PLACES)[(row + column + 2 * turn) % len(PLACES)]
                layer = LAYERS[(row + 2 * column + turn) % len(LAYERS)]
                found.append(Cell(precision, mode, place, layer, result))
    return found


CELLS = {cell.name: cell for cell in cells()}
