"""One run of a task: from a layer to the new ones, with what the user is asked and told on the way."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from common import tasks, ways, words
from common.protocol import WorkerError
from common.worker import Worker
from controls import TASK_WAYS
from cutout import CutOut, export, undo_step
from gimpfu import CancelError, gimp
from places import Place, check_selection, place_of
from questions import balance_after, choose, choose_way, is_asked
from results import insert, make
from strips import show_progress
from supervision import Note
from taskmasks import save_selection, save_subject


class Order(NamedTuple):
    """What is to be run: a kind of `common.tasks`, the task as the worker describes it, its fields, and whether the
    image grows to the result's own size."""

    kind: str
    task: dict[str, Any]
    fields: dict[str, str]
    own_size: bool = False

    @property
    def title(self) -> str:
        """What the task is called."""
        return str(self.task["title"])


class Consent(NamedTuple):
    """What the user has agreed to for this run: paying once more, and uploading."""

    again: bool = False
    agreed: bool = False


def run_task(note: Note, image: Any, drawable: Any, order: Order) -> None:
    """Run a task, and again by what the user chooses where it fails; note what they have to hear if it is cancelled."""
    has_cost: list[str] = []

    def tell(text: str) -> None:
        # What may have been paid by an earlier try is not unsaid by the next one.
        has_cost.extend([text] if text == tasks.MAY_COST else [])
        note(tasks.MAY_COST if has_cost and text == words.UNPAID else text)

    run = Run(image, drawable, order, tell)
    while True:
        try:
            return run.go()
        except WorkerError as error:
            # What is to be changed in the task is told where it was entered.
            if error.kind == "mend":
                raise
            run.mend(error)


class Run:
    """A task on its way over a layer."""

    def __init__(self, image: Any, drawable: Any, order: Order, note: Note) -> None:
        self._image, self._order, self._note = image, order, note
        self._place: Place = place_of(order.kind, image, drawable)
        self._consent = Consent()
        self._parts = [CutOut(image, layer) for layer in {self._place.picture, self._place.anchor}]

    def mend(self, error: WorkerError) -> None:
        """Tell what went wrong, and let the user choose a way out. Raises as `choose_way` does."""
        way = choose_way(error, tasks.ways_out(error.kind))
        self._consent = self._consent._replace(again=way == ways.PAY_AGAIN)

    def go(self) -> None:
        """Run it, and insert what comes. Raises WorkerError."""
        image, place, order = self._image, self._place, self._order
        name = tasks.layer_name(order.kind, place.named.name, order.title)
        gimp.progress_init(order.title)
        with Worker({} if is_asked() else TASK_WAYS) as worker:
            job = self._export(Path(worker.folder))
            answer = self._ask(worker, job)
            layers = [
                make(image, Path(worker.folder, one["file"]), (one["width"], one["height"]), name, show_progress)
                for one in answer["layers"]
            ]
            for part in self._parts:
                part.check_unchanged()
            with undo_step(image):
                insert(image, place, layers)
            gimp.displays_flush()
            if is_asked():
                self._note(tasks.outcome(order.title, image.name, answer))
                gimp.message(tasks.outcome(order.title, image.name, answer, balance_after(worker, answer["units"])))

    def _export(self, folder: Path) -> dict[str, Any]:
        """Write what the task works on; returns what the worker needs to know."""
        image, place, order = self._image, self._place, self._order
        job = export(image, place.picture, folder / "layer.raw", show_progress)
        if place.subject is not None:
            save_subject(image, place.picture, place.subject, folder / "mask.raw", show_progress)
            job.update(mask="mask.raw", grow=True)
        elif tasks.takes_mask(order.task):
            check_selection(image, place.picture)
            save_selection(image, place.picture, folder / "mask.raw")
            job.update(mask="mask.raw")
        return dict(
            job,
            task=order.task["task"],
            fields=tasks.given(order.task, order.fields),
            own_size=order.own_size,
            without_subject=order.kind == tasks.NEW_BACKGROUND,
        )

    def _ask(self, worker: Worker, job: dict[str, Any]) -> dict[str, Any]:
        """The worker's answer, after the user was asked about an upload where that is needed."""

        def show(text: str, fraction: float) -> None:
            self._note(tasks.MAY_COST if worker.may_cost else words.UNPAID)
            show_progress(text, fraction)

        while True:
            try:
                return worker.run_task(dict(job, **self._consent._asdict()), show)
            except WorkerError as error:
                if error.kind != "agree" or not is_asked():
                    raise
                self._agree(worker)

    def _agree(self, worker: Worker) -> None:
        """Ask whether the picture may be uploaded. Raises CancelError where it may not."""
        name = f"{self._image.name}: {self._place.picture.name}"
        question = tasks.question_upload(worker.settings()["host"], name, self._order.title)
        answer = choose(question, tasks.CONSENT)
        if answer is None:
            raise CancelError("cancelled")
        if answer == ways.UPLOAD_ALWAYS:
            worker.agree(True)
        self._consent = self._consent._replace(agreed=True)
