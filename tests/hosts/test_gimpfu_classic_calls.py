"""What plug-ins of old call: the procedures of GIMP 2.10 by name and position, in every GIMP."""

# ruff: noqa: F821 - the bodies run inside GIMP, with the names of gimpfu
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .gimp import Gimp


def test_classic_loaders_and_writers_are_called_by_the_files_ending(gimp: Gimp, tmp_path: Path) -> None:
    def body(folder: str) -> Any:
        from pathlib import Path

        image = gimp.Image(33, 22, RGB)
        layer = gimp.Layer(image, "lay", 33, 22, RGB_IMAGE)
        image.insert_layer(layer)
        one, two = folder + "/one.simple", folder + "/two.simple"
        pdb.gimp_file_save(image, layer, one, one)
        pdb.file_simple_save(image, layer, two, two, "by name")
        loaded = [pdb.gimp_file_load(one, one), pdb.file_simple_load(two, two)]
        return Path(one).read_text()[:16], Path(two).read_text(), [[one.width, one.height] for one in loaded]

    first, second, sizes = gimp.python(body, str(tmp_path))
    assert first == "simple 33 22 lay"
    assert second == "simple 33 22 lay by name"
    assert sizes == [[33, 22], [33, 22]]


def test_pictures_are_written_and_loaded_with_the_classic_arguments(gimp: Gimp, tmp_path: Path) -> None:
    def body(folder: str) -> Any:
        image = gimp.Image(20, 10, RGB)
        layer = gimp.Layer(image, "lay", 20, 10, RGB_IMAGE)
        image.insert_layer(layer)
        png, jpeg = folder + "/a.png", folder + "/b.jpg"
        pdb.file_png_save(image, layer, png, png, 0, 9, 0, 0, 0, 0, 0)
        pdb.file_jpeg_save(image, layer, jpeg, jpeg, 0.9, 0, 0, 0, "", 0, 1, 0, 0)
        loaded = [pdb.file_png_load(png, png), pdb.file_jpeg_load(jpeg, jpeg), pdb.gimp_file_load(png, png)]
        return [[one.width, one.height, one.active_layer.is_rgb] for one in loaded]

    assert gimp.python(body, str(tmp_path)) == [[20, 10, True]] * 3


