"""The user's account, which only the worker knows: the API key, the balance, the consent to uploads."""

from __future__ import annotations

from typing import Any, Callable

from .common import ways, words
from .common.language import _
from .qt import QtWidgets
from .questions import Questions
from .widgets import button, explained, label, mnemonic, open_page


class Account(QtWidgets.QGroupBox):
    """Shows and changes it.

    Args:
        engine: tells which engine the connection is tested with, where no key is typed.
    """

    def __init__(self, questions: Questions, engine: Callable[[], str]) -> None:
        super().__init__(_("YouCam account"))
        self._questions, self._engine = questions, engine
        self._has_agreed = False
        self._lay_out()
        self._questions.ask("settings", self._show, _("Loading settings..."))

    def keep(self) -> bool:
        """Keep a key that was typed and a consent that was changed; whether there is any."""
        agreed = self._agreed.isChecked()
        is_changed = agreed != self._has_agreed
        if is_typed := bool(self._key.text().strip()):
            self._set_key()
        if is_changed:
            self._questions.ask("agree", lambda answer: self._remember(agreed), agreed=agreed)
        return is_typed or is_changed

    def _lay_out(self) -> None:
        self._shown, self._balance = label(), label()
        self._key = explained(
            QtWidgets.QLineEdit(),
            _("Paste a key from your account. Set or OK keeps it; Test Connection only tries it."),
        )
        self._key.setEchoMode(QtWidgets.QLineEdit.EchoMode.Password)
        self._key.setPlaceholderText(_("New key"))
        self._set = button(
            _("&Set"),
            self._set_key,
            _("Keeps the typed key in the system's keyring, or else in a file that only you can read."),
        )
        self._set.setEnabled(False)
        self._key.textChanged.connect(lambda text: self._set.setEnabled(bool(text.strip())))
        self._forget = button(
            _("&Forget"),
            lambda: self._questions.ask("key", self._show, key=None),
            _("Removes the key from this computer. It stays valid in your account."),
        )
        test = button(
            _("&Test Connection"),
            self._test,
            _("Asks for your balance, with the typed key where there is one. That costs nothing and keeps nothing."),
        )
        self._agreed = explained(
            QtWidgets.QCheckBox(),
            _("Without this you are asked each time, and nothing leaves this computer until you agree."),
        )
        name = label(_("API &key:"))
        name.setBuddy(self._key)
        grid = QtWidgets.QGridLayout(self)
        for row, parts in enumerate(((name, self._shown, self._forget), (None, self._key, self._set))):
            for column, part in enumerate(parts):
                if part is not None:
                    grid.addWidget(part, row, column)
        grid.addWidget(self._balance, 2, 1)
        grid.addWidget(test, 2, 2)
        grid.addWidget(self._agreed, 3, 0, 1, 3)
        grid.addLayout(_links(), 4, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def _set_key(self) -> None:
        key = self._key.text().strip()
        self._key.clear()
        if key:
            self._questions.ask("key", self._show, key=key)

    def _test(self) -> None:
        key = self._key.text().strip()
        if key:
            self._questions.ask("balance", self._show_test, _("Asking..."), engine="youcam", key=key)
        else:
            self._questions.ask("balance", self._show_test, _("Asking..."), engine=self._engine())

    def _show_test(self, answer: dict[str, Any]) -> None:
        self._questions.said.emit(words.tested(answer))

    def _show(self, settings: dict[str, Any]) -> None:
        place = settings["key_place"]
        self._shown.setText(words.key(settings))
        if settings["key_error"]:
            self._questions.stay()
            self._questions.said.emit(settings["key_error"])
        self._key.setEnabled(place != "environment")
        self._forget.setEnabled(place not in (None, "environment"))
        agreed = _("A&llow uploading layers I choose to {host} (1 unit each)")
        self._agreed.setText(agreed.format(host=settings["host"]))
        self._remember(settings["agreed"])
        self._balance.clear()
        if place:
            self._questions.ask_in_background("balance", self._show_balance, self._know_no_balance, engine="youcam")

    def _remember(self, agreed: bool) -> None:
        # What was changed in the dialog and is not kept yet stays as it is.
        if self._agreed.isChecked() == self._has_agreed:
            self._agreed.setChecked(agreed)
        self._has_agreed = agreed

    def _show_balance(self, answer: dict[str, Any]) -> None:
        self._balance.setText(words.balance(answer["units"]))

    def _know_no_balance(self, text: str) -> None:
        self._balance.setText(words.balance(None))


def _links() -> Any:
    """To the pages where the user gets what is needed here."""
    row = QtWidgets.QHBoxLayout()
    row.addWidget(
        button(
            mnemonic(_("_Get an API Key")),
            lambda: open_page(ways.KEY_PAGE),
            _("Opens the page of the service in your browser where you make a key."),
        )
    )
    row.addWidget(
        button(
            mnemonic(ways.LABELS[ways.BUY]),
            lambda: open_page(ways.UNITS_PAGE),
            _("Opens the prices of the service in your browser. A removal costs 1 unit."),
        )
    )
    row.addStretch()
    return row
