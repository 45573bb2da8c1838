"""The progress of the job that runs, in a small window beside the canvas that keeps nobody from working."""

from __future__ import annotations

from typing import Any

from .common.language import _, ngettext
from .jobs import Job, Jobs
from .qt import QtCore, QtWidgets

BAR = 1000
WIDTH = 540


class Display(QtWidgets.QDialog):
    """A line for the picture, a line for the stage, a bar, and Cancel."""

    def __init__(self, jobs: Jobs, window: Any) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._text = ""
        jobs.queued.connect(self._tell_stage)
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

    def follow(self, job: Job) -> None:
        """Show a job that starts."""
        job.progressed.connect(self._show)
        _fit(self._picture, job.title)
        self._show(_("Starting"), 0.0)
        self.show()

    def reject(self) -> None:
        """Cancel the job: by the button, by Escape, or by closing the window."""
        self._jobs.cancel()

    def _show(self, text: str, fraction: float) -> None:
        self._text = text
        self._tell_stage()
        self._bar.setValue(int(fraction * BAR))

    def _tell_stage(self) -> None:
        waiting = self._jobs.waiting
        more = ngettext("{stage} - {count} more waiting", "{stage} - {count} more waiting", waiting)
        _fit(self._stage, more.format(stage=self._text, count=waiting) if waiting else self._text)


def _fit(label: Any, text: str) -> None:
    """Names of files may be longer than the window is wide."""
    label.setText(label.fontMetrics().elidedText(text, QtCore.Qt.TextElideMode.ElideMiddle, WIDTH))
