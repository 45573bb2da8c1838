"""Every fault at every step: the right result or a clear error, and paid work is neither lost nor paid twice."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from layerlift import errors
from matrix import CELLS, Cell, Found, may_be_lost


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_whatever_fails_the_picture_is_paid_once_and_delivered(cells: dict[Cell, Future[Found]], cell: Cell) -> None:
    found = cells[cell].result()
    assert found.broken == []
    for error in (found.first, found.second):
        if error is not None:
            assert error.code in errors.TABLE
            assert error.code != "internal"
            assert error.action
            assert "Bearer" not in str(error)
            assert "Signature" not in str(error)
    if not may_be_lost(cell):
        assert found.second is None, found.second
