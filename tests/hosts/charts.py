"""Layers that show a chart, made and measured inside GIMP.

The chart is made of flat 16 px blocks whose luma is one of six levels, so that the test service's luma key gives each
block an exactly known alpha.
"""

from __future__ import annotations

import struct

from gimpfu import *

BLOCK = 16
COLUMNS, ROWS = 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
# Luma 255 - 51 k in every column; the rows differ in hue, which leaves the luma alone.
TINTS = ((0, 0, 0), (10, 0, -26), (-10, 0, 26))
# An alpha that leaves the luma on white well within a level: 51 k becomes 40.8 k.
DIM = 204


def colour(column, row, gray):
    """A block's colour, components 0 to 1; not on the 8-bit grid for half of the blocks."""
    level = 255 - 51 * column
    tint = (0, 0, 0) if gray or not 30 < level < 225 else TINTS[row]
    shift = 0.2 if (column + row) % 2 and 0 < column < 5 else 0.0
    return tuple((level + part + shift) / 255 for part in tint)


def paint(image, layer):
    """Fill the layer with the chart."""
    pdb.gimp_context_push()
    for row in range(ROWS):
        for column in range(COLUMNS):
            place = column * BLOCK, row * BLOCK
            pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, *place, BLOCK, BLOCK)
            pdb.gimp_context_set_foreground(gimpcolor.RGB(*colour(column, row, layer.is_gray)))
            pdb.gimp_drawable_edit_fill(layer, FILL_FOREGROUND)
    pdb.gimp_context_pop()
    pdb.gimp_selection_none(image)


def chart(base=RGB, precision=PRECISION_U8_GAMMA, kind=None, canvas=(WIDTH, HEIGHT), offsets=(0, 0), parent=None):
    """An image with one painted layer."""
    image = pdb.gimp_image_new_with_precision(WIDTH, HEIGHT, base, precision)
    kind = {RGB: RGB_IMAGE, GRAY: GRAY_IMAGE}[base] if kind is None else kind
    layer = pdb.gimp_layer_new(image, WIDTH, HEIGHT, kind, "photo", 100, LAYER_MODE_NORMAL)
    if parent is not None:
        image.insert_layer(parent(image))
    image.insert_layer(layer, image.layers[0] if parent else None)
    paint(image, layer)
    pdb.gimp_image_resize(image, *canvas, 0, 0)
    layer.set_offsets(*offsets)
    return image, layer


def measure(image, layer, result=0, hide=True, clean=False, look=None, remove=None):
    """Run the plug-in, or what is given as `remove`, and describe what it did, in JSON's types."""
    before = [other.ID for other in image.layers]
    look = look or picked
    shown = look(layer)
    parent = layer.parent
    (remove or pdb.python_fu_layerlift)(image, layer, result, clean, hide, 1)
    siblings = parent.layers if parent else image.layers
    place = [other.ID for other in siblings].index(layer.ID)
    copy = siblings[place - 1]
    region = copy.get_pixel_rgn(0, 0, copy.width, copy.height, False, False)
    pixels = region[0 : copy.width, 0 : copy.height]
    mask = None
    if copy.mask is not None:
        mask_region = copy.mask.get_pixel_rgn(0, 0, copy.width, copy.height, False, False)
        mask = list(mask_region[0 : copy.width, 0 : copy.height])
    return {
        "new_layers": len(image.layers) - len(before) if parent is None else len(siblings) - 1,
        "above": place >= 1,
        "size": [copy.width, copy.height],
        "offsets": list(copy.offsets),
        "original_offsets": list(layer.offsets),
        "alpha": list(pixels[copy.bpp - 1 :: copy.bpp]) if copy.has_alpha else None,
        "mask": mask,
        "colours_before": shown,
        "colours_after": look(copy),
        "original_colours": look(layer),
        "precision": [image.precision, copy.type & ~1, layer.type & ~1],
        "visible": [copy.visible, layer.visible],
        "opacity_and_mode": [copy.opacity, copy.mode, layer.opacity, layer.mode],
        "plain": not pdb.gimp_item_is_group(copy) and not pdb.gimp_item_is_text_layer(copy),
        "images": len(gimp.image_list()),
        "profile": pdb.gimp_image_get_color_profile(image)[0],
    }


def picked(layer):
    """The colours in the middle of the blocks, at full precision, of the blocks that are not fully transparent."""
    pixels = layer.get_pixel_rgn(0, 0, WIDTH, HEIGHT, format="R'G'B' double")
    found = {}
    for row in range(ROWS):
        for column in range(1, COLUMNS):
            x, y = column * BLOCK + BLOCK // 2, row * BLOCK + BLOCK // 2
            found[f"{column},{row}"] = struct.unpack("3d", pixels[x : x + 1, y : y + 1])
    return found


def seen(layer):
    """As `picked`, but in sRGB, whatever the profile is: GIMP 3 keeps the pixels of a group in sRGB."""
    left, top = layer.offsets
    found = {}
    for block in picked(layer):
        x, y = (int(place) * BLOCK + BLOCK // 2 for place in block.split(","))
        sample = pdb.gimp_image_pick_color(layer.image, layer, left + x, top + y, False, False, 0)
        found[block] = [sample.r, sample.g, sample.b]
    return found


def dim_lower_half(layer):
    """Give the lower half of the layer the alpha of `DIM`."""
    region = layer.get_pixel_rgn(0, 0, WIDTH, HEIGHT, True, False)
    pixels = bytearray(region[0:WIDTH, 0:HEIGHT])
    lower = WIDTH * (HEIGHT // 2) * 4
    pixels[lower + 3 :: 4] = bytes([DIM]) * len(pixels[lower + 3 :: 4])
    region[0:WIDTH, 0:HEIGHT] = bytes(pixels)
    layer.flush()


def masked(*arguments):
    """A chart with a mask that is `DIM` in its right half."""
    image, layer = chart(*arguments)
    mask = layer.create_mask(ADD_WHITE_MASK)
    layer.add_mask(mask)
    region = mask.get_pixel_rgn(0, 0, WIDTH, HEIGHT, True, False)
    region[0:WIDTH, 0:HEIGHT] = (b"\xff" * (WIDTH // 2) + bytes([DIM]) * (WIDTH // 2)) * HEIGHT
    mask.flush()
    return image, layer


def refused(image, drawable):
    """What the plug-in says where it can't do anything, and that it left the image alone."""
    before = [layer.ID for layer in image.layers]
    try:
        pdb.python_fu_layerlift(image, drawable, 0, False, True, 1)
    except RuntimeError as error:
        same = before == [layer.ID for layer in image.layers] and all(layer.visible for layer in image.layers)
        return {"error": str(error), "same": same, "images": len(gimp.image_list())}
    return {"error": None}
