"""Random schedules of faults and deaths. LAYERLIFT_SCHEDULES says how many, LAYERLIFT_SEED the first seed."""

from __future__ import annotations

import os
from concurrent.futures import Future

import pytest

from .schedules import Ended, Schedule

FIRST = int(os.environ.get("LAYERLIFT_SEED", "0"))
COUNT = int(os.environ.get("LAYERLIFT_SCHEDULES", "4"))


@pytest.mark.parametrize("cell", [Schedule(seed) for seed in range(FIRST, FIRST + COUNT)], ids=str)
def test_whatever_happens_each_picture_is_paid_once_and_delivered(
    cells: dict[Schedule, Future[Ended]], cell: Schedule
) -> None:
    found = cells[cell].result()
    assert found.broken == []
    assert len(found.told) <= found.explained, found.told
