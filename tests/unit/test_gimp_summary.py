"""What GIMP's users are told before and after a run over all images."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "plugin" / "gimp" / "summary.py"


@pytest.fixture(scope="module")
def told() -> ModuleType:
    """The plug-in's module, which needs no GIMP."""
    spec = importlib.util.spec_from_file_location("gimp_summary", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plan(**fields: Any) -> dict[str, Any]:
    return {"engine": "youcam", "paid": [], "units": 2, "balance": 9.5, **fields}


def test_the_question_tells_what_it_costs_and_what_there_is(told: ModuleType) -> None:
    assert told.question(3, plan(paid=[1]), told.Summary()).splitlines() == [
        "Remove the background of 3 pictures?",
        "",
        "Already paid for (free): 1 of 3.",
        "Cost: up to 2 units. Balance: 9.5 units.",
    ]


def test_the_question_tells_that_the_account_will_not_do(told: ModuleType) -> None:
    said = told.question(1, plan(units=1, balance=0), told.Summary())
    assert "1 picture?" in said
    assert said.endswith("Cost: up to 1 unit. Balance: 0 units.\nThat is not enough for all of them.")


def test_the_question_for_the_offline_engine_speaks_of_no_units(told: ModuleType) -> None:
    said = told.question(2, plan(engine="offline", units=0, balance=None), told.Summary())
    assert "on this computer" in said
    assert "unit" not in said


def test_the_question_tells_what_is_left_out(told: ModuleType) -> None:
    summary = told.Summary()
    summary.fails("a.xcf", "No layer is selected.")
    assert told.question(2, plan(), summary).endswith("Left out:\na.xcf: No layer is selected.")


def test_the_summary_names_what_failed_by_its_reason_and_counts_the_rest(told: ModuleType) -> None:
    summary = told.Summary()
    summary.units = 1.0
    summary.succeeds("a", free=True, full=False)
    summary.succeeds("b", free=False, full=True)
    for name in ("c", "d"):
        summary.fails(name, "Not started.")
    assert summary.text().splitlines() == [
        "2 of 4 pictures done, 1 of them free (already paid for). Units used: 1.",
        "",
        "No background was found, so the whole picture was kept: b",
        "",
        "Not done:",
        "c, d: Not started.",
    ]
