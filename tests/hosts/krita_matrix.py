"""Which layers are put into Krita: every colour space with every kind of layer, each in a place of its own.

Needs the standard library alone: Krita's own Python imports it too.
"""

from __future__ import annotations

from dataclasses import dataclass

SPACES = {
    "GRAYA": ("U8", "U16", "F16", "F32"),
    "RGBA": ("U8", "U16", "F16", "F32"),
    "CMYKA": ("U8", "U16", "F32"),
    "LABA": ("U8", "U16", "F32"),
}
LAYERS = (
    "paint", "group", "vector", "clone", "file", "fill", "masked", "filtered", "in a group", "opacity and mode",
)  # fmt: skip
# Canvas and place of a layer of 96 x 48 pixels.
PLACES = {
    "whole canvas": ((96, 48), (0, 0)),
    "inside": ((300, 200), (40, 30)),
    "across the edge": ((50, 40), (-20, -4)),
}
RESULTS = ("alpha", "mask")


@dataclass(frozen=True)
class Cell:
    """One kind of layer, and what is wanted of it."""

    model: str
    depth: str
    layer: str
    place: str
    result: str

    @property
    def name(self) -> str:
        return ", ".join((f"{self.model.lower()} {self.depth.lower()}", self.layer, self.place, self.result))


def cells() -> list[Cell]:
    """All cells. Each space meets a plain layer, with both results, and every other one of the other kinds."""
    found = []
    spaces = [(model, depth) for model, depths in SPACES.items() for depth in depths]
    for row, (model, depth) in enumerate(spaces):
        for column, layer in enumerate(LAYERS):
            if (model, layer) == ("CMYKA", "filtered"):
                continue  # what is inverted ink by ink has no known luma
            place = list(PLACES)[(row + column) % len(PLACES)]
            if layer == "paint" or (row + column) % 2 == 0:
                found.append(Cell(model, depth, layer, place, "alpha"))
            if layer == "paint" or (row + 2 * column) % 7 == 0:
                found.append(Cell(model, depth, layer, place, "mask"))
    # Together what one document serves.
    return sorted(found, key=lambda cell: (cell.model, cell.depth, cell.place))


CELLS = {cell.name: cell for cell in cells()}
