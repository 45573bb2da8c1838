"""Pixels through gimpfu, in a real GIMP: regions, tiles, fetchers and shadows, in every layout and precision."""

# ruff: noqa: F821 - the bodies run inside GIMP, with the names of gimpfu
from __future__ import annotations

from pathlib import Path
from typing import Any

from .gimp import Gimp
from .profiles import swapped_profile


def test_a_region_is_read_and_written_in_the_layers_own_layout(gimp: Gimp) -> None:
    def body() -> Any:
        found = {}
        for base, layers in ((RGB, (RGB_IMAGE, RGBA_IMAGE)), (GRAY, (GRAY_IMAGE, GRAYA_IMAGE))):
            image = gimp.Image(8, 4, base)
            for kind in layers:
                layer = gimp.Layer(image, "x", 8, 4, kind, 100.0, NORMAL_MODE)
                image.insert_layer(layer)
                region = layer.get_pixel_rgn(0, 0, 8, 4)
                pixels = bytes((7 * i + 40) % 256 for i in range(8 * 4 * region.bpp))
                region[0:8, 0:4] = pixels
                corner = layer.get_pixel(7, 3)
                found[kind] = [region.bpp, region[0:8, 0:4] == pixels, corner == tuple(pixels[-region.bpp :])]
            gimp.delete(image)
        return found

    assert gimp.python(body) == {"0": [3, True, True], "1": [4, True, True], "2": [1, True, True], "3": [2, True, True]}


