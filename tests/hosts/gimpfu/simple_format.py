#!/usr/bin/env python3

# ruff: noqa: F403, F405 - classic sources import everything
"""A file format of one line, loaded and written by classic functions."""

from pathlib import Path

from gimpfu import *

ABOUT = ("One line for a picture", "", "Layerlift", "GPL-3.0-or-later", "2026")
NAMES = [(PF_STRING, "filename", "The file's name", None), (PF_STRING, "raw-filename", "The file's name", None)]


def load(filename, raw_filename):
    width, height = (int(word) for word in Path(filename).read_text().split()[1:3])
    image = gimp.Image(width, height, RGB)
    image.insert_layer(gimp.Layer(image, "picture", width, height, RGB_IMAGE))
    image.filename = filename
    return image


def save(image, drawable, filename, raw_filename, note):
    Path(filename).write_text(f"simple {image.width} {image.height} {drawable.name} {note}")


register(
    "file-simple-load", *ABOUT, "Simple picture", "", NAMES, [(PF_IMAGE, "image", "The image")], load, menu="<Load>",
    on_query=lambda: gimp.register_load_handler("file-simple-load", "simple", ""),
)  # fmt: skip
register(
    "file-simple-save", *ABOUT, "Simple picture", "*",
    [(PF_IMAGE, "image", "", None), (PF_DRAWABLE, "drawable", "", None), *NAMES, (PF_STRING, "note", "_Note", "none")],
    [], save, menu="<Save>",
    on_query=lambda: gimp.register_save_handler("file-simple-save", "simple", ""),
)  # fmt: skip

main()
