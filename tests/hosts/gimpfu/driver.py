#!/usr/bin/env python3
"""Runs test bodies inside GIMP: takes a request from the harness, runs it, and leaves the outcome (see gimp.py)."""

import __future__

import json
import os
import socket
import traceback
from contextlib import suppress
from pathlib import Path

import gimpfu
from gimpfu import gimp, main, pdb, register


def run():
    address = os.environ.get("LAYERLIFT_WINDOW_ADDRESS")
    if address:
        stay(address)
    else:
        do(Path(os.environ["LAYERLIFT_DRIVER_FOLDER"]))


def stay(address):
    """In a window: do what is asked for in this process until the harness hangs up, as each start takes a while."""
    # The key was pressed again while GIMP was starting.
    with suppress(FileNotFoundError, ConnectionError), socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        for folder in line.makefile(encoding="utf-8"):
            do(Path(folder[:-1]))


def do(folder):
    """Do what the request in the folder asks for, and leave the outcome there."""
    taken = folder / "request.taken"
    (folder / "request.json").replace(taken)
    request = json.loads(taken.read_text(encoding="utf-8"))
    names = {name: getattr(gimpfu, name) for name in gimpfu.__all__}
    try:
        exec(compile(request["source"], request["file"], "exec", __future__.annotations.compiler_flag), names)
        outcome = json.dumps({"value": names[request["function"]](*request["arguments"])})
        pdb.gimp_displays_flush()
    except Exception:  # noqa: BLE001 - the test is told of it
        outcome = json.dumps({"error": traceback.format_exc()})
    (folder / "outcome.new").write_text(outcome, encoding="utf-8")
    (folder / "outcome.new").replace(folder / "outcome.json")


def serve():
    """Do what the harness asks for until it hangs up; each request finds GIMP as if it had just been started."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["LAYERLIFT_DRIVER_ADDRESS"])
        handler = pdb.gimp_message_get_handler()
        parasites = set(gimp.parasite_list())
        for request in line.makefile(encoding="utf-8"):
            gimp.context_push()
            try:
                answer = perform(**json.loads(request))
            finally:
                gimp.context_pop()
            for image in gimp.image_list():
                gimp.delete(image)
            for name in set(gimp.parasite_list()) - parasites:
                gimp.parasite_detach(name)
            pdb.gimp_message_set_handler(handler)
            line.sendall(json.dumps(answer).encode() + b"\n")


def perform(procedure="", script=""):
    """Call a procedure, or run a Script-Fu command; what it fails with."""
    try:
        if procedure:
            pdb[procedure]()
        else:
            pdb.plug_in_script_fu_eval(script)
    except RuntimeError as failure:
        return str(failure)
    return ""


def leave():
    gimp.exit(True)


ABOUT = ("Drive GIMP in tests", "Drive GIMP in tests", "Layerlift", "GPL-3.0-or-later", "2026")
register("layerlift-driver", *ABOUT, "Driver", "", [], [], run, menu="<Image>/Filters")
register("layerlift-driver-serve", *ABOUT, None, None, [], [], serve)
register("layerlift-driver-quit", *ABOUT, "Driver Quit", "", [], [], leave, menu="<Image>/Filters")
main()
