#!/usr/bin/env python3

# ruff: noqa: F403, F405 - classic sources import everything
"""A procedure with a parameter of every PF_ kind; leaves the values that it was called with in GIMP's data."""

from gimpfu import *


def every_kind(image, drawable, *values):
    gimp.set_data("every-kind", repr(values))


register(
    "every_kind",
    "One parameter of every kind: change what you like, then look at what arrives.",
    "", "Layerlift", "GPL-3.0-or-later", "2026", "_Every Kind...", "*",
    [
        (PF_IMAGE, "image", "Image", None),
        (PF_DRAWABLE, "drawable", "Drawable", None),
        (PF_INT8, "int8", "Int_8", 200),
        (PF_INT16, "int16", "Int1_6", -5),
        (PF_INT32, "int32", "Int_32", 70000),
        (PF_FLOAT, "float", "_Float", 0.125),
        (PF_STRING, "string", "_String", "Gr\u00fc\u00dfe"),
        (PF_TEXT, "text", "_Text", "two\nlines"),
        (PF_COLOR, "color", "_Color", (255, 128, 0)),
        (PF_TOGGLE, "toggle", "To_ggle", True),
        (PF_SLIDER, "slider", "S_lider", 0.5, (0, 1, 0.05)),
        (PF_SPINNER, "spinner", "S_pinner", 7, (1, 50, 1)),
        (PF_RADIO, "radio", "Radio", "b", (("First", "a"), ("Second", "b"))),
        (PF_OPTION, "option", "_Option", 1, ("Zero", "One", "Two")),
        (PF_FONT, "font", "Fo_nt", "Sans"),
        (PF_BRUSH, "brush", "_Brush", "2. Hardness 050"),
        (PF_PATTERN, "pattern", "P_attern", "Pine"),
        (PF_GRADIENT, "gradient", "Gra_dient", "FG to BG (RGB)"),
        (PF_PALETTE, "palette", "Palette", "Web"),
        (PF_FILE, "file", "File", "/etc/passwd"),
        (PF_FILENAME, "filename", "Filename", "/tmp/new.txt"),
        (PF_DIRNAME, "dirname", "Dirname", "/usr"),
        (PF_ITEM, "item", "Item", None),
        (PF_DISPLAY, "display", "Display", None),
        (PF_IMAGE, "other-image", "Image", None),
        (PF_LAYER, "layer", "Layer", None),
        (PF_CHANNEL, "channel", "Channel", None),
        (PF_DRAWABLE, "other-drawable", "Drawable", None),
        (PF_VECTORS, "vectors", "Vectors", None),
    ],
    [], every_kind, menu="<Image>/Filters/Tests",
)  # fmt: skip

main()
