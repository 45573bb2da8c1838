"""Layers of every kind for the plug-in, made and measured inside GIMP.

Each layer shows a chart of flat 16 px blocks whose luma is one of six levels, so that the test service's luma key gives
each block an exactly known alpha. `CASES` maps a case's name to the function that makes the layer.
"""

from __future__ import annotations

import os
import traceback

from gimpfu import *

BLOCK = 16
COLUMNS, ROWS = 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
# Luma 255 - 51 k in every column; the rows differ in hue, which leaves the luma alone.
TINTS = ((0, 0, 0), (10, 0, -26), (-10, 0, 26))
# An alpha that leaves the luma on white well within a level: 51 k becomes 40.8 k.
DIM = 204
CASES = {}


def case(function):
    """Adds a case under the function's name."""
    CASES[function.__name__] = function
    return function


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


def measure(image, layer, result=0, hide=True, clean=False):
    """Run the plug-in and describe what it did, in JSON's types."""
    before = [other.ID for other in image.layers]
    shown = picked(image, layer)
    parent = layer.parent
    pdb.python_fu_layerlift(image, layer, result, clean, hide, 1)
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
        "colours_after": picked(image, copy),
        "original_colours": picked(image, layer),
        "precision": [image.precision, copy.type & ~1, layer.type & ~1],
        "visible": [copy.visible, layer.visible],
        "opacity_and_mode": [copy.opacity, copy.mode, layer.opacity, layer.mode],
        "plain": not pdb.gimp_item_is_group(copy) and not pdb.gimp_item_is_text_layer(copy),
        "images": len(gimp.image_list()),
        "profile": pdb.gimp_image_get_color_profile(image)[0],
    }


def picked(image, layer):
    """The colours in the middle of the blocks, at full precision, of the blocks that are not fully transparent."""
    left, top = layer.offsets
    found = {}
    for row in range(ROWS):
        for column in range(1, COLUMNS):
            x, y = column * BLOCK + BLOCK // 2, row * BLOCK + BLOCK // 2
            if 0 <= x + left < image.width and 0 <= y + top < image.height:
                sample = pdb.gimp_image_pick_color(image, layer, x + left, y + top, False, False, 0)
                found[f"{column},{row}"] = [sample.r, sample.g, sample.b]
    return found


@case
def rgb_8_bit():
    return measure(*chart())


@case
def rgb_with_an_opaque_alpha():
    return measure(*chart(kind=RGBA_IMAGE))


@case
def gray_8_bit():
    return measure(*chart(GRAY))


@case
def gray_16_bit_with_alpha():
    return measure(*chart(GRAY, PRECISION_U16_GAMMA, GRAYA_IMAGE))


@case
def indexed():
    image, _ = chart()
    pdb.gimp_image_convert_indexed(image, CONVERT_DITHER_NONE, CONVERT_PALETTE_GENERATE, 64, False, False, "")
    return measure(image, image.layers[0])


@case
def rgb_8_bit_linear():
    return measure(*chart(RGB, PRECISION_U8_LINEAR))


@case
def rgb_16_bit_gamma():
    return measure(*chart(RGB, PRECISION_U16_GAMMA))


@case
def rgb_16_bit_linear():
    return measure(*chart(RGB, PRECISION_U16_LINEAR))


@case
def rgb_32_bit_integer():
    return measure(*chart(RGB, PRECISION_U32_LINEAR))


@case
def rgb_half_float():
    return measure(*chart(RGB, PRECISION_HALF_GAMMA))


@case
def rgb_float_linear():
    return measure(*chart(RGB, PRECISION_FLOAT_LINEAR))


@case
def layer_smaller_than_the_canvas():
    return measure(*chart(canvas=(300, 200), offsets=(40, 30)))


@case
def layer_larger_than_the_canvas():
    return measure(*chart(canvas=(50, 40), offsets=(-20, -4)))


