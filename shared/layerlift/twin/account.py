"""The account behind an API key: its units and what they went to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Charge:
    """Units taken from the account.

    Attributes:
        id: number of the entry, 64 bits.
        task_id: what they were taken for.
        units: how many.
        timestamp: unix milliseconds.
        lost: whether the task was lost by a late poll.
        action: what the history calls the task.
    """

    id: int
    task_id: str
    units: float
    timestamp: int
    lost: bool
    action: str


class Account:
    """Units, and the history of charges, newest last. Not locked: its owner is."""

    FIRST_ID = 2**60 + 1

    def __init__(self, units: float) -> None:
        self._start = units
        self._charges: list[Charge] = []

    @property
    def charges(self) -> list[Charge]:
        """All charges so far."""
        return list(self._charges)

    @property
    def spent(self) -> float:
        """Units charged so far."""
        return sum(charge.units for charge in self._charges)

    @property
    def units(self) -> float:
        """Units left."""
        return self._start - self.spent

    def charge(self, task_id: str, units: float, timestamp: int, *, lost: bool, action: str) -> None:
        """Take units for a task."""
        self._charges.append(Charge(self.FIRST_ID + len(self._charges), task_id, units, timestamp, lost, action))
