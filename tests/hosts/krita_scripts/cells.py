"""Layers that show a chart, or are special in some way, made and measured inside Krita.

`cell` makes those of the matrix (see krita_matrix.py); `CASES` maps the others' names to the functions that make them.

The chart is made of flat 16 px blocks whose luma is one of six levels, so that the test service's luma key gives each
block an exactly known alpha.
"""

import base64
import os
import struct

import krita
from layerlift_driver.scripting import *
from removals import ended, remove, state

BLOCK = 16
COLUMNS, ROWS = 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
# Luma 255 - 51 k in every column; the rows differ in hue, which leaves the luma alone. Where red and blue were
# exchanged, the strong tints would get the next level.
TINTS = ((0, 0, 0), (10, 0, -26), (-10, 0, 26))
STRONG = ((0, 0, 0), (72, -16, -102), (-72, 16, 102))
DIM = 191
SRGB = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
FORMATS = {"U8": "B", "U16": "H", "F16": "e", "F32": "f"}
CHANNELS = {"GRAYA": 2, "RGBA": 4, "CMYKA": 5, "LABA": 4, "XYZA": 4, "YCbCrA": 4}
FILL_COLUMN = 3
FOLDER = Path(os.environ["LAYERLIFT_DRIVER_FOLDER"])
# A profile whose file is there.
SWAPPED = "swap built-in"
DEFAULTS = {"result": "alpha", "clean_edges": "false", "hide_original": "true"}


def colour(column, row, gray):
    """A block's colour, 0 to 255."""
    level = 255 - 51 * column
    tints = STRONG if column in (2, 3) else TINTS
    tint = tints[row] if 0 < column < COLUMNS - 1 and not gray else (0, 0, 0)
    return tuple(min(255, max(0, level + part)) for part in tint)


