#!/usr/bin/env python3
"""Runs test bodies inside GIMP: takes a request from the harness, runs it, and leaves the outcome (see gimp.py)."""
import __future__
import json
import os
import traceback

import gimpfu
from gimpfu import gimp, main, register

FOLDER = "LAYERLIFT_DRIVER_FOLDER"


def run():
    folder = os.environ[FOLDER]
    taken = os.path.join(folder, "request.taken")
    try:
        os.replace(os.path.join(folder, "request.json"), taken)
    except FileNotFoundError:
        return  # the key was pressed again while GIMP was starting
    with open(taken, encoding="utf-8") as file:
        request = json.load(file)
    names = {name: getattr(gimpfu, name) for name in gimpfu.__all__}
    try:
        flags = __future__.annotations.compiler_flag
        exec(compile(request["source"], request["file"], "exec", flags), names)
        outcome = {"value": names[request["function"]](*request["arguments"])}
    except Exception:
        outcome = {"error": traceback.format_exc()}
    path = os.path.join(folder, "outcome.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    os.replace(path + ".new", path)


def leave():
    gimp.exit(True)


ABOUT = ("Drive GIMP in tests", "Drive GIMP in tests", "Layerlift", "GPL-3.0-or-later", "2026")
register("layerlift-driver", *ABOUT, "Driver", "", [], [], run, menu="<Image>/Filters")
register("layerlift-driver-quit", *ABOUT, "Driver Quit", "", [], [], leave, menu="<Image>/Filters")
main()
