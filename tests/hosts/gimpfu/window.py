#!/usr/bin/env python3

# ruff: noqa: F403, F405 - classic sources import everything
"""A window of a plug-in's own: what it reads, changes and hears of while it is shown."""

from pathlib import Path
from threading import Event

from gimpfu import *
from gimpui import Form


def note(*values):
    gimp.set_data("window", repr(values))


def show():
    def greet(form):
        name = form["name"]
        form["greeting"] = form.call(lambda: f"Hello, {name}!")
        # No picture, and shown as one that is broken: what counts is that it stays.
        form["face"] = __file__
        note(form["greeting"])

    def break_down(form):
        raise ValueError("the button has broken down")

    def wait(form):
        note("waiting")
        form.call(Event().wait)

    def take(answer):
        if form["name"] == "slow":
            wait(form)
        if not form["sure"]:
            form.say("Be sure first.")
            return False
        note(
            answer,
            form["name"],
            form["secret"],
            form["greeting"],
            form["size"],
            form["count"],
            Path(form["face"]).name,
            heard,
        )
        return True

    heard = []
    rows = [
        (PF_STRING, "name", "_Name:", "you"),
        (PF_PASSWORD, "secret", "S_ecret:", ""),
        (PF_OPTION, "size", "Si_ze:", 1, ["small", "large"], "How large it is"),
        (PF_SPINNER, "count", "Co_unt:", 3, (1, 9, 1)),
        (PF_TOGGLE, "sure", "_Sure", False),
        (PF_BUTTON, "greet", "_Greet", greet),
        (PF_BUTTON, "break", "_Break", break_down),
        (PF_BUTTON, "wait", "_Wait", wait),
        (PF_LABEL, "greeting", "Greeting:", ""),
        (PF_PICTURE, "face", "", ""),
    ]
    form = Form("A Window", rows, {"take": "_Take", "other": "_Other"}, default="take")
    form.enable("size", False)
    form.on_show(lambda form: heard.append("shown"))
    form.on_change(lambda form: heard.append(form["sure"]))
    if form.run(take) is None:
        note(None)


register(
    "window", "A window", "A window of a plug-in's own", "Tests", "Tests", "2026", "A _Window...", "", [], [], show,
    menu="<Image>/Filters",
)  # fmt: skip
main()
