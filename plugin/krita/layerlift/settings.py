"""The settings of the plug-in."""

from __future__ import annotations

from typing import Any

from . import host
from .account import Account
from .common.installed import version
from .common.language import _
from .common.options import AS_ALPHA, AS_MASK, ENGINES, Options
from .qt import QtCore, QtWidgets

ENGINE_NAMES = {name: engine.explained for name, engine in ENGINES.items()}
RESULT_NAMES = {AS_ALPHA: _("New layer with transparency"), AS_MASK: _("New layer with a transparency mask")}


class SettingsDialog(QtWidgets.QDialog):
    """Asks for the preferences, which Krita keeps, and for the account's, which the worker keeps; OK keeps them."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self.setWindowTitle(_("Remove Background: Settings"))
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        now = Options.read(host.setting)
        self._engine = _choice(ENGINE_NAMES, now.engine)
        self._result = _choice(RESULT_NAMES, now.result)
        if not host.takes_masks():
            self._result.model().item(self._result.findData(AS_MASK)).setEnabled(False)
        self._clean = QtWidgets.QCheckBox(_("Clean edge colours"))
        self._clean.setChecked(now.clean_edges)
        self._hide = QtWidgets.QCheckBox(_("Hide the original layer"))
        self._hide.setChecked(now.hide_original)
        self._account = Account(self._engine.currentData)
        self.finished.connect(lambda result: self._account.close_worker())
        standard = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QtWidgets.QFormLayout(self)
        form.addRow(_("Engine:"), self._engine)
        form.addRow(_("Result:"), self._result)
        for widget in (self._clean, self._hide, self._account, QtWidgets.QLabel(f"Layerlift {version()}"), buttons):
            form.addRow(widget)

    def accept(self) -> None:
        """Keep what is chosen, and close; stay open and say why where the worker can't keep its part."""
        self._account.keep(self._keep)

    def _keep(self) -> None:
        Options(
            self._engine.currentData(),
            self._result.currentData(),
            self._clean.isChecked(),
            self._hide.isChecked(),
        ).write(host.keep)
        super().accept()


def _choice(names: dict[str, str], current: str) -> Any:
    box = QtWidgets.QComboBox()
    for value, name in names.items():
        box.addItem(name, value)
    box.setCurrentIndex(box.findData(current))
    return box