def chart(gray):
    """The chart's pixels in 8-bit sRGB."""
    rows = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            red, green, blue = colour(x // BLOCK, y // BLOCK, gray)
            rows += bytes((blue, green, red, 255))
    return bytes(rows)


def native(model, depth, profile, gray):
    """The chart in a colour space, with its hues or in neutral gray; what has more than 8 bits is not on their grid."""
    scratch = k.createDocument(WIDTH, HEIGHT, "chart", *SRGB, 72.0)
    node = scratch.createNode("chart", "paintlayer")
    node.setPixelData(chart(gray), 0, 0, WIDTH, HEIGHT)
    node.setColorSpace(model, depth, profile)
    data = bytes(node.pixelData(0, 0, WIDTH, HEIGHT))
    scratch.waitForDone()
    scratch.setModified(False)
    scratch.close()
    if depth == "U8":
        return data
    form = f"{len(data) // struct.calcsize(FORMATS[depth])}{FORMATS[depth]}"
    samples = list(struct.unpack(form, data))
    channels = CHANNELS[model]
    for place, sample in enumerate(samples):
        if place % channels < channels - 1:
            step = place // channels % 7
            samples[place] = min(65535, sample + step) if depth == "U16" else sample * (1 + step / 512)
    return struct.pack(form, *samples)


def part(data, left, width):
    """Some columns of the chart's pixels."""
    size = len(data) // (WIDTH * HEIGHT)
    rows = (data[(y * WIDTH + left) * size : (y * WIDTH + left + width) * size] for y in range(HEIGHT))
    return b"".join(rows)


def painted(document, data, x, y, parent=None, name="photo"):
    node = document.createNode(name, "paintlayer")
    node.setPixelData(data, x, y, WIDTH, HEIGHT)
    yield from add(document, node, parent)
    return node


def grouped(document, data, x, y):
    group = document.createGroupLayer("photo")
    yield from add(document, group)
    half = WIDTH // 2
    for left in (0, half):
        child = document.createNode("half", "paintlayer")
        child.setPixelData(part(data, left, half), x + left, y, half, HEIGHT)
        yield from add(document, child, group)
    return group


def vector(document, data, x, y):
    layer = document.createVectorLayer("photo")
    yield from add(document, layer)
    squares = []
    gray = document.colorModel() == "GRAYA"
    for row in range(ROWS):
        for column in range(COLUMNS):
            place = f'x="{x + column * BLOCK}" y="{y + row * BLOCK}" width="{BLOCK}" height="{BLOCK}"'
            squares.append(f'<rect {place} fill="rgb{colour(column, row, gray)}" stroke="none"/>')
    size = f'width="{document.width()}pt" height="{document.height()}pt"'
    view = f'viewBox="0 0 {document.width()} {document.height()}"'
    layer.addShapesFromSvg(f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>{"".join(squares)}</svg>')
    # Krita draws the shapes a while later, from the first to the last.
    right, bottom = min(x + WIDTH, document.width()) - 1, min(y + HEIGHT, document.height()) - 1
    yield lambda: is_opaque(layer, right, bottom)
    return layer


def is_opaque(layer, x, y):
    return pixels(layer, x, y, 1, 1)[-1:] > b"\0"


def cloned(document, data, x, y):
    source = yield from painted(document, data, x - 3, y - 2, name="source")
    layer = document.createCloneLayer("photo", source)
    layer.move(3, 2)
    yield from add(document, layer)
    return layer


def from_file(document, data, x, y):
    scratch = k.createDocument(WIDTH, HEIGHT, "chart", *SRGB, 72.0)
    scratch.setBatchmode(True)
    scratch.topLevelNodes()[0].setPixelData(chart(document.colorModel() == "GRAYA"), 0, 0, WIDTH, HEIGHT)
    scratch.refreshProjection()
    scratch.waitForDone()
    path = FOLDER / "chart.png"
    scratch.exportImage(str(path), krita.InfoObject())
    scratch.setModified(False)
    scratch.close()
    layer = document.createFileLayer("photo", str(path), "None")
    yield from add(document, layer)
    yield lambda: layer.bounds().width() == WIDTH
    layer.move(x, y)
    return layer


def filled(document, data, x, y):
    level = 255 - 51 * FILL_COLUMN
    color = krita.InfoObject()
    color.setProperty("color", f"#{level:02x}{level:02x}{level:02x}")
    layer = document.createFillLayer("photo", "color", color, everything(document))
    yield from add(document, layer)
    # Krita fills it a while later.
    yield lambda: is_opaque(layer, document.width() - 1, document.height() - 1)
    return layer


def everything(document):
    selection = krita.Selection()
    selection.select(0, 0, document.width(), document.height(), 255)
    return selection


def masked(document, data, x, y):
    """With a transparency mask that is `DIM` in its right half."""
    node = yield from painted(document, data, x, y)
    selection = krita.Selection()
    selection.select(x, y, WIDTH, HEIGHT, 255)
    selection.select(x + WIDTH // 2, y, WIDTH // 2, HEIGHT, DIM)
    document.setSelection(selection)
    yield from settle(document)
    k.action("add_new_transparency_mask").trigger()
    yield lambda: node.childNodes()
    document.setSelection(None)
    yield from settle(document)
    return node


def filtered(document, data, x, y):
    """With a filter mask that inverts the colours."""
    node = yield from painted(document, data, x, y)
    mask = document.createFilterMask("inverted", k.filter("invert"), everything(document))
    yield from add(document, mask, node)
    return node


def in_a_group(document, data, x, y):
    group = document.createGroupLayer("group")
    group.setOpacity(128)
    yield from add(document, group)
    return (yield from painted(document, data, x, y, group))


def blended(document, data, x, y):
    node = yield from painted(document, data, x, y)
    node.setOpacity(102)
    node.setBlendingMode("multiply")
    return node


LAYERS = {
    "paint": painted,
    "group": grouped,
    "vector": vector,
    "clone": cloned,
    "file": from_file,
    "fill": filled,
    "masked": masked,
    "filtered": filtered,
    "in a group": in_a_group,
    "opacity and mode": blended,
}


def case(function):
    """Adds a case under the function's name."""
    CASES[function.__name__] = function
    return function


CASES = {}


def chart_document(model="RGBA", depth="U8", profile="", canvas=(WIDTH, HEIGHT)):
    """A new document, and the chart in its colour space."""
    document = yield from new_document(*canvas, model, depth, profile)
    return document, native(*space(document), model == "GRAYA")


def space(one):
    return one.colorModel(), one.colorDepth(), one.colorProfile()


@case
def existing_alpha():
    document, data = yield from chart_document()
    dim = (at // 4 % WIDTH >= WIDTH // 2 for at in range(0, len(data), 4))
    data = b"".join(data[4 * at : 4 * at + 3] + bytes([DIM if half else 255]) for at, half in enumerate(dim))
    node = yield from painted(document, data, 0, 0)
    return (yield from measured(document, node, data))


@case
def light_beyond_white_and_below_black():
    document, data = yield from chart_document(depth="F32")
    samples = list(struct.unpack(f"{len(data) // 4}f", data))
    for at, sample in enumerate(samples):
        if at % 4 < 3:
            samples[at] = 4.0 if sample >= 1 else -0.25 if sample < 0.001 else sample
    data = struct.pack(f"{len(samples)}f", *samples)
    node = yield from painted(document, data, 0, 0)
    return (yield from measured(document, node, data))


@case
def profile_with_red_and_blue_swapped():
    k.addProfile(str(FOLDER / "swapped.icc"))
    document, data = yield from chart_document(profile=SWAPPED)
    node = yield from painted(document, data, 0, 0)
    found = yield from measured(document, node, data)
    found["profile"] = found["before"]["space"][2]
    return found


@case
def original_stays_visible():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 0, 0)
    return (yield from measured(document, node, data, hide_original="false"))


@case
def hidden_layer():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 0, 0)
    node.setVisible(False)
    return (yield from measured(document, node, data))


@case
def locked_layer():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 0, 0)
    node.setLocked(True)
    node.setAlphaLocked(True)
    return (yield from measured(document, node, data))


@case
def layer_that_inherits_alpha():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 0, 0)
    node.setInheritAlpha(True)
    return (yield from measured(document, node, data))


