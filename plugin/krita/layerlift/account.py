"""What only the worker keeps: the API key and the consent to uploads; and a test of the connection."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable

from .common import words
from .common.language import _
from .qt import QtCore, QtWidgets
from .worker import Worker

PLACES = {
    "keyring": _("{key}, kept in the system's keyring"),
    "file": _("{key}, kept in a file that only you can read"),
    "environment": _("{key}, from YOUCAM_API_KEY of the environment, which comes first"),
}

Answer = Callable[["dict[str, Any]"], None]


class Account(QtWidgets.QGroupBox):
    """Shows and changes them. The worker is asked one question after the other, and Krita's window answers meanwhile.

    Args:
        engine: tells which engine the connection is tested with.
    """

    def __init__(self, engine: Callable[[], str]) -> None:
        super().__init__(_("YouCam account"))
        self._engine = engine
        self._questions: deque[tuple[str, dict[str, Any], Answer]] = deque()
        self._then: Callable[[], None] | None = None
        self._has_agreed = False
        self._gone = False
        self._lay_out()
        self.setEnabled(False)
        self._say(_("Loading settings..."))
        self._worker = Worker()
        self._worker.ready.connect(lambda folder: self._ask("settings", self._show))
        self._worker.answered.connect(self._answered)
        self._worker.failed.connect(self._failed)
        self._worker.start()

    def keep(self, then: Callable[[], None]) -> None:
        """Keep a key that was typed and a consent that was changed. `then` is called unless that fails."""
        agreed = self._agreed.isChecked()
        if self._gone or not (self._key.text().strip() or agreed != self._has_agreed):
            then()
            return
        self._then = then
        self._set_key()
        if agreed != self._has_agreed:
            self._ask("agree", lambda answer: self._remember(agreed), agreed=agreed)

    def close_worker(self) -> None:
        """Ask no more."""
        self._worker.close()

    def _lay_out(self) -> None:
        self._shown, self._said = QtWidgets.QLabel(), QtWidgets.QLabel()
        for label in (self._shown, self._said):
            label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._key = QtWidgets.QLineEdit()
        self._key.setEchoMode(QtWidgets.QLineEdit.EchoMode.Password)
        self._key.setPlaceholderText(_("New key"))
        self._set = self._button(_("Set"), self._set_key)
        self._set.setEnabled(False)
        self._key.textChanged.connect(lambda text: self._set.setEnabled(bool(text.strip())))
        self._forget = self._button(_("Forget"), lambda: self._ask("key", self._show, key=None))
        self._agreed = QtWidgets.QCheckBox()
        grid = QtWidgets.QGridLayout(self)
        grid.addWidget(QtWidgets.QLabel(_("API key:")), 0, 0)
        grid.addWidget(self._shown, 0, 1)
        grid.addWidget(self._forget, 0, 2)
        grid.addWidget(self._key, 1, 1)
        grid.addWidget(self._set, 1, 2)
        grid.addWidget(self._agreed, 2, 0, 1, 3)
        grid.addWidget(self._button(_("Test Connection"), self._test), 3, 2)
        grid.addWidget(self._said, 4, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def _button(self, text: str, slot: Callable[[], None]) -> Any:
        button = QtWidgets.QPushButton(text)
        # Else the first one would be what Enter presses.
        button.setAutoDefault(False)
        button.clicked.connect(lambda checked: slot())
        return button

    def _set_key(self) -> None:
        key = self._key.text().strip()
        self._key.clear()
        if key:
            self._ask("key", self._show, key=key)

    def _test(self) -> None:
        self._set_key()
        self._ask("balance", self._show_balance, engine=self._engine())

    def _show(self, settings: dict[str, Any]) -> None:
        place = settings["key_place"]
        nothing = _("It could not be read.") if settings["key_error"] else _("No key set.")
        self._shown.setText(PLACES.get(place, "{key}").format(key=settings["key"]) if place else nothing)
        if settings["key_error"]:
            self._say(settings["key_error"])
            # The dialog stays open, so that it is read.
            self._then = None
        self._key.setEnabled(place != "environment")
        self._forget.setEnabled(place not in (None, "environment"))
        agreed = _("Allow uploading layers I choose to {host} (1 unit each)")
        self._agreed.setText(agreed.format(host=settings["host"]))
        self._remember(settings["agreed"])

    def _remember(self, agreed: bool) -> None:
        # What was changed in the dialog and is not kept yet stays as it is.
        if self._agreed.isChecked() == self._has_agreed:
            self._agreed.setChecked(agreed)
        self._has_agreed = agreed

    def _show_balance(self, answer: dict[str, Any]) -> None:
        if answer["host"] is None:
            self._say(_("The offline engine works. Nothing leaves this computer."))
        else:
            answers = _("{host} answers.").format(host=answer["host"])
            self._say(f"{answers} {words.balance(answer['units'])}")

    def _say(self, text: str) -> None:
        self._said.setText(text)
        # A dialog grows for the smallest heights of its parts, not for the lines of a text.
        self._said.setMinimumHeight(self._said.heightForWidth(self._said.width()))

    def _ask(self, kind: str, take: Answer, **fields: Any) -> None:
        self._questions.append((kind, fields, take))
        if len(self._questions) == 1:
            self._say("")
            self._send()

    def _send(self) -> None:
        kind, fields, _take = self._questions[0]
        self.setEnabled(False)
        if kind == "balance":
            self._say(_("Asking..."))
        self._worker.ask(kind, **fields)

    def _answered(self, answer: dict[str, Any]) -> None:
        take = self._questions.popleft()[-1]
        take(answer)
        if self._questions:
            self._send()
            return
        self.setEnabled(True)
        if self._then is not None:
            self._then()

    def _failed(self, kind: str, text: str, asked: str) -> None:
        self._questions.clear()
        self._then = None
        self._gone = not asked
        self.setEnabled(not self._gone)
        self._say(text)
