"""The service's other tasks on layers: what is sent, what it costs, and what its results are called, for all hosts."""

from __future__ import annotations

from typing import Any

from . import ways, words
from .language import _, ngettext

CONTINUE, CLEAN_PLATE, NEW_BACKGROUND = "continue", "clean_plate", "new_background"
"""What a user can ask for: any task on a layer; the picture behind a cut-out; another background for one."""
TASKS = {CLEAN_PLATE: "generative-fill", NEW_BACKGROUND: "bg-replace"}
"""The task that is behind what is not any task."""
TITLES = {CONTINUE: _("Continue With"), CLEAN_PLATE: _("Clean Plate"), NEW_BACKGROUND: _("New Background")}
ABOUT = {
    CLEAN_PLATE: _("Fills in what the subject hides, on a new layer beneath the cut-out."),
    NEW_BACKGROUND: _(
        "Makes another background, on a new layer beneath the cut-out. Describe it, or choose a template."
    ),
}
"""What is done that is not any task."""
ASKING = _("Asking the service...")
NO_TEMPLATE = _("No template")
NO_SELECTION = _("Select what the task is to work on first.")
NO_CUT_OUT = _("Choose a cut-out, or a layer that has one. 'Remove Background' makes it.")
NO_PRICE = _("The service does not list what this costs.")
NO_ANSWER = _("The service does not tell now what this costs, nor what your account has.")
MAY_COST = _("Cancelled: it may have cost units; the result is kept, and is free the next time. Nothing was changed.")
CONSENT = {way: label for way, label in ways.CONSENT.items() if way != ways.OFFLINE}
"""Answers to the question before an upload: no task but the removal can be run offline."""
SIZES = {"layer": _("As large as the layer"), "own": _("At its own size; the whole image grows")}
"""What becomes of a result that is larger than its layer."""
GROWING = ("enhance",)
"""Tasks whose results may be larger than what they were made of."""


def takes_mask(task: dict[str, Any]) -> bool:
    """Whether a task, of the worker's answer to `tasks`, works on a part of the picture alone."""
    return any(field["kind"] == "mask" for field in task["fields"])


def sentence(phrase: str, end: str = ".") -> str:
    """A phrase of the table as it stands alone."""
    return f"{phrase[:1].upper()}{phrase[1:]}{end}"


def about(kind: str, task: dict[str, Any]) -> str:
    """What is done."""
    return ABOUT.get(kind) or sentence(task["purpose"])


def fields_shown(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields that the user fills in: a mask is the selection, and what a background is made of is told by which of
    its fields is filled in."""
    return [field for field in task["fields"] if field["kind"] != "mask" and not _is_way(task, field)]


def ways_out(kind: str) -> list[str]:
    """What the user can do about a kind of error."""
    return [way for way in ways.out_of(kind, "youcam") if way != ways.OFFLINE]


def lacking(task: dict[str, Any], entered: dict[str, str]) -> str:
    """What is still to be entered, "" where that is nothing."""
    fields = fields_shown(task)
    for field in fields:
        if field["required"] and not entered[field["name"]].strip():
            return _("Fill in: {field}").format(field=sentence(field["purpose"]))
    options = [entered[field["name"]] for field in fields if field["kind"] in ("text", "template")]
    if len(options) > 1 and not any(option.strip() for option in options):
        return _("Enter a text, or choose a template.")
    return ""


def given(task: dict[str, Any], entered: dict[str, str]) -> dict[str, str]:
    """What is sent of what was entered: nothing that is empty, and which way it is to be done."""
    found = {name: text.strip() for name, text in entered.items() if text.strip()}
    for field in task["fields"]:
        if _is_way(task, field):
            way = "template" if "template_id" in found else "prompt"
            found = {name: text for name, text in found.items() if name != ("prompt", "template_id")[way == "prompt"]}
            found[field["name"]] = way
    return found


def cost(task: dict[str, Any], held: float | None) -> str:
    """One line on what a task costs, and what the account has; None where that is not known."""
    price = task["price"]
    if price is None:
        return NO_ANSWER if held is None else f"{NO_PRICE} {words.balance(held)}"
    said = ngettext("Cost: {count} unit.", "Cost: {count} units.", price).format(count=words.number(price))
    said = f"{said} {words.balance(held)}"
    return f"{said}\n{words.NOT_ENOUGH}" if held is not None and price > held else said


def question_upload(host: str, name: str, title: str) -> str:
    """What is asked before a picture is uploaded for a task for the first time."""
    return _("Upload '{name}' to {host} for '{task}'?").format(name=words.short(name), host=host, task=title)


def outcome(title: str, name: str, answer: dict[str, Any], left: float | None = None) -> str:
    """One line on a task that is done, by the worker's result; `left` is what the account has then, where known."""
    if answer["cached"]:
        said = _("{task} of '{name}': free, already paid for.")
    else:
        said = ngettext(
            "{task} of '{name}': YouCam, {count} unit.", "{task} of '{name}': YouCam, {count} units.", answer["units"]
        )
    told = said.format(task=title, name=words.short(name), count=words.number(answer["units"]))
    return told if left is None else f"{told} {words.balance(left)}"


def layer_name(kind: str, layer: str, title: str) -> str:
    """What the new layer is called."""
    if kind == CLEAN_PLATE:
        return _("{layer} clean plate").format(layer=layer)
    if kind == NEW_BACKGROUND:
        return _("{layer} new background").format(layer=layer)
    # Translators: the name of a new layer, as in "Dog (Enhance)".
    return _("{layer} ({task})").format(layer=layer, task=title)


def _is_way(task: dict[str, Any], field: dict[str, Any]) -> bool:
    """Whether a field tells whether a text or a template counts."""
    return field["name"] == "type" and any(other["kind"] == "template" for other in task["fields"])
