"""What a removal will cost, shown in its dialog while the user looks at that: the layers are read meanwhile."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

from choices import grey
from common import words
from common.options import ENGINES
from common.protocol import WorkerError
from common.worker import Worker
from cutout import CutOut, selected_of
from gimpfu import CancelError


def prepare(form: Any, image: Any = None, drawable: Any = None) -> None:
    """Have a dialog grey what does nothing, and show what removing a layer's background costs. What several cost is
    asked about later."""
    form.on_change(grey)
    grey(form)
    if drawable is not None and len(selected_of(image)) < 2:
        cost = Cost(image, drawable)
        form.on_show(cost.find)
        form.on_change(cost.show)


class Cost:
    """What one layer costs by each engine."""

    def __init__(self, image: Any, drawable: Any) -> None:
        self._image, self._drawable = image, drawable
        self._said = {"offline": words.OFFLINE_DRAFT}
        self._worker: Worker | None
        self._is_left: bool

    def find(self, form: Any) -> None:
        """Read the layer, and ask what it costs, until the dialog is answered."""
        form.say(words.CHECKING)
        self._worker, self._is_left = None, False
        try:
            worker = form.call(self._start, locks=False)
            path = Path(worker.folder, "layer.raw")
            job = CutOut(self._image, self._drawable).export(path, lambda text, fraction: form.pause())
            for engine in ("auto", "youcam"):
                if engine not in self._said:
                    self._ask(form, worker, engine, dict(job, name=self._drawable.name))
        except CancelError:
            raise
        except (RuntimeError, WorkerError) as error:
            self._said = dict.fromkeys(ENGINES, str(error))
        finally:
            self._leave()
        self.show(form)

    def show(self, form: Any) -> None:
        """Show the cost for the engine that is chosen, where it is known."""
        form.say(self._said.get(list(ENGINES)[form["engine"]], words.CHECKING))

    def _start(self) -> Worker:
        self._worker = Worker({})
        if self._is_left:
            self._worker.close()
        return self._worker

    def _leave(self) -> None:
        """Let the worker go, also one that is only about to start; the user does not wait for that."""
        self._is_left = True
        if self._worker is not None:
            Thread(target=self._worker.close).start()

    def _ask(self, form: Any, worker: Worker, engine: str, picture: dict[str, Any]) -> None:
        try:
            plan = form.call(lambda: worker.plan([picture], engine, lambda *_: None), locks=False)
        except WorkerError as error:
            self._said[engine] = str(error)
        else:
            self._said[engine] = words.cost(plan)
            if plan["engine"] == "youcam":
                self._said["youcam"] = self._said[engine]
        self.show(form)
