"""What users are asked before a run, and told after it and in the settings."""

from __future__ import annotations

import math
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"engine": "offline", "host": None, "units": 0, "balance": None}, words.OFFLINE_DRAFT),
        ({"paid": [0], "units": 0, "balance": None}, "Free: you already paid for this picture."),
        ({"units": 1, "balance": 17}, "Cost: up to 1 unit. Balance: 17 units."),
        ({"units": 1, "balance": 1}, "Cost: up to 1 unit. Balance: 1 unit."),
        ({"units": 1, "balance": None}, "Cost: up to 1 unit. Balance: unknown."),
        ({"units": 1, "balance": 0.5}, "Cost: up to 1 unit. Balance: 0.5 units.\nThat is not enough."),
    ],
    ids=str,
)
def test_the_cost_of_one_picture_is_told_whatever_is_known_of_it(fields: dict[str, Any], line: str) -> None:
    assert words.cost(plan(**fields)) == line
    assert words.question_again(plan(**fields)).startswith(words.HAS_CUT_OUT)


def test_before_an_upload_it_is_told_what_goes_where_and_for_how_much() -> None:
    said = words.question_upload(plan(units=1, balance=None), "a {b} <b>.jpg")
    assert said.splitlines() == [
        "Upload 'a {b} <b>.jpg' to service.example to remove its background?",
        "",
        "Cost: up to 1 unit. Balance: unknown.",
    ]


@pytest.mark.parametrize(
    ("fields", "left", "line"),
    [
        ({}, 16, "YouCam, 1 unit, 16 left."),
        ({}, 0, "YouCam, 1 unit, 0 left."),
        ({}, None, "YouCam, 1 unit."),
        ({"units": 2}, 0.5, "YouCam, 2 units, 0.5 left."),
        ({"units": 2}, None, "YouCam, 2 units."),
        ({"units": 0, "cached": True}, 16, "free, already paid for."),
        ({"units": 0, "engine": "offline"}, None, "offline draft, free."),
    ],
    ids=str,
)
def test_after_a_removal_it_is_told_who_did_it_what_it_cost_and_what_is_left(
    fields: dict[str, Any], left: float | None, line: str
) -> None:
    answer = {"engine": "youcam", "units": 1, "cached": False, **fields}
    assert words.outcome("{a}'.jpg", answer, left) == f"Background removed from '{{a}}'.jpg': {line}"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "No key set."),
        ({"key_error": "The keyring is locked."}, "It could not be read."),
        ({"key": "...cdef", "key_place": "keyring"}, "...cdef, kept in the system's keyring"),
        ({"key": "...cdef", "key_place": "file"}, "...cdef, kept in a file that only you can read"),
        (
            {"key": "...cdef", "key_place": "environment"},
            "...cdef, from YOUCAM_API_KEY of the environment, which comes first",
        ),
        ({"key": "...cdef", "key_place": "of a newer worker"}, "...cdef"),
    ],
    ids=str,
)
def test_the_key_is_told_with_its_place(fields: dict[str, Any], line: str) -> None:
    assert words.key({"key": None, "key_place": None, "key_error": None, **fields}) == line


def test_a_test_tells_who_has_answered_and_what_is_there() -> None:
    assert words.tested({"host": None, "units": math.inf}) == "The offline engine works. Nothing leaves this computer."
    assert words.tested({"host": "a.example", "units": 1}) == "a.example answers. Balance: 1 unit."
    assert words.tested({"host": "a.example", "units": 12.345}) == "a.example answers. Balance: 12.35 units."


def counts(**fields: Any) -> dict[str, Any]:
    return {"running": 0, "ready": 0, "in_doubt": 0, "kept": 0, "bytes": 0, **fields}


def test_of_jobs_those_kinds_are_told_that_there_are() -> None:
    assert words.jobs(counts()) == "Kept results: 0 (0 MB)."
    assert words.jobs(counts(kept=2, bytes=1_234_000, ready=1)) == "Kept results: 2 (1.23 MB). Ready to fetch: 1."
    assert words.jobs(counts(running=3, in_doubt=1)).endswith(
        "On their way: 3. In doubt: 1. They may have been charged."
    )


@pytest.mark.parametrize(
    ("fetched", "failed", "reason", "line"),
    [
        (0, 0, None, "There was nothing to fetch."),
        (2, 0, None, "Fetched: 2. Not fetched: 0. What was fetched is free the next time."),
        (1, 1, "It is lost.", "Fetched: 1. Not fetched: 1. What was fetched is free the next time. It is lost."),
        (0, 1, "It is lost.", "Fetched: 0. Not fetched: 1. It is lost."),
    ],
)
def test_of_a_fetch_it_is_told_what_came_of_it(fetched: int, failed: int, reason: str | None, line: str) -> None:
    assert words.fetched(counts(fetched=fetched, failed=failed, reason=reason)) == line


def models(**fields: Any) -> dict[str, Any]:
    small = {"name": "small", "installed": True, "bytes": 4_574_861, "purpose": "For tests.", "seconds": 0.5}
    small.update(memory=350_000_000, licence="MIT", source="https://example.org")
    large = {**small, "name": "large", "installed": False, "bytes": 972_700_000, "seconds": 60.0}
    return {"chosen": "auto", "used": "small", "reason": None, "models": [small, large], **fields}


def test_a_list_tells_of_each_model_whether_it_is_here() -> None:
    assert [words.model(model) for model in models()["models"]] == [
        "small: 4.57 MB, installed",
        "large: 973 MB, not fetched",
    ]


@pytest.mark.parametrize(
    ("fields", "name", "line"),
    [
        (
            {},
            "large",
            "For tests. 973 MB; about 60 s and 0.35 GB of memory a picture; licence: MIT, https://example.org",
        ),
        (
            {"reason": "It is short."},
            "auto",
            "The best model that is installed and fits into the free memory. "
            "The offline engine uses small, chosen automatically. It is short.",
        ),
        (
            {"chosen": "my.onnx", "used": None, "reason": "It is gone."},
            "auto",
            "The best model that is installed and fits into the free memory.",
        ),
        (
            {"chosen": "my.onnx", "used": None, "reason": "It is gone."},
            "my.onnx",
            "A model file of your own. It is gone.",
        ),
    ],
    ids=str,
)
def test_of_what_can_be_chosen_it_is_told_what_it_takes(fields: dict[str, Any], name: str, line: str) -> None:
    assert words.about_model(models(**fields), name) == line
