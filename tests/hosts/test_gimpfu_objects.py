"""Images, items, parasites, paths, colours, constants and data through gimpfu, in a real GIMP."""

# ruff: noqa: F821 - the bodies run inside GIMP, with the names of gimpfu
from __future__ import annotations

from typing import Any

from .gimp import Gimp


def test_images_and_layers_have_the_classic_attributes(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(60, 40, RGB)
        layer = gimp.Layer(image, "L\u00e4yer", 30, 20, RGBA_IMAGE, 55.0, MULTIPLY_MODE)
        image.insert_layer(layer)
        group = gimp.GroupLayer(image, "group", 80.0, NORMAL_MODE)
        image.insert_layer(group, position=0)
        inner = gimp.Layer(image, "inner", 10, 10, RGBA_IMAGE)
        image.insert_layer(inner, group)
        for name, value in (
            ("name", "n\u00e9w"),
            ("opacity", 25.0),
            ("mode", SCREEN_MODE),
            ("visible", False),
            ("linked", True),
            ("lock_alpha", True),
            ("lock_content", True),
            ("lock_position", True),
            ("tattoo", 77),
        ):
            setattr(layer, name, value)
            assert getattr(layer, name) == value, name
        layer.lock_position = False
        layer.set_offsets(3, 4)
        layer.translate(1, 1)
        image.active_layer = inner
        image.filename, image.resolution, image.unit = "/tmp/\u00fc.xcf", (300.0, 200.0), UNIT_MM
        return {
            "image": [image.width, image.height, image.base_type, image.precision, image.name, image.filename],
            "more": [list(image.resolution), image.unit, image.dirty, image.uri.startswith("file:///tmp/")],
            "layer": [layer.width, layer.height, layer.bpp, layer.type, layer.has_alpha, layer.is_rgb, layer.is_gray],
            "offsets": layer.offsets,
            "tree": [repr(image.layers), repr(group.layers), repr(inner.parent), layer.parent, repr(group.children)],
            "active": [repr(image.active_layer), repr(image.active_drawable), image.active_channel],
            "same": [
                image.active_layer == inner,
                inner != layer,
                len({inner, image.active_layer, layer}),
                inner is None,
            ],
            "layer image": layer.image == image and layer.image.ID == image.ID,
            "kinds": [
                isinstance(group, gimp.Layer),
                isinstance(inner, gimp.GroupLayer),
                isinstance(layer, gimp.Drawable),
            ],
            "index": image.layers.index(layer),
            "list": image in gimp.image_list(),
            "mask": [layer.mask, layer.is_floating_sel],
            "selection": [repr(image.selection), isinstance(image.selection, gimp.Channel)],
        }

    found = gimp.python(body)
    assert found["image"] == [60, 40, 0, 150, "\u00fc.xcf", "/tmp/\u00fc.xcf"]
    assert found["more"] == [[300.0, 200.0], 2, True, True]
    assert found["layer"] == [30, 20, 4, 1, True, True, False]
    assert found["offsets"] == [4, 5]
    assert found["tree"] == [
        "[<gimp.GroupLayer 'group'>, <gimp.Layer 'n\u00e9w'>]", "[<gimp.Layer 'inner'>]", "<gimp.GroupLayer 'group'>",
        None, "[<gimp.Layer 'inner'>]",
    ]  # fmt: skip
    assert found["active"] == ["<gimp.Layer 'inner'>", "<gimp.Layer 'inner'>", None]
    assert found["same"] == [True, True, 2, False]
    assert found["layer image"] and found["list"] and found["index"] == 1
    assert found["kinds"] == [True, False, True]
    assert found["mask"] == [None, False]
    assert found["selection"] == ["<gimp.Channel 'Selection Mask'>", True]


def test_images_and_layers_have_the_classic_methods(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(60, 40, GRAY)
        low = image.new_layer("low", fill_mode=FILL_WHITE)
        high = image.new_layer("high", 20, 10, 5, 6, opacity=50.0)
        image.lower_layer(high)
        order = [layer.name for layer in image.layers]
        image.raise_layer_to_top(high)
        order.append(image.layers[0].name)
        mask = high.create_mask(ADD_BLACK_MASK)
        high.add_mask(mask)
        masks = [high.mask == mask, mask.is_layer_mask, high.apply_mask, high.show_mask]
        high.remove_mask(MASK_DISCARD)
        channel = gimp.Channel(image, "c", 60, 40, 40.0, "#ff0000")
        image.add_channel(channel)
        channel.color = (0, 255, 0)
        channel.opacity = 60.0
        channel.show_masked = True
        image.selection.combine_masks(channel, CHANNEL_OP_ADD)
        guide = image.add_hguide(12)
        guides = [
            image.get_guide_position(guide),
            image.get_guide_orientation(guide),
            image.find_next_guide(0) == guide,
        ]
        image.delete_guide(guide)
        copy = image.duplicate()
        copy.scale(30, 20)
        copy.crop(10, 10, 2, 2)
        copy.resize(20, 20, 5, 5)
        flat = copy.flatten()
        rotated = low.transform_rotate_simple(ROTATE_90, True, 0, 0)
        low.resize(20, 20, 0, 0)
        low.scale(10, 5, True)
        low.resize_to_image_size()
        image.disable_undo()
        undo = [image.undo_is_enabled()]
        image.enable_undo()
        undo.append(image.undo_is_enabled())
        merged = image.merge_visible_layers(CLIP_TO_IMAGE)
        merged.fill(FILL_WHITE)
        image.remove_channel(channel)
        return [order, masks, str(channel.color) if image.channels else "removed", guides, [flat.width, flat.height],
                rotated == low, [low.name if low in image.layers else "merged", merged.name], undo,
                image.pick_correlate_layer(1, 1) == merged, len(image.channels)]  # fmt: skip

    found = gimp.python(body)
    assert found[0] == ["low", "high", "high"]
    assert found[1] == [True, True, True, False]
    assert found[3] == [12, 0, True]
    assert found[4] == [20, 20]
    assert found[5] is True
    assert found[7] == [False, True]
    assert found[8] is True
    assert found[9] == 0


def test_wrong_methods_and_attributes_raise_gimp_error(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        loose = gimp.Layer(image, "loose", 10, 10, RGB_IMAGE)
        found = []
        for attempt in (
            lambda: image.remove_layer(loose),
            lambda: setattr(image, "width", 5),
            lambda: image.flatten(1),
            lambda: image.resize(1),
            lambda: gimp.get_data("nothing here"),
            lambda: gimp.Layer(image, "x"),
            lambda: pdb.gimp_no_such_thing(),
            lambda: pdb["gimp-no-such-thing"],
            lambda: pdb[3],
        ):
            try:
                attempt()
                found.append("none")
            except gimp.error:
                found.append("gimp.error")
            except (TypeError, AttributeError) as failure:
                found.append(type(failure).__name__)
        return [
            *found,
            hasattr(pdb, "gimp_no_such_thing"),
            hasattr(pdb, "gimp_image_new"),
            gimp.error.__mro__[1].__name__,
        ]

    assert gimp.python(body) == [
        "gimp.error", "AttributeError", "TypeError", "TypeError", "gimp.error", "TypeError", "gimp.error",
        "gimp.error", "TypeError", False, True, "RuntimeError",
    ]  # fmt: skip


def test_procedures_take_and_give_every_type(gimp: Gimp) -> None:
    def body() -> Any:
        import gimpcolor

        image = pdb.gimp_image_new(10, 10, RGB)
        layer = pdb["gimp-layer-new"](image, 10, 10, RGB_IMAGE, "x", 100, NORMAL_MODE)
        pdb.gimp_image_insert_layer(image, layer, None, 0)
        pdb.gimp_context_set_foreground((1.0, 0.5, 0.0))
        floats = tuple(pdb.gimp_context_get_foreground())
        pdb.gimp_context_set_foreground("steelblue")
        named = tuple(pdb.gimp_context_get_foreground())
        pdb.gimp_context_set_foreground(gimpcolor.RGB(1, 2, 3))
        ints = tuple(pdb.gimp_context_get_foreground())[:3]
        pdb.gimp_drawable_set_pixel(layer, 2, 3, 3, [9, 8, 7])
        pixel = pdb.gimp_drawable_get_pixel(layer, 2, 3)
        pdb.gimp_pencil(layer, 4, (0.0, 0.0, 5.0, 5.0))
        pdb.gimp_image_attach_parasite(image, gimp.Parasite("p", 1, b"a\0b"))
        parasite = pdb.gimp_image_get_parasite(image, "p")
        count, names = pdb.gimp_image_get_parasite_list(image)
        pdb.gimp_message_set_handler(ERROR_CONSOLE)
        info = pdb.gimp_image_get_resolution
        layers = pdb.gimp_image_get_layers(image)
        pdb.plug_in_gauss(image, layer, 2, 2, 0, run_mode=RUN_NONINTERACTIVE)
        return {
            "colors": [floats, named, ints],
            "pixel": pixel,
            "parasite": [parasite.name, parasite.flags, list(parasite.data), count, names, parasite.is_persistent],
            "none": [pdb.gimp_image_get_floating_sel(image), pdb.gimp_displays_flush()],
            "layers": [layers[0], layers[1][0] == layer.ID],
            "info": [
                info.proc_name,
                info.nparams,
                info.nreturn_vals,
                info.params[0][1],
                info.return_vals[0][0],
                repr(info),
            ],
            "query": pdb.query("gimp-image-(width|height)"),
        }

    found = gimp.python(body)
    assert found["colors"] == [[255, 128, 0, 255], [70, 130, 180, 255], [1, 2, 3]]
    assert found["pixel"] == [3, [9, 8, 7]]
    assert found["parasite"] == ["p", 1, [97, 0, 98], 1, ["p"], True]
    assert found["none"] == [None, None]
    assert found["layers"] == [1, True]
    assert found["info"] == [
        "gimp-image-get-resolution",
        1,
        2,
        "image",
        3,
        "<pdb function 'gimp-image-get-resolution'>",
    ]
    assert sorted(found["query"]) == ["gimp-image-height", "gimp-image-width"]


def test_wrong_arguments_are_type_errors_that_show_the_signature(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        found = []
        for attempt in (
            lambda: pdb.gimp_image_new(1, 2),
            lambda: pdb.gimp_image_new("a", 2, RGB),
            lambda: pdb.gimp_image_width(7),
            lambda: pdb.gimp_layer_get_opacity(image),
            lambda: pdb.gimp_image_width(image, mode=1),
            lambda: pdb.gimp_context_set_foreground(("a", 1, 2)),
        ):
            try:
                attempt()
                found.append("none")
            except TypeError as failure:
                found.append(str(failure))
        try:
            pdb.gimp_image_new(-1, 5, RGB)
        except RuntimeError as failure:
            found.append(str(failure))
        return found

    found = gimp.python(body)
    assert all("(" in text and ":" in text for text in found[:6])
    assert "gimp_image_new(width: INT32, height: INT32, type: INT32)" in found[0]
    assert "out of range" in found[6]
    assert not [text for text in found if text in gimp.stderr], "a caught error is not shown to anybody"


def test_parasites_live_on_images_items_and_gimp_itself(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "x", 10, 10, RGB_IMAGE)
        image.insert_layer(layer)
        found = []
        for holder in (image, layer, gimp):
            holder.attach_new_parasite("note", PARASITE_UNDOABLE, "gr\u00fc\u00df")
            holder.parasite_attach(gimp.Parasite("two", 0, b"\1\2"))
            parasite = holder.parasite_find("note")
            found.append([parasite.data.decode(), parasite.is_undoable, sorted(holder.parasite_list())[-2:]])
            holder.parasite_detach("note")
            holder.parasite_detach("two")
            found.append(holder.parasite_find("note"))
        return found

    expected = ["gr\u00fc\u00df\0", True, ["note", "two"]]
    assert gimp.python(body) == [expected, None] * 3


def test_paths_and_their_strokes(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(100, 100, RGB)
        path = gimp.Vectors(image, "path")
        pdb.gimp_image_insert_vectors(image, path, None, 0)
        stroke = gimp.VectorsBezierStroke(path, [10, 10, 10, 10, 10, 10, 50, 10, 50, 10, 50, 10], False)
        line = gimp.VectorsBezierStroke.new_moveto(path, 0, 0)
        line.lineto(0, 30)
        circle = gimp.VectorsBezierStroke.new_ellipse(path, 50, 50, 20, 20, 0)
        points, closed = stroke.points
        stroke.translate(5, 5)
        stroke.close()
        path.to_selection(CHANNEL_OP_REPLACE)
        bounds = pdb.gimp_selection_bounds(image)
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0 L5 5"/></svg>'
        imported = gimp.vectors_import_from_string(image, svg)
        path.remove_stroke(line)
        return [
            repr(path), len(path.strokes), points[:4], closed, stroke.points[1], round(stroke.get_length(1.0), 1),
            list(bounds), len(imported), len(image.vectors), path.name, isinstance(path, gimp.Item), circle.points[1],
            repr(stroke).startswith("<gimp.VectorsBezierStroke"), image.active_vectors in image.vectors,
        ]  # fmt: skip

    found = gimp.python(body)
    assert found[1:6] == [2, [10.0, 10.0, 10.0, 10.0], False, True, 80.0]
    assert found[6][0] == 1
    assert found[7:] == [1, 2, "path", True, True, True, True]


def test_colors_convert_compare_and_parse_as_gimpcolor_does(gimp: Gimp) -> None:
    def body() -> Any:
        import pickle

        import gimpcolor

        orange = gimpcolor.RGB(255, 128, 0)
        hsv = gimpcolor.RGB(1.0, 0.0, 0.0).to_hsv()
        copy = gimpcolor.RGB(0.25, 0.5, 0.75, 0.5)
        copy.r, copy.alpha = 1.0, 255
        mixed = gimpcolor.RGB(0.0, 0.0, 0.0)
        mixed.add(gimpcolor.RGB(0.5, 0.25, 0.125))
        mixed.multiply(2.0)
        return {
            "sequence": [list(orange), orange[0], orange[-1], orange[:2], len(orange), orange["red"]],
            "attributes": [round(orange.g, 3), orange.red, copy.r, copy.a],
            "hsv": [list(hsv), list(hsv.to_rgb()), list(gimpcolor.HSV(120, 100, 100).to_rgb())],
            "hsl": list(gimpcolor.HSL(240, 100, 50).to_rgb()),
            "cmyk": list(gimpcolor.RGB(255, 0, 0).to_cmyk()),
            "parsed": [list(gimpcolor.rgb_parse_css("#336699")), list(gimpcolor.rgb_parse_name("red")),
                       list(gimpcolor.rgb_parse_hex("00ff00")), len(gimpcolor.rgb_names()) > 100],
            "equal": [orange == gimpcolor.RGB(255, 128, 0), orange != gimpcolor.RGB(0, 0, 0), len({orange, orange})],
            "text": [repr(gimpcolor.RGB(1.0, 0.0, 0.5)), str(gimpcolor.RGB(1.0, 0.0, 0.5))],
            "math": [list(mixed), round(orange.luminance(), 3), orange.max(), orange.min()],
            "pickle": pickle.loads(pickle.dumps(orange)) == orange,
            "bilinear": gimpcolor.bilinear(0.5, 0.5, [0.0, 1.0, 2.0, 3.0]),
        }  # fmt: skip

    found = gimp.python(body)
    assert found["sequence"] == [[255, 128, 0, 255], 255, 255, [255, 128], 4, 1.0]
    assert found["attributes"] == [0.502, 1.0, 1.0, 1.0]
    assert found["hsv"] == [[0, 100, 100, 255], [255, 0, 0, 255], [0, 255, 0, 255]]
    assert found["hsl"] == [0, 0, 255, 255]
    assert found["cmyk"] == [0, 255, 255, 0, 255]
    assert found["parsed"] == [[51, 102, 153, 255], [255, 0, 0, 255], [0, 255, 0, 255], True]
    assert found["equal"] == [True, True, 1]
    assert found["text"] == ["gimpcolor.RGB(1.0, 0.0, 0.5, 1.0)", "RGB (1.0, 0.0, 0.5, 1.0)"]
    assert found["math"] == [[255, 128, 64, 255], 0.582, 1.0, 0.0]
    assert found["pickle"] and found["bilinear"] == 1.5


def test_all_constants_are_there_under_new_and_old_names(gimp: Gimp) -> None:
    def body() -> Any:
        import gimpenums

        is_2 = gimp.version < (3, 0)
        expected = {
            "NORMAL_MODE": 0,
            "LAYER_MODE_NORMAL": 28,
            "MULTIPLY_MODE": 3,
            "ADD_WHITE_MASK": 0,
            "ADD_MASK_WHITE": 0,
            "RGB_IMAGE": 0,
            "RGBA_IMAGE": 1,
            "GRAY_IMAGE": 2,
            "GRAYA_IMAGE": 3,
            "INDEXED_IMAGE": 4,
            "RGB": 0,
            "GRAY": 1,
            "FOREGROUND_FILL": 0,
            "WHITE_FILL": 2 if is_2 else 3,
            "FILL_TRANSPARENT": 3 if is_2 else 4,
            "RUN_INTERACTIVE": 0,
            "RUN_WITH_LAST_VALS": 2,
            "CHANNEL_OP_REPLACE": 2,
            "PDB_IMAGE": 13,
            "PLUGIN": 1,
            "UNIT_INCH": 1,
            "MASK_APPLY": 0,
            "PARASITE_PERSISTENT": 1,
            "PARASITE_PARENT_PERSISTENT": 256,
            "EXPORT_NEEDS_ALPHA": 256,
            "TRUE": True,
            "FALSE": False,
            "PRECISION_U8_GAMMA": 150,
            "CHECK_SIZE_SMALL_CHECKS": 0,
            "FG_BG_RGB_MODE": 0,
            "FG_BUCKET_FILL": 0,
            "SHADOWS": 0,
        }
        wrong = [n for n, v in expected.items() if globals().get(n) != v]
        return [wrong, len([n for n in dir(gimpenums) if n.isupper()])]

    wrong, count = gimp.python(body)
    assert wrong == []
    assert count > 400


def test_data_and_the_shelf_live_as_long_as_gimp(gimp: Gimp) -> None:
    def body() -> Any:
        from gimpshelf import shelf

        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "x", 10, 10, RGB_IMAGE)
        image.insert_layer(layer)
        gimp.set_data("bytes", b"a\0b")
        shelf["things"] = {"image": image, "layer": layer, "numbers": [1, 2.5, "\u00fc"]}
        kept = shelf["things"]
        found = [list(gimp.get_data("bytes")), kept["image"] == image, kept["layer"] == layer, kept["numbers"]]
        del shelf["things"]
        return [*found, "things" in shelf, shelf.has_key("things")]

    assert gimp.python(body) == [[97, 0, 98], True, True, [1, 2.5, "\u00fc"], False, False]


def test_gimp_tells_about_itself(gimp: Gimp) -> None:
    def body() -> Any:
        gimp.context_push()
        gimp.set_foreground(10, 20, 30)
        gimp.set_background((40, 50, 60))
        colors = [tuple(gimp.get_foreground())[:3], tuple(gimp.get_background())[:3]]
        gimp.context_pop()
        gimp.set_foreground("red")
        samples = gimp.gradient_get_uniform_samples("FG to BG (RGB)", 3)
        gimp.tile_cache_ntiles(10)
        gimp.progress_init("working")
        gimp.progress_update(0.5)
        return {
            "version": gimp.version, "directory": gimp.directory, "colors": colors, "samples": len(samples),
            "gradients": "FG to BG (RGB)" in gimp.gradients_get_list(""),
            "folders": [bool(gimp.data_directory), bool(gimp.locale_directory), bool(gimp.plug_in_directory)],
            "file": gimp.personal_rc_file("x"), "tile": [gimp.tile_width(), gimp.tile_height()],
            "checks": gimp.checks_get_shades(gimp.check_type()), "display": gimp.default_display(),
            "name": gimp.get_progname().endswith("driver.py"),
        }  # fmt: skip

    found = gimp.python(body)
    assert found["version"][:2] == [int(part) for part in gimp.version.name.split(".")]
    assert found["directory"] == str(gimp.profile)
    assert found["file"] == str(gimp.profile / "x")
    assert found["colors"] == [[10, 20, 30], [40, 50, 60]]
    assert found["samples"] == 3 and found["gradients"] and all(found["folders"]) and found["name"]
    assert found["tile"] == [128, 128]
    assert found["checks"] == [153, 102]
    assert found["display"] is None
