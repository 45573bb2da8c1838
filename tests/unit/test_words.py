"""What users are asked before a run over all open pictures, and told after it."""

from __future__ import annotations

from typing import Any

from plugin.common import words


def plan(**fields: Any) -> dict[str, Any]:
    return {
        "engine": "youcam", "host": "service.example", "paid": [], "units": 2, "balance": 9.5, "agreed": True, **fields,
    }  # fmt: skip


def test_the_question_tells_what_it_costs_and_what_there_is() -> None:
    assert words.question(3, plan(paid=[1]), words.Summary()).splitlines() == [
        "Remove the background of 3 pictures?",
        "",
        "Already paid for (free): 1 of 3.",
        "To be uploaded to service.example: 2 of 3.",
        "Cost: up to 2 units. Balance: 9.5 units.",
    ]


def test_the_question_tells_that_the_account_will_not_do() -> None:
    said = words.question(1, plan(units=1, balance=0), words.Summary())
    assert "1 picture?" in said
    assert said.endswith("Cost: up to 1 unit. Balance: 0 units.\nThat is not enough.")


def test_the_question_for_the_offline_engine_speaks_of_no_units() -> None:
    said = words.question(2, plan(engine="offline", host=None, units=0, balance=None), words.Summary())
    assert "on this computer" in said
    assert "unit" not in said


def test_the_question_tells_what_is_left_out() -> None:
    summary = words.Summary()
    summary.fails("a.xcf", "No layer is selected.")
    assert words.question(2, plan(), summary).endswith("Left out:\na.xcf: No layer is selected.")


def test_the_summary_names_what_failed_by_its_reason_and_counts_the_rest() -> None:
    summary = words.Summary()
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
