"""The chart that layers show, and how the plug-in's work on one is measured, inside Krita.

The chart is made of flat 16 px blocks whose luma is one of six levels, so that the test service's luma key gives each
block an exactly known alpha.
"""

import base64
import functools
import struct

from layerlift_driver.scripting import *
from removals import ended, remove, state

BLOCK = 16
COLUMNS, ROWS = 6, 3
WIDTH, HEIGHT = COLUMNS * BLOCK, ROWS * BLOCK
# Luma 255 - 51 k in every column; the rows differ in hue, which leaves the luma alone. Where red and blue were
# exchanged, the strong tints would get the next level.
TINTS = ((0, 0, 0), (10, 0, -26), (-10, 0, 26))
STRONG = ((0, 0, 0), (72, -16, -102), (-72, 16, 102))
# An alpha that leaves the luma of the three darkest columns, on white, well within a level: 51 k becomes 38.2 k.
DIM = 191
SRGB = ("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
FORMATS = {"U8": "B", "U16": "H", "F16": "e", "F32": "f"}
CHANNELS = {"GRAYA": 2, "RGBA": 4, "CMYKA": 5, "LABA": 4, "XYZA": 4, "YCbCrA": 4}
LAST = {}
"""The document that was asked for last, by what was asked for."""
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


@functools.cache
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


def painted(document, data, x, y, parent=None, name="photo"):
    node = document.createNode(name, "paintlayer")
    node.setPixelData(data, x, y, WIDTH, HEIGHT)
    yield from add(document, node, parent)
    return node


def chart_document(model="RGBA", depth="U8", profile="", canvas=(WIDTH, HEIGHT)):
    """A document with its one layer, and the chart in its colour space."""
    document = yield from blank_document(model, depth, profile, canvas)
    return document, native(*space(document), model == "GRAYA")


def blank_document(model, depth, profile, canvas):
    """A document with its one layer, which is white. The last one serves again where the same is asked for: Krita takes
    longer to open and close a document than to cut a layer out."""
    asked = (model, depth, profile, tuple(canvas))
    document = LAST.get(asked)
    if document is None or k.activeDocument() != document:
        document = yield from new_document(*canvas, model, depth, profile)
        LAST.clear()
        LAST[asked] = document
    else:
        background, *others = document.topLevelNodes()
        for node in reversed(others):
            node.remove()
        yield from settle(document)
        yield from activate(document, background)
    return document


def space(one):
    return one.colorModel(), one.colorDepth(), one.colorProfile()


def removed(document, node, **settings):
    """Run the plug-in on a layer; the new layer, or None, and what a box told."""
    for name, value in {**DEFAULTS, **settings}.items():
        k.writeSetting("layerlift", name, value)
    there = siblings(node)
    # What is greyed in the menu nobody can choose, and Krita 5 would still do here.
    yield (lambda: k.action("layerlift_remove").isEnabled()), 10
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
