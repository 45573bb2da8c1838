"""What the user is asked in GIMP's window: before something is uploaded or paid, and when something went wrong."""

# mypy: disable-error-code="attr-defined"
# gimpfu's constants come from GIMP, when it runs.
from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, NamedTuple

from common import ways, words
from common.language import _
from common.options import Options
from common.protocol import PATIENCE_SECONDS, WorkerError
from common.report import REPORTED, report
from common.worker import Worker
from gimpfu import PF_LABEL, RUN_NONINTERACTIVE, CancelError, Form, copy_text, gimp

TITLE = _("Remove Background")
CLOSE = _("_Close")
REPORT = "report"


class Wish(NamedTuple):
    """What the user wants: `again` to pay again where an earlier start may have been charged in vain, `agreed` to
    upload this time."""

    options: Options
    again: bool = False
    agreed: bool = False

    @property
    def engine(self) -> str:
        """The engine that is asked for: paying again is for the service alone."""
        return "youcam" if self.again else self.options.engine

    def offline(self) -> Wish:
        """The same, but on this computer."""
        return Wish(self.options._replace(engine="offline"))


def is_asked() -> bool:
    """Whether somebody sits at GIMP's window: scripts have to say everything beforehand."""
    return bool(gimp.PROCESS.run_mode != RUN_NONINTERACTIVE)


def choose(text: str, answers: Mapping[str, str], cancel: str = "") -> str | None:
    """Ask the user; returns the answer's name. Enter is Cancel: it may have been meant for the window before."""
    answer: str | None = Form(TITLE, [(PF_LABEL, "text", "", text)], answers, cancel).run()
    return answer


def agree(worker: Worker, wish: Wish, answer: str | None) -> Wish:
    """What is wished after an answer to the question whether something may be uploaded."""
    if answer is None:
        raise CancelError("cancelled")
    if answer == ways.OFFLINE:
        return wish.offline()
    if answer == ways.UPLOAD_ALWAYS:
        worker.agree(True)
    return wish._replace(agreed=True)


def ask_to_upload(worker: Worker, job: dict[str, Any], name: str, wish: Wish) -> Wish:
    """Ask whether a picture may be uploaded; returns what is wished then. Raises CancelError where it is nothing."""
    plan = worker.plan([dict(job, name=name)], wish.engine, lambda *_: None)
    return agree(worker, wish, choose(words.question_upload(plan, name), ways.CONSENT))


def mending(work: Callable[[Wish], bool], wish: Wish) -> bool:
    """Do `work(wish)`, and again by what the user chooses where it fails; returns what it does."""
    while True:
        try:
            return work(wish)
        except WorkerError as error:
            wish = mend(error, wish)


def mend(error: WorkerError, wish: Wish) -> Wish:
    """Tell what went wrong, and offer what can be done about it; returns what is wished then.

    Raises as `choose_way` does.
    """
    return follow(choose_way(error, ways.out_of(error.kind, wish.options.engine)), wish)


def choose_way(error: WorkerError, found: Iterable[str]) -> str:
    """Tell what went wrong, with these ways out of it; returns the one that the user goes on by.

    Raises CancelError where that is none, and the error itself where there is none, or nobody is there.
    """
    answers = {way: ways.LABELS[way] for way in found}
    if error.kind in REPORTED:
        answers[REPORT] = _("Copy Repo_rt")
    if not (answers and is_asked()):
        raise error
    while (way := choose(str(error), answers, CLOSE)) is not None:
        if way == REPORT:
            copy_text(report(str(error), "GIMP {}.{}.{}".format(*gimp.version)))
        elif open_way(way):
            return way
    raise CancelError("cancelled")


def open_way(way: str) -> bool:
    """Open what a way out leads to, if anything; whether to go on then."""
    if way == ways.BUY:
        import webbrowser  # slow to load

        webbrowser.open(ways.UNITS_PAGE)
        return False
    if way == ways.SETTINGS:
        from settings import show_settings

        return show_settings()
    return True


def follow(way: str, wish: Wish) -> Wish:
    """What is wished by one of the ways out. Paying again is for one try: what was paid by then is fetched."""
    if way == ways.OFFLINE:
        return wish.offline()
    if way == ways.PAY_AGAIN:
        return Wish(wish.options._replace(engine="youcam"), again=True)
    return wish._replace(again=False)


def advise_key() -> None:
    """Say that the service gives better results, and lead to the settings who wants that."""
    if choose(words.ADVICE, {ways.SETTINGS: ways.LABELS[ways.SETTINGS]}, CLOSE) == ways.SETTINGS:
        open_way(ways.SETTINGS)


def balance_after(worker: Worker, units: float) -> float | None:
    """What is left after so many units were paid; None where that is nothing, or not known soon."""
    if not units:
        return None
    try:
        return float(worker.balance("youcam", patience=PATIENCE_SECONDS)["units"])
    except WorkerError:
        return None