def test_selecting_filling_and_adjusting_take_the_classic_arguments(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(64, 48, RGB)
        layer = gimp.Layer(image, "a", 64, 48, RGBA_IMAGE)
        image.insert_layer(layer)
        layer.fill(FILL_WHITE)
        pdb.gimp_rect_select(image, 1, 2, 20, 10, CHANNEL_OP_REPLACE, False, 0)
        pdb.gimp_free_select(image, 6, [30, 2, 40, 2, 30, 12], CHANNEL_OP_ADD, True, False, 0)
        bounds = pdb.gimp_selection_bounds(image)
        pdb.gimp_context_set_foreground((255, 0, 0))
        pdb.gimp_edit_bucket_fill(layer, FG_BUCKET_FILL, NORMAL_MODE, 100, 15, False, 5, 5)
        red = list(layer.get_pixel(5, 5))
        pdb.gimp_edit_copy(layer)
        pdb.gimp_selection_none(image)
        pdb.gimp_floating_sel_anchor(pdb.gimp_edit_paste(layer, True))
        pdb.gimp_invert(layer)
        inverted = list(layer.get_pixel(60, 40))
        pdb.gimp_context_set_background((0, 0, 0))
        pdb.gimp_context_set_foreground((255, 255, 255))
        pdb.gimp_edit_blend(
            layer,
            FG_BG_RGB_MODE,
            NORMAL_MODE,
            GRADIENT_LINEAR,
            100,
            0,
            REPEAT_NONE,
            False,
            False,
            1,
            0,
            False,
            0,
            0,
            63,
            0,
        )
        ends = [layer.get_pixel(0, 5)[0], layer.get_pixel(63, 5)[0]]
        pdb.gimp_levels(layer, HISTOGRAM_VALUE, 10, 240, 1.2, 0, 255)
        pdb.gimp_curves_spline(layer, HISTOGRAM_VALUE, 4, bytes((0, 0, 255, 255)))
        pdb.gimp_brightness_contrast(layer, 20, -20)
        pdb.gimp_desaturate(layer)
        pdb.gimp_pencil(layer, 4, [0, 0, 5, 5])
        turned = pdb.gimp_drawable_transform_rotate_simple(layer, ROTATE_90, True, 0, 0, False)
        return list(bounds), red, inverted, ends, [turned.width, turned.height]

    bounds, red, inverted, ends, size = gimp.python(body)
    assert bounds == [1, 1, 2, 40, 12]
    assert red == [255, 0, 0, 255]
    assert inverted == [0, 0, 0, 255]
    assert ends[0] > 245 and ends[1] < 10
    assert size == [48, 64]


def test_filters_that_were_plug_ins_change_the_layer_in_one_undo_step_each(gimp: Gimp) -> None:
    def body() -> Any:
        filters = {
            "gauss": (5.0, 5.0, 0), "gauss-iir": (5.0, True, True), "unsharp-mask": (3.0, 0.5, 0), "pixelize": (8,),
            "edge": (2.0, 1, 0), "emboss": (30.0, 45.0, 20, True), "oilify": (8, 0), "colortoalpha": ((9, 9, 9),),
            "whirl-pinch": (90.0, 0.0, 1.0), "solid-noise": (0, 0, 1, 1, 4.0, 4.0), "plasma": (1, 2.0),
            "sobel": (True, True, False), "dog": (3.0, 1.0, True, True), "neon": (5.0, 0.0), "vinvert": (),
            "c-astretch": (), "cartoon": (7.0, 0.2), "mblur": (0, 10.0, 45.0, 0.0, 0.0), "spread": (5.0, 5.0),
        }  # fmt: skip
        same = []
        for name, arguments in filters.items():
            image = gimp.Image(64, 48, RGB)
            layer = gimp.Layer(image, "a", 64, 48, RGBA_IMAGE)
            image.insert_layer(layer)
            region = layer.get_pixel_rgn(0, 0, 64, 48)
            region[0:64, 0:48] = b"".join(bytes((60 + 2 * x, 40 + 3 * y, (x // 8 + y // 8) % 2 * 90, 255))
                                          for y in range(48) for x in range(64))  # fmt: skip
            before = region[0:64, 0:48]
            pdb["plug-in-" + name](image, layer, *arguments)
            if region[0:64, 0:48] == before:
                same.append(name)
            gimp.delete(image)
        return same

    assert gimp.python(body) == []


@pytest.mark.gimp("3.0", "3.2", why="in 2.10 there is nothing to be replaced")
def test_what_is_not_translated_names_its_replacement_and_new_names_work_too(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "a", 10, 10, RGB_IMAGE)
        image.insert_layer(layer)
        found = []
        for name in ("file_xwd_save", "plug_in_displace", "gimp_text"):
            try:
                getattr(pdb, name)
            except gimp.error as failure:
                found.append(str(failure))
        pdb.gimp_image_set_selected_layers(image, [layer])
        count, identities = pdb.gimp_image_get_selected_layers(image)
        return (
            found,
            [hasattr(pdb, "plug_in_displace"), hasattr(pdb, "gimp_get_images")],
            count,
            identities[0] == layer.ID,
        )

    told, known, count, same = gimp.python(body)
    assert [text.partition("; ")[2] for text in told] == [
        "in this GIMP it is file-xwd-export", "in this GIMP it is a GEGL filter (Gimp.DrawableFilter)",
        "in this GIMP it is gimp-text-font",
    ]  # fmt: skip
    assert known == [False, True]
    assert (count, same) == (1, True)
