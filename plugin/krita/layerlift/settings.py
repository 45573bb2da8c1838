"""The settings of the plug-in."""

from __future__ import annotations

from typing import Any

from . import host
from .account import Account
from .common.installed import version
from .common.language import _
from .common.options import AS_ALPHA, AS_MASK, ENGINES, Options
from .models import Models
from .paid import PaidWork
from .qt import QtCore, QtWidgets
from .questions import Questions
from .widgets import explained, label, mnemonic, paragraph, write

ENGINE_NAMES = {name: engine.explained for name, engine in ENGINES.items()}
RESULT_NAMES = {AS_ALPHA: _("New layer with transparency"), AS_MASK: _("New layer with a transparency mask")}


class SettingsDialog(QtWidgets.QDialog):
    """Asks for the preferences, which Krita keeps, and for the account's, which the worker keeps; OK keeps them."""

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self.setWindowTitle(_("Remove Background: Settings"))
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._said = paragraph()
        self._questions = Questions()
        self._questions.said.connect(lambda text: write(self._said, text))
        self.finished.connect(lambda result: self._questions.close())
        form = QtWidgets.QFormLayout(self)
        self._lay_out_preferences(form, Options.read(host.setting))
        self._account = Account(self._questions, self._engine.currentData)
        self._models = Models(self._questions)
        groups = (self._account, PaidWork(self._questions), self._models)
        for group in groups:
            group.setEnabled(False)
            self._questions.busy.connect(group.setDisabled)
        standard = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for widget in (*groups, self._said, label(f"Layerlift {version()}"), buttons):
            form.addRow(widget)

    def accept(self) -> None:
        """Keep what is chosen, and close; stay open and say why where the worker can't keep its part."""
        questions = self._questions
        if questions.is_ending or not (questions.is_gone or self._models.can_be_kept()):
            return
        if not questions.is_gone and any([part.keep() for part in (self._account, self._models)]):
            questions.finally_do(self._keep)
        else:
            self._keep()

    def _lay_out_preferences(self, form: Any, now: Options) -> None:
        self._engine = explained(
            _choice(ENGINE_NAMES, now.engine),
            _(
                "YouCam uploads the layer and charges 1 unit; the offline engine costs nothing,"
                " and nothing leaves this computer."
            ),
        )
        self._result = explained(
            _choice(RESULT_NAMES, now.result),
            _("A mask keeps all pixels of the layer, and you can correct the edges by painting on the mask."),
        )
        if not host.takes_masks():
            self._result.model().item(self._result.findData(AS_MASK)).setEnabled(False)
        self._clean = explained(
            QtWidgets.QCheckBox(_("Clea&n edge colours")),
            _("Takes the old background's colour out of hair and soft edges. Behind a mask, all colours stay."),
        )
        self._clean.setChecked(now.clean_edges)
        self._hide = explained(
            QtWidgets.QCheckBox(_("H&ide the original layer")),
            _("You see the result alone. The original stays in the picture, and Undo shows it again."),
        )
        self._hide.setChecked(now.hide_original)
        form.addRow(mnemonic(_("_Engine:")), self._engine)
        form.addRow(mnemonic(_("_Result:")), self._result)
        form.addRow(self._clean)
        form.addRow(self._hide)
        self._result.currentIndexChanged.connect(lambda index: self._grey())
        self._grey()

    def _grey(self) -> None:
        """What does nothing for the chosen result can't be changed."""
        self._clean.setEnabled(self._result.currentData() != AS_MASK)

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
