"""Every fault at every step: the right result or a clear error, and paid work is neither lost nor paid twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from helpers.holding import Held
from helpers.waiting import PATIENCE, wait_for
from layerlift import errors
from layerlift.twin import Fault

from .disks import DISKS
from .matrix import CELLS, Found
from .results import ODDITIES
from .states import STARTS
from .world import World


@pytest.mark.parametrize("cell", [*CELLS, *STARTS, *DISKS, *ODDITIES], ids=str)
def test_whatever_fails_the_picture_is_paid_once_and_delivered(
    outcome_of: Callable[[Any], Found], cell: NamedTuple
) -> None:
    found = outcome_of(cell)
    assert found.broken == []
    for error in found.told:
        assert error.code in errors.TABLE
        assert error.code != "internal"
        assert error.action
        assert "Bearer" not in str(error)
        assert "Signature" not in str(error)


def test_a_task_that_the_service_has_charged_and_lost_is_not_paid_again_unasked(tmp_path: Path) -> None:
    engine = Held()

    def charge() -> None:
        engine.released.set()
        wait_for(lambda: world.twin.charged)

    fault = Fault("poll", "expired", after=1)
    with World(tmp_path, engine=engine, poll_within_seconds=PATIENCE, faults=(fault,)) as world:
        world.twin.before_expiry(charge)
        assert world.remove(0, PATIENCE) is not None
        assert isinstance(world.remove(0, PATIENCE), errors.MayBeCharged)
        assert world.twin.charged == 1
        assert world.remove(0, PATIENCE, again=True) is None
