"""The cells of the matrix, the deaths and the schedules, worked on side by side: most of their time they wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

AT_ONCE = 8
FOLDER = Path(__file__).parent
LONG = ("test_schedules", "test_together")
_CELL = "cell"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no process works alone in the end."""
    places = [place for place, item in enumerate(items) if item.path.parent == FOLDER]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path.stem not in LONG)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def outcome_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Any], Any]]:
    """How a cell ends. All that are asked for are begun at once, except where pytest-xdist has processes for that."""

    def run(cell: Any) -> Any:
        return cell.run(tmp_path_factory.mktemp(str(cell)))

    if hasattr(request.config, "workerinput"):
        yield run
        return
    wanted = [item.callspec.params[_CELL] for item in request.session.items if "outcome_of" in item.fixturenames]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {cell: pool.submit(run, cell) for cell in wanted}
        yield lambda cell: begun[cell].result()
        pool.shutdown(cancel_futures=True)


@pytest.fixture(autouse=True)
def note_axis(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Tells the closing line, which may be another process's, what was run."""
    callspec = getattr(request.node, "callspec", None)
    if callspec and _CELL in callspec.params:
        record_property(_CELL, callspec.params[_CELL].axis)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for state in ("passed", "failed") for report in terminalreporter.stats.get(state, [])]
    found = [dict(report.user_properties).get(_CELL) for report in reports if getattr(report, "when", "") == "call"]
    counts = [f"{found.count(axis)} of {axis}" for axis in dict.fromkeys(found) if axis]
    terminalreporter.write_line(f"fault matrix: {len(found) - found.count(None)} cells: {', '.join(sorted(counts))}")
