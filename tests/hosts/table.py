"""One table of what tests have found: a row for each case, a column for each version of a host.

A test marked `@pytest.mark.table("exact")`, with parameters called `name` and `version`, fills the cell of both: with
the mark's word where it passes, with a number where it is skipped, whose reason stands below the table.
"""

from __future__ import annotations

import pytest


class Table:
    """Cells by row and column. A failure is not overwritten by what passes."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], str] = {}
        self._reasons: list[str] = []

    def add(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Take a test's outcome in, where its test is marked."""
        mark = item.get_closest_marker("table")
        if mark is None or (report.when != "call" and report.passed):
            return
        parameters = item.callspec.params  # type: ignore[attr-defined]
        place = str(parameters["name"]), str(parameters["version"])
        if self._cells.get(place) == "FAILED":
            return
        if report.skipped:
            reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
            self._cells[place] = self._number(reason.removeprefix("Skipped: "))
        else:
            self._cells[place] = mark.args[0] if report.passed else "FAILED"

    def _number(self, reason: str) -> str:
        if reason not in self._reasons:
            self._reasons.append(reason)
        return f"- ({self._reasons.index(reason) + 1})"

    def lines(self, columns: dict[str, str]) -> list[str]:
        """The table as text; `columns` are the titles by their versions' names."""
        rows = list(dict.fromkeys(row for row, column in self._cells if column in columns))
        if not rows:
            return []
        found = [column for column in columns if any(column == other for _, other in self._cells)]
        table = [["case", *(columns[column] for column in found)]]
        table += [[row, *(self._cells.get((row, column), "not run") for column in found)] for row in rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        told = {cell for line in table for cell in line}
        reasons = [f"({number}) {reason}" for number, reason in enumerate(self._reasons, 1) if f"- ({number})" in told]
        return [*lines, "", *reasons]
