"""Layers of every kind that show the chart: those of the matrix (see krita_matrix.py), made inside Krita."""

import functools
import os

import krita
from charts import *
from layerlift_driver.scripting import *

FILL_COLUMN = 3
FOLDER = Path(os.environ["LAYERLIFT_DRIVER_FOLDER"])


def part(data, left, width):
    """Some columns of the chart's pixels."""
    size = len(data) // (WIDTH * HEIGHT)
    rows = (data[(y * WIDTH + left) * size : (y * WIDTH + left + width) * size] for y in range(HEIGHT))
    return b"".join(rows)


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
    # Krita draws the shapes a while later.
    left, top, right, bottom = (
        max(x, 0),
        max(y, 0),
        min(x + WIDTH, document.width()),
        min(y + HEIGHT, document.height()),
    )
    yield lambda: is_opaque(layer, left, top, right - left, bottom - top)
    return layer


def is_opaque(layer, x, y, width, height):
    data = pixels(layer, x, y, width, height)
    size = len(data) // (width * height)
    return all(data[size - 1 :: size])


def cloned(document, data, x, y):
    source = yield from painted(document, data, x - 3, y - 2, name="source")
    layer = document.createCloneLayer("photo", source)
    layer.move(3, 2)
    yield from add(document, layer)
    return layer


@functools.cache
def chart_file(gray):
    """The path of a picture of the chart."""
    scratch = k.createDocument(WIDTH, HEIGHT, "chart", *SRGB, 72.0)
    scratch.setBatchmode(True)
    scratch.topLevelNodes()[0].setPixelData(chart(gray), 0, 0, WIDTH, HEIGHT)
    scratch.refreshProjection()
    scratch.waitForDone()
    path = str(FOLDER / f"{'gray' if gray else 'colour'}.png")
    scratch.exportImage(path, krita.InfoObject())
    scratch.setModified(False)
    scratch.close()
    return path


def from_file(document, data, x, y):
    layer = document.createFileLayer("photo", chart_file(document.colorModel() == "GRAYA"), "None")
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
    yield lambda: is_opaque(layer, 0, 0, document.width(), document.height())
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


def cell(of, canvas, place):
    """A layer of the matrix."""
    document = yield from blank_document(of["model"], of["depth"], "", canvas)
    gray = of["model"] == "GRAYA" or of["layer"] == "filtered"
    data = native(*space(document), gray)
    node = yield from LAYERS[of["layer"]](document, data, *place)
    return (yield from measured(document, node, data, result=of["result"]))