@case
def layer_outside_of_the_canvas():
    return measure(*chart(canvas=(50, 40), offsets=(70, 60)))


@case
def existing_alpha():
    image, layer = chart(kind=RGBA_IMAGE)
    dim_lower_half(layer)
    return measure(image, layer)


def dim_lower_half(layer):
    """Give the lower half of the layer the alpha of `DIM`."""
    region = layer.get_pixel_rgn(0, 0, WIDTH, HEIGHT, True, False)
    pixels = bytearray(region[0:WIDTH, 0:HEIGHT])
    lower = WIDTH * (HEIGHT // 2) * 4
    pixels[lower + 3 :: 4] = bytes([DIM]) * len(pixels[lower + 3 :: 4])
    region[0:WIDTH, 0:HEIGHT] = bytes(pixels)
    layer.flush()


@case
def existing_mask():
    return measure(*masked())


@case
def existing_mask_and_a_mask_wanted():
    return measure(*masked(), result=1)


def masked():
    """A chart with a mask that is `DIM` in its right half."""
    image, layer = chart()
    mask = layer.create_mask(ADD_WHITE_MASK)
    layer.add_mask(mask)
    region = mask.get_pixel_rgn(0, 0, WIDTH, HEIGHT, True, False)
    region[0:WIDTH, 0:HEIGHT] = (b"\xff" * (WIDTH // 2) + bytes([DIM]) * (WIDTH // 2)) * HEIGHT
    mask.flush()
    return image, layer


@case
def the_mask_is_being_edited():
    image, layer = masked()
    outcome = measure_mask_as_drawable(image, layer)
    return outcome


def measure_mask_as_drawable(image, layer):
    pdb.python_fu_layerlift(image, layer.mask, 0, False, True, 1)
    return {"new_layers": len(image.layers) - 1, "name": image.layers[0].name}


@case
def layer_mask_as_the_result():
    return measure(*chart(), result=1)


@case
def clean_edges_at_8_bits():
    return measure(*chart(), clean=True)


@case
def clean_edges_with_a_mask_as_the_result():
    return measure(*chart(), result=1, clean=True)


@case
def clean_edges_at_16_bits():
    return measure(*chart(RGB, PRECISION_U16_GAMMA), clean=True)


@case
def clean_edges_of_a_group():
    image, layer = chart(RGB, PRECISION_HALF_GAMMA, canvas=(300, 200), offsets=(12, 8), parent=pdb.gimp_layer_group_new)
    return measure(image, layer.parent, clean=True)


@case
def clean_edges_under_an_existing_mask():
    return measure(*masked(), clean=True)


@case
def clean_edges_of_indexed_colours():
    image, _ = chart()
    pdb.gimp_image_convert_indexed(image, CONVERT_DITHER_NONE, CONVERT_PALETTE_GENERATE, 64, False, False, "")
    return measure(image, image.layers[0], clean=True)


@case
def original_stays_visible():
    return measure(*chart(), hide=False)


@case
def hidden_layer():
    image, layer = chart()
    layer.visible = False
    return measure(image, layer)


@case
def locked_layer():
    image, layer = chart(kind=RGBA_IMAGE)
    layer.lock_content = layer.lock_alpha = True
    pdb.gimp_item_set_lock_position(layer, True)
    return measure(image, layer)


@case
def opacity_and_mode():
    image, layer = chart()
    layer.opacity, layer.mode = 40.0, LAYER_MODE_MULTIPLY
    return measure(image, layer)


@case
def layer_inside_a_group():
    return measure(*chart(canvas=(300, 200), offsets=(7, 9), parent=pdb.gimp_layer_group_new))


@case
def layer_inside_a_locked_group():
    image, layer = chart(parent=pdb.gimp_layer_group_new)
    layer.parent.lock_content = True
    return measure(image, layer)


@case
def group():
    image, layer = chart(canvas=(300, 200), offsets=(12, 8), parent=pdb.gimp_layer_group_new)
    return measure(image, layer.parent)


@case
def group_at_16_bits_with_a_profile():
    image, layer = chart(RGB, PRECISION_U16_GAMMA, canvas=(300, 200), offsets=(12, 8), parent=pdb.gimp_layer_group_new)
    give_profile(image)
    return measure(image, layer.parent)


@case
def profile_with_red_and_blue_swapped():
    image, layer = chart()
    give_profile(image)
    return measure(image, layer)


@case
def profile_and_clean_edges():
    image, layer = chart()
    give_profile(image)
    return measure(image, layer, clean=True)


def give_profile(image):
    """The profile that the harness has left in a file."""
    pdb.gimp_image_set_color_profile_from_file(image, "file://" + os.environ["LAYERLIFT_TEST_PROFILE"])


@case
def group_with_a_mask_and_opacity():
    image, layer = chart(parent=pdb.gimp_layer_group_new)
    layer.parent.opacity = 50.0
    layer.parent.add_mask(layer.parent.create_mask(ADD_WHITE_MASK))
    return measure(image, layer.parent)


@case
def selection_is_left_alone():
    image, layer = chart()
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 3, 4, 10, 11)
    outcome = measure(image, layer)
    outcome["selection"] = list(pdb.gimp_selection_bounds(image))
    return outcome


@case
def channel():
    image, _ = chart()
    saved = pdb.gimp_selection_save(image)
    return refused(image, saved)


@case
def floating_selection():
    image, layer = chart()
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, 20, 20)
    return refused(image, pdb.gimp_selection_float(layer, 0, 0))


@case
def empty_layer():
    image = gimp.Image(64, 48, RGB)
    layer = pdb.gimp_layer_new(image, 64, 48, RGBA_IMAGE, "nothing", 100, LAYER_MODE_NORMAL)
    image.insert_layer(layer)
    pdb.gimp_drawable_fill(layer, FILL_TRANSPARENT)
    return refused(image, layer)


@case
def picture_without_a_subject():
    image = gimp.Image(64, 48, RGB)
    layer = pdb.gimp_layer_new(image, 64, 48, RGB_IMAGE, "white", 100, LAYER_MODE_NORMAL)
    image.insert_layer(layer)
    pdb.gimp_drawable_fill(layer, FILL_WHITE)
    return refused(image, layer)


@case
def one_pixel():
    return strip(1, 1)


@case
def very_long_and_narrow():
    return strip(30000, 20)


def strip(width, height):
    """A dark layer of an unusual size."""
    image = gimp.Image(width, height, RGB)
    layer = pdb.gimp_layer_new(image, width, height, RGB_IMAGE, "strip", 100, LAYER_MODE_NORMAL)
    image.insert_layer(layer)
    pdb.python_fu_layerlift(image, layer, 0, False, True, 1)
    copy = image.layers[0]
    region = copy.get_pixel_rgn(0, 0, width, height, False, False)
    return {"size": [copy.width, copy.height], "alphas": sorted(set(region[0:width, 0:height][3::4]))}


def refused(image, drawable):
    """What the plug-in says where it can't do anything, and that it left the image alone."""
    before = [layer.ID for layer in image.layers]
    try:
        pdb.python_fu_layerlift(image, drawable, 0, False, True, 1)
    except RuntimeError as error:
        same = before == [layer.ID for layer in image.layers] and all(layer.visible for layer in image.layers)
        return {"error": str(error), "same": same, "images": len(gimp.image_list())}
    return {"error": None}


def measure_all(names):
    """The outcome of every named case, by name; a case that raises tells its traceback."""
    outcomes = {}
    for name in names:
        try:
            outcomes[name] = CASES[name]()
        except Exception:
            outcomes[name] = {"raised": traceback.format_exc()}
        for image in gimp.image_list():
            pdb.gimp_image_delete(image)
    return outcomes
