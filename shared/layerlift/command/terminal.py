"""What the command shows and asks: a line of progress on a terminal, how pictures ended, and what it all came to."""

from __future__ import annotations

import itertools
import math
import shutil
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..errors import plain
from ..language import N_, _, ngettext

if TYPE_CHECKING:
    from ..removal.stages import Stage

REQUESTS_A_PICTURE = 2.05
"""What the service's limit counts for a picture at least: a start, a look, and a share of a declaration for 20."""
_BAR = 24
_DRAW_SECONDS = 0.1
_TICK_SECONDS = 1.0
_NAMES = 20
"""Pictures that are named where nothing else is to be said of each."""
_ENDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    # Translators: in a table: how many pictures are done; also, what has become of a paid removal.
    N_("done"): lambda end: end["status"] == "done",
    # Translators: in a table: how many pictures cost nothing.
    N_("free"): lambda end: end["status"] == "cached",
    # Translators: in a table: how many pictures were skipped.
    N_("skipped"): lambda end: end["status"] == "skipped",
    # Translators: in a table: how many pictures failed.
    N_("failed"): lambda end: end["status"] == "failed",
    # Translators: in a table: how many pictures were cancelled.
    N_("cancelled"): lambda end: _code(end) == "cancelled",
    # Translators: in a table: how many pictures were not started; also, what has become of a paid removal.
    N_("not started"): lambda end: _code(end) == "not_started",
}
"""How pictures end: the rows of the summary."""


Upload: TypeAlias = Literal["once", "always", "offline"]
"""What is to be done with pictures that would be uploaded."""
_UPLOADS: tuple[tuple[Upload | None, str, str], ...] = (
    # Translators: the letter that answers "upload this time".
    ("once", N_("o"), N_("upload this time")),
    # Translators: the letter that answers "upload this time and from now on".
    ("always", N_("a"), N_("upload this time and from now on, without asking")),
    # Translators: the letter that answers "work offline".
    ("offline", N_("f"), N_("work offline: a quick draft on this computer, for free")),
    # Translators: the letter that answers a question with no, as a capital: Enter alone is no, too.
    (None, N_("N"), N_("upload nothing, and stop")),
)
"""Answers to the question about uploads, each with its letter and what it means."""


