"""A window with rows of controls: what a plug-in reads, changes and hears of while it is shown."""

from __future__ import annotations

import threading
from typing import Any, Callable, Mapping, Sequence

from .. import parameters as pf
from ..errors import CancelError, error
from ..parameters import Parameter

KINDS = (
    pf.PF_STRING, pf.PF_PASSWORD, pf.PF_SPINNER, pf.PF_TOGGLE, pf.PF_OPTION, pf.PF_LABEL, pf.PF_BUTTON, pf.PF_PICTURE,
)  # fmt: skip
"""What every back end can show in a form; the dialog of a procedure has all kinds that it has parameters of."""
TEXT_CHARACTERS = 60
"""How wide a text may be."""
MANY_LINES, MANY_HEIGHT = 18, 380
"""More lines are scrolled, at this height, for small screens."""
LOOK_SECONDS = 0.02


class Form:
    """The window as a plug-in knows it; a back end draws it.

    `form[name]` is what a row shows, and can be set: the text of a label or an entry, whether a toggle is on, the
    position of an option, the number of a spinner, the path of a picture ("" for none).
    """

    def __init__(self, answers: Sequence[str] = ()) -> None:
        self._answers = dict(enumerate(answers, 1))
        self._on_show: list[Callable[[Form], Any]] = []
        self._on_change: list[Callable[[Form], Any]] = []
        self._is_answered = False
        self._failure: BaseException | None = None

    def __getitem__(self, name: str) -> Any:
        raise NotImplementedError

    def __setitem__(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def enable(self, name: str, is_enabled: bool = True) -> None:
        """Let a row be used, or grey it."""
        raise NotImplementedError

    def offer(self, name: str, labels: Sequence[str]) -> None:
        """Let an option have these choices from now on; the first one is shown."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Show a text below the rows, in place of the one before."""
        raise NotImplementedError

    def on_show(self, function: Callable[[Form], Any]) -> None:
        """Have `function(form)` called once, when the window is on the screen."""
        self._on_show.append(function)

    def on_change(self, function: Callable[[Form], Any]) -> None:
        """Have `function(form)` called when what a row shows has changed."""
        self._on_change.append(function)

    def pause(self) -> None:
        """Let the window react, in the midst of a longer work; raises CancelError where it has been answered."""
        self._react()
        if self._is_answered:
            raise CancelError("cancelled")

    def call(self, work: Callable[[], Any], locks: bool = True, watch: Callable[[], None] = lambda: None) -> Any:
        """What `work()` returns or raises, in a thread of its own; it must not call GIMP. The window can be answered
        meanwhile, which raises CancelError; with `locks`, its rows can't be used. `watch()` is called again and again
        meanwhile, and may change the window."""
        ends: list[tuple[Any, BaseException | None]] = []

        def run() -> None:
            try:
                ends.append((work(), None))
            except BaseException as failure:  # noqa: BLE001 - it is raised where the work was asked for
                ends.append((None, failure))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        if locks:
            self._lock(True)
        try:
            while thread.is_alive():
                watch()
                self.pause()
                thread.join(LOOK_SECONDS)
        finally:
            if locks:
                self._lock(False)
        value, failure = ends[0]
        if failure is not None:
            raise failure
        return value

    def run(self, accept: Callable[[str], bool] = lambda answer: True) -> str | None:
        """Show the window until it is answered: the name of the answer, None where it was closed or cancelled. It
        stays open where `accept(answer)` is false."""
        try:
            while True:
                answer = self._answers.get(self.ask())
                self._is_answered = False
                if answer is None or self._accepts(accept, answer):
                    return answer
        except CancelError:
            return None
        finally:
            self.destroy()

    def _accepts(self, accept: Callable[[str], bool], answer: str) -> bool:
        """Whether an answer is accepted; meanwhile the window can be left, but not be answered again."""
        self._let_answer(False)
        is_accepted = accept(answer)
        self._let_answer(True)
        return is_accepted

    def _let_answer(self, is_let: bool) -> None:
        """Let the buttons of the answers be pressed, or grey them."""
        raise NotImplementedError

    def ask(self) -> int:
        """Show the window until it is answered; returns the number of the button."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Take the window from the screen at once: what comes next may leave the toolkit no time."""
        raise NotImplementedError

    def _react(self) -> None:
        """Do what the user has done meanwhile."""
        raise NotImplementedError

    def _lock(self, is_locked: bool) -> None:
        """Let no row be used, or all of them again."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Have `run` end."""
        raise NotImplementedError

    def _forget(self) -> None:
        """Call nobody any more: the window goes, and a toolkit may still have something to tell."""
        self._on_show, self._on_change = [], []

    def _was_shown(self) -> None:
        functions, self._on_show = self._on_show, []
        # One that was cut short by an answer after which the window stays is called once more.
        self._on_show += [function for function in functions if not self._tell(function)]

    def _was_changed(self) -> None:
        for function in self._on_change:
            self._tell(function)

    def _tell(self, function: Callable[[Form], Any]) -> bool:
        """Call a function of the plug-in from the toolkit, which takes no exceptions; `run` raises them. Whether it
        came to its end."""
        try:
            function(self)
        except CancelError:
            if not self._is_answered:
                self._leave()
            return False
        except BaseException as failure:  # noqa: BLE001 - `run` raises it
            self._failure = self._failure or failure
            self._leave()
        return True

    def _end(self) -> None:
        """Raise what has failed while the window was shown."""
        if self._failure is not None:
            raise self._failure


def lines(rows: Sequence[Parameter]) -> list[list[Parameter]]:
    """The rows by the lines that they are on: buttons that follow each other share one."""
    found: list[list[Parameter]] = []
    for row in rows:
        if found and row.kind == found[-1][-1].kind == pf.PF_BUTTON:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def check(rows: Sequence[Sequence[Any]], answers: Mapping[str, str]) -> list[Parameter]:
    """The rows of a form, whose kinds all back ends know."""
    found = [Parameter.declared(row) for row in rows]
    for row in found:
        if row.kind not in KINDS:
            raise error(f"A form has no rows of the kind {row.kind} ({row.name}).")
    if not answers:
        raise error("A form needs a button that answers it.")
    return found
