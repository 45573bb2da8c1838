"""How far the first job is, in a small window beside the canvas that keeps nobody from working."""

from __future__ import annotations

from typing import Any

from .common.language import _, ngettext
from .jobs import Jobs
from .qt import QtCore, QtWidgets

BAR = 1000
WIDTH = 540


class Display(QtWidgets.QDialog):
    """A line for the picture, a line for the stage, a bar, and Cancel."""

    def __init__(self, jobs: Jobs, window: Any) -> None:
        super().__init__(window)
        self._jobs = jobs
        jobs.changed.connect(self._tell)
        self.setWindowTitle(_("Remove Background"))
        self.setModal(False)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._picture, self._stage = QtWidgets.QLabel(), QtWidgets.QLabel()
        for label in (self._picture, self._stage):
            label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._bar = QtWidgets.QProgressBar()
        self._bar.setRange(0, BAR)
        self._bar.setMinimumWidth(WIDTH)
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Cancel)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        for widget in (self._picture, self._stage, self._bar, buttons):
            layout.addWidget(widget)

    def show_first(self) -> None:
        """Be there for as long as there are jobs."""
        self._tell()
        self.setVisible(self._jobs.first is not None)

    def reject(self) -> None:
        """Cancel the job that is shown: by the button, by Escape, or by closing the window."""
        if self._jobs.first is not None:
            self._jobs.first.cancel()

    def _tell(self) -> None:
        job = self._jobs.first
        if job is None:
            return
        stage, fraction = job.said
        waiting = len(self._jobs) - 1
        more = ngettext("{stage} - {count} more waiting", "{stage} - {count} more waiting", waiting)
        _fit(self._picture, job.title)
        _fit(self._stage, more.format(stage=stage, count=waiting) if waiting else stage)
        self._bar.setValue(int(fraction * BAR))


def _fit(label: Any, text: str) -> None:
    """Names of files may be longer than the window is wide."""
    label.setText(label.fontMetrics().elidedText(text, QtCore.Qt.TextElideMode.ElideMiddle, WIDTH))
