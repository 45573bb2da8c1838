"""Every fault at every step: the right result or a clear error, and paid work is neither lost nor paid twice."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from layerlift import errors
from matrix import CELLS, Cell, Found


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_whatever_fails_the_picture_is_paid_once_and_delivered(cells: dict[Cell, Future[Found]], cell: Cell) -> None:
    found = cells[cell].result()
    assert found.met
    assert found.broken == []
    for error in found.told:
        assert error.code in errors.TABLE
        assert error.code != "internal"
        assert error.action
        assert "Bearer" not in str(error)
        assert "Signature" not in str(error)
    assert found.delivered, found.told
    if cell.step in ("poll", "download", "delete") and found.delivered:
        assert found.uploads == 1, "a task that is known needs no other upload"
    if cell.in_doubt:
        assert [isinstance(error, errors.MayBeCharged) for error in found.told] == [True, True]
    if not found.told and cell.step != "balance":
        assert found.again == 0, "what was delivered comes from the cache"
