"""Starts that were left in every state, by a process that is gone: what the unit history and the clocks do then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from layerlift import errors
from layerlift.imaging import prepare
from layerlift.imaging.pictures import Picture
from layerlift.store.records import Record
from layerlift.twin import Fault

from .invariants import violations
from .matrix import ANSWER_SECONDS, LONG, Found
from .world import World, picture

DOUBTS = ("starting", "starting unheard", "unknown", "unknown unheard")
STATES = (*DOUBTS, "uploaded", "running", "ended", "kept")
OTHERS = ("refused", "lost")
"""Of these the user has heard."""
"""How far a start has come. Of those that are `starting` or `unknown` nobody here knows whether the service heard."""
REFUSALS = ("400", "401", "403", "404", "429", "500", "503", "html", "not_the_form", "truncated", "reset_before")
HOUR_MS = 3_600_000
FAR = (-3600.0, 2 * 86400.0)
NEAR = (-180.0, 180.0)
SIDES = ("service", "user", "set")
"""Whose clock is ahead: the service's or the user's, all the time; or the user's was set after the start."""


def _lines(change: Callable[[dict[str, Any]], object]) -> Callable[[Any], Any]:
    """Changes each line of the history."""

    def changed(body: Any) -> Any:
        for line in body["result"]["history"]:
            change(line)
        return body

    return changed


def _page(**fields: Any) -> Callable[[Any], Any]:
    return lambda body: {**body, "result": {**body["result"], **fields}}


def _reversed(body: Any) -> Any:
    body["result"]["history"].reverse()
    return body


def _moved(milliseconds: int) -> Callable[[Any], Any]:
    return _lines(lambda line: line.update(timestamp=line["timestamp"] + milliseconds))


