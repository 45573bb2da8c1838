"""Whatever dies, and whenever: what was started is finished, by the same process or by the next."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from kills import DEATHS, FREE_STEPS, Dead, Death


@pytest.mark.parametrize("cell", DEATHS, ids=str)
def test_whatever_dies_the_picture_is_paid_once_and_delivered(cells: dict[Death, Future[Dead]], cell: Death) -> None:
    found = cells[cell].result()
    assert found.broken == []
    assert found.delivered, found.told
    assert found.started[1] == 1
    if cell.step in ("poll", "download", "delete"):
        assert found.uploads == 1, "a task that is known needs no other upload"
    if cell.step in FREE_STEPS:
        assert found.started[0] == 0, "the task was started after the user had stopped"
    if cell.way in ("cancel", "cancel_leave") and cell.step != "delete":
        assert found.told[0] == "cancelled"
