"""The plug-in's actions, and what the user is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from krita import Extension

from . import host
from .batch import Batch, open_pictures
from .boxes import CANCEL, CLOSE, Box
from .common import words
from .common.language import _
from .common.options import AS_MASK, Options
from .display import Display
from .jobs import Job, Jobs, State
from .qt import QtGui, QtWidgets, sip
from .removal import Removal, Wish
from .settings import SettingsDialog

SETTINGS = ("set_key", "agree", "unlock")
"""The kinds of errors that the settings dialog can mend."""
NO_MASKS = _("This Krita has no transparency masks for plug-ins: use Krita 5.2, or choose a new layer in the settings.")


class Layerlift(Extension):
    """Tools > Remove Background."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self._jobs = Jobs()
        self._jobs.started.connect(self._started)
        self._jobs.ended.connect(self._ended)
        self._display: Display | None = None
        self._windows: list[Any] = []

    def setup(self) -> None:
        """Called by Krita once at its start."""
        # Before Krita quits: a window that a job opened now would keep it from that.
        QtWidgets.QApplication.instance().lastWindowClosed.connect(self._jobs.stop)

    def createActions(self, window: Any) -> None:
        """Called by Krita for each of its main windows."""
        menu = QtWidgets.QMenu(_("Remove Background"), window.qwindow())
        window.createAction("layerlift_menu", _("Remove Background"), "tools").setMenu(menu)
        # What Python has of the path may not be the text that Qt needs.
        icon = QtGui.QIcon(os.fsencode(Path(__file__).with_name("layerlift.svg")).decode("utf-8"))
        for name, text, slot in (
            ("layerlift_remove", _("Remove &Background of Layer"), self.remove),
            ("layerlift_remove_all", _("Remove Backgrounds of &All Documents"), self.remove_all),
            ("layerlift_settings", _("&Settings..."), self.settings),
        ):
            action = window.createAction(name, text, "tools/layerlift_menu")
            action.triggered.connect(slot)
            if name == "layerlift_remove":
                action.setIcon(icon)

    def remove(self) -> None:
        """Queue the active layer."""
        try:
            options = _options()
            self._add(Removal(Wish(host.active_layer(), options)), _("Remove Background"))
        except host.Refused as refused:
            self._box(str(refused)).open()

    def remove_all(self) -> None:
        """Queue the active layers of all documents, as one job."""
        try:
            options = _options()
            pictures = open_pictures()
            if not pictures:
                raise host.Refused(_("Open a picture first."))
        except host.Refused as refused:
            self._box(str(refused)).open()
            return
        self._add(Batch(pictures, options), _("Remove Backgrounds"))

    def settings(self) -> None:
        """Open the settings."""
        self._hold(SettingsDialog(host.main_window())).open()

    def _add(self, job: Removal | Batch, accept: str) -> None:
        """Queue a job; `accept` is what agrees to its question."""
        job.asks.connect(lambda text: self._ask(job, text, accept))
        self._jobs.add(job)

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
        if job.is_stopped:
            # A box would keep Krita from quitting.
            return
        if isinstance(job, Batch):
            self._sum_up(job)
        elif isinstance(job, Removal):
            self._tell(job)

    def _tell(self, job: Removal) -> None:
        if job.state is State.CANCELLED:
            host.tell(job.text or _cancelled(job.answer.get("units", 0)))
        elif job.state is State.FAILED:
            self._complain(job)
        elif job.answer["full"]:
            self._box(words.FULL).open()
        elif job.answer["cached"]:
            host.tell(f"{_('Background removed.')} {words.FREE}")
        else:
            host.tell(_("Background removed."))

    def _complain(self, job: Removal) -> None:
        box = self._box(f"{job.title}\n\n{job.text}")
        self._offer_settings(box, job.kind)
        if job.kind == "pay_again":
            again = job.wish._replace(again=True)
            button = box.addButton(_("Pay again"), QtWidgets.QMessageBox.ButtonRole.ActionRole)
            button.clicked.connect(lambda: self._jobs.add(Removal(again)))
        box.open()

    def _offer_settings(self, box: Any, *kinds: str) -> None:
        if any(kind in SETTINGS for kind in kinds):
            button = box.addButton(_("Settings..."), QtWidgets.QMessageBox.ButtonRole.ActionRole)
            button.clicked.connect(self.settings)

    def _ask(self, job: Removal | Batch, text: str, accept: str) -> None:
        """Ask whether a job goes on. It may end before the answer."""
        box = self._box(text, CANCEL)
        button = box.addButton(accept, QtWidgets.QMessageBox.ButtonRole.AcceptRole)

        def answered() -> None:
            if box.clickedButton() != button:
                job.cancel()
                return
            if self._display is not None:
                self._display.show()
            job.go_on()

        box.finished.connect(answered)
        job.ended.connect(box.close)
        if self._display is not None:
            # Two windows in the same place.
            self._display.hide()
        box.open()

    def _sum_up(self, batch: Batch) -> None:
        if batch.state is State.CANCELLED and not batch.is_agreed:
            host.tell(words.UNPAID)
        else:
            box = self._box(batch.summary())
            self._offer_settings(box, batch.kind, *(picture.kind for picture in batch.pictures))
            box.open()

    def _box(self, text: str, default: Any = CLOSE) -> Any:
        return self._hold(Box(host.main_window(), text, default))

    def _hold(self, window: Any) -> Any:
        """Have a window for as long as it is shown. Qt has it too, but Python would take what it does for garbage."""
        self._windows = [other for other in self._windows if not sip.isdeleted(other)]
        self._windows.append(window)
        return window


def _cancelled(units: float) -> str:
    """What a removal has cost that was cancelled when nothing was asked of the worker, or when it had answered."""
    return words.has_cost(units) if units else words.UNPAID


def _options() -> Options:
    """What the user has chosen. Raises Refused where this Krita can't do it."""
    options = Options.read(host.setting)
    if options.result == AS_MASK and not host.takes_masks():
        raise host.Refused(NO_MASKS)
    return options
