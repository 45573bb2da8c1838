"""The settings of the plug-in."""

from __future__ import annotations

from typing import Any

from . import bridge, host
from .account import Account
from .preferences import AS_MASK, ENGINES, RESULTS, Preferences
from .qt import QtCore, QtWidgets

ENGINE_NAMES = ("Automatic: YouCam where a key is set, else offline", "YouCam service", "Offline engine, a quick draft")
RESULT_NAMES = ("New layer with transparency", "New layer with a transparency mask")


class SettingsDialog(QtWidgets.QDialog):
    """Asks for the preferences, which Krita keeps, and for the account's, which the worker keeps; OK keeps them."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self.setWindowTitle("Remove Background: Settings")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        now = Preferences.read(host.setting)
        self._engine = _choice(ENGINE_NAMES, ENGINES.index(now.engine))
        self._result = _choice(RESULT_NAMES, RESULTS.index(now.result))
        if not host.takes_masks():
            self._result.model().item(RESULTS.index(AS_MASK)).setEnabled(False)
        self._clean = QtWidgets.QCheckBox("Give soft edges the subject's own colours")
        self._clean.setChecked(now.clean_edges)
        self._hide = QtWidgets.QCheckBox("Hide the original layer")
        self._hide.setChecked(now.hide_original)
        self._account = Account(lambda: ENGINES[self._engine.currentIndex()])
        self.finished.connect(lambda result: self._account.close_worker())
        standard = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QtWidgets.QFormLayout(self)
        form.addRow("Engine:", self._engine)
        form.addRow("Result:", self._result)
        version = QtWidgets.QLabel(f"Layerlift {bridge.version()}")
        for widget in (self._clean, self._hide, self._account, version, buttons):
            form.addRow(widget)

    def accept(self) -> None:
        """Keep what is chosen, and close; stay open and say why where the worker can't keep its part."""
        self._account.keep(self._keep)

    def _keep(self) -> None:
        Preferences(
            ENGINES[self._engine.currentIndex()],
            RESULTS[self._result.currentIndex()],
            self._clean.isChecked(),
            self._hide.isChecked(),
        ).write(host.keep)
        super().accept()


def _choice(names: tuple[str, ...], current: int) -> Any:
    box = QtWidgets.QComboBox()
    box.addItems(names)
    box.setCurrentIndex(current)
    return box
