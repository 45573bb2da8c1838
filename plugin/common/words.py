"""What the user is asked before a removal and told after it, in one English for all hosts."""

from __future__ import annotations

from typing import Any, Sequence

HAS_CUT_OUT = "This layer already has a cut-out, or is one."
UNPAID = "Cancelled: nothing was paid for. Nothing was changed."
KEPT = "Cancelled. What was paid for is kept, and is free the next time."
FULL = "No background was found: the whole picture was kept."
FREE = "Free: you already paid for this picture."
DELETED = "The layer was deleted in the meantime. Nothing was changed."
CHECKING = "Checking what is already paid for"


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

    def text(self, cancelled: Sequence[str] = (), reason: str = KEPT) -> str:
        """What became of all, where these are cancelled."""
        total = self.done + sum(len(names) for names in self._failed.values()) + len(cancelled)
        free = f", {self._free} of them free (already paid for)" if self._free else ""
        lines = [f"{self.done} of {counted(total, 'picture')} done{free}. Units used: {number(self.units)}."]
        if self._full:
            lines += ["", f"No background was found, so the whole picture was kept: {', '.join(self._full)}"]
        failures = self.failures() + ([f"{', '.join(cancelled)}: {reason}"] if cancelled else [])
        if failures:
            lines += ["", "Not done:", *failures]
        return "\n".join(lines)


def question(total: int, plan: dict[str, Any], summary: Summary) -> str:
    """What a run would be, by the worker's plan; the summary knows what is left out."""
    lines = [f"Remove the background of {counted(total, 'picture')}?", "", *_costs(plan, total)]
    failures = summary.failures()
    if failures:
        lines += ["", "Left out:", *failures]
    return "\n".join(lines)


def question_again(plan: dict[str, Any]) -> str:
    """What another removal from a layer that has its cut-out, or is one, would be, by the worker's plan."""
    return "\n".join([HAS_CUT_OUT, "", "Remove its background anyway?", "", *_costs(plan, 1)])


def balance(units: float) -> str:
    """What the account has."""
    return f"Balance: {counted(units, 'unit')}."


def cancelled(cost: str) -> str:
    """What a removal comes to that was cancelled when it was, or may be, paid for."""
    return f"Cancelled: {cost}; the result is kept, and is free the next time. Nothing was changed."


def reading(place: int, total: int, name: str) -> str:
    """The line while the pictures are read, of which this is at a place from 0 on."""
    return f"Reading {place + 1} of {total} ({name})"


def counted(count: float, noun: str) -> str:
    """A number of things."""
    return f"{number(count)} {noun}" if number(count) == "1" else f"{number(count)} {noun}s"


def number(count: float) -> str:
    """As it is read: no more than hundredths, and no power of ten."""
    return f"{round(count, 2):.15g}"


def _costs(plan: dict[str, Any], total: int) -> list[str]:
    if plan["host"] is None:
        return ["The offline engine makes a quick draft on this computer, for free."]
    paid, lines = len(plan["paid"]), []
    if paid:
        lines.append(f"Already paid for (free): {paid} of {total}.")
    if paid < total:
        of_all = "" if total == 1 else f": {total - paid} of {total}"
        lines.append(f"To be uploaded to {plan['host']}{of_all}.")
        lines.append(f"Cost: up to {counted(plan['units'], 'unit')}. {balance(plan['balance'])}")
        if plan["units"] > plan["balance"]:
            lines.append("That is not enough.")
    return lines
