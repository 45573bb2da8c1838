"""Random schedules of faults and deaths. LAYERLIFT_SCHEDULES says how many, LAYERLIFT_SEED the first seed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from .schedules import Ended, Schedule

FIRST = int(os.environ.get("LAYERLIFT_SEED", "0"))
COUNT = int(os.environ.get("LAYERLIFT_SCHEDULES", "4"))


@pytest.mark.parametrize("cell", [Schedule(seed) for seed in range(FIRST, FIRST + COUNT)], ids=str)
def test_whatever_happens_each_picture_is_paid_once_and_delivered(
    outcome_of: Callable[[Schedule], Ended], cell: Schedule
) -> None:
    found = outcome_of(cell)
    assert found.broken == []
    assert len(found.told) <= found.explained, found.told