@case
def group_that_passes_through():
    document, data = yield from chart_document()
    group = yield from grouped(document, data, 0, 0)
    group.setPassThroughMode(True)
    return (yield from refused(document, group))


@case
def group_in_a_group():
    document, data = yield from chart_document(canvas=(300, 200))
    group = document.createGroupLayer("outer")
    yield from add(document, group)
    inner = document.createGroupLayer("photo")
    yield from add(document, inner, group)
    yield from painted(document, data, 40, 30, inner)
    return (yield from measured(document, inner, data))


@case
def animated_layer():
    document, data = yield from chart_document()
    document.setFullClipRangeEndTime(10)
    node = yield from painted(document, data, 0, 0)
    node.enableAnimation()
    document.setCurrentTime(5)
    yield from activate(document, node)
    k.action("add_duplicate_frame").trigger()
    yield lambda: node.hasKeyframeAtTime(5)
    yield from settle(document)
    turned = b"".join(data[at : at + 4] for at in range(len(data) - 4, -1, -4))
    yield from paint(document, node, turned, 0, 0, WIDTH, HEIGHT)
    return (yield from measured(document, node, turned))


@case
def layer_of_another_colour_space_than_the_image():
    document, _ = yield from chart_document()
    node = document.createNode("photo", "paintlayer")
    node.setColorSpace("GRAYA", "U16", "Gray-D50-elle-V2-srgbtrc.icc")
    data = native(*space(node), gray=True)
    node.setPixelData(data, 0, 0, WIDTH, HEIGHT)
    yield from add(document, node)
    return (yield from measured(document, node, data))


