"""The plug-in's actions, and what the user is asked and told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Iterable

from krita import Extension

from . import host
from .balance import Balance
from .batch import Batch, Offer
from .boxes import CANCEL, CLOSE, Box
from .choice import Choice
from .common import tasks, ways, words
from .common.language import _
from .common.options import AS_MASK, Options
from .common.report import REPORTED, report
from .continuing import TaskDialog
from .display import Display
from .jobs import Job, Jobs, State
from .places import active_place
from .qt import QtCore, QtGui, QtWidgets, sip
from .removal import Removal, Wish
from .settings import SettingsDialog
from .taskjob import TaskJob
from .widgets import mnemonic, open_page

REMOVE_TIP = _("Put the subject of each selected layer on a new layer without the background")
REMOVE_ALL_TIP = _("Put the subject of each open document's active layer on a new layer without the background")
CONTINUE_TIP = _("Have the service make something else of the active layer, on a new layer above it")
CLEAN_PLATE_TIP = _("Put the picture without its subject on a new layer beneath the cut-out")
NEW_BACKGROUND_TIP = _("Put another background on a new layer beneath the cut-out")
SETTINGS_TIP = _("Engine, API key, result, consent and paid work of Remove Background")
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
        self._balances: list[Balance] = []

    def setup(self) -> None:
        """Called by Krita once at its start."""
        # Before Krita quits: a window that a job opened now would keep it from that.
        QtWidgets.QApplication.instance().lastWindowClosed.connect(self._stop)

    def createActions(self, window: Any) -> None:
        """Called by Krita for each of its main windows."""
        menu = QtWidgets.QMenu(_("Remove Background"), window.qwindow())
        window.createAction("layerlift_menu", _("Remove Background"), "tools").setMenu(menu)
        # What Python has of the path may not be the text that Qt needs.
        icon = QtGui.QIcon(os.fsencode(Path(__file__).with_name("layerlift.svg")).decode("utf-8"))
        for name, text, tip, slot in (
            ("layerlift_remove", _("Remove &Background of Layer"), REMOVE_TIP, self.remove),
            ("layerlift_remove_all", _("Remove Backgrounds of &All Documents"), REMOVE_ALL_TIP, self.remove_all),
            ("layerlift_continue", _("&Continue With..."), CONTINUE_TIP, lambda: self.choose_task(tasks.CONTINUE)),
            (
                "layerlift_clean_plate", _("Clean &Plate..."), CLEAN_PLATE_TIP,
                lambda: self.choose_task(tasks.CLEAN_PLATE),
            ),
            (
                "layerlift_new_background", _("&New Background..."), NEW_BACKGROUND_TIP,
                lambda: self.choose_task(tasks.NEW_BACKGROUND),
            ),
            ("layerlift_settings", _("&Settings..."), SETTINGS_TIP, self.settings),
        ):  # fmt: skip
            action = window.createAction(name, text, "tools/layerlift_menu")
            # Krita 6 puts it in the alphabet's order; once more, it is the last.
            menu.addAction(action)
            action.setToolTip(tip)
            action.setStatusTip(tip)
            action.triggered.connect(slot)
            if name == "layerlift_remove":
                action.setIcon(icon)

    def remove(self) -> None:
        """Queue the active layer, or all that are selected as one job. Each cut-out is an undo step: Krita lets no
        plug-in make one of several."""
        try:
            options = _options()
            layers = host.selected_layers()
            if len(layers) > 1:
                self._add_batch(layers, options, host.active_name())
            else:
                self._add(Removal(Wish(host.active_layer(), options)))
        except host.Refused as refused:
            self._box(str(refused)).open()

    def remove_all(self) -> None:
        """Queue the active layers of all documents, as one job."""
        try:
            options = _options()
            sources = host.open_documents()
            if not sources:
                raise host.Refused(host.NO_PICTURE)
            self._add_batch(sources, options, _("All open documents"))
        except host.Refused as refused:
            self._box(str(refused)).open()

    def choose_task(self, kind: str) -> None:
        """Ask for one of the service's other tasks, of a kind that `tasks` has, and queue it for the active layer."""
        try:
            dialog = self._hold(TaskDialog(host.main_window(), kind, active_place(kind)))
        except host.Refused as refused:
            self._box(str(refused)).open()
            return
        dialog.chosen.connect(lambda wish: self._add(TaskJob(wish)))
        dialog.asks_settings.connect(self.settings)
        dialog.open()

    def settings(self) -> None:
        """Open the settings."""
        self._hold(SettingsDialog(host.main_window())).open()

    def _stop(self) -> None:
        self._jobs.stop()
        while self._balances:
            self._balances.pop().stop()

    def _add(self, job: Removal | TaskJob) -> None:
        job.asks.connect(lambda text, is_consent: self._ask(job, text, is_consent))
        self._jobs.add(job)

    def _add_batch(self, sources: list[host.Source], options: Options, title: str) -> None:
        job = Batch(sources, options, title)
        job.asks.connect(lambda offer: self._ask_which(job, offer))
        self._jobs.add(job)

    def _started(self) -> None:
        if self._display is None:
            self._display = Display(self._jobs, host.main_window())
            self._display.destroyed.connect(self._forget_display)
        self._display.show_first()

    def _forget_display(self) -> None:
        self._display = None

    def _ended(self, job: Job) -> None:
        if self._display is not None and not len(self._jobs):
            self._display.hide()
        if job.is_stopped:
            # A box would keep Krita from quitting.
            return
        if isinstance(job, Batch):
            self._sum_up(job)
        elif isinstance(job, (Removal, TaskJob)):
            self._tell(job)

    def _tell(self, job: Removal | TaskJob) -> None:
        layer, answer = job.wish.layer, job.answer
        if job.state is State.CANCELLED:
            said = job.text or _cancelled(answer.get("units", 0))
            host.tell(said if layer.is_in_front() else f"{layer.document_name}: {said}")
        elif job.state is State.FAILED:
            self._complain(job)
        else:
            self._ask_balance(job, answer["units"], lambda left: host.tell(job.outcome(left)))
            if isinstance(job, Removal) and (advice := _advice(answer["full"], answer["advise_key"])):
                self._tell_in_box("\n\n".join(advice), answer["advise_key"])

    def _ask_balance(self, job: Job, units: float, then: Callable[[float | None], None]) -> None:
        """Do something with what the account has left, which is only asked for where it has paid."""
        if not units:
            then(None)
            return

        def known(left: float | None) -> None:
            self._balances.remove(balance)
            balance.deleteLater()
            then(left)

        balance = Balance(job.hand_over(), known)
        self._balances.append(balance)

    def _complain(self, job: Removal | TaskJob) -> None:
        def act(way: str) -> None:
            try:
                self._add(job.by(way))
            except host.Refused as refused:
                self._box(str(refused)).open()

        box = self._box(f"{job.title}\n\n{job.text}")
        self._offer(box, job.ways_out, act, job.kind in REPORTED)
        box.open()

    def _sum_up(self, batch: Batch) -> None:
        if batch.state is State.CANCELLED and not batch.is_agreed:
            host.tell(words.UNPAID)
            return

        def act(way: str) -> None:
            engine = "offline" if way == ways.OFFLINE else batch.options.engine
            self._add_batch(batch.left(), batch.options._replace(engine=engine), batch.title)

        def sum_up(left: float | None) -> None:
            said = "\n\n".join([batch.summary(left), *_advice(False, batch.advises_key)])
            box = self._box(said)
            kinds = [batch.kind, *(picture.kind for picture in batch.pictures)]
            found = ways.out_of_all(kinds, batch.options.engine)
            if batch.advises_key:
                found = tuple(dict.fromkeys((ways.SETTINGS, *found)))
            self._offer(box, found, act, any(kind in REPORTED for kind in kinds))
            box.open()

        self._ask_balance(batch, batch.units, sum_up)

    def _offer(self, box: Any, found: Iterable[str], act: Callable[[str], None], is_reported: bool = False) -> None:
        """Add the ways out to a box; `act` is given those that are of its job alone."""
        own: dict[str, Callable[[], object]] = {
            ways.SETTINGS: self.settings,
            ways.BUY: lambda: open_page(ways.UNITS_PAGE),
        }
        for way in found:
            button = box.offer(mnemonic(ways.LABELS[way]), stays=way == ways.BUY)
            button.clicked.connect(lambda checked, way=way: own.get(way, lambda: act(way))())
        if is_reported:
            text = box.text()
            button = box.offer(_("Copy &Report"), stays=True)
            button.clicked.connect(lambda checked: _copy_report(text))

    def _tell_in_box(self, text: str, offers_settings: bool) -> None:
        box = self._box(text)
        self._offer(box, [ways.SETTINGS] if offers_settings else [], lambda way: None)
        box.open()

    def _ask(self, job: Removal | TaskJob, text: str, is_consent: bool) -> None:
        """Ask whether a job goes on. It may end before the answer."""
        box = self._box(text, CANCEL)
        texts = job.consents if is_consent else {"": _("_Remove Background")}
        role = QtWidgets.QMessageBox.ButtonRole.AcceptRole
        answers = [(box.offer(mnemonic(text), role), consent) for consent, text in texts.items()]

        def answered() -> None:
            consent = next((consent for button, consent in answers if button == box.clickedButton()), None)
            self._answer(job, consent)

        box.finished.connect(answered)
        self._show_question(job, box)

    def _ask_which(self, job: Batch, offer: Offer) -> None:
        """Ask which pictures a batch goes on with. It may end before the answer."""
        window = self._hold(Choice(host.main_window(), offer))

        def answered(consent: str) -> None:
            job.choose(window.chosen)
            self._answer(job, consent)

        window.answered.connect(answered)
        window.rejected.connect(lambda: self._answer(job, None))
        self._show_question(job, window)

    def _answer(self, job: Removal | Batch | TaskJob, consent: str | None) -> None:
        """The user agrees, by one of ways.CONSENT where that was asked for, or does not (None)."""
        if consent is None:
            job.cancel()
        else:
            job.go_on(consent)
        if self._display is not None:
            self._display.show_first()

    def _show_question(self, job: Job, window: Any) -> None:
        job.ended.connect(window.close)
        if self._display is not None:
            # Two windows in the same place.
            self._display.hide()
        window.open()

    def _box(self, text: str, default: Any = CLOSE) -> Any:
        return self._hold(Box(host.main_window(), text, default))

    def _hold(self, window: Any) -> Any:
        """Have a window for as long as it is shown. Qt has it too, but Python would take what it does for garbage."""
        self._windows = [other for other in self._windows if not sip.isdeleted(other)]
        self._windows.append(window)
        return window


def _copy_report(text: str) -> None:
    programs = f"Krita {host.version()}", f"Qt {QtCore.qVersion()}"
    QtWidgets.QApplication.clipboard().setText(report(text, *programs))
    host.tell(_("The report is on the clipboard."))


def _cancelled(units: float) -> str:
    """What a removal has cost that was cancelled when nothing was asked of the worker, or when it had answered."""
    return words.has_cost(units) if units else words.UNPAID


def _advice(is_full: bool, advises_key: bool) -> list[str]:
    """What is worth a box when a removal is done."""
    return [words.FULL] * is_full + [words.ADVICE] * advises_key


def _options() -> Options:
    """What the user has chosen. Raises Refused where this Krita can't do it."""
    options = Options.read(host.setting)
    if options.result == AS_MASK and not host.takes_masks():
        raise host.Refused(NO_MASKS)
    return options
