"""The cells of the matrix, worked on side by side: most of their time they wait."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import matrix
import pytest

AT_ONCE = 8
_COUNT = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def cells(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[matrix.Cell, Future[matrix.Found]]]:
    """How each cell that is asked for ends."""
    wanted = [item.callspec.params["cell"] for item in request.session.items if "cells" in item.fixturenames]
    request.config.stash[_COUNT] = len(wanted)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {cell: pool.submit(matrix.run, cell, tmp_path_factory.mktemp(str(cell))) for cell in wanted}
        pool.shutdown(cancel_futures=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _COUNT in config.stash:
        terminalreporter.write_line(f"fault matrix: {config.stash[_COUNT]} cells")
