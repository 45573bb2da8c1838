"""Every form that the service was seen to answer in is really sent in that form."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import pytest
import requests
from layerlift.twin import FORMS


def chain(client: Any, data: bytes) -> tuple[Any, Any, Any]:
    """The data of the answers to declare, run and the last poll; the result was downloaded."""
    declared = client.declare(data)
    client.upload(declared, data)
    file = declared.json()["data"]["files"][0]
    run = client.run(file["file_id"]).json()["data"]
    return file, run, client.ended(run["task_id"]).json()["data"]


def delivered(url: str) -> bool:
    return requests.get(url, timeout=10).content.startswith(b"\x89PNG")


def test_the_plain_form_is_that_of_the_present_documents(twin: Any, raw: Any, picture: bytes) -> None:
    file, run, poll = chain(raw(twin), picture)
    request = file["requests"][0]
    assert request["headers"] == {"Content-Type": "image/jpg", "Content-Length": str(len(picture))}
    assert (request["method"], file["content_type"], file["file_name"]) == ("PUT", "image/jpg", "a.jpg")
    assert run.keys() == {"task_id"}
    assert poll.keys() == {"task_status", "results"}
    assert poll["results"].keys() == {"url"}
    assert delivered(poll["results"]["url"])


def test_short_file_path(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(forms=["short_file_path"]))
    files = [{"content_type": "image/jpg", "file_name": "a.jpg", "file_size": len(picture)}]
    assert client.declare(picture).status_code == 404
    declared = client.api("POST", "/s2s/v2.0/file", json={"files": files})
    assert client.upload(declared, picture).status_code == 200
    assert client.run(declared.json()["data"]["files"][0]["file_id"]).status_code == 200


def test_headers_list(make_twin: Any, raw: Any, picture: bytes) -> None:
    declared = raw(make_twin(forms=["headers_list"])).declare(picture)
    assert declared.json()["data"]["files"][0]["requests"][0]["headers"] == [
        {"name": "Content-Type", "value": "image/jpg"},
        {"name": "Content-Length", "value": str(len(picture))},
    ]


def test_number_length(make_twin: Any, raw: Any, picture: bytes) -> None:
    declared = raw(make_twin(forms=["number_length"])).declare(picture)
    assert declared.json()["data"]["files"][0]["requests"][0]["headers"]["Content-Length"] == len(picture)


def test_status_field(make_twin: Any, raw: Any, picture: bytes) -> None:
    _, _, poll = chain(raw(make_twin(forms=["status_field"])), picture)
    assert (poll["status"], "task_status" in poll) == ("success", False)


@pytest.mark.parametrize(
    ("form", "url"),
    [
        ("results_list", lambda results: results[0]["url"]),
        ("results_data", lambda results: results["data"][0]["url"]),
        ("results_list_data", lambda results: results[0]["data"][0]["url"]),
    ],
)
def test_results_lists(make_twin: Any, raw: Any, picture: bytes, form: str, url: Any) -> None:
    _, _, poll = chain(raw(make_twin(forms=[form])), picture)
    assert delivered(url(poll["results"]))


def failed(twin: Any, raw: Any, make_picture: Any) -> Any:
    return chain(raw(twin), make_picture(dark=255))[2]


def test_a_failure_is_a_code_and_a_message(twin: Any, raw: Any, make_picture: Any) -> None:
    poll = failed(twin, raw, make_picture)
    assert poll == {"task_status": "error", "error": "error_no_subject", "error_message": "No subject was found"}


def test_error_object(make_twin: Any, raw: Any, make_picture: Any) -> None:
    poll = failed(make_twin(forms=["error_object"]), raw, make_picture)
    assert poll["error"] == {"message": "No subject was found", "error_code": "error_no_subject"}


@pytest.mark.parametrize(("form", "value"), [("error_null", None), ("error_none", "None")])
def test_an_error_that_is_none(make_twin: Any, clock: Any, raw: Any, make_picture: Any, form: str, value: Any) -> None:
    client = raw(make_twin(clocks={"clock": clock}, forms=[form], run_seconds=1))
    task = client.started(make_picture())
    assert client.poll(task).json()["data"] == {"task_status": "running", "error": value}
    clock.move(1.0)
    assert client.ended(task).json()["data"]["error"] == value
    assert failed(make_twin(forms=[form]), raw, make_picture)["error"] == "error_no_subject"


@pytest.mark.parametrize(
    ("forms", "in_run", "in_poll"),
    [
        ([], True, True),
        (["interval_in_run"], True, False),
        (["interval_in_poll"], False, True),
        (["interval_in_run", "interval_in_poll"], True, True),
        (["interval_nowhere"], False, False),
    ],
)
def test_places_of_the_polling_interval(
    make_twin: Any, raw: Any, picture: bytes, forms: Any, in_run: bool, in_poll: bool
) -> None:
    _, run, poll = chain(raw(make_twin(forms=forms, polling_interval_ms=5000)), picture)
    assert run.get("polling_interval") == (5000 if in_run else None)
    assert poll.get("polling_interval") == (5000 if in_poll else None)


def test_an_interval_that_is_not_sent_holds(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(clocks={"clock": clock}, polling_interval_ms=500, forms=["interval_nowhere"]))
    task = client.started(picture)
    clock.move(0.6)
    assert client.poll(task).json()["error_code"] == "InvalidTaskId"


def test_dst_id_in_data_or_results(make_twin: Any, raw: Any, picture: bytes) -> None:
    _, _, poll = chain(raw(make_twin(forms=["dst_id_in_data"])), picture)
    assert (bool(poll["dst_id"]), "dst_id" in poll["results"]) == (True, False)
    _, _, poll = chain(raw(make_twin(forms=["dst_id_in_results"])), picture)
    assert ("dst_id" in poll, bool(poll["results"]["dst_id"])) == (False, True)
    _, _, poll = chain(raw(make_twin(forms=["dst_id_in_results", "results_list_data"])), picture)
    assert poll["results"][0]["data"][0]["dst_id"]


def test_numeric_ids(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(forms=["numeric_ids"]))
    chain(client, picture)
    for number in (client.balance().json()["results"][0]["id"], client.history().json()["result"]["history"][0]["id"]):
        assert isinstance(number, int)
        assert 2**53 < number < 2**63
        assert int(float(number)) == 2**60  # a client that reads it as a double can't tell it from its neighbours


def test_base64_ids_have_to_be_percent_encoded(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(forms=["base64_ids"]))
    file, run, _ = chain(client, picture)
    for id_ in (file["file_id"], run["task_id"]):
        assert {"+", "/", "="} <= set(id_)
    path = "/s2s/v2.0/task/sod/"
    task = run["task_id"]
    encoded = quote(task, safe="")
    for good in (encoded, re.sub("%..", lambda match: match[0].lower(), encoded)):
        assert client.api("GET", path + good).status_code == 200
    assert client.api("GET", path + task).status_code == 404
    assert client.api("GET", path + quote(task, safe="+")).json()["error_code"] == "InvalidTaskId"
    assert client.delete(task).status_code == 200


def test_no_amount_dec(make_twin: Any, raw: Any) -> None:
    entry = raw(make_twin(forms=["no_amount_dec"], units=3.7)).balance().json()["results"][0]
    assert (entry["amount"], "amount_dec" in entry) == (3, False)


def test_expired_units(make_twin: Any, raw: Any) -> None:
    entries = raw(make_twin(forms=["expired_units"], units=3)).balance().json()["results"]
    now = time.time() * 1000
    assert [(entry["amount"], entry["expiry"] > now) for entry in entries] == [(3, True), (100, False)]
    assert {entry["type"] for entry in entries} == {"ApiPaygToken", "ApiSubsToken"}


def test_an_endless_account_is_still_json(make_twin: Any, raw: Any) -> None:
    assert raw(make_twin(units=float("inf"))).balance().json()["results"][0]["amount"] == 10**15


def test_all_forms_go_together(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(forms=set(FORMS) - {"short_file_path", "headers_list"}, polling_interval_ms=5000))
    _, _, poll = chain(client, picture)
    assert delivered(poll["results"][0]["data"][0]["url"])
