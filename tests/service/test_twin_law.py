"""The offline service holds the law of polling, keeps its ledger, and limits the rate as the service does."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from typing import Any

import pytest
import requests
from layerlift.twin import EngineError, Options, Twin

STILL = (10**6, 300.0)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def xml_code(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/xml")
    return answer.status_code, ET.fromstring(answer.content).findtext("Code") or ""


# the law of polling


def test_a_task_that_is_polled_in_time_lives_on(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    twin = make_twin(clocks={"clock": clock}, polling_interval_ms=1000, run_seconds=5, rate=STILL)
    client = raw(twin)
    task = client.started(picture)
    for _ in range(4):
        clock.move(1.0)
        assert client.poll(task).json()["data"]["task_status"] == "running"
    clock.move(1.0)
    assert client.ended(task).json()["data"]["task_status"] == "success"
    assert (twin.late_polls, twin.charged) == (0, 1)


@pytest.mark.parametrize("ready", [True, False])
def test_a_task_that_is_polled_late_is_lost_and_paid(
    make_twin: Any, clock: Any, raw: Any, picture: bytes, ready: bool
) -> None:
    twin = make_twin(clocks={"clock": clock}, polling_interval_ms=1000, run_seconds=1.5 if ready else 60, rate=STILL)
    client = raw(twin)
    task = client.started(picture)
    clock.move(0.9)
    client.poll(task)
    clock.move(1.1)
    assert code(client.poll(task)) == (400, "InvalidTaskId")
    assert code(client.poll(task)) == (400, "InvalidTaskId")
    assert (twin.late_polls, twin.charged) == (1, 1)


def test_a_late_poll_may_be_a_task_timeout(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(clocks={"clock": clock}, poll_within_seconds=1, forms=["late_poll_500"]))
    task = client.started(picture)
    clock.move(1.1)
    assert code(client.poll(task)) == (500, "TaskTimeout")


def test_a_task_that_nobody_polls_is_charged_without_a_poll(
    make_twin: Any, clock: Any, raw: Any, picture: bytes
) -> None:
    client = raw(make_twin(clocks={"clock": clock}, run_seconds=60, units=5))
    client.started(picture)
    clock.move(10.1)
    assert client.balance().json()["results"][0]["amount_dec"] == 4


def test_a_failed_task_that_is_polled_late_is_lost_and_free(
    make_twin: Any, clock: Any, raw: Any, make_picture: Any
) -> None:
    done = threading.Event()

    def picky(data: bytes) -> bytes:
        done.set()
        raise EngineError("error_no_subject")

    twin = make_twin(clocks={"clock": clock}, engine=picky, rate=STILL)
    client = raw(twin)
    task = client.started(make_picture())
    assert done.wait(10)
    client.ended(task)
    clock.move(11)
    assert client.poll(task).json()["data"]["error"] == "error_no_subject"
    assert twin.charged == 0


def test_a_task_whose_end_was_seen_has_no_more_deadline(make_twin: Any, clock: Any, raw: Any, picture: bytes) -> None:
    twin = make_twin(clocks={"clock": clock}, polling_interval_ms=1000, rate=STILL)
    client = raw(twin)
    task = client.started(picture)
    client.ended(task)
    clock.move(3600)
    assert client.poll(task).json()["data"]["task_status"] == "success"
    assert (twin.late_polls, twin.charged) == (0, 1)


@pytest.mark.parametrize("task", ["nothing", "%", "%00", "a b", "é", "-" * 5000])
def test_an_unknown_task_is_refused(twin: Twin, raw: Any, task: str) -> None:
    assert code(raw(twin).poll(task)) == (400, "InvalidTaskId")


# the result


def test_a_result_address_expires_and_another_poll_gives_a_fresh_one(
    make_twin: Any, clock: Any, raw: Any, picture: bytes
) -> None:
    twin = make_twin(clocks={"clock": clock}, rate=STILL)
    client = raw(twin)
    task = client.started(picture)
    old = client.ended(task).json()["data"]["results"]["url"]
    clock.move(7200)
    assert xml_code(requests.get(old, timeout=10)) == (403, "AccessDenied")
    new = client.poll(task).json()["data"]["results"]["url"]
    assert requests.get(new, timeout=10).status_code == 200
    assert (twin.delivered, twin.charged) == (1, 1)


def test_a_result_address_is_random_and_exact(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    task = client.started(picture)
    client.ended(task)
    urls = {client.poll(task).json()["data"]["results"]["url"] for _ in range(3)}
    assert len(urls) == 3
    for url in urls:
        for other in (url.split("?")[0], url + "&a=b", url.replace("/result/", "/result/a")):
            assert xml_code(requests.get(other, timeout=10)) == (403, "SignatureDoesNotMatch")


# delete


def test_a_deleted_task_is_gone_with_its_files(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    file = client.uploaded(picture)
    task = client.run(file).json()["data"]["task_id"]
    url = client.ended(task).json()["data"]["results"]["url"]
    answer = client.delete(task)
    assert (answer.status_code, answer.json()) == (200, {"status": 200})
    assert code(client.poll(task)) == (400, "InvalidTaskId")
    assert code(client.delete(task)) == (400, "InvalidTaskId")
    assert code(client.run(file)) == (404, "")
    assert xml_code(requests.get(url, timeout=10)) == (404, "NoSuchKey")


def test_a_running_task_is_not_deleted(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(run_seconds=600))
    assert code(client.delete(client.started(picture))) == (400, "OperationInvalid")


def test_delete_needs_a_task(twin: Twin, raw: Any) -> None:
    assert code(raw(twin).delete("nothing")) == (400, "InvalidTaskId")
    assert code(raw(twin).api("POST", "/s2s/v2.0/task/delete", json={})) == (400, "InvalidParameters")


# the account


def test_the_ledger_the_balance_and_the_history_agree(make_twin: Any, clock: Any, raw: Any, make_picture: Any) -> None:
    twin = make_twin(clocks={"clock": clock, "wall": clock}, units=10.5, rate=STILL)
    client = raw(twin)
    paid = [client.started(make_picture(dark=dark)) for dark in (0, 102)]
    free = client.started(make_picture(dark=255))
    for task in (*paid, free):
        client.ended(task)
    entry = client.balance().json()["results"][0]
    assert (entry["amount"], entry["amount_dec"], entry["expiry"] > clock.now * 1000) == (8, 8.5, True)
    history = client.history().json()["result"]
    assert sorted(item["target_id"] for item in history["history"]) == sorted(paid)
    assert {item["action"] for item in history["history"]} == {"api_background_removal"}
    assert {item["timestamp"] for item in history["history"]} == {int(clock.now * 1000)}
    assert history["next_token"] is None
    assert (twin.charged, twin.delivered) == (2, 0)


def test_the_history_comes_in_pages_newest_first(twin: Twin, raw: Any, picture: bytes) -> None:
    client = raw(twin)
    tasks = [client.started(picture) for _ in range(5)]
    for task in tasks:
        client.ended(task)
    found: list[str] = []
    token: str | None = ""
    pages = 0
    while token is not None:
        page = client.history(page_size=2, starting_token=token).json()["result"]
        found += [entry["target_id"] for entry in page["history"]]
        token = page["next_token"]
        pages += 1
    assert (pages, sorted(found)) == (3, sorted(tasks))
    assert found == [charge.task_id for charge in reversed(twin.ledger)]


def test_the_price_list_comes_in_pages_and_names_the_removal(twin: Twin, raw: Any) -> None:
    client = raw(twin)
    first = client.price(page_size=1).json()["result"]
    rest = client.price(page_size=20, starting_token=first["next_token"]).json()["result"]
    skus = {sku["run_task_url"]: sku["amount"] for sku in first["skus"] + rest["skus"]}
    assert skus["/s2s/v2.0/task/sod"] == 1
    assert rest["next_token"] is None


@pytest.mark.parametrize("query", [{"page_size": "0"}, {"page_size": "x"}, {"page_size": 101}, {"starting_token": "x"}])
def test_a_page_that_is_none_is_refused(twin: Twin, raw: Any, query: Any) -> None:
    assert code(raw(twin).history(**query)) == (400, "InvalidParameters")
    assert code(raw(twin).price(**query)) == (400, "InvalidParameters")


# the rate


def test_requests_above_the_rate_are_refused_without_a_hint(make_twin: Any, clock: Any, raw: Any) -> None:
    client = raw(make_twin(clocks={"clock": clock}))
    for _ in range(250):
        assert client.balance().status_code == 200
        clock.move(0.125)
    answer = client.balance()
    assert (answer.status_code, answer.json()) == (429, {"status": 429, "error": "Too Many Requests"})
    assert not {name.lower() for name in answer.headers} & {"retry-after", "ratelimit", "ratelimit-remaining"}
    clock.move(268.75)
    assert client.balance().status_code == 200
    assert client.balance().status_code == 429


def test_more_than_five_requests_within_a_second_are_refused(clock: Any, raw: Any) -> None:
    with Twin(Options(), clock=clock) as twin:
        client = raw(twin)
        for _ in range(4):
            assert [client.balance().status_code for _ in range(6)] == [200] * 5 + [429]
            clock.move(1.0)
        clock.move(-0.5)
        assert client.balance().status_code == 429


def test_a_rate_for_a_second_takes_the_place_of_five(make_twin: Any, clock: Any, raw: Any) -> None:
    client = raw(make_twin(clocks={"clock": clock}, rate=(7, 1.0), per_second=5))
    assert [client.balance().status_code for _ in range(8)] == [200] * 7 + [429]


def test_uploads_and_downloads_do_not_count(make_twin: Any, raw: Any, picture: bytes) -> None:
    client = raw(make_twin(rate=(4, 300.0), run_seconds=0))
    declared = client.declare(picture)
    for _ in range(10):
        assert client.upload(declared, picture).status_code == 200
    file = declared.json()["data"]["files"][0]["file_id"]
    task = client.run(file).json()["data"]["task_id"]
    assert client.poll(task).status_code == 200
    assert client.balance().status_code == 200
    assert client.balance().status_code == 429


# what tests see


def test_the_record_tells_who_asked_for_what(twin: Twin, raw: Any, picture: bytes) -> None:
    raw(twin).result(picture)
    calls = twin.requests
    assert [call.step for call in calls if call.step != "poll"] == ["declare", "upload", "run", "download"]
    assert {call.storage for call in calls if "Authorization" in call.headers} == {False}
    assert all(call.status == 200 for call in calls)
    assert [call.time for call in calls] == sorted(call.time for call in calls)
    assert list(twin.uploads.values()) == [picture]
    assert twin.delivered == 1
