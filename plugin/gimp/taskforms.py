"""The windows in which a task is chosen and its fields are filled in, made of the worker's table of the tasks."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from typing import Any

from common import tasks
from common.language import _
from common.protocol import WorkerError
from gimpfu import PF_LABEL, PF_OPTION, PF_PICTURE, PF_SPINNER, PF_STRING, CancelError, Form, error
from inquiry import Inquiry
from places import check_selection
from taskrun import Order

SIZE = "layer-size"
PICTURE = "picture"
"""The rows that are no fields of a task."""


class TaskForm:
    """A window with all tasks: what each does and costs."""

    def __init__(self, image: Any, layer: Any, inquiry: Inquiry) -> None:
        self._image, self._layer, self._inquiry = image, layer, inquiry
        titles = [task["title"] for task in inquiry.tasks]
        rows = [(PF_OPTION, "task", _("_Task:"), 0, titles), (PF_LABEL, "about", "", "")]
        self._form = Form(tasks.TITLES[tasks.CONTINUE], rows, {"go": _("_Next")}, default="go")
        self._form.on_change(self._show)
        self._show(self._form)
        self._chosen: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """The task that the user goes on with. Raises CancelError."""
        if self._form.run(self._accept) is None:
            raise CancelError("cancelled")
        return self._chosen

    def _show(self, form: Any) -> None:
        task = self._inquiry.tasks[form["task"]]
        form["about"] = _about(tasks.sentence(task["purpose"]), task, self._inquiry)
        form.say("")

    def _accept(self, answer: str) -> bool:
        self._chosen = self._inquiry.tasks[self._form["task"]]
        if tasks.takes_mask(self._chosen):
            try:
                check_selection(self._image, self._layer)
            except error as refusal:
                self._form.say(str(refusal))
                return False
        return True


class FieldsForm:
    """A window with the fields of a task, as they were the last time; `refused` is what was wrong with that."""

    def __init__(self, order: Order, inquiry: Inquiry, refused: str) -> None:
        kind, task = order.kind, order.task
        self._order, self._inquiry = order, inquiry
        self._fields = tasks.fields_shown(task)
        self._templates, self._pictures = [""], [""]
        rows = [self._row(field) for field in self._fields]
        if any(field["kind"] == "template" for field in self._fields):
            rows.append((PF_PICTURE, PICTURE, "", ""))
        if grows(kind, task):
            rows.append((PF_OPTION, SIZE, _("_Size:"), int(order.own_size), list(tasks.SIZES.values())))
        rows.append((PF_LABEL, "about", "", _about(tasks.about(kind, task), task, inquiry)))
        title = order.title if kind == tasks.CONTINUE else tasks.TITLES[kind]
        self._form = Form(title, rows, {"run": _("_Run")}, default="run")
        self._form.say(refused)
        for field in self._fields:
            if field["kind"] == "template":
                self._offer(field["name"], refused)

    def run(self) -> Order:
        """What is to be run. Raises CancelError."""
        if self._form.run(self._accept) is None:
            raise CancelError("cancelled")
        return self._order

    def _row(self, field: dict[str, Any]) -> tuple[Any, ...]:
        name, label = field["name"], tasks.sentence(field["purpose"], ":")
        shown = self._order.fields.get(name, field["default"])
        if field["kind"] == "number":
            lowest, highest = field["lowest"], field["highest"]
            return (PF_SPINNER, name, label, int(shown or (lowest + highest) // 2), (lowest, highest, 1))
        if field["kind"] == "choice":
            choices = field["choices"]
            return (PF_OPTION, name, label, choices.index(shown) if shown in choices else 0, choices)
        if field["kind"] == "template":
            return (PF_OPTION, name, label, 0, [tasks.NO_TEMPLATE])
        return (PF_STRING, name, label, shown or "")

    def _offer(self, name: str, refused: str) -> None:
        """Fill the list of templates once the window is there; a text can be entered meanwhile."""

        def load(form: Any) -> None:
            form.say(refused or tasks.ASKING)
            try:
                found = form.call(lambda: self._inquiry.templates(self._order.task["task"]), locks=False)
            except WorkerError as failure:
                form.say(str(failure))
                return
            self._templates = ["", *(template["id"] for template in found)]
            self._pictures = ["", *(template["picture"] for template in found)]
            form.offer(name, [tasks.NO_TEMPLATE, *(template["title"] or template["id"] for template in found)])
            chosen = self._order.fields.get(name, "")
            form[name] = self._templates.index(chosen) if chosen in self._templates else 0
            form.say(refused)

        def show(form: Any) -> None:
            form[PICTURE] = self._pictures[form[name]]
            for field in self._fields:
                if field["kind"] == "text":
                    form.enable(field["name"], not form[name])

        self._form.on_show(load)
        self._form.on_change(show)

    def _accept(self, answer: str) -> bool:
        form = self._form
        entered = {field["name"]: self._entered(field) for field in self._fields}
        self._order = self._order._replace(fields=entered)
        if grows(self._order.kind, self._order.task):
            self._order = self._order._replace(own_size=bool(form[SIZE]))
        lacking = tasks.lacking(self._order.task, entered)
        form.say(lacking)
        return not lacking

    def _entered(self, field: dict[str, Any]) -> str:
        shown = self._form[field["name"]]
        if field["kind"] == "choice":
            return str(field["choices"][shown])
        return self._templates[shown] if field["kind"] == "template" else str(shown)


def grows(kind: str, task: dict[str, Any]) -> bool:
    """Whether a task's result may be larger than the layer."""
    return kind == tasks.CONTINUE and task["task"] in tasks.GROWING


def _about(purpose: str, task: dict[str, Any], inquiry: Inquiry) -> str:
    return f"{purpose}\n{tasks.cost(task, inquiry.balance)}"
