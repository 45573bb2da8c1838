"""The plug-in's actions, and what the user is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from krita import Extension

from . import host
from .display import Display
from .jobs import AGAIN, Job, Jobs, State, Wish
from .preferences import AS_MASK, Preferences
from .qt import QtCore, QtGui, QtWidgets
from .settings import SettingsDialog

SETTINGS = (
    "no_key",
    "no_keyring",
    "consent_needed",
    "unauthorized",
    "InvalidApiKey",
    "InactiveApiKey",
    "ExpiredApiKey",
)
"""The worker's codes of what the settings dialog can mend."""
NO_MASKS = "This Krita has no transparency masks for plug-ins: use Krita 5.2, or choose a new layer in the settings."


class Layerlift(Extension):
    """Tools > Remove Background."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self._jobs = Jobs()
        self._jobs.started.connect(self._started)
        self._jobs.ended.connect(self._ended)
        self._display: Display | None = None
        self._settings: SettingsDialog | None = None

    def setup(self) -> None:
        """Called by Krita once at its start."""
        # Before Krita quits: a window that a job opened now would keep it from that.
        QtWidgets.QApplication.instance().lastWindowClosed.connect(self._jobs.stop)

    def createActions(self, window: Any) -> None:
        """Called by Krita for each of its main windows."""
        menu = QtWidgets.QMenu("Remove Background", window.qwindow())
        window.createAction("layerlift_menu", "Remove Background", "tools").setMenu(menu)
        # What Python has of the path may not be the text that Qt needs.
        icon = QtGui.QIcon(os.fsencode(Path(__file__).with_name("layerlift.svg")).decode("utf-8"))
        for name, text, slot in (
            ("layerlift_remove", "Remove &Background of Layer", self.remove),
            ("layerlift_settings", "&Settings...", self.settings),
        ):
            action = window.createAction(name, text, "tools/layerlift_menu")
            action.triggered.connect(slot)
            if name == "layerlift_remove":
                action.setIcon(icon)

    def remove(self) -> None:
        """Queue the active layer."""
        preferences = Preferences.read(host.setting)
        try:
            if preferences.result == AS_MASK and not host.takes_masks():
                raise host.Refused(NO_MASKS)
            self._jobs.add(Wish(host.active_layer(), preferences))
        except host.Refused as refused:
            self._box(str(refused)).open()

    def settings(self) -> None:
        """Open the settings."""
        self._settings = SettingsDialog(host.main_window())
        self._settings.open()

    def _started(self, job: Job) -> None:
        if self._display is None:
            self._display = Display(self._jobs, host.main_window())
            self._display.destroyed.connect(self._forget_display)
        self._display.follow(job)

    def _forget_display(self) -> None:
        self._display = None

    def _ended(self, job: Job) -> None:
        if self._display is not None and not self._jobs.waiting:
            self._display.hide()
        if job.state is State.CANCELLED:
            host.tell("Cancelled. Nothing was changed.")
        elif job.state is State.FAILED:
            self._complain(job)
        elif job.answer["full"]:
            self._box("All of the picture was taken for the subject: nothing was cut away.").open()
        elif job.answer["cached"]:
            host.tell("Background removed. Free: this picture was paid for already.")
        else:
            host.tell("Background removed.")

    def _complain(self, job: Job) -> None:
        box = self._box(f"{job.wish.layer.title}\n\n{job.text}")
        button = QtWidgets.QMessageBox.ButtonRole.ActionRole
        if job.code in SETTINGS:
            box.addButton("Settings...", button).clicked.connect(self.settings)
        if job.code in AGAIN:
            again = Wish(job.wish.layer, job.wish.preferences, again=True)
            box.addButton("Pay again", button).clicked.connect(lambda: self._jobs.add(again))
        box.open()

    def _box(self, text: str) -> Any:
        box = QtWidgets.QMessageBox(host.main_window())
        box.setWindowTitle("Remove Background")
        # It may hold names of layers and words of the service.
        box.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        box.setText(text)
        # Never another button: the key that closes the box may be meant for the canvas.
        box.setDefaultButton(box.addButton(QtWidgets.QMessageBox.StandardButton.Close))
        box.finished.connect(box.deleteLater)
        return box
