"""The rows of the settings for the offline engine's models: which one is used, and fetching and removing them."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

import contextlib
from typing import Any, Callable

from common import words
from common.language import _
from common.protocol import WorkerError
from common.worker import Worker
from gimpfu import PF_BUTTON, PF_LABEL, PF_OPTION


class Models:
    """The rows, in a form that is attached to them.

    Args:
        ask: has the window's worker do something, and what is given take the answer; whether that went well.
    """

    def __init__(self, ask: Callable[..., bool]) -> None:
        self._ask = ask
        self._form: Any = None
        self._names = [words.AUTOMATIC]
        self._answer: dict[str, Any] = {"chosen": words.AUTOMATIC, "models": []}
        self._fetch: Fetch | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """What they are, for the form."""
        return [
            (PF_OPTION, "model", _("Offline _model:"), 0, [_("Automatic")], _(
                "The model that the offline engine finds the subject with; OK keeps the choice"
            )),
            (PF_LABEL, "about-model", "", ""),
            (PF_BUTTON, "fetch-model", _("Fetch Model No_w"), self._start, (), _("Download it to this computer, once")),
            (PF_BUTTON, "remove-model", _("Remo_ve Model"), self._remove, (), _(
                "Free the disk space; it can be fetched again"
            )),
            (PF_BUTTON, "stop-model", _("Sto_p Fetching"), self._stop, (), _(
                "What has arrived is kept, and the next fetch goes on there"
            )),
            (PF_LABEL, "fetching", "", ""),
        ]  # fmt: skip

    def attach(self, form: Any) -> None:
        """Show them in a form, which has the rows; they can be used once the worker has told of the models."""
        self._form = form
        form.enable("model", False)
        form.on_change(self._show_chosen)
        self._show_chosen(form)

    def load(self) -> None:
        """Ask which models there are."""
        self._ask(lambda worker: worker.models(), self._show, locks=False)

    def keep(self) -> bool:
        """Keep the choice; say why where that can't be."""
        name, found = self._name, self._found
        if name == self._answer["chosen"]:
            return True
        if found is not None and not found["installed"]:
            self._form.say(_("{model} is not fetched yet. Fetch it, or choose another model.").format(model=name))
            return False
        return self._ask(lambda worker: worker.models("use_model", name), self._show)

    @property
    def _name(self) -> str:
        """What is chosen in the list."""
        position: int = self._form["model"]
        return self._names[position]

    @property
    def _found(self) -> dict[str, Any] | None:
        """The model that is chosen in the list; None where that is none of the table's."""
        return next((model for model in self._answer["models"] if model["name"] == self._name), None)

    def _show(self, answer: dict[str, Any], name: str = "") -> None:
        """Show what the worker has told, and in the list this model, or else the one that is used."""
        form, chosen = self._form, answer["chosen"]
        names = [words.AUTOMATIC, *(model["name"] for model in answer["models"])]
        labels = [_("Automatic"), *map(words.model, answer["models"])]
        if chosen not in names:
            names.append(chosen)
            labels.append(words.short(chosen))
        self._names, self._answer = names, answer
        form.offer("model", labels)
        form["model"] = names.index(name if name in names else chosen)
        form.enable("model")
        self._show_chosen(form)

    def _show_chosen(self, form: Any) -> None:
        found = self._found
        is_here = found is not None and found["installed"]
        form["about-model"] = words.about_model(self._answer, self._name) if len(self._names) > 1 else ""
        form.enable("fetch-model", found is not None and not is_here and self._fetch is None)
        form.enable("remove-model", found is not None and is_here and not found["built_in"])
        form.enable("stop-model", self._fetch is not None)

    def _start(self, form: Any) -> None:
        """Fetch the chosen model, while the window can be used."""
        fetch = self._fetch = Fetch(self._name)
        form.say("")
        self._show_chosen(form)
        try:
            self._show(form.call(fetch.run, locks=False, watch=lambda: self._tell(fetch)), self._name)
            form.say(_("The model {name} is installed.").format(name=fetch.name))
        except WorkerError as error:
            form.say(words.FETCH_STOPPED if fetch.is_cancelled else str(error))
        finally:
            fetch.cancel()
            self._fetch, form["fetching"] = None, ""
            self._show_chosen(form)

    def _tell(self, fetch: Fetch) -> None:
        text = words.fetching(fetch.name, fetch.progress) if fetch.progress else _("Asking...")
        if self._form["fetching"] != text:
            self._form["fetching"] = text

    def _stop(self, form: Any) -> None:
        if self._fetch is not None:
            self._fetch.cancel()

    def _remove(self, form: Any) -> None:
        name = self._name
        self._ask(lambda worker: worker.models("forget_model", name), self._show)


class Fetch:
    """A model on its way, by a worker of its own: the window's is free for other questions.

    `progress` is what the worker has told of it last.
    """

    def __init__(self, name: str) -> None:
        self.name, self.progress, self.is_cancelled = name, "", False
        self._worker: Worker | None = None

    def run(self) -> dict[str, Any]:
        """Fetch it; returns the models then. Raises WorkerError, also where it is cancelled."""
        with Worker({}) as worker:
            self._worker = worker
            if self.is_cancelled:
                raise WorkerError("cancelled", "")
            return worker.models("fetch_model", self.name, self._hear)

    def cancel(self) -> None:
        """End it soon, from any thread; what has arrived is kept."""
        self.is_cancelled = True
        if self._worker is not None:
            with contextlib.suppress(WorkerError):  # it has ended
                self._worker.cancel()

    def _hear(self, message: dict[str, Any]) -> None:
        self.progress = str(message.get("text") or "")
        if self.is_cancelled:  # the worker may not have known the question yet
            self.cancel()
