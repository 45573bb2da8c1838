"""The question before a batch: which of the pictures, and what these cost."""

from __future__ import annotations

from typing import Any

from .batch import Offer, Picture
from .common import ways, words
from .common.language import _
from .qt import QtCore, QtWidgets
from .widgets import explained, label, mnemonic, paragraph, write

WIDTH, NOTE_WIDTH = 540, 220
ROWS = 12
"""So many are seen without scrolling."""


class Choice(QtWidgets.QDialog):
    """A list with ticks, what the ticked ones cost, and the answers. `chosen` is what is ticked.

    Signals:
        answered(consent): go on, with one of ways.CONSENT where uploads need it, else "". `rejected` is the other end.
    """

    answered = QtCore.pyqtSignal(str)

    def __init__(self, window: Any, offer: Offer) -> None:
        super().__init__(window)
        self._offer = offer
        self.setWindowTitle(_("Remove Background"))
        self.finished.connect(self.deleteLater)
        self._asked, self._cost = paragraph(), paragraph()
        self._list = explained(
            QtWidgets.QTreeWidget(),
            _("Untick what is to stay as it is. Greyed pictures can't be processed, or have a cut-out already."),
        )
        self._items = [(picture, self._add(picture)) for picture in offer.pictures]
        name = label(_("&Pictures:"))
        name.setBuddy(self._list)
        layout = QtWidgets.QVBoxLayout(self)
        for widget in (self._asked, name, self._list, self._cost, self._lay_out_buttons()):
            layout.addWidget(widget)
        self._lay_out_list()
        self._list.itemChanged.connect(lambda item, column: self._show_cost())
        self._show_cost()

    @property
    def chosen(self) -> list[Picture]:
        """The pictures that are ticked."""
        ticked = QtCore.Qt.CheckState.Checked
        return [picture for picture, item in self._items if item.checkState(0) == ticked]

    def _add(self, picture: Picture) -> Any:
        layer = picture.layer
        size = f"{layer.width} \u00d7 {layer.height}" if layer else ""
        item = QtWidgets.QTreeWidgetItem(self._list, [picture.name, size, self._offer.note(picture)])
        states = QtCore.Qt.CheckState
        can_be_done = picture in self._offer.read
        item.setCheckState(0, states.Checked if can_be_done else states.Unchecked)
        item.setDisabled(not can_be_done)
        explained(item, self._offer.note(picture), 2)
        return item

    def _lay_out_list(self) -> None:
        self._list.setHeaderLabels([_("Name"), _("Pixels"), _("Cost")])
        self._list.setRootIsDecorated(False)
        self._list.setTextElideMode(QtCore.Qt.TextElideMode.ElideMiddle)
        header, modes = self._list.header(), QtWidgets.QHeaderView.ResizeMode
        colours = self.palette()
        header.setPalette(colours)
        # Boxes are framed by a darker shade of a window's colour, which in a dark theme is the list's own.
        colours.setColor(colours.ColorRole.Window, colours.color(colours.ColorRole.Text))
        self._list.setPalette(colours)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, modes.Stretch)
        header.setSectionResizeMode(1, modes.ResizeToContents)
        # Why something can't be done is longer than what it costs.
        self._list.resizeColumnToContents(2)
        self._list.setColumnWidth(2, min(NOTE_WIDTH, self._list.columnWidth(2)))
        rows = min(len(self._items), ROWS) + 2
        self._list.setMinimumSize(WIDTH, rows * self._list.sizeHintForRow(0))

    def _lay_out_buttons(self) -> Any:
        kinds = QtWidgets.QDialogButtonBox
        buttons = kinds(kinds.StandardButton.Cancel)
        buttons.rejected.connect(self.reject)
        self._answers = {"": buttons.addButton(mnemonic(_("_Remove Backgrounds")), kinds.ButtonRole.ActionRole)}
        for consent, text in ways.CONSENT.items():
            self._answers[consent] = buttons.addButton(mnemonic(text), kinds.ButtonRole.ActionRole)
        for consent, button in self._answers.items():
            button.setAutoDefault(False)
            button.clicked.connect(lambda checked, consent=consent: self._answer(consent))
        # Keys may be meant for the canvas.
        cancel = buttons.button(kinds.StandardButton.Cancel)
        cancel.setDefault(True)
        cancel.setFocus()
        return buttons

    def _show_cost(self) -> None:
        chosen = self.chosen
        plan = self._offer.plan_for(chosen)
        asked, _line, cost = words.question(len(chosen), plan, words.Summary()).partition("\n\n")
        write(self._asked, asked)
        write(self._cost, cost)
        needs_consent = bool(plan["units"]) and not plan["agreed"]
        for consent, button in self._answers.items():
            button.setVisible(bool(consent) == needs_consent)
            button.setEnabled(bool(chosen))

    def _answer(self, consent: str) -> None:
        self.accept()
        self.answered.emit(consent)
