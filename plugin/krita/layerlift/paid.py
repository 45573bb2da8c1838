"""What was paid for, which only the worker knows: results that are kept, on their way, or to be fetched."""

from __future__ import annotations

from typing import Any

from .boxes import CANCEL, Box
from .common import words
from .common.language import _
from .qt import QtWidgets
from .questions import Questions
from .widgets import button, mnemonic, paragraph, write


class PaidWork(QtWidgets.QGroupBox):
    """Shows it, fetches what did not arrive, and clears what is kept."""

    def __init__(self, questions: Questions) -> None:
        super().__init__(_("Paid work"))
        self._questions = questions
        self._box: Any = None
        self._shown = paragraph()
        self._fetch = button(
            mnemonic(_("Fetch Res_ults")),
            lambda: self._questions.ask("fetch", self._show_fetched, _("Fetching...")),
            _("Brings results that you have paid for and that did not arrive. Their pictures are free the next time."),
        )
        self._clear = button(
            mnemonic(_("_Delete Kept Results...")),
            self._ask_to_clear,
            _("Removes the kept results from this computer. Their pictures cost units again."),
        )
        self._fetch.setEnabled(False)
        self._clear.setEnabled(False)
        column, row = QtWidgets.QVBoxLayout(self), QtWidgets.QHBoxLayout()
        column.addWidget(self._shown)
        column.addLayout(row)
        row.addWidget(self._fetch)
        row.addWidget(self._clear)
        row.addStretch()
        self._questions.ask_in_background("jobs", self._show, lambda text: write(self._shown, text))

    def _show(self, counts: dict[str, Any]) -> None:
        write(self._shown, words.jobs(counts))
        # What is on its way may have come, or be in doubt, by the time that it is asked for.
        self._fetch.setEnabled(any(counts[state] for state in ("running", "ready", "in_doubt")))
        self._clear.setEnabled(bool(counts["kept"]))

    def _show_fetched(self, counts: dict[str, Any]) -> None:
        self._show(counts)
        self._questions.said.emit(words.fetched(counts))

    def _ask_to_clear(self) -> None:
        # Else Python takes what the box does for garbage.
        self._box = Box(self.window(), words.CLEAR, CANCEL)
        clear = self._box.offer(mnemonic(_("_Delete")), QtWidgets.QMessageBox.ButtonRole.DestructiveRole)
        clear.clicked.connect(lambda: self._questions.ask("clear", self._show))
        self._box.open()
