"""The question before one of the service's other tasks: which one, with what, and what it costs."""

from __future__ import annotations

from typing import Any

from .common import tasks, ways
from .common.language import _
from .fields import Fields
from .places import Place
from .qt import QtCore, QtWidgets
from .questions import Questions
from .taskjob import TaskWish
from .widgets import button, explained, label, mnemonic, paragraph, write

WIDTH = 560


class TaskDialog(QtWidgets.QDialog):
    """Asks for a task and its fields.

    Signals:
        chosen(wish): a TaskWish, when the user agrees.
        asks_settings(): the user wants the settings in its place.
    """

    chosen = QtCore.pyqtSignal(object)
    asks_settings = QtCore.pyqtSignal()

    def __init__(self, window: Any, kind: str, layer: Place) -> None:
        super().__init__(window)
        self._kind, self._layer = kind, layer
        self._answer: dict[str, Any] = {}
        self._templates: dict[str, list[dict[str, str]]] = {}
        self._fields: Fields | None = None
        self.setWindowTitle(tasks.TITLES[kind])
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._lay_out()
        self._questions = Questions()
        self._questions.said.connect(self._say)
        self._questions.refused.connect(self._settings.show)
        self.finished.connect(lambda result: self._questions.close())
        self._questions.ask("tasks", self._show, tasks.ASKING)

    def accept(self) -> None:
        """The user agrees."""
        task = self._task()
        if task is None or self._fields is None or not self._fields.is_complete():
            return
        own_size = task["task"] in tasks.GROWING and self._sizes.currentData() == "own"
        host, balance = self._answer["host"], self._answer["balance"]
        self.chosen.emit(TaskWish(self._layer, self._kind, task, self._fields.entered(), own_size, host, balance))
        super().accept()

    def _lay_out(self) -> None:
        self._said, self._purpose, self._cost = paragraph(), paragraph(), paragraph()
        self._name = label(self._layer.title)
        self._list, self._sizes = QtWidgets.QComboBox(), QtWidgets.QComboBox()
        explained(self._list, _("What the service makes of the layer."))
        explained(self._sizes, _("What becomes of a result that is larger than its layer."))
        for value, text in tasks.SIZES.items():
            self._sizes.addItem(text, value)
        self._list.currentIndexChanged.connect(lambda index: self._show_task())
        self._form, self._room = QtWidgets.QFormLayout(), QtWidgets.QVBoxLayout()
        self._size_label = QtWidgets.QLabel(mnemonic(_("Si_ze:")))
        self._size_label.setBuddy(self._sizes)
        self._task_label = QtWidgets.QLabel(mnemonic(_("_Task:")))
        self._task_label.setBuddy(self._list)
        self._form.addRow(self._task_label, self._list)
        sizes = QtWidgets.QFormLayout()
        sizes.addRow(self._size_label, self._sizes)
        kinds = QtWidgets.QDialogButtonBox
        self._buttons = kinds(kinds.StandardButton.Ok | kinds.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._settings = button(
            mnemonic(ways.LABELS[ways.SETTINGS]), self._open_settings, _("Opens the settings in place of this window.")
        )
        self._buttons.addButton(self._settings, kinds.ButtonRole.ActionRole)
        self._settings.hide()
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self._name)
        layout.addLayout(self._form)
        layout.addWidget(self._purpose)
        layout.addLayout(self._room)
        layout.addLayout(sizes)
        for widget in (self._cost, self._said, self._buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(WIDTH)
        for widget in (self._task_label, self._list, self._size_label, self._sizes):
            widget.hide()
        self._enable()

    def _task(self) -> dict[str, Any] | None:
        """The task that is chosen, None before the service has answered."""
        found: list[dict[str, Any]] = self._answer.get("tasks", [])
        slug = self._list.currentData()
        return next((task for task in found if task["task"] == slug), None)

    def _show(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        only = tasks.TASKS.get(self._kind)
        self._list.blockSignals(True)
        for task in answer["tasks"]:
            if only in (None, task["task"]):
                self._list.addItem(task["title"], task["task"])
        self._list.blockSignals(False)
        for widget in (self._task_label, self._list):
            widget.setVisible(only is None)
        self._list.setFocus()
        self._show_task()

    def _show_task(self) -> None:
        task = self._task()
        if task is None:
            return
        if self._fields is not None:
            self._fields.setParent(None)
            self._fields.deleteLater()
        self._fields = Fields(task)
        self._fields.changed.connect(self._enable)
        self._room.addWidget(self._fields)
        if self._fields.has_templates:
            self._ask_templates(task["task"], self._fields)
        grows = task["task"] in tasks.GROWING
        self._size_label.setVisible(grows)
        self._sizes.setVisible(grows)
        write(self._purpose, tasks.about(self._kind, task))
        write(self._cost, tasks.cost(task, self._answer["balance"]))
        self._enable()
        self.adjustSize()

    def _ask_templates(self, slug: str, fields: Fields) -> None:
        def take(answer: dict[str, Any]) -> None:
            self._templates[slug] = answer["templates"]
            if fields is self._fields:
                fields.show_templates(answer["templates"], self._questions.folder)

        def refuse(text: str) -> None:
            if fields is self._fields:
                fields.tell(text)

        if slug in self._templates:
            fields.show_templates(self._templates[slug], self._questions.folder)
        else:
            self._questions.ask_in_background("templates", take, refuse, task=slug)

    def _enable(self) -> None:
        is_ready = self._fields is not None and self._fields.is_complete()
        self._buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok).setEnabled(is_ready)

    def _say(self, text: str) -> None:
        write(self._said, text)
        self._said.setVisible(bool(text))

    def _open_settings(self) -> None:
        self.reject()
        self.asks_settings.emit()
