"""Many open images of all kinds, made and looked at inside GIMP: each is black on white, and of a size of its own."""

from __future__ import annotations

import time

from gimpfu import *

WIDTH, HEIGHT = 96, 48
BLOCK = 16
PILE = {}


def kind(function):
    """Adds a way to make an image, under the function's name."""
    PILE[function.__name__] = function
    return function


def photo(number, base=RGB, precision=PRECISION_U8_GAMMA, width=0, height=0, group=False):
    """An image with one layer, whose left part is black; `number` makes its size, so no two have the same pixels."""
    width, height = width or WIDTH + BLOCK * number, height or HEIGHT
    image = pdb.gimp_image_new_with_precision(width, height, base, precision)
    layer = pdb.gimp_layer_new(image, width, height, {RGB: RGB_IMAGE, GRAY: GRAY_IMAGE}[base], "photo", 100,
                               LAYER_MODE_NORMAL)  # fmt: skip
    if group:
        image.insert_layer(pdb.gimp_layer_group_new(image))
    image.insert_layer(layer, image.layers[0] if group else None)
    pdb.gimp_drawable_fill(layer, FILL_WHITE)
    blacken(image, layer, width // 2 // BLOCK * BLOCK, height)
    return image


def blacken(image, layer, width, height):
    pdb.gimp_context_push()
    pdb.gimp_context_set_foreground((0, 0, 0))
    pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, width, height)
    pdb.gimp_drawable_edit_fill(layer, FILL_FOREGROUND)
    pdb.gimp_selection_none(image)
    pdb.gimp_context_pop()


@kind
def rgb_8(number):
    return photo(number)


@kind
def rgb_16(number):
    return photo(number, precision=PRECISION_U16_GAMMA)


@kind
def rgb_float(number):
    return photo(number, precision=PRECISION_FLOAT_LINEAR)


@kind
def gray(number):
    return photo(number, GRAY)


@kind
def indexed(number):
    image = photo(number)
    pdb.gimp_image_convert_indexed(image, CONVERT_DITHER_NONE, CONVERT_PALETTE_GENERATE, 64, False, False, "")
    return image


@kind
def masked(number):
    image = photo(number)
    image.layers[0].add_mask(image.layers[0].create_mask(ADD_WHITE_MASK))
    image.layers[0].edit_mask = False
    return image


@kind
def grouped(number):
    image = photo(number, group=True)
    image.active_layer = image.layers[0].layers[0]
    return image


@kind
def text(number):
    image = gimp.Image(WIDTH + BLOCK * number, HEIGHT, RGB)
    pdb.gimp_context_set_foreground((0, 0, 0))
    image.insert_layer(pdb.gimp_text_layer_new(image, "Text", "Sans", 40, 0))
    return image


@kind
def channel(number):
    """The active drawable is a channel, which has no background."""
    image = photo(number)
    image.active_channel = pdb.gimp_selection_save(image)
    return image


@kind
def white(number):
    """There is no subject."""
    image = photo(number)
    pdb.gimp_drawable_fill(image.layers[0], FILL_WHITE)
    return image


@kind
def huge(number):
    return photo(number, width=6000, height=4000)


@kind
def large(number):
    return photo(number, width=1200, height=900)


@kind
def paid(number):
    """Its pixels were paid for before, in another image."""
    image = photo(number)
    other = photo(number)
    pdb.python_fu_layerlift(other, other.layers[0], 0, True, True, 1)
    pdb.gimp_image_delete(other)
    return image


def pile(names, shown=False):
    """Make these images, called by their kinds; the IDs of their displays, where they are shown."""
    displays = {}
    for number, name in enumerate(names):
        image = PILE[name](number)
        image.filename = f"/nowhere/{name}.xcf"
        image.disable_undo()
        image.enable_undo()  # with nothing to undo
        image.clean_all()
        if shown:
            displays[image.name] = gimp.Display(image).ID
    return displays


def look():
    """What there is in all images, by their names."""
    return {image.name: [seen(layer) for layer in flat(image.layers)] for image in gimp.image_list()}


def change(name, was):
    """What there is in an image, once it is no longer as it was, which is looked at for a while; else None."""
    until = time.monotonic() + 2
    while (now := look()[name]) == was:
        if time.monotonic() > until:
            return None
        time.sleep(0.05)
    return now


def flat(layers):
    for layer in layers:
        yield layer
        yield from flat(layer.children)


def seen(layer):
    """A layer's name, whether it is shown, and the first and the last alpha of its middle row."""
    region = layer.get_pixel_rgn(0, 0, layer.width, layer.height, False, False)
    row = bytes(region[0 : layer.width, layer.height // 2])
    alphas = [row[layer.bpp - 1], row[-1]] if layer.has_alpha else None
    return [layer.name, layer.visible, alphas]


def show(name):
    """Bring an image to the front."""
    gimp.Display(next(image for image in gimp.image_list() if image.name == name))


def several_layers(names):
    """An image with a layer of each name, all of them selected, as GIMP 3 can have it."""
    from gi.repository import Gimp

    image = photo(0)
    for number, name in enumerate(names):
        width = WIDTH + BLOCK * number
        layer = pdb.gimp_layer_new(image, width, HEIGHT, RGB_IMAGE, name, 100, LAYER_MODE_NORMAL)
        image.insert_layer(layer)
        pdb.gimp_drawable_fill(layer, FILL_WHITE)
        if name != "white":
            blacken(image, layer, BLOCK, HEIGHT)
    native = Gimp.Image.get_by_id(image.ID)
    native.set_selected_layers([layer for layer in native.get_layers() if layer.get_name() in names])
    image.disable_undo()
    image.enable_undo()
    gimp.Display(image)


def disturb(displays):
    """What users do meanwhile: close an image, delete a layer, change its size; the first image is left alone."""
    images = {image.name: image for image in gimp.image_list()}
    closed, bare, resized = (images[f"{name}.xcf"] for name in ("rgb_16", "gray", "indexed"))
    gimp.delete(gimp._id2display(displays[closed.name]))
    bare.insert_layer(pdb.gimp_layer_new(bare, 9, 9, GRAY_IMAGE, "other", 100, LAYER_MODE_NORMAL))
    bare.remove_layer(bare.layers[1])
    resized.layers[0].resize(99, 99, 0, 0)


def run(result=0, clean=True, hide=True, engine=1):
    """Run the action; what it says where it fails."""
    try:
        pdb.python_fu_layerlift_all(result, clean, hide, engine)
    except RuntimeError as error:
        return str(error)
    return ""