def can_ask() -> bool:
    """Whether there is somebody who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Asks on a terminal; without one nobody has agreed."""
    if not can_ask():
        return False
    # Translators: the letter that answers a question with yes, as in "[y/N]". The English one works in all languages.
    yes = _("y")
    # Translators: the letter that answers a question with no, as a capital: Enter alone is no, too.
    no = _("N")
    # Translators: the word that answers a question with yes.
    accepted = {"y", "yes", yes.lower(), _("yes").lower()}
    print(f"{question} [{yes}/{no}] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in accepted


def ask_for_consent(host: str) -> bool:
    """Asks whether pictures may be uploaded from now on."""
    return ask(_("Pictures will be uploaded to {host}; each costs 1 unit. Agree?").format(host=host))


def ask_for_uploads(host: str, pictures: int, units: int, balance: float | None) -> Upload | None:
    """Asks on a terminal, until it is answered, what is to be done with pictures that would be uploaded and cost so
    many units; None for nothing.

    Args:
        balance: the account's units, None where they are not known.
    """
    asked = ngettext("Upload {count} picture to {host}?", "Upload {count} pictures to {host}?", pictures)
    print(asked.format(count=pictures, host=host), _describe_cost(units, balance), file=sys.stderr)
    # English letters and words do in all languages; the user's own letters come first.
    accepted: dict[str, Upload | None] = {"": None, "no": None}
    accepted |= {answer: answer for answer, _letter, _meaning in _UPLOADS if answer}
    accepted |= {letter.lower(): answer for answer, letter, _meaning in _UPLOADS}
    accepted |= {_(letter).lower(): answer for answer, letter, _meaning in _UPLOADS}
    for _answer, letter, meaning in _UPLOADS:
        print(f"  {_(letter)}  {_(meaning)}", file=sys.stderr)
    letters = "/".join(_(letter) for _answer, letter, _meaning in _UPLOADS)
    while True:
        print(f"[{letters}] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        typed = line.strip().lower()
        if not line or typed in accepted:
            return accepted.get(typed)


def ask_for_cost(pictures: int, units: int, balance: float | None) -> bool:
    """Asks whether units may be spent; `balance` as `ask_for_uploads` has it."""
    count = ngettext("{count} picture.", "{count} pictures.", pictures).format(count=pictures)
    return ask(" ".join([count, _describe_cost(units, balance), _("Go on?")]))


def _describe_cost(units: int, balance: float | None) -> str:
    said = [ngettext("Cost: up to {count} unit.", "Cost: up to {count} units.", units).format(count=units)]
    if balance is None:
        said.append(_("Balance: unknown."))
    else:
        held = round(balance, 2)
        said.append(ngettext("Balance: {count} unit.", "Balance: {count} units.", held).format(count=f"{held:.15g}"))
        said += [_("That is not enough.")] * (units > held)
    return " ".join(said)


def format_units(units: float) -> str:
    """A number of units, to the hundredth."""
    count = round(units, 2)
    return ngettext("{count} unit", "{count} units", count).format(count=f"{count:.15g}")


def width(text: str) -> int:
    """The columns that a text takes on a terminal, where Chinese and Japanese letters take two."""
    return sum(map(_columns, text))


def cut(text: str, columns: int) -> str:
    """The beginning of a text that fits into so many columns."""
    return text[: sum(end <= columns for end in itertools.accumulate(map(_columns, text)))]


def _columns(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


class Pace:
    """How fast pictures become cut-outs, and how long the others will take.

    Args:
        pictures: how many there are.
        rate: the service's limit, requests in seconds; None where there is none.
        clock: seconds, never going back.
    """

    def __init__(
        self, pictures: int, rate: tuple[int, float] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = pictures
        self._made = 0
        self._rate = rate
        self._clock = clock
        self._began = clock()

    def count(self, *, made: bool) -> None:
        """A picture has ended. Only what was `made` now, not kept from earlier, tells how long others take."""
        self._left -= 1
        self._made += made

    def __str__(self) -> str:
        """ "12/min, 3 min left", or "" where nothing is known yet."""
        passed = self._clock() - self._began
        if not self._made or passed <= 0:
            return ""
        speed = self._made / passed
        # Translators: how many pictures are done in a minute, and how long the others will take.
        text = _("{count}/min, {duration} left")
        left = max(self._left / speed, self._least() - passed)
        return text.format(count=f"{60 * speed:.3g}", duration=_format_duration(left))

    def _least(self) -> float:
        """Seconds that the limit makes all take: at first it lets through many at once, and then none for long."""
        if self._rate is None:
            return 0.0
        requests, seconds = self._rate
        return seconds * (math.ceil((self._made + self._left) * REQUESTS_A_PICTURE / requests) - 1)


def _format_duration(seconds: float) -> str:
    if seconds < 60:
        return _("{count} s").format(count=math.ceil(seconds))
    minutes = math.ceil(seconds / 60)
    if minutes < 60:
        return _("{count} min").format(count=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


class Display:
    """Progress in one line on a terminal, and above it what is to be read; in a pipe the latter alone.

    Args:
        names: what the user calls the pictures.
        rate: as `Pace` has it.
        held_up: whether the service's limit lets nothing through.
    """

    def __init__(
        self, names: Sequence[str], rate: tuple[int, float] | None, held_up: Callable[[], bool] = lambda: False
    ) -> None:
        from ..removal.batch import Overview

        self.live = sys.stderr.isatty()
        self._names = names
        self._overview = Overview(names, self._show)
        self._pace = Pace(len(names), rate)
        self._held_up = held_up
        self._held = 0
        self._news = (0.0, "")
        self._line = ""
        self._drawn = 0.0
        self._guard = threading.RLock()
        self._closed = threading.Event()

    def __enter__(self) -> Display:
        if self.live and len(self._names) > 1:
            threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._closed.set()
            self._draw("")

    def update(self, number: int, stage: Stage, fraction: float, text: str) -> None:
        """News of a picture, as `Batch.run` reports them."""
        if len(self._names) > 1:
            self._overview.update(number, stage, fraction, text)
        else:
            details = f" ({text})" if text else ""
            self._draw(f"{self._names[number]} {_bar(fraction)} {_(stage.value)}{details}")

    def finish(self, number: int, *, made: bool) -> None:
        """A picture has ended; `made` as `Pace.count` has it."""
        with self._guard:
            self._pace.count(made=made)
        self._overview.finish(number)

    def print(self, text: str, *, out: bool = False) -> None:
        """A line to stay, on standard error or on standard `out`."""
        with self._guard:
            line = self._line
            self._draw("")
            print(text, file=sys.stdout if out else sys.stderr, flush=True)
            self._draw(line)

    def _show(self, fraction: float, text: str) -> None:
        self._news = fraction, text
        if time.monotonic() - self._drawn >= _DRAW_SECONDS:
            self._redraw()

    def _redraw(self) -> None:
        fraction, text = self._news
        with self._guard:
            pace = str(self._pace)
        held = _("the service's limit is reached") if self._held > 1 else ""
        self._draw(f"{_bar(fraction)} {', '.join(filter(None, (pace, held, text)))}")

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            self._held = self._held + 1 if self._held_up() else 0
            self._redraw()

    def _draw(self, line: str) -> None:
        with self._guard:
            if not self.live or (self._closed.is_set() and line):
                return
            self._line, self._drawn = line, time.monotonic()
            # A line that wraps could not be cleared.
            shown = cut(plain(line), shutil.get_terminal_size().columns - 1)
            print(f"\r\x1b[K{shown}", end="", file=sys.stderr, flush=True)


def _bar(fraction: float) -> str:
    filled = min(_BAR, round(fraction * _BAR))
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def summary(ends: Sequence[dict[str, Any]]) -> str:
    """A table of how pictures ended, given as ``--json`` tells them: counts, units, and the reasons of failures."""
    column = max(12, *(width(_(title)) for title in _ENDS))
    lines = []
    for title, of in _ENDS.items():
        found = [end for end in ends if of(end)]
        if not found and title not in ("done", "failed"):
            continue
        units = f"  {format_units(sum(end['units'] for end in found))}" if title == "done" else ""
        lines.append(f"{_(title)}{' ' * (column - width(_(title)))}{len(found):6}{units}")
        if title == "done":
            lines += [f"    {text}" for text in _describe_models(found)]
        if title == "failed":
            lines += [f"    {plain(end['input'])}: {plain(end['error']['message'])}" for end in found]
        elif title in ("cancelled", "not started"):
            for message in dict.fromkeys(end["error"]["message"] for end in found):
                names = [plain(end["input"]) for end in found if end["error"]["message"] == message]
                lines += [f"    {message}", f"    {_join_names(names)}"]
    return "\n".join(lines)


def _describe_models(ends: Sequence[dict[str, Any]]) -> list[str]:
    """Which offline models have made how many pictures, and why not all by the best."""
    models = Counter(end["model"] for end in ends if end["model"])
    reasons = dict.fromkeys(end["fallback"] for end in ends if end["fallback"])
    return [*(f"{plain(model)}: {count}" for model, count in models.most_common()), *map(plain, reasons)]


def _code(end: dict[str, Any]) -> str | None:
    code: str | None = end["error"]["code"] if end["status"] == "cancelled" else None
    return code


def _join_names(names: Sequence[str]) -> str:
    shown, more = ", ".join(names[:_NAMES]), len(names) - _NAMES
    if more <= 0:
        return shown
    return ngettext("{names} and {count} more", "{names} and {count} more", more).format(names=shown, count=more)
