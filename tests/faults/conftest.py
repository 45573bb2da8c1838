"""The cells of the matrix and of the deaths, worked on side by side: most of their time they wait."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from . import kills, matrix

AT_ONCE = 8
_CELLS = pytest.StashKey[list[Any]]()


@pytest.fixture(scope="session")
def cells(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, Future[Any]]]:
    """How each cell that is asked for ends."""
    wanted = [item.callspec.params["cell"] for item in request.session.items if "cells" in item.fixturenames]
    request.config.stash[_CELLS] = wanted
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {cell: pool.submit(cell.run, tmp_path_factory.mktemp(str(cell))) for cell in wanted}
        pool.shutdown(cancel_futures=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    wanted = config.stash.get(_CELLS, [])
    faults, deaths = (sum(isinstance(cell, kind) for cell in wanted) for kind in (matrix.Cell, kills.Death))
    schedules = len(wanted) - faults - deaths
    terminalreporter.write_line(f"fault matrix: {faults} cells of faults, {deaths} of deaths, {schedules} schedules")
