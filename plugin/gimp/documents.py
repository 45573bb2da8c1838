"""All open images at once: their cut-outs are made side by side, and inserted as they come."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from common import ways
from common.language import _
from common.options import Options
from common.protocol import WorkerError, WorkerGone, refusal
from common.stages import overall
from common.words import CHECKING, HAS_CUT_OUT, Summary, part_of, price_of, question, reading, short
from common.worker import Worker
from controls import WAYS
from cutout import CutOut, selected_of, undo_step
from gimpfu import PF_TOGGLE, CancelError, Form, fail, gimp
from questions import CLOSE, Wish, agree, balance_after, choose, follow, is_asked, open_way
from strips import Show, Unwritable, show_progress
from supervision import Note

TITLE = _("Remove Backgrounds?")
NOTHING = _("No picture is chosen.")
READING = 0.9
"""Where the bar is when all is read; the rest is for looking what is paid for."""


class Document:
    """An open image. What becomes of its layers is inserted together, when the last of them is known."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.waiting = 0
        self.answers: list[tuple[Picture, dict[str, Any]]] = []


class Picture:
    """A layer to be cut out; `name` is for the user, `job` for the worker; it `is_done` where it has a cut-out, and
    `is_wanted` where it is to be done."""

    def __init__(self, document: Document, name: str, layer: int, cutout: CutOut, job: dict[str, Any]) -> None:
        self.document, self.name, self.cutout, self.job = document, name, cutout, dict(job, name=name)
        self.layer, self.is_done = layer, cutout.is_there()
        self.is_wanted = not self.is_done

    def listed(self, price: str) -> str:
        """Its line in a list."""
        state = _("already done") if self.is_done else price
        # Translators: a picture in a list, its size in pixels, and what it costs.
        line = _("{picture}, {width} x {height}: {state}")
        return line.format(picture=short(self.name), width=self.job["width"], height=self.job["height"], state=state)


def remove_all(wish: Wish, note: Note, only: Any = None, unwanted: frozenset[int] = frozenset()) -> bool:
    """Put the subjects of all open images on new layers, or those of the selected layers of one image alone; say what
    it costs before, and what became of it after. Returns whether the user is to be told what a key is good for.

    `note` is told what is to be said at a cancel; the user did not want the layers that are `unwanted` a moment ago.
    """
    if not gimp.image_list():
        fail(_("No image is open."))
    gimp.progress_init(_("Reading the images"))
    summary, end = Summary(), None
    with Worker({} if is_asked() else WAYS) as worker:
        pictures = read(Path(worker.folder), summary, only)
        if pictures:
            plan = worker.plan([picture.job for picture in pictures], wish.engine, show_plan)
            for picture in pictures:
                picture.is_wanted &= picture.layer not in unwanted
            if is_asked():
                wish = ask(worker, pictures, plan, wish, summary)
                unwanted = frozenset(picture.layer for picture in pictures if not picture.is_wanted)
                pictures = [picture for picture in pictures if picture.is_wanted]
            gimp.progress_init(_("Removing the backgrounds"))
            end = Round(worker, pictures, wish, summary, note, only is None)
            end.run("offline" if wish.options.engine == "offline" else plan["engine"])
            if is_asked():
                summary.left = balance_after(worker, summary.units)
    found = ways.out_of_all(end.kinds, wish.options.engine) if end else ()
    if found and is_asked():
        way = offer(found, summary)
        if way is not None:
            return remove_all(follow(way, wish), note, only, unwanted)
        if not summary.done:
            raise CancelError("cancelled")
    elif not summary.done:
        fail(summary.text())
    else:
        gimp.message(summary.text())
    return bool(end and end.advises_key)


def offer(found: tuple[str, ...], summary: Summary) -> str | None:
    """Tell what became of all, with what can be done about those that are left; returns what the user chooses."""
    while (way := choose(summary.text(), {one: ways.LABELS[one] for one in found}, CLOSE)) is not None:
        if open_way(way):
            return way
    return None