@case
def xyza_f32():
    return (yield from plain("XYZA", "F32"))


@case
def ycbcra_u16():
    # Which of its profiles is the default differs from start to start.
    return (yield from plain("YCbCrA", "U16", "ITU-R BT.709-6 YCbCr ICC V4 profile"))


@case
def clean_edges_rgba_u8():
    return (yield from plain("RGBA", "U8", clean_edges="true"))


@case
def clean_edges_rgba_u16():
    return (yield from plain("RGBA", "U16", clean_edges="true"))


@case
def clean_edges_rgba_f16():
    return (yield from plain("RGBA", "F16", clean_edges="true"))


@case
def clean_edges_rgba_f32():
    return (yield from plain("RGBA", "F32", clean_edges="true"))


@case
def clean_edges_graya_u16():
    return (yield from plain("GRAYA", "U16", clean_edges="true"))


@case
def clean_edges_cmyka_u8():
    return (yield from plain("CMYKA", "U8", clean_edges="true"))


@case
def clean_edges_laba_f32():
    return (yield from plain("LABA", "F32", clean_edges="true"))


def plain(model, depth, profile="", **settings):
    document, data = yield from chart_document(model, depth, profile)
    node = yield from painted(document, data, 0, 0)
    return (yield from measured(document, node, data, **settings))


@case
def selection_is_left_alone():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 0, 0)
    selection = krita.Selection()
    selection.select(3, 4, 10, 11, 200)
    document.setSelection(selection)
    yield from settle(document)
    found = yield from measured(document, node, data)
    kept = document.selection()
    found["selection"] = [kept.x(), kept.y(), kept.width(), kept.height(), bytes(kept.pixelData(3, 4, 1, 1)).hex()]
    yield from close(document)
    return found


@case
def one_pixel():
    return (yield from strip(1, 1))


@case
def very_long_and_narrow():
    return (yield from strip(30000, 20))


def strip(width, height):
    """A dark layer of an unusual size."""
    document = yield from new_document(width, height)
    node = document.createNode("strip", "paintlayer")
    node.setPixelData(b"\0\0\0\xff" * (width * height), 0, 0, width, height)
    yield from add(document, node)
    cutout, told = yield from removed(document, node)
    bounds = cutout.bounds()
    alphas = sorted(set(bytes(cutout.pixelData(0, 0, width, height))[3::4]))
    return {"size": [bounds.width(), bounds.height()], "alphas": alphas, "told": told}


@case
def empty_layer():
    document = yield from new_document(64, 48)
    node = yield from add(document, document.createNode("nothing", "paintlayer"))
    return (yield from refused(document, node))


@case
def transparent_layer():
    document = yield from new_document(64, 48)
    node = document.createNode("nothing", "paintlayer")
    node.setPixelData(b"\xff\xff\xff\0" * (64 * 48), 0, 0, 64, 48)
    yield from add(document, node)
    return (yield from refused(document, node))


@case
def layer_outside_of_the_canvas():
    document, data = yield from chart_document()
    node = yield from painted(document, data, 500, 500)
    return (yield from refused(document, node))


@case
def picture_without_a_subject():
    document = yield from new_document(64, 48)
    node = document.createNode("white", "paintlayer")
    node.setPixelData(b"\xff\xff\xff\xff" * (64 * 48), 0, 0, 64, 48)
    yield from add(document, node)
    return (yield from refused(document, node))


@case
def filter_layer():
    document = yield from new_document(64, 48)
    node = document.createFilterLayer("inverted", k.filter("invert"), everything(document))
    yield from add(document, node)
    return (yield from refused(document, node))


@case
def mask_that_is_active():
    document, data = yield from chart_document()
    node = yield from masked(document, data, 0, 0)
    (mask,) = node.childNodes()
    yield from activate(document, mask)
    return (yield from refused(document, mask))


