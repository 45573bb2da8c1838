"""Layers that GIMP 3 renders from something else than pixels: what they show is cut out, and they stay as they are."""

# ruff: noqa: F821 - bodies run inside GIMP
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layerlift.offline import Options, Twin
from PIL import Image

from .gimp import Gimp
from .test_layerlift_layers import install


@pytest.fixture
def ready(gimp: Gimp, tmp_path: Path) -> Iterator[Gimp]:
    """A GIMP with the plug-in, behind which is a service that takes what is bright for the background."""
    with Twin(Options(rate=(10_000, 1.0))) as twin:
        install(gimp, tmp_path / "state", twin)
        yield gimp


@pytest.mark.gimp("3.0", "3.2", why="in GIMP 2.10 a filter changes the pixels")
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_filters_are_merged_in_the_new_layer_and_kept_on_the_original(ready: Gimp, masked: bool) -> None:
    def body(masked: bool) -> Any:
        from gi.repository import Gegl, Gimp

        Gegl.init(None)
        image = gimp.Image(64, 48, RGB)
        layer = gimp.Layer(image, "photo", 64, 48, RGB_IMAGE, 100.0, LAYER_MODE_NORMAL)
        image.insert_layer(layer)
        pdb.gimp_drawable_fill(layer, FILL_FOREGROUND)
        pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, 32, 48)
        pdb.gimp_drawable_edit_fill(layer, FILL_WHITE)
        pdb.gimp_selection_none(image)
        if masked:
            layer.add_mask(layer.create_mask(ADD_WHITE_MASK))
        native = Gimp.Item.get_by_id(layer.ID)
        native.append_filter(Gimp.DrawableFilter.new(native, "gegl:invert-gamma", "Invert"))
        pdb.python_fu_layerlift(image, layer, 0, False, True, 1)
        copy = image.layers[0]
        pixels = [list(copy.get_pixel(x, 20)) for x in (10, 50)]
        filters = [len(Gimp.Item.get_by_id(one.ID).get_filters()) for one in (copy, layer)]
        return pixels, filters, [list(layer.get_pixel(x, 20)) for x in (10, 50)], copy.mask is None

    pixels, filters, original, has_no_mask = ready.python(body, masked)
    assert pixels[0] == [0, 0, 0, 255], "white, which the filter shows as black"
    assert pixels[1][3] == 0
    assert filters == [0, 1]
    assert original == [[255, 255, 255], [0, 0, 0]]
    assert has_no_mask


@pytest.mark.gimp("3.2", why="GIMP 3.0 has no link layers")
def test_a_link_layer_stays_a_link_and_its_picture_is_cut_out(ready: Gimp, tmp_path: Path) -> None:
    file = tmp_path / "linked.png"
    picture = Image.new("RGB", (64, 48), "white")
    picture.paste("black", (0, 0, 32, 48))
    picture.save(file)

    def body(path: str) -> Any:
        from gi.repository import Gimp, Gio

        image = gimp.Image(64, 48, RGB)
        native = Gimp.Image.get_by_id(image.ID)
        native.insert_layer(Gimp.LinkLayer.new(native, Gio.File.new_for_path(path)), None, 0)
        layer = image.layers[0]
        pdb.python_fu_layerlift(image, layer, 0, False, True, 1)
        kinds = [type(Gimp.Item.get_by_id(one.ID)).__name__ for one in image.layers]
        return kinds, [list(image.layers[0].get_pixel(x, 20)) for x in (10, 50)]

    kinds, pixels = ready.python(body, str(file))
    assert kinds == ["Layer", "LinkLayer"]
    assert pixels[0] == [0, 0, 0, 255]
    assert pixels[1][3] == 0


@pytest.mark.gimp("3.2", why="GIMP 3.0 has no vector layers")
def test_a_vector_layer_stays_one_and_its_drawing_is_cut_out(ready: Gimp) -> None:
    def body() -> Any:
        from gi.repository import Gegl, Gimp

        Gegl.init(None)
        image = gimp.Image(64, 48, RGB)
        native = Gimp.Image.get_by_id(image.ID)
        path = Gimp.Path.new(native, "square")
        native.insert_path(path, None, 0)
        corners = [(10, 10), (50, 10), (50, 40), (10, 40)]
        path.stroke_new_from_points(
            Gimp.PathStrokeType.BEZIER, [part for corner in corners for part in corner * 3], True
        )
        layer = Gimp.VectorLayer.new(native, path)
        native.insert_layer(layer, None, 0)
        layer.set_enable_fill(True)
        layer.set_fill_color(Gegl.Color.new("black"))
        layer.set_enable_stroke(False)
        layer.refresh()
        pdb.python_fu_layerlift(image, image.layers[0], 0, False, True, 1)
        kinds = [type(Gimp.Item.get_by_id(one.ID)).__name__ for one in image.layers]
        copy = image.layers[0]
        left, top = copy.offsets
        return kinds, [copy.width, copy.height, left, top], list(copy.get_pixel(30 - left, 25 - top))

    kinds, place, pixel = ready.python(body)
    assert kinds == ["Layer", "VectorLayer"]
    assert pixel == [0, 0, 0, 255]
    assert place[:2] >= [40, 30]
