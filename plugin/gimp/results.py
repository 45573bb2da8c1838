"""What a task gives as new layers: in the image's own mode, precision and profile, beside the layer it was made of."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

from gimpfu import GRAY, GRAYA_IMAGE, LAYER_MODE_NORMAL, RGB, RGBA_IMAGE, gimp, pdb
from places import Place
from strips import STRIP, Show, moving


def make(image: Any, pixels: Path, size: tuple[int, int], name: str, show: Show) -> Any:
    """A layer, not yet in the image, of rows of 8-bit sRGB with alpha. It is converted strip by strip: GIMP is deaf for
    seconds when it converts a large layer in one piece."""
    width, height = size
    kind = GRAYA_IMAGE if image.base_type == GRAY else RGBA_IMAGE
    layer = pdb.gimp_layer_new(image, width, height, kind, name, 100, LAYER_MODE_NORMAL)
    form = layer.format
    target = layer.get_pixel_rgn(0, 0, width, height, True, False, form)
    scratch = gimp.Image(width, STRIP, RGB)
    try:
        strip = pdb.gimp_layer_new(scratch, width, STRIP, RGBA_IMAGE, "strip", 100, LAYER_MODE_NORMAL)
        source = strip.get_pixel_rgn(0, 0, width, STRIP)
        with pixels.open("rb") as file:
            for top in moving(show, "insert", range(0, height, STRIP)):
                rows = min(STRIP, height - top)
                source[0:width, 0:rows] = file.read(rows * width * source.bpp)
                copy = pdb.gimp_layer_new_from_drawable(strip, image)
                converted = copy.get_pixel_rgn(0, 0, width, STRIP, False, False, form)
                target[0:width, top : top + rows] = converted[0:width, 0:rows]
                pdb.gimp_item_delete(copy)
        layer.flush()
    finally:
        pdb.gimp_image_delete(scratch)
    return layer


def insert(image: Any, place: Place, layers: Sequence[Any]) -> None:
    """Insert the results; where they are larger than the layer that was read, the whole image grows with them. Call it
    in an undo step."""
    grown = layers[0].width / place.picture.width
    if grown > 1:
        image.scale(round(image.width * grown), round(image.height * grown))
    anchor = place.anchor
    for number, layer in enumerate(layers):
        layer.set_offsets(*place.picture.offsets)
        position = pdb.gimp_image_get_item_position(image, anchor)
        # Of several, the first is on top.
        image.insert_layer(layer, anchor.parent, position + (1 + number if place.beneath else 0))
