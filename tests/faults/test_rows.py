"""Tasks in a row: whatever fails at whichever of three, all come at last, none is lost, and none is paid twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from layerlift import errors

from .rows import KILLS, LINKS, ROW, Killed, Link, Outcome


@pytest.mark.parametrize("cell", LINKS, ids=str)
def test_whatever_fails_at_one_of_three_all_are_paid_once(outcome_of: Callable[[Any], Outcome], cell: Link) -> None:
    found = outcome_of(cell)
    assert found.complete, found.told
    assert found.charged == len(ROW) + cell.is_lost
    assert found.late == 0
    for error in found.told:
        assert isinstance(error, errors.LayerliftError), error
        assert error.code in errors.TABLE and error.code != "internal"
    if cell.in_doubt:
        assert any(isinstance(error, errors.MayBeCharged) for error in found.told), "nobody was asked"


@pytest.mark.parametrize("cell", KILLS, ids=str)
def test_a_command_that_is_killed_amid_three_goes_on_where_it_was(
    outcome_of: Callable[[Any], Outcome], cell: Killed
) -> None:
    found = outcome_of(cell)
    assert found.complete, found.told
    assert (found.charged, found.late) == (len(ROW), 0)
