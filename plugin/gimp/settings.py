"""The settings of the plug-in: the account's, which the worker keeps, and the choices, which GIMP keeps."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from threading import Lock
from typing import Any, Callable

from choices import CLEAN_TIP, HIDE_TIP, RESULT_NAMES, RESULT_TIP, chosen, grey, remember, shown
from common import ways, words
from common.installed import version
from common.language import _
from common.options import ENGINES
from common.protocol import WorkerError
from common.worker import Worker
from gimpfu import PF_BUTTON, PF_LABEL, PF_OPTION, PF_PASSWORD, PF_TOGGLE, Form
from models import Models

WAIT = _("Loading settings...")
ASKING = ("test", "forget", "agree", "fetch", "clear")
"""What can't be used before the worker has answered."""


def show_settings() -> bool:
    """Show the settings, and keep what is changed; whether it was."""
    return Settings().run()


class Settings:
    """The window, and the worker that it asks. The worker starts when the window is there, and is asked one question
    after the other: what was entered before the first answers came stays."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._guard = Lock()
        self._has_agreed, self._refused = False, False
        self._models = Models(self._do)
        now = shown()
        rows = [
            (PF_LABEL, "shown", _("API key:"), WAIT),
            (PF_PASSWORD, "key", _("_New key:"), "", (), _("Paste the API key of your account. OK keeps it.")),
            (PF_BUTTON, "test", _("_Test"), self._test, (), _("Ask the service for your balance; nothing is kept")),
            (PF_BUTTON, "forget", _("_Forget Key"), self._forget, (), _("Remove the key from this computer")),
            (PF_BUTTON, "get", _("_Get an API Key"), _opening(ways.KEY_PAGE), (), ways.KEY_PAGE),
            (PF_BUTTON, "buy", _("_Buy Units"), _opening(ways.UNITS_PAGE), (), ways.UNITS_PAGE),
            (PF_TOGGLE, "agree", _("_Allow uploading layers that I choose"), False, (), _(
                "Your consent holds for GIMP, Krita and the command, until you take it back here. "
                "Each picture costs 1 unit."
            )),
            (PF_OPTION, "engine", _("_Engine:"), now["engine"], [engine.explained for engine in ENGINES.values()], _(
                "Which engine is chosen when a dialog opens"
            )),
            *self._models.rows(),
            (PF_OPTION, "result", _("Re_sult:"), now["result"], [_(name) for name in RESULT_NAMES], _(RESULT_TIP)),
            (PF_TOGGLE, "clean-edges", _("Clean edge colo_urs"), now["clean-edges"], (), _(CLEAN_TIP)),
            (PF_TOGGLE, "hide-original", _("_Hide the original layer"), now["hide-original"], (), _(HIDE_TIP)),
            (PF_LABEL, "jobs", _("Paid work:"), ""),
            (PF_BUTTON, "fetch", _("Fetch Resu_lts"), self._fetch, (), _(
                "Fetch what was paid for and has not come back; it is then free for the same pictures"
            )),
            (PF_BUTTON, "clear", _("_Delete Kept Results..."), self._clear, (), _(
                "Free the disk space; the same pictures then cost units again"
            )),
            (PF_LABEL, "version", "", f"Layerlift {version()}"),
        ]  # fmt: skip
        self._form = Form(_("Remove Background: Settings"), rows, {"keep": _("_OK")}, default="keep")
        self._form.on_show(lambda form: self._load())
        self._form.on_change(grey)
        grey(self._form)
        self._models.attach(self._form)

    def run(self) -> bool:
        """Show it until it is closed; whether what was changed is kept."""
        try:
            return self._form.run(lambda answer: self._keep()) is not None
        finally:
            if self._worker is not None:
                self._worker.close()

    def _load(self) -> None:
        for name in ASKING:
            self._form.enable(name, False)
        if self._do(lambda worker: worker.settings(), self._show, locks=False):
            self._form.enable("agree")
            self._do(lambda worker: worker.jobs(), self._show_jobs, locks=False)
            self._models.load()
            if self._form["shown"] != _("No key set."):
                self._do(lambda worker: worker.balance("youcam"), self._show_balance, locks=False)
            self._form.enable("test")

    def _do(
        self, work: Callable[[Worker], Any], take: Callable[[Any], None] = lambda answer: None, locks: bool = True
    ) -> bool:
        """Have the worker do something while the window can be closed; whether that went well."""

        def ask() -> Any:
            with self._guard:
                self._worker = self._worker or Worker({})
                return work(self._worker)

        try:
            take(self._form.call(ask, locks))
        except WorkerError as error:
            self._form.say(str(error))
            return False
        return True

    def _keep(self) -> bool:
        """Keep all; stay open and say why where the worker can't keep its part."""
        form, key, self._refused = self._form, self._form["key"].strip(), False
        if not self._models.keep():
            return False
        if key and (not self._do(lambda worker: worker.set_key(key), self._show_kept) or self._refused):
            return False
        agreed = form["agree"]
        if agreed != self._has_agreed and not self._do(lambda worker: worker.agree(agreed)):
            return False
        remember(chosen(form["result"], form["clean-edges"], form["hide-original"], form["engine"]))
        return True

    def _show(self, settings: dict[str, Any]) -> None:
        form = self._form
        form["shown"] = words.key(settings)
        form.say(settings["key_error"] or "")
        place = settings["key_place"]
        form.enable("key", place != "environment")
        form.enable("forget", place not in (None, "environment"))
        if form["agree"] == self._has_agreed:
            form["agree"] = settings["agreed"]
        self._has_agreed = settings["agreed"]

    def _show_kept(self, settings: dict[str, Any]) -> None:
        """The window stays open where the keyring did not take it: that is to be read."""
        self._show(settings)
        self._form["key"], self._refused = "", bool(settings["key_error"])

    def _show_balance(self, answer: dict[str, Any]) -> None:
        self._form.say(words.tested(answer))

    def _show_jobs(self, counts: dict[str, Any]) -> None:
        self._form["jobs"] = words.jobs(counts)
        self._form.enable("fetch", counts["ready"] > 0)
        self._form.enable("clear", counts["kept"] > 0)

    def _test(self, form: Any) -> None:
        key, engine = form["key"].strip(), list(ENGINES)[form["engine"]]
        form.say(_("Asking..."))
        self._do(lambda worker: worker.balance("youcam" if key else engine, key), self._show_balance)

    def _forget(self, form: Any) -> None:
        self._do(lambda worker: worker.set_key(None), self._show)

    def _fetch(self, form: Any) -> None:
        form.say(_("Asking..."))
        if self._do(lambda worker: worker.jobs("fetch"), lambda counts: form.say(words.fetched(counts))):
            self._do(lambda worker: worker.jobs(), self._show_jobs)

    def _clear(self, form: Any) -> None:
        from questions import choose

        if choose(words.CLEAR, {"clear": _("_Delete")}) == "clear":
            self._do(lambda worker: worker.jobs("clear"), self._show_jobs)


def _opening(page: str) -> Callable[[Any], None]:
    def open_page(form: Any) -> None:
        import webbrowser  # slow to load

        webbrowser.open(page)

    return open_page
