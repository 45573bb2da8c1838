"""What the user is told of a run over all images, before it and after it."""

from __future__ import annotations

from typing import Any, Sequence

WAYS = {
    "set_key": "Set a valid API key with the command 'layerlift key set'.",
    "agree": "Allow it under Filters > Remove Background > Allow Uploads, or choose the offline engine.",
    "pay_again": "To pay again, choose the engine 'YouCam, pay again'.",
}
"""What the user can do in GIMP about the worker's kinds of errors."""
UNPAID = "Cancelled: nothing was paid for."
PAID = "Cancelled: it may cost 1 unit; the result is kept, and is free the next time."
KEPT = "Cancelled. What was paid for is kept, and is free the next time."


class Summary:
    """What becomes of the pictures. `units` is what was paid."""

    def __init__(self) -> None:
        self.units = 0.0
        self.done = 0
        self._free = 0
        self._full: list[str] = []
        self._failed: dict[str, list[str]] = {}

    def succeeds(self, name: str, free: bool, full: bool) -> None:
        """A picture has its new layer: `free` where it had been paid for, `full` where nothing was cut away."""
        self.done += 1
        self._free += free
        if full:
            self._full.append(name)

    def fails(self, name: str, reason: str) -> None:
        """A picture has no new layer."""
        self._failed.setdefault(reason, []).append(name)

    def failures(self) -> list[str]:
        """A line for each reason, with the pictures that it is true of."""
        return [f"{', '.join(names)}: {reason}" for reason, names in self._failed.items()]

    def text(self, cancelled: Sequence[str] = ()) -> str:
        """What became of all, where these are cancelled."""
        total = self.done + sum(len(names) for names in self._failed.values()) + len(cancelled)
        free = f", {self._free} of them free (already paid for)" if self._free else ""
        lines = [f"{self.done} of {counted(total, 'picture')} done{free}. Units used: {self.units:g}."]
        if self._full:
            lines += ["", f"No background was found, so the whole picture was kept: {', '.join(self._full)}"]
        failures = self.failures() + ([f"{', '.join(cancelled)}: {KEPT}"] if cancelled else [])
        if failures:
            lines += ["", "Not done:", *failures]
        return "\n".join(lines)


def question(total: int, plan: dict[str, Any], summary: Summary) -> str:
    """What a run would be, by the worker's plan; the summary knows what is left out."""
    lines = [f"Remove the background of {counted(total, 'picture')}?", ""]
    paid, units, balance = len(plan["paid"]), plan["units"], plan["balance"]
    if balance is None:
        lines.append("The offline engine does it on this computer, for free.")
    else:
        lines.append(f"Already paid for (free): {paid} of {total}.")
        lines.append(f"Cost: up to {counted(units, 'unit')}. Balance: {counted(balance, 'unit')}.")
        if units > balance:
            lines.append("That is not enough for all of them.")
    failures = summary.failures()
    if failures:
        lines += ["", "Left out:", *failures]
    return "\n".join(lines)


def counted(count: float, noun: str) -> str:
    """A number of things."""
    return f"{count:g} {noun}" if count == 1 else f"{count:g} {noun}s"
