"""All open images at once: their cut-outs are made side by side, and inserted as they come."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from common.language import _
from common.options import Options
from common.protocol import WorkerError, WorkerGone, refusal
from common.stages import overall
from common.words import CHECKING, HAS_CUT_OUT, Summary, question, reading
from common.worker import Worker
from controls import WAYS
from cutout import CutOut, undo_step
from gimpfu import CancelError, confirm, fail, gimp, pdb
from strips import Show, Unwritable, show_progress
from supervision import Note

TITLE = _("Remove Backgrounds?")
READING = 0.9
"""Where the bar is when all is read; the rest is for looking what is paid for."""


class Document:
    """An open image. What becomes of its layers is inserted together, when the last of them is known."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.waiting = 0
        self.answers: list[tuple[Picture, dict[str, Any]]] = []


class Picture:
    """A layer to be cut out; `name` is for the user, `job` for the worker."""

    def __init__(self, document: Document, name: str, cutout: CutOut, job: dict[str, Any]) -> None:
        self.document, self.name, self.cutout, self.job = document, name, cutout, dict(job, name=name)


def remove_all(options: Options, again: bool, note: Note) -> None:
    """Put the subjects of all open images on new layers; say what it costs before, and what became of it after.

    `note` is told what that would be at a cancel.
    """
    if not gimp.image_list():
        fail(_("No image is open."))
    gimp.progress_init(_("Reading the images"))
    summary = Summary()
    with Worker(WAYS) as worker:
        pictures = read(Path(worker.folder), summary)
        if pictures:
            plan = worker.plan([picture.job for picture in pictures], options.engine, show_plan)
            if not confirm(TITLE, question(len(pictures), plan, summary)):
                raise CancelError("cancelled")
            gimp.progress_init(_("Removing the backgrounds"))
            Round(worker, pictures, options, summary, note).run(plan["engine"], again)
    if not summary.done:
        fail(summary.text())
    gimp.message(summary.text())


def read(folder: Path, summary: Summary) -> list[Picture]:
    """Write all layers that can be worked on to the worker's folder."""
    found = [(image, name, layer) for title, image in titled() for name, layer in selected(title, image)]
    documents: dict[int, Document] = {}
    pictures: list[Picture] = []
    for number, (image, name, layer) in enumerate(found):
        show = between(reading(number, len(found), name), number / len(found), (number + 1) / len(found))
        try:
            if layer is None:
                fail(_("No layer is selected."))
            cutout = CutOut(image, layer)
            # Run again for those that are left, it must not do, or be paid for, the others twice.
            if cutout.is_there():
                fail(HAS_CUT_OUT)
            job = cutout.export(folder / f"{number}.raw", show)
        except Unwritable:
            raise
        except RuntimeError as error:
            summary.fails(name, str(error))
        else:
            document = documents.setdefault(image.ID, Document(image))
            document.waiting += 1
            pictures.append(Picture(document, name, cutout, job))
    return pictures


def titled() -> list[tuple[str, Any]]:
    """All open images, the oldest first; those of the same name have GIMP's number behind it."""
    images = [(image.name, image) for image in reversed(gimp.image_list())]
    same = Counter(name for name, _ in images)
    return [(name if same[name] == 1 else f"{name}-{image.ID}", image) for name, image in images]


def selected(title: str, image: Any) -> list[tuple[str, Any]]:
    """What is selected in an image, each with a name for the user: in GIMP 3 that may be many layers."""
    if not hasattr(pdb, "gimp_image_get_selected_drawables"):
        return [(title, image.active_drawable)]
    layers = [gimp.Item.from_id(identity) for identity in pdb.gimp_image_get_selected_drawables(image)[1]]
    if len(layers) < 2:
        return [(title, layers[0] if layers else None)]
    return [(f"{title}, {layer.name}", layer) for layer in layers]


def between(text: str, begin: float, end: float) -> Show:
    """Shows that an export goes on as this text, and a move of the bar."""
    whole = overall({"stage": "export", "fraction": 1.0})

    def show(_: str, fraction: float) -> None:
        show_progress(text, READING * (begin + (end - begin) * fraction / whole))

    return show


def show_plan(_: str, fraction: float) -> None:
    show_progress(CHECKING, READING + (1 - READING) * fraction)


class Round:
    """The worker goes over all pictures: what comes is inserted, or told in the summary."""

    def __init__(self, worker: Any, pictures: list[Picture], options: Options, summary: Summary, note: Note) -> None:
        self._worker, self._pictures, self._options = worker, pictures, options
        self._summary, self._note = summary, note
        self._open = list(pictures)
        self._fraction = 0.0

    def run(self, engine: str, again: bool) -> None:
        """Until all is known of every picture."""
        jobs = [picture.job for picture in self._pictures]
        self._note_cancel()
        try:
            self._worker.batch(jobs, engine, again, self._progress, self._ended)
        except WorkerError as error:
            for picture in self._open:
                self._summary.fails(picture.name, str(error))

    def _progress(self, text: str, fraction: float) -> None:
        self._fraction = fraction
        show_progress(text, fraction)

    def _ended(self, message: dict[str, Any]) -> None:
        picture = self._pictures[message["picture"]]
        document = picture.document
        with self._told(picture):
            if "file" not in message:
                raise refusal(message, WAYS)
            self._summary.units += message["units"]
            document.answers.append((picture, message))
        document.waiting -= 1
        if not document.waiting:
            self._finish(document)
        self._note_cancel()

    def _note_cancel(self) -> None:
        self._note(self._summary.text([picture.name for picture in self._open]))

    def _finish(self, document: Document) -> None:
        """Insert what there is for a document, in one undo step."""
        made, fitting = [], []
        for picture, answer in document.answers:
            with self._told(picture):
                picture.cutout.make(self._worker, answer["file"], self._options, self._show(picture))
                made.append((picture, answer))
        for picture, answer in made:
            with self._told(picture):
                picture.cutout.check_unchanged()
                fitting.append((picture, answer))
        if not fitting:
            return
        with undo_step(document.image):
            for picture, answer in fitting:
                with self._told(picture):
                    picture.cutout.insert(self._options)
                    self._open.remove(picture)
                    self._summary.succeeds(picture.name, answer["cached"], answer["full"])
        gimp.displays_flush()

    def _show(self, picture: Picture) -> Show:
        return lambda text, _: show_progress(f"{text} ({picture.name})", self._fraction)

    @contextmanager
    def _told(self, picture: Picture) -> Iterator[None]:
        """What goes wrong with a picture in this block is told, and does not stop the others."""
        try:
            yield
        except (RuntimeError, OSError, WorkerError) as error:
            if isinstance(error, WorkerGone):
                raise
            self._open.remove(picture)
            self._summary.fails(picture.name, str(error))
