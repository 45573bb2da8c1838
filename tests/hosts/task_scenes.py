"""Images that the service's other tasks are run on, made and looked at inside GIMP."""

from __future__ import annotations

from gimpfu import *

WIDTH, HEIGHT = 64, 48
SUBJECT = (16, 12, 32, 24)
"""Left, top, width and height of the black subject on white."""
INSIDE, CORNER = (32, 24), (3, 3)


def scene(precision=PRECISION_U8_GAMMA, base=RGB, profile=""):
    """An image with one layer, which lies off the image's corner."""
    image = pdb.gimp_image_new_with_precision(WIDTH + 10, HEIGHT + 10, base, precision)
    if profile:
        pdb.gimp_image_set_color_profile_from_file(image, profile)
    kind = {RGB: RGB_IMAGE, GRAY: GRAY_IMAGE}[base]
    layer = pdb.gimp_layer_new(image, WIDTH, HEIGHT, kind, "photo", 100, LAYER_MODE_NORMAL)
    image.insert_layer(layer)
    layer.set_offsets(6, 4)
    pdb.gimp_drawable_fill(layer, FILL_WHITE)
    select(image, *SUBJECT)
    pdb.gimp_context_set_foreground((0, 0, 0))
    pdb.gimp_drawable_edit_fill(layer, FILL_FOREGROUND)
    pdb.gimp_selection_none(image)
    return image


def select(image, left, top, width, height):
    """Select a part of the layer."""
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, left + 6, top + 4, width, height)


def look(image):
    """All layers from the top, also those in groups: name, size, place, and two of their pixels, as 8-bit RGBA."""
    return [look_at(layer) for layer in image.layers]


def look_at(layer):
    pixels = [list(layer.get_pixel(*place)) for place in (INSIDE, CORNER)]
    return [layer.name, [layer.width, layer.height], list(layer.offsets), *pixels]


def attempt(run):
    """What a call of the plug-in says, "" where it goes well."""
    try:
        run()
    except RuntimeError as error:
        return str(error)
    return ""


def go_on(image, layer, task, fields="", own_size=False):
    return attempt(lambda: pdb.python_fu_layerlift_continue(image, layer, task, fields, own_size))


def cut_out(image, layer, result=0):
    pdb.python_fu_layerlift(image, layer, result, True, True, 1)
    return next(one for one in image.layers if one.name.endswith("cut-out"))
