"""Layers that are special in some way, made and measured inside Krita.

`CASES` maps a case's name to the function that makes the layer.
"""

import struct

import krita
from charts import *
from kinds import FOLDER, everything, grouped, masked
from layerlift_driver.scripting import *

# A profile whose file is there.
SWAPPED = "swap built-in"
CASES = {}


def case(function):
    """Adds a case under the function's name."""
    CASES[function.__name__] = function
    return function


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
    found = yield from measured(document, node, turned)
    yield from close(document)
    return found


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
