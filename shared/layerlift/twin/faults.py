"""Faults that the offline service shows on demand, each at one step of the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event

STEPS = ("declare", "upload", "run", "poll", "download", "delete", "balance", "history", "price", "templates", "thumb")
KINDS: dict[str, str] = {
    "reset_before": "the connection is reset before the request was acted on",
    "reset_after": "the request is acted on, then the connection is reset without an answer",
    "hang": "the request is acted on, the answer comes `seconds` late",
    "html": "200 with an HTML page, as from a log-in page; not acted on",
    "redirect": "307 to `location`, or to the same path under another host name; not acted on",
    "not_the_form": "acted on; the answer is valid JSON, but none that the protocol knows",
    "truncated": "acted on; the connection closes in the middle of the body",
    "wrong_length": "acted on; Content-Length is shorter than the body",
    "expired": "the file, the task or the address has expired",
    "engine": "the task ends with the engine's error `code`",
    "bad_picture": "the result's bytes are no picture",
    "bomb": "the result is a PNG whose header claims 60000 x 60000 pixels",
    "other_size": "the result has another size than the picture",
    "no_alpha": "the result has no alpha",
}
"""Kinds of faults. A kind of digits (``"429"``) is that HTTP status, not acted on; `Fault.code` is its error_code."""

_ONLY_AT = {
    "expired": ("upload", "run", "poll", "download", "delete"),
    "engine": ("run",),
    "bad_picture": ("download",),
    "bomb": ("download",),
    "other_size": ("download",),
    "no_alpha": ("download",),
}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        step: one of `STEPS`.
        kind: one of `KINDS`, or an HTTP status as digits.
        times: how many requests of that step it meets.
        after: how many requests of that step pass before.
        code: `error_code` of a status (empty: none), or the engine's code.
        seconds: how long a `hang` is.
        until: ends a `hang` before its time.
        location: target of a `redirect`.
    """

    step: str
    kind: str
    times: int = 1
    after: int = 0
    code: str = ""
    seconds: float = 30.0
    until: Event | None = None
    location: str = ""

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise ValueError(f"unknown step '{self.step}': use one of {', '.join(STEPS)}")
        if self.kind not in KINDS and not (self.kind.isdigit() and 400 <= int(self.kind) < 600):
            raise ValueError(f"unknown fault '{self.kind}': use a status from 400 to 599, or one of {', '.join(KINDS)}")
        if self.step not in _ONLY_AT.get(self.kind, STEPS):
            raise ValueError(f"'{self.kind}' is a fault of {', '.join(_ONLY_AT[self.kind])}, not of {self.step}")
        if self.kind == "engine" and not self.code:
            raise ValueError("the fault 'engine' needs the code that the task ends with")


class FaultBook:
    """Counts the requests of each step and says which fault meets the next one. Not locked: its owner is."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._seen = dict.fromkeys(STEPS, 0)
        self._faults = [(fault, 0) for fault in faults]

    def add(self, fault: Fault) -> None:
        """One more fault, whose `after` counts from now."""
        self._faults.append((fault, self._seen[fault.step]))

    def take(self, step: str) -> Fault | None:
        """The fault that meets this request of `step`, the first that fits."""
        number = self._seen[step]
        self._seen[step] += 1
        for fault, start in self._faults:
            if fault.step == step and fault.after <= number - start < fault.after + fault.times:
                return fault
        return None
