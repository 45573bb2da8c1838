"""One removal: from a layer to the cut-out above it, with what the user is asked and told on the way."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from pathlib import Path
from typing import Any

from common import ways, words
from common.language import _
from common.protocol import WorkerError
from common.worker import Worker
from controls import AGAIN, WAYS
from cutout import CutOut, undo_step
from gimpfu import fail, gimp
from questions import Wish, agree, ask_to_upload, balance_after, choose, is_asked, mending
from strips import Show, show_progress
from supervision import Note


def remove(note: Note, image: Any, drawable: Any, wish: Wish) -> bool:
    """Remove a layer's background, and note what the user has to hear if it is cancelled; whether they are to be told
    of keys."""
    has_cost: list[str] = []

    def tell(text: str) -> None:
        # What may have been paid by an earlier try is not unsaid by the next one.
        has_cost.extend([text] if text == words.MAY_COST else [])
        note(words.MAY_COST if has_cost and text == words.UNPAID else text)

    return mending(lambda wish: run(tell, image, drawable, wish), wish)


def run(note: Note, image: Any, drawable: Any, wish: Wish) -> bool:
    """Go over one layer once."""
    cutout, name = CutOut(image, drawable), f"{image.name}: {drawable.name}"
    gimp.progress_init(_("Removing the background"))
    with Worker({} if is_asked() else WAYS) as worker:
        job = cutout.export(Path(worker.folder, "layer.raw"), show_progress)
        if not wish.again and cutout.is_there():
            wish = check_cost(worker, dict(job, name=name), wish)

        def show(text: str, fraction: float) -> None:
            note(words.MAY_COST if worker.may_cost else words.UNPAID)
            show_progress(text, fraction)

        answer, wish = ask(worker, job, name, wish, show)
        cutout.make(worker, answer["file"], wish.options, show_progress)
        cutout.check_unchanged()
        with undo_step(image):
            cutout.insert(wish.options)
        gimp.displays_flush()
        if is_asked():
            note(words.outcome(image.name, answer))
            said = words.outcome(image.name, answer, balance_after(worker, answer["units"]))
            gimp.message(f"{said} {words.FULL}" if answer["full"] else said)
        elif answer["full"]:
            gimp.message(words.FULL)
    return bool(answer["advise_key"])


def ask(worker: Worker, job: dict[str, Any], name: str, wish: Wish, show: Show) -> tuple[dict[str, Any], Wish]:
    """The worker's answer, after the user was asked about an upload where that is needed; and what is wished then."""
    while True:
        try:
            fields = dict(job, engine=wish.engine, again=wish.again, agreed=wish.agreed)
            return worker.remove(fields, show), wish
        except WorkerError as error:
            if error.kind != "agree" or not is_asked():
                raise
            wish = ask_to_upload(worker, job, name, wish)


def check_cost(worker: Worker, picture: dict[str, Any], wish: Wish) -> Wish:
    """Ask before a cut-out, or a layer that has its own, costs anything; scripts have to say it beforehand. Returns
    what is wished then."""
    plan = worker.plan([picture], wish.engine, lambda *_: None)
    if not plan["units"]:
        return wish
    if not is_asked():
        fail(" ".join((words.HAS_CUT_OUT, _("To remove its background anyway, call '{name}'.").format(name=AGAIN))))
    answers = {ways.PAY_AGAIN: _("_Remove Anyway")} if plan["agreed"] else ways.CONSENT
    answer = choose(words.question_again(plan), answers)
    return wish if answer == ways.PAY_AGAIN else agree(worker, wish, answer)