READABLE = {
    "as it is": lambda body: body,
    "oldest first": _reversed,
    "in seconds": _lines(lambda line: line.update(timestamp=line["timestamp"] // 1000)),
    "an hour ahead": _moved(HOUR_MS),
    "numbers for ids": _lines(lambda line: line.update(id=2**63)),
    "among odd lines": lambda body: _page(history=[None, 7, {}, *body["result"]["history"]])(body),
    "in two lines": lambda body: _page(history=body["result"]["history"] * 2)(body),
    "endless": lambda body: body,
}
"""Forms of the history in which a charge may be found."""
BLIND = {
    "null": lambda body: None,
    "empty": _page(history=[]),
    "an hour behind": _moved(-HOUR_MS),
    "dates for times": _lines(lambda line: line.update(timestamp="2026-11-29T12:00:00Z")),
    "no targets": _lines(lambda line: line.pop("target_id")),
    "other targets": _lines(lambda line: line.update(target_id="another")),
    "surrogates": _lines(lambda line: line.update(id="\ud800", target_id="\ud800")),
    "a page that leads nowhere": _page(history=[], next_token="nowhere"),
}
"""Forms that name no charge, or none that can be told from others."""
HISTORIES = (*READABLE, *BLIND, *REFUSALS)


class Start(NamedTuple):
    """A state of a start, and what goes on when the same picture is asked for once more: a form of the history, or a
    clock that is so many seconds ahead."""

    axis: str
    state: str
    history: str = ""
    side: str = ""
    ahead: float = 0.0

    def __str__(self) -> str:
        return "-".join([self.state, self.history or f"{self.side} {self.ahead:+g}"]).replace(" ", "_")

    def run(self, folder: Path) -> Found:
        ahead = self.ahead if self.side == "service" else 0.0
        forms = frozenset(["history_without_end"] if self.history == "endless" else [])
        with World(folder, ahead=ahead, forms=forms, poll_within_seconds=LONG) as world:
            world.ahead = self.ahead if self.side == "user" else 0.0
            leave(world, self.state)
            if self.side == "set":
                world.ahead = self.ahead
            self._harm(world)
            broken, told, asked = [], [], []
            before = len(world.twin.calls("run"))
            first = world.remove(0, ANSWER_SECONDS)
            told.append(first)
            if len(world.twin.calls("run")) > max(before, 1):
                broken.append("it was started anew unasked")
            if first is not None and not (isinstance(first, errors.MayBeCharged) and _tells(first)):
                broken.append(f"the doubt is hidden by '{first.code}'")
            if first is None and self.is_unheard:
                broken.append("silence was taken for proof")
            if first is not None and not self.may_fail:
                broken.append(f"'{first.code}' stands in the way of what is known")
            world.twin.mend()
            if first is not None:
                # What hid the result is gone: if it was paid for, it may be found now, else the user has to ask.
                second = world.remove(0, ANSWER_SECONDS)
                told.append(second)
                if second is not None:
                    if not isinstance(second, errors.MayBeCharged):
                        broken.append(f"the doubt is hidden by '{second.code}' later")
                    if self.state in ("starting", "unknown") and self.side != "set":
                        broken.append("what was paid for is never found")
                    if self.may_fail and world.remove(0, ANSWER_SECONDS, again=True) is not None:
                        broken.append("who wants to pay again can't")
                    asked = [0]
            before = len(world.twin.requests)
            if world.remove(0, ANSWER_SECONDS) is not None or len(world.twin.requests) > before:
                broken.append("what was delivered is not free")
            broken += violations(world, [0], [0], asked=asked)
            return Found([error for error in told if error], broken)

    @property
    def is_unheard(self) -> bool:
        """Whether the user has to decide, whatever happens: no task runs, and nobody can know that."""
        return self.state.endswith("unheard")

    @property
    def may_fail(self) -> bool:
        """Whether the user may hear of a doubt."""
        if self.state == "lost" or self.is_unheard:
            return True
        return self.state in ("starting", "unknown") and (self.history not in ("", *READABLE) or self.side == "set")

    def _harm(self, world: World) -> None:
        if self.history in REFUSALS:
            world.twin.inject(Fault("history", self.history, times=10**6))
        elif self.history:
            world.twin.edit("history", {**READABLE, **BLIND}[self.history])


def _tells(error: errors.LayerliftError) -> bool:
    """Whether the user hears what may have been paid, and how to pay anew."""
    return "may have been charged" in error.message and "pay again" in error.action


def leave(world: World, state: str) -> None:
    """A process comes and goes, and leaves the start of a picture in that state."""
    if state == "kept":
        assert world.remove(0, ANSWER_SECONDS) is None
        return
    with world.engine(ANSWER_SECONDS) as (engine, cancel):
        upload = prepare.prepare(Picture(picture(0)))
        with engine.claim(upload, cancel.sleep) as record:
            (destination,) = engine.service.declare([upload], sleep=cancel.sleep)
            engine.service.upload(destination, upload.data, sleep=cancel.sleep)
            record.mark_uploaded(destination.file_id)
            if state == "uploaded":
                return
            record.mark_starting()
            if state.endswith("unheard"):
                world.twin.inject(Fault("run", "reset_before"))
            try:
                task = engine.service.run(destination.file_id, sleep=cancel.sleep)
            except errors.MayBeCharged:
                task = None
            if state.startswith("starting"):
                return
            if state.startswith("unknown") or task is None:
                record.mark_unknown(None)
                return
            record.mark_running(task.task_id, task.request_id)
            _go_on(world, record, state)


def _go_on(world: World, record: Record, state: str) -> None:
    """What comes of a start whose task is known."""
    if state == "refused":
        record.mark_refused(None)
    elif state == "lost":
        record.mark_lost("InvalidTaskId", None)
        world.twin.expire(record.entry.task_id or "")
    elif state == "ended":
        record.mark_done(None, 1, None)


STARTS = [
    *(Start("histories", state, history) for state in STATES for history in HISTORIES),
    *(Start("clocks", state, "", side, ahead) for state in (*STATES, *OTHERS) for side in SIDES for ahead in FAR),
    *(Start("clocks", state, "", side, ahead) for state in DOUBTS for side in SIDES for ahead in NEAR),
]
