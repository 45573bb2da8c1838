"""What a plug-in's windows and messages say in a GIMP, by the gimpfu that notes it."""

from __future__ import annotations

from .gimp import Gimp
from .window import Window, wait_for

# Leaves what windows and messages say in a file.
NOTED = """
import os

def heard(text):
    with open(os.path.join(os.environ["LAYERLIFT_DRIVER_FOLDER"], "heard.txt"), "a", encoding="utf-8") as file:
        file.write(str(text) + "\\n")

def noting(title, rows, *values, make=Form, **more):
    form = make(title, rows, *values, **more)
    for row in rows:
        heard(f"{row[2]} {row[3]}" if isinstance(row[3], str) else row[2])
    def say(text, show=form.say):
        heard(text)
        show(text)
    form.say = say
    class Noting(type(form)):
        def offer(self, name, labels):
            heard(" | ".join(labels))
            super().offer(name, labels)
        def __setitem__(self, name, value):
            heard(value)
            super().__setitem__(name, value)
    form.__class__ = Noting
    return form

def message(text, show=gimp.message):
    heard(text)
    show(text)

Form, gimp.message = noting, message
"""


def heard(gimp: Gimp) -> str:
    """What was said so far."""
    file = gimp.folder / "heard.txt"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def wait_to_hear(gimp: Gimp, text: str) -> None:
    wait_for(lambda: text in heard(gimp), f"{text!r} to be said")


def forget(gimp: Gimp) -> None:
    (gimp.folder / "heard.txt").unlink(missing_ok=True)


def open_settings(gimp: Gimp, window: Window) -> str:
    """The settings, once all is known."""
    forget(gimp)
    dialog = window.summon("ctrl+shift+F7", "Remove Background: Settings")
    wait_to_hear(gimp, "Kept results")
    return dialog
