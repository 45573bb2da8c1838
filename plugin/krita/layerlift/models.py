"""The offline models, which only the worker keeps: which are here, which one is used, and fetching one."""

from __future__ import annotations

from typing import Any

from .common import words
from .common.language import _
from .common.options import ENGINES
from .qt import QtWidgets
from .questions import Questions
from .widgets import button, explained, label, mnemonic, paragraph, write


class Models(QtWidgets.QGroupBox):
    """Shows them, fetches and removes them; the choice is kept by `keep`."""

    def __init__(self, questions: Questions) -> None:
        super().__init__(_("Offline engine"))
        self._questions = questions
        self._found: dict[str, Any] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self._fetched = ""
        self._lay_out()
        questions.advanced.connect(self._show_progress)
        questions.ask_in_background("models", self._show, lambda text: write(self._about, text))

    def can_be_kept(self) -> bool:
        """Whether what is chosen is here; the user is told where it is not."""
        name = self._list.currentData()
        if not self._is_changed() or name not in self._models or self._models[name]["installed"]:
            return True
        self._questions.said.emit(
            _("{model} is not fetched yet. Fetch it, or choose another model.").format(model=words.short(name))
        )
        return False

    def keep(self) -> bool:
        """Keep a choice that was changed; whether it was."""
        is_changed = self._is_changed()
        if is_changed:
            self._questions.ask("use_model", self._show, name=self._list.currentData())
        return is_changed

    def _lay_out(self) -> None:
        self._list = explained(
            QtWidgets.QComboBox(),
            _("The offline engine makes its cut-outs with this model. OK keeps the choice."),
        )
        self._list.currentIndexChanged.connect(lambda index: self._tell())
        self._about, self._told = paragraph(), paragraph()
        self._fetch = button(
            mnemonic(_("Fetch Model No_w")),
            self._begin,
            _("Downloads the chosen model, once. Nothing is downloaded unless you press this."),
        )
        self._stop = button(
            mnemonic(_("Sto_p Fetching")),
            self._end,
            _("What has arrived is kept, and the next fetch goes on there."),
        )
        self._remove = button(
            mnemonic(_("Remo_ve Model")),
            self._forget,
            _("Removes the chosen model from this computer. You can fetch it again."),
        )
        name = label(mnemonic(_("Offline _model:")))
        name.setBuddy(self._list)
        column, top, row = QtWidgets.QVBoxLayout(self), QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        top.addWidget(name)
        top.addWidget(self._list, 1)
        for widget in (self._fetch, self._stop, self._remove):
            row.addWidget(widget)
        row.addStretch()
        column.addLayout(top)
        column.addWidget(self._about)
        column.addLayout(row)
        column.addWidget(self._told)
        self._tell()

    def _is_changed(self) -> bool:
        return bool(self._found) and self._list.currentData() != self._found["chosen"]

    def _show(self, found: dict[str, Any]) -> None:
        # What was chosen in the dialog and is not kept yet stays as it is.
        self._fill(found, self._list.currentData() if self._is_changed() else found["chosen"])

    def _fill(self, found: dict[str, Any], chosen: str) -> None:
        self._found = found
        self._models = {model["name"]: model for model in found["models"]}
        self._list.blockSignals(True)
        self._list.clear()
        self._list.addItem(_(ENGINES[words.AUTOMATIC].name), words.AUTOMATIC)
        for name, model in self._models.items():
            self._list.addItem(words.model(model), name)
        if found["chosen"] != words.AUTOMATIC and found["chosen"] not in self._models:
            self._list.addItem(words.short(found["chosen"]), found["chosen"])
        self._list.setCurrentIndex(max(0, self._list.findData(chosen)))
        self._list.blockSignals(False)
        self._tell()

    def _tell(self) -> None:
        """What is chosen, and what can be done with it."""
        name = self._list.currentData()
        model = self._models.get(name)
        self._list.setEnabled(bool(self._found))
        self._fetch.setEnabled(model is not None and not model["installed"] and not self._fetched)
        self._stop.setEnabled(bool(self._fetched))
        self._remove.setEnabled(model is not None and model["installed"] and not model["built_in"])
        if self._found:
            write(self._about, words.about_model(self._found, name))

    def _begin(self) -> None:
        self._fetched = name = self._list.currentData()
        self._questions.said.emit("")
        write(self._told, _("Fetching..."))
        self._questions.ask_beside("fetch_model", self._show_fetched, self._show_stopped, name=name)
        self._tell()

    def _end(self) -> None:
        self._questions.take_back("fetch_model")
        self._stop.setEnabled(False)

    def _show_progress(self, text: str) -> None:
        write(self._told, words.fetching(self._fetched, text))

    def _show_fetched(self, found: dict[str, Any]) -> None:
        write(self._told, _("The model {name} is installed.").format(name=words.short(self._fetched)))
        self._fetched = ""
        self._show(found)

    def _show_stopped(self, text: str) -> None:
        self._fetched = ""
        write(self._told, text or words.FETCH_STOPPED)
        self._tell()

    def _forget(self) -> None:
        name = self._list.currentData()
        self._questions.ask("forget_model", lambda found: self._show_removed(name, found), name=name)

    def _show_removed(self, name: str, found: dict[str, Any]) -> None:
        # What is no longer here can't be kept as the choice.
        self._fill(found, found["chosen"])
        self._questions.said.emit(_("The model {name} is removed.").format(name=words.short(name)))
