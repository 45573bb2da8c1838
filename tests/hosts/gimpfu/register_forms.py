#!/usr/bin/env python3

# ruff: noqa: F403, F405 - classic sources import everything
"""Procedures declared in every classic form, and how each answers."""

import os
from pathlib import Path

from gimpfu import *

ABOUT = ("Blurb", "Help", "Author", "Copyright", "2026")


def note(text):
    with (Path(os.environ["LAYERLIFT_DRIVER_FOLDER"]) / "notes.txt").open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def add(one, two):
    return one + two


def swap(image, drawable, text, number):
    return number, text + "!"


def several():
    return gimp.image_list()[0], (255, 0, 0), 2.5, 3, [1, 2, 3]


def short():
    return 1


def fails():
    fail("Nothing to do: the layer is empty.")


def breaks():
    raise ValueError("a bug in the plug-in")


def gives_up():
    raise CancelError("changed my mind")


def leaves():
    raise SystemExit(3)


def catches(image):
    try:
        pdb.gimp_image_resize(image, -5, -5, 0, 0)
    except RuntimeError as failure:
        return f"caught: {failure}"


def choose(radio, toggle, color, fraction):
    return repr((radio, toggle, tuple(color), fraction))


def bare(text):
    return text * 2


def drawn(image, drawable):
    drawable.fill(FILL_WHITE)


# Whole menu path as label: image and drawable come by themselves, and the prefix too.
register(
    "forms_old_style",
    *ABOUT,
    "<Image>/Filters/Tests/Old Style",
    "*",
    [(PF_STRING, "text", "Text", "a"), (PF_INT, "number", "Number", 1)],
    [(PF_INT, "number", "Number"), (PF_STRING, "text", "Text")],
    swap,
)
register(
    "forms_toolbox",
    *ABOUT,
    "<Toolbox>/Xtns/Forms Toolbox",
    "",
    [(PF_INT, "one", "1", 1), (PF_INT, "two", "2", 2)],
    [(PF_INT, "sum", "Sum")],
    add,
)
# By position and by keyword, with menu=.
register(
    "python_fu_forms_menu",
    *ABOUT,
    "Forms Menu",
    "RGB*",
    [(PF_IMAGE, "image", "Image", None), (PF_DRAWABLE, "drawable", "Drawable", None)],
    [],
    drawn,
    "<Image>/Filters/Tests",
)
register(
    proc_name="plug-in-forms-keyword",
    blurb="Blurb",
    help="Help",
    author="Author",
    copyright="Copyright",
    date="2026",
    label="Forms Keyword",
    imagetypes="",
    params=[(PF_FLOAT, "one", "1", 1.0), (PF_FLOAT, "two", "2", 2.0)],
    results=[(PF_FLOAT, "sum", "Sum")],
    function=add,
    menu="<Image>/Filters/Tests",
    on_query=lambda: note("on_query"),
)
# Without a menu, without a label, without a run mode.
register("forms_no_menu", *ABOUT, "No menu", "", [], [(PF_INT, "one", "1")], short)
register(
    "forms_bare",
    *ABOUT,
    None,
    None,
    [(PF_STRING, "text", "Text", "")],
    [(PF_STRING, "text", "Text")],
    bare,
    run_mode_param=False,
)
register(
    "forms_several",
    *ABOUT,
    None,
    None,
    [],
    [
        (PF_IMAGE, "image", ""),
        (PF_COLOR, "color", ""),
        (PF_FLOAT, "float", ""),
        (PF_INT32, "count", ""),
        (PDB_INT32ARRAY, "numbers", ""),
    ],
    several,
)
register("forms_short", *ABOUT, None, None, [], [(PF_INT, "one", "1"), (PF_INT, "two", "2")], short)
register(
    "forms_choose",
    *ABOUT,
    None,
    None,
    [
        (PF_RADIO, "radio", "Radio", 0, (("None", 0), ("One", 1))),
        (PF_TOGGLE, "toggle", "Toggle", True),
        (PF_COLOR, "color", "Color", "red"),
        (PF_SPINNER, "fraction", "Fraction", 0.5, (0, 1, 0.25)),
    ],
    [(PF_STRING, "text", "")],
    choose,
)
for function in (fails, breaks, gives_up, leaves):
    register(
        "forms_" + function.__name__,
        *ABOUT,
        "Forms " + function.__name__,
        "",
        [],
        [],
        function,
        menu="<Image>/Filters/Tests",
    )
register("forms_catches", *ABOUT, None, None, [(PF_IMAGE, "image", "Image", None)], [(PF_STRING, "text", "")], catches)

main()