def ask(worker: Worker, pictures: list[Picture], plan: dict[str, Any], wish: Wish, summary: Summary) -> Wish:
    """Ask which pictures are to be done, for what they cost; returns what is wished then. Enter is Cancel: it may have
    been meant for the window before."""
    total = len(pictures)

    def ticked() -> list[int]:
        return [number for number in range(total) if form[str(number)]]

    def show(_: Any) -> None:
        places = ticked()
        form.say(question(len(places), part_of(plan, total, places), summary) if places else NOTHING)

    rows: list[Any] = [
        # An underscore would underline the next letter.
        (PF_TOGGLE, str(number), picture.listed(price_of(plan, total, number)).replace("_", "__"), picture.is_wanted)
        for number, picture in enumerate(pictures)
    ]
    form = Form(TITLE, rows, {"go": _("_Remove Backgrounds")} if plan["agreed"] else ways.CONSENT)
    form.on_change(show)
    show(form)

    def accept(answer: str) -> bool:
        for number, picture in enumerate(pictures):
            picture.is_wanted = form[str(number)]
        return any(picture.is_wanted for picture in pictures)

    answer = form.run(accept)
    return wish if answer == "go" else agree(worker, wish, answer)


def read(folder: Path, summary: Summary, only: Any) -> list[Picture]:
    """Write all layers that can be worked on to the worker's folder."""
    images = titled() if only is None else [(only.name, only)]
    found = [(image, name, layer) for title, image in images for name, layer in selected(title, image)]
    documents: dict[int, Document] = {}
    pictures: list[Picture] = []
    for number, (image, name, layer) in enumerate(found):
        show = between(reading(number, len(found), name), number / len(found), (number + 1) / len(found))
        try:
            if layer is None:
                fail(_("No layer is selected."))
            cutout = CutOut(image, layer)
            # Run again for those that are left, it must not do, or be paid for, the others twice.
            if cutout.is_there() and not is_asked():
                fail(HAS_CUT_OUT)
            job = cutout.export(folder / f"{number}.raw", show)
        except Unwritable:
            raise
        except RuntimeError as error:
            summary.fails(name, str(error))
        else:
            document = documents.setdefault(image.ID, Document(image))
            pictures.append(Picture(document, name, layer.ID, cutout, job))
    return pictures


def titled() -> list[tuple[str, Any]]:
    """All open images, the oldest first; those of the same name have GIMP's number behind it."""
    images = [(image.name, image) for image in reversed(gimp.image_list())]
    same = Counter(name for name, _ in images)
    return [(name if same[name] == 1 else f"{name}-{image.ID}", image) for name, image in images]


def selected(title: str, image: Any) -> list[tuple[str, Any]]:
    """What is selected in an image, each with a name for the user."""
    layers = selected_of(image)
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

    def __init__(
        self, worker: Any, pictures: list[Picture], wish: Wish, summary: Summary, note: Note, keeps_active: bool
    ) -> None:
        self._worker, self._pictures, self._wish = worker, pictures, wish
        self._summary, self._note, self._keeps_active = summary, note, keeps_active
        self._open = list(pictures)
        for picture in pictures:
            picture.document.waiting += 1
        self._fraction = 0.0
        self.kinds: set[str] = set()
        self.advises_key = False

    @property
    def _options(self) -> Options:
        return self._wish.options

    def run(self, engine: str) -> None:
        """Until all is known of every picture, by the engine that the user was told of."""
        jobs, wish = [picture.job for picture in self._pictures], self._wish
        choice = {"engine": engine, "chosen": wish.engine, "again": wish.again, "agreed": wish.agreed}
        self._note_cancel()
        try:
            end = self._worker.batch(jobs, choice, self._progress, self._ended)
            self.advises_key = end["advise_key"]
        except WorkerError as error:
            if error.kind == "agree":
                raise
            self.kinds.add(error.kind)
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
                raise refusal(message, {} if is_asked() else WAYS)
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
        active = document.image.active_layer
        with undo_step(document.image):
            for picture, answer in fitting:
                with self._told(picture):
                    picture.cutout.insert(self._options)
                    self._open.remove(picture)
                    self._summary.succeeds(picture.name, answer["cached"], answer["full"])
            if self._keeps_active and active is not None:
                document.image.active_layer = active
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
            if isinstance(error, WorkerError):
                self.kinds.add(error.kind)
            self._open.remove(picture)
            self._summary.fails(picture.name, str(error))
