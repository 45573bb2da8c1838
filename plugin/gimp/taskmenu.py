"""The procedures of the service's other tasks, and how a user at the window and a script come to a run."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

import re
from typing import Any

from common import tasks
from common.language import N_, _
from controls import TASKS_MENU
from gimpfu import PF_DRAWABLE, PF_IMAGE, PF_STRING, PF_TOGGLE, error, fail, gimp, register
from questions import is_asked
from supervision import Note, supervise


def register_tasks(author: str, catalogue: tuple[str, str]) -> None:
    """Declare the procedures to GIMP."""
    image = [(PF_IMAGE, "image", N_("The image"), None), (PF_DRAWABLE, "drawable", N_("The layer"), None)]
    continued = [
        (PF_STRING, "task", N_("The task, such as enhance"), ""),
        (PF_STRING, "fields", N_("Its fields, as NAME=VALUE,NAME=VALUE"), ""),
        (PF_TOGGLE, "own-size", N_("Let the whole image grow to a result that is larger than the layer"), False),
    ]
    background = [
        (PF_STRING, "prompt", N_("What the background shows"), ""),
        (PF_STRING, "template", N_("The id of one of the service's templates, in place of a text"), ""),
    ]
    for name, blurb, help, label, parameters, function in (
        (
            "python-fu-layerlift-continue",
            N_("Have the service do more with a layer: enhance it, correct its light or colours, remove an object"),
            N_("The result is a new layer above the layer. A task that works on a part of it takes the selection."),
            N_("_Continue With..."),
            continued,
            continue_with,
        ),
        (
            "python-fu-layerlift-clean-plate",
            N_("Fill in what the subject of a cut-out hides"),
            N_("The original without the subject is a new layer beneath the cut-out."),
            N_("Clean _Plate..."),
            [],
            clean_plate,
        ),
        (
            "python-fu-layerlift-new-background",
            N_("Put another background beneath a cut-out"),
            N_("The service makes it of a text or of a template; the cut-out stays as it is."),
            N_("_New Background..."),
            background,
            new_background,
        ),
    ):
        register(
            name, blurb, help, author, "GPL-3.0-or-later", "2026", label, "*", [*image, *parameters], [], function,
            menu=TASKS_MENU, domain=catalogue, takes_each=False, asks=False,
        )  # fmt: skip


def continue_with(image: Any, drawable: Any, task: str = "", fields: str = "", own_size: bool = False) -> None:
    """Run any task on a layer; the values are for scripts."""
    if is_asked():
        run_from_windows(tasks.CONTINUE, image, drawable)
    else:
        run_from_script(tasks.CONTINUE, image, drawable, task, fields_in(fields), bool(own_size))


def clean_plate(image: Any, drawable: Any) -> None:
    """Fill in what the subject of a cut-out hides."""
    if is_asked():
        run_from_windows(tasks.CLEAN_PLATE, image, drawable)
    else:
        run_from_script(tasks.CLEAN_PLATE, image, drawable, tasks.TASKS[tasks.CLEAN_PLATE], {})


def new_background(image: Any, drawable: Any, prompt: str = "", template: str = "") -> None:
    """Put another background beneath a cut-out; the values are for scripts."""
    if is_asked():
        run_from_windows(tasks.NEW_BACKGROUND, image, drawable)
    else:
        fields = {"prompt": prompt, "template_id": template}
        run_from_script(tasks.NEW_BACKGROUND, image, drawable, tasks.TASKS[tasks.NEW_BACKGROUND], fields)


def run_one(note: Note, image_id: int, drawable_id: int, *order: Any) -> bool:
    """Run what was ordered in the windows, supervised. Nobody is to be told of keys: without one there is no run."""
    # Not needed for a removal, nor while GIMP starts.
    from taskrun import Order, run_task

    run_task(note, gimp._id2image(image_id), gimp._id2drawable(drawable_id), Order(*order))
    return False


def run_from_script(
    kind: str, image: Any, drawable: Any, name: str, fields: dict[str, str], own_size: bool = False
) -> None:
    """Run a task without a word."""
    from inquiry import Inquiry
    from places import place_of
    from taskrun import Order, run_task

    place_of(kind, image, drawable)
    with Inquiry() as inquiry:
        task = next((task for task in inquiry.tasks if task["task"] == name), None)
        if task is None:
            names = ", ".join(task["task"] for task in inquiry.tasks)
            fail(_("There is no task '{task}' for layers. There are: {tasks}.").format(task=name, tasks=names))
    run_task(lambda text: None, image, drawable, Order(kind, task, fields, own_size))


def run_from_windows(kind: str, image: Any, drawable: Any) -> None:
    """Let the user choose, and run it; what is refused is told in the window, which shows again what was entered."""
    from inquiry import ask_service
    from places import place_of
    from taskforms import FieldsForm, TaskForm, grows
    from taskrun import Order

    layer = place_of(kind, image, drawable).picture
    with ask_service() as inquiry:
        if kind == tasks.CONTINUE:
            task = TaskForm(image, layer, inquiry).run()
        else:
            task = next(task for task in inquiry.tasks if task["task"] == tasks.TASKS[kind])
        order, refused = Order(kind, task, {}), ""
        has_form = kind != tasks.CONTINUE or bool(tasks.fields_shown(task)) or grows(kind, task)
        while True:
            if has_form:
                order = FieldsForm(order, inquiry, refused).run()
            try:
                supervise(run_one, image.ID, drawable.ID, *order)
                return
            except error as failure:
                if not has_form or image.ID not in [one.ID for one in gimp.image_list()]:
                    raise
                refused = str(failure)


def fields_in(text: str) -> dict[str, str]:
    """The fields that a script gives: a comma is a part of a value where no name follows it."""
    found = {}
    for part in re.split(r",\s*(?=\w+=)", text) if text.strip() else ():
        name, equals, value = part.partition("=")
        if not equals:
            fail(_("'{part}' is not of the form NAME=VALUE.").format(part=part))
        found[name.strip()] = value
    return found
