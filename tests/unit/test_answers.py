"""Every form that the service was seen to answer in means the same; everything else is refused in one way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerlift import errors
from layerlift.service import answers

URL = "https://storage.example/x?X-Amz-Signature=1"
PARSERS: dict[str, Callable[[object], object]] = {
    "declare": answers.destinations,
    "run": answers.task,
    "poll": answers.task_state,
    "delete": answers.acknowledged,
    "balance": lambda body: answers.units(body, 0),
    "history": answers.charges,
    "price": answers.prices,
}


def poll(**data: Any) -> answers.TaskState:
    return answers.task_state({"status": 200, "data": data})


def declared(**request: Any) -> answers.Destination:
    file = {"file_id": "f", "requests": [{"url": URL, "headers": {}, **request}]}
    [destination] = answers.destinations({"data": {"files": [file]}})
    return destination


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "image/jpg", "Content-Length": 5},
        {"Content-Type": "image/jpg", "Content-Length": "5"},
        [{"name": "Content-Type", "value": "image/jpg"}, {"name": "Content-Length", "value": 5}],
    ],
)
def test_upload_headers_are_taken_as_an_object_or_as_a_list(headers: Any) -> None:
    assert declared(headers=headers).headers == {"Content-Type": "image/jpg", "Content-Length": "5"}


def test_an_upload_is_a_put_unless_it_says_otherwise() -> None:
    assert (declared().method, declared(method="post").method) == ("PUT", "POST")


@pytest.mark.parametrize(
    "results",
    [
        {"url": URL},
        [{"url": URL}],
        {"data": [{"url": URL}]},
        {"data": {"url": URL}},
        [{"id": 0, "data": [{"id": 0, "url": URL}]}],
        [{"id": 0}, {"url": URL}],
    ],
)
@pytest.mark.parametrize("state", ["task_status", "status"])
@pytest.mark.parametrize("error", [{}, {"error": None}, {"error": "None"}, {"error": "None", "error_message": "None"}])
def test_a_success_is_taken_in_every_form(results: Any, state: str, error: Any) -> None:
    found = poll(**{state: "success", "results": results, **error})
    assert (found.status, found.result_url, found.error_code) == ("success", URL, None)


@pytest.mark.parametrize("place", ["data", "results", "list", "inner"])
def test_the_dst_id_is_found_wherever_it_stands(place: str) -> None:
    result = {"url": URL} if place == "data" else {"url": URL, "dst_id": "d+/="}
    results = {"data": result, "results": result, "list": [result], "inner": [{"data": [result]}]}[place]
    own = {"dst_id": "d+/="} if place == "data" else {}
    assert poll(task_status="success", results=results, **own).dst_id == "d+/="
    assert poll(task_status="success", results={"url": URL}).dst_id is None


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        ({"error": "error_pose", "error_message": "arm"}, "error_pose", "arm"),
        ({"error": "error_pose"}, "error_pose", None),
        ({"error": {"message": "arm", "error_code": "error_pose"}}, "error_pose", "arm"),
        ({"error": {"message": "arm", "code": "error_pose"}}, "error_pose", "arm"),
        ({"error": None, "error_code": "error_pose"}, "error_pose", None),
        ({"error": None, "error_message": "arm"}, "arm", "arm"),
        ({"error": "None", "error_message": "None"}, "unknown_internal_error", None),
        ({"error": None}, "unknown_internal_error", None),
        ({}, "unknown_internal_error", None),
    ],
)
def test_a_failure_is_taken_in_every_form(data: Any, code: str, message: str | None) -> None:
    found = poll(task_status="error", **data)
    assert (found.status, found.error_code, found.error_message) == ("error", code, message)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (2000, 2.0),
        (1500.5, 1.5005),
        ("2000", 2.0),
        (3, 0.5),
        (0, None),
        (-1, None),
        (None, None),
        (True, None),
        ("soon", None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**9, None),
    ],
)
def test_the_polling_interval_is_in_milliseconds_where_it_makes_sense(value: Any, seconds: float | None) -> None:
    assert poll(task_status="running", polling_interval=value).polling_interval == seconds
    assert answers.task({"data": {"task_id": "t", "polling_interval": value}}).polling_interval == seconds


@pytest.mark.parametrize(("value", "text"), [("a+/=", "a+/="), (2**64 - 1, "18446744073709551615")])
def test_ids_are_text_or_numbers_of_64_bits(value: Any, text: str) -> None:
    assert answers.task({"data": {"task_id": value}}).task_id == text


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], {}, "a\nb", "\ud800"])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(errors.ServiceError):
        answers.task({"data": {"task_id": value}})


def test_units_that_have_expired_do_not_count() -> None:
    entries = [
        {"amount": 10, "amount_dec": 10.04, "expiry": 2000},
        {"amount": 5, "expiry": 1001},
        {"amount": 7, "amount_dec": None, "expiry": None},
        {"amount": 100, "amount_dec": 100.0, "expiry": 1000},
    ]
    assert answers.units({"results": entries}, 1000) == pytest.approx(22.04)


def test_a_charge_counts_its_units_whatever_their_sign() -> None:
    entry = {"id": 2**63, "timestamp": 1.8e12, "action": "a", "target_id": "t"}
    entry["info"] = {"credits": [{"amount": -1}]}
    [charge], following = answers.charges({"result": {"next_token": "n", "history": [entry]}})
    assert charge == answers.Charge(str(2**63), 1_800_000_000_000, "a", "t", 1.0)
    assert following == "n"


def test_a_time_in_seconds_is_taken_for_one() -> None:
    [charge], _ = answers.charges({"result": {"history": [{"id": "1", "timestamp": 1_800_000_000}]}})
    assert charge.time == 1_800_000_000_000


def test_a_line_of_another_form_hides_no_other() -> None:
    lines = [None, {}, {"id": "1", "timestamp": "soon"}, {"id": "2", "timestamp": 1.8e12, "target_id": "\ud800"}]
    found, _ = answers.charges({"result": {"history": [*lines, {"id": "3", "timestamp": 1.8e12}]}})
    assert [charge.charge_id for charge in found] == ["3"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"error": "no", "error_code": "BadRequest"}, ("BadRequest", "no")),
        ({"error": {"message": "no", "error_code": "BadRequest"}}, ("BadRequest", "no")),
        ({"error": "InvalidTaskId"}, ("InvalidTaskId", "InvalidTaskId")),
        ({"error": "no"}, (None, "no")),
        ({}, (None, "")),
        (["x"], (None, "")),
        (None, (None, "")),
    ],
)
def test_a_refusal_is_taken_in_every_form(body: object, found: tuple[str | None, str]) -> None:
    assert answers.refusal(body) == found


def test_the_services_words_are_one_short_printable_line() -> None:
    assert answers.words(" a\nb\x1b[0m\u202e ") == "a b [0m"
    assert len(answers.words("x" * 10_000)) == 200
    assert answers.words(None) == ""


def test_addresses_and_headers_do_not_show() -> None:
    shown = repr([declared(headers={"X-Token": "secret"}), poll(task_status="success", results={"url": URL})])
    assert "X-Amz" not in shown
    assert "secret" not in shown


NAMES = """data files file_id requests url headers name value task_id status task_status results result history skus id
    amount amount_dec expiry timestamp info credits next_token error error_code message polling_interval dst_id"""
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    leaves | st.sampled_from(["success", "error", "running", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=5),
    max_leaves=12,
)


@settings(deadline=None)
@pytest.mark.parametrize("name", sorted(PARSERS))
@given(body=json_values)
def test_whatever_comes_is_taken_or_refused(name: str, body: Any) -> None:
    sent = json.loads(json.dumps(body))
    for form in (sent, {"data": sent}, {"result": sent}, {"results": sent}, {"data": {"files": sent}}):
        try:
            PARSERS[name](form)
        except errors.LayerliftError as error:
            assert error.code in ("bad_answer", "result_missing")
        answers.refusal(form)
