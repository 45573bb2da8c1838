"""Layers that are special in some way, for the plug-in, made and measured inside GIMP.

`CASES` maps a case's name to the function that makes the layer; those of the matrix (see matrix.py) are made here too.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from pathlib import Path

import gimpfu
from charts import *
from gimpfu import *
from matrix import CELLS, PLACES, PRECISIONS, RESULTS

CASES = {}


def case(function):
    """Adds a case under the function's name."""
    CASES[function.__name__] = function
    return function


def cell(of):
    """A layer of the matrix."""
    base = GRAY if of.mode.startswith("GRAY") else RGB
    grouped = pdb.gimp_layer_group_new if "group" in of.layer else None
    make = masked if of.layer == "masked" else chart
    constants = globals()
    canvas, offsets = PLACES[of.place]
    image, layer = make(base, constants["PRECISION_" + of.precision], constants[of.mode], canvas, offsets, grouped)
    if of.layer == "opacity and mode":
        layer.opacity, layer.mode = 40.0, LAYER_MODE_MULTIPLY
    remove = None if of.precision in (PRECISIONS[0], PRECISIONS[-1]) else plug_in().remove_background
    return measure(image, layer.parent if of.layer == "group" else layer, RESULTS.index(of.result), remove=remove)


@functools.lru_cache(maxsize=None)
def plug_in():
    """Layerlift's plug-in in this process. How GIMP hands it a layer depends on no precision, and to start it for each
    one takes longer than all else."""
    gimpfu.main = lambda: None
    sys.path.insert(0, str(Path(gimpfu.__file__).parents[2] / "layerlift"))
    import layerlift

    return layerlift


@case
def indexed():
    image, _ = chart()
    pdb.gimp_image_convert_indexed(image, CONVERT_DITHER_NONE, CONVERT_PALETTE_GENERATE, 64, False, False, "")
    return measure(image, image.layers[0])


@case
def existing_alpha():
    image, layer = chart(kind=RGBA_IMAGE)
    dim_lower_half(layer)
    return measure(image, layer)


@case
def the_mask_is_being_edited():
    image, layer = masked()
    outcome = measure_mask_as_drawable(image, layer)
    return outcome


def measure_mask_as_drawable(image, layer):
    pdb.python_fu_layerlift(image, layer.mask, 0, False, True, 1)
    return {"new_layers": len(image.layers) - 1, "name": image.layers[0].name}


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
def layer_inside_a_locked_group():
    image, layer = chart(parent=pdb.gimp_layer_group_new)
    layer.parent.lock_content = True
    return measure(image, layer)


@case
def group_at_16_bits_with_a_profile():
    image, layer = chart(RGB, PRECISION_U16_GAMMA, canvas=(300, 200), offsets=(12, 8), parent=pdb.gimp_layer_group_new)
    give_profile(image)
    return measure(image, layer.parent, look=seen)


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


@case
def non_destructive_filter():
    if gimp.version < (3, 0):
        return {"absent": "GIMP 2.10 has no non-destructive filters"}
    from gi.repository import Gimp

    image, layer = chart()
    native = Gimp.Item.get_by_id(layer.ID)
    native.append_filter(Gimp.DrawableFilter.new(native, "gegl:invert-gamma", "inverted"))
    outcome = measure(image, layer)
    copy = Gimp.Item.get_by_id(image.layers[0].ID)
    outcome["filters"] = [len(native.get_filters()), len(copy.get_filters())]
    # What was white is the subject, and keeps its inverted colours; what was black is cut away.
    for when in ("colours_before", "original_colours", "colours_after"):
        outcome[when] = {block: outcome[when][block] for block in outcome[when] if not block.startswith("5,")}
    after = outcome["colours_after"]
    outcome["colours_after"] = {block: [1 - part for part in after[block]] for block in after}
    return outcome


@case
def link_layer():
    if gimp.version < (3, 2):
        return {"absent": "link layers are new in GIMP 3.2"}
    from gi.repository import Gimp, Gio

    image, layer = chart()
    path = os.environ["LAYERLIFT_TEST_PROFILE"] + ".png"
    pdb.file_png_save(image, layer, path, path, 0, 6, 0, 0, 0, 0, 0)
    native = Gimp.Image.get_by_id(image.ID)
    native.insert_layer(Gimp.LinkLayer.new(native, Gio.File.new_for_path(path)), None, 0)
    image.remove_layer(layer)
    return measure(image, image.layers[0])


@case
def vector_layer():
    if gimp.version < (3, 2):
        return {"absent": "vector layers are new in GIMP 3.2"}
    from gi.repository import Gegl, Gimp

    image, _ = chart()
    native = Gimp.Image.get_by_id(image.ID)
    path = Gimp.Path.new(native, "a square")
    native.insert_path(path, None, 0)
    corners = [(8, 8), (40, 8), (40, 40), (8, 40)]
    path.stroke_new_from_points(Gimp.PathStrokeType.BEZIER, [part for corner in corners for part in corner * 3], True)
    vector = Gimp.VectorLayer.new(native, path)
    native.insert_layer(vector, None, 0)
    vector.set_enable_stroke(False)
    vector.set_fill_color(Gegl.Color.new("black"))
    vector.refresh()
    layer = image.layers[0]
    pdb.python_fu_layerlift(image, layer, 0, False, True, 1)
    copy = image.layers[0]
    same = [copy.width, copy.height, *copy.offsets] == [layer.width, layer.height, *layer.offsets]
    alphas = copy.get_pixel_rgn(0, 0, copy.width, copy.height, False, False)[0 : copy.width, 0 : copy.height][3::4]
    left, top = copy.offsets
    inside = alphas[(24 - top) * copy.width + 24 - left]
    return {"same place": same, "plain": type(Gimp.Item.get_by_id(copy.ID)) is Gimp.Layer, "inside": inside}


def measure_all(names):
    """The outcome of every named case, by name; a case that raises tells its traceback."""
    outcomes = {}
    for name in names:
        try:
            outcomes[name] = cell(CELLS[name]) if name in CELLS else CASES[name]()
        except Exception:
            outcomes[name] = {"raised": traceback.format_exc()}
        for image in gimp.image_list():
            pdb.gimp_image_delete(image)
    return outcomes