def cell(of, canvas, place):
    """A layer of the matrix."""
    document = yield from new_document(*canvas, of["model"], of["depth"])
    gray = of["model"] == "GRAYA" or of["layer"] == "filtered"
    data = native(*space(document), gray)
    node = yield from LAYERS[of["layer"]](document, data, *place)
    return (yield from measured(document, node, data, result=of["result"]))


def removed(document, node, **settings):
    """Run the plug-in on a layer; the new layer, or None, and what a box told."""
    for name, value in {**DEFAULTS, **settings}.items():
        k.writeSetting("layerlift", name, value)
    there = siblings(node)
    remove()
    told, _ = yield from ended()
    new = [other for other in node.parentNode().childNodes() if other.uniqueId() not in there]
    return (new[0] if new else None), told


def refused(document, node):
    """What the plug-in tells where it can't do anything, and that it left the document alone."""
    yield from activate(document, node)
    before = state(document)
    cutout, told = yield from removed(document, node)
    return {"told": told, "new": cutout is not None, "same": state(document) == before}


def measured(document, node, data, **settings):
    """Run the plug-in on a layer, undo and redo; describe what became of it, in JSON's types."""
    yield from settle(document)
    # If the plug-in makes more than one undo step, this layer is still there after two of them.
    yield from add(document, document.createNode("marker", "paintlayer"))
    yield from activate(document, node)
    bounds = node.bounds().intersected(document.bounds())
    area = (bounds.x(), bounds.y(), bounds.width(), bounds.height())
    before, whole, visible = described(node), ids(document), node.visible()
    shown, own = pixels(node, *area), bytes(node.pixelData(*area))
    cutout, told = yield from removed(document, node, **settings)
    if cutout is None:
        raise RuntimeError(told)
    hidden = not node.visible()
    found = {
        "area": area,
        "chart": text(data),
        "shown": text(shown),
        "before": before,
        "original": described(node),
        "original kept": bytes(node.pixelData(*area)) == own and pixels(node, *area) == shown,
        "cut-out": described(cutout),
        "pixels": text(cutout.pixelData(*area)),
        "whole": text(pixels(cutout, *area)),
        "masks": [text(mask.pixelData(*area)) for mask in cutout.childNodes()],
        "new": [one for one in ids(document) if one not in whole],
        "place": siblings(node).index(cutout.uniqueId()) - siblings(node).index(node.uniqueId()),
        "told": told,
    }
    after = ids(document)
    yield from undo(document)
    yield lambda: node.visible() == visible
    found["undone"] = ids(document) == whole
    yield from redo(document)
    yield lambda: node.visible() != hidden
    found["redone"] = ids(document) == after
    again = [other for other in node.parentNode().childNodes() if other.uniqueId() == cutout.uniqueId()]
    found["redone pixels"] = [bytes(pixels(other, *area)) for other in again] == [bytes(pixels(cutout, *area))]
    yield from undo(document)
    yield from undo(document)
    found["one step"] = [one for one in whole if one not in ids(document)]
    return found


def text(data):
    """Bytes in JSON."""
    return base64.b64encode(bytes(data)).decode()


def described(node):
    """What a layer is, but its pixels."""
    bounds = node.bounds()
    return {
        "name": node.name(),
        "type": node.type(),
        "space": space(node),
        "bounds": [bounds.x(), bounds.y(), bounds.width(), bounds.height()],
        "opacity": node.opacity(),
        "mode": node.blendingMode(),
        "visible": node.visible(),
        "parent": node.parentNode().uniqueId().toString(),
    }


def siblings(node):
    return [other.uniqueId() for other in node.parentNode().childNodes()]


def ids(document):
    """Every node of a document: its id and name."""

    def below(node):
        for child in node.childNodes():
            yield [child.uniqueId().toString(), child.name()]
            yield from below(child)

    return list(below(document.rootNode()))
