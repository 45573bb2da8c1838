"""Controls for the fields of one of the service's tasks, made from what the worker tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from .common import tasks
from .common.language import _
from .qt import QtCore, QtGui, QtWidgets
from .widgets import explained, paragraph, write

LONGEST = 1000
"""Letters of a text; the worker takes no more."""
THUMB = 96
CELL = 112, 124
TEMPLATES_SIZE = 520, 280
ASKING_TEMPLATES = _("Asking for the templates...")
AUTOMATIC = _("Automatic")
ROLE = QtCore.Qt.ItemDataRole.UserRole


class Fields(QtWidgets.QWidget):
    """The fields of a task, as they are filled in.

    Signals:
        changed(): something else is filled in.
    """

    changed = QtCore.pyqtSignal()

    def __init__(self, task: dict[str, Any]) -> None:
        super().__init__()
        self._task = task
        self._readers: dict[str, Callable[[], str]] = {}
        self._templates: Any = None
        self._said = paragraph()
        makers = {"number": self._number, "choice": self._choice, "text": self._text, "template": self._list}
        form = QtWidgets.QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for field in tasks.fields_shown(task):
            widget, self._readers[field["name"]] = makers[field["kind"]](field)
            if field["kind"] == "template":
                widget.setAccessibleName(tasks.sentence(field["purpose"], ""))
                for row in (QtWidgets.QLabel(tasks.sentence(field["purpose"], ":")), widget, self._said):
                    form.addRow(row)
            else:
                form.addRow(tasks.sentence(field["purpose"], ":"), widget)

    @property
    def has_templates(self) -> bool:
        """Whether there is a list of templates to be filled."""
        return self._templates is not None

    def entered(self) -> dict[str, str]:
        """What is sent of what is filled in."""
        return tasks.given(self._task, self._read())

    def is_complete(self) -> bool:
        """Whether enough is filled in."""
        return not tasks.lacking(self._task, self._read())

    def show_templates(self, templates: list[dict[str, str]], folder: str) -> None:
        """Fill the list of templates, whose pictures are in a folder."""
        self._said.hide()
        for template in templates:
            item = QtWidgets.QListWidgetItem(template["title"], self._templates)
            item.setData(ROLE, template["id"])
            item.setIcon(_icon(Path(folder) / template["picture"] if template["picture"] else None))
            explained(item, template["title"])
        self._templates.scrollToTop()

    def tell(self, text: str) -> None:
        """Say something in place of templates."""
        write(self._said, text)

    def _read(self) -> dict[str, str]:
        return {name: read() for name, read in self._readers.items()}

    def _number(self, field: dict[str, Any]) -> tuple[Any, Callable[[], str]]:
        box = QtWidgets.QSpinBox()
        lowest = field["lowest"] if field["required"] else field["lowest"] - 1
        box.setRange(lowest, field["highest"])
        if not field["required"]:
            box.setSpecialValueText(AUTOMATIC)
        box.setValue(lowest if field["default"] is None else int(field["default"]))
        box.valueChanged.connect(lambda value: self.changed.emit())
        return box, lambda: str(box.value()) if box.value() >= field["lowest"] else ""

    def _choice(self, field: dict[str, Any]) -> tuple[Any, Callable[[], str]]:
        box = QtWidgets.QComboBox()
        if not field["required"]:
            box.addItem(AUTOMATIC, "")
        for choice in field["choices"]:
            box.addItem(choice, choice)
        box.setCurrentIndex(max(0, box.findData(field["default"])))
        box.currentIndexChanged.connect(lambda index: self.changed.emit())
        return box, lambda: str(box.currentData())

    def _text(self, field: dict[str, Any]) -> tuple[Any, Callable[[], str]]:
        line = QtWidgets.QLineEdit()
        line.setMaxLength(LONGEST)
        line.textChanged.connect(lambda text: self.changed.emit())
        return line, lambda: str(line.text())

    def _list(self, field: dict[str, Any]) -> tuple[Any, Callable[[], str]]:
        self._templates = shown = QtWidgets.QListWidget()
        shown.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        shown.setMovement(QtWidgets.QListView.Movement.Static)
        shown.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        shown.setIconSize(QtCore.QSize(THUMB, THUMB))
        shown.setGridSize(QtCore.QSize(*CELL))
        shown.setMinimumSize(*TEMPLATES_SIZE)
        none = QtWidgets.QListWidgetItem(_icon(None), tasks.NO_TEMPLATE, shown)
        none.setData(ROLE, "")
        shown.setCurrentItem(none)
        shown.currentItemChanged.connect(lambda item, before: self.changed.emit())
        write(self._said, ASKING_TEMPLATES)
        return shown, lambda: str(shown.currentItem().data(ROLE)) if shown.currentItem() else ""


def _icon(picture: Path | None) -> Any:
    """A picture in a square, or an empty one: all of the same size."""
    square, image = QtGui.QPixmap(THUMB, THUMB), QtGui.QPixmap()
    square.fill(QtGui.QColor(0, 0, 0, 0))
    if picture is not None and image.loadFromData(picture.read_bytes()):
        painter = QtGui.QPainter(square)
        painter.drawPixmap((THUMB - image.width()) // 2, (THUMB - image.height()) // 2, image)
        painter.end()
    return QtGui.QIcon(square)