def test_an_indexed_layer_is_its_palette_indices(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(3, 1, INDEXED)
        image.colormap = bytes((255, 0, 0, 0, 255, 0, 0, 0, 255))
        plain = gimp.Layer(image, "plain", 3, 1, INDEXED_IMAGE, 100.0, NORMAL_MODE)
        alpha = gimp.Layer(image, "alpha", 3, 1, INDEXEDA_IMAGE, 100.0, NORMAL_MODE)
        for layer in (plain, alpha):
            image.insert_layer(layer)
        plain.get_pixel_rgn(0, 0, 3, 1)[0:3, 0:1] = bytes((2, 0, 1))
        alpha.get_pixel_rgn(0, 0, 3, 1)[0:3, 0:1] = bytes((2, 255, 0, 0, 1, 255))
        return [
            list(plain.get_pixel_rgn(0, 0, 3, 1)[0:3, 0]),
            list(alpha.get_pixel_rgn(0, 0, 3, 1)[0:3, 0]),
            list(plain.get_pixel(0, 0)),
            list(image.colormap),
        ]

    plain, alpha, pixel, colormap = gimp.python(body)
    assert plain == [2, 0, 1]
    assert alpha == [2, 255, 0, 0, 1, 255]
    assert pixel == [2]
    assert colormap == [255, 0, 0, 0, 255, 0, 0, 0, 255]


def test_high_precision_layers_are_read_and_written_as_8_bits(gimp: Gimp) -> None:
    def body() -> Any:
        import gimpenums

        names = [name for name in dir(gimpenums) if name.startswith("PRECISION_") and "DOUBLE" not in name]
        precisions = {name: getattr(gimpenums, name) for name in names}
        ramp = b"".join(bytes((i, 255 - i, 128, i)) for i in range(256))
        differences = {}
        for name, precision in precisions.items():
            image = pdb.gimp_image_new_with_precision(256, 1, RGB, precision)
            layer = gimp.Layer(image, "x", 256, 1, RGBA_IMAGE, 100.0, NORMAL_MODE)
            image.insert_layer(layer)
            layer.get_pixel_rgn(0, 0, -1, -1)[0:256, 0] = ramp
            pdb.gimp_displays_flush()
            back = layer.get_pixel_rgn(0, 0, -1, -1)[0:256, 0]
            differences[name] = max(abs(one - other) for one, other in zip(ramp, back))
            gimp.delete(image)
        return differences

    differences = gimp.python(body)
    assert len(differences) >= 10
    # A linear 8-bit layer can't hold dark gamma values exactly, nor can half floats of low alpha.
    exact = {name: worst for name, worst in differences.items() if name != "PRECISION_U8_LINEAR"}
    assert max(exact.values()) <= 1, differences


def test_masks_channels_and_the_selection_are_linear_bytes(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(256, 1, RGB)
        layer = gimp.Layer(image, "x", 256, 1, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.fill(WHITE_FILL)
        layer.add_alpha()
        mask = layer.create_mask(ADD_WHITE_MASK)
        layer.add_mask(mask)
        channel = gimp.Channel(image, "c", 256, 1, 50.0, (255, 0, 0))
        image.add_channel(channel)
        ramp = bytes(range(256))
        for drawable in (mask, channel, image.selection):
            drawable.get_pixel_rgn(0, 0, -1, -1)[0:256, 0] = ramp
        same = [d.get_pixel_rgn(0, 0, -1, -1)[0:256, 0] == ramp for d in (mask, channel, image.selection)]
        layer.remove_mask(MASK_APPLY)
        alpha = layer.get_pixel_rgn(0, 0, -1, -1)[0:256, 0][3::4]
        return [same, alpha == ramp, pdb.gimp_selection_value(image, 77, 0)]

    assert gimp.python(body) == [[True, True, True], True, 77]


def test_every_classic_subscript_works_and_wrong_ones_raise(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 6, GRAY)
        layer = gimp.Layer(image, "x", 10, 6, GRAY_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        whole = layer.get_pixel_rgn(0, 0, 10, 6)
        whole[:, :] = bytes(range(60))
        part = layer.get_pixel_rgn(2, 1, 4, 3, False, False)
        good = [
            list(part[2, 1]),
            list(part[2, 1:4]),
            list(part[2:6, 1]),
            list(part[3:5, 2:4]),
            len(part[:, :]),
            list(part[2:, 3]),
            [part.x, part.y, part.w, part.h, part.bpp, part.rowstride, part.dirty, part.shadow],
        ]
        part[2, 1] = b"\xc8"
        part[3, 1:4] = bytearray((201, 202, 203))
        part[4:6, 1] = memoryview(bytes((204, 205)))
        good.append(list(whole[0:10, 1]))
        bad = []
        for key in ((1, 1), (6, 1), (slice(0, 7), 1), (slice(3, 3), 1), 3, ("a", 1), (slice(2, 6, 2), 1)):
            try:
                part[key]
                bad.append("none")
            except (IndexError, TypeError) as failure:
                bad.append(type(failure).__name__)
        for wrong in (b"", b"12", "x"):
            try:
                part[2, 1] = wrong
                bad.append("none")
            except TypeError as failure:
                bad.append(type(failure).__name__)
        part.resize(0, 0, -1, 2)
        return [good, bad, [part.w, part.h]]

    good, bad, resized = gimp.python(body)
    assert good[:6] == [[12], [12, 22, 32], [12, 13, 14, 15], [23, 24, 33, 34], 12, [32, 33, 34, 35]]
    assert good[6] == [2, 1, 4, 3, 1, 4, False, False]
    assert good[7] == [10, 11, 200, 201, 204, 205, 16, 17, 18, 19]
    assert bad == ["IndexError"] * 4 + ["TypeError", "TypeError", "IndexError"] + ["TypeError"] * 3
    assert resized == [10, 2]


def test_reading_sees_what_procedures_have_just_done_and_they_see_what_was_written(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(200, 150, RGB)
        layer = gimp.Layer(image, "x", 200, 150, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.fill(WHITE_FILL)
        region = layer.get_pixel_rgn(0, 0, -1, -1)
        before = list(region[100, 100])
        pdb.gimp_invert(layer)
        after = list(region[100, 100])
        region[0:200, 0:150] = bytes((10, 20, 30)) * 30000
        seen = list(layer.get_pixel(199, 149))
        copy = layer.copy()
        image.insert_layer(copy)
        return [before, after, seen, list(copy.get_pixel_rgn(0, 0, -1, -1)[199, 149])]

    assert gimp.python(body) == [[255, 255, 255], [0, 0, 0], [10, 20, 30], [10, 20, 30]]


def test_a_shadow_becomes_the_layers_pixels_when_merged_in_one_undo_step(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(70, 70, GRAY)
        layer = gimp.Layer(image, "x", 70, 70, GRAY_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.fill(WHITE_FILL)
        pdb.gimp_image_select_rectangle(image, CHANNEL_OP_REPLACE, 0, 0, 35, 70)
        shadow = layer.get_pixel_rgn(0, 0, 70, 70, True, True)
        shadow[0:70, 0:70] = bytes(4900)
        layer.flush()
        untouched = list(layer.get_pixel_rgn(0, 0, 70, 70, False)[10, 10])
        layer.merge_shadow(True)
        layer.update(0, 0, 70, 70)
        region = layer.get_pixel_rgn(0, 0, 70, 70)
        return [untouched, list(region[10, 10]), list(region[60, 10]), shadow.shadow]

    assert gimp.python(body) == [[255], [0], [255], True]


def test_tiles_are_shared_and_flushed(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(164, 134, RGB)
        layer = gimp.Layer(image, "x", 164, 134, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.fill(WHITE_FILL)
        tile, same = layer.get_tile(False, 1, 1), layer.get_tile2(False, 163, 133)
        facts = [tile.ewidth, tile.eheight, tile.bpp, tile.tile_num, len(tile), tile.shadow, gimp.tile_width()]
        tile[0] = b"\1\2\3"
        tile[35, 5] = b"\4\5\6"
        dirty, shared = tile.dirty, list(same[0])
        tile.flush()
        none = [layer.get_tile(False, 2, 0), layer.get_tile2(False, 200, 0)]
        return [
            facts,
            dirty,
            tile.dirty,
            shared,
            list(layer.get_pixel(128, 128)),
            list(layer.get_pixel(163, 133)),
            none,
        ]

    facts, dirty, clean, shared, first, last, none = gimp.python(body)
    assert facts == [36, 6, 3, 3, 216, False, 128]
    assert (dirty, clean, shared) == (True, False, [1, 2, 3])
    assert (first, last, none) == ([1, 2, 3], [4, 5, 6], [None, None])


def test_a_pixel_fetcher_knows_what_lies_beyond_the_edge(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(70, 2, RGB)
        layer = gimp.Layer(image, "x", 70, 2, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.get_pixel_rgn(0, 0, -1, -1)[0:70, 0:2] = bytes(i % 256 for i in range(420))
        fetcher = gimp.PixelFetcher(layer, False, (1.0, 0.0, 0.0), PIXEL_FETCHER_EDGE_WRAP)
        found = [list(fetcher[69, 0]), list(fetcher[-1, 0])]
        for mode in (PIXEL_FETCHER_EDGE_SMEAR, PIXEL_FETCHER_EDGE_BLACK, PIXEL_FETCHER_EDGE_BACKGROUND):
            fetcher.edge_mode = mode
            found.append(list(fetcher.get_pixel(-1, 0)))
        fetcher[69, 1] = b"\7\7\7"
        fetcher.put_pixel(500, 500, b"\7\7\7")
        return [found, list(layer.get_pixel(69, 1))]

    found, written = gimp.python(body)
    assert found == [[207, 208, 209], [207, 208, 209], [0, 1, 2], [0, 0, 0], [255, 0, 0]]
    assert written == [7, 7, 7]


def test_groups_and_text_layers_show_their_rendered_pixels(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(120, 60, RGB)
        group = gimp.GroupLayer(image, "group", 100.0, NORMAL_MODE)
        image.insert_layer(group)
        inner = gimp.Layer(image, "inner", 30, 20, RGBA_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(inner, group, 0)
        inner.set_offsets(5, 6)
        inner.get_pixel_rgn(0, 0, -1, -1)[0:30, 0:20] = bytes((9, 8, 7, 255)) * 600
        gimp.set_foreground(255, 0, 0)
        text = pdb.gimp_text_fontname(image, None, 1, 1, "II", 0, True, 40, PIXELS, "Sans")
        pixels = text.get_pixel_rgn(0, 0, -1, -1)[0 : text.width, 0 : text.height]
        reds = {tuple(pixels[i : i + 3]) for i in range(0, len(pixels), 4) if pixels[i + 3] == 255}
        region = group.get_pixel_rgn(0, 0, -1, -1)
        return [[group.width, group.height, group.offsets], list(region[0, 0]), sorted(reds), len(group.layers)]

    assert gimp.python(body) == [[30, 20, [5, 6]], [9, 8, 7, 255], [[255, 0, 0]], 1]


def test_a_drawable_that_is_gone_is_an_error_not_a_crash(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        layer = gimp.Layer(image, "x", 10, 10, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        region = layer.get_pixel_rgn(0, 0, 10, 10)
        region[0, 0] = b"\1\2\3"
        image.remove_layer(layer)
        gimp.delete(image)
        try:
            region[0, 0]
        except RuntimeError as failure:
            return str(failure)

    assert "doesn't exist any longer" in gimp.python(body)


def test_all_pixels_come_as_an_array_in_any_format(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(2, 1, RGB)
        layer = gimp.Layer(image, "x", 2, 1, RGB_IMAGE)
        image.insert_layer(layer)
        layer.get_pixel_rgn(0, 0, 2, 1)[0:2, 0] = bytes((255, 0, 0, 0, 255, 128))
        try:
            layer.get_data("no such format")
        except ValueError as failure:
            unknown = str(failure)
        default = layer.get_data()
        return [list(layer.get_data("R'G'B'A u8")), default.typecode, list(default)[:4], unknown]

    eight, code, first, unknown = gimp.python(body)
    assert eight == [255, 0, 0, 255, 0, 255, 128, 255]
    assert (code, first) == ("f", [1.0, 0.0, 0.0, 1.0])
    assert "no such format" in unknown


def test_pixels_in_the_drawables_own_format_are_read_and_written_bit_for_bit(gimp: Gimp, tmp_path: Path) -> None:
    def body(profile: str) -> Any:
        import random

        import gimpenums

        random.seed(4)
        precisions = [name for name in dir(gimpenums) if name.startswith("PRECISION_")]
        formats, wrong = {}, []
        for name in precisions:
            for base, kinds in ((RGB, (RGB_IMAGE, RGBA_IMAGE)), (GRAY, (GRAY_IMAGE, GRAYA_IMAGE))):
                for kind in kinds:
                    for with_profile in (False, True):
                        image = pdb.gimp_image_new_with_precision(40, 30, base, getattr(gimpenums, name))
                        if with_profile and base == RGB:
                            pdb.gimp_image_set_color_profile_from_file(image, profile)
                        layer = gimp.Layer(image, "x", 40, 30, kind, 100.0, NORMAL_MODE)
                        image.insert_layer(layer)
                        form = layer.format
                        formats[form] = layer.get_pixel_rgn(0, 0, 40, 30, format=form).bpp
                        region = layer.get_pixel_rgn(0, 0, 40, 30, format=form)
                        pixels = random.getrandbits(8 * 1200 * region.bpp).to_bytes(1200 * region.bpp, "little")
                        region[0:40, 0:30] = pixels
                        layer.flush()
                        copy = pdb.gimp_layer_copy(layer, False)
                        pdb.gimp_image_undo_group_start(image)
                        image.insert_layer(copy)
                        pdb.gimp_image_undo_group_end(image)
                        for one in (layer, copy):
                            if one.get_pixel_rgn(0, 0, 40, 30, format=form)[0:40, 0:30] != pixels:
                                wrong.append([form, with_profile])
                        gimp.delete(image)
        return formats, wrong

    profile = tmp_path / "swapped.icc"
    profile.write_bytes(swapped_profile())
    formats, wrong = gimp.python(body, profile.as_uri())
    sizes = {"u8": 1, "u16": 2, "u32": 4, "half": 2, "float": 4, "double": 8}
    layouts = {"R'G'B'": 3, "R'G'B'A": 4, "Y'": 1, "Y'A": 2, "RGB": 3, "RGBA": 4, "Y": 1, "YA": 2}
    if gimp.version.name != "2.10":
        layouts |= {"R~G~B~": 3, "R~G~B~A": 4, "Y~": 1, "Y~A": 2}
    assert wrong == []
    assert formats == {f"{layout} {size}": layouts[layout] * sizes[size] for layout in layouts for size in sizes}


def test_a_regions_format_may_be_any_that_there_is_and_no_other(gimp: Gimp) -> None:
    def body() -> Any:
        image = pdb.gimp_image_new_with_precision(2, 1, RGB, PRECISION_U16_GAMMA)
        layer = gimp.Layer(image, "x", 2, 1, RGBA_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        layer.get_pixel_rgn(0, 0, 2, 1, format="R'G'B'A u8")[0:2, 0] = bytes((255, 0, 51, 255, 0, 102, 0, 128))
        found = [list(layer.get_pixel_rgn(0, 0, 2, 1, format="R'G'B'A u16")[1, 0]), list(layer.get_pixel(0, 0))]
        for name in ("R'G'B'A u17", "", "\u00e4"):
            try:
                layer.get_pixel_rgn(0, 0, 2, 1, format=name)
                found.append("taken")
            except ValueError as failure:
                found.append(str(failure))
        region = layer.get_pixel_rgn(0, 0, 2, 1, format="RGBA float")
        try:
            region[0:2, 0] = bytes(8)
        except TypeError as failure:
            found.append(str(failure))
        gimp.delete(image)
        try:
            found.append(layer.format)
        except RuntimeError as failure:
            found.append(str(failure))
        return found

    native, eight, *unknown, length, gone = gimp.python(body)
    assert native == [0, 0, 102, 102, 0, 0, 128, 128]
    assert eight == [255, 0, 51, 255]
    assert unknown == ["babl has no format \"R'G'B'A u17\"", "babl has no format ''", "babl has no format '\u00e4'"]
    assert "8 bytes were assigned where 2 x 1 pixels need 32" in length
    assert gone


def test_much_more_is_moved_than_is_kept_in_memory(gimp: Gimp) -> None:
    def body() -> Any:
        from pathlib import Path

        side, rows = 8000, 250
        image = pdb.gimp_image_new_with_precision(side, side, RGB, PRECISION_U16_GAMMA)
        layer = gimp.Layer(image, "x", side, side, RGB_IMAGE, 100.0, NORMAL_MODE)
        image.insert_layer(layer)
        region = layer.get_pixel_rgn(0, 0, side, side, format=layer.format)
        # The peak so far is that of babl's start, where its cache knows many conversions.
        Path("/proc/self/clear_refs").write_text("5")
        for top in range(0, side, rows):
            region[0:side, top : top + rows] = bytes([top // rows]) * (side * rows * 6)
        layer.flush()
        same = [
            region[0:side, top : top + rows] == bytes([top // rows]) * (side * rows * 6) for top in range(0, side, rows)
        ]
        status = Path("/proc/self/status").read_text()
        return all(same), int(status.partition("VmHWM:")[2].split()[0]) // 1024

    same, peak = gimp.python(body)
    assert same
    assert peak < 320, f"{peak} MB, where the layer has 366"


def test_writing_what_is_locked_is_an_error_and_not_the_end_of_the_plug_in(gimp: Gimp) -> None:
    def body() -> Any:
        image = gimp.Image(10, 10, RGB)
        group = gimp.GroupLayer(image)
        image.insert_layer(group)
        layer = gimp.Layer(image, "inner", 10, 10, RGBA_IMAGE)
        image.insert_layer(layer, group)
        mask = layer.create_mask(ADD_WHITE_MASK)
        layer.add_mask(mask)
        found = []
        for locked in (None, layer, group):
            if locked is not None:
                locked.lock_content = True
            for drawable in (layer, mask, group):
                region = drawable.get_pixel_rgn(0, 0, 10, 10)
                try:
                    region[0, 0] = bytes(region.bpp)
                    drawable.flush()
                    found.append("written")
                except gimp.error:
                    found.append("refused")
            if locked is not None:
                locked.lock_content = False
        return found

    assert gimp.python(body) == ["written", "written", "refused", *["refused"] * 6]
